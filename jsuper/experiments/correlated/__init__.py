"""What do correlated and anticorrelated features change about the geometry?

Elhage et al. 2022, "The Geometry of Superposition", section "Non-Uniform Superposition".
The paper's: sizes of the five geometries, and ranges of density of the last. Ours: the
other densities, training, seeds, independent features beside them, and losses on the same
fresh examples, since seeds differ by little.
"""

from jsuper.experiments.correlated import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Correlated and anticorrelated features: orthogonal, antipodal, side by side",
    source='"The Geometry of Superposition", section "Non-Uniform Superposition"',
    minutes=1.3,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

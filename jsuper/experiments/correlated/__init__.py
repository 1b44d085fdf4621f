r"""What do correlated and anticorrelated features change about the geometry?

Elhage et al. 2022, "The Geometry of Superposition", section "Non-Uniform Superposition".
Sizes, and ranges of density for three pairs, are the paper's. Other densities, training,
seeds and the control, independent features, are ours.
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

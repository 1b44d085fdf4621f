r"""What becomes of a pentagon when one of its features is denser or sparser than the rest?

Elhage et al. 2022, "The Geometry of Superposition", section "Non-Uniform Superposition".
Sizes, the density of four features and the choice of the best fit are the paper's. Ours
are training, the number of fits, and the way to the threshold: both geometries are followed
through it on the same data, because the best of many fits is partly the luckiest.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.non_uniform import figures, findings, train

EXPERIMENT = Experiment(
    title="Non-uniform superposition: a pentagon with one feature of another density",
    source='"The Geometry of Superposition", section "Non-Uniform Superposition"',
    minutes=1.2,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

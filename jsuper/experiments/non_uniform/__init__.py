"""What becomes of a pentagon when one of its features is denser or sparser than the rest?

Elhage et al. 2022, "The Geometry of Superposition", section "Non-Uniform Superposition".
The paper's: sizes, the density 0.05 of the four, the fit of lowest loss. Ours: training,
seeds, other densities of the four, and a threshold from following a pentagon and two
digons by their exact losses, for which geometry a fit ends in is chance.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.non_uniform import figures, findings, train

EXPERIMENT = Experiment(
    title="Non-uniform superposition: a pentagon with one feature of another density",
    source='"The Geometry of Superposition", section "Non-Uniform Superposition"',
    minutes=1.5,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

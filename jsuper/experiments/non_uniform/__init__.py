r"""What becomes of a pentagon when one of its features is denser or sparser than the rest?

Elhage et al. 2022, "The Geometry of Superposition", section "Non-Uniform Superposition":
five features of equal importance in two dimensions, four of density 0.05, the density of
the fifth varied. The paper trains many models, keeps the one of lowest loss, rotates it to
a canonical frame and shows the losses of all fits. It states no training hyperparameters
and no number of fits; both are ours.

Where two geometries have nearly the same loss, the best of many seeds is partly the
luckiest. So the threshold is found by following both: models start as a pentagon and as
two digons, train at every density on the same data, and their losses are measured on the
same fresh examples. The same is done at other densities of the four, which the paper does
not show.
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

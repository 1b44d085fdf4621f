r"""At which fractions of a dimension do equal features settle, and as which polytopes?

Elhage et al. 2022, "The Geometry of Superposition", section "Uniform Superposition":
n = 400 features of importance 1 in m = 30 dimensions, the density swept. It says that n and
m do not matter as long as n is much larger than m; so the official notebook's n = 200,
m = 20 is trained besides. Neither training hyperparameters nor densities are stated; they
are ours.

A block counts as a polytope if its Gram matrix is within 0.1 (rms) of the ideal one. A
cosine below 0.2 does not connect features: negative biases hide a little interference, and
among sparse features hardly any two are exactly orthogonal.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.uniform import figures, findings, train

EXPERIMENT = Experiment(
    title="Uniform superposition: sticky fractions and polytopes",
    source='"The Geometry of Superposition", section "Uniform Superposition"',
    minutes=5.3,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

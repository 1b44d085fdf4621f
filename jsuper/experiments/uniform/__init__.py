"""At which fractions of a dimension do equal features settle, and as which polytopes?

Elhage et al. 2022, "The Geometry of Superposition", section "Uniform Superposition". The
paper's: 400 features in 30 dimensions; the official notebook's: 200 in 20. Ours: training,
densities, and what counts as a polytope (a Gram matrix within 0.1 of the ideal one) and as
an edge (a cosine of 0.2, above what negative biases hide).
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.uniform import figures, findings, train

EXPERIMENT = Experiment(
    title="Uniform superposition: sticky fractions and polytopes",
    source='"The Geometry of Superposition", section "Uniform Superposition"',
    minutes=5.7,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

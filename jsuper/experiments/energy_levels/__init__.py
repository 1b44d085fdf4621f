"""Which solutions do five features in two dimensions have, and what does each cost?

Elhage et al. 2022, "The Geometry of Superposition", shows the solutions that training
finds, and its figure of learning dynamics speaks of energy levels. Ours: all local minima
of the population loss from many starts, over density, for equal and for decreasing
importance; and the densities at which the pentagon is the best of them, and a minimum at
all.
"""

from jsuper.experiments.energy_levels import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Energy levels of five features in two dimensions",
    source='"The Geometry of Superposition"',
    minutes=26,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
    explored=figures.explored,
)

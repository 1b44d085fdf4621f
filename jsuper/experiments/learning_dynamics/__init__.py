"""How do models learn: step by step, or in jumps?

Elhage et al. 2022, "Superposition and Learning Dynamics". First, *energy levels*: the
dimensionality of every feature and the loss of models whose features all end as digons.
The paper's has 400 features in 30 dimensions, ours 60 in 10, in many seeds, since late
jumps are rare. Second, *geometric transformations*: six features in three dimensions, two
correlated sets of three. Density, steps and start are not stated; small initial weights
make the first stages visible. The rate stays constant: one that decays would freeze what
has yet to jump.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.learning_dynamics import figures, findings, train

EXPERIMENT = Experiment(
    title="Learning dynamics: energy levels and geometric transformations",
    source="Elhage et al. 2022, Superposition and Learning Dynamics",
    minutes=1.4,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

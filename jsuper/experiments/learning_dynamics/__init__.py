"""How do models learn: step by step, or in jumps?

Elhage et al. 2022, "Superposition and Learning Dynamics". The paper's: energy levels, of
400 features in 30 dimensions (ours 60 in 10, in many seeds), and six features in three
dimensions, two correlated sets of three. Ours: density, steps, a small start, which shows
the first stages, and a constant rate, for one that decays would freeze what has yet to
jump.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.learning_dynamics import figures, findings, train

EXPERIMENT = Experiment(
    title="Learning dynamics: energy levels and geometric transformations",
    source="Elhage et al. 2022, Superposition and Learning Dynamics",
    minutes=1.1,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

"""How do models learn: step by step, or in jumps?

Elhage et al. 2022, "Superposition and Learning Dynamics": *energy levels* of features that
become digons, and *geometric transformations* of two correlated sets. Ours: 60 features in
10 dimensions in the place of 400 in 30, densities, steps, start, and a constant rate, since
one that decays would freeze what has yet to jump.
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

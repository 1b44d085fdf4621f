r"""How do models learn: step by step, or in jumps?

Elhage et al. 2022, "Superposition and Learning Dynamics". First, *energy levels*: one
model of uniform features that all end as digons; the dimensionality of every feature and
the loss along training. The paper's model has n = 400, m = 30; neither its sparsity nor
its training is stated. Ours are smaller (60 features in 10 dimensions, density 1/3, where
digons are the rule) and eight, since late jumps are rare. Second, *geometric
transformations*: n = 6, m = 3 with two correlated sets of three. Density, steps and start
are not stated; small initial weights make the first stages visible.

The rate stays constant here. One that decays would freeze what has yet to jump.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.learning_dynamics import figures, findings, train

EXPERIMENT = Experiment(
    title="Learning dynamics: energy levels and geometric transformations",
    source="Elhage et al. 2022, Superposition and Learning Dynamics",
    minutes=0.9,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

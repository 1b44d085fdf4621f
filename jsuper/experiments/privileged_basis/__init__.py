"""How do neurons share features when a ReLU on the hidden layer singles them out?

Elhage et al. 2022, "Superposition in a Privileged Basis". The paper's: ten features of
importance 0.75^i in five neurons, the best of 1,000 models, classes of solutions for
ranges of density. Ours: recipe, densities within the ranges, losses of the ten lowest
measured again, for the lowest is partly the luckiest, and a further sweep over densities.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.privileged_basis import figures, findings, train

EXPERIMENT = Experiment(
    title="Superposition in a privileged basis",
    source="Elhage et al. 2022, Superposition in a Privileged Basis",
    minutes=3.0,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

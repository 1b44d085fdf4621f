r"""How do neurons share features when a ReLU on the hidden layer singles them out?

Elhage et al. 2022, "Superposition in a Privileged Basis": ten features of importance
0.75^i in five neurons, the best of 1,000 models at each density. The paper describes a
class of solutions for each range of densities. It states no training settings; recipe and
the densities within the ranges are ours. So are the losses that choose the best model:
the lowest of 1,000 is partly the luckiest, so the ten lowest are measured again on a
million examples. A further sweep over more densities shows where one class gives way to
the next; models without the ReLU, and models with a hidden bias, are trained for the
paper's comparison and for the limitation that it states.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.privileged_basis import figures, findings, train

EXPERIMENT = Experiment(
    title="Superposition in a privileged basis",
    source="Elhage et al. 2022, Superposition in a Privileged Basis",
    minutes=2.2,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

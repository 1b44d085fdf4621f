"""Which of two features in one dimension survive, and what penalty ends their pair?

Ours, on the model of Elhage et al. 2022, "Superposition as a Phase Change": gradient flow
of the exact loss (`jsuper.Population`) from initial weights of four scales, and the penalty
on interference above which no antipodal pair is left.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.two_features import figures, findings, train

EXPERIMENT = Experiment(
    title="Two features in one dimension: drop, dedicate or pair",
    source="ours; model of Elhage et al. 2022, Superposition as a Phase Change",
    minutes=12,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

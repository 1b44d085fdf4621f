"""Which activations superpose, and from which density on?

Our question, since Lad and Kostolansky 2023 and Baron 2025 disagree. A linear map through m
dimensions explains at most m of equal features; what exceeds m is superposition.
"""

from jsuper.experiments.activations import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Which activations superpose?",
    source="ours",
    minutes=3.7,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

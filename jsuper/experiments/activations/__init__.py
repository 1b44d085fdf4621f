"""Which activations superpose, and from which density on?

Our own question, since two posts disagree about sigmoid and tanh: Lad and Kostolansky 2023
and Baron 2025. A linear map through m dimensions explains at most m of equal, independent
features, whatever their scale; what exceeds m is superposition.
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

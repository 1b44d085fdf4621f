"""Which regular polygon does training find, and what does it pass on the way?

Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301) study two hidden dimensions where
exactly one of c features is active: the loss has a closed form, whose known stationary
points are polygons. Theirs: batches of 100, momentum 0.9. Ours: gradient descent on the
exact loss for the random starts, initial weights, rates, seeds.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.k_gons import figures, findings, train

EXPERIMENT = Experiment(
    title="Regular polygons as stationary points",
    source="Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301)",
    minutes=1.8,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

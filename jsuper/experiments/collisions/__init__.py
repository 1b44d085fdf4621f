"""Do features share neurons by chance, although each could have a neuron of its own?

Lecomte et al. 2023 (arXiv 2312.03096). The paper's: model, inputs, initial weights, n =
256. Ours: smaller n, weight of the penalty, gradient descent, number of models, fits.
"""

from jsuper.experiments.collisions import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Superposition by collision",
    source="Lecomte et al. 2023",
    minutes=5.0,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

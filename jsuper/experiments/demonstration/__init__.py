"""How many features does a model store as they become sparser, and at what price?

Elhage et al. 2022, "Demonstrating Superposition" (arXiv 2209.10652): a small model (20
features, 5 dimensions, importance 0.7^i), a larger one (80 features, 20 dimensions,
importance 0.9^i) at seven densities, and the linear model beside them. Besides, the sweep
of the official notebook (100 features, 20 dimensions, cells 10 to 14).

The paper's: sizes, importances, densities. Ours: optimizer, steps, seeds, and what counts
as a full bar (norm above 0.8) and as a dark one (represented and alone in its dimension,
superposition below 1/4). The notebook's sweep runs with our recipe, not with its own.
"""

from jsuper.experiments.demonstration import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Demonstrating superposition",
    source="Demonstrating Superposition, basic results",
    minutes=2.1,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

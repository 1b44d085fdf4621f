"""How many features does a model store as they become sparser, and at what price?

Elhage et al. 2022, "Demonstrating Superposition", and the sweep of the official notebook
(cells 10 to 14). The paper's: sizes, importances, densities. Ours: optimizer, steps,
seeds, and what counts as a full bar (norm above 0.8) and as a dark one (represented, with
superposition below 1/4).
"""

from jsuper.experiments.demonstration import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Demonstrating superposition",
    source="Demonstrating Superposition, basic results",
    minutes=1.6,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

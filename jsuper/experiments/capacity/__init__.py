"""How is capacity allocated, and when is a neuron polysemantic?

Scherlis et al. 2022, "Polysemanticity and Capacity in Neural Networks" (arXiv 2210.01892).
Theirs: the quadratic model with its exact loss, and closed forms
(`jsuper.theory.capacity`). Ours: models that minimise that loss from random weights, their
sizes, grid and recipe.
"""

from jsuper.experiments.capacity import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Capacity and polysemantic neurons",
    source="Scherlis et al. 2022, Polysemanticity and Capacity in Neural Networks",
    minutes=0.2,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

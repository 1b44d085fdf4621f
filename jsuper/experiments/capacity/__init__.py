r"""How is capacity allocated, and when is a neuron polysemantic?

Scherlis et al. 2022, "Polysemanticity and Capacity in Neural Networks" (arXiv 2210.01892):
features compete for capacity, $0 \le C_i \le 1$ and $\sum_i C_i \le m$. A quadratic toy
model, whose loss is known exactly, gives capacity to a feature until its marginal value is
that of the others; with two features and one neuron the neuron is polysemantic where the
kurtosis of the features exceeds $1 + 2 \max(a/b, b/a)$. `jsuper.theory.capacity` has the
closed forms. Here models minimise that exact loss from random weights, by the same
trainer as everything else: a task is any pytree with ``init`` and ``loss``. Grid, number
of seeds, sizes beyond two features and the recipe are ours.
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

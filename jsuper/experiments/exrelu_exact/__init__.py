"""What does ExReLU do to superposition once the gradient sees its jump?

Murphy and Qiao, "Toy Models of Superposition Review", section 3, with the expected loss in
the place of samples (`jsuper.Population`). The review's: five features of importance 0.9^i
in two dimensions. Ours: the map of `jsuper.experiments.exrelu` and six thresholds more,
starts from small and from larger weights, and the best solution known for every cell.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.exrelu_exact import figures, findings, train

EXPERIMENT = Experiment(
    title="ExReLU with a gradient that sees its jump",
    source='Murphy and Qiao, "Toy Models of Superposition Review", section 3',
    minutes=12,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

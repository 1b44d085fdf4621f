"""Which regular polygon does training find, and what does it pass on the way?

Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301): exactly one of $c$ features is
active (`jsuper.theory.one_hot_potential`). Theirs: batches of 100, momentum 0.9. Ours: the
exact loss for the counts, weights, rates, seeds. A solution is named by its corners and
its dead features: + if their bias is positive, − for corners of a square that never fire.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.k_gons import figures, findings, train

EXPERIMENT = Experiment(
    title="Regular polygons as stationary points",
    source="Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301)",
    minutes=1.9,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

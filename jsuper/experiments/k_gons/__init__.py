r"""Which regular polygon does training find, and what does it pass on the way?

Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301) study the toy model with two
hidden dimensions where exactly one of $c$ features is active. The loss then has a closed
form (`jsuper.theory.one_hot_potential`), whose known stationary points are polygons: $k$
features at the corners of a regular polygon, the others dead. The authors report that SGD
passes near such points, from few corners to more. Theirs: batches of 100 and momentum 0.9.
Ours: gradient descent on the exact loss for the counts, initial weights, rates, seeds.

A solution is named by its corners and its dead features: those of positive bias get a +,
corners of a square that never fire, since their bias is too negative, a −.
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

r"""Which regular polygon does training find, and what does it pass on the way?

Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301) study the toy model with two
hidden dimensions as sparsity goes to 1: of $c$ features exactly one is active. The loss
then has a closed form (`jsuper.theory.one_hot_potential`), whose known stationary points
are polygons: $k$ features at the corners of a regular polygon, the others dead. The
authors report that SGD passes near such points, from few corners to more.

The paper's: c features, two dimensions, x = μ e_i, batches of 100 and momentum 0.9 (from
the code that its authors published later). Ours: gradient descent on the exact loss for
the counts, SGD on samples for the rest, scales of the initial weights, rates, seeds.

A solution is named by its corners and its dead features. Those with a positive bias get a
+, corners of a square that never fire, since their bias is too negative, a −; a dead
feature without a sign never fires either.
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

r"""What do correlated and anticorrelated features change about the geometry?

Elhage et al. 2022, "The Geometry of Superposition", section "Non-Uniform Superposition",
its parts on correlated and anticorrelated features. Five geometries: two correlated pairs
and two anticorrelated pairs in two dimensions, three correlated pairs in two dimensions,
two correlated sets of ten in ten dimensions, and the three pairs again with the density
varied. The paper states the sizes and, for the last, ranges of density; it states no other
densities, no training and no number of runs. Those are ours: every geometry is trained at
several densities, from many seeds, and so are independent features of the same density.

Seeds that differ in loss by little must be told apart, so all of them are compared on the
same fresh examples.
"""

from jsuper.experiments.correlated import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Correlated and anticorrelated features: orthogonal, antipodal, side by side",
    source='"The Geometry of Superposition", section "Non-Uniform Superposition"',
    minutes=1.3,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

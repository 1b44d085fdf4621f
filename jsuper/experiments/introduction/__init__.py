"""How do five features share two dimensions as they become sparser?

The first figure of Elhage et al. 2022 (introduction; arXiv 2209.10652): five features of
decreasing importance in two hidden dimensions, at sparsities 0, 0.8 and 0.9.

The paper's: sizes, sparsities, that importance decreases. Ours: importance 0.9^i (the
official notebook's, cells 6 to 9), optimizer, steps, number of seeds.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.introduction import figures, findings, train

EXPERIMENT = Experiment(
    title="Five features in two dimensions",
    source="Introduction, first figure",
    minutes=1.1,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

"""How do five features share two dimensions as they become sparser?

Elhage et al. 2022 (arXiv 2209.10652), first figure. The paper's: sizes, sparsities, that
importance decreases. Ours: importance 0.9^i (the official notebook's), optimizer, steps,
number of seeds.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.introduction import figures, findings, train

EXPERIMENT = Experiment(
    title="Five features in two dimensions",
    source="Introduction, first figure",
    minutes=0.6,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

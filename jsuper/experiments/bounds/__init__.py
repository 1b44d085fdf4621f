r"""How much superposition pays, and how much of it there can be: four limits.

Elhage et al. 2022, "The Strategic Picture of Superposition", "The Geometry of
Superposition" and the appendix on compressed sensing. The paper's: an L1 penalty is to
remove superposition; dimensionalities sum to at most m; the bound of Welch 1974; the limit
of sparse recovery, $-1 / (p \log p)$ up to a constant. Ours: all sizes and numbers, for it
gives none.
"""

from jsuper.experiments.bounds import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="An L1 penalty, and bounds on superposition",
    source='"The Strategic Picture of Superposition"',
    minutes=3.1,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

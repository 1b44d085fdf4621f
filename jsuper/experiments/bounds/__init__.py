r"""How much superposition pays, and how much of it there can be: four limits.

Elhage et al. 2022, "The Strategic Picture of Superposition", "The Geometry of
Superposition" and the appendix on compressed sensing. (a) An L1 penalty on the hidden
activations is to remove superposition, at a cost in loss. (b) Feature dimensionalities sum
to at most m, and to m when packed efficiently. (c) Interference stays above the bound of
Welch 1974. (d) By compressed sensing the features in m dimensions are at most linear in
m, by a factor that sparsity sets, $-1 / (p \log p)$ up to a constant.

The paper gives no sizes and no numbers for any of these; all are ours.
"""

from jsuper.experiments.bounds import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="An L1 penalty, and bounds on superposition",
    source='"The Strategic Picture of Superposition"',
    minutes=3.5,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

r"""Is superposition a phase change, and does theory say where it happens?

Elhage et al. 2022, "Superposition as a Phase Change": two features in one dimension, or
three in two, of which the last, the extra one, has the relative importance 0.1 to 10 and
all the density 1 to 0.01. Ten models are trained for each point; the paper drops the one
of highest loss and averages the rest. Theory compares solutions set by hand
(`jsuper.theory.phases`). The paper states no training settings and no number of points:
recipe and grid are ours, and so are the best of ten beside the paper's rule, losses by
quadrature, so that no model is chosen for a lucky sample, and sections along density. A
comment in the paper (by T. McGrath) reports a further phase of models without bias, which
are trained too.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.phase_change import figures, findings, train

EXPERIMENT = Experiment(
    title="Superposition as a phase change",
    source="Elhage et al. 2022, Superposition as a Phase Change",
    minutes=1.7,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

r"""Is superposition a phase change, and does theory say where it happens?

Elhage et al. 2022, "Superposition as a Phase Change": sizes, ranges, ten models for each
point and their average are the paper's, models without bias a comment's (T. McGrath).
Recipe and points are ours, and so are the best of ten, losses by quadrature, so that no
model is chosen for a lucky sample, and sections along density.
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

"""Is superposition a phase change, and does theory say where it happens?

Elhage et al. 2022, "Superposition as a Phase Change". The paper's: two features in one
dimension, three in two, ten models for each point without the worst; without bias, a
comment in it by T. McGrath. Ours: recipe, grid, sections along density, and the best of
ten by its exact loss, so that none is chosen for a lucky sample.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.phase_change import figures, findings, train

EXPERIMENT = Experiment(
    title="Superposition as a phase change",
    source="Elhage et al. 2022, Superposition as a Phase Change",
    minutes=1.4,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
    explored=figures.explored,
)

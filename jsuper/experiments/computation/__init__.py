"""Can neurons compute in superposition? Models that learn the absolute value.

Elhage et al. 2022, "Computation in Superposition" (`jsuper.ComputationModel`). The
paper's: three features in six neurons, and 100 in 40. ARENA's: size and density of the
model with the asymmetric motif. Ours: recipe and start of the weights; from the usual
start many features are learnt for one sign only.
"""

from jsuper.experiments.computation import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Computation in superposition",
    source="Elhage et al. 2022, Computation in Superposition",
    minutes=2.0,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

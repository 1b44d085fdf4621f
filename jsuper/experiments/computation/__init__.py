r"""Can neurons compute in superposition? Models that learn the absolute value.

Elhage et al. 2022, "Computation in Superposition": y = |x| of sparse features of either
sign, by one layer of ReLU neurons with untied weights (`jsuper.ComputationModel`). Three
features in six neurons show the mechanism, 100 features in 40 neurons how neurons become
polysemantic with sparsity, and ten features in ten neurons the "asymmetric" motif. The
paper states neither training settings nor the size and density of the last; for it we take
those of the ARENA course. Recipe and start of the weights are ours. The start matters:
from the usual one many features are learnt for one sign only.
"""

from jsuper.experiments.computation import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Computation in superposition",
    source="Elhage et al. 2022, Computation in Superposition",
    minutes=2.7,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

"""Does superposition make models vulnerable to adversarial examples?

Elhage et al. 2022, "Superposition and Adversarial Vulnerability": ReLU output models under
the analytic attack, beside one without superposition, and models trained under attack. The
paper's: the attack, 0.1 times the mean norm of the inputs. Ours: sizes, densities,
training, and which inputs that norm is taken over; both readings are measured.
"""

from jsuper.experiments.adversarial import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Superposition and adversarial vulnerability",
    source='"Superposition and Adversarial Vulnerability"',
    minutes=2.0,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

r"""Does superposition make models vulnerable to adversarial examples?

Elhage et al. 2022, "Superposition and Adversarial Vulnerability". The paper's: the
analytic attack, of 0.1 times the mean norm of the inputs. Ours: sizes, densities,
training, both readings of the mean norm, and the rise of a model without superposition,
$\epsilon^2 / n$.
"""

from jsuper.experiments.adversarial import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Superposition and adversarial vulnerability",
    source='"Superposition and Adversarial Vulnerability"',
    minutes=2.3,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

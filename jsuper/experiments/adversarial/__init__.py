r"""Does superposition make models vulnerable to adversarial examples?

Elhage et al. 2022, "Superposition and Adversarial Vulnerability". ReLU output models
over a sweep of densities, attacked with the paper's analytic attack of 0.1 times the mean
norm of the inputs. The rise of the loss is divided by that of a model without
superposition, which is exactly $\epsilon^2 / n$, and compared with the features per
dimension $1/D^*$. Then models are trained under attacks of growing size.

The paper states the attack, not the size of the models, the densities, the training or
which inputs the mean norm is taken over: both readings are measured.
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

"""Does ExReLU remove superposition, and is what it leaves out worse or not found?

Murphy and Qiao, "Toy Models of Superposition Review", section 3. The review's: five
features of importance 0.9^i in two dimensions, t = -0.25, ten sparsities, the official
notebook's optimizer. Ours: the other thresholds and densities, seeds, closed forms of the
antipodal pair (`jsuper.theory`), and starts from the pair and from ReLU's pentagon.
"""

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.exrelu import figures, findings, train

EXPERIMENT = Experiment(
    title="Does ExReLU remove superposition?",
    source='Murphy and Qiao, "Toy Models of Superposition Review", section 3',
    minutes=1.6,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
    explored=figures.explored,
)

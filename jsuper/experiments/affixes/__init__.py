"""Is superposition a cause of hallucination? A classifier of words with too few neurons.

Murphy and Qiao train one on words with one of five affixes ("pure") and test it on words
with two ("dual"), where either counts as correct. They state its kinds of layers, its two
hidden neurons and two accuracies; words, sizes, pooling, readout and training are ours.

Every model has a split of the stems, initial weights and batches of its own. Model i of a
variation has the split of model i of the models that it is compared with; where only steps,
pooling, marks, readout or balance differ, also their initial weights and draws.
"""

from jsuper.experiments.affixes import figures, findings, train
from jsuper.experiments.experiment import Experiment

EXPERIMENT = Experiment(
    title="Superposition as a cause of hallucination: words with two affixes",
    source='Murphy and Qiao, "Toy Models of Superposition Review", section 2',
    minutes=8.7,
    full=train.FULL,
    quick=train.QUICK,
    train=train.train,
    findings=findings.findings,
    figures=figures.figures,
)

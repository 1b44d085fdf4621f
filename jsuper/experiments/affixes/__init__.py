"""Is superposition a cause of hallucination? A classifier of words with too few neurons.

Murphy and Qiao, "Toy Models of Superposition Review", section 2: a classifier of characters
with two hidden neurons learns five affixes from words with one of them, and is then given
words with two, where either counts as correct. It reports one run: accuracy 0.9708 on test
words with one affix and 0.8651 on words with two. The review states an embedding, a
convolution, a hidden layer of two neurons and ReLU. Its words, sizes, pooling, readout and
training are not stated; all of them are ours, and some are varied here.

Beside the two numbers: do the errors go with more neurons, does the geometry of words with
one affix predict which affix is invented for two, what do ExReLU and dual words change?

A pure word has one affix, a dual word two. Every model has a split of the stems, initial
weights and batches of its own, so that a spread over models is one over all three. Model i
of a variation has the split of model i of the models that it is compared with; where only
steps, pooling, marks, readout or balance differ, also their initial weights and draws.
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

"""Is superposition a cause of hallucination? A classifier of words with too few neurons.

Murphy and Qiao, "Toy Models of Superposition Review", section 2. The review's: five
affixes, two hidden neurons, one run, with accuracy 0.9708 on words with one affix (here:
pure) and 0.8651 on words with two (dual). Ours: words, sizes, pooling, readout and
training, all of which it does not state. Every model has its own split of the stems,
weights and batches.
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

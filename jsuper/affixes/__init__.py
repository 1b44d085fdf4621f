"""Words with affixes, and a classifier of them: the hallucination experiment."""

from jsuper.affixes import evaluation, geometry
from jsuper.affixes.classifier import AffixClassifier, params_of
from jsuper.affixes.encoding import END, N_CHARACTERS, PAD, START, encode
from jsuper.affixes.spelling import attach, remove
from jsuper.affixes.tables import (
    NEUTRAL,
    PAIRS,
    clean_stems,
    compose,
    composed_words,
    lookalike_words,
    neutral_combinations,
    real_words,
)
from jsuper.affixes.task import AffixTask
from jsuper.affixes.words import AFFIXES, AffixDataset

__all__ = [
    "AFFIXES",
    "END",
    "NEUTRAL",
    "N_CHARACTERS",
    "PAD",
    "PAIRS",
    "START",
    "AffixClassifier",
    "AffixDataset",
    "AffixTask",
    "attach",
    "clean_stems",
    "compose",
    "composed_words",
    "encode",
    "evaluation",
    "geometry",
    "lookalike_words",
    "neutral_combinations",
    "params_of",
    "real_words",
    "remove",
]

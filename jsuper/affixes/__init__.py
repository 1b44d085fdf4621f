"""Words with affixes: the data of the hallucination experiment."""

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
from jsuper.affixes.words import AFFIXES, AffixDataset

__all__ = [
    "AFFIXES",
    "END",
    "NEUTRAL",
    "N_CHARACTERS",
    "PAD",
    "PAIRS",
    "START",
    "AffixDataset",
    "attach",
    "clean_stems",
    "compose",
    "composed_words",
    "encode",
    "lookalike_words",
    "neutral_combinations",
    "real_words",
    "remove",
]

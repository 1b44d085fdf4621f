"""Experiments of the paper, its follow-ups and the review, a folder for each."""

import importlib

from jsuper.experiments.experiment import Experiment
from jsuper.experiments.findings import Case, Finding

NAMES = (
    "introduction",
    "demonstration",
    "phase-change",
    "uniform",
    "non-uniform",
    "correlated",
    "learning-dynamics",
    "adversarial",
    "privileged-basis",
    "computation",
    "bounds",
    "k-gons",
    "capacity",
    "two-features",
    "exrelu",
    "collisions",
    "activations",
    "affixes",
)
"""Names of all experiments: in the order of the paper, then follow-ups and the review."""


def find(name: str) -> Experiment:
    """Returns an experiment by its name, such as ``phase-change``.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in NAMES:
        raise ValueError(f"experiment must be one of {', '.join(NAMES)}, got {name!r}")
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").EXPERIMENT


__all__ = ["NAMES", "Case", "Experiment", "Finding", "find"]

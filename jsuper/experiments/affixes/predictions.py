"""What the geometry of pure words predicts of dual ones, as findings.

The rules are written as in `jsuper.experiments.affixes.findings`.
"""

from collections.abc import Callable, Mapping

import numpy as np

from jsuper.experiments.affixes.causes import additivity, causes
from jsuper.experiments.affixes.corpus import STACKED
from jsuper.experiments.affixes.measures import Triple
from jsuper.experiments.affixes.statistics import (
    LISTS,
    UNSTACKED,
    Fits,
    cases,
    every,
    percent,
)
from jsuper.experiments.outcome import Finding


def displacements_add(fits: Fits) -> Finding:
    """Yes if R² of the six pairs is above 0.8 in the median model of both kinds.

    With weights for the two places that other models' dual words teach, for comparison.
    """
    texts, good = [], []
    for name, ds in cases(fits, "composed").items():
        six, stacked = additivity(ds, UNSTACKED), additivity(ds, np.flatnonzero(STACKED))
        c = causes(ds)
        texts.append(
            f"{name}: R² {six[0]:.3f}, cosine {six[1]:.2f} in the median model for the six "
            f"pairs, {stacked[0]:.2f} and {stacked[1]:.2f} for stacked ones; the answer is "
            f"the class at the sum {percent(c['answer'])}, at the sum with weights that "
            f"other models teach {percent(c['weighted'])}, the commonest answer of other "
            f"models {percent(c['answer commonest'])}"
        )
        good.append(six[0] > 0.8)
    for name, ds in cases(fits, "real").items():
        c = causes(ds)
        texts.append(
            f"{name}: at the sum {percent(c['answer'])}, commonest "
            f"{percent(c['answer commonest'])}"
        )
    return Finding(
        "displacements add: on average a pair's words lie at the sum of two",
        "; ".join(texts),
        every(good),
    )


def by_cases(fits: Fits, text: Callable[[dict], str], holds: Callable) -> tuple[str, bool]:
    """The text for all pairs and for the six unstacked, and what composed words say."""
    texts, good = [], []
    for name, ds in cases(fits, *LISTS).items():
        found, six = causes(ds), causes(ds, UNSTACKED)
        texts.append(f"{name}: {text(found)} [six pairs: {text(six)}]")
        if name.startswith("composed"):
            good.append(holds(found))
    return "; ".join(texts), every(good)


def baselines(c: Mapping[str, Triple], name: str, *others: str) -> str:
    """A value with what guesses without this model's geometry give."""
    if np.isnan(c[name][0]):
        return "nothing to predict"
    rest = ", ".join(f"{other} {100 * c[f'{name} {other}'][0]:.0f}%" for other in others)
    return f"{percent(c[name])} ({rest})"


def errs_in_a_third_region(fits: Fits) -> Finding:
    """Yes if more words are wrong there."""
    measured, holds = by_cases(
        fits,
        lambda c: (
            f"{percent(c['error, foreign region'])} wrong there, "
            f"{percent(c['error, own region'])} elsewhere"
        ),
        lambda c: c["error, foreign region"][1] > c["error, own region"][2],
    )
    return Finding(
        "a model errs where the sum lies in a third class's region", measured, holds
    )


def nearest_third(fits: Fits) -> Finding:
    """Yes if it is so more often than by any guess without this model's geometry."""
    others = ("shuffled", "another model", "commonest")
    measured, holds = by_cases(
        fits,
        lambda c: baselines(c, "invented", *others),
        lambda c: all(c["invented"][1] > c[f"invented {o}"][2] for o in others),
    )
    return Finding(
        "which wrong affix is invented: the nearest third class at that sum (chance 33%)",
        measured,
        holds,
    )


def adjacent_is_better(fits: Fits) -> Finding:
    """Yes if the difference is above 0."""
    measured, holds = by_cases(
        fits,
        lambda c: (
            f"{percent(c['accuracy, adjacent'])} against {percent(c['accuracy, apart'])}, "
            f"random order {100 * c['adjacent - apart shuffled'][0]:+.0f} points"
        ),
        lambda c: c["adjacent - apart"][1] > 0,
    )
    return Finding(
        "pairs adjacent on the circle are answered better than pairs apart", measured, holds
    )


def the_class_between(fits: Fits) -> Finding:
    """Yes if it is so more often than on random circles and those of other models."""
    others = ("shuffled", "another model")
    measured, holds = by_cases(
        fits,
        lambda c: baselines(c, "between", *others),
        lambda c: all(c["between"][1] > c[f"between {o}"][2] for o in others),
    )
    return Finding(
        "wrong answers to pairs apart on the circle are the class between them "
        "(chance 33%)",
        measured,
        holds,
    )

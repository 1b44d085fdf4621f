"""What the geometry of pure words predicts of dual ones, as findings."""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from jsuper.experiments.affixes import causes
from jsuper.experiments.affixes.corpus import STACKED
from jsuper.experiments.affixes.statistics import (
    ALL,
    LISTS,
    UNSTACKED,
    Fits,
    case,
    enough,
    every,
    interval,
)
from jsuper.experiments.findings import Case, Finding


def told(
    fits: Fits,
    results: Callable[..., causes.Results],
    names: dict[str, str],
    holds: Callable[[causes.Results], bool],
) -> tuple[list[Case], bool]:
    """Results as cases, and whether a rule holds for composed words of both activations.

    Args:
        fits: Measured models.
        results: A function of `causes`, of models and pairs.
        names: Names of results, and what they are called.
        holds: The rule, for all pairs.
    """
    cases, good = [], []
    for suffix, pairs in (("", ALL), (", six pairs", UNSTACKED)):
        for kind, ds in enough(fits, *LISTS).items():
            found = results(ds, pairs)
            cases += [
                case(f"{kind}{suffix}", called, found[name])
                for name, called in names.items()
                if found[name].n and not np.isnan(found[name].value)
            ]
            if kind.startswith("composed") and not suffix:
                good.append(holds(found))
    return cases, every(good)


def beats(name: str, baselines: Sequence[str]) -> Callable[[causes.Results], bool]:
    """A rule: a value is above all that guesses without this model's geometry give."""
    return lambda found: all(
        found[name].low > found[f"{name} {baseline}"].high for baseline in baselines
    )


def adjacent_is_better(fits: Fits) -> Finding:
    """Whether neighbours on the circle of directions do not disturb each other."""
    cases, agrees = told(
        fits,
        causes.circle,
        {
            "accuracy, adjacent": "adjacent",
            "accuracy, apart": "apart",
            "adjacent - apart": "difference",
            "adjacent - apart shuffled": "difference in random order",
        },
        lambda found: found["adjacent - apart"].low > 0,
    )
    return Finding(
        "of pairs adjacent on the circle more words are correct than of pairs apart",
        cases,
        "the difference is above 0 by more than its interval",
        agrees,
        "ours",
    )


def the_class_between(fits: Fits) -> Finding:
    """Whether the order on the circle tells which affix is invented."""
    cases, agrees = told(
        fits,
        causes.circle,
        {
            "between": "between",
            "between shuffled": "in random order",
            "between another model": "on another model's circle",
        },
        beats("between", ("shuffled", "another model")),
    )
    return Finding(
        "incorrect predictions for pairs apart on the circle are the class between them "
        "(chance 33%)",
        cases,
        "more often than on random circles and those of other models, intervals apart",
        agrees,
        "ours",
    )


def errs_in_a_third_region(fits: Fits) -> Finding:
    """Whether the sum of two displacements tells which words are incorrect."""
    cases, agrees = told(
        fits,
        causes.regions,
        {"error, foreign region": "there", "error, own region": "elsewhere"},
        lambda found: found["error, foreign region"].low > found["error, own region"].high,
    )
    return Finding(
        "words are incorrect where the sum lies in a third class's region",
        cases,
        "more than elsewhere, intervals apart",
        agrees,
        "ours",
    )


def nearest_third(fits: Fits) -> Finding:
    """Whether the sum of two displacements tells which affix is invented."""
    cases, agrees = told(
        fits,
        causes.inventions,
        {
            "invented": "nearest third",
            "invented shuffled": "in random order",
            "invented another model": "of another model",
            "invented most frequent": "most frequent incorrect prediction of the others",
        },
        beats("invented", ("shuffled", "another model", "most frequent")),
    )
    return Finding(
        "which incorrect affix is invented: the nearest third class at that sum (chance "
        "33%)",
        cases,
        "more often than by any guess without this model's geometry, intervals apart",
        agrees,
        "ours",
    )


def displacements_add(fits: Fits) -> Finding:
    """Whether a pair's words lie where the displacements of its affixes add up to.

    With weights for the two places that other models' dual words teach, for comparison.
    """
    cases, others, good = [], [], []
    for kind, ds in enough(fits, "composed").items():
        for label, pairs in (
            ("six pairs", UNSTACKED),
            ("stacked", np.flatnonzero(STACKED)),
        ):
            where = f"{kind}, {label}"
            r2, cosine = (interval(np.median, v) for v in causes.additivity(ds, pairs))
            if label == "six pairs":
                good.append(r2.value > 0.8)
            (cases if label == "six pairs" else others).append(case(where, "R²", r2, ""))
            others.append(case(where, "cosine", cosine, ""))
    for kind, ds in enough(fits, *LISTS).items():
        others += _at_the_sum(kind, ds)
    return Finding(
        "displacements add: on average a pair's words lie at the sum of two",
        [*cases, *others],
        "R² of the six pairs is above 0.8 in the median model of both activations",
        every(good),
        "ours",
    )


def _at_the_sum(kind: str, ds: xr.Dataset) -> list[Case]:
    """How often the class at the sum is predicted, beside a guess without geometry."""
    found = causes.answers(ds)
    names = {
        "answer": "class at the sum",
        "weighted": "class at the sum with weights",
        "answer most frequent": "most frequent prediction of other models",
    }
    return [
        case(f"{kind}, predicted", called, found[name])
        for name, called in names.items()
        if name in found and (name != "weighted" or kind.startswith("composed"))
    ]

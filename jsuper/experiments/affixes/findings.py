"""What the review states of words with two affixes, and what we hold, beside the models.

One function for each finding. Where nothing else is said, a rule is about composed words,
whose labels are exact, and two rates differ if their 95% intervals do not overlap.
"""

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr
from scipy.optimize import root_scalar
from scipy.special import comb

from jsuper import files
from jsuper.affixes.evaluation import chance_corrected
from jsuper.experiments.affixes import predictions, remedies, width
from jsuper.experiments.affixes.statistics import (
    CHANCE_DUAL,
    CHANCE_PURE,
    LINEAR,
    LISTS,
    NAMES,
    RELU,
    Fits,
    case,
    drop,
    dual_accuracy,
    enough,
    every,
    interval,
    kinds,
    learned,
    mean,
    share_below,
)
from jsuper.experiments.findings import Case, Finding

REVIEW_PURE, REVIEW_DUAL = 0.9708, 0.8651
REVIEW = "the review"
CHOICES = {
    "few_stems": ("few stems", RELU),
    "more_steps": ("more steps", RELU),
    "mean_pooling": ("mean pooling", RELU),
    "unmarked_start": ("start not marked", RELU, LINEAR),
    "relu_toy_readout": ("toy readout", RELU),
    "real_balanced": ("real, balanced", RELU, LINEAR),
}
"""By name of the models a description and activations."""


def findings(models: xr.DataTree) -> list[Finding]:
    """All findings: those on the review's statements, then those on ours."""
    fits = files.datasets(models)
    return [rule(fits) for rule in rules(fits)]


def rules(fits: Mapping[str, xr.Dataset]) -> list[Callable[[Fits], Finding]]:
    """Returns the rules that the models suffice for."""
    whole = "dual_share" in fits
    return [
        pure_number,
        dual_number,
        accuracy_drops,
        no_pentagon,
        *([choices_matter_little] if whole else []),
        width.goes_away_with_width,
        *([width.active_neurons] if whole else []),
        width.not_for_want_of_practice,
        width.a_label_is_lost,
        predictions.adjacent_is_better,
        predictions.the_class_between,
        predictions.errs_in_a_third_region,
        predictions.nearest_third,
        predictions.displacements_add,
        *(remedies.RULES if whole else []),
    ]


def pure_number(fits: Fits) -> Finding:
    """The review's accuracy on words with one affix."""
    stated = f"accuracy {REVIEW_PURE} on pure test words (one run)"
    return of_the_review(fits, stated, REVIEW_PURE, lambda ds: ds["pure_accuracy"])


def dual_number(fits: Fits) -> Finding:
    """The review's accuracy on words with two affixes."""
    stated = f"accuracy {REVIEW_DUAL} on dual words (one run)"
    return of_the_review(fits, stated, REVIEW_DUAL, dual_accuracy)


def of_the_review(
    fits: Fits,
    stated: str,
    number: float,
    accuracy: Callable[[xr.Dataset], xr.DataArray],
) -> Finding:
    """Whether one of the review's numbers could be that of one of these models."""
    below, spreads, of_all, inside = [], [], [], []
    # Few stems are a variation, and so not part of the rule.
    for name, label in (
        ("composed", "composed"),
        ("real", "real"),
        ("few_stems", "few stems"),
    ):
        if name not in fits:
            continue
        ds = fits[name].sel(threshold=RELU)
        passing = accuracy(learned(ds))
        below_here = share_below(passing, number)
        below.append(case(f"{label}, ReLU", "models below it", below_here))
        spreads += spread(f"{label}, ReLU", passing)
        where = f"{label}, ReLU, with those that have not learned the task"
        everyone = share_below(accuracy(ds), number)
        of_all.append(case(where, "models below it", everyone))
        of_all += spread(where, accuracy(ds))
        if name in LISTS:
            inside.append(0.025 <= below_here.value <= 0.975)
    return Finding(
        stated,
        [*below, *spreads, *of_all],
        "in the middle 95% of the ReLU models that have learned their task, on either list",
        any(inside),
        REVIEW,
    )


def spread(where: str, values: xr.DataArray) -> list[Case]:
    """Mean, range and standard deviation over models."""
    v = values.dropna("split").values
    n = len(v)
    if n < 2:
        return []
    return [
        Case(
            where,
            "accuracy",
            float(v.mean()),
            float(v.min()),
            float(v.max()),
            n,
            interval="range over models",
        ),
        Case(where, "standard deviation", float(v.std(ddof=1)), n=n),
    ]


def accuracy_drops(fits: Fits) -> Finding:
    """Whether accuracy above chance is lower on dual words."""
    pure = float(chance_corrected(REVIEW_PURE, CHANCE_PURE))
    dual = float(chance_corrected(REVIEW_DUAL, CHANCE_DUAL))
    drops, levels, others = [], [], []
    everything = kinds(fits, *LISTS)
    for name, ds in enough(fits, *LISTS).items():
        drops.append(case(name, "drop", mean(drop(ds))))
        for words, accuracy, chance in (
            ("pure", ds["pure_accuracy"], CHANCE_PURE),
            ("dual", dual_accuracy(ds), CHANCE_DUAL),
        ):
            above = mean(accuracy.copy(data=chance_corrected(accuracy.values, chance)))
            levels.append(case(name, f"{words} words above chance", above, ""))
        everyone, less = mean(drop(everything[name])), share_below(drop(ds), pure - dual)
        others += [
            case(name, "drop less than in the review", less),
            case(name, "drop with those that have not learned", everyone),
        ]
    return Finding(
        f"accuracy above chance drops on dual words ({pure:.3f} to {dual:.3f}, a "
        f"drop of {pure - dual:.0%})",
        [*drops, *levels, *others],
        "the drop is above 0 by more than its interval, on both word lists",
        every(found.low > 0 for found in drops),
        REVIEW,
    )


def no_pentagon(fits: Fits) -> Finding:
    """Whether the directions of the five affixes are far from evenly spaced."""
    gaps = {name: ds["largest_gap"] for name, ds in enough(fits, "composed").items()}
    wide, medians = [], []
    for name in sorted(gaps, key=lambda name: "ReLU" not in name):
        gap = gaps[name]
        wide.append(case(name, "above 90°", mean(gap > 90)))
        medians.append(case(name, "median gap", interval(np.median, gap.values), "°"))
    return Finding(
        "the five affixes of a model that encodes them form no regular pentagon (largest "
        "angle between neighbours)",
        [
            *wide,
            *medians,
            Case("pentagon", "gap", 72, unit="°"),
            Case("five random directions", "median gap", random_gap(5), unit="°"),
        ],
        "more than half of the ReLU models have a gap of more than 90°",
        "composed, ReLU" in gaps and wide[0].value > 0.5,
        REVIEW,
    )


def random_gap(n: int) -> float:
    """Returns the median of the largest angle between n random directions, in degrees."""

    def probability(share):
        """That no gap is wider (Stevens 1939, covering the circle by arcs)."""
        k = np.arange(n + 1)
        covered = np.maximum(1 - k * share, 0) ** (n - 1)
        return ((-1.0) ** k * comb(n, k) * covered).sum()

    middle = root_scalar(lambda share: probability(share) - 0.5, bracket=(1 / n, 1))
    return 360 * float(middle.root)


def choices_matter_little(fits: Fits) -> Finding:
    """Whether no choice shifts the accuracy on dual words by more than the seeds do.

    Model by model: those that have learned their task with and without the change.
    """
    shifts, others, little = [], [], []
    for name, (label, *thresholds) in CHOICES.items():
        for threshold in thresholds:
            changed = fits[name].sel(threshold=threshold)
            base = fits["real" if name.startswith("real") else "composed"]
            base = base.sel(threshold=threshold)
            same = base.sel(split=changed["split"])
            both = changed["passes"] & same["passes"]
            shift = mean((dual_accuracy(changed) - dual_accuracy(same)).where(both))
            gated = dual_accuracy(learned(base))
            sd = float(gated.std(ddof=1))
            little.append(abs(shift.value) < sd)
            where = f"{label}, {NAMES[threshold]}"
            shifts.append(case(where, "shift", shift))
            others += [
                Case(where, "standard deviation", sd, n=gated.size, unit="%"),
                case(where, "learned the task", mean(changed["passes"])),
                case(where, "learned it without", mean(same["passes"])),
            ]
    shifts.sort(key=lambda found: -abs(np.nan_to_num(found.value)))
    return Finding(
        "what the review does not state moves the accuracy on dual words by less than the "
        "seed does",
        [*shifts, *others],
        "no choice shifts the mean by more than a standard deviation over models",
        all(little),
        "ours",
    )

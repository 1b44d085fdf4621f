"""What the review states of words with two affixes, and what we hold, beside the models.

Where nothing else is said, a rule is about composed words, whose labels are exact, and two
rates differ if their 95% intervals do not overlap.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import numpy as np
import xarray as xr

from jsuper import files
from jsuper.affixes import geometry
from jsuper.affixes.evaluation import chance_corrected
from jsuper.experiments.affixes import rates
from jsuper.experiments.affixes.corpus import PAIR_NAMES, STACKED
from jsuper.experiments.affixes.rates import FEWEST, LINEAR, LISTS, NAMES, RELU, SIX, Fits
from jsuper.experiments.findings import Case, Finding, told_first
from jsuper.results.statistics import Interval, interval

REVIEW_PURE, REVIEW_DUAL = 0.9708, 0.8651
CHOICES = {
    "few_stems": ("few stems", RELU),
    "more_steps": ("more steps", RELU),
    "mean_pooling": ("mean pooling", RELU),
    "unmarked_start": ("start not marked", RELU, LINEAR),
    "relu_toy_readout": ("toy readout", RELU),
    "real_balanced": ("real, balanced", RELU, LINEAR),
}
"""By name of the models a description and activations."""

NESS = [n for n, s in zip(PAIR_NAMES, STACKED, strict=True) if s and "-ness" in n]
COMPARED: dict[str, tuple[list[str], list[str]]] = {
    "six pairs": (SIX, ["second", "first"]),
    "before -ness, outer kept": (NESS, ["second"]),
    "un-re-, outer kept": (["un- re-"], ["second"]),
    "all stacked, inner kept": ([*NESS, "un- re-"], ["first"]),
}
"""Pairs, and which of the two affixes their controls keep."""

Rates = Mapping[str, Interval]
mean = partial(interval, np.mean)


def findings(models: xr.DataTree) -> list[Finding]:
    """All findings: those on the review's statements, then those on ours."""
    fits = files.datasets(models)
    return [rule(fits) for rule in rules(fits).values()]


def rules(fits: Fits) -> dict[str, Callable[[Fits], Finding]]:
    """Returns the rules that the models suffice for: the quick ones lack variations."""
    whole = "dual_share" in fits
    return {name: rule for name, rule in RULES.items() if whole or name not in VARIED}


def every(verdicts: Iterable[bool]) -> bool:
    """Whether there are any, and all of them yes: no models agree to nothing."""
    known = list(verdicts)
    return bool(known) and all(known)


def told(where: str, found: Rates, unit: str = "%") -> list[Case]:
    """Returns statistics as cases, those that there are."""
    return [
        Case.of(where, quantity, value, unit)
        for quantity, value in found.items()
        if not np.isnan(value.value)
    ]


def of_the_review(
    fits: Fits,
    words: str,
    number: float,
    accuracy: Callable[[xr.Dataset], xr.DataArray],
) -> Finding:
    """Whether one of the review's numbers could be that of one of these models."""
    below, others, inside = [], [], []
    # Few stems are a variation, and so not part of the rule.
    for name in (*LISTS, *({"few_stems"} & set(fits))):
        ds, where = fits[name].sel(threshold=RELU), f"{name.replace('_', ' ')}, ReLU"
        values = accuracy(rates.learned(ds))
        below.append(Case.mean(where, "models below it", values < number, "%"))
        if values.size > 1:
            others.append(Case.spread(where, "accuracy", values, "models"))
            sd = float(values.std(ddof=1))
            others.append(Case(where, "standard deviation", sd, n=values.size))
        where += ", with those that have not learned the task"
        others.append(Case.mean(where, "models below it", accuracy(ds) < number, "%"))
        if name in LISTS:
            inside.append(0.025 <= below[-1].value <= 0.975)
    return Finding(
        f"accuracy {number} on {words} (one run)",
        [*below, *others],
        "in the middle 95% of the ReLU models that have learned the task, on either list",
        any(inside),
        "the review",
    )


def accuracy_drops(fits: Fits) -> Finding:
    """Whether accuracy above chance is lower on dual words."""
    review = (
        float(chance_corrected(REVIEW_PURE, rates.CHANCE_PURE)),
        float(chance_corrected(REVIEW_DUAL, rates.CHANCE_DUAL)),
    )
    less = review[0] - review[1]
    drops, others = [], []
    for name, ds in rates.kinds(fits).items():
        drop, (pure, dual) = rates.drop(ds), rates.above_chance(ds)
        drops += told(name, {"drop": mean(drop)})
        others += told(
            name,
            {
                "pure words above chance": mean(pure),
                "dual words above chance": mean(dual),
                "drop less than in the review": mean(drop < less),
            },
        )
    for words in LISTS:
        ds = fits[words].sel(threshold=RELU)
        failed = rates.drop(ds).where(~ds["learned"])
        others += told(f"{words}, ReLU, task not learned", {"drop": mean(failed)})
    return Finding(
        f"accuracy above chance drops on dual words ({review[0]:.3f} to {review[1]:.3f}, "
        f"a drop of {less:.0%})",
        [*drops, *others],
        "the drop is above 0 by more than its interval, on both word lists",
        every(found.low > 0 for found in drops),
        "the review",
    )


def no_pentagon(fits: Fits) -> Finding:
    """Whether the directions of the five affixes are far from evenly spaced."""
    wide, medians = [], []
    for name, ds in rates.kinds(fits, ("composed",)).items():
        gap = ds["largest_gap"].values
        wide += told(name, {"above 90°": mean(gap > 90)})
        medians += told(name, {"median gap": interval(np.median, gap)}, "°")
    wide = told_first(wide, "composed, ReLU")
    of_random = Case("random directions", "median gap", geometry.random_gap(5), unit="°")
    return Finding(
        "the five affixes of a model that encodes them form no regular pentagon (largest "
        "angle between neighbours)",
        [*wide, *medians, Case("pentagon", "gap", 72, unit="°"), of_random],
        "more than half of the ReLU models have a gap of more than 90°",
        any(case.value > 0.5 for case in wide if case.where == "composed, ReLU"),
        "the review",
    )


def choices_matter_little(fits: Fits) -> Finding:
    """Whether no choice shifts the accuracy on dual words by more than the seeds do.

    Model by model: those that have learned the task with and without the change.
    """
    shifts, others, little = [], [], []
    for name, (label, *thresholds) in CHOICES.items():
        for threshold in thresholds:
            changed = fits[name].sel(threshold=threshold)
            base = fits["real" if name.startswith("real") else "composed"]
            base = base.sel(threshold=threshold)
            same = base.sel(seed=changed["seed"])
            shift = rates.dual_accuracy(changed) - rates.dual_accuracy(same)
            shift = shift.where(changed["learned"] & same["learned"])
            accuracy = rates.dual_accuracy(rates.learned(base))
            sd = float(accuracy.std(ddof=1))
            where = f"{label}, {NAMES[threshold]}"
            shifts.append(Case.mean(where, "shift", shift, "%"))
            little.append(abs(shifts[-1].value) < sd)
            others += [
                Case(where, "standard deviation", sd, n=accuracy.size, unit="%"),
                Case.mean(where, "learned the task", changed["learned"], "%"),
                Case.mean(where, "learned it without", same["learned"], "%"),
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


def goes_away_with_width(fits: Fits) -> Finding:
    """Whether the interference rate falls with the number of neurons."""
    cases, good = [], []
    for words, (threshold, name) in itertools.product(LISTS, NAMES.items()):
        found = {
            width: rates.interference(rates.learned(ds.sel(threshold=threshold)))
            for width, ds in rates.widths(fits, words).items()
        }
        order = sorted(found, key=lambda width: (width != 2, width != 16, width))
        by_width = {f"h = {width}": found[width] for width in order}
        cases += told(f"{words}, {name}", by_width)
        if 16 in found:
            good.append(found[16].high < found[2].low / 2)
    composed, real = (rates.learned(fits[words].sel(threshold=LINEAR)) for words in LISTS)
    same = rates.with_pairs_of(composed, real)
    where = "composed words with the pairs of the real ones, linear"
    return Finding(
        "incorrect dual words, of stems whose two words with one affix are both correct, "
        "go away with width",
        [*cases, Case.of(where, "h = 2", same, "%")],
        "the rate at h = 16 is below half of that at h = 2, by the ends of intervals",
        every(good),
        "ours",
    )


def active_neurons(fits: Fits) -> Finding:
    """Whether it is the number of active neurons that counts."""
    cases, found = [], {}
    for words, width in itertools.product(LISTS, (3, 5)):
        ds = rates.learned(rates.widths(fits, words)[width].sel(threshold=RELU))
        for active in range(2, width + 1):
            part = ds.isel(seed=np.flatnonzero(ds["active"].values == active))
            if part.sizes["seed"] >= FEWEST:
                one = found[words, width, active] = rates.interference(part)
                cases.append(Case.of(f"{words}, h = {width}", f"{active} active", one, "%"))
    two, three = (found.get(("composed", 3, active)) for active in (2, 3))
    return Finding(
        "of ReLU layers those with more active neurons have a lower interference rate",
        cases,
        "at h = 3 the rate with three active is below that with two, intervals apart",
        two is not None and three is not None and three.high < two.low,
        "ours",
    )


def not_for_want_of_practice(fits: Fits) -> Finding:
    """Whether words with a neutral affix in the place of one of the two are easier.

    Of stacked pairs those controls count that keep the outer affix, which alone would be
    correct. An inner one is hard to see behind any outer affix.
    """
    cases, good = [], []
    for name, ds in rates.kinds(fits).items():
        for label, (pairs, kept) in COMPARED.items():
            part = ds.sel(pair=pairs, kept=kept)
            dual = rates.interference(part)
            control = rates.rate(part["control_incorrect"], part["control_stems"])
            cases += told(f"{name}, {label}", {"dual": dual, "control": control})
            if name.startswith("composed") and pairs in (SIX, NESS):
                good.append(dual.low > control.high)
    return Finding(
        "it is not for want of practice with long words: fewer words with a neutral affix "
        "in the place of one of the two are incorrect",
        cases,
        "fewer of the controls, intervals apart, of the six pairs and of -able and -ful "
        "before -ness with the outer affix kept",
        every(good),
        "ours",
    )


def a_label_is_lost(fits: Fits) -> Finding:
    """Whether narrow layers lose the second label of words that count as correct."""
    narrow = {name: rates.both_top(ds, "correct") for name, ds in rates.kinds(fits).items()}
    wide = rates.both_top(rates.learned(fits["width_16"].sel(threshold=LINEAR)), "correct")
    found = narrow | {"composed, linear, h = 16": wide}
    cases = [Case.of(name, "both top two", one, "%") for name, one in found.items()]
    return Finding(
        "counting either label hides lost ones: of the dual words that are correct, only "
        "some have both affixes as the top two (chance 25%)",
        [*cases[:1], cases[-1], *cases[1:-1]],
        "fewer than with 16 linear neurons, intervals apart",
        every(one.high < wide.low for one in narrow.values()),
        "ours",
    )


def by_geometry(
    fits: Fits,
    stated: str,
    rule: str,
    of_kind: Callable[[xr.Dataset], Rates],
    holds: Callable[[Rates], bool],
) -> Finding:
    """A finding whose rule must hold for composed words with both activations."""
    found = {name: of_kind(ds) for name, ds in rates.kinds(fits).items()}
    cases = [case for name, one in found.items() for case in told(name, one)]
    composed = (holds(one) for name, one in found.items() if name.startswith("composed"))
    return Finding(stated, cases, rule, every(composed), "ours")


def beats_all(found: Rates) -> bool:
    """Whether the first rate is above all others, intervals apart."""
    first, *others = found.values()
    return all(first.low > other.high for other in others)


def displacements_add(fits: Fits) -> Finding:
    """Whether a pair's words lie where the displacements of its affixes add up to."""
    cases = {"six pairs": [], "stacked": []}
    for name, ds in rates.kinds(fits, ("composed",)).items():
        for label, pairs in (("six pairs", SIX), ("stacked", [*NESS, "un- re-"])):
            r2 = rates.additivity(ds.sel(pair=pairs))
            where = f"{name}, {label}"
            cases[label] += Case.each(r2, "R²", where=where, statistic=np.median)
    at_sum = {name: rates.guessed(ds, "at_sum") for name, ds in rates.kinds(fits).items()}
    others = [told(f"{name}, predicted", found) for name, found in at_sum.items()]
    return Finding(
        "displacements add: on average a pair's words lie at the sum of two",
        [*cases["six pairs"], *cases["stacked"], *itertools.chain(*others)],
        "R² of the six pairs is above 0.8 in the median model of both activations",
        every(case.value > 0.8 for case in cases["six pairs"]),
        "ours",
    )


HALVED = "interference with the largest share is below half of that without, by intervals"


def pure_accuracy(ds: xr.Dataset) -> Interval:
    """Returns the mean accuracy on pure words."""
    return mean(ds["pure_accuracy"])


def by_share(
    where: str,
    cells: Mapping[float, xr.Dataset],
    measured: Callable[[xr.Dataset], Interval],
) -> tuple[list[Case], bool]:
    """Rates by share of dual words, and whether the largest share halves them.

    The cases begin without dual words, then comes the largest share.
    """
    found = {share: measured(rates.learned(ds)) for share, ds in cells.items()}
    order = sorted(found, key=lambda share: (share > 0, -share))
    cases = [Case.of(where, f"{share:.0%} dual", found[share], "%") for share in order]
    return cases, found[max(found)].high < found[0].low / 2


def dual_words_repair(fits: Fits) -> Finding:
    """Whether training on dual words repairs two neurons."""
    cells = {words: rates.by_value(fits, words, "dual_share") for words in LISTS}
    composed, repaired = by_share("composed", cells["composed"], rates.interference)
    cases = [*composed, *by_share("real", cells["real"], rates.interference)[0]]
    for words, of_list in cells.items():
        cases += by_share(f"{words}, both affixes top two", of_list, rates.both_top)[0]
        cases += by_share(f"{words}, pure accuracy", of_list, pure_accuracy)[0]
    stated = "dual words in training repair it"
    return Finding(stated, cases, f"{HALVED}, on composed words", repaired, "ours")


def repairs_few_pairs(fits: Fits) -> Finding:
    """Whether it does with the pairs of real words in training and in the rate."""
    real = rates.learned(fits["real"].sel(threshold=LINEAR))
    cells, where = (
        rates.by_value(fits, "composed", "dual_share_few_pairs"),
        "pairs as in real words",
    )
    some, repaired = by_share(where, cells, lambda ds: rates.with_pairs_of(ds, real))
    alike, all_repaired = by_share("all pairs alike", cells, rates.interference)
    pure, _ = by_share(f"{where}, pure accuracy", cells, pure_accuracy)
    return Finding(
        "dual words in training repair it if most of them have one of a few pairs",
        [*some, *alike, *pure],
        f"{HALVED}, with the pairs of real words and not with all pairs alike",
        repaired and not all_repaired,
        "ours",
    )


def of_thresholds(fits: Fits, stated: str, variation: str) -> Finding:
    """Whether a threshold interferes less than ReLU on composed words."""
    first, others, found = [], [], {}
    for words in LISTS:
        cells = rates.by_value(fits, words, variation)
        for t in sorted(cells, key=lambda t: (t != RELU, abs(t))):
            at = f"t = {t:g}".replace("-", "−") if np.isfinite(t) and t else NAMES[t]
            ds, where = cells[t], f"{words}, {at}"
            lost = (ds["recall"] < 0.5).sum("affix")
            others.append(Case.mean(where, "learn the task", ds["learned"], "%"))
            others.append(Case.mean(where, "affixes lost", lost))
            ds = rates.learned(ds)
            if ds.sizes["seed"] >= FEWEST:
                rate = found[words, t] = rates.interference(ds)
                first.append(Case.of(f"{words}, interference", at, rate, "%"))
    composed = {t: rate for (words, t), rate in found.items() if words == "composed"}
    relu = composed.pop(RELU, None)
    return Finding(
        stated,
        [*first, *others],
        "interference at some threshold is below that at 0, intervals apart, composed "
        f"words, where {FEWEST} models or more have learned the task",
        relu is not None and any(rate.high < relu.low for rate in composed.values()),
        "ours",
    )


RULES: dict[str, Callable[[Fits], Finding]] = {
    "pure number": partial(
        of_the_review,
        words="pure test words",
        number=REVIEW_PURE,
        accuracy=lambda ds: ds["pure_accuracy"],
    ),
    "dual number": partial(
        of_the_review, words="dual words", number=REVIEW_DUAL, accuracy=rates.dual_accuracy
    ),
    "drop": accuracy_drops,
    "no pentagon": no_pentagon,
    "choices": choices_matter_little,
    "width": goes_away_with_width,
    "active neurons": active_neurons,
    "practice": not_for_want_of_practice,
    "lost labels": a_label_is_lost,
    "adjacent": partial(
        by_geometry,
        stated="of pairs adjacent on the circle more words are correct than of pairs apart",
        rule="the difference is above 0 by more than its interval",
        of_kind=rates.by_neighbourhood,
        holds=lambda found: found["difference"].low > 0,
    ),
    "class between": partial(
        by_geometry,
        stated="incorrect predictions for pairs apart on the circle are the class between "
        "them (chance 33%)",
        rule="more often than on random circles and those of other models, intervals apart",
        of_kind=partial(rates.guessed, name="between"),
        holds=beats_all,
    ),
    "foreign region": partial(
        by_geometry,
        stated="words are incorrect where the sum lies in a third class's region",
        rule="more than elsewhere, intervals apart",
        of_kind=rates.by_region,
        holds=beats_all,
    ),
    "nearest third class": partial(
        by_geometry,
        stated="which incorrect affix is invented: the nearest third class at that sum "
        "(chance 33%)",
        rule="more often than by any guess without this model's geometry, intervals apart",
        of_kind=partial(rates.guessed, name="third_at_sum"),
        holds=beats_all,
    ),
    "sums": displacements_add,
    "dual words": dual_words_repair,
    "few pairs": repairs_few_pairs,
    "hidden threshold": partial(
        of_thresholds,
        stated="an ExReLU with another threshold on the hidden neurons interferes less "
        "than ReLU",
        variation="hidden_exrelu",
    ),
    "toy outputs": partial(
        of_thresholds,
        stated="the same on the outputs (toy readout, squared error)",
        variation="toy_readout",
    ),
    "tied outputs": partial(
        of_thresholds,
        stated="the same on the outputs (tied readout, squared error)",
        variation="tied_readout",
    ),
}
VARIED = {"choices", "active neurons", *list(RULES)[-5:]}
"""Rules about variations that the quick version leaves out."""

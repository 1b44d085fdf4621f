"""What the review states of words with two affixes, and what we hold, beside the models.

Where nothing else is said, a rule is about composed words, whose labels are exact, and two
rates differ if their 95% intervals do not overlap.
"""

import itertools
from collections.abc import Mapping
from functools import partial

import numpy as np
import xarray as xr

from jsuper import files
from jsuper.affixes.evaluation import chance_corrected
from jsuper.experiments.affixes import rates
from jsuper.experiments.affixes.rates import LINEAR, LISTS, NAMES, NESS, RELU, SIX, Fits
from jsuper.experiments.findings import Case, Finding, told_first
from jsuper.results.statistics import Interval, interval

REVIEW_PURE, REVIEW_DUAL = 0.9708, 0.8651
CHOICES = {
    "few_stems": "few stems",
    "more_steps": "more steps",
    "mean_pooling": "mean pooling",
    "unmarked_start": "start not marked",
    "relu_toy_readout": "toy readout",
    "real_balanced": "real, balanced",
}
"""What the review does not state, by name of the models."""

ours = partial(Finding, by="ours")


def findings(models: xr.DataTree) -> list[Finding]:
    """All findings: those on the review's statements, then those on ours."""
    fits = files.datasets(models)
    found = [
        *review_numbers(fits),
        accuracy_drops(fits),
        no_pentagon(fits),
        goes_away_with_width(fits),
        not_for_want_of_practice(fits),
        a_label_is_lost(fits),
        *foretold_by_geometry(fits),
        displacements_add(fits),
    ]
    if "dual_share" in fits:  # The quick version has no variation but the width.
        found += [
            choices_matter_little(fits),
            active_neurons(fits),
            *dual_words_repair(fits),
            *thresholds_help(fits),
        ]
    return found


def told(where: str, found: Mapping[str, Interval]) -> list[Case]:
    """Returns rates as cases, those that there are."""
    return [
        Case.of(where, quantity, rate, "%")
        for quantity, rate in found.items()
        if not np.isnan(rate.value)
    ]


def review_numbers(fits: Fits) -> list[Finding]:
    """Whether the review's two numbers could be those of one of these models."""
    findings = []
    for words, number, accuracy in (
        ("pure test words", REVIEW_PURE, lambda ds: ds["pure_accuracy"]),
        ("dual words", REVIEW_DUAL, rates.dual_accuracy),
    ):
        below, ranges = [], []
        for name in (*LISTS, *({"few_stems"} & set(fits))):
            values = accuracy(rates.learned(fits[name].sel(threshold=RELU)))
            where = f"{name.replace('_', ' ')}, ReLU"
            below.append(Case.mean(where, "models below it", values < number, "%"))
            ranges.append(Case.spread(where, "accuracy", values, "models"))
        # Few stems are a variation, and so not part of the rule.
        inside = any(0.025 <= case.value <= 0.975 for case in below[:2])
        stated = f"accuracy {number} on {words} (one run)"
        rule = "in the middle 95% of ReLU models that have learned the task, on either list"
        findings.append(Finding(stated, [*below, *ranges], rule, inside, "the review"))
    return findings


def accuracy_drops(fits: Fits) -> Finding:
    """Whether accuracy above chance is lower on dual words."""

    def drop(ds):
        dual = chance_corrected(rates.dual_accuracy(ds).values, 0.4)
        return chance_corrected(ds["pure_accuracy"].values, 0.2) - dual

    found = {name: interval(np.mean, drop(ds)) for name, ds in rates.kinds(fits).items()}
    cases = [Case.of(name, "drop", mean, "%") for name, mean in found.items()]
    for words in LISTS:
        ds = fits[words].sel(threshold=RELU)
        failed = interval(np.mean, drop(ds.isel(seed=~ds["learned"].values)))
        cases += told(f"{words}, ReLU, task not learned", {"drop": failed})
    return Finding(
        "accuracy above chance drops on dual words (0.963 to 0.775, a drop of 19%)",
        cases,
        "the accuracy drop exceeds 0 by more than its interval, on both word lists",
        bool(found) and all(mean.low > 0 for mean in found.values()),
        "the review",
    )


def no_pentagon(fits: Fits) -> Finding:
    """Whether the directions of the five affixes are far from evenly spaced."""
    cases = [
        Case.mean(name, "above 90°", ds["largest_gap"] > 90, "%")
        for name, ds in rates.kinds(fits).items()
        if name.startswith("composed")
    ]
    return Finding(
        "the five affixes of a model that encodes them form no regular pentagon (largest "
        "angle between neighbours)",
        told_first(cases, "composed, ReLU"),
        "more than half of the ReLU models have a gap of more than 90° (pentagon: 72°)",
        any(case.value > 0.5 for case in cases if case.where == "composed, ReLU"),
        "the review",
    )


def choices_matter_little(fits: Fits) -> Finding:
    """Whether choices shift the accuracy of models that learn with them and without."""
    shifts, deviations, little = [], [], []
    for name, label in CHOICES.items():
        for threshold in fits[name]["threshold"].values:
            base = "real" if name.startswith("real") else "composed"
            changed, same = (fits[n].sel(threshold=threshold) for n in (name, base))
            shift = rates.dual_accuracy(changed) - rates.dual_accuracy(same)
            shift = shift.where(changed["learned"] & same["learned"])
            accuracy = rates.dual_accuracy(rates.learned(same))
            sd, n = float(accuracy.std(ddof=1)), accuracy.size
            where = f"{label}, {NAMES[threshold]}"
            shifts.append(Case.mean(where, "shift", shift, "%"))
            deviations.append(Case(where, "standard deviation", sd, n=n, unit="%"))
            little.append(abs(shifts[-1].value) < sd)
    return ours(
        "what the review does not state moves the accuracy on dual words by less than the "
        "seed does",
        [*sorted(shifts, key=lambda case: -abs(np.nan_to_num(case.value))), *deviations],
        "no choice shifts the mean by more than a standard deviation over models",
        all(little),
    )


def goes_away_with_width(fits: Fits) -> Finding:
    """Whether the interference rate falls with the number of neurons."""
    cases, falls = [], []
    for words, (threshold, name) in itertools.product(LISTS, NAMES.items()):
        found = {
            width: rates.interference(ds.sel(threshold=threshold))
            for width, ds in rates.widths(fits, words).items()
        }
        order = sorted(found, key=lambda width: (width != 2, width != 16, width))
        cases += told(f"{words}, {name}", {f"h = {width}": found[width] for width in order})
        if 16 in found:
            falls.append(found[16].high < found[2].low / 2)
    return ours(
        "incorrect dual words, of stems whose two words with one affix are both correct, "
        "go away with width",
        cases,
        "the rate at h = 16 is below half of that at h = 2, by the ends of intervals",
        all(falls),
    )


def active_neurons(fits: Fits) -> Finding:
    """Whether it is the number of active neurons that counts."""
    cases, found = [], {}
    for words, width in itertools.product(LISTS, (5, 3)):
        ds = rates.learned(fits[f"{LISTS[words]}width_{width}"].sel(threshold=RELU))
        found[words, width] = {
            f"{active} active": rates.interference(ds.isel(seed=ds["active"] == active))
            for active in range(2, width + 1)
        }
        cases += told(f"{words}, h = {width}", found[words, width])
    at_three = found["composed", 3]
    return ours(
        "of ReLU layers those with more active neurons have a lower interference rate",
        told_first(cases, "composed, h = 3"),
        "at h = 3 the rate with three active is below that with two, intervals apart",
        at_three["3 active"].high < at_three["2 active"].low,
    )


def not_for_want_of_practice(fits: Fits) -> Finding:
    """Whether words with a neutral affix in the place of one of the two are easier."""
    cases, fewer = [], []
    for name, ds in rates.kinds(fits).items():
        # An inner affix is hard to see behind any outer one, so before -ness that is kept.
        for label, pairs, kept in (
            ("six pairs", SIX, ["second", "first"]),
            ("before -ness, outer kept", NESS, ["second"]),
        ):
            part = ds.sel(pair=pairs, kept=kept)
            dual = rates.interference(part)
            control = rates.rate(part["control_incorrect"], part["control_stems"])
            cases += told(f"{name}, {label}", {"dual": dual, "control": control})
            if name.startswith("composed"):
                fewer.append(control.high < dual.low)
    return ours(
        "it is not for want of practice with long words: fewer words with a neutral affix "
        "in the place of one of the two are incorrect",
        cases,
        "fewer of the controls, intervals apart, of the six pairs and of -able and -ful "
        "before -ness with the outer affix kept",
        bool(fewer) and all(fewer),
    )


def a_label_is_lost(fits: Fits) -> Finding:
    """Whether narrow layers lose the second label of words that count as correct."""
    wide = rates.learned(fits["width_16"].sel(threshold=LINEAR))
    found = {
        name: rates.rate(ds["both_top"], rates.correct_and_all(ds)[0])
        for name, ds in (rates.kinds(fits) | {"composed, linear, h = 16": wide}).items()
    }
    cases = [Case.of(name, "both top two", rate, "%") for name, rate in found.items()]
    *narrow, sixteen = found.values()
    return ours(
        "counting either label hides lost ones: of the dual words that are correct, only "
        "some have both affixes as the top two (chance 25%)",
        [cases[0], cases[-1], *cases[1:-1]],
        "fewer than with 16 linear neurons, intervals apart",
        bool(narrow) and all(rate.high < sixteen.low for rate in narrow),
    )


def foretold_by_geometry(fits: Fits) -> list[Finding]:
    """Whether the rate by geometry is above others, composed words, both activations."""
    findings = []
    for stated, rule, of_kind in (
        (
            "of pairs adjacent on the circle more words are correct than of pairs apart",
            "more than of pairs apart",
            rates.by_neighbourhood,
        ),
        (
            "incorrect predictions for pairs apart on the circle are the class between "
            "them (chance 33%)",
            "more often than on random circles and those of other models",
            partial(rates.guessed, name="between"),
        ),
        (
            "words are incorrect where the sum lies in a third class's region",
            "more than elsewhere",
            rates.by_region,
        ),
        (
            "which incorrect affix is invented: the nearest third class at that sum "
            "(chance 33%)",
            "more often than by any guess without this model's geometry",
            partial(rates.guessed, name="third_at_sum"),
        ),
    ):
        cases, above = [], []
        for name, ds in rates.kinds(fits).items():
            first, *others = (found := of_kind(ds)).values()
            cases += told(name, found)
            if name.startswith("composed"):
                above += [first.low > other.high for other in others]
        agrees = bool(above) and all(above)
        findings.append(ours(stated, cases, f"{rule}, intervals apart", agrees))
    return findings


def displacements_add(fits: Fits) -> Finding:
    """Whether a pair's words lie where the displacements of its affixes add up to."""
    fractions, others = [], []
    for name, ds in rates.kinds(fits).items():
        if name.startswith("composed"):
            r2 = interval(np.median, rates.additivity(ds.sel(pair=SIX)))
            fractions.append(Case.of(f"{name}, six pairs", "R²", r2))
        others += told(f"{name}, predicted", rates.guessed(ds, "at_sum"))
    return ours(
        "displacements add: on average a pair's words lie at the sum of two",
        [*fractions, *others],
        "R² of the six pairs is above 0.8 in the median model of both activations",
        bool(fractions) and all(case.value > 0.8 for case in fractions),
    )


def dual_words_repair(fits: Fits) -> list[Finding]:
    """Whether training on dual words repairs two neurons, or on few pairs of affixes."""

    def by_share(where, cells, measured=rates.interference):
        found = {share: measured(ds) for share, ds in cells.items()}
        order = sorted(found, key=lambda share: (share > 0, -share))
        cases = [Case.of(where, f"{share:.0%} dual", found[share], "%") for share in order]
        return cases, found[max(found)].high < found[0].low / 2

    composed, repaired = by_share(
        "composed", rates.by_value(fits, "composed", "dual_share")
    )
    real, _ = by_share("real", rates.by_value(fits, "real", "dual_share"))
    few = rates.by_value(fits, "composed", "dual_share_few_pairs")
    with_pairs = partial(rates.with_pairs_of, other=fits["real"].sel(threshold=LINEAR))
    some, some_repaired = by_share("pairs as in real words", few, with_pairs)
    alike, all_repaired = by_share("all pairs alike", few)
    stated = "dual words in training repair it"
    rule = "interference with the largest share is below half of that without, by intervals"
    return [
        ours(stated, [*composed, *real], f"{rule}, on composed words", repaired),
        ours(
            f"{stated} if most of them have one of a few pairs",
            [*some, *alike],
            f"{rule}, with the pairs of real words and not with all pairs alike",
            some_repaired and not all_repaired,
        ),
    ]


def thresholds_help(fits: Fits) -> list[Finding]:
    """Whether a threshold interferes less than ReLU: on hidden neurons and on outputs."""
    findings = []
    for variation, stated in {
        "hidden_exrelu": "an ExReLU with another threshold on the hidden neurons "
        "interferes less than ReLU",
        "toy_readout": "the same on the outputs (toy readout, squared error)",
        "tied_readout": "the same on the outputs (tied readout, squared error)",
    }.items():
        cases, lower = [], []
        for words in LISTS:
            cells = rates.by_value(fits, words, variation)
            found = {
                NAMES.get(t, f"t = {t:g}".replace("-", "−")): rates.interference(cells[t])
                for t in sorted(cells, key=lambda t: (t != RELU, abs(t)))
            }
            cases += told(f"{words}, interference", found)
            if words == "composed":
                lower = [rate.high < found["ReLU"].low for rate in found.values()]
        rule = (
            "interference at some threshold is below that at 0, intervals apart, composed "
            f"words, where {rates.FEWEST} models or more have learned the task"
        )
        findings.append(ours(stated, cases, rule, any(lower)))
    return findings

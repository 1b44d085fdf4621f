"""What the affix experiment found, in numbers.

One function for each finding. The first sentence of its docstring is the rule by which it
says yes or no. Where nothing else is said, a rule is about composed words, whose labels
are exact, and two rates differ if their 95% intervals do not overlap.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from jsuper.affixes.evaluation import chance_corrected
from jsuper.experiments.affixes.corpus import OWN, PAIR_NAMES, STACKED
from jsuper.experiments.affixes.measures import (
    CHANCE_DUAL,
    CHANCE_PURE,
    drop,
    dual_accuracy,
    rate,
)
from jsuper.experiments.affixes.predictions import (
    adjacent_is_better,
    displacements_add,
    errs_in_a_third_region,
    nearest_third,
    the_class_between,
)
from jsuper.experiments.affixes.remedies import (
    dual_words_repair,
    hidden_threshold,
    repairs_few_pairs,
    tied_output_threshold,
    toy_output_threshold,
)
from jsuper.experiments.affixes.statistics import (
    FEWEST,
    LINEAR,
    LISTS,
    NAMES,
    RELU,
    REVIEW_DUAL,
    REVIEW_PURE,
    UNSTACKED,
    Fits,
    cases,
    every,
    gated,
    interference,
    kinds,
    mean,
    named,
    percent,
    points,
    rank,
    spread,
    with_pairs_of,
)
from jsuper.experiments.outcome import Finding

Rule = Callable[[Fits], Finding]

# Stacked behind -ness, and the one stacked pair of prefixes.
SUFFIXES = [i for i in np.flatnonzero(STACKED) if "-ness" in PAIR_NAMES[i]]
PREFIXES = [i for i in np.flatnonzero(STACKED) if "-ness" not in PAIR_NAMES[i]]


def find(fits: Fits) -> list[Finding]:
    """Returns all findings: those on the review's statements, then those on ours."""
    whole = "dual share" in fits
    reviewed: list[Rule] = [pure_number, dual_number, accuracy_drops, no_pentagon]
    ours: list[Rule] = [
        *([choices_matter_little] if whole else []),
        goes_away_with_width,
        *([live_neurons] if whole else []),
        not_for_want_of_practice,
        a_label_is_lost,
        adjacent_is_better,
        the_class_between,
        errs_in_a_third_region,
        nearest_third,
        displacements_add,
    ]
    if whole:
        ours += [dual_words_repair, repairs_few_pairs, hidden_threshold]
        ours += [toy_output_threshold, tied_output_threshold]
    findings = [rule(fits) for rule in ours]
    return [rule(fits) for rule in reviewed] + [
        dataclasses.replace(finding, stated=f"(ours) {finding.stated}")
        for finding in findings
    ]


def of_the_review(fits: Fits, stated: str, number: float, accuracy: Callable) -> Finding:
    """The rule of `pure_number` and `dual_number`."""
    texts, inside = [], []
    for words, name in (
        ("composed", "composed words"),
        ("200 stems", "composed words of 200 stems"),
        ("real", "real words"),
    ):
        if words not in fits:
            continue
        ds = fits[words].sel(threshold=RELU)
        values, passing = accuracy(ds), accuracy(gated(ds))
        texts.append(
            f"{name}, ReLU: {spread(values)}, with {100 * rank(values, number):.0f}% of "
            f"{values.size} models below the review's; of the {passing.size} that pass the "
            f"gate {spread(passing)}, {100 * rank(passing, number):.0f}% below"
        )
        # 200 stems are a variation.
        if words != "200 stems":
            inside.append(0.025 <= rank(passing, number) <= 0.975)
    return Finding(f"{stated} (one run)", "; ".join(texts), any(inside))


def pure_number(fits: Fits) -> Finding:
    """Yes if it is in the middle 95% of the gated ReLU models on either word list."""
    stated = f"{REVIEW_PURE} on pure test words"
    return of_the_review(fits, stated, REVIEW_PURE, lambda ds: ds["pure_accuracy"])


def dual_number(fits: Fits) -> Finding:
    """Yes if it is in the middle 95% of the gated ReLU models on either word list."""
    return of_the_review(fits, f"{REVIEW_DUAL} on dual words", REVIEW_DUAL, dual_accuracy)


def accuracy_drops(fits: Fits) -> Finding:
    """Yes if accuracy above chance falls on both word lists, by more than its interval."""
    pure = float(chance_corrected(REVIEW_PURE, CHANCE_PURE))
    dual = float(chance_corrected(REVIEW_DUAL, CHANCE_DUAL))
    texts, falls = [], []
    everything = kinds(fits, *LISTS)
    for name, ds in cases(fits, *LISTS).items():
        pures = chance_corrected(float(ds["pure_accuracy"].mean()), CHANCE_PURE)
        duals = chance_corrected(float(dual_accuracy(ds).mean()), CHANCE_DUAL)
        falls.append(mean(drop(ds)))
        everyone = mean(drop(everything[name]))
        less = rank(drop(ds), pure - dual)
        texts.append(
            f"{name} ({ds.sizes['split']} models): {pures:.3f} to {duals:.3f}, by "
            f"{points(falls[-1])}, without the gate by {100 * everyone[0]:.0f}, "
            f"{100 * less:.0f}% of the models lose less than the review's"
        )
    return Finding(
        f"accuracy above chance drops on dual words ({pure:.3f} to {dual:.3f}, by "
        f"{100 * (pure - dual):.0f} points)",
        "; ".join(texts),
        every(low > 0 for _, low, _ in falls),
    )


def choices_matter_little(fits: Fits) -> Finding:
    """Yes if no choice shifts the mean by more than one standard deviation over models.

    Model by model: those that pass the gate with and without the change. The standard
    deviation is that of all gated models without it.
    """
    texts, little = [], []
    for name, of, threshold in (
        ("200 stems", "composed", RELU),
        ("3,000 steps", "composed", RELU),
        ("mean pooling", "composed", RELU),
        ("start not marked", "composed", RELU),
        ("start not marked", "composed", LINEAR),
        ("ReLU, toy readout", "composed", RELU),
        ("real, balanced", "real", RELU),
        ("real, balanced", "real", LINEAR),
    ):
        changed, base = (fits[fit].sel(threshold=threshold) for fit in (name, of))
        same = base.sel(split=changed["split"])
        both = changed["passes"] & same["passes"]
        shift = (dual_accuracy(changed) - dual_accuracy(same)).where(both)
        value, low, high = mean(shift)
        sd = float(dual_accuracy(gated(base)).std(ddof=1))
        passing = [int(ds["passes"].sum()) for ds in (changed, same)]
        little.append(abs(value) < sd)
        texts.append(
            f"{name.removeprefix('ReLU, ')}, {NAMES[threshold]} {100 * value:+.1f} points "
            f"({100 * low:+.1f} to {100 * high:+.1f}, standard deviation {100 * sd:.1f}, "
            f"{int(both.sum())} models: of {both.size} {passing[0]} pass, {passing[1]} "
            "without it)"
        )
    return Finding(
        "what the review does not state moves the accuracy on dual words by less than the "
        "seed does",
        "; ".join(texts),
        all(little),
    )


def no_pentagon(fits: Fits) -> Finding:
    """Yes if most ReLU models have a gap of more than a right angle."""
    angles = np.sort(np.random.default_rng(0).uniform(0, 360, (10_000, 5)), -1)
    random = np.diff(angles, append=angles[:, :1] + 360).max(-1)
    gaps = {name: ds["largest_gap"] for name, ds in cases(fits, "composed").items()}
    shown = [
        f"{name} {float(gap.median()):.0f}° ({100 * float((gap > 90).mean()):.0f}% of the "
        "models above a right angle)"
        for name, gap in gaps.items()
    ]
    return Finding(
        "the five affixes of a model that encodes them form no regular pentagon",
        "largest angle between neighbouring class directions, median over models: "
        f"{', '.join(shown)}; 72° in a pentagon, {np.median(random):.0f}° for five random "
        "directions",
        "composed, ReLU" in gaps and float((gaps["composed, ReLU"] > 90).mean()) > 0.5,
    )


def goes_away_with_width(fits: Fits) -> Finding:
    """Yes if the rate at h = 16 is below half of that at h = 2, by ends of intervals.

    On both word lists.
    """
    good, texts = [], []
    for words, threshold in ((w, t) for w in LISTS for t in NAMES):
        prefix = named(words, "width ")
        others = {int(n.removeprefix(prefix)): n for n in fits if n.startswith(prefix)}
        shown, rates = [], {}
        for width, fit in sorted(({2: words} | others).items()):
            ds = gated(fits[fit].sel(threshold=threshold))
            rates[width] = interference(ds)
            shown.append(f"{percent(rates[width], 1)} at h = {width} ({ds.sizes['split']})")
        texts.append(f"{words}, {NAMES[threshold]} (number of models): {', '.join(shown)}")
        if 16 in rates:
            good.append(rates[16][2] < rates[2][1] / 2)
    same = with_pairs_of(
        gated(fits["composed"].sel(threshold=LINEAR)),
        gated(fits["real"].sel(threshold=LINEAR)),
    )
    texts.append(
        f"composed words with the pairs of the real ones, linear: {percent(same, 1)}"
    )
    return Finding(
        "wrong dual words, of stems whose two words with one affix are both right, go away "
        "with width",
        "; ".join(texts),
        every(good),
    )


def live_neurons(fits: Fits) -> Finding:
    """Yes if of layers of three those with two live neurons fail more often."""
    texts, rates = [], {}
    for words in LISTS:
        for width in (3, 5):
            ds = gated(fits[named(words, f"width {width}")].sel(threshold=RELU))
            for live in range(2, width + 1):
                part = ds.isel(split=np.flatnonzero(ds["live"].values == live))
                n = part.sizes["split"]
                if n >= FEWEST:
                    rates[words, width, live] = interference(part)
                    texts.append(
                        f"{words}, h = {width}, {live} live: "
                        f"{percent(rates[words, width, live])} ({n})"
                    )
    three = {("composed", 3, live) for live in (2, 3)}
    return Finding(
        "of ReLU layers those with more live neurons fail less (models)",
        "; ".join(texts),
        three <= rates.keys() and rates["composed", 3, 3][2] < rates["composed", 3, 2][1],
    )


def not_for_want_of_practice(fits: Fits) -> Finding:
    """Yes if controls fail less often, in the six pairs and in those stacked before -ness.

    Of stacked pairs those controls count that keep the outer affix, which alone would be
    right. An inner one is hard to see behind any outer affix.
    """
    texts, good = [], []
    for name, ds in cases(fits, *LISTS).items():
        for label, pairs, kept in (
            ("six pairs", UNSTACKED, slice(None)),
            ("-able and -ful before -ness, outer kept", SUFFIXES, ["second"]),
            ("un-re-, outer kept", PREFIXES, ["second"]),
            ("all stacked, inner kept", np.flatnonzero(STACKED), ["first"]),
        ):
            wrong = interference(ds, pairs)
            if np.isnan(wrong[0]):  # two real words have un- and re-
                continue
            part = ds.sel(kept=kept)
            control = rate(part["control_wrong"], part["control_stems"], pairs)
            texts.append(
                f"{name}, {label}: dual {percent(wrong, 1)}, control {percent(control, 1)}"
            )
            if name.startswith("composed") and (pairs is UNSTACKED or pairs is SUFFIXES):
                good.append(wrong[1] > control[2])
    return Finding(
        "it is not for want of practice with long words: fewer words with a neutral affix "
        "in the place of one of the two are wrong",
        "; ".join(texts),
        every(good),
    )


def a_label_is_lost(fits: Fits) -> Finding:
    """Yes if it is so less often than with 16 linear neurons."""

    def kept(ds):
        right = ds["answers"].isel(answer=slice(5)).values * OWN
        return rate(ds["both_top"], ds["both_top"].copy(data=right.sum(-1)))

    rates = {name: kept(ds) for name, ds in cases(fits, *LISTS).items()}
    wide = kept(gated(fits["width 16"].sel(threshold=LINEAR)))
    shown = [f"{name}: {percent(value)}" for name, value in rates.items()]
    return Finding(
        "counting either label hides lost ones: of the dual words that are answered right, "
        "only some have both affixes as the top two (chance 25%)",
        f"{'; '.join(shown)}; composed, 16 linear neurons: {percent(wide)}",
        every(high < wide[1] for _, _, high in rates.values()),
    )

"""Whether errors on words with two affixes come from the narrow layer, as findings."""

import numpy as np
import xarray as xr

from jsuper.experiments.affixes.corpus import OWN, PAIR_NAMES, STACKED
from jsuper.experiments.affixes.statistics import (
    FEWEST,
    LINEAR,
    LISTS,
    NAMES,
    RELU,
    UNSTACKED,
    Fits,
    case,
    enough,
    every,
    interference,
    learned,
    named,
    rate,
    with_pairs_of,
)
from jsuper.experiments.findings import Finding
from jsuper.results.statistics import Interval

# Stacked behind -ness, and the one stacked pair of prefixes.
SUFFIXES = [i for i in np.flatnonzero(STACKED) if "-ness" in PAIR_NAMES[i]]
PREFIXES = [i for i in np.flatnonzero(STACKED) if "-ness" not in PAIR_NAMES[i]]
BOTH_CORRECT = "of stems whose two words with one affix are both correct"
COMPARED = {
    "six pairs": (UNSTACKED, slice(None)),
    "before -ness, outer kept": (SUFFIXES, ["second"]),
    "un-re-, outer kept": (PREFIXES, ["second"]),
    "all stacked, inner kept": (np.flatnonzero(STACKED), ["first"]),
}
"""Pairs, and which of the two affixes their controls keep."""


def goes_away_with_width(fits: Fits) -> Finding:
    """Whether the interference rate falls with the number of neurons."""
    cases, good = [], []
    for words, threshold in ((w, t) for w in LISTS for t in NAMES):
        rates = {}
        for width, name in widths(fits, words).items():
            rates[width] = interference(learned(fits[name].sel(threshold=threshold)))
        where = f"{words}, {NAMES[threshold]}"
        for width in sorted(rates, key=lambda width: (width != 2, width != 16, width)):
            cases.append(case(where, f"h = {width}", rates[width]))
        if 16 in rates:
            good.append(rates[16].high < rates[2].low / 2)
    same = with_pairs_of(
        learned(fits["composed"].sel(threshold=LINEAR)),
        learned(fits["real"].sel(threshold=LINEAR)),
    )
    where = "composed words with the pairs of the real ones, linear"
    cases.append(case(where, "h = 2", same))
    return Finding(
        f"incorrect dual words, {BOTH_CORRECT}, go away with width",
        cases,
        "the rate at h = 16 is below half of that at h = 2, by the ends of intervals",
        every(good),
        "ours",
    )


def widths(fits: Fits, words: str) -> dict[int, str]:
    """Returns names of models by number of hidden neurons, for one word list."""
    prefix = named(words, "width_")
    others = {int(n.removeprefix(prefix)): n for n in fits if n.startswith(prefix)}
    return dict(sorted(({2: words} | others).items()))


def active_neurons(fits: Fits) -> Finding:
    """Whether it is the number of active neurons that counts."""
    cases, rates = [], {}
    for words in LISTS:
        for width in (3, 5):
            ds = learned(fits[named(words, f"width_{width}")].sel(threshold=RELU))
            for active in range(2, width + 1):
                part = ds.isel(split=np.flatnonzero(ds["active"].values == active))
                if part.sizes["split"] < FEWEST:
                    continue
                rates[words, width, active] = found = interference(part)
                cases.append(case(f"{words}, h = {width}", f"{active} active", found))
    two, three = (rates.get(("composed", 3, active)) for active in (2, 3))
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
    for name, ds in enough(fits, *LISTS).items():
        for label, (pairs, kept) in COMPARED.items():
            dual = interference(ds, pairs)
            if np.isnan(dual.value):  # two real words have un- and re-
                continue
            part = ds.sel(kept=kept)
            control = rate(part["control_wrong"], part["control_stems"], pairs)
            where = f"{name}, {label}"
            cases.append(case(where, "dual", dual))
            cases.append(case(where, "control", control))
            if name.startswith("composed") and (pairs is UNSTACKED or pairs is SUFFIXES):
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
    rates = {name: kept(ds) for name, ds in enough(fits, *LISTS).items()}
    wide = kept(learned(fits["width_16"].sel(threshold=LINEAR)))
    quantity = "both top two"
    cases = [case(name, quantity, found) for name, found in rates.items()]
    return Finding(
        "counting either label hides lost ones: of the dual words that are correct, only "
        "some have both affixes as the top two (chance 25%)",
        [*cases[:1], case("composed, h = 16", quantity, wide), *cases[1:]],
        "fewer than with 16 linear neurons, intervals apart",
        every(found.high < wide.low for found in rates.values()),
        "ours",
    )


def kept(ds: xr.Dataset) -> Interval:
    """Returns how often the second label is kept where a dual word is correct."""
    right = ds["answers"].isel(answer=slice(5)).values * OWN
    return rate(ds["both_top"], ds["both_top"].copy(data=right.sum(-1)))

"""How often predictions are incorrect, and how often geometry foretells which.

All rates are ratios of totals over the models, with intervals over models.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from jsuper.affixes import AFFIXES
from jsuper.experiments.affixes.corpus import OWN, PAIR_NAMES
from jsuper.results.statistics import Interval, interval

Fits = Mapping[str, xr.Dataset]
"""Measured models by name: a word list, or what was varied."""

LISTS = {"composed": "", "real": "real_"}
"""Word lists, and how the names of their variations begin."""
LINEAR, RELU = -np.inf, 0.0
NAMES = {LINEAR: "linear", RELU: "ReLU"}
FEWEST = 5
"""Models that a statement about them takes."""
SIX, NESS = PAIR_NAMES[1:7], PAIR_NAMES[7:]
"""The pairs with an affix at each end of the word, and those with -ness behind another."""

AFFIX = xr.DataArray(np.arange(5), {"affix": list(AFFIXES)}, "affix")
IS_OWN = xr.DataArray(OWN, {"pair": PAIR_NAMES, "affix": list(AFFIXES)}, ("pair", "affix"))
GUESSES = {
    "at_sum": "class at the sum",
    "third_at_sum": "nearest third class",
    "between": "class between",
}
"""What geometry says of a pair: of all predictions, of the incorrect ones, of these too."""


def learned(ds: xr.Dataset) -> xr.Dataset:
    """Returns the models that have learned the task."""
    return ds.isel(seed=ds["learned"].values)


def kinds(fits: Fits) -> dict[str, xr.Dataset]:
    """Returns the models of two neurons that have learned the task, where enough have."""
    found = {
        f"{words}, {name}": learned(fits[words].sel(threshold=threshold))
        for words in LISTS
        for threshold, name in NAMES.items()
    }
    return {name: ds for name, ds in found.items() if ds.sizes["seed"] >= FEWEST}


def widths(fits: Fits, words: str) -> dict[int, xr.Dataset]:
    """Returns the models of one word list by number of hidden neurons."""
    prefix = f"{LISTS[words]}width_"
    others = {int(n.removeprefix(prefix)): n for n in fits if n.startswith(prefix)}
    return {width: fits[name] for width, name in sorted(({2: words} | others).items())}


def by_value(fits: Fits, words: str, variation: str) -> dict[float, xr.Dataset]:
    """Returns the models of each value of what was varied, with those of no variation."""
    varied = fits.get(LISTS[words] + variation)
    if varied is None:
        return {}
    (axis,) = {"threshold", "output_threshold", "dual_share"} & set(varied.dims)
    found = {float(v): varied.sel({axis: v}) for v in varied[axis].values}
    if axis == "threshold":
        found[RELU] = fits[words].sel(threshold=RELU)
    if axis == "dual_share":
        found[0.0] = fits[words].sel(threshold=LINEAR)
    return dict(sorted(found.items()))


def by_affix(ds: xr.Dataset) -> xr.DataArray:
    """Returns how often each affix, or none, is predicted, (seed, pair, affix)."""
    return ds["predictions"].rename(prediction="affix")


def correct_and_all(ds: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Returns how many dual words are predicted correctly, and how many there are."""
    counts = by_affix(ds)
    return (counts * IS_OWN).sum("affix"), counts.sum("affix")


def dual_accuracy(ds: xr.Dataset) -> xr.DataArray:
    """Returns each model's share of correct predictions for words with two affixes."""
    correct, total = correct_and_all(ds)
    return correct.sum("pair") / total.sum("pair")


def rate(hits: xr.DataArray, trials: xr.DataArray) -> Interval:
    """Returns a ratio of totals over models and all else; NaN of fewer than `FEWEST`."""

    def ratio(hits: Any, trials: Any, axis: int) -> Any:
        return hits.sum(axis) / trials.sum(axis)

    totals = [a.sum([dim for dim in a.dims if dim != "seed"]) for a in (hits, trials)]
    if len(totals[0]) < FEWEST:
        return Interval(np.nan, np.nan, np.nan, len(totals[0]))
    return interval(ratio, *totals)


def interference(ds: xr.Dataset) -> Interval:
    """Returns P(dual word incorrect | both pure words correct) of models that learned."""
    ds = learned(ds)
    return rate(ds["interference_incorrect"], ds["interference_stems"])


def with_pairs_of(ds: xr.Dataset, other: xr.Dataset) -> Interval:
    """Returns the interference rate with the pairs as frequent as those of another."""
    ds, other = learned(ds), learned(other)
    share = other["interference_stems"].sum("seed").values
    share = share / max(share.sum(), 1)
    incorrect = ds["interference_incorrect"].transpose("seed", "pair").values
    stems = ds["interference_stems"].transpose("seed", "pair").values

    def weighted(models, axis=-1):
        chosen = models.astype(int)
        return (incorrect[chosen].sum(axis - 1) / stems[chosen].sum(axis - 1)) @ share

    return interval(weighted, np.arange(ds.sizes["seed"]))


def guessed(ds: xr.Dataset, name: str) -> dict[str, Interval]:
    """Returns how often each guess is what is predicted for dual words, of the guesses.

    First that of the model's own geometry; then without it, the last without any geometry.
    """
    counts = by_affix(ds)
    if name != "at_sum":
        counts = counts * ~IS_OWN
    trials, counts = counts.sum("affix"), counts.sel(affix=list(AFFIXES))
    own = (ds[name] == AFFIX).astype(float)
    guesses = {
        GUESSES[name]: own,
        "in random order": (ds[f"{name}_shuffled"] == AFFIX).mean("shuffle"),
        "of another model": (own.sum("seed") - own) / max(ds.sizes["seed"] - 1, 1),
    }
    if name != "between":
        others = counts.sum("seed") - counts
        # An own label is no error, however often the others predict it.
        others = others if name == "at_sum" else others - (others + 1) * IS_OWN
        guesses["most frequent of the others"] = others.argmax("affix") == AFFIX
    return {
        whose: rate(counts * guess, trials * guess.sum("affix"))
        for whose, guess in guesses.items()
    }


def by_neighbourhood(ds: xr.Dataset) -> dict[str, Interval]:
    """Returns the accuracy on adjacent pairs, and on those apart."""
    correct, total = correct_and_all(ds)
    where = {"adjacent": ds["between"] < 0, "apart": ds["between"] >= 0}
    return {name: rate(correct * here, total * here) for name, here in where.items()}


def by_region(ds: xr.Dataset) -> dict[str, Interval]:
    """Returns the error rate of pairs whose sum lies in a foreign region, and of others."""
    correct, total = correct_and_all(ds)
    own = ((ds["at_sum"] == AFFIX) & IS_OWN).any("affix")
    where = {"there": ~own, "elsewhere": own}
    incorrect = total - correct
    return {name: rate(incorrect * here, total * here) for name, here in where.items()}


def foretold(ds: xr.Dataset) -> xr.DataArray:
    """Returns how often each affix is predicted, if it lies between and at the sum."""
    return by_affix(ds) * (ds["between"] == AFFIX) * (ds["at_sum"] == AFFIX)


def additivity(ds: xr.Dataset) -> xr.DataArray:
    """Returns R² of each model's mean positions of pairs from sums of displacements."""
    centre = ds["means"].mean("affix")
    sums = ((ds["means"] - centre) * IS_OWN).sum("affix")
    true = ds["dual_means"] - centre
    errors, sizes = (((true - d) ** 2).sum(("pair", "hidden")) for d in (sums, 0 * sums))
    return 1 - errors / sizes

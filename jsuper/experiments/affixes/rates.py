"""How often predictions are incorrect, and how often geometry foretells which.

All rates are ratios of totals over the models, with intervals over models.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from jsuper.affixes import AFFIXES, evaluation
from jsuper.experiments.affixes.corpus import OWN, PAIR_NAMES, STACKED
from jsuper.results.statistics import Interval, interval

Fits = Mapping[str, xr.Dataset]
"""Measured models by name: a word list and what was varied."""

LISTS = ("composed", "real")
LINEAR, RELU = -np.inf, 0.0
NAMES = {LINEAR: "linear", RELU: "ReLU"}
FEWEST = 5
"""Models that a statement about them takes."""
CHANCE_PURE, CHANCE_DUAL = 0.2, 0.4
SIX = [name for name, stacked in zip(PAIR_NAMES, STACKED, strict=True) if not stacked]
"""The pairs with an affix at each end of the word."""

AFFIX = xr.DataArray(np.arange(5), {"affix": list(AFFIXES)}, "affix")
IS_OWN = xr.DataArray(OWN, {"pair": PAIR_NAMES, "affix": list(AFFIXES)}, ("pair", "affix"))
GUESSES = {
    "at_sum": "class at the sum",
    "third_at_sum": "nearest third class",
    "between": "class between",
}
"""What geometry says of a pair: of all predictions, of the incorrect ones, of these too."""


def named(words: str, variation: str) -> str:
    """Returns the name of a variation trained on one of the word lists."""
    return variation if words == "composed" else f"{words}_{variation}"


def learned(ds: xr.Dataset) -> xr.Dataset:
    """Returns the models that have learned the task."""
    return ds.isel(seed=np.flatnonzero(ds["learned"].values))


def kinds(fits: Fits, lists: tuple[str, ...] = LISTS) -> dict[str, xr.Dataset]:
    """Returns the models of two neurons that have learned the task, where there are enough.

    By word list and activation.
    """
    found = {
        f"{words}, {name}": learned(fits[words].sel(threshold=threshold))
        for words in lists
        for threshold, name in NAMES.items()
    }
    return {name: ds for name, ds in found.items() if ds.sizes["seed"] >= FEWEST}


def widths(fits: Fits, words: str) -> dict[int, xr.Dataset]:
    """Returns the models of one word list by number of hidden neurons."""
    prefix = named(words, "width_")
    others = {int(n.removeprefix(prefix)): n for n in fits if n.startswith(prefix)}
    return {width: fits[name] for width, name in sorted(({2: words} | others).items())}


def by_value(fits: Fits, words: str, variation: str) -> dict[float, xr.Dataset]:
    """Returns the models of each value of what was varied, with those of no variation."""
    varied = fits.get(named(words, variation))
    if varied is None:
        return {}
    (axis,) = {"threshold", "output_threshold", "dual_share"} & set(varied.dims)
    same = {"threshold": RELU, "dual_share": 0.0}
    found = {float(v): varied.sel({axis: v}) for v in varied[axis].values}
    if axis in same:
        threshold = RELU if axis == "threshold" else LINEAR
        found[same[axis]] = fits[words].sel(threshold=threshold)
    return found


def by_affix(ds: xr.Dataset) -> xr.DataArray:
    """Returns how often each affix, or none, is predicted, (seed, pair, affix)."""
    return ds["predictions"].rename(prediction="affix")


def dual_accuracy(ds: xr.Dataset) -> xr.DataArray:
    """Returns each model's share of correct predictions for words with two affixes."""
    counts = by_affix(ds)
    return (counts * IS_OWN).sum(("pair", "affix")) / counts.sum(("pair", "affix"))


def above_chance(ds: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Returns each model's accuracy above chance on pure and on dual words."""
    pure, dual = ds["pure_accuracy"], dual_accuracy(ds)
    return (
        pure.copy(data=evaluation.chance_corrected(pure.values, CHANCE_PURE)),
        dual.copy(data=evaluation.chance_corrected(dual.values, CHANCE_DUAL)),
    )


def drop(ds: xr.Dataset) -> xr.DataArray:
    """Returns how much of its accuracy above chance each model loses on dual words."""
    pure, dual = above_chance(ds)
    return pure - dual


def ratio(hits: Any, trials: Any, axis: int = -1) -> Any:
    """Returns the share of hits in totals over models."""
    return hits.sum(axis) / trials.sum(axis)


def rate(hits: xr.DataArray, trials: xr.DataArray) -> Interval:
    """Returns a ratio of totals over models, and over all other dimensions."""
    return interval(ratio, *map(_totals, (hits, trials)))


def _totals(counts):
    return counts.sum([dim for dim in counts.dims if dim != "seed"]).values


def interference(ds: xr.Dataset) -> Interval:
    """Returns the interference rate.

    P(dual word incorrect, given that both words of one affix are correct).
    """
    return rate(ds["interference_incorrect"], ds["interference_stems"])


def with_pairs_of(ds: xr.Dataset, other: xr.Dataset) -> Interval:
    """Returns the interference rate with the pairs as frequent as those of another."""
    share = other["interference_stems"].sum("seed").values
    share = share / max(share.sum(), 1)
    incorrect, stems = (
        ds[f"interference_{name}"].transpose("seed", "pair").values
        for name in ("incorrect", "stems")
    )

    def weighted(models, axis=-1):
        chosen = models.astype(int)
        return (incorrect[chosen].sum(axis - 1) / stems[chosen].sum(axis - 1)) @ share

    return interval(weighted, np.arange(ds.sizes["seed"]))


def both_top(ds: xr.Dataset, of: str = "all") -> Interval:
    """Returns how often both affixes are the top two, of all or of correct dual words."""
    counts = by_affix(ds)
    return rate(ds["both_top"], counts * IS_OWN if of == "correct" else counts)


def guessed(ds: xr.Dataset, name: str) -> dict[str, Interval]:
    """Returns how often a guess is what is predicted for dual words, of the guesses.

    Args:
        ds: Measured models that have learned the task.
        name: Which of `GUESSES`.

    Returns:
        First the rate of the model's own geometry. Then those of baselines: its affixes in
        random order, the geometry of the other models, and, but for the class between,
        what the other models predict most often, without any geometry.
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


def foretold(ds: xr.Dataset) -> xr.DataArray:
    """Returns how often each affix is predicted, if it lies between and at the sum."""
    return by_affix(ds) * (ds["between"] == AFFIX) * (ds["at_sum"] == AFFIX)


def by_neighbourhood(ds: xr.Dataset) -> dict[str, Interval]:
    """Returns the accuracy on adjacent pairs, on those apart, and their difference."""
    counts, adjacent = by_affix(ds), ds["between"] < 0
    correct, total = (counts * IS_OWN).sum("affix"), counts.sum("affix")
    near, far = ((correct * where, total * where) for where in (adjacent, ~adjacent))

    def difference(hits, trials, other_hits, other_trials, axis=-1):
        return ratio(hits, trials, axis) - ratio(other_hits, other_trials, axis)

    return {
        "adjacent": rate(*near),
        "apart": rate(*far),
        "difference": interval(difference, *map(_totals, (*near, *far))),
    }


def by_region(ds: xr.Dataset) -> dict[str, Interval]:
    """Returns the error rate of pairs whose sum lies in a foreign region, and of others."""
    counts = by_affix(ds)
    total = counts.sum("affix")
    incorrect = total - (counts * IS_OWN).sum("affix")
    own = ((ds["at_sum"] == AFFIX) & IS_OWN).any("affix")
    where = {"there": ~own, "elsewhere": own}
    return {name: rate(incorrect * here, total * here) for name, here in where.items()}


def additivity(ds: xr.Dataset) -> xr.DataArray:
    """Returns R² of each model's mean positions of pairs from sums of displacements."""
    centre = ds["means"].mean("affix")
    sums = ((ds["means"] - centre) * IS_OWN).sum("affix")
    true = ds["dual_means"] - centre
    errors, sizes = (((true - d) ** 2).sum(("pair", "hidden")) for d in (sums, 0 * sums))
    return 1 - errors / sizes

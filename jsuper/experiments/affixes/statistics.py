"""Which models count, and rates of their errors with intervals over models."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from jsuper.affixes import evaluation
from jsuper.experiments.affixes.corpus import OWN, STACKED
from jsuper.experiments.findings import Case
from jsuper.results.statistics import Interval, interval

Fits = Mapping[str, xr.Dataset]
"""Measured models by name: a word list and what was varied."""

LISTS = ("composed", "real")
LINEAR, RELU = -np.inf, 0.0
NAMES = {LINEAR: "linear", RELU: "ReLU"}
FEWEST = 5
"""Models that a statement about them takes."""
CHANCE_PURE, CHANCE_DUAL = 0.2, 0.4
UNSTACKED = np.flatnonzero(~STACKED)
ALL = slice(None)


def named(words: str, variation: str) -> str:
    """Returns the name of a variation trained on one of the word lists."""
    return variation if words == "composed" else f"{words}_{variation}"


def learned(ds: xr.Dataset) -> xr.Dataset:
    """Returns the models that have learned their task."""
    return ds.isel(split=np.flatnonzero(ds["passes"].values))


def kinds(fits: Fits, *lists: str) -> dict[str, xr.Dataset]:
    """Returns all models of two neurons by word list and activation."""
    return {
        f"{words}, {name}": fits[words].sel(threshold=threshold)
        for words in lists
        for threshold, name in NAMES.items()
    }


def enough(fits: Fits, *lists: str) -> dict[str, xr.Dataset]:
    """Returns those of `kinds` that have learned their task, where there are enough."""
    found = {name: learned(ds) for name, ds in kinds(fits, *lists).items()}
    return {name: ds for name, ds in found.items() if ds.sizes["split"] >= FEWEST}


def every(verdicts: Iterable[bool]) -> bool:
    """Whether there are any, and all of them yes: no models agree to nothing."""
    known = list(verdicts)
    return bool(known) and all(known)


def dual_accuracy(ds: xr.Dataset, pairs: Any = ALL) -> xr.DataArray:
    """Returns each model's share of correct predictions for words with two affixes."""
    counts = ds["answers"].isel(pair=pairs)
    own = xr.DataArray(OWN, dims=("pair", "label")).isel(pair=pairs)
    right = counts.isel(answer=slice(5)).rename(answer="label").where(own, 0)
    return right.sum(("pair", "label")) / counts.sum(("pair", "answer"))


def drop(ds: xr.Dataset) -> xr.DataArray:
    """Returns each model's accuracy above chance on pure words less that on dual ones."""
    pure = evaluation.chance_corrected(ds["pure_accuracy"].values, CHANCE_PURE)
    dual = evaluation.chance_corrected(dual_accuracy(ds).values, CHANCE_DUAL)
    return ds["pure_accuracy"].copy(data=pure - dual)


def case(where: str, quantity: str, found: Interval, unit: str = "%") -> Case:
    """Returns the case of a statistic over models."""
    return Case.of(where, quantity, found, unit, interval="95% over models")


def mean(values: xr.DataArray) -> Interval:
    """Returns the mean over models, of those that are not NaN."""
    return interval(np.mean, values.values)


def share_below(values: xr.DataArray, number: float) -> Interval:
    """Returns the share of the models below ``number``."""
    return mean((values < number).where(values.notnull()))


def ratio(hits: Any, trials: Any, axis: int = -1) -> Any:
    """Returns the share of hits in totals over models."""
    return hits.sum(axis) / trials.sum(axis)


def rate(hits: xr.DataArray, trials: xr.DataArray, pairs: Any = ALL) -> Interval:
    """Returns a ratio of totals over models and pairs."""
    totals = []
    for counts in (hits, trials):
        counts = counts.isel(pair=pairs)
        totals.append(counts.sum([dim for dim in counts.dims if dim != "split"]).values)
    return interval(ratio, *totals)


def interference(ds: xr.Dataset, pairs: Any = ALL) -> Interval:
    """Returns P(dual word incorrect, given that both words of one affix are correct)."""
    return rate(ds["interference_wrong"], ds["interference_stems"], pairs)


def with_pairs_of(ds: xr.Dataset, other: xr.Dataset) -> Interval:
    """Returns the interference rate with the pairs as frequent as those of another."""
    share = other["interference_stems"].sum("split").values
    share = share / max(share.sum(), 1)
    wrong, stems = (
        ds[f"interference_{name}"].transpose("pair", "split").values
        for name in ("wrong", "stems")
    )

    def weighted(*counts, axis=-1):
        rates = map(ratio, counts[: len(share)], counts[len(share) :])
        return sum(weight * found for weight, found in zip(share, rates, strict=True))

    return interval(weighted, *wrong, *stems)


def both_top(ds: xr.Dataset) -> Interval:
    """Returns how often both affixes of a dual word are the top two outputs."""
    return rate(ds["both_top"], ds["answers"].sum("answer"))

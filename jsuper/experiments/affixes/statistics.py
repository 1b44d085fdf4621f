"""Which models count, and how their numbers are written."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from jsuper.affixes.geometry import interval
from jsuper.experiments.affixes.corpus import STACKED
from jsuper.experiments.affixes.measures import Triple, rate

Fits = Mapping[str, xr.Dataset]

REVIEW_PURE, REVIEW_DUAL = 0.9708, 0.8651
LISTS = ("composed", "real")
LINEAR, RELU = -np.inf, 0.0
NAMES = {LINEAR: "linear", RELU: "ReLU"}
FEWEST = 5  # models, for a statement about them
UNSTACKED = np.flatnonzero(~STACKED)


def named(words: str, variation: str) -> str:
    """The key of a variation trained on one of the word lists."""
    return variation if words == "composed" else f"{words}, {variation}"


def gated(ds: xr.Dataset) -> xr.Dataset:
    """The models that have learnt their task."""
    return ds.isel(split=np.flatnonzero(ds["passes"].values))


def kinds(fits: Fits, *lists: str) -> dict[str, xr.Dataset]:
    """All models of two neurons by word list and activation."""
    return {
        f"{words}, {name}": fits[words].sel(threshold=threshold)
        for words in lists
        for threshold, name in NAMES.items()
    }


def cases(fits: Fits, *lists: str) -> dict[str, xr.Dataset]:
    """Those that have learnt their task, where there are enough."""
    found = {name: gated(ds) for name, ds in kinds(fits, *lists).items()}
    return {name: ds for name, ds in found.items() if ds.sizes["split"] >= FEWEST}


def every(verdicts: Iterable[bool]) -> bool:
    """Whether there are any, and all of them yes: no models agree to nothing."""
    known = list(verdicts)
    return bool(known) and all(known)


def interference(ds: xr.Dataset, pairs: Any = slice(None)) -> Triple:
    """P(dual word wrong, given that both words of one affix are right)."""
    return rate(ds["interference_wrong"], ds["interference_stems"], pairs)


def with_pairs_of(ds: xr.Dataset, other: xr.Dataset) -> Triple:
    """The interference rate of ``ds`` if its pairs were as frequent as those of another."""
    share = other["interference_stems"].sum("split").values
    share = share / max(share.sum(), 1)
    counts = [
        *ds["interference_wrong"].transpose("pair", "split").values,
        *ds["interference_stems"].transpose("pair", "split").values,
    ]

    def weighted(*totals):
        n = len(share)
        return sum(share[i] * totals[i] / totals[n + i] for i in range(n))

    return interval(weighted, counts)


def mean(values: xr.DataArray) -> Triple:
    """A mean over models with its interval."""
    known = values.dropna("split").values
    return interval(lambda total, n: total / n, [known, np.ones(len(known))])


def percent(triple: Triple, digits: int = 0) -> str:
    """As in ``42% (40 to 44)``."""
    value, low, high = (100 * number for number in triple)
    if np.isnan(value):
        return "no model"
    if np.isnan(low):
        return f"{value:.{digits}f}%"
    return f"{value:.{digits}f}% ({low:.{digits}f} to {high:.{digits}f})"


def points(triple: Triple) -> str:
    """A difference of shares, as in ``4 points (2 to 6)``."""
    value, low, high = (100 * number for number in triple)
    return f"{value:.0f} points ({low:.0f} to {high:.0f})"


def spread(values: xr.DataArray) -> str:
    """Mean, standard deviation and range over models."""
    v = values.dropna("split").values
    if len(v) < 2:
        return "too few"
    return f"{v.mean():.3f} ± {v.std(ddof=1):.3f} ({v.min():.3f} to {v.max():.3f})"


def rank(values: xr.DataArray, number: float) -> float:
    """Share of the models below ``number``, NaN if there are none."""
    if not values.size:
        return np.nan
    return float((values.dropna("split") < number).mean())

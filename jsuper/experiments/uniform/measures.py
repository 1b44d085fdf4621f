"""How long D* stays at a height, and what the features of trained models form."""

from collections import Counter

import numpy as np
import xarray as xr

from jsuper.plots import FRACTIONS
from jsuper.polytopes import NOT_REPRESENTED, UNKNOWN, identify

BAND = 0.05
"""Relative distance from a height that counts as on its plateau."""

NAMED = [name for name in FRACTIONS if name != "dedicated"]
"""The polytopes that the paper finds."""


def polytope_blocks(ds: xr.Dataset) -> xr.Dataset:
    """Lists the blocks of features of all models.

    Args:
        ds: Models with ``W`` (density, seed, feature, hidden).

    Returns:
        Of each block, dimension (block,): ``density`` and ``seed`` of its model, its
        ``polytope``, its numbers of features ``n_features`` and of dimensions
        ``n_hidden``, and the sum of its features' dimensionalities, ``dimensionality``.
    """
    W = ds["W"].stack(model=("density", "seed")).transpose("model", "feature", "hidden")
    rows = [
        (density, seed, b.name, len(b.features), b.n_hidden, b.dimensionality)
        for (density, seed), model in zip(W["model"].values, W.values, strict=True)
        for b in identify(model)
    ]
    names = ("density", "seed", "polytope", "n_features", "n_hidden", "dimensionality")
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return xr.Dataset({name: ("block", list(column)) for name, column in columns})


def dimensions_per_feature(ds: xr.Dataset) -> xr.DataArray:
    """D* of every model."""
    return 1 / ds["features_per_dimension"]


def stay(ds: xr.Dataset, height: float) -> tuple[float, float, float]:
    """How long D* stays within `BAND` of a height as the density falls.

    Returns:
        The length, in units of ln(1 / density), and the first and last 1 / density of it.
    """
    x = np.log(1 / ds["density"].values)
    y = np.log(dimensions_per_feature(ds).mean("seed").values)
    fine = np.linspace(x[0], x[-1], 4001)
    on = np.abs(np.interp(fine, x, y) - np.log(height)) <= np.log1p(BAND)
    if not on.any():
        return 0.0, np.nan, np.nan
    first, last = np.exp(fine[on][[0, -1]])
    return float(on.mean() * (x[-1] - x[0])), float(first), float(last)


def stay_elsewhere(ds: xr.Dataset) -> float:
    """Median of `stay` over heights away from 1 and 1/2 that D* passes through."""
    lowest = float(dimensions_per_feature(ds).min())
    heights = np.geomspace(lowest * (1 + BAND), 0.85, 60)
    heights = heights[np.abs(np.log(heights / 0.5)) > 3 * BAND]
    return float(np.median([stay(ds, height)[0] for height in heights]))


def size_difference(large: xr.Dataset, small: xr.Dataset) -> xr.DataArray:
    """Relative difference of D* between two sizes, at the densities that they share.

    Where most features are represented, n is no longer much larger than what is stored:
    such densities are left out.
    """
    few = small["represented"].mean("seed") < small.sizes["feature"] / 2
    shared = np.intersect1d(large["density"], small["density"][few])
    ratio = dimensions_per_feature(small).sel(density=shared).mean("seed")
    return abs(ratio / dimensions_per_feature(large).sel(density=shared).mean("seed") - 1)


def off_lines(ds: xr.Dataset) -> xr.DataArray:
    """Distance of the dimensionality of features in a polytope from its line, else NaN."""
    ideal = xr.apply_ufunc(
        lambda name: FRACTIONS.get(name, np.nan),
        ds["polytope"],
        vectorize=True,
        output_dtypes=[float],
    )
    return abs(ds["dimensionality"] - ideal).where(ds["polytope"].isin(NAMED))


def named_share(ds: xr.Dataset) -> xr.DataArray:
    """Share of the represented features that belong to a polytope, by density."""
    represented = ds["polytope"] != NOT_REPRESENTED
    named = represented & (ds["polytope"] != UNKNOWN)
    dims = ("seed", "feature")
    return named.sum(dims) / np.maximum(represented.sum(dims), 1)


def unnamed_blocks(blocks: xr.Dataset) -> Counter:
    """Counts blocks of no known shape, by number of features and dimensions."""
    unknown = (blocks["polytope"] == UNKNOWN) & (blocks["n_features"] > 3)
    unnamed = blocks.isel(block=unknown.values)
    sizes = (unnamed[name].values.tolist() for name in ("n_features", "n_hidden"))
    return Counter(zip(*sizes, strict=True))


def off_balance(blocks: xr.Dataset) -> xr.DataArray:
    """Distance of ΣD_i from the dimensions, of each named block."""
    named = blocks.isel(block=(blocks["polytope"] != UNKNOWN).values)
    return abs(named["dimensionality"] - named["n_hidden"])

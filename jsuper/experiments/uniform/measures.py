"""How long D* stays at a height, and what the features of trained models form."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from jsuper.plots import FRACTIONS
from jsuper.polytopes import NOT_REPRESENTED, UNKNOWN, identify

BAND = 0.05
"""Relative distance from a height that counts as on its plateau."""

NAMED = [name for name in FRACTIONS if name != "dedicated"]
"""The polytopes that the paper finds."""


def dimensions_per_feature(ds: xr.Dataset) -> xr.DataArray:
    r"""The paper's $D^* = m / \lVert W \rVert_F^2$ of every model."""
    return 1 / ds["features_per_dimension"]


def stay(ds: xr.Dataset, height: ArrayLike) -> xr.Dataset:
    """How long D* of each seed stays within `BAND` of a height as the density falls.

    Args:
        ds: Measured models (density, seed).
        height: A height, or several.

    Returns:
        Its ``length``, in units of ln(1 / density), and the ``first`` and ``last``
        1 / density of it (NaN where D* is never there), dimensions (height, seed) with
        ``height`` for several.
    """
    heights = xr.DataArray(height, dims=["height"] * np.ndim(height))
    x, D = np.log(1 / ds["density"].values), dimensions_per_feature(ds)
    fine = np.linspace(x[0], x[-1], 4001)
    D = D.copy(data=np.log(D)).assign_coords(density=x).interp(density=fine)
    on = abs(D - np.log(heights)) <= np.log1p(BAND)
    at = D["density"].where(on)
    return xr.Dataset(
        {
            "length": on.mean("density") * (x[-1] - x[0]),
            "first": np.exp(at.min("density")),
            "last": np.exp(at.max("density")),
        }
    )


def stay_elsewhere(ds: xr.Dataset) -> xr.DataArray:
    """Median of `stay` over heights away from 1 and 1/2 that D* passes through (seed,)."""
    lowest = float(dimensions_per_feature(ds).mean("seed").min())
    heights = np.geomspace(lowest * (1 + BAND), 0.85, 60)
    heights = heights[np.abs(np.log(heights / 0.5)) > 3 * BAND]
    return stay(ds, heights)["length"].median("height")


def size_difference(large: xr.Dataset, small: xr.Dataset) -> xr.DataArray:
    """Relative difference of D* between two sizes, of each seed at shared densities.

    Where most features are represented, n is no longer much larger than what is stored:
    such densities are left out.
    """
    few = small["represented"].mean("seed") < small.sizes["feature"] / 2
    D = dimensions_per_feature(small.isel(density=few.values))
    return D / dimensions_per_feature(large) - 1


def off_lines(ds: xr.Dataset) -> xr.DataArray:
    """Distance of the dimensionality of features in a polytope from its line, else NaN."""
    lines = xr.full_like(ds["dimensionality"], np.nan)
    for name in NAMED:
        lines = lines.where(ds["polytope"] != name, FRACTIONS[name])
    return abs(ds["dimensionality"] - lines)


def named_share(ds: xr.Dataset) -> xr.DataArray:
    """Share of the represented features that belong to a polytope (density, seed)."""
    represented = ds["polytope"] != NOT_REPRESENTED
    named = represented & (ds["polytope"] != UNKNOWN)
    return named.sum("feature") / np.maximum(represented.sum("feature"), 1)


def off_balance(ds: xr.Dataset) -> xr.DataArray:
    """Mean distance of ΣD from the dimensions, over the named blocks of each model.

    Zero where each block has its dimensions to itself; NaN of models with no such block.
    """

    def distance(W: np.ndarray) -> float:
        named = [block for block in identify(W) if block.name != UNKNOWN]
        off = [abs(block.dimensionality - block.n_hidden) for block in named]
        return float(np.mean(off)) if off else np.nan

    return xr.apply_ufunc(
        distance, ds["W"], input_core_dims=[["feature", "hidden"]], vectorize=True
    )

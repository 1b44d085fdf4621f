"""Measures of five features in two dimensions, one of them of another density."""

import numpy as np
import xarray as xr

from jsuper.polytopes.naming import identify

DENSITY = 0.05
"""Density of the four other features, in the paper."""

UNIT = DENSITY / 5
"""Unit of losses in figures: the paper's loss is a sum over five features, not a mean."""

VARIED = 0
"""Position of the feature whose density varies."""

PAPER_THRESHOLD = 1 / 2.5
GEOMETRIES = ("pentagon", "two digons", "another dropped", "other")
BRANCHES = GEOMETRIES[:2]


def with_geometry(ds: xr.Dataset) -> xr.Dataset:
    """Adds the ``geometry`` (...) of measured models, one of `GEOMETRIES`."""
    names = xr.apply_ufunc(
        geometry,
        ds["W"],
        ds["is_represented"],
        input_core_dims=[["feature", "hidden"], ["feature"]],
        vectorize=True,
        output_dtypes=[object],
    )
    return ds.assign(geometry=names.astype(str))


def geometry(W: np.ndarray, represented: np.ndarray) -> str:
    """Names what five features form, of which some are represented: see `GEOMETRIES`."""
    if represented.all():
        # A regular pentagon has gaps of 72°; two would make 144°.
        return "pentagon" if max(gaps(W)) < 120 else "other"
    if [block.name for block in identify(W)] != ["digon", "digon"]:
        return "other"
    return "another dropped" if represented[VARIED] else "two digons"


def upright(W: np.ndarray) -> np.ndarray:
    """Rotates a model so that the varied feature, or without it another, points upwards."""
    norms = np.linalg.norm(W, axis=1)
    x, y = W[VARIED if norms[VARIED] > 0.5 else norms.argmax()]
    return W @ np.array([[y, x], [-x, y]]) / np.hypot(x, y)


def gaps(W: np.ndarray) -> np.ndarray:
    """Angles in degrees from each feature to the next, counterclockwise from the varied."""
    angles = np.degrees(np.arctan2(W[:, 1], W[:, 0]))
    turned = np.sort(np.mod(angles - angles[VARIED], 360))
    return np.diff(turned, append=360)


def neighbour_gaps(ds: xr.Dataset) -> xr.DataArray:
    """Mean angle between the varied feature and its two neighbours, of pentagons only."""
    gap = xr.apply_ufunc(
        lambda W: gaps(W)[[0, -1]].mean(),
        ds["W"],
        input_core_dims=[["feature", "hidden"]],
        vectorize=True,
    )
    return gap.where(ds["geometry"] == "pentagon")


def excess_of_pentagons(branches: xr.Dataset) -> xr.DataArray:
    """Loss of the pentagon minus that of two digons; NaN where a branch is left."""
    loss = branches["loss"].where(branches["geometry"] == branches["branch"])
    pentagon, digons = (loss.sel(branch=branch, drop=True) for branch in BRANCHES)
    return pentagon - digons


def crossing(difference: np.ndarray, ratios: np.ndarray) -> float:
    """Ratio at which ``difference`` falls through 0, linear in log ratio; NaN if none.

    Entries that are NaN, where a branch does not exist, are left out.
    """
    known = np.isfinite(difference)
    difference, logs = difference[known], np.log(ratios[known])
    falls = np.flatnonzero((difference[:-1] > 0) & (difference[1:] <= 0))
    if not len(falls):
        return np.nan
    ends = [falls[-1] + 1, falls[-1]]
    return float(np.exp(np.interp(0, difference[ends], logs[ends])))


def thresholds(branches: xr.Dataset) -> xr.DataArray:
    """Ratio below which two digons are better than the pentagon, for each repeat."""
    difference, core = excess_of_pentagons(branches), [["ratio"], ["ratio"]]
    return xr.apply_ufunc(
        crossing, difference, difference["ratio"], input_core_dims=core, vectorize=True
    )

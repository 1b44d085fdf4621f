"""Measures of five features in two dimensions, the first of them of another density."""

import numpy as np
import xarray as xr

from jsuper.polytopes.naming import identify

DENSITY = 0.05
"""Density of the four other features, in the paper."""

UNIT = DENSITY / 5
"""Unit of losses in figures: the paper's loss is a sum over five features, not a mean."""

PAPER_THRESHOLD = 1 / 2.5
BRANCHES = ("pentagon", "two digons")


def with_geometry(ds: xr.Dataset) -> xr.Dataset:
    """Adds the ``geometry`` of models: of `BRANCHES`, "another dropped" or "other"."""

    def named(W: np.ndarray, represented: np.ndarray) -> str:
        if represented.all():
            # A regular pentagon has gaps of 72°; two would make 144°.
            return "pentagon" if max(gaps(W)) < 120 else "other"
        if [block.name for block in identify(W)] != ["digon", "digon"]:
            return "other"
        return "another dropped" if represented[0] else "two digons"

    core = [["feature", "hidden"], ["feature"]]
    parts = ds["W"], ds["is_represented"]
    names = xr.apply_ufunc(
        named, *parts, input_core_dims=core, vectorize=True, output_dtypes=[object]
    )
    return ds.assign(geometry=names.astype(str))


def gaps(W: np.ndarray) -> np.ndarray:
    """Angles in degrees from each feature to the next, counterclockwise from the first."""
    angles = np.degrees(np.arctan2(W[:, 1], W[:, 0]))
    return np.diff(np.sort(np.mod(angles - angles[0], 360)), append=360)


def neighbour_gaps(ds: xr.Dataset) -> xr.DataArray:
    """Mean angle between the varied feature and its two neighbours, of pentagons only."""

    def mean(W):
        return gaps(W)[[0, -1]].mean()

    core = [["feature", "hidden"]]
    gap = xr.apply_ufunc(mean, ds["W"], input_core_dims=core, vectorize=True)
    return gap.where(ds["geometry"] == "pentagon")


def excess_of_pentagons(branches: xr.Dataset) -> xr.DataArray:
    """Loss of the pentagon minus that of two digons; NaN where a branch is left."""
    loss = branches["loss"].where(branches["geometry"] == branches["branch"])
    pentagon, digons = (loss.sel(branch=branch, drop=True) for branch in BRANCHES)
    return pentagon - digons


def thresholds(branches: xr.Dataset) -> xr.DataArray:
    """Ratio below which two digons beat the pentagon, for each repeat; NaN if none."""
    difference = excess_of_pentagons(branches)
    core = [["ratio"], ["ratio"]]
    return xr.apply_ufunc(
        crossing, difference, difference["ratio"], input_core_dims=core, vectorize=True
    )


def crossing(difference: np.ndarray, ratios: np.ndarray) -> float:
    """Ratio at which a difference falls through 0, linear in log ratio; NaN if none."""
    known = np.isfinite(difference)  # a branch may not exist everywhere
    difference, logs = difference[known], np.log(ratios[known])
    falls = np.flatnonzero((difference[:-1] > 0) & (difference[1:] <= 0))
    if not len(falls):
        return np.nan
    ends = [falls[-1] + 1, falls[-1]]
    return float(np.exp(np.interp(0, difference[ends], logs[ends])))

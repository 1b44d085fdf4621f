"""Measures of five features in two dimensions, the first of them of another density."""

import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from jsuper.polytopes.naming import identify
from jsuper.results.statistics import Interval, interval

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


def exists(branches: xr.Dataset) -> xr.DataArray:
    """Whether a branch has its own geometry still, and is a minimum."""
    own = branches["geometry"] == branches["branch"]
    return own & (branches["stands_at"] == "minimum")


def excess_of_pentagons(branches: xr.Dataset, loss: str = "loss") -> xr.DataArray:
    """Loss of the pentagon minus that of two digons; NaN where one does not exist."""
    found = branches[loss].where(exists(branches))
    pentagon, digons = (found.sel(branch=branch, drop=True) for branch in BRANCHES)
    return pentagon - digons


def thresholds(branches: xr.Dataset, loss: str = "loss") -> xr.DataArray:
    """Ratio below which two digons beat the pentagon; NaN if there is none."""
    difference = excess_of_pentagons(branches, loss)
    core = [["ratio"], ["ratio"]]
    return xr.apply_ufunc(
        crossing, difference, difference["ratio"], input_core_dims=core, vectorize=True
    )


def curve(values: np.ndarray, ratios: np.ndarray) -> CubicSpline:
    """The cubic spline of some values, where known, over the logarithm of the ratio."""
    known = np.isfinite(values)
    return CubicSpline(np.log(ratios[known]), values[known])


def crossing(difference: np.ndarray, ratios: np.ndarray) -> float:
    """Ratio at which a difference falls through 0, by its `curve`; NaN if none."""
    if np.isfinite(difference).sum() < 4:
        return np.nan
    spline = curve(difference, ratios)
    roots = spline.roots(extrapolate=False)
    return float(np.exp(max(roots[spline(roots, 1) < 0], default=np.nan)))


def density_of(ratio: float, branches: xr.Dataset) -> float:
    """Density of the four whose threshold is at a ratio, between those followed."""
    known = thresholds(branches).dropna("density")
    if known.size < 2:
        return np.nan
    found = CubicSpline(known["density"], known).solve(ratio, extrapolate=False)
    return float(found[0]) if found.size else np.nan


def factor_by_samples(branches: xr.Dataset, sampled: xr.Dataset) -> Interval:
    """How much less density the threshold is, by losses on samples of both branches.

    The error of their difference moves the crossing by itself over the slope.
    """
    excess, threshold = excess_of_pentagons(branches), float(thresholds(branches))
    slope = float(curve(excess.values, excess["ratio"].values)(np.log(threshold), 1))
    exact = excess.sel(ratio=sampled["ratio"]).item()
    pentagon, digons = (sampled["loss"].sel(branch=branch) for branch in BRANCHES)

    def factor(differences, axis):
        return np.exp((np.mean(differences, axis=axis) - exact) / slope) / threshold

    return interval(factor, (pentagon - digons).values)

"""Measures of five features in two dimensions, one of them of another density."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.polytopes.naming import identify

DENSITY = 0.05
"""Density of the four other features, in the paper."""

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
        # A regular pentagon has gaps of 72°; two would make 144.
        return "pentagon" if max(gaps(W)) < 120 else "other"
    names = [block.name for block in identify(W)]
    if names == ["digon", "digon"]:
        return "another dropped" if represented[VARIED] else "two digons"
    return "other"


def canonical(W: np.ndarray) -> np.ndarray:
    """Rotates, reflects and renumbers a model so that equal geometries look equal.

    The varied feature, or without it the first other one, points upwards; the others
    follow counterclockwise, the closer neighbour first.
    """
    norms = np.linalg.norm(W, axis=1)
    others = np.flatnonzero(np.arange(len(W)) != VARIED)
    up = VARIED if js.is_represented(W)[VARIED] else others[np.argmax(norms[others])]
    z = W[:, 0] + 1j * W[:, 1]
    z = z * 1j * np.conj(z[up]) / np.abs(z[up])

    def order(z):
        behind = np.mod(np.angle(z[others]) - np.pi / 2 + 1e-6, 2 * np.pi)
        return z[np.concatenate([[VARIED], others[np.argsort(behind)]])]

    left, right = order(z), order(-np.conj(z))
    z = min(left, right, key=lambda z: np.abs(z[1] / np.abs(z[1]) - z[up] / np.abs(z[up])))
    return np.stack([z.real, z.imag], axis=-1)


def gaps(W: np.ndarray) -> np.ndarray:
    """Angles in degrees from each feature to the next, counterclockwise from the varied."""
    angles = np.degrees(np.arctan2(W[:, 1], W[:, 0]))
    turned = np.sort(np.mod(angles - angles[VARIED], 360))
    return np.diff(turned, append=360)


def crossing(difference: np.ndarray, ratios: np.ndarray) -> float:
    """Ratio at which ``difference`` falls through 0, linear in log ratio; NaN if none.

    Entries that are NaN, where a branch does not exist, are left out.
    """
    known = np.isfinite(difference)
    difference, logs = difference[known], np.log(ratios[known])
    falls = np.flatnonzero((difference[:-1] > 0) & (difference[1:] <= 0))
    if not len(falls):
        return np.nan
    i = falls[-1]
    share = difference[i] / (difference[i] - difference[i + 1])
    return float(np.exp(logs[i] + share * (logs[i + 1] - logs[i])))


def excess_of_pentagons(branches: xr.Dataset) -> xr.DataArray:
    """Loss of the pentagon minus that of two digons; NaN where a branch is left."""
    loss = branches["loss"].where(branches["geometry"] == branches["branch"])
    pentagon, digons = (loss.sel(branch=branch, drop=True) for branch in BRANCHES)
    return pentagon - digons


def thresholds(branches: xr.Dataset) -> xr.DataArray:
    """Ratio below which two digons are better than the pentagon, for each repeat."""
    difference = excess_of_pentagons(branches)
    return xr.apply_ufunc(
        crossing,
        difference,
        difference["ratio"],
        input_core_dims=[["ratio"], ["ratio"]],
        vectorize=True,
    )


def neighbour_gaps(ds: xr.Dataset) -> xr.DataArray:
    """Mean angle between the varied feature and its two neighbours, of pentagons only."""

    def mean_gap(W):
        turns = gaps(W)
        return (turns[0] + turns[-1]) / 2

    gap = xr.apply_ufunc(
        mean_gap, ds["W"], input_core_dims=[["feature", "hidden"]], vectorize=True
    )
    return gap.where(ds["geometry"] == "pentagon")


def in_units_of_density(loss: xr.DataArray, density: float = DENSITY) -> xr.DataArray:
    """The paper's loss, a sum over features, in units of the four features' density."""
    return 5 * loss / density


def spread_of_losses(fits: xr.Dataset) -> tuple[float, float]:
    """Relative spread within a geometry, and relative distance between the two."""
    loss = fits["loss"]
    curves = [loss.where(fits["geometry"] == name) for name in BRANCHES]
    within = [float((c.std("seed") / c.mean("seed")).median()) for c in curves]
    first, second = (curve.mean("seed") for curve in curves)
    return max(within), float((abs(first - second) / np.minimum(first, second)).median())

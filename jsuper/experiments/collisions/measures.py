"""Which features share a neuron, and how their number grows with the sizes."""

import numpy as np
import xarray as xr

from jsuper.results.statistics import Interval, interval

STORED, ZERO = 0.5, 0.05
"""Absolute weights above which a feature is on a neuron, and below which it is not."""


def collisions(ds: xr.Dataset) -> xr.Dataset:
    """Counts pairs of features on one neuron, and features on one neuron only."""
    first, W = ds["W"].isel(step=0, drop=True), ds["W"].isel(step=-1, drop=True)
    positive, negative = (W > STORED).sum("feature"), (W < -STORED).sum("feature")
    together = positive + negative
    alone = ((abs(W) > STORED).sum("hidden") == 1) & ((abs(W) > ZERO).sum("hidden") == 1)
    start, end = (abs(weights).fillna(0).argmax("hidden") for weights in (first, W))
    counts = {
        "pairs": (together * (together - 1) / 2).sum("hidden"),
        "opposite": (positive * negative).sum("hidden"),
        "alone": alone.mean("feature"),
        "largest": (start == end).mean("feature"),
    }
    return xr.Dataset(counts)


def constant(counts: xr.Dataset) -> xr.DataArray:
    """Returns the number of pairs divided by n² / m."""
    return counts["pairs"] * counts["neurons"] / counts["n_features"]


def exponents(counts: xr.Dataset) -> dict[str, Interval]:
    """Returns a and b of pairs = c nᵃ mᵇ, by least squares of logarithms over all cells."""
    cells = counts["pairs"].stack(cell=("n_features", "neurons")).transpose("cell", "seed")
    n, ratio = np.log(cells["n_features"]), np.log(cells["neurons"])
    solve = np.linalg.pinv(np.stack([n, n + ratio, np.ones(n.size)], -1))

    def fit(row):
        def exponent(*samples, axis):
            return solve[row] @ np.log([sample.mean(axis) for sample in samples])

        return interval(exponent, *cells.values)

    return {"exponent of n": fit(0), "exponent of m": fit(1)}

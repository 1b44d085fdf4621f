"""Which features share a neuron, and how their number grows with the sizes."""

import numpy as np
import xarray as xr

from jsuper.results.statistics import Interval, interval

ON, OFF = 0.5, 0.05
"""A feature is on a neuron above the first absolute weight, off it below the second."""


def collisions(ds: xr.Dataset) -> xr.Dataset:
    """Counts each model's pairs of features on one neuron, and features on only one."""
    W = ds["W"].isel(step=-1, drop=True)
    start, end = abs(ds["W"].isel(step=0, drop=True)), abs(W)
    positive, negative = (W > ON).sum("feature"), (W < -ON).sum("feature")
    both = positive + negative
    winner = (end == end.max("hidden")) & (end > ON)
    counts = {
        "pairs": (both * (both - 1) / 2).sum("hidden"),
        "opposite": (positive * negative).sum("hidden"),
        "alone": (winner.any("hidden") & ((end > OFF).sum("hidden") == 1)).mean("feature"),
        "initial": (winner & (start == start.max("hidden"))).any("hidden").mean("feature"),
    }
    return xr.Dataset(counts)


def constant(counts: xr.Dataset) -> xr.DataArray:
    """Returns the number of pairs divided by n² / m."""
    return counts["pairs"] * counts["neurons_per_feature"] / counts["n_features"]


def exponents(counts: xr.Dataset) -> list[Interval]:
    """Returns a and b of pairs = c nᵃ mᵇ, by least squares of logarithms over all cells."""
    cells = counts["pairs"].stack(cell=["n_features", "neurons_per_feature"])
    n, ratio = cells["n_features"], cells["neurons_per_feature"]
    solve = np.linalg.pinv(np.log([n, n * ratio, np.full(n.size, np.e)])).T

    def fit(row):
        def exponent(*samples, axis):
            return solve[row] @ np.log([sample.mean(axis) for sample in samples])

        return interval(exponent, *cells.transpose("cell", "seed").values)

    return [fit(0), fit(1)]

"""Which features share a neuron, and how their number grows with the sizes."""

import numpy as np
import xarray as xr

from jsuper.results.statistics import Interval, interval

CELL = ["n_features", "neurons_per_feature"]
ON, OFF = 0.5, 0.05
"""A feature is on a neuron above the first absolute weight, off it below the second."""


def collisions(ds: xr.Dataset) -> xr.Dataset:
    """Counts each model's pairs of features on one neuron, and features on only one."""
    last = ds["W"].isel(step=-1, drop=True)
    start, end = abs(ds["W"].isel(step=0, drop=True)), abs(last)
    n, positive = (end > ON).sum("feature"), (last > ON).sum("feature")
    counts = xr.Dataset({"pairs": n * (n - 1) / 2, "opposite": positive * (n - positive)})
    winner = (end > ON) & (end == end.max("hidden"))
    alone = (winner.any("hidden") & ((end > OFF).sum("hidden") == 1)).mean("feature")
    initial = (winner & (start == start.max("hidden"))).any("hidden").mean("feature")
    return counts.sum("hidden").assign(alone=alone, initial=initial)


def exponents(pairs: xr.DataArray) -> list[Interval]:
    """Returns a and b of pairs = c nᵃ mᵇ, by least squares of logarithms over all cells."""
    cells = pairs.stack(cell=CELL).transpose("cell", "seed")
    n, ratio = cells["n_features"], cells["neurons_per_feature"]
    rows = np.linalg.pinv(np.log([n, n * ratio, np.full(n.size, np.e)])).T

    def fitted(row):
        return lambda *each, axis: row @ np.log([one.mean(axis) for one in each])

    return [interval(fitted(row), *cells.values) for row in rows[:2]]

"""Bars, interference and biases of the paper's figures, in numbers."""

import numpy as np
import xarray as xr


def count(ds: xr.Dataset) -> xr.Dataset:
    """Adds counts of bars, pairs and biases, whose margins are ours.

    Returns:
        The dataset with ``full`` bars (norm above 0.8), ``stubs`` (above 0.3),
        ``negative_biases`` of full bars (below −0.02), and ``positive_interference``, the
        pairs of represented features whose product is above 0.1.
    """
    full = ds["norm"] > 0.8
    positive = products(ds["W"].where(ds["is_represented"], 0)) > 0.1
    with_itself = ds["represented"]
    return ds.assign(
        full=full.sum("feature"),
        stubs=((ds["norm"] > 0.3) & ~full).sum("feature"),
        negative_biases=(full & (ds["b"] < -0.02)).sum("feature"),
        positive_interference=(positive.sum(("feature", "other")) - with_itself) // 2,
    )


def products(W: xr.DataArray) -> xr.DataArray:
    """W Wᵀ, dimensions (..., feature, other)."""
    return xr.dot(W, W.rename(feature="other"), dim="hidden")


def identity_gap(ds: xr.Dataset) -> xr.DataArray:
    """Largest difference of W Wᵀ from the identity of the most important features."""
    ideal = np.diag(np.arange(ds.sizes["feature"]) < ds.sizes["hidden"]).astype(float)
    off = products(ds["W"]) - xr.DataArray(ideal, dims=("feature", "other"))
    return abs(off).max(("feature", "other"))

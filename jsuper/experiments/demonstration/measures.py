"""Bars, interference and biases of the paper's figures, in numbers."""

import numpy as np
import xarray as xr

FULL = 0.8
"""Norm from which a bar is full; shorter ones above `STUB` are stubs."""

STUB = 0.3

POSITIVE = 0.1
"""Product of embeddings (of represented features) from which interference is positive."""

NEGATIVE = -0.02
"""Bias of a full bar below which it is negative."""


def count(ds: xr.Dataset) -> xr.Dataset:
    """Adds counts of full bars, stubs, positive interference and negative biases.

    Args:
        ds: Measured models with ``W`` and ``b``, dimensions (..., feature, hidden).

    Returns:
        The dataset with ``full``, ``stubs``, ``negative_biases`` (of full bars) and
        ``positive_interference`` (pairs of represented features), dimensions (...).
    """
    full = ds["norm"] > FULL
    positive = products(ds["W"].where(ds["is_represented"], 0)) > POSITIVE
    with_itself = ds["represented"]
    return ds.assign(
        full=full.sum("feature"),
        stubs=((ds["norm"] > STUB) & ~full).sum("feature"),
        negative_biases=(full & (ds["b"] < NEGATIVE)).sum("feature"),
        positive_interference=(positive.sum(("feature", "other")) - with_itself) // 2,
    )


def products(W: xr.DataArray) -> xr.DataArray:
    """W Wᵀ, dimensions (..., feature, other)."""
    return xr.dot(W, W.rename(feature="other"), dim="hidden")


def most_important(ds: xr.Dataset) -> xr.DataArray:
    """Whether a feature is one of as many first ones as there are dimensions."""
    return xr.DataArray(np.arange(ds.sizes["feature"]) < ds.sizes["hidden"], dims="feature")


def identity_gap(ds: xr.Dataset) -> xr.DataArray:
    """Largest difference of W Wᵀ from the identity of the most important features.

    Returns:
        One number for each model, dimensions (...).
    """
    ideal = xr.DataArray(
        np.diag(most_important(ds).astype(float)), dims=("feature", "other")
    )
    return abs(products(ds["W"]) - ideal).max(("feature", "other"))

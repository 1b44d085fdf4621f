"""What the bounds are about, of trained models."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.theory import bounds


def packing(ds: xr.Dataset) -> xr.Dataset:
    """Adds what the bounds are about to measured models of several sizes.

    ``packing`` is the sum of dimensionalities over m, ``represented_per_dimension`` the
    number of features represented over m; ``largest`` and ``rms`` are the interference of
    their unit vectors, ``welch`` is Welch's bound for them. These three are NaN where at
    most m features are represented. Dimensions (..., density, seed).

    Args:
        ds: What `jsuper.measure` returns, with an axis ``n_hidden``.
    """
    found = xr.apply_ufunc(
        _interference,
        ds["W"],
        ds["is_represented"],
        ds["n_hidden"],
        input_core_dims=[["feature", "hidden"], ["feature"], []],
        output_core_dims=[[], [], []],
        vectorize=True,
    )
    ds = ds.assign(
        packing=ds["dimensionality"].sum("feature") / ds["n_hidden"],
        represented_per_dimension=ds["represented"] / ds["n_hidden"],
        **dict(zip(("largest", "rms", "welch"), found, strict=True)),
    )
    return ds.transpose(*ds["loss"].dims, ...)


def _interference(W: np.ndarray, represented: np.ndarray, n_hidden: int):
    if represented.sum() <= n_hidden:
        return np.nan, np.nan, np.nan
    W = W[represented, :n_hidden]
    return *bounds.coherence(W), float(bounds.welch_bound(len(W), n_hidden))


def needed(ds: xr.Dataset) -> xr.DataArray:
    """-n p log p over m of every model, n the number of features represented."""
    per_dimension, p = ds["represented_per_dimension"], ds["density"]
    return xr.apply_ufunc(bounds.recovery_dimensions, per_dimension, p)


def sensing_constant(ds: xr.Dataset) -> float:
    """The largest C for which m >= -C n p log p holds of every trained model.

    The bound of compressed sensing leaves C open.
    """
    return float(1 / needed(ds).max())


def free_of_superposition(ds: xr.Dataset) -> xr.DataArray:
    """The smallest penalty from which on no model superposes features; else NaN.

    Along what remains beside ``l1`` and ``seed``.
    """
    return js.holds_from((ds["superposed"] == 0).all("seed"), "l1")


def relative_cost(ds: xr.Dataset) -> xr.DataArray:
    """Loss without the penalty, relative to models trained without it: (..., l1, seed)."""
    loss = ds["reconstruction_loss"]
    return loss / loss.sel(l1=0).mean("seed")

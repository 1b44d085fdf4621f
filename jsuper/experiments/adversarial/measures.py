"""A model without superposition, correlations over densities, and when it is gone."""

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import jsuper as js

MOST_STORED = 1.1
"""Features per dimension up to which a model counts as one without superposition."""


def dedicated_params(n_features: int, n_hidden: int, density) -> dict[str, jax.Array]:
    """No superposition: m features returned exactly, the mean p / 2 for the others."""
    bias = jnp.where(jnp.arange(n_features) < n_hidden, 0.0, density / 2)
    return {"W": jnp.eye(n_features, n_hidden), "b": bias}


def fisher_mean(r: np.ndarray, axis: int) -> np.ndarray:
    """Mean of correlations on Fisher's scale, on which their noise is even."""
    return np.tanh(np.arctanh(r).mean(axis))


def removal(ds: xr.Dataset) -> xr.DataArray:
    """The smallest attack from which on at most 1.1 features are stored per dimension.

    Infinite where the largest attack of the sweep does not suffice.
    """
    removed = ds["features_per_dimension"] <= MOST_STORED
    return js.holds_from(removed, "attack").fillna(np.inf)

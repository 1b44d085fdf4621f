"""A model without superposition, correlations over densities, and when it is gone."""

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.results.statistics import Interval, interval

SIZES = ("of this density's inputs", "of dense inputs")
"""The two readings of the mean norm."""

MOST_STORED = 1.1
"""Features per dimension up to which a model counts as one without superposition."""


def dedicated_params(n_features: int, n_hidden: int, density) -> dict[str, jax.Array]:
    """No superposition: m features returned exactly, the mean p / 2 for the others."""
    bias = jnp.where(jnp.arange(n_features) < n_hidden, 0.0, density / 2)
    return {"W": jnp.eye(n_features, n_hidden), "b": bias}


def correlation(ds: xr.Dataset) -> Interval:
    """Correlation over densities of vulnerability with 1/D*, averaged over seeds.

    One correlation for each seed; their mean is that of Fisher's scale.
    """
    r = xr.corr(ds["vulnerability"], ds["features_per_dimension"], "density").values
    return interval(lambda r, axis: np.tanh(np.arctanh(r).mean(axis)), r)


def removal(ds: xr.Dataset) -> xr.DataArray:
    """The smallest attack from which on at most 1.1 features are stored per dimension.

    Infinite where the largest attack of the sweep does not suffice.
    """
    removed = ds["features_per_dimension"] <= MOST_STORED
    return js.holds_from(removed, "attack").fillna(np.inf)

r"""Geometry added to the result of a sweep."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from jsuper import geometry
from jsuper.padding import is_padding, own_size
from jsuper.results.blockwise import blockwise, is_lazy
from jsuper.results.models import is_finite
from jsuper.results.seeds import best_seed as best_seed  # its path of old

LONG_NAMES = {
    "norm": "norm ‖Wᵢ‖",
    "dimensionality": "feature dimensionality Dᵢ",
    "superposition": "superposition Σⱼ≠ᵢ (Ŵᵢ·Wⱼ)²",
    "is_represented": "feature represented",
    "features_per_dimension": "features per dimension ‖W‖²/m",
    "represented": "features represented",
    "dedicated": "features dedicated",
    "superposed": "features superposed",
}

AT_ONCE = 2**22
"""Numbers in the n × n matrices of the models that are measured at once."""


def measure(ds: xr.Dataset, weights: str = "W") -> xr.Dataset:
    r"""Adds what the weights say about superposition to the result of a sweep.

    Args:
        ds: A dataset with weights of dimensions (..., feature, hidden) in any order, as
            `jsuper.sweep` returns it. One with arrays of Dask, as that of a store, is
            measured block by block when values are needed.
        weights: The variable that holds them, such as ``"W_in"``.

    Returns:
        A new dataset with these variables besides:

        - ``norm`` (..., feature): $\lVert W_i \rVert$;
        - ``dimensionality`` (..., feature): $D_i$ in [0, 1];
        - ``superposition`` (..., feature): $\sum_{j \ne i} (\hat W_i \cdot W_j)^2$;
        - ``is_represented`` (..., feature): whether the norm is above 1/2, a bool;
        - ``features_per_dimension`` (...): $1 / D^* = \lVert W \rVert_F^2 / m$;
        - ``represented`` (...): number of features represented;
        - ``dedicated`` (...): number of those that have a dimension to themselves,
          superposition below 1/4;
        - ``superposed`` (...): number of those that share one.

        All this is NaN (``is_represented`` false) of a model that diverged, and of the
        features that a model of several sizes does not have.

    Raises:
        ValueError: If ``ds`` holds no such weights, or has an axis named like a measure.

    Example:
        >>> import numpy as np, xarray as xr, jsuper as js
        >>> pentagon = [[np.cos(a), np.sin(a)] for a in 2 * np.pi * np.arange(5) / 5]
        >>> ds = js.measure(xr.Dataset({"W": (("feature", "hidden"), pentagon)}))
        >>> ds["dimensionality"].values.round(3)
        array([0.4, 0.4, 0.4, 0.4, 0.4], dtype=float32)
        >>> float(ds["represented"]), float(ds["dedicated"]), float(ds["superposed"])
        (5.0, 0.0, 5.0)
    """
    array = weights_of(ds, weights)
    if is_lazy(ds):
        of_block = functools.partial(measure, weights=weights)
        return blockwise(of_block, ds, "feature", "hidden")
    array = array.transpose(..., "feature", "hidden")
    clash = sorted(set(LONG_NAMES) & set(map(str, ds.dims)))
    if clash:
        raise ValueError(
            f"ds must have no axis named {clash[0]!r}: rename it before measuring"
        )
    model = array.isel(feature=0, hidden=0, drop=True)
    padding = _along(is_padding(array), array)
    finite = (np.isfinite(array.values) | padding).all(axis=(-2, -1))
    finite &= _along(is_finite(ds), model) & ~padding.all(axis=(-2, -1))
    W = np.where(padding, 0, array.values)
    W = np.where(finite[..., None, None], W, np.nan)
    measured = _measured(W)
    for name in ("represented", "dedicated", "superposed"):
        measured[name][~finite] = np.nan
    for name in ("norm", "dimensionality", "superposition"):
        measured[name][padding.all(axis=-1)] = np.nan
    measured["features_per_dimension"] *= W.shape[-1] / _along(
        own_size(array, "hidden"), model
    )
    return ds.assign(
        {
            name: (
                array.dims[: measured[name].ndim],
                measured[name],
                {"long_name": long_name},
            )
            for name, long_name in LONG_NAMES.items()
        }
    )


def weights_of(ds: xr.Dataset, name: str = "W") -> xr.DataArray:
    """Returns the weights of the models of ``ds``.

    Raises:
        ValueError: If there is no such variable along feature and hidden.
    """
    if name not in ds or not {"feature", "hidden"} <= set(ds[name].dims):
        raise ValueError(
            f"ds must have a variable {name} with dimensions (..., feature, hidden), got "
            f"variables {sorted(map(str, ds.data_vars))}"
        )
    return ds[name]


def _measured(W: np.ndarray) -> dict[str, np.ndarray]:
    """Measures of models, shape (..., n_features, n_hidden), some of them at once."""
    n, m = W.shape[-2:]
    n_models, size = W[..., 0, 0].size, max(1, AT_ONCE // n**2)
    if n_models <= size:
        return _measured_at_once(jnp.asarray(W))
    flat, parts = W.reshape(-1, n, m), []
    for i in range(0, n_models, size):
        first = min(i, n_models - size)  # the last part has the same shape
        part = _measured_at_once(jnp.asarray(flat[first : first + size]))
        parts.append({name: array[i - first :] for name, array in part.items()})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {k: a.reshape(*W.shape[:-2], *a.shape[1:]) for k, a in joined.items()}


def _measured_at_once(W: jax.Array) -> dict[str, np.ndarray]:
    represented, dedicated = geometry.is_represented(W), geometry.is_dedicated(W)
    number = jnp.result_type(float)
    measured = {
        "norm": geometry.feature_norms(W),
        "dimensionality": geometry.feature_dimensionality(W),
        "superposition": geometry.superposition(W),
        "is_represented": represented,
        "features_per_dimension": 1 / geometry.dimensions_per_feature(W),
        "represented": represented.sum(-1, dtype=number),
        "dedicated": dedicated.sum(-1, dtype=number),
        "superposed": (represented & ~dedicated).sum(-1, dtype=number),
    }
    return {name: np.array(values) for name, values in measured.items()}


def _along(array: xr.DataArray, whole: xr.DataArray) -> np.ndarray:
    """Values along all dimensions of ``whole``; along others, whether all are true."""
    beside = [dim for dim in array.dims if dim not in whole.dims]
    array = array.all(beside) if beside else array
    return array.broadcast_like(whole).transpose(*whole.dims).values

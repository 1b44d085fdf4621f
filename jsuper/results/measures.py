r"""Geometry added to the result of a sweep."""

import jax.numpy as jnp
import numpy as np
import xarray as xr

from jsuper import geometry
from jsuper.results.seeds import best_seed as best_seed  # it was here once


def measure(ds: xr.Dataset) -> xr.Dataset:
    r"""Adds what the weights say about superposition to the result of a sweep.

    Args:
        ds: A dataset with ``W`` of dimensions (..., feature, hidden), as
            `jsuper.sweep` returns it.

    Returns:
        A new dataset with these variables besides:

        - ``norm`` (..., feature): $\lVert W_i \rVert$;
        - ``dimensionality`` (..., feature): $D_i$ in [0, 1];
        - ``superposition`` (..., feature): $\sum_{j \ne i} (\hat W_i \cdot W_j)^2$;
        - ``features_per_dimension`` (...): $1 / D^* = \lVert W \rVert_F^2 / m$;
        - ``represented`` (...): number of features with norm above 1/2;
        - ``dedicated`` (...): number of those that have a dimension to themselves,
          superposition below 1/4;
        - ``superposed`` (...): number of those that share one.

        Everything of a model that diverged is NaN.

    Raises:
        ValueError: If ``ds`` holds no such ``W``, or has an axis named like a measure.

    Example:
        >>> import numpy as np, xarray as xr, jsuper as js
        >>> pentagon = [[np.cos(a), np.sin(a)] for a in 2 * np.pi * np.arange(5) / 5]
        >>> ds = js.measure(xr.Dataset({"W": (("feature", "hidden"), pentagon)}))
        >>> ds["dimensionality"].values.round(3)
        array([0.4, 0.4, 0.4, 0.4, 0.4], dtype=float32)
        >>> float(ds["represented"]), float(ds["dedicated"]), float(ds["superposed"])
        (5.0, 0.0, 5.0)
    """
    dims = ds["W"].dims if "W" in ds else ()
    if not {"feature", "hidden"} <= set(dims):
        raise ValueError(
            "ds must have a variable W with dimensions (..., feature, hidden), got "
            f"variables {sorted(map(str, ds.data_vars))}"
        )
    weights = ds["W"].transpose(..., "feature", "hidden")
    per_feature, per_model = weights.dims[:-1], weights.dims[:-2]
    finite = np.asarray(np.isfinite(weights.values).all(axis=(-2, -1)))
    if "finite" in ds:
        finite = finite & ds["finite"].transpose(*per_model).values
    W = jnp.asarray(np.where(finite[..., None, None], weights.values, np.nan))

    def count(features):
        return jnp.where(finite, features.sum(-1), jnp.nan)

    represented = geometry.is_represented(W)
    dedicated = geometry.is_dedicated(W)
    measured = {
        "norm": (per_feature, geometry.feature_norms(W), "norm ‖Wᵢ‖"),
        "dimensionality": (
            per_feature,
            geometry.feature_dimensionality(W),
            "feature dimensionality Dᵢ",
        ),
        "superposition": (
            per_feature,
            geometry.superposition(W),
            "superposition Σⱼ≠ᵢ (Ŵᵢ·Wⱼ)²",
        ),
        "features_per_dimension": (
            per_model,
            1 / geometry.dimensions_per_feature(W),
            "features per dimension ‖W‖²/m",
        ),
        "represented": (per_model, count(represented), "features represented"),
        "dedicated": (per_model, count(dedicated), "features dedicated"),
        "superposed": (
            per_model,
            count(represented & ~dedicated),
            "features superposed",
        ),
    }
    clash = sorted(set(measured) & set(map(str, ds.dims)))
    if clash:
        raise ValueError(
            f"ds must have no axis named {clash[0]!r}: rename it before measuring"
        )
    return ds.assign(
        {
            name: (dims, np.asarray(values), {"long_name": long_name})
            for name, (dims, values, long_name) in measured.items()
        }
    )

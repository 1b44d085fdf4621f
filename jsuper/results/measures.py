r"""Geometry added to the result of a sweep, and the best model of each cell."""

import jax.numpy as jnp
import numpy as np
import xarray as xr

from jsuper import geometry


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


def best_seed(ds: xr.Dataset) -> xr.Dataset:
    """Returns the model of lowest loss in every cell.

    Args:
        ds: A dataset with ``loss`` along a dimension ``seed``. What a callback of
            `jsuper.sweep` receives has no ``loss`` yet and is judged by the last entry of
            its ``history``; what `jsuper.snapshots` returns, by its last step.

    Returns:
        The dataset without that dimension; the coordinate ``seed`` says which was kept.
        A diverged model is kept only where all seeds diverged.

    Raises:
        ValueError: If ``ds`` has neither along ``seed``.

    Example:
        >>> import numpy as np, xarray as xr, jsuper as js
        >>> ds = xr.Dataset({"loss": ("seed", [0.3, 0.1, np.nan])}, {"seed": [5, 6, 7]})
        >>> int(js.best_seed(ds)["seed"])
        6
    """
    if "loss" not in ds and "history" in ds:
        loss = ds["history"].isel(step=-1, drop=True)
    else:
        loss = ds.get("loss")
    if loss is None or "seed" not in loss.dims:
        raise ValueError("ds must have a variable loss along the dimension seed")
    if "step" in loss.dims:
        loss = loss.isel(step=-1, drop=True)
    loss = loss.fillna(np.inf)
    return ds.isel(seed=loss.argmin("seed"))

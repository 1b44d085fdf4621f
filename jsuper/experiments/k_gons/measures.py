"""Names and losses of the solutions of one-hot features in two dimensions."""

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.files import datasets
from jsuper.theory.one_hot import k_gon

TOLERANCE = 5e-4
"""How close to the closed form the loss of a trained model has to be to have its name."""


def task(n_features: int, scale=0.1) -> js.Task:
    """One of c features is active in each example; the loss is the mean over features."""
    features = js.AnticorrelatedFeatures(1, n_features, density=1.0)
    return js.Task(features, js.ToyModel(n_features, 2, init_std=scale))


@jax.jit
def exact_loss(W, b):
    """The paper's loss of models, the sum over features, shape (...)."""
    n = W.shape[-2]

    def loss(W, b):
        return n * js.population_loss(task(n), {"W": W, "b": b})

    return jnp.vectorize(loss, signature="(n,m),(n)->()")(W, b)


def corners_of_name(name: str) -> int:
    """How many corners of a solution fire."""
    return int(name[0]) - name.count("−")


def level(n_features: int, name: str) -> float:
    """The loss in closed form of a solution; silent corners cost as much as dead ones."""
    c, potential = n_features, k_gon(int(name[0])).potential
    return (potential + c - corners_of_name(name) - 0.75 * name.count("+") / c) / (3 * c)


def identify(ds: xr.Dataset, tolerance: float = TOLERANCE) -> xr.Dataset:
    """Adds the exact loss, the corners and dead features of positive bias, and the name."""
    W, b, c = ds["W"], ds["b"], ds.sizes["feature"]
    square = (W**2).sum("hidden")
    fires = (square > 0.25) & (square + b > 0)
    corners = fires.sum("feature")
    positive = (~fires & (b > 1 / (4 * c))).sum("feature")

    def name(k, plus, loss):
        known = f"{max(k, 4)}{'+' * plus}{'−' * (4 - k)}"
        return known if abs(loss - level(c, known)) < tolerance else "other"

    loss = xr.apply_ufunc(
        lambda W, b: np.asarray(exact_loss(W, b)),
        *(W, b),
        input_core_dims=[["feature", "hidden"], ["feature"]],
    )
    names = xr.apply_ufunc(
        name, corners, positive, loss, vectorize=True, output_dtypes=[object]
    )
    loss.attrs["long_name"] = "exact loss, sum over features"
    return ds.assign(
        exact_loss=loss, corners=corners, positive=positive, name=names.astype(str)
    )


def plateaus(watched: xr.Dataset) -> xr.DataArray:
    """What each model stays near for a tenth of a decade or more: lists, in order.

    An entry is a name and the position of a snapshot within the stay. A short absence does
    not end a stay; after another plateau the same solution counts again.
    """

    def of_run(names, decades):
        stays: list[tuple[str, int]] = []
        ends = np.flatnonzero(np.r_[names[1:] != names[:-1], True])
        for i, j in zip(np.r_[0, ends[:-1] + 1], ends, strict=True):
            known = names[i] != "other" and decades[j] - decades[i] >= 0.1
            if known and (not stays or stays[-1][0] != names[i]):
                stays.append((str(names[i]), int(i + j) // 2))
        return stays

    return xr.apply_ufunc(
        of_run,
        *(watched["name"], np.log10(watched["step"])),
        input_core_dims=[["step"], ["step"]],
        vectorize=True,
        output_dtypes=[object],
    )


def by_features(models: xr.DataTree, prefix: str) -> xr.Dataset:
    """What `identify` found for all numbers of features, of which each has a dataset."""
    found = {
        ds.sizes["feature"]: ds[["exact_loss", "corners", "name"]]
        for name, ds in datasets(models).items()
        if name.startswith(prefix)
    }
    joined = xr.concat(list(found.values()), "features", join="outer")
    return joined.assign_coords(features=list(found))

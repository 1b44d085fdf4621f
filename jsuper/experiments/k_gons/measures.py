"""Names and losses of the solutions of one-hot features in two dimensions."""

import itertools
from typing import NamedTuple

import jax
import numpy as np
import xarray as xr

from jsuper.files import datasets
from jsuper.theory.one_hot import k_gon, one_hot_potential

TOLERANCE = 5e-4
"""How close to the closed form the loss of a trained model has to be to have its name."""

NEAR = 5e-3
"""How close for a model in training, which passes by."""


def exact_loss(W, b):
    """The paper's loss of models, shape (...)."""
    return one_hot_potential(W, b) / (3 * W.shape[-2])


def level(n_features, corners, positive):
    """The loss in closed form of a polygon with some positive biases.

    Corners of a square do not interfere: one that is missing costs as much as a dead
    feature.
    """
    c = n_features
    potential = k_gon(corners).potential if corners > 4 else 0.0
    return (potential + c - corners - 0.75 * positive / c) / (3 * c)


def level_of_name(n_features: int, name: str) -> float:
    """The loss in closed form of a solution, by its name."""
    return level(n_features, corners_of_name(name), name.count("+"))


def corners_of_name(name: str) -> int:
    """How many corners of a solution fire."""
    return int(name[0]) - name.count("−")


def lowest_level(n_features: int) -> float:
    """The lowest loss of all k-gons with dead features of either bias, in closed form."""
    c = n_features
    return min(level(c, k, plus) for k in range(4, c + 1) for plus in range(c - k + 1))


def identify(ds: xr.Dataset, tolerance: float = TOLERANCE) -> xr.Dataset:
    """Adds the exact loss, the corners and dead features of positive bias, and the name."""
    W, b, c = ds["W"], ds["b"], ds.sizes["feature"]
    square = (W**2).sum("hidden")
    fires = (square > 0.25) & (square + b > 0)
    corners = fires.sum("feature")
    positive = (~fires & (b > 1 / (4 * c))).sum("feature")

    def name(k, plus, loss):
        near = abs(loss - level(c, int(k), int(plus))) < tolerance
        return f"{max(k, 4)}{'+' * plus}{'−' * (4 - k)}" if near else "other"

    loss = xr.apply_ufunc(
        lambda W, b: np.asarray(jax.jit(exact_loss)(W, b)),
        *(W, b),
        input_core_dims=[["feature", "hidden"], ["feature"]],
    )
    names = xr.apply_ufunc(
        name, corners, positive, loss, vectorize=True, output_dtypes=[object]
    )
    return ds.assign(
        exact_loss=loss.assign_attrs(long_name="exact loss, sum over features"),
        corners=corners,
        positive=positive,
        name=names.astype(str),
    )


class Plateau(NamedTuple):
    """A stay near one solution: its name, and the position of a snapshot within."""

    name: str
    snapshot: int


def plateaus(names: np.ndarray, steps: np.ndarray) -> list[Plateau]:
    """What one model stays near for a tenth of a decade or more, in order.

    A short absence does not end a stay; after another plateau the same solution counts
    again.
    """
    decades = np.log10(steps)
    ends = np.flatnonzero(np.r_[names[1:] != names[:-1], True])
    firsts = np.r_[0, ends[:-1] + 1]
    stays = [
        Plateau(str(names[i]), int(i + j) // 2)
        for i, j in zip(firsts, ends, strict=True)
        if decades[j] - decades[i] >= 0.1 and names[i] != "other"
    ]
    return [next(group) for _, group in itertools.groupby(stays, lambda stay: stay.name)]


def by_features(models: xr.DataTree, prefix: str, names: list[str]) -> xr.Dataset:
    """Some variables of all numbers of features, of which each has a dataset."""
    found = {
        ds.sizes["feature"]: ds[names]
        for name, ds in datasets(models).items()
        if name.startswith(prefix)
    }
    joined = xr.concat(list(found.values()), "features", join="outer")
    return joined.assign_coords(features=list(found))


def largest_slope(corners: int) -> float:
    """The largest entry of the potential's gradient at the k-gon of our theory."""
    with jax.enable_x64(True):
        gradient = jax.grad(lambda p: one_hot_potential(p["W"], p["b"]))
        found = jax.jit(gradient)(k_gon(corners).params(corners))
        return max(float(abs(g).max()) for g in jax.tree.leaves(found))

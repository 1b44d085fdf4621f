r"""Classes of the paper's solutions: how neurons with a ReLU are shared.

Weights W have shape (n_features, n_hidden), with other axes before them where that is said.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr

import jsuper as js


def is_represented(W: np.ndarray) -> np.ndarray:
    """Tells which features have positive weights of a norm above 1/2, shape (..., feature).

    Through negative weights nothing gets past the ReLU.
    """
    return np.linalg.norm(np.maximum(W, 0), axis=-1) > 0.5


def described(ds: xr.Dataset) -> xr.Dataset:
    """Adds ``monosemantic``, the neurons in use with one feature, and ``represented``."""
    W = ds["W"].transpose(..., "feature", "hidden")
    in_use = np.linalg.norm(W.values, axis=-2) > 0.5
    single = in_use & (np.asarray(js.features_per_neuron(W.values)) == 1)
    return ds.assign(
        monosemantic=(W.dims[:-2], single.sum(-1)),
        represented=(W.dims[:-2], is_represented(W.values).sum(-1)),
    )


def neurons_of_features(W: np.ndarray) -> list[frozenset[int]]:
    """The neurons of every represented feature: positive weights above half its largest."""
    rows = W[is_represented(W)]
    return [frozenset(np.flatnonzero(row > 0.5 * row.max()).tolist()) for row in rows]


def shared_neurons(W: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Represented features without a neuron to themselves, in the neurons they share."""
    alone = np.asarray(js.features_per_neuron(W)) == 1
    owners = np.abs(W).argmax(0)[alone]
    rows = np.setdiff1d(np.flatnonzero(is_represented(W)), owners)
    return rows.tolist(), W[np.ix_(rows, ~alone)]


def is_both_and_antipodal(W: np.ndarray) -> bool:
    """Three features in two neurons: one in both, two with opposite signs."""
    features, shared = shared_neurons(W)
    signs = sorted(np.sign(shared).astype(int).tolist())
    return features == [3, 4, 5] and signs == [[-1, 1], [1, -1], [1, 1]]


def is_separated(W: np.ndarray) -> bool:
    """Six features in four neurons, of which one tells important from unimportant ones.

    In it the three important features have one sign and the others the other; in the
    remaining three neurons the important features have two each, the others one.
    """
    _, shared = shared_neurons(W)
    if shared.shape != (6, 4):
        return False
    for k in range(4):
        signs, rest = np.sign(shared[:, k]), np.delete(shared, k, axis=1)
        apart = (signs[:3] == -signs[3]).all() and (signs[3:] == signs[3]).all()
        if apart and (rest > 0.25).sum(1).tolist() == [2, 2, 2, 1, 1, 1]:
            return True
    return False


def are_pairs(W: np.ndarray) -> bool:
    """Every feature has two neurons, and no two features the same ones."""
    sets = neurons_of_features(W)
    return len(set(sets)) == len(W) and all(len(own) == 2 for own in sets)


class Solution(NamedTuple):
    """A class of models in words, and by two numbers and how neurons are shared."""

    stated: str
    monosemantic: int
    represented: int
    structure: Callable[[np.ndarray], bool] = lambda W: True

    def holds(self, ds: xr.Dataset) -> xr.DataArray:
        """Tells which models that were `described` are of the class."""
        dims = [["feature", "hidden"]]
        found = xr.apply_ufunc(
            self.structure, ds["W"], input_core_dims=dims, vectorize=True
        )
        found &= ds["monosemantic"] == self.monosemantic
        return found & (ds["represented"] == self.represented)


SOLUTIONS = {
    0.75: Solution("all neurons monosemantic (range .5 and above)", 5, 5),
    0.35: Solution(
        "features 0 to 2 dedicated, the next 3 in 2 neurons: one in both, two "
        "antipodal (range .2 to .5)",
        *(3, 6, is_both_and_antipodal),
    ),
    0.15: Solution("2 monosemantic neurons, 5 features in 3 neurons", 2, 7),
    0.12: Solution(
        "1 monosemantic neuron, 6 features in 4; one of them separates important from "
        "unimportant features, which have 2 and 1 of the other 3",
        *(1, 7, is_separated),
    ),
    0.06: Solution("8 features in 5 neurons, all polysemantic (range .05 to .08)", 0, 8),
    0.02: Solution(
        "every feature is a pair of neurons (range .04 and below)", 0, 10, are_pairs
    ),
}
"""What the paper describes, by a density of each of its ranges."""

r"""Which of the paper's solutions is it? Classes of models with a ReLU hidden layer.

Elhage et al. 2022, "Superposition in a Privileged Basis", describes the best solution of
ten features in five neurons by how many neurons serve one feature, and how the others are
shared. Weights W have shape (n_features, n_hidden), or (..., n_features, n_hidden) where
that is said.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.plots import neurons

MIN_SHARE = 0.25
"""Share of a neuron's largest weight above which a feature counts as one of its own."""


def is_represented(W: np.ndarray) -> np.ndarray:
    """Tells which features have positive weights of a norm above 1/2, shape (..., feature).

    Only positive weights can represent a feature here: through the others nothing gets
    past the ReLU.
    """
    return np.asarray(js.is_represented(np.maximum(W, 0)))


def counts(W: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of monosemantic and polysemantic neurons and of features represented.

    Of weights (..., feature, hidden), each of shape (...).
    """
    per_neuron = np.asarray(js.features_per_neuron(W, MIN_SHARE))
    in_use = np.linalg.norm(W, axis=-2) > 0.5
    alone, several = in_use & (per_neuron == 1), in_use & (per_neuron > 1)
    return alone.sum(-1), several.sum(-1), is_represented(W).sum(-1)


def described(ds: xr.Dataset) -> xr.Dataset:
    """Adds ``monosemantic``, ``polysemantic`` and ``represented``, the counts of each."""
    W = ds["W"].transpose(..., "feature", "hidden")
    names = ("monosemantic", "polysemantic", "represented")
    found = zip(names, counts(W.values), strict=True)
    return ds.assign({name: (W.dims[:-2], number) for name, number in found})


def signed_sets(W: np.ndarray) -> str:
    """The features of every neuron, as in ``0 / 3 4 −5``, with the signs of the weights."""
    sets = []
    for column in W.T[neurons.neuron_order(W)]:
        own = np.flatnonzero(np.abs(column) > MIN_SHARE * np.abs(column).max())
        sets.append(" ".join(f"{'−' if column[i] < 0 else ''}{i}" for i in own))
    return " / ".join(sets)


def neurons_of_features(W: np.ndarray) -> list[frozenset[int]]:
    """The neurons of every represented feature: positive weights above half its largest."""
    return [
        frozenset(np.flatnonzero(row > 0.5 * row.max()).tolist())
        for row, kept in zip(W, is_represented(W), strict=True)
        if kept
    ]


def shared_neurons(W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Represented features without a neuron to themselves, in the neurons they share."""
    alone = np.asarray(js.features_per_neuron(W, MIN_SHARE)) == 1
    main = np.abs(W).argmax(0)
    rows = [i for i in np.flatnonzero(is_represented(W)) if i not in main[alone]]
    return np.array(rows), W[np.ix_(rows, ~alone)]


def is_both_and_antipodal(W: np.ndarray) -> bool:
    """Three features in two neurons: one in both, two with opposite signs."""
    features, shared = shared_neurons(W)
    if features.tolist() != [3, 4, 5] or shared.shape != (3, 2):
        return False
    signs = sorted(np.sign(shared).astype(int).tolist())
    return signs == [[-1, 1], [1, -1], [1, 1]]


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
        sizes = (rest > 0.25).sum(1).tolist()
        if apart and sizes == [2, 2, 2, 1, 1, 1]:
            return True
    return False


def are_pairs(W: np.ndarray) -> bool:
    """Every feature has two neurons, and no two features the same ones."""
    sets = neurons_of_features(W)
    return len(set(sets)) == len(W) and all(len(own) == 2 for own in sets)


class Solution(NamedTuple):
    """A class of models that the paper describes.

    Args:
        stated: In words.
        numbers: Monosemantic neurons and features represented, where it says so.
        structure: Tells of the weights of one model whether they are shared so.
    """

    stated: str
    numbers: tuple[int, int] | None
    structure: Callable[[np.ndarray], bool] | None = None

    def holds(self, W: np.ndarray) -> np.ndarray:
        """Tells which models are of the class, of weights (model, feature, hidden)."""
        found = np.ones(len(W), bool)
        if self.numbers:
            alone, _, represented = counts(W)
            found = (alone == self.numbers[0]) & (represented == self.numbers[1])
        if self.structure:
            found[found] = [self.structure(one) for one in W[found]]
        return found


SOLUTIONS = {
    0.75: Solution("all neurons monosemantic (range .5 and above)", (5, 5)),
    0.35: Solution(
        "features 0 to 2 dedicated, the next 3 in 2 neurons: one in both, two "
        "antipodal (range .2 to .5)",
        (3, 6),
        is_both_and_antipodal,
    ),
    0.15: Solution("2 monosemantic neurons, 5 features in 3 neurons", (2, 7)),
    0.12: Solution(
        "1 monosemantic neuron, 6 features in 4; one of them separates important from "
        "unimportant features, which have 2 and 1 of the other 3",
        (1, 7),
        is_separated,
    ),
    0.06: Solution("8 features in 5 neurons, all polysemantic (range .05 to .08)", (0, 8)),
    0.02: Solution(
        "every feature is a pair of neurons (range .04 and below)", None, are_pairs
    ),
}
"""What the paper describes, by a density of each of its ranges."""


def mean_alignment(W: np.ndarray) -> np.ndarray:
    """Mean alignment of represented features with their best neuron, shape (...)."""
    kept = np.asarray(js.is_represented(W))
    aligned = np.where(kept, np.asarray(js.basis_alignment(W)), 0.0)
    return aligned.sum(-1) / np.maximum(kept.sum(-1), 1)


def alignments(
    rectified: xr.Dataset, linear: xr.Dataset, key: jax.Array, n_rotations: int
) -> xr.Dataset:
    """Alignment with the hidden axes: with ReLU, without, and after random rotations.

    Variables ``ReLU``, ``linear`` and ``rotated`` (density, seed).
    """
    of = {
        name: ds["W"].transpose("density", "seed", "feature", "hidden").values
        for name, ds in (("ReLU", rectified), ("linear", linear))
    }
    W = of["linear"]
    Q = jax.random.orthogonal(key, W.shape[-1], (n_rotations, *W.shape[:2]))
    dims = ("density", "seed")
    measured = {name: (dims, mean_alignment(W)) for name, W in of.items()}
    measured["rotated"] = (dims, mean_alignment(np.asarray(W @ Q)).mean(0))
    return xr.Dataset(measured, {"density": linear["density"].values})

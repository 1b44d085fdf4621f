r"""Which of the paper's solutions is it? Classes of models with a ReLU hidden layer.

Elhage et al. 2022, "Superposition in a Privileged Basis", describes the best solution of
ten features in five neurons by how many neurons serve one feature, and how the others are
shared. Functions take the weights W of one model, shape (n_features, n_hidden).
"""

import numpy as np

import jsuper as js
from jsuper.geometry.neurons import features_per_neuron
from jsuper.plots import neurons

LEAST_SHARE = 0.25
"""Share of a neuron's largest weight above which a feature counts as one of its own."""


def is_represented(W: np.ndarray) -> np.ndarray:
    """Tells which features have positive weights of a norm above 1/2."""
    return np.asarray(js.is_represented(np.maximum(W, 0)))


def counts(W: np.ndarray) -> tuple[int, int]:
    """Numbers of monosemantic neurons and of features represented."""
    per_neuron = np.asarray(features_per_neuron(W, LEAST_SHARE))
    in_use = np.linalg.norm(W, axis=0) > 0.5
    return int((in_use & (per_neuron == 1)).sum()), int(is_represented(W).sum())


def signed_sets(W: np.ndarray) -> str:
    """The features of every neuron, as in ``0 / 3 4 −5``, with the signs of the weights."""
    sets = []
    for column in W.T[neurons.neuron_order(W)]:
        own = np.flatnonzero(np.abs(column) > LEAST_SHARE * np.abs(column).max())
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
    alone = np.asarray(features_per_neuron(W, LEAST_SHARE)) == 1
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

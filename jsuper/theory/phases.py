r"""Superposition as a phase change: the paper's candidate solutions in closed form.

One feature too many: two features in one dimension with importances $(1, r)$, or three in
two dimensions with importances $(1, 1, r)$, all uniform on [0, 1] and of density $s$.
The last feature is the *extra* one. Elhage et al. 2022, "Superposition as a Phase
Change", compares solutions set by hand, $W$ of zeros and ones and the best bias, by
these losses:

- ``extra ignored``, (1, 0) or, of three features, ⊥ (0, 0, 1): $r d$;
- ``other ignored``, (0, 1) or ⊥ (1, 0, 0): $d$;
- ``extra superposed``, (1, −1) or ⊥ (0, 1, 1): $(1 + r) s^2 / 6$;
- ``others superposed``, ⊥ (1, 1, 0): $s^2 / 3$;
- ``confused``, $(1, 1) / \sqrt 2$: $(1 + r) (s/3 - s^2/4) / 2$;

with $d = s / 3 - s^2 / 4$ what an ignored feature costs. The last one is McGrath's
"confused feature" (comment in the paper), whose model has no bias, so that an ignored
feature costs $d = s / 3$. Each loss is an upper bound on what a model free in $W$ and $b$
can reach. Losses are sums over features, in float64 NumPy.
"""

import numpy as np
from numpy.typing import ArrayLike

from jsuper.theory.pairs import drop_loss, pair_loss
from jsuper.validation import check

_HALF = 0.5**0.5
_WEIGHTS = {
    2: {
        "extra ignored": [[1], [0]],
        "other ignored": [[0], [1]],
        "extra superposed": [[1], [-1]],
        "confused": [[_HALF], [_HALF]],
    },
    3: {
        "extra ignored": [[1, 0], [0, 1], [0, 0]],
        "other ignored": [[0, 0], [1, 0], [0, 1]],
        "extra superposed": [[1, 0], [0, 1], [0, -1]],
        "others superposed": [[1, 0], [-1, 0], [0, 1]],
    },
}


def phase_weights(n_features: int) -> dict[str, np.ndarray]:
    """Returns the weights of every candidate solution by name.

    Args:
        n_features: 2 (in one dimension) or 3 (in two).

    Returns:
        Weights, shape (n_features, n_features - 1) each. Of solutions that differ in
        the order of the two equally important features, one stands for both.

    Raises:
        ValueError: If ``n_features`` is another number.

    Example:
        >>> phase_weights(2)["extra superposed"].tolist()
        [[1.0], [-1.0]]
    """
    if n_features not in _WEIGHTS:
        raise ValueError(f"n_features must be 2 or 3, got {n_features!r}")
    return {name: np.array(W, float) for name, W in _WEIGHTS[n_features].items()}


def phase_losses(
    n_features: int, density: ArrayLike, importance: ArrayLike, *, bias: bool = True
) -> dict[str, np.ndarray]:
    r"""Returns the loss of every candidate solution by name.

    Args:
        n_features: 2 (in one dimension) or 3 (in two).
        density: $s$ in [0, 1], any shape.
        importance: $r > 0$ of the extra feature relative to the others, broadcast
            against ``density``.
        bias: Whether the model has a bias. Without one, an ignored feature costs
            $s / 3$ instead of $s / 3 - s^2 / 4$.

    Returns:
        Losses of the broadcast shape. With a bias ``confused`` is never below both
        solutions that ignore a feature, and as low as they are at $r = 1$ only.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> losses = phase_losses(2, density=0.1, importance=0.5)
        >>> {name: round(float(loss), 4) for name, loss in losses.items()}
        {'extra ignored': 0.0154, 'other ignored': 0.0308, 'extra superposed': 0.0025,
         'confused': 0.0231}
    """
    names = phase_weights(n_features)
    check("density", density, lambda s: (s >= 0) & (s <= 1), "in [0, 1]")
    check("importance", importance, lambda r: (r > 0) & np.isfinite(r), "positive")
    s, r = np.broadcast_arrays(np.asarray(density, float), np.asarray(importance, float))
    ignored = drop_loss(s) if bias else s / 3
    paired = pair_loss(s, 0.0) / 2  # per unit of importance
    losses = {
        "extra ignored": r * ignored,
        "other ignored": ignored,
        "extra superposed": (1 + r) * paired,
        "others superposed": 2 * paired,
        # Both outputs are the mean of both features, whose bias is 0 anyway.
        "confused": (1 + r) / 2 * drop_loss(s),
    }
    return {name: losses[name] for name in names}


def best_phase(
    n_features: int, density: ArrayLike, importance: ArrayLike, *, bias: bool = True
) -> np.ndarray:
    """Returns the name of the candidate solution of lowest loss.

    Args:
        n_features: As in `phase_losses`.
        density: As in `phase_losses`.
        importance: As in `phase_losses`.
        bias: As in `phase_losses`.

    Returns:
        Names, of the broadcast shape; of equal losses the first of `phase_weights`.

    Example:
        >>> best_phase(3, [0.9, 0.9, 0.1, 0.1], [0.5, 2, 0.5, 2]).tolist()
        ['extra ignored', 'other ignored', 'extra superposed', 'others superposed']
    """
    losses = phase_losses(n_features, density, importance, bias=bias)
    return np.array(list(losses))[np.argmin(list(losses.values()), axis=0)]


def phase_boundary(n_features: int, importance: ArrayLike) -> np.ndarray:
    r"""Returns the density below which superposition is the best candidate.

    $$s^* = \frac{4 q}{2 + 5 q}, \qquad q = \begin{cases} \min(r, 1/r) & n = 2 \\
      \min(r, 1) & n = 3. \end{cases}$$

    At $r = 1$ it is 4/7, where all regions meet; above it the line $r = 1$ divides which
    feature is ignored, and with three features also which are superposed below it.

    Args:
        n_features: 2 (in one dimension) or 3 (in two).
        importance: $r > 0$ of the extra feature, any shape.

    Returns:
        Densities, of the shape of ``importance``.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> phase_boundary(2, [0.1, 1, 10]).round(3)
        array([0.16 , 0.571, 0.16 ])
    """
    phase_weights(n_features)
    check("importance", importance, lambda r: (r > 0) & np.isfinite(r), "positive")
    r = np.asarray(importance, float)
    q = np.minimum(r, 1 / r if n_features == 2 else 1.0)
    return 4 * q / (2 + 5 * q)


def nearest_phase(W: ArrayLike) -> np.ndarray:
    r"""Returns the name of the candidate solution that weights are nearest to.

    Nearest is meant in the Frobenius norm of $W W^\top$, which a rotation of the hidden
    dimensions leaves as it is, and, for three features, whichever of the two equally
    important ones is which.

    Args:
        W: Weights, shape (..., 2, 1) or (..., 3, 2).

    Returns:
        Names, shape (...).

    Raises:
        ValueError: If ``W`` has another shape.

    Example:
        >>> nearest_phase([[[-1.1], [0.8]], [[0.1], [0.9]]]).tolist()
        ['extra superposed', 'other ignored']
    """
    W = np.asarray(W, float)
    if W.shape[-2:] not in ((2, 1), (3, 2)):
        raise ValueError(f"W must have shape (..., 2, 1) or (..., 3, 2), got {W.shape}")
    gram = W @ W.mT
    # The two equally important features of three may change places.
    orders = [[0, 1]] if W.shape[-2] == 2 else [[0, 1, 2], [1, 0, 2]]
    candidates = phase_weights(W.shape[-2])
    distances = [
        np.min(
            [np.linalg.norm(gram - V[o] @ V[o].T, axis=(-2, -1)) for o in orders], axis=0
        )
        for V in candidates.values()
    ]
    return np.array(list(candidates))[np.argmin(distances, axis=0)]

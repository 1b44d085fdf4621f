r"""Capacity: how dimensions are shared out among features, in closed form.

The capacity of a feature is $C_i = \lVert W_i \rVert^4 / \sum_j (W_i \cdot W_j)^2$, which
is its dimensionality, `jsuper.feature_dimensionality`: between 0 and 1, with
$\sum_i C_i \le m$. Scherlis et al. 2022, "Polysemanticity and Capacity in Neural
Networks" (arXiv 2210.01892), solve a quadratic toy model exactly: it learns
$y = \sum_i v_i x_i^2$ from independent features of mean 0, variance 1 and kurtosis
$k = E\,x_i^4$ as $\sum_h (W^\top x)_h^2 + e$, and loses

$$L = (k - 1) \sum_i (\lVert W_i \rVert^2 - v_i)^2
    + 2 \sum_{i \ne j} (W_i \cdot W_j)^2.$$

The second sum is $2 \sum_i \lVert W_i \rVert^4 (1 / C_i - 1)$, so that features compete
for capacity alone. All is float64 NumPy; `quadratic_loss` also takes JAX arrays.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jsuper.precision import full_precision
from jsuper.validation import check, check_count


@full_precision
def quadratic_loss(W: Any, coefficients: Any, kurtosis: Any) -> Any:
    r"""Returns the exact loss $L$ of the quadratic toy model, with the best constant $e$.

    Args:
        W: Weights, shape (..., n_features, n_hidden), a NumPy or a JAX array; rows are
            features.
        coefficients: $v$, shape (..., n_features).
        kurtosis: $k \ge 1$, shape (...).

    Returns:
        The loss, shape (...). It is differentiable where ``W`` is a JAX array.

    Example:
        >>> float(quadratic_loss(np.array([[1.0], [0.5]]), np.ones(2), 4.0))
        2.6875
    """
    gram = W @ W.mT
    squared_norms = gram.diagonal(0, -2, -1)
    benefit = ((squared_norms - coefficients) ** 2).sum(-1)
    overlap = (gram**2).sum((-2, -1)) - (squared_norms**2).sum(-1)
    return (kurtosis - 1) * benefit + 2 * overlap


def capacity_loss(
    capacity: ArrayLike, coefficient: ArrayLike, kurtosis: ArrayLike
) -> np.ndarray:
    r"""Returns the least loss of one feature at a given capacity.

    At $\lVert W_i \rVert^2 = (k - 1) v C / (2 + (k - 3) C)$ the feature's share of $L$ is
    least,

    $$L_i(C) = \frac{2 (k - 1) v^2 (1 - C)}{2 + (k - 3) C}.$$

    It is convex in $C$ for $k > 3$ (every further bit of capacity is worth less) and
    concave for $k < 3$.

    Args:
        capacity: $C$ in [0, 1], any shape.
        coefficient: $v > 0$, broadcast.
        kurtosis: $k > 1$, broadcast.

    Returns:
        The loss, of the broadcast shape; its sum over features is $L$ at the optimum.

    Example:
        >>> capacity_loss([0.0, 0.5, 1.0], 1.0, 5.0).round(3)
        array([4.   , 1.333, 0.   ])
    """
    C, v, k = _checked(capacity, coefficient, kurtosis)
    return 2 * (k - 1) * v**2 * (1 - C) / (2 + (k - 3) * C)


def marginal_value(
    capacity: ArrayLike, coefficient: ArrayLike, kurtosis: ArrayLike
) -> np.ndarray:
    r"""Returns what a feature gains from a little more capacity, per unit of it.

    $$-\frac{\partial L}{\partial C_i} = \frac{2 (k - 1)^2 v^2}{(2 + (k - 3) C_i)^2}.$$

    At the optimum all features with $0 < C_i < 1$ have the same.

    Args:
        capacity: $C$ in [0, 1], any shape.
        coefficient: $v > 0$, broadcast.
        kurtosis: $k > 1$, broadcast.

    Returns:
        The marginal value, of the broadcast shape, positive.

    Example:
        >>> marginal_value([0.0, 0.5, 1.0], 1.0, 5.0).round(3)
        array([8.   , 3.556, 2.   ])
    """
    C, v, k = _checked(capacity, coefficient, kurtosis)
    return 2 * ((k - 1) * v / (2 + (k - 3) * C)) ** 2


def optimal_capacities(
    coefficients: ArrayLike, kurtosis: ArrayLike, n_hidden: int
) -> np.ndarray:
    r"""Returns the capacities at the minimum of the quadratic toy model's loss.

    Equal marginal values mean, for $k > 3$,

    $$C_i = \mathrm{clip}\left( \lambda v_i - \frac{2}{k - 3}, 0, 1 \right), \qquad
      \sum_i C_i = m.$$

    This is a bound for any $W$, since $\sum_i C_i \le m$, and weights that reach it exist:
    orthogonal embeddings for the features with $C_i = 1$, and for those in between a tight
    frame of squared norms $\propto C_i$ in the other dimensions. For $k \le 3$ losses are
    concave in capacity and the $m$ features of largest $v$ have a dimension each.

    Args:
        coefficients: $v > 0$, shape (..., n_features).
        kurtosis: $k > 1$, shape (...), broadcast.
        n_hidden: $m$, the number of neurons.

    Returns:
        Capacities, shape (..., n_features), with sum $\min(m, n)$. Of equal coefficients
        the first are served first where $k \le 3$.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> optimal_capacities([1.0, 0.8, 0.1], 9.0, n_hidden=1).round(3)
        array([0.593, 0.407, 0.   ])
    """
    _, v, k = _checked(0.0, coefficients, kurtosis)
    check_count("n_hidden", n_hidden)
    allocate = np.vectorize(_allocate, excluded={2}, signature="(n),()->(n)")
    return allocate(v, k, n_hidden)


def two_feature_optimum(first: ArrayLike, second: ArrayLike, kurtosis: ArrayLike):
    r"""Returns the squared weights of two features in one neuron, at the least loss.

    Both are non-zero (the neuron is polysemantic) where `polysemantic_kurtosis` is
    exceeded; with $v = (a, b)$ they are

    $$c^2 = \frac{(k - 1)(a k - a - 2 b)}{(k - 3)(k + 1)}, \qquad
      d^2 = \frac{(k - 1)(b k - b - 2 a)}{(k - 3)(k + 1)},$$

    else the larger coefficient itself and 0, continuous where the two meet unless $a = b$.
    The capacities are $c^2 / (c^2 + d^2)$ and $d^2 / (c^2 + d^2)$.

    Args:
        first: $a > 0$, any shape.
        second: $b > 0$, broadcast.
        kurtosis: $k > 1$, broadcast.

    Returns:
        $c^2$ and $d^2$, each of the broadcast shape. For $a = b$ in a monosemantic
        neuron, whose choice is free, the first feature is represented.

    Example:
        >>> c2, d2 = two_feature_optimum(1.0, 0.5, [4.0, 9.0])
        >>> c2.round(3), d2.round(3)
        (array([1.   , 0.933]), array([0.   , 0.267]))
    """
    _, a, k = _checked(0.0, first, kurtosis)
    _, b, k = _checked(0.0, second, kurtosis)
    a, b, k = np.broadcast_arrays(a, b, k)
    shared = k > polysemantic_kurtosis(b / a)
    scale = (k - 1) / np.where(shared, (k - 3) * (k + 1), 1)
    c2 = np.where(shared, scale * (a * (k - 1) - 2 * b), np.where(a >= b, a, 0))
    d2 = np.where(shared, scale * (b * (k - 1) - 2 * a), np.where(a >= b, 0, b))
    return c2, d2


def polysemantic_kurtosis(ratio: ArrayLike) -> np.ndarray:
    r"""Returns the kurtosis above which two features share a neuron.

    $$k^* = 1 + 2 \max(a / b, b / a).$$

    Args:
        ratio: $b / a > 0$, any shape.

    Returns:
        Kurtoses of at least 3, of the shape of ``ratio``.

    Example:
        >>> polysemantic_kurtosis([0.5, 1, 4])
        array([5., 3., 9.])
    """
    check("ratio", ratio, lambda r: (r > 0) & np.isfinite(r), "positive and finite")
    r = np.asarray(ratio, float)
    return 1 + 2 * np.maximum(r, 1 / r)


def polysemantic_density(ratio: ArrayLike) -> np.ndarray:
    r"""Returns the density below which two Bernoulli-Gaussian features share a neuron.

    A feature that is 0 with probability $1 - p$ and else normal with variance $1 / p$ has
    kurtosis $3 / p$, so that the boundary is

    $$p^* = \frac{3}{1 + 2 \max(a / b, b / a)}.$$

    Args:
        ratio: $b / a > 0$, any shape.

    Returns:
        Densities in (0, 1], of the shape of ``ratio``.

    Example:
        >>> polysemantic_density([0.5, 1, 4]).round(3)
        array([0.6  , 1.   , 0.333])
    """
    return 3 / polysemantic_kurtosis(ratio)


def _allocate(v: np.ndarray, k: float, n_hidden: int) -> np.ndarray:
    """Capacities of one model."""
    if n_hidden >= len(v):
        return np.ones(len(v))
    if k <= 3:
        return (np.argsort(np.argsort(-v, kind="stable")) < n_hidden).astype(float)
    offset = 2 / (k - 3)
    # The capacity handed out grows with the multiplier, linearly between the bends.
    bends = np.sort(np.concatenate([offset / v, (1 + offset) / v]))
    handed_out = np.clip(bends[:, None] * v - offset, 0, 1).sum(-1)
    multiplier = np.interp(n_hidden, handed_out, bends)
    return np.clip(multiplier * v - offset, 0, 1)


def _checked(capacity, coefficient, kurtosis):
    check("capacity", capacity, lambda C: (C >= 0) & (C <= 1), "in [0, 1]")
    positive = "positive and finite"
    check("coefficients", coefficient, lambda v: (v > 0) & np.isfinite(v), positive)
    check("kurtosis", kurtosis, lambda k: (k > 1) & np.isfinite(k), "finite and above 1")
    return tuple(np.asarray(x, float) for x in (capacity, coefficient, kurtosis))

"""Curves of densities over a grid, and of importances over features."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jsuper.validation import check, check_count


def log_densities(n: int, lowest: float, highest: float = 1.0) -> np.ndarray:
    """Returns ``n`` densities from ``highest`` down to ``lowest``, log-spaced.

    The official notebook's curve is ``log_densities(10, lowest=1 / 20)`` (cell 6).

    Args:
        n: Number of densities, at least 1.
        lowest: Last density, in (0, highest].
        highest: First density, in (0, 1].

    Returns:
        Densities in descending order, shape (n,), float64.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> log_densities(3, lowest=0.01)
        array([1.  , 0.1 , 0.01])
    """
    check_count("n", n)
    check("highest", highest, lambda p: (p > 0) & (p <= 1), "in (0, 1]")
    check(
        "lowest",
        lowest,
        lambda p: (p > 0) & (p <= highest),
        f"in (0, highest = {highest:g}]",
    )
    return np.geomspace(highest, lowest, n)


def geometric_importance(n_features: int, ratio: ArrayLike) -> jax.Array:
    """Returns the importances ``ratio ** i``, shape (n_features,).

    Example:
        >>> geometric_importance(3, 0.5)
        Array([1.  , 0.5 , 0.25], dtype=float32)
    """
    check_count("n_features", n_features)
    check("ratio", ratio, lambda r: (r > 0) & np.isfinite(r), "positive and finite")
    return jnp.asarray(ratio, float) ** jnp.arange(n_features)


def log_importance(n_features: int, lowest: ArrayLike) -> jax.Array:
    """Returns importances from 1 to ``lowest``, log-spaced, shape (n_features,).

    The official notebook's curve for 100 features is ``log_importance(100, 1 / 100)``.

    Example:
        >>> log_importance(3, 0.01)
        Array([1.  , 0.1 , 0.01], dtype=float32)
    """
    check_count("n_features", n_features)
    check("lowest", lowest, lambda r: (r > 0) & np.isfinite(r), "positive and finite")
    return jnp.asarray(lowest, float) ** jnp.linspace(0, 1, n_features)


def uniform_importance(n_features: int) -> jax.Array:
    """Returns importance 1 for every feature, shape (n_features,).

    Example:
        >>> uniform_importance(2)
        Array([1., 1.], dtype=float32)
    """
    check_count("n_features", n_features)
    return jnp.ones(n_features)

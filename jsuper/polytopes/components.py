"""Blocks: groups of features that interfere only among themselves."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import connected_components

from jsuper.renaming import renamed_arguments
from jsuper.validation import check_number


@renamed_arguments(interference="min_cosine", least_norm="min_norm")
def blocks(
    W: ArrayLike, min_cosine: float = 0.2, min_norm: float = 0.5
) -> list[np.ndarray]:
    r"""Returns the groups of features that interfere only among themselves.

    Two features are connected where the cosine between their embeddings exceeds
    ``min_cosine`` in absolute value, whatever their norms.

    Args:
        W: Weights, shape (n_features, n_hidden).
        min_cosine: Cosine in (0, 1) above which features interfere. The smallest one
            inside a simplex of k vertices is 1 / (k - 1), in a square antiprism 0.14.
        min_norm: Norm that a feature must exceed to be in a block at all.

    Returns:
        Ascending indices of each block, the blocks ordered by their first feature.

    Raises:
        ValueError: If ``W`` is not a finite matrix or a limit is out of range.

    Example:
        >>> blocks([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.1]])
        [array([0, 2]), array([1])]
    """
    W = finite_weights(W)
    check_between_0_and_1("min_cosine", min_cosine)
    norms = np.linalg.norm(W, axis=1)
    kept = np.flatnonzero(norms > min_norm)
    directions = W[kept] / norms[kept, None]
    n, labels = connected_components(np.abs(directions @ directions.T) > min_cosine)
    return [kept[labels == i] for i in range(n)]


def finite_weights(W: ArrayLike) -> np.ndarray:
    """Returns the weights of one model as a finite matrix of floats."""
    W = np.asarray(W, float)
    if W.ndim != 2:
        raise ValueError(f"W must have shape (n_features, n_hidden), got shape {W.shape}")
    if not np.isfinite(W).all():
        raise ValueError("W must be finite, got a model that diverged")
    return W


def check_between_0_and_1(argument: str, value: float) -> None:
    """Raises `ValueError` unless ``value`` is one number in (0, 1)."""
    check_number(argument, value)
    if not 0 < value < 1:
        raise ValueError(f"{argument} must be in (0, 1), got {value!r}")

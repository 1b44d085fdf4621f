r"""How much fits into few dimensions: bounds that every set of embeddings obeys.

Three bounds on n features in m dimensions, each with its source: the sum of feature
dimensionalities (packing), the cosines between unit vectors (Welch), and the dimensions
that recovering sparse inputs takes (compressed sensing). Rows of ``W`` are features.
"""

import numpy as np
from numpy.typing import ArrayLike


def welch_bound(n_features: ArrayLike, n_hidden: ArrayLike) -> np.ndarray:
    r"""Returns the smallest possible largest cosine between n unit vectors in m dimensions.

    $$\max_{i \ne j} |\hat W_i \cdot \hat W_j| \ge
      \sqrt{\frac{1}{n (n - 1)} \sum_{i \ne j} (\hat W_i \cdot \hat W_j)^2} \ge
      \sqrt{\frac{n - m}{m (n - 1)}}$$

    The Gram matrix has trace n and at most m eigenvalues above 0, so that the sum of their
    squares, which is n plus the sum above, is at least $n^2 / m$. The right side is
    attained by tight frames, both sides by equiangular tight frames (the simplex, the
    Mercedes-Benz frame). Source: Welch 1974, "Lower Bounds on the Maximum Cross
    Correlation of Signals".

    Args:
        n_features: Number of unit vectors $n$, at least 1.
        n_hidden: Number of dimensions $m$, at least 1, broadcast against it.

    Returns:
        The bound, of the broadcast shape; 0 for $n \le m$.

    Raises:
        ValueError: If a number is below 1.

    Example:
        >>> welch_bound([2, 3, 4], 2).round(3)
        array([0.   , 0.5  , 0.577])
    """
    n, m = np.asarray(n_features, float), np.asarray(n_hidden, float)
    for name, number in (("n_features", n), ("n_hidden", m)):
        if not (number >= 1).all():
            raise ValueError(f"{name} must be at least 1, got {number.min():g}")
    return np.sqrt(np.maximum(n - m, 0) / (m * np.maximum(n - 1, 1)))


def coherence(W: ArrayLike) -> tuple[float, float]:
    r"""Returns the largest and the rms cosine, in absolute value, between embeddings.

    Of $|\hat W_i \cdot \hat W_j|$ over pairs $i \ne j$: what `welch_bound` bounds.

    Args:
        W: Embeddings of the features to compare, shape (n_features, n_hidden), at least
            two, none of them 0.

    Returns:
        The maximum and the root mean square (rms), in [0, 1].

    Raises:
        ValueError: If there are fewer than two features or one has norm 0.

    Example:
        >>> largest, rms = coherence([[1, 0], [-1, 0], [0, 1]])
        >>> round(largest, 3), round(rms, 3)
        (1.0, 0.577)
    """
    W = np.asarray(W, float)
    if W.ndim != 2 or len(W) < 2:
        raise ValueError(
            f"W must have shape (n_features, n_hidden) with at least two features, "
            f"got shape {W.shape}"
        )
    norms = np.linalg.norm(W, axis=1)
    if not (norms > 0).all():
        raise ValueError(f"W must have features of positive norm, got {norms.min():g}")
    directions = W / norms[:, None]
    pairs = np.abs(directions @ directions.T)[~np.eye(len(W), dtype=bool)]
    return float(pairs.max()), float(np.sqrt(np.mean(pairs**2)))


def packing_limit(W: ArrayLike) -> np.ndarray:
    r"""Returns what the dimensionality of every feature can at most be.

    With the frame operator $F = W^\top W$ (m × m), the dimensionality is
    $D_i = \lVert W_i \rVert^4 / (W_i F W_i^\top)$. By Cauchy and Schwarz
    $\lVert W_i \rVert^4 \le (W_i F W_i^\top)(W_i F^+ W_i^\top)$, hence

    $$D_i \le W_i F^+ W_i^\top, \qquad
      \sum_i D_i \le \sum_i W_i F^+ W_i^\top = \mathrm{rank}\, W \le m.$$

    The two sides of the first are equal where $W_i$ is an eigenvector of $F$: a model packs
    its dimensions fully, $\sum_i D_i = m$, if its features fall into orthogonal subspaces
    in each of which they form a tight frame, as in the tegum products of regular
    polytopes. The sums are stated by Elhage et al. 2022, "The Geometry of Superposition"
    (proof ours; $W_i F^+ W_i^\top$ is known as the leverage score).

    Args:
        W: Weights, shape (..., n_features, n_hidden).

    Returns:
        The limit of each feature's dimensionality in [0, 1], shape (..., n_features).

    Example:
        >>> packing_limit([[1, 0], [-1, 0], [0, 1]]).round(3)
        array([0.5, 0.5, 1. ])
    """
    W = np.asarray(W, float)
    frame = np.swapaxes(W, -1, -2) @ W
    return np.sum(W @ np.linalg.pinv(frame, hermitian=True) * W, axis=-1)


def recovery_dimensions(n_features: ArrayLike, density: ArrayLike) -> np.ndarray:
    r"""Returns the dimensions that recovering sparse features takes, up to a constant.

    Recovering k active features of n from m linear measurements needs
    $m = \Omega(k \log(n / k))$, with $k = p n$ active features on average

    $$m = \Omega(-n \, p \log p).$$

    So the number of features is at most linear in m, by a factor of
    $-1 / (p \log p)$ that grows as features become sparse. The constant is open, and the
    bound says nothing near $p = 1$. Source: Elhage et al. 2022, "Strategic Picture" and
    appendix, by Do Ba et al. 2010, "Lower Bounds for Sparse Recovery", Corollary 3.1.

    Args:
        n_features: Number of features $n$.
        density: Density $p$ in (0, 1], broadcast against it.

    Returns:
        $-n p \log p$, of the broadcast shape.

    Raises:
        ValueError: If a density is outside (0, 1].

    Example:
        >>> recovery_dimensions(100, [0.1, 0.01]).round(2)
        array([23.03,  4.61])
    """
    p = np.asarray(density, float)
    if not ((p > 0) & (p <= 1)).all():
        raise ValueError(f"density must be in (0, 1], got {density}")
    return -np.asarray(n_features, float) * p * np.log(p) + 0.0

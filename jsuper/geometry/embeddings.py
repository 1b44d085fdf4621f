r"""Geometry of embeddings, from the weights alone.

Every function takes weights ``W`` of shape (..., n_features, n_hidden) with any leading
axes; row ``W[..., i, :]`` is the embedding $W_i$ of feature $i$. All of them are pure,
differentiable and work inside `jax.jit`. NaN weights give NaN, so that a diverged model
stays visible. Definitions: Elhage et al. 2022, "Demonstrating Superposition" and "The
Geometry of Superposition".
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jsuper.renaming import renamed_arguments


def feature_norms(W: ArrayLike) -> jax.Array:
    r"""Returns $\lVert W_i \rVert$, near 1 where a feature is represented, else near 0.

    Args:
        W: Weights, shape (..., n_features, n_hidden).

    Returns:
        Norms, shape (..., n_features).

    Example:
        >>> feature_norms(jnp.array([[3.0, 4.0], [0.0, 0.0]]))
        Array([5., 0.], dtype=float32)
    """
    return _norms(_embeddings(W))


def interference(W: ArrayLike) -> jax.Array:
    r"""Returns how each feature's direction is activated by every other feature.

    The entry is $\hat W_i \cdot W_j$ for $j \ne i$ and 0 on the diagonal, where
    $\hat W_i$ is the unit vector along $W_i$ (0 where $W_i$ is).

    Args:
        W: Weights, shape (..., n_features, n_hidden).

    Returns:
        Interference of feature j on feature i, shape (..., n_features, n_features).

    Example:
        >>> interference(jnp.array([[1.0, 0.0], [-2.0, 0.0]]))
        Array([[ 0., -2.],
               [-1.,  0.]], dtype=float32)
    """
    return _interference(_embeddings(W))


def cosines(W: ArrayLike) -> jax.Array:
    r"""Returns the cosines between the embeddings of features.

    The entry is $\hat W_i \cdot \hat W_j$, where $\hat W_i$ is the unit vector along
    $W_i$ (0 where $W_i$ is): $\pm 1$ for features that share a line, 0 for orthogonal
    ones, whatever their norms.

    Args:
        W: Weights, shape (..., n_features, n_hidden).

    Returns:
        Cosines in [-1, 1] up to rounding, shape (..., n_features, n_features); 0 in row
        and column of a feature of norm 0, its diagonal entry too.

    Example:
        >>> cosines(jnp.array([[2.0, 0.0], [-1.0, 0.0], [0.0, 0.0]]))
        Array([[ 1., -1.,  0.],
               [-1.,  1.,  0.],
               [ 0.,  0.,  0.]], dtype=float32)
    """
    directions = _directions(_embeddings(W))
    return _products(directions, directions)


def superposition(W: ArrayLike) -> jax.Array:
    r"""Returns $\sum_{j \ne i} (\hat W_i \cdot W_j)^2$ of every feature.

    0 is a feature orthogonal to all others; at 1 and above the others together activate
    its direction as strongly as it does itself.

    Args:
        W: Weights, shape (..., n_features, n_hidden).

    Returns:
        Superposition, shape (..., n_features); 0 for a feature of norm 0.

    Example:
        >>> superposition(jnp.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]))
        Array([1., 1., 0.], dtype=float32)
    """
    return _superposition(_embeddings(W))


def feature_dimensionality(W: ArrayLike) -> jax.Array:
    r"""Returns the fraction of a dimension that each feature has to itself.

    $$D_i = \frac{\lVert W_i \rVert^2}{\sum_j (\hat W_i \cdot W_j)^2}$$

    It is 1 for a dedicated feature, 1/2 in an antipodal pair, 2/k in a regular k-gon,
    and $\sum_i D_i \le$ n_hidden. Source: Elhage et al. 2022, "The Geometry of
    Superposition", section "Feature Dimensionality".

    Args:
        W: Weights, shape (..., n_features, n_hidden).

    Returns:
        Dimensionalities in [0, 1] up to rounding, shape (..., n_features); 0 for a feature
        of norm 0.

    Example:
        >>> feature_dimensionality(jnp.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]))
        Array([0.5, 0.5, 1. ], dtype=float32)
    """
    return _feature_dimensionality(_embeddings(W))


def dimensions_per_feature(W: ArrayLike) -> jax.Array:
    r"""Returns $D^* = m / \lVert W \rVert_F^2$, hidden dimensions per feature stored.

    Source: Elhage et al. 2022, "The Geometry of Superposition", section "Uniform
    Superposition".

    Args:
        W: Weights, shape (..., n_features, n_hidden).

    Returns:
        One number per model, shape (...); infinite where all weights are 0.

    Example:
        >>> dimensions_per_feature(jnp.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]))
        Array(0.6666667, dtype=float32)
    """
    W = _embeddings(W)
    return W.shape[-1] / jnp.sum(W**2, axis=(-2, -1))


@renamed_arguments(least_norm="min_norm")
def is_represented(W: ArrayLike, min_norm: float = 0.5) -> jax.Array:
    r"""Returns which features the model represents: $\lVert W_i \rVert >$ ``min_norm``.

    Trained norms gather near 1 and near 0; the default lies between.

    Args:
        W: Weights, shape (..., n_features, n_hidden).
        min_norm: Norm that a represented feature exceeds.

    Returns:
        Booleans, shape (..., n_features).

    Example:
        >>> is_represented(jnp.array([[1.0, 0.0], [0.1, 0.1]]))
        Array([ True, False], dtype=bool)
    """
    return feature_norms(W) > min_norm


@renamed_arguments(most_superposition="max_superposition")
def is_dedicated(W: ArrayLike, max_superposition: float = 0.25) -> jax.Array:
    r"""Returns which represented features have a dimension to themselves.

    That is, `superposition` stays below ``max_superposition``. In trained models it
    gathers near 0 and from about 0.6 up; the default says that the others together
    activate the feature's direction with less than half its strength.

    Args:
        W: Weights, shape (..., n_features, n_hidden).
        max_superposition: Superposition that a dedicated feature stays below.

    Returns:
        Booleans, shape (..., n_features).

    Example:
        >>> is_dedicated(jnp.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]))
        Array([False, False,  True], dtype=bool)
    """
    return is_represented(W) & (superposition(W) < max_superposition)


def _embeddings(W: ArrayLike) -> jax.Array:
    W = jnp.asarray(W)
    if W.ndim < 2:
        raise ValueError(
            f"W must have shape (..., n_features, n_hidden), got shape {W.shape}"
        )
    return W


def _norms(W: jax.Array) -> jax.Array:
    squared = jnp.sum(W**2, axis=-1)
    absent = squared == 0
    # The inner where keeps the gradient of the square root finite at 0.
    return jnp.where(absent, 0.0, jnp.sqrt(jnp.where(absent, 1.0, squared)))


def _directions(W: jax.Array) -> jax.Array:
    """Ŵ_i, which is 0 for a feature of norm 0."""
    norms = _norms(W)[..., None]
    return W / jnp.where(norms == 0, 1.0, norms)


def _products(V: jax.Array, W: jax.Array) -> jax.Array:
    return jnp.einsum("...ih,...jh->...ij", V, W, precision=jax.lax.Precision.HIGHEST)


def _interference(W: jax.Array) -> jax.Array:
    others = ~jnp.eye(W.shape[-2], dtype=bool)
    return jnp.where(others, _products(_directions(W), W), 0.0)


# Compiled, they hold one n x n matrix for each model, and not one for each operation.
@jax.jit
def _superposition(W: jax.Array) -> jax.Array:
    return jnp.sum(_interference(W) ** 2, axis=-1)


@jax.jit
def _feature_dimensionality(W: jax.Array) -> jax.Array:
    squared_norms = jnp.sum(W**2, axis=-1)
    total = jnp.sum(_products(_directions(W), W) ** 2, axis=-1)
    absent = squared_norms == 0
    return jnp.where(absent, 0.0, squared_norms / jnp.where(absent, 1.0, total))

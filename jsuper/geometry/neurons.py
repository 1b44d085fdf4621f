r"""Which features single neurons serve, from the weights of a hidden layer with a ReLU.

A ReLU singles out the axes of the hidden layer, its neurons. A neuron is *monosemantic*
if it serves one feature and *polysemantic* if it serves several. Functions take weights
``W`` of shape (..., n_features, n_hidden), column j the weights of neuron j, are pure and
work inside `jax.jit`; NaN weights give NaN or a count of 0. Definitions: Elhage et al.
2022, "Superposition in a Privileged Basis" and "Computation in Superposition".
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jsuper.renaming import renamed_arguments
from jsuper.validation import check


@renamed_arguments(least_share="min_share")
def features_per_neuron(W: ArrayLike, min_share: float = 0.25) -> jax.Array:
    r"""Counts the features that each neuron serves: 1 if it is monosemantic.

    A feature counts if its weight, of either sign, exceeds a share of the neuron's
    largest: $|W_{ij}| > \text{min\_share} \cdot \max_k |W_{kj}|$. The count does not
    depend on the neuron's scale; the caller decides whether the neuron is in use at all.

    Args:
        W: Weights, shape (..., n_features, n_hidden).
        min_share: Share of the largest weight, in [0, 1).

    Returns:
        Integers, shape (..., n_hidden); 0 for a neuron without weights.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> features_per_neuron(jnp.array([[1.0, -2.0, 0.0], [0.1, 1.5, 0.0]]))
        Array([1, 2, 0], dtype=int32)
    """
    check("min_share", min_share, lambda s: (s >= 0) & (s < 1), "in [0, 1)")
    sizes = jnp.abs(_weights("W", W))
    return jnp.sum(sizes > min_share * sizes.max(-2, keepdims=True), axis=-2)


def monosemanticity(W: ArrayLike) -> jax.Array:
    r"""Returns the largest weight of each neuron as a share of all its weights.

    $$r_j = \max_i |W_{ij}| \, / \, \sum_i |W_{ij}|$$

    It is 1 for a neuron of one feature and 1/k for one that serves k features equally.
    Source: Jermyn, Schiefer and Hubinger 2022, "Engineering Monosemanticity in Toy
    Models", where activations by single features take the place of the weights.

    Args:
        W: Weights, shape (..., n_features, n_hidden).

    Returns:
        Shares in [1 / n_features, 1], shape (..., n_hidden); 0 for a neuron without
        weights.

    Example:
        >>> monosemanticity(jnp.array([[1.0, -2.0, 0.0], [0.0, 2.0, 0.0]]))
        Array([1. , 0.5, 0. ], dtype=float32)
    """
    sizes = jnp.abs(_weights("W", W))
    total = sizes.sum(-2)
    return jnp.where(total == 0, 0.0, sizes.max(-2) / jnp.where(total == 0, 1.0, total))


def basis_alignment(W: ArrayLike) -> jax.Array:
    r"""Returns how much of each feature lies along one neuron.

    $$a_i = \max_j W_{ij}^2 \, / \, \lVert W_i \rVert^2$$

    It is 1 for a feature with a neuron to itself, 1/2 for one shared equally by two. A
    rotation of the hidden dimensions changes it, unlike everything in
    `jsuper.geometry`, so that a model without a privileged basis scores no better
    than its own random rotations.

    Args:
        W: Weights, shape (..., n_features, n_hidden).

    Returns:
        Alignments in [1 / n_hidden, 1], shape (..., n_features); 0 for a feature of
        norm 0.

    Example:
        >>> basis_alignment(jnp.array([[2.0, 0.0], [1.0, -1.0], [0.0, 0.0]]))
        Array([1. , 0.5, 0. ], dtype=float32)
    """
    squares = _weights("W", W) ** 2
    total = squares.sum(-1)
    return jnp.where(total == 0, 0.0, squares.max(-1) / jnp.where(total == 0, 1.0, total))


def rescale_neurons(W_in: ArrayLike, W_out: ArrayLike) -> tuple[jax.Array, jax.Array]:
    r"""Scales every neuron so that its largest input weight has magnitude 1.

    Input weights of neuron j are divided by $\alpha_j = \max_i |W_{in,ij}|$ and its
    output weights multiplied by it. Since $\alpha\,\mathrm{ReLU}(z/\alpha) =
    \mathrm{ReLU}(z)$ for $\alpha > 0$, the model remains the same function. Source:
    Elhage et al. 2022, "Computation in Superposition".

    Args:
        W_in: Weights into the neurons, shape (..., n_features, n_hidden).
        W_out: Weights out of them, shape (..., n_hidden, n_outputs).

    Returns:
        Both, scaled. A neuron without input weights stays as it is.

    Raises:
        ValueError: If the numbers of neurons differ.

    Example:
        >>> W_in, W_out = jnp.array([[2.0], [-0.5]]), jnp.array([[0.5, 2.0]])
        >>> W_in, W_out = rescale_neurons(W_in, W_out)
        >>> W_in.T, W_out
        (Array([[ 1.  , -0.25]], dtype=float32), Array([[1., 4.]], dtype=float32))
    """
    W_in, W_out = _weights("W_in", W_in), _weights("W_out", W_out)
    if W_in.shape[-1] != W_out.shape[-2]:
        raise ValueError(
            f"W_out must have shape (..., {W_in.shape[-1]}, n_outputs), one row for each "
            f"neuron of W_in, got {W_out.shape}"
        )
    scale = jnp.abs(W_in).max(-2)
    scale = jnp.where(scale == 0, 1.0, scale)
    return W_in / scale[..., None, :], W_out * scale[..., :, None]


def _weights(name: str, W: ArrayLike) -> jax.Array:
    W = jnp.asarray(W)
    if W.ndim < 2:
        shape = (
            "(..., n_hidden, n_outputs)"
            if name == "W_out"
            else ("(..., n_features, n_hidden)")
        )
        raise ValueError(f"{name} must have shape {shape}, got shape {W.shape}")
    return W

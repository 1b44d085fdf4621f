r"""ExReLU, an activation with a movable threshold, and its limits."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


def exrelu(z: ArrayLike, threshold: ArrayLike = 0.0) -> jax.Array:
    r"""Passes ``z`` where it reaches the threshold and returns 0 elsewhere.

    $$\mathrm{ExReLU}_t(z) = \begin{cases} z & z \ge t \\ 0 & z < t \end{cases}$$

    $t = 0$ is ReLU and $t = -\infty$ is the identity. For $t > 0$ it is the JumpReLU of
    Rajamanoharan et al. 2024 (arXiv 2407.14435) with a fixed threshold, and Keras's
    ``ThresholdedReLU``; `jumprelu` is an alias. The case $t < 0$, which lets weak
    negative interference through, is proposed by Murphy and Qiao, "Toy Models of
    Superposition Review", section 3.

    **What gradient descent cannot see.** The derivative in $z$ is 1 where $z \ge t$ and
    0 elsewhere; the derivative in $t$ is 0. For $t \ne 0$ the function jumps by $t$ at
    $z = t$, and no derivative shows the jump. So gradient descent does not follow the
    true slope of the expected loss, which includes what is gained or lost by moving
    examples over the jump; its resting points need not be minima of the loss
    (`jsuper.theory.pair_fixed_point` works an example). A threshold cannot be trained
    this way. And for $t > 0$ a model can start dead: where small weights and zero
    biases keep every $z$ below $t$, the output and all gradients are exactly 0.

    Args:
        z: Pre-activations, any shape.
        threshold: $t$ in $[-\infty, \infty)$, broadcast against ``z``.

    Returns:
        The activations, of the broadcast shape. NaN stays NaN.

    Example:
        >>> exrelu(jnp.array([-0.5, -0.2, 0.3]), threshold=-0.25)
        Array([ 0. , -0.2,  0.3], dtype=float32)
    """
    z = jnp.asarray(z)
    return jnp.where(z < jnp.asarray(threshold), 0.0, z)


jumprelu = exrelu

r"""What makes outputs of pre-activations: ExReLU with its limits, and others by name."""

import functools
import math
from collections.abc import Callable, Hashable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jsuper.validation import check


def exrelu(
    z: ArrayLike, threshold: ArrayLike = 0.0, bandwidth: ArrayLike | None = None
) -> jax.Array:
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

    **What it sees with a bandwidth.** Values stay as they are. The derivatives become
    the straight-through ones of a jump spread evenly over the bandwidth $\epsilon$,

    $$\partial_z = [z \ge t] + \tfrac{t}{\epsilon} K\big(\tfrac{z - t}{\epsilon}\big),
      \qquad
      \partial_t = -\tfrac{t}{\epsilon} K\big(\tfrac{z - t}{\epsilon}\big),
      \qquad K(u) = [\lvert u \rvert < \tfrac12] .$$

    Their mean over examples is the derivative of the expected output where the density
    of $z$ is constant around $t$. The derivative of an expected squared error is then
    off by $t \epsilon / 4$ times this density, which a small bandwidth makes small; but
    the fewer examples fall into it, the noisier the gradient. Source: Rajamanoharan et
    al. 2024, section 4, who use $\partial_t$ for the threshold and leave $\partial_z$
    plain.

    Args:
        z: Pre-activations, any shape.
        threshold: $t$ in $[-\infty, \infty)$, broadcast against ``z``.
        bandwidth: $\epsilon$, positive and finite, broadcast likewise; None, the
            default, leaves the jump out of the derivatives.

    Returns:
        The activations, of the broadcast shape. NaN stays NaN.

    Raises:
        ValueError: If ``bandwidth`` is out of range.

    Example:
        >>> exrelu(jnp.array([-0.5, -0.2, 0.3]), threshold=-0.25)
        Array([ 0. , -0.2,  0.3], dtype=float32)

        Derivatives show the jump once there is a bandwidth:

        >>> slope = jax.vmap(jax.grad(exrelu), (0, None, None))
        >>> slope(jnp.array([-0.5, -0.2, 0.3]), -0.25, 0.125)
        Array([ 0., -1.,  1.], dtype=float32)
    """
    z, t = jnp.asarray(z), jnp.asarray(threshold)
    if bandwidth is None:
        return jnp.where(z < t, 0.0, z)
    check(
        "bandwidth",
        bandwidth,
        lambda width: (width > 0) & np.isfinite(width),
        "positive and finite",
    )
    inexact = (array.astype(jnp.result_type(array, 0.0)) for array in (z, t))
    return _with_slope_of_jump(*inexact, jnp.asarray(bandwidth, float))


jumprelu = exrelu


@jax.custom_jvp
def _with_slope_of_jump(z, t, bandwidth):
    """ExReLU with straight-through derivatives."""
    return exrelu(z, t)


@_with_slope_of_jump.defjvp
def _straight_through(primals, tangents):
    z, t, bandwidth = primals
    dz, dt, _ = tangents
    # Of t = -inf, where there is no jump, no z is near.
    jump = jnp.where(jnp.abs(z - t) < bandwidth / 2, t, 0.0) / bandwidth
    value = exrelu(z, t)
    slope = jnp.where(z < t, 0.0, dz) + jump * (dz - dt)
    return value, slope.astype(value.dtype)


Activation = str | Callable[[jax.Array], jax.Array]

ACTIVATIONS: dict[str, Callable[..., jax.Array]] = {
    "exrelu": exrelu,
    "jumprelu": jumprelu,
    "relu": exrelu,
    "linear": functools.partial(exrelu, threshold=-math.inf),
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
}
"""Activations by name; all but those with a threshold are functions of one array."""

THRESHOLDED = ("exrelu", "jumprelu")
"""Names of the activations that have a threshold and may have a bandwidth."""

LIMITS: dict[Activation, float] = {"relu": 0.0, "linear": -math.inf}
"""Thresholds of the activations that are ExReLU at one of them."""


def check_activation(activation: Any) -> None:
    """Raises `ValueError` unless ``activation`` is a known name or may be a function."""
    if isinstance(activation, str):
        known = activation in ACTIVATIONS
    else:
        # NumPy's own functions fail on arrays that JAX traces.
        known = callable(activation) and not isinstance(activation, np.ufunc)
        known = known and isinstance(activation, Hashable)
    if not known:
        raise ValueError(
            f"activation must be one of {', '.join(ACTIVATIONS)} or a hashable function "
            f"of one JAX array, got {activation!r}"
        )


def apply_activation(
    activation: Activation,
    z: jax.Array,
    threshold: ArrayLike = 0.0,
    bandwidth: ArrayLike | None = None,
) -> jax.Array:
    """Applies an activation given by name or as a function.

    Args:
        activation: A name in `ACTIVATIONS`, or an elementwise function of one array.
        z: Pre-activations, any shape.
        threshold: As in `exrelu`; other activations ignore it.
        bandwidth: As in `exrelu`; other activations ignore it.

    Returns:
        The activations, of the shape and type of ``z``.

    Raises:
        ValueError: If a function returns another shape.

    Example:
        >>> apply_activation("linear", jnp.array([-1.0, 2.0]))
        Array([-1.,  2.], dtype=float32)
        >>> apply_activation(jnp.square, jnp.array([-1.0, 2.0]))
        Array([1., 4.], dtype=float32)
    """
    if activation in THRESHOLDED:
        return exrelu(z, threshold, bandwidth)
    function = activation if callable(activation) else ACTIVATIONS[activation]
    y = jnp.asarray(function(z))
    if y.shape != z.shape:
        raise ValueError(
            f"activation must return an array like its argument, {z.shape}, got {y.shape}"
        )
    return y.astype(z.dtype)

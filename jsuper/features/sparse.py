r"""Sparse features: what they are, how they are sampled, and their exact moments.

A *feature* $x_i$ is zero with probability $S_i$ (its *sparsity*) and otherwise uniform.
The library's primary number is the *density* $p_i = 1 - S_i$, the probability that the
feature is active: $1 - S$ loses digits in single precision just where experiments are
most interesting. Definitions: Elhage et al. 2022, "Demonstrating Superposition".
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer
from jax.typing import ArrayLike

from jsuper.features import threefry
from jsuper.features.activity import Activity, independent, ranges
from jsuper.pytrees import pytree, static
from jsuper.validation import check, check_count, check_number, per_feature


@pytree
class SparseFeatures:
    r"""Independent features, each active with a probability of its own.

    $x_i = 0$ with probability $1 - p_i$, else uniform on $[\text{low}, \text{high}]$.
    Source: Elhage et al. 2022, "Experiment Setup (x)".

    Args:
        n_features: Number of features $n$, at least 1.
        density: Probability $p$ in (0, 1] that a feature is active; one number or one
            per feature, shape (n_features,). Single precision has 31 random
            bits, which leave an active feature of density 1e-7 some 200 values.
        low: Lower end of the range of an active feature.
        high: Upper end of that range, above ``low``.

    Raises:
        ValueError: If a number is out of range or a shape does not fit.

    Example:
        >>> import jax, jsuper as js
        >>> features = js.SparseFeatures(5, density=0.1)
        >>> features.sample(jax.random.key(0), batch_size=1024).shape
        (1024, 5)
        >>> features.mean()[0]
        Array(0.05, dtype=float32)
    """

    n_features: int = static()
    density: ArrayLike
    low: ArrayLike = 0.0
    high: ArrayLike = 1.0

    def __post_init__(self) -> None:
        check_count("n_features", self.n_features)
        density = per_feature("density", self.density, self.n_features)
        object.__setattr__(self, "density", density)
        check("density", self.density, lambda p: (p > 0) & (p <= 1), "in (0, 1]")
        check_number("low", self.low)
        check_number("high", self.high)
        check("low", self.low, np.isfinite, "a finite number")
        if isinstance(self.low, Tracer):
            return
        low = float(np.asarray(self.low))
        check(
            "high",
            self.high,
            lambda high: np.isfinite(high) & (high > low),
            f"a finite number above low = {low:g}",
        )

    def sample(self, key: jax.Array, batch_size: int) -> jax.Array:
        """Samples a batch.

        Args:
            key: A typed PRNG key; the same key at another density activates a superset
                or a subset of the same features (common random numbers).
            batch_size: Number of examples.

        Returns:
            Features, shape (batch_size, n_features).
        """
        uniforms = self.uniforms(key, batch_size)
        p = jnp.asarray(self.density, uniforms.dtype)
        slope = (jnp.asarray(self.high) - self.low) / p
        return activate(uniforms, p, self.low, slope)

    def uniforms(self, key: jax.Array, batch_size: int, feature_axis: int = 1) -> jax.Array:
        """Samples the uniform numbers behind `sample`.

        Args:
            key: A typed PRNG key.
            batch_size: Number of examples.
            feature_axis: 1 for the order of `sample`, 0 for its transpose.

        Returns:
            Numbers on [0, 1], shape (batch_size, n_features) or the reverse.
        """
        shape = (batch_size, self.n_features)
        if jax.dtypes.canonicalize_dtype(float) == jnp.float64:
            uniforms = jax.random.uniform(key, shape, jnp.float64)
            return uniforms if feature_axis == 1 else uniforms.T
        shape = shape if feature_axis == 1 else shape[::-1]
        feature = lax.broadcasted_iota(jnp.uint32, shape, feature_axis)
        example = lax.broadcasted_iota(jnp.uint32, shape, 1 - feature_axis)
        # jax.random.uniform has 23 random bits: at a density of 1e-5 an active feature
        # could take only 83 values. 31 bits in float32 keep small numbers exact.
        bits = threefry.bits(key, example * jnp.uint32(self.n_features) + feature) >> 1
        return bits.astype(jnp.int32).astype(jnp.float32) * jnp.float32(2**-31)

    def mean(self) -> jax.Array:
        r"""Returns $E[x_i] = p_i (\text{low} + \text{high}) / 2$, shape (n_features,)."""
        p = jnp.broadcast_to(jnp.asarray(self.density, float), (self.n_features,))
        return p * (jnp.asarray(self.low) + self.high) / 2

    def second_moment(self) -> jax.Array:
        r"""Returns $E[x_i x_j]$, shape (n_features, n_features).

        The diagonal is $p_i (\text{low}^2 + \text{low}\,\text{high} + \text{high}^2)/3$;
        off it, independence makes the moment the product of the means.
        """
        low, high = jnp.asarray(self.low, float), jnp.asarray(self.high, float)
        p = jnp.broadcast_to(jnp.asarray(self.density, float), (self.n_features,))
        squares = p * (low**2 + low * high + high**2) / 3
        mean = self.mean()
        products = mean[:, None] * mean
        return jnp.where(jnp.eye(self.n_features, dtype=bool), squares, products)

    def activity(self) -> Activity:
        """Returns the law: every feature is a group of its own."""
        groups = independent(range(self.n_features), self.density)
        return Activity(groups, *ranges(self))


def activate(u: jax.Array, p: ArrayLike, low: ArrayLike, slope: ArrayLike) -> jax.Array:
    """Turns uniform numbers on [0, 1] into sparse features of density ``p``.

    One uniform number decides both: u <= p says whether the feature is active,
    and given that it is, u / p is again uniform on [0, 1]. ``slope`` is
    (high - low) / p.
    """
    return jnp.where(u <= p, low + slope * u, 0.0)


def uniforms(key: jax.Array, batch_size: int, n: int) -> jax.Array:
    """Samples numbers as `SparseFeatures.uniforms` does, shape (batch_size, n)."""
    return SparseFeatures(n, density=1.0).uniforms(key, batch_size)


def shared_uniforms(
    key: jax.Array, batch_size: int, *columns: np.ndarray
) -> list[jax.Array]:
    """Samples numbers as `uniforms` does, of which several features may share one.

    Args:
        key: A typed PRNG key.
        batch_size: Number of examples.
        columns: Which of the numbers of an example stand in each result, indices from 0;
            -1 is the last of all.

    Returns:
        Numbers on [0, 1], shape (batch_size, number of indices) for each of ``columns``.
    """
    u = uniforms(key, batch_size, 1 + max(int(c.max(initial=-1)) for c in columns))
    # Taken by index, the numbers are sampled once for all tasks that share a key; where
    # they are sliced, the compiler samples them anew for each task.
    u = u[:, np.concatenate(columns)]
    return jnp.split(u, np.cumsum([len(c) for c in columns])[:-1], axis=1)


def pair_moments(together: jax.Array, low: ArrayLike, high: ArrayLike) -> jax.Array:
    r"""Returns $E[x_i x_j]$ of features that are uniform, and independent, once active.

    Args:
        together: Probability that features $i$ and $j$ are both active, shape
            (n_features, n_features); on the diagonal that one feature is.
        low: Lower end of the range of an active feature.
        high: Upper end of that range.
    """
    low, high = jnp.asarray(low, float), jnp.asarray(high, float)
    same = jnp.eye(len(together), dtype=bool)
    square, product = (low**2 + low * high + high**2) / 3, ((low + high) / 2) ** 2
    return together * jnp.where(same, square, product)

r"""Features that come in sets: always active together, or never two at once.

Definitions: Elhage et al. 2022, "The Geometry of Superposition", section "Non-Uniform
Superposition". Sets are independent of each other.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jsuper.features.activity import Activity, Group, exclusive, ranges
from jsuper.features.sparse import SparseFeatures, activate, uniforms
from jsuper.pytrees import pytree, static
from jsuper.validation import check_count, check_number


@pytree
class CorrelatedFeatures:
    r"""Sets of features that are active together.

    Each set is active with probability $p$. All its features are then uniform on
    $[\text{low}, \text{high}]$, independently of each other; otherwise all are 0. Set 0
    holds the features 0 to ``set_size`` - 1, set 1 the next ones.

    Source: Elhage et al. 2022, "Non-Uniform Superposition".

    Args:
        n_sets: Number of sets, at least 1.
        set_size: Number of features in each set, at least 1.
        density: Probability $p$ in (0, 1] that a set is active, one number; it is the
            density of every feature too.
        low: Lower end of the range of an active feature.
        high: Upper end of that range, above ``low``.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> import jax, jsuper as js
        >>> features = js.CorrelatedFeatures(n_sets=2, set_size=3, density=0.1)
        >>> active = features.sample(jax.random.key(0), batch_size=1024) != 0
        >>> active.shape, bool((active[:, 0] == active[:, 2]).all())
        ((1024, 6), True)
    """

    n_sets: int = static()
    set_size: int = static()
    density: ArrayLike
    low: ArrayLike = 0.0
    high: ArrayLike = 1.0

    def __post_init__(self) -> None:
        _check_sets(self)

    @property
    def n_features(self) -> int:
        """Number of features, ``n_sets`` times ``set_size``."""
        return self.n_sets * self.set_size

    def sample(self, key: jax.Array, batch_size: int) -> jax.Array:
        """Samples a batch.

        Args:
            key: A typed PRNG key; the same key at another density activates a superset
                or a subset of the same sets, with the same magnitudes.
            batch_size: Number of examples.

        Returns:
            Features, shape (batch_size, n_features).
        """
        u = uniforms(key, batch_size, self.n_sets + self.n_features)
        active = u[:, : self.n_sets] <= jnp.asarray(self.density, u.dtype)
        x = self.low + (jnp.asarray(self.high) - self.low) * u[:, self.n_sets :]
        # Compiled, one piece for each set is several times as fast as one reshaped array.
        sets = zip(active.T, jnp.split(x, self.n_sets, axis=1), strict=True)
        return jnp.concatenate([jnp.where(a[:, None], x, 0.0) for a, x in sets], axis=1)

    def mean(self) -> jax.Array:
        r"""Returns $E[x_i] = p (\text{low} + \text{high}) / 2$, shape (n_features,)."""
        return _independent(self, self.density).mean()

    def second_moment(self) -> jax.Array:
        r"""Returns $E[x_i x_j]$, shape (n_features, n_features).

        With $\mu = (\text{low} + \text{high}) / 2$ it is $p \mu^2$ for two features of a
        set and $p^2 \mu^2$ for features of different sets; the diagonal is
        $p (\text{low}^2 + \text{low}\,\text{high} + \text{high}^2) / 3$.
        """
        across = _independent(self, self.density).second_moment()
        middle = (jnp.asarray(self.low, float) + self.high) / 2
        within = jnp.asarray(self.density, float) * middle**2
        return jnp.where(_same_set(self) & ~_same_feature(self), within, across)

    def activity(self) -> Activity:
        """Returns the law: all features of a set are active, or none."""
        p = jnp.asarray(self.density, float)
        all_or_none = jnp.repeat(jnp.array([[1.0], [0.0]]), self.set_size, axis=1)
        chances = jnp.stack([p, 1 - p])
        groups = (Group(indices, chances, all_or_none) for indices in _sets(self))
        return Activity(tuple(groups), *ranges(self))


@pytree
class AnticorrelatedFeatures:
    r"""Sets of features of which at most one is active at a time.

    Each set is active with probability $p$. Exactly one of its features, every one with
    the same probability, is then uniform on $[\text{low}, \text{high}]$; all others are
    0. Set 0 holds the features 0 to ``set_size`` - 1, set 1 the next ones. One set of
    density 1 gives one active feature in each example.

    Source: Elhage et al. 2022, "Non-Uniform Superposition".

    Args:
        n_sets: Number of sets, at least 1.
        set_size: Number of features $k$ in each set, at least 1.
        density: Probability $p$ in (0, 1] that a set is active, one number; the density
            of one feature is $p / k$.
        low: Lower end of the range of an active feature.
        high: Upper end of that range, above ``low``.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> import jax, jsuper as js
        >>> features = js.AnticorrelatedFeatures(n_sets=2, set_size=3, density=0.1)
        >>> active = features.sample(jax.random.key(0), batch_size=1024) != 0
        >>> active.shape, int(active[:, :3].sum(1).max())
        ((1024, 6), 1)
    """

    n_sets: int = static()
    set_size: int = static()
    density: ArrayLike
    low: ArrayLike = 0.0
    high: ArrayLike = 1.0

    def __post_init__(self) -> None:
        _check_sets(self)

    @property
    def n_features(self) -> int:
        """Number of features, ``n_sets`` times ``set_size``."""
        return self.n_sets * self.set_size

    def sample(self, key: jax.Array, batch_size: int) -> jax.Array:
        """Samples a batch.

        Args:
            key: A typed PRNG key; the same key at another density activates the same
                features in a superset or a subset of the sets.
            batch_size: Number of examples.

        Returns:
            Features, shape (batch_size, n_features).
        """
        u = uniforms(key, batch_size, 2 * self.n_sets)
        p = jnp.asarray(self.density, u.dtype)
        slope = (jnp.asarray(self.high) - self.low) / p
        of_set = activate(u[:, : self.n_sets], p, self.low, slope)
        # A number of 31 bits may round to 1.
        chosen = jnp.minimum(
            jnp.floor(u[:, self.n_sets :] * self.set_size), self.set_size - 1
        )
        members = jnp.arange(self.set_size)
        sets = zip(of_set.T, chosen.T, strict=True)
        return jnp.concatenate(
            [jnp.where(c[:, None] == members, x[:, None], 0.0) for x, c in sets], axis=1
        )

    def mean(self) -> jax.Array:
        r"""Returns $E[x_i] = p (\text{low} + \text{high}) / 2k$, shape (n_features,)."""
        return _independent(self, self.density / self.set_size).mean()

    def second_moment(self) -> jax.Array:
        r"""Returns $E[x_i x_j]$, shape (n_features, n_features).

        With $\mu = (\text{low} + \text{high}) / 2$ it is 0 for two features of a set and
        $(p / k)^2 \mu^2$ for features of different sets; the diagonal is
        $p (\text{low}^2 + \text{low}\,\text{high} + \text{high}^2) / 3k$.
        """
        across = _independent(self, self.density / self.set_size).second_moment()
        return jnp.where(_same_set(self) & ~_same_feature(self), 0.0, across)

    def activity(self) -> Activity:
        """Returns the law: at most one feature of a set is active."""
        p = jnp.full(self.set_size, jnp.asarray(self.density, float) / self.set_size)
        groups = (exclusive(indices, p) for indices in _sets(self))
        return Activity(tuple(groups), *ranges(self))


def _check_sets(features: CorrelatedFeatures | AnticorrelatedFeatures) -> None:
    check_count("n_sets", features.n_sets)
    check_count("set_size", features.set_size)
    check_number("density", features.density)
    _independent(features, features.density)


def _independent(
    features: CorrelatedFeatures | AnticorrelatedFeatures, density: ArrayLike
) -> SparseFeatures:
    """Independent features of the same range: sets do not change a single feature."""
    return SparseFeatures(features.n_features, density, features.low, features.high)


def _sets(
    features: CorrelatedFeatures | AnticorrelatedFeatures,
) -> list[tuple[int, ...]]:
    """The indices of each set."""
    indices = np.arange(features.n_features).reshape(features.n_sets, -1)
    return list(map(tuple, indices.tolist()))


def _same_set(features: CorrelatedFeatures | AnticorrelatedFeatures) -> jax.Array:
    set_of = jnp.arange(features.n_features) // features.set_size
    return set_of[:, None] == set_of


def _same_feature(features: CorrelatedFeatures | AnticorrelatedFeatures) -> jax.Array:
    return jnp.eye(features.n_features, dtype=bool)

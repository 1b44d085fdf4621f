r"""Features in groups of any size, at any indices: active together, or one at a time.

`jsuper.CorrelatedFeatures` and `jsuper.AnticorrelatedFeatures` are the equal sets of
Elhage et al. 2022, "Non-Uniform Superposition"; here groups differ in size and density,
and their features may be correlated without being inseparable. Groups are independent of
each other, and a feature in no group is a group of its own.
"""

import operator
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike

from jsuper.features.activity import (
    Activity,
    Group,
    exclusive,
    independent,
    ranges,
)
from jsuper.features.sparse import SparseFeatures, pair_moments, shared_uniforms
from jsuper.pytrees import pytree, static
from jsuper.validation import check, check_count, per_feature


@pytree
class GroupedFeatures:
    r"""Groups of features that tend to be active together.

    Each feature $i$ is active with its density $p_i$, and then uniform on
    $[\text{low}, \text{high}]$; otherwise it is 0. Two features of a group with
    correlation $\rho$ are both active with probability

    $$P_{ij} = p_i p_j + \rho \, (\min(p_i, p_j) - p_i p_j).$$

    Where $p_i = p_j$, $\rho$ is the correlation coefficient between their being active,
    the same for every pair of the group; where the densities differ, $\rho$ is its share
    of the greatest coefficient that the two densities allow. At $\rho = 1$ the rarer
    feature is active only where the other is, at $\rho = 0$ they are independent.
    Magnitudes are always independent.

    A feature follows the one uniform number of its group with probability $\sqrt\rho$, and
    else a number of its own; it is active where that number is at most $p_i$. Source of
    this construction, for equal densities: Lunn and Davies 1998, "A note on generating
    correlated binary variables".

    Args:
        n_features: Number of features, at least 1.
        groups: The indices of each group's features, a sequence of sequences: of any
            sizes, in any order, no index in two of them. A feature in no group is
            independent of all others.
        density: Probability $p_i$ in (0, 1] that a feature is active; one number or one
            per feature, shape (n_features,).
        correlation: $\rho$ in [0, 1]; one number or one per group, shape
            (number of groups,).
        low: Lower end of the range of an active feature.
        high: Upper end of that range, above ``low``.

    Raises:
        ValueError: If an index is out of range or in two groups, a group is empty, a
            number is out of range or a shape does not fit.

    Example:
        >>> import jax, jsuper as js
        >>> features = js.GroupedFeatures(6, [(0, 3), (1, 2, 5)], density=0.1)
        >>> active = features.sample(jax.random.key(0), batch_size=1024) != 0
        >>> bool((active[:, 0] == active[:, 3]).all())
        True
        >>> bool((active[:, 0] == active[:, 4]).all())
        False
    """

    n_features: int = static()
    groups: Sequence[Sequence[int]] = static()
    density: ArrayLike
    correlation: ArrayLike = 1.0
    low: ArrayLike = 0.0
    high: ArrayLike = 1.0

    def __post_init__(self) -> None:
        _check_groups(self)
        n_groups = len(self.groups)
        correlation = per_feature("correlation", self.correlation, n_groups, "group")
        check("correlation", correlation, lambda r: (r >= 0) & (r <= 1), "in [0, 1]")
        object.__setattr__(self, "correlation", correlation)

    def sample(self, key: jax.Array, batch_size: int) -> jax.Array:
        """Samples a batch.

        Args:
            key: A typed PRNG key. The same key at another density activates a superset
                or a subset of the same features. At another correlation, a feature
                can change only where it begins or ceases to follow its group. In both
                cases what is active keeps its magnitude.
            batch_size: Number of examples.

        Returns:
            Features, shape (batch_size, n_features).
        """
        group_of, _ = _places(self)
        of_features = group_of.max() + 1 + np.arange(3 * self.n_features)
        columns = group_of, *np.split(of_features, 3)
        common, own, follow, magnitude = shared_uniforms(key, batch_size, *columns)
        rho = self._correlation().astype(common.dtype)
        # A number of 31 bits may be 0, or round to 1.
        u = jnp.where((follow <= jnp.sqrt(rho)) & (rho > 0), common, own)
        x = self.low + (jnp.asarray(self.high) - self.low) * magnitude
        return jnp.where(u <= jnp.asarray(self.density, u.dtype), x, 0.0)

    def mean(self) -> jax.Array:
        r"""Returns $E[x_i] = p_i (\text{low} + \text{high}) / 2$, shape (n_features,)."""
        return _independent(self).mean()

    def second_moment(self) -> jax.Array:
        r"""Returns $E[x_i x_j]$, shape (n_features, n_features).

        With $\mu = (\text{low} + \text{high}) / 2$ it is $P_{ij} \mu^2$ for two features
        of a group and $p_i p_j \mu^2$ for features of different groups; the diagonal is
        $p_i (\text{low}^2 + \text{low}\,\text{high} + \text{high}^2) / 3$.
        """
        p = jnp.broadcast_to(jnp.asarray(self.density, float), (self.n_features,))
        apart, most = p[:, None] * p, jnp.minimum(p[:, None], p)
        rho = jnp.where(_same_group(self), self._correlation(), 0.0)
        together = apart + rho * (most - apart)
        # On the diagonal a feature meets itself.
        together = jnp.where(jnp.eye(self.n_features, dtype=bool), p, together)
        return pair_moments(together, self.low, self.high)

    def activity(self) -> Activity:
        """Returns the law: given the number of its group, a feature is independent.

        The densities cut the number's range into intervals; in each, a feature that
        follows it is active or not.
        """
        p = jnp.broadcast_to(jnp.asarray(self.density, float), (self.n_features,))
        follow = jnp.sqrt(self._correlation())
        groups = []
        for indices in self.groups:
            own, share = p[np.array(indices)], follow[np.array(indices)]
            ends = jnp.sort(own)
            lengths = jnp.diff(ends, prepend=0.0, append=1.0)
            reached = jnp.append(ends, 1.0)[:, None] <= own
            densities = share * reached + (1 - share) * own
            groups.append(Group(indices, lengths, densities))
        alone = _in_no_group(self)
        groups += independent(alone, p[np.array(alone, int)])
        return Activity(tuple(groups), *ranges(self))

    def _correlation(self) -> jax.Array:
        """The correlation of each feature with others of its group."""
        group_of, _ = _places(self)
        rho = jnp.asarray(self.correlation, float)
        rho = jnp.append(jnp.broadcast_to(rho, (len(self.groups),)), 0.0)
        return rho[np.minimum(group_of, len(self.groups))]


@pytree
class ExclusiveFeatures:
    r"""Groups of features of which at most one is active at a time.

    Each feature $i$ is active with its density $p_i$, and then uniform on
    $[\text{low}, \text{high}]$; otherwise it is 0. No two features of a group are ever
    active together, so their densities sum to at most 1; the sum is the probability that
    one of them is active.

    The density is that of a feature, whereas `jsuper.AnticorrelatedFeatures` takes the
    density of a set: its sets of $k$ at density $p$ are groups of $k$ at density $p / k$.

    Args:
        n_features: Number of features, at least 1.
        groups: The indices of each group's features, a sequence of sequences: of any
            sizes, in any order, no index in two of them. A feature in no group is
            independent of all others.
        density: Probability $p_i$ in (0, 1] that a feature is active; one number or one
            per feature, shape (n_features,).
        low: Lower end of the range of an active feature.
        high: Upper end of that range, above ``low``.

    Raises:
        ValueError: If an index is out of range or in two groups, a group is empty, the
            densities of a group sum to more than 1, a number is out of range or a shape
            does not fit.

    Example:
        >>> import jax, jsuper as js
        >>> features = js.ExclusiveFeatures(6, [(0, 3), (1, 2, 5)], density=0.3)
        >>> active = features.sample(jax.random.key(0), batch_size=1024) != 0
        >>> int(active[:, (1, 2, 5)].sum(1).max())
        1
    """

    n_features: int = static()
    groups: Sequence[Sequence[int]] = static()
    density: ArrayLike
    low: ArrayLike = 0.0
    high: ArrayLike = 1.0

    def __post_init__(self) -> None:
        _check_groups(self)
        if isinstance(self.density, Tracer):
            return
        p = np.broadcast_to(np.asarray(self.density, float), self.n_features)
        for group in self.groups:
            total = p[list(group)].sum()
            # Single precision may put ten tenths a little above 1.
            if total > 1 + 1e-6:
                raise ValueError(
                    "density must sum to at most 1 in each group, "
                    f"got {total:g} in {_brief(group)}"
                )

    def sample(self, key: jax.Array, batch_size: int) -> jax.Array:
        """Samples a batch.

        Args:
            key: A typed PRNG key. The same key at another density, if it is one number,
                activates the same features in a superset or a subset of the groups, with
                the same magnitudes. With a density for each feature this holds, but for
                rounding, where all densities of a group grow by one factor.
            batch_size: Number of examples.

        Returns:
            Features, shape (batch_size, n_features).
        """
        group_of, _ = _places(self)
        columns = group_of + (group_of.max() + 1) * np.arange(3)[:, None]
        u, choice, magnitude = shared_uniforms(key, batch_size, *columns)
        total, first, last = self._shares(u.dtype)
        # A number of 31 bits may round to 1.
        choice = jnp.minimum(choice, 1 - jnp.finfo(u.dtype).epsneg)
        active = (u <= total) & (first <= choice) & (choice < last)
        x = self.low + (jnp.asarray(self.high) - self.low) * magnitude
        return jnp.where(active, x, 0.0)

    def mean(self) -> jax.Array:
        r"""Returns $E[x_i] = p_i (\text{low} + \text{high}) / 2$, shape (n_features,)."""
        return _independent(self).mean()

    def second_moment(self) -> jax.Array:
        r"""Returns $E[x_i x_j]$, shape (n_features, n_features).

        With $\mu = (\text{low} + \text{high}) / 2$ it is 0 for two features of a group
        and $p_i p_j \mu^2$ for features of different groups; the diagonal is
        $p_i (\text{low}^2 + \text{low}\,\text{high} + \text{high}^2) / 3$.
        """
        p = jnp.broadcast_to(jnp.asarray(self.density, float), (self.n_features,))
        together = jnp.where(_same_group(self), 0.0, p[:, None] * p)
        together = jnp.where(jnp.eye(self.n_features, dtype=bool), p, together)
        return pair_moments(together, self.low, self.high)

    def activity(self) -> Activity:
        """Returns the law: at most one feature of a group is active."""
        p = jnp.broadcast_to(jnp.asarray(self.density, float), (self.n_features,))
        groups = [exclusive(indices, p[np.array(indices)]) for indices in self.groups]
        alone = _in_no_group(self)
        groups += independent(alone, p[np.array(alone, int)])
        return Activity(tuple(groups), *ranges(self))

    def _shares(self, dtype: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
        """The density of each feature's group, and where its share begins and ends."""
        group_of, place = _places(self)
        members = np.full((group_of.max() + 1, place.max() + 1), -1)
        members[group_of, place] = np.arange(self.n_features)
        p = jnp.asarray(self.density, dtype)
        # One number leaves the shares equal, exactly, whatever its value.
        weights = jnp.broadcast_to(p if p.ndim else 1.0, (self.n_features,))
        ends = jnp.cumsum(jnp.where(members >= 0, weights[members], 0.0), axis=1)
        total = ends[:, -1] * (1.0 if p.ndim else p)
        ends = ends / ends[:, -1:]
        starts = jnp.pad(ends[:, :-1], ((0, 0), (1, 0)))
        return total[group_of], starts[group_of, place], ends[group_of, place]


def indices_in_groups(
    argument: str, groups: Any, n_features: int
) -> tuple[tuple[int, ...], ...]:
    """Returns disjoint groups of indices as tuples of integers.

    Args:
        argument: The name of the argument in errors.
        groups: Sequences of indices.
        n_features: What the indices stay below.

    Raises:
        ValueError: If ``groups`` is anything else, a group is empty, or an index out of
            range or there twice.
    """
    seen = set()

    def checked(index: Any) -> int:
        try:
            number = operator.index(index)
        except TypeError:
            number = -1
        if not 0 <= number < n_features or isinstance(index, bool):
            raise ValueError(
                f"{argument} must hold indices from 0 to {n_features - 1}, got {index!r}"
            )
        if number in seen:
            raise ValueError(f"{argument} must hold an index once, got {number} twice")
        seen.add(number)
        return number

    try:
        as_given = [tuple(group) for group in groups]
    except TypeError:
        raise ValueError(
            f"{argument} must be a sequence of sequences of indices, got {groups!r}"
        ) from None
    if () in as_given:
        raise ValueError(
            f"{argument} must hold no empty group, got one at position {as_given.index(())}"
        )
    return tuple(tuple(map(checked, group)) for group in as_given)


def _check_groups(features: GroupedFeatures | ExclusiveFeatures) -> None:
    check_count("n_features", features.n_features)
    groups = indices_in_groups("groups", features.groups, features.n_features)
    object.__setattr__(features, "groups", groups)
    object.__setattr__(features, "density", _independent(features).density)


def _independent(features: GroupedFeatures | ExclusiveFeatures) -> SparseFeatures:
    """Independent features of the same law: groups do not change a single feature."""
    return SparseFeatures(
        features.n_features, features.density, features.low, features.high
    )


def _places(
    features: GroupedFeatures | ExclusiveFeatures,
) -> tuple[np.ndarray, np.ndarray]:
    """The group of each feature, and its place there.

    Features in no group come after the groups, each as a group of its own.
    """
    alone = ((i,) for i in _in_no_group(features))
    group_of, place = np.empty((2, features.n_features), int)
    for number, group in enumerate((*features.groups, *alone)):
        group_of[list(group)] = number
        place[list(group)] = range(len(group))
    return group_of, place


def _in_no_group(features: GroupedFeatures | ExclusiveFeatures) -> list[int]:
    grouped = {index for group in features.groups for index in group}
    return [i for i in range(features.n_features) if i not in grouped]


def _same_group(features: GroupedFeatures | ExclusiveFeatures) -> np.ndarray:
    group_of, _ = _places(features)
    return group_of[:, None] == group_of


def _brief(group: Sequence[int], most: int = 8) -> str:
    shown = ", ".join(map(str, group[:most]))
    return f"group ({shown}{', …' if len(group) > most else ''})"

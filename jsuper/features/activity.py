r"""Which features are active together: the law behind exact expectations.

Whatever their dependence, active features have independent uniform magnitudes. So a law is
known by the probability of each set of active features, and these follow from *groups*
that are independent of each other. A group is a mixture of scenarios, in each of which its
features are active independently, each with a probability of its own.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike


@dataclasses.dataclass(frozen=True)
class Group:
    """Features whose being active may depend on each other, and on nothing else.

    Args:
        indices: Their places among all features.
        chances: Probability of each scenario, shape (n_scenarios,).
        densities: Probability that a feature is active in a scenario, shape
            (n_scenarios, number of indices).
        exclusive: Whether scenario j is that feature j alone is active, and the last one
            that none is.
    """

    indices: Sequence[int]
    chances: jax.Array
    densities: jax.Array
    exclusive: bool = False

    def moved(self, places: Sequence[int]) -> "Group":
        """Returns the group with other places: ``places[i]`` for index i."""
        indices = tuple(int(places[i]) for i in self.indices)
        return dataclasses.replace(self, indices=indices)


@dataclasses.dataclass(frozen=True)
class Activity:
    """The law of some features.

    Args:
        groups: Every feature is in one of them.
        low: Lower end of the range of each feature once active, shape (n_features,).
        high: Upper end of that range.
    """

    groups: tuple[Group, ...]
    low: jax.Array
    high: jax.Array

    @property
    def n_terms(self) -> int:
        """The largest number of features that can be active together, if all else fails."""
        return sum(1 if g.exclusive else len(g.indices) for g in self.groups)

    @property
    def n_choices(self) -> int:
        """Number of ways to choose a scenario of each group, see `choices`."""
        sizes = (len(g.indices if g.exclusive else g.chances) for g in self.groups)
        return math.prod(sizes)


def independent(indices: Sequence[int], density: ArrayLike) -> tuple[Group, ...]:
    """Returns a group of each feature alone.

    Args:
        indices: Places of the features.
        density: One number, or one for each.
    """
    p = jnp.broadcast_to(jnp.asarray(density, float), (len(indices),))
    return tuple(exclusive([i], p[k : k + 1]) for k, i in enumerate(indices))


def exclusive(indices: Sequence[int], densities: jax.Array) -> Group:
    """Returns a group of which at most one feature is active.

    Args:
        indices: Places of the features.
        densities: Probability that each is the one, shape (number of indices,).
    """
    none = jnp.maximum(1 - densities.sum(keepdims=True), 0)
    alone = jnp.eye(len(indices) + 1, len(indices), dtype=densities.dtype)
    return Group(tuple(indices), jnp.append(densities, none), alone, exclusive=True)


def ranges(features: Any) -> tuple[jax.Array, jax.Array]:
    """Returns the ends of the range of each active feature, shape (n_features,) each."""
    shape = (features.n_features,)
    low, high = (jnp.asarray(end, float) for end in (features.low, features.high))
    return jnp.broadcast_to(low, shape), jnp.broadcast_to(high, shape)


def has_activity(features: Any) -> bool:
    """Returns whether the law of some features is known: all their parts say it.

    A subclass may sample something else, so that it has to say its own.
    """
    own = getattr(features, "part", features)  # within what JAX cannot look into
    if "activity" not in type(own).__dict__:
        return False
    return all(map(has_activity, getattr(own, "parts", ())))


def starts_at_zero(features: Any) -> bool:
    """Returns whether active features are known, not traced, to be uniform from 0 on."""
    lows = [part.low for part in getattr(features, "parts", (features,))]
    return not any(isinstance(low, Tracer) or np.any(np.asarray(low)) for low in lows)


def choices(
    law: Activity, first: int
) -> tuple[np.ndarray, jax.Array, jax.Array, np.ndarray]:
    """Returns a law as a mixture of laws of independent features.

    Of each group one scenario is chosen, in all possible ways. Of an exclusive group it is
    the one feature that may be active.

    Args:
        law: Which features are active together.
        first: A feature that comes first among the chosen ones, wherever it is one of them.

    Returns:
        The features of each choice, shape (n_choices, n_terms); the probability that each
        of them is active, same shape; the probability of the choice, shape (n_choices,);
        and whether ``first`` is the first of its features, shape (n_choices,).
    """
    terms, densities = np.zeros((1, 0), int), jnp.zeros((1, 0))
    chances, place = jnp.ones(1), 0
    for group in law.groups:
        own, p, q = _scenarios(group)
        if first in group.indices:
            place = terms.shape[1] + (0 if group.exclusive else group.indices.index(first))
        old, new = np.indices((len(terms), len(own))).reshape(2, -1)
        terms = np.concatenate([terms[old], own[new]], 1)
        densities = jnp.concatenate([densities[old], p[new]], 1)
        chances = chances[old] * q[new]
    order = [place, *np.delete(np.arange(terms.shape[1]), place)]
    terms = terms[:, order]
    return terms, densities[:, np.array(order)], chances, terms[:, 0] == first


def _scenarios(group: Group) -> tuple[np.ndarray, jax.Array, jax.Array]:
    """Features, their densities and the probability of each scenario of a group."""
    if not group.exclusive:
        own = np.array(group.indices)[None].repeat(len(group.chances), 0)
        return own, group.densities, group.chances
    p, n = group.chances[:-1], len(group.indices)
    # That none is active is shared out among the features that might be.
    chances = p + group.chances[-1] / n
    return np.array(group.indices)[:, None], (p / chances)[:, None], chances

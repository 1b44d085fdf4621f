r"""Moments of a sum of terms that are 0 or uniform, where the sum is positive: exact.

Let $v = v_0 + \sum_j s_j$. A term is 0 unless it is active, and else uniform between two
ends. Given the set $A$ of active terms, and the corner $c$ (the sum with every term of $A$
at its lower end), let

$$F_A^r(c) = E[v^r; v > 0], \qquad G_A^r(c) = E[u_0 v^r; v > 0],$$

where $u_0$ in [0, 1] is the place of the first term between its ends. $F$ is homogeneous in
corner and widths, of degree $r$, and its derivatives by them are differences of
$F_{A \setminus j}$. Put into Euler's theorem, they give a recurrence over the sets. With
widths $a_j$, $k$ terms in $A$, and $\theta$ the share of their range that is below 0
($c + \theta \sum a_j = 0$),

$$(r + k) \, F_A^r(c) = \sum_{j \in A} (1 - \theta) F_{A \setminus j}^r(c + a_j)
  + \theta F_{A \setminus j}^r(c).$$

$G$ has $r + k + 1$ on the left, and on the right $F_{A \setminus 0}(c + a_0)$ and $F_A(c)$
where the first term is the one that is left out. Where nothing is below 0 the moments are
those of a sum, polynomials. All weights are positive and nothing is divided by a single
width, so rounding errors stay as they are: vertex sums, the textbook form, lose all digits
where a width is small. It is the recurrence of box splines (de Boor and Höllig 1982,
"Recurrence relations for multivariate B-splines"), for truncated moments.

JAX's derivatives of this form are exact as well, of first and second order. Where one does
not exist it is that from the side where the sum is smaller.
"""

import functools
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

LOWER, UPPER, OFF, AVERAGED = 0, 1, 2, -1
"""What a term may be at in a state of the recurrence."""


class Moments(NamedTuple):
    r"""What `truncated_moments` returns; the last axis is that of the cases.

    Args:
        total: $E[v^r; v > 0]$ for r = 0, 1, 2, shape (3, n_cases).
        active: The same for r = 0, 1 where the first term is active, shape (2, n_cases).
        place: $E[u_0 v^r; v > 0]$ likewise, where $u_0$ is 0 at ``low`` and 1 at ``high``.
    """

    total: jax.Array
    active: jax.Array
    place: jax.Array


def truncated_moments(
    start: jax.Array, low: jax.Array, high: jax.Array, density: jax.Array
) -> Moments:
    """Returns moments of sums of terms that are 0 or uniform, where a sum is positive.

    Args:
        start: The sum where no term is active, at most 0, shape (n_cases,).
        low: Where an active term begins, shape (n_terms, n_cases).
        high: Where it ends, above or below ``low``, same shape.
        density: Probability that a term is active, same shape.
    """
    n_terms, n_cases = low.shape
    plan, dtype = levels(n_terms), start.dtype
    rising = high >= low
    lower, upper = jnp.where(rising, low, high), jnp.where(rising, high, low)
    width, no_width = upper - lower, float(jnp.finfo(dtype).tiny) ** 0.5

    def sums(which: np.ndarray, terms: jax.Array) -> jax.Array:
        return jnp.matmul(which.astype(dtype), terms, precision=lax.Precision.HIGHEST)

    corner = start + sums(plan[0].lower, lower) + sums(plan[0].upper, upper)
    v = jnp.where(corner > 0, corner, 0)
    F = jnp.stack([(corner > 0).astype(dtype), v, v**2], 1)
    G = jnp.zeros((1, 2, n_cases), dtype)
    found = []
    for size, level in enumerate(plan[1:], 1):
        corner = start + sums(level.lower | level.averaged, lower)
        corner += sums(level.upper, upper)
        span = sums(level.averaged, width)
        share = -corner / jnp.where(span > no_width, span, 1)
        share = jnp.where(share < 0, 0, jnp.where(share < 1, share, 1))[:, None]
        middle, no_part_below = corner + span / 2, (corner > 0)[:, None]
        powers = np.arange(3, dtype=dtype)[:, None]

        F_below = F
        at_upper, at_lower = _read(F, level)
        F = (at_upper + share * (at_lower - at_upper)) / (powers + size)
        squares = middle**2 + sums(level.averaged, width**2) / 12
        F = jnp.where(no_part_below, jnp.stack([F[:, 0], middle, squares], 1), F)

        # States of sets with the first term come first, those of sets without it last.
        n_own = len(F) * size // n_terms
        without = F_below[-n_own * 3 :, :2]
        without = without.reshape(len(level.sets) * size // n_terms, 3, -1, 2, n_cases)
        at_upper = without[:, UPPER].reshape(n_own, 2, n_cases)
        at_lower = F[:n_own, :2]
        if size > 1:
            others = _read(G, levels(n_terms - 1)[size - 1])
            at_upper, at_lower = at_upper + others[0], at_lower + others[1]
        G = (at_upper + share[:n_own] * (at_lower - at_upper)) / (powers[:2] + size + 1)
        whole = jnp.stack([G[:, 0], middle[:n_own] / 2 + width[0] / 12], 1)
        G = jnp.where(no_part_below[:n_own], whole, G)

        chances = jnp.where(level.sets[..., None], density, 1 - density).prod(1)[:, None]
        states = 3 ** (n_terms - size)
        F_off, G_off = F[states - 1 :: states], G[states - 1 :: states]
        own = chances[: len(G_off)]
        found.append(
            Moments(
                (chances * F_off).sum(0),
                (own * F_off[: len(G_off), :2]).sum(0),
                (own * G_off).sum(0),
            )
        )
    total, active, place = (jnp.stack(parts).sum(0) for parts in zip(*found, strict=True))
    return Moments(total, active, jnp.where(rising[0], place, active - place))


class Level(NamedTuple):
    """The states of all sets of one size: where each term is that is not averaged over.

    Args:
        sets: Whether a term is in a set, shape (n_sets, n_terms), in the order of the
            states.
        averaged: Whether a term is in the set of a state, shape (n_states, n_terms).
        lower: Whether it is at its lower end.
        upper: Whether it is at its upper end.
        below: States of the level below in which one term of the set is at its upper end,
            and at its lower end: shape (2, size, n_states).
    """

    sets: np.ndarray
    averaged: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    below: np.ndarray


@functools.cache
def levels(n_terms: int) -> list[Level]:
    """Returns the states of the recurrence, by the size of their sets."""
    found: list[Level] = []
    below_at: dict[tuple[int, ...], int] = {}
    for size in range(n_terms + 1):
        sets, states = [], []
        for active in itertools.combinations(range(n_terms), size):
            sets.append([j in active for j in range(n_terms)])
            ends = [AVERAGED], [LOWER, UPPER, OFF]
            states += itertools.product(*(ends[j not in active] for j in range(n_terms)))
        below = np.zeros((2, size, len(states)), int)
        for i, state in enumerate(states):
            averaged = (j for j, at in enumerate(state) if at == AVERAGED)
            for k, j in enumerate(averaged):
                for row, end in enumerate((UPPER, LOWER)):
                    below[row, k, i] = below_at[(*state[:j], end, *state[j + 1 :])]
        at = np.array(states).reshape(len(states), n_terms)
        whether = np.array(sets, bool).reshape(len(sets), n_terms)
        found.append(Level(whether, at == AVERAGED, at == LOWER, at == UPPER, below))
        below_at = {state: i for i, state in enumerate(states)}
    return found


def _read(states: jax.Array, level: Level) -> jax.Array:
    """Sums over what a level reads in the level below, shape (2, n_states, …)."""
    return jnp.stack([states[below] for below in level.below.swapaxes(0, 1)]).sum(0)

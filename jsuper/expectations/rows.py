r"""The tables of `jsuper.expectations.differences` as one array, for accelerators.

There a launch costs more than arithmetic, and arrays of several shapes are several
launches. So the tables are rows of one array, which differ in what they are weighted with,
and one more term is one expression for all rows and orders: one kernel. Rows have as many
orders as the one without a weight. Each weight costs an order, whose place in the array
then has no meaning; nothing with a meaning is made of it.

What is positive whatever happens needs no moments of its own. Where the sum is so with one
more term, it was so without: its moments follow from those at the lower end $c$ of the
range of the term, and all that is added is positive,

$$\int_0^1 u^k \, T^r(c + |a| u) \, du
  = \sum_m T^{r-m}(c) \, |a|^m \frac{1}{m! \, (m + k + 1)},$$

and with a weight of $(1-u)^k$, which is that of a negative slope, $k! / (m + k + 1)!$ in
the place of the fraction.
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


class Term(NamedTuple):
    """A term of many sums; each array has the shape (n_cases,).

    Args:
        slope: What it adds at x = 1.
        density: Probability that it is active.
        is_own: Whether it is the term whose weight the second half of the rows has.
        is_negative: Whether the slope is.
        is_small: Whether it is too small for its powers, and adds nothing.
    """

    slope: jax.Array
    density: jax.Array
    is_own: jax.Array
    is_negative: jax.Array
    is_small: jax.Array


def weighted_moments(
    start: jax.Array, slope: jax.Array, density: jax.Array, *, with_each: bool
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns moments of sums over r!, where a sum is positive, weighted.

    Args:
        start: The sum where no term is active, at most 0, shape (n_cases,).
        slope: What each term adds at x = 1, shape (n_terms, n_cases).
        density: Probability that it is active, same shape.
        with_each: Whether there are rows with the weights of each term.

    Returns:
        The moments, shape (2, n_rows, 4, n_cases): without and with the weight of the first
        term; without one, and with that of each term in the order in which they are added;
        order -1, 0, 1, 2. Then that order, shape (n_terms, n_cases), and the scale.
    """
    terms, rank, scale = _in_order(start, slope, density)
    corner, powers = _at_corners(start / scale, terms)
    rows = jnp.broadcast_to(powers, (2, 1 + with_each, *powers.shape))
    lowers: list[jax.Array] = []
    for k, term in enumerate(terms):
        corner = corner[: len(corner) // 2]
        lowers.append(jnp.where(term.is_negative, term.slope, 0))
        # Added as the corners are: it is a corner, to the last bit, so that what is
        # positive with this term was taken for positive without it.
        lowest = functools.reduce(jnp.add, reversed(lowers), corner)
        rows = _added(rows, term, lowest > 0)
        if with_each and k < len(terms) - 1:
            rows = jnp.concatenate([rows, rows[:, :1]], 1)
    return lax.optimization_barrier(rows[..., 0, :]), jnp.stack(rank), scale


def _in_order(start, slope, density):
    """The terms in ascending order of their sizes, the rank of each, and the scale.

    All of it is arrays of one shape, and so one kernel: no sum over an axis, and no stack.
    """
    n, sizes = len(slope), list(abs(slope))

    def is_before(j, k):
        return sizes[j] <= sizes[k] if j < k else sizes[j] < sizes[k]

    rank = [sum(is_before(j, k).astype(int) for j in range(n) if j != k) for k in range(n)]
    scale = functools.reduce(jnp.maximum, sizes, abs(start))
    scale = jnp.where(scale > 0, scale, 1)

    def ranked(k, values):
        pairs = zip(rank, values, strict=True)
        chosen = (jnp.where(of_term == k, value, 0) for of_term, value in pairs)
        return functools.reduce(jnp.add, chosen)

    def term(k):
        a = ranked(k, slope) / scale
        is_small = abs(a) < float(jnp.finfo(a.dtype).tiny) ** 0.25
        return Term(a, ranked(k, density), rank[0] == k, a < 0, is_small)

    rank = [jnp.broadcast_to(of_term, start.shape) for of_term in rank]
    return lax.optimization_barrier(([term(k) for k in range(n)], rank, scale))


def _at_corners(start, terms):
    """The sum at each corner, and its powers over r!, where it is positive, from r = -1."""
    n = len(terms)
    number, corner = np.arange(2**n)[:, None], start
    for k, term in reversed(list(enumerate(terms))):
        corner += jnp.where(number >> (n - 1 - k) & 1 == 1, term.slope, 0)
    r = np.arange(-2, n + 3)[:, None, None]
    powers = jnp.where((r >= 0) & (corner > 0), 1, jnp.zeros_like(corner))
    for k in range(1, n + 3):
        powers *= jnp.where(r < k, 1, corner / k)
    # One array, and so one kernel, of both.
    both = lax.optimization_barrier(jnp.where(r == -2, corner, powers))
    return both[0], both[1:]


def _added(rows, term, is_positive):
    """Rows with one more term; the last ones of several become those of its weight.

    Args:
        rows: Shape (2, n_rows, n_orders, n_corners, n_cases).
        term: The term.
        is_positive: Whether sums are positive whatever happens.

    Returns:
        One order less, and half of the corners.
    """
    n_rows, n_orders, n_corners = rows.shape[1], rows.shape[2] - 1, rows.shape[3] // 2
    is_own = term.is_own & (np.arange(2) == 1)[:, None, None, None, None]
    # Where there is but one, it is that without a weight.
    is_new = (np.arange(n_rows) == max(n_rows - 1, 1))[:, None, None, None]
    rows = jnp.pad(rows, ((0, 0), (0, 0), (n_orders, 2), (0, 0), (0, 0)))
    off, on = rows[..., :n_corners, :], rows[..., n_corners:, :]

    def at(rows, shift):
        return rows[:, :, n_orders + shift :][:, :, :n_orders]

    def by_weight(none, once, twice):
        return jnp.where(is_own & is_new, twice, jnp.where(is_own | is_new, once, none))

    a, size = jnp.where(term.is_small, 1, term.slope), abs(term.slope)
    one, two, three = ((at(on, k) - at(off, k)) / a for k in (1, 2, 3))
    once = (at(on, 1) - two) / a
    twice = (at(on, 1) - 2 * ((at(on, 2) - three) / a)) / a
    integral = by_weight(one, once, twice)

    lower, moments = jnp.where(term.is_negative, on, off), jnp.zeros_like(integral)
    factorial = [math.factorial(m) for m in range(n_orders + 3)]
    for m in reversed(range(n_orders)):
        rising = by_weight(*(1 / (factorial[m] * (m + k + 1)) for k in range(3)))
        falling = by_weight(*(factorial[k] / factorial[m + k + 1] for k in range(3)))
        factor = jnp.where(term.is_negative, falling, rising).astype(a.dtype)
        moments = at(lower, -m) * factor + size * moments

    p, same = term.density, at(off, 0)
    integral = jnp.where(is_positive, moments, integral)
    unmoved = same * by_weight(1, 1 / 2, 1 / 3).astype(a.dtype)
    mean = p * jnp.where(term.is_small, unmoved, integral)
    return mean + by_weight((1 - p) * same, 0, 0)

r"""The same moments for many terms: a control in closed form, a cosine series for the rest.

With more than a few terms the sets of active ones are too many. What is left is the
characteristic function of the sum, a product over independent groups of terms. A payoff
such as $v^2 [v > 0]$ is expanded in cosines on a range that holds the sum, with
coefficients that are elementary; its expectation is the sum over frequencies of
coefficient times characteristic function (the COS method: Fang and Oosterlee 2008, "A Novel
Pricing Method for European Options Based on Fourier-Cosine Series Expansions").

The series converges slowly where a law is lumpy, which it is where few terms are active. So
the law of a shorter sum is taken out first, whose moments `jsuper.expectations.boxes`
knows: of the own term, if it is active, and the largest other term that is. What remains
is small where features are rare, and smooth where they are not.
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jsuper.expectations.boxes import Moments
from jsuper.features.activity import Activity

LARGEST = 4
"""A range holds the bulk of a law and, on top of it, this many of the largest terms."""


class Control(NamedTuple):
    """The law of the own term of each case and one other: both, one or none is active.

    Args:
        other: Index of the other term, shape (n_cases, n_terms - 1).
        chances: Probability that it is this one, and that the own and the other term
            are active (index 1) or not, shape (n_cases, n_terms - 1, 2, 2).
    """

    other: np.ndarray
    chances: jax.Array

    def choices(self, own: np.ndarray) -> tuple[np.ndarray, jax.Array, jax.Array]:
        """Returns this law as a mixture of sums of two terms, the own one and another.

        Args:
            own: Index of the own term of each case.

        Returns:
            The two terms, shape (n_cases, n_choices, 2); how probable it is that they are
            active, 0 or 1, same shape; and the probability of each choice.
        """
        terms = np.stack(np.broadcast_arrays(own[:, None], self.other), -1)
        states, active = [], []
        for is_own, is_other in ((1, 1), (0, 1), (1, 0)):
            states.append(self.chances[..., is_own, is_other])
            active.append(np.broadcast_to([is_own, is_other], terms.shape))
        active = jnp.asarray(np.concatenate(active, 1), float)
        return np.tile(terms, (1, 3, 1)), active, jnp.concatenate(states, 1)


def control_of(law: Activity, size: jax.Array, own: np.ndarray) -> Control:
    """Returns the law of the own term and the largest other one that is active.

    Where some groups are not exclusive, it is the law of the only term that is active.

    Args:
        law: Which terms are active together.
        size: The largest value of each term, by which they are ordered, shape
            (n_terms, n_cases).
        own: Index of the own term of each case.
    """
    n, case = len(size), np.arange(len(own))
    term = np.arange(n)[:, None]
    other = np.array([np.delete(np.arange(n), i) for i in own])
    if all(group.exclusive for group in law.groups):
        # Whether the term of axis 0 comes before that of axis 1.
        before = (size[:, None] > size) | (
            (size[:, None] == size) & (term < term.T)[..., None]
        )
        before |= (term == own)[:, None]
        p, group_of = jnp.zeros(n, size.dtype), np.zeros(n, int)
        left = free = jnp.ones(())
        for stack in stacks(law):
            q = stack.chances[:, :-1]
            members = before[stack.indices]  # (group, member, term, case)
            none_before = 1 - (q[..., None, None] * members).sum(1)
            holds = (stack.indices[..., None] == np.arange(n)).any(1)
            holds_own = (stack.indices[..., None] == own).any(1)
            left *= jnp.where(holds[..., None], 1, none_before).prod(0)
            both = holds[..., None] | holds_own[:, None]
            free *= jnp.where(both, 1, none_before).prod(0)
            p = p.at[stack.indices].set(q)
            group_of[stack.indices] = np.arange(len(q))[:, None] + group_of.max() + 1
        only_other = p[:, None] * left
        together = p[own] * jnp.where(
            group_of[:, None] == group_of[own], 0, p[:, None] * free
        )
        only_own = p[own] - together.sum(0)
    else:
        alone = _alone(law, n)
        only_other, only_own = jnp.broadcast_to(alone[:, None], size.shape), alone[own]
        together = jnp.zeros_like(only_other)
    # Which other it would be does not matter where only the own term is active.
    only_own = only_own[:, None] * (np.arange(n - 1) == 0)
    only_other, together = (
        chance[other, case[:, None]] for chance in (only_other, together)
    )
    rows = (jnp.zeros_like(only_own), only_other), (only_own, together)
    return Control(other, jnp.stack([jnp.stack(row, -1) for row in rows], -2))


def remaining_moments(
    start: jax.Array,
    low: jax.Array,
    high: jax.Array,
    law: Activity,
    own: np.ndarray,
    control: Control,
    bulk: tuple[jax.Array, jax.Array],
    n_frequencies: int,
) -> Moments:
    """Returns what the moments of sums have beyond those of their control.

    Args:
        start: As in `jsuper.expectations.boxes.truncated_moments`.
        low: Likewise.
        high: Likewise.
        law: Which terms are active together.
        own: Index of the own term of each case.
        control: What `control_of` returns.
        bulk: Mean and standard deviation of each sum, shape (n_cases,).
        n_frequencies: Number of terms of the series.
    """
    case, k = np.arange(len(own)), np.arange(n_frequencies)[:, None]
    first, last = _range(*lax.stop_gradient((start, low, high, bulk)))
    w = k * np.pi / (last - first)
    middle, half = (low + high) / 2, (high - low) / 2
    turn = jnp.exp(1j * w * middle[:, None])
    m = turn * jnp.sinc(half[:, None] * w / np.pi)  # (term, frequency, case)
    of_own = m[own, :, case].T
    place = of_own / 2 + 0.5j * turn[own, :, case].T * _bessel(half[own, case] * w)

    on = off = jnp.ones(w.shape, m.dtype)
    for stack in stacks(law):
        factors = _characteristic(stack, m, own)
        on, off = on * factors[0].prod(0), off * factors[1].prod(0)
    chances = control.chances
    of_others = m[control.other, :, case[:, None]]  # (case, other, frequency)

    def taken_out(only, with_other):
        return only + jnp.einsum("co,cok->kc", with_other.astype(m.dtype), of_others)

    none = (
        1 - chances.sum((1, 2, 3)) if all(g.exclusive for g in law.groups) else _none(law)
    )
    on -= taken_out(chances[..., 1, 0].sum(1), chances[..., 1, 1])
    off -= taken_out(none, chances[..., 0, 1])

    shift = 2 / (last - first) * jnp.exp(1j * w * (start - first))
    shift = jnp.where(k == 0, shift / 2, shift)
    active = (shift * of_own * on).real
    total = active + (shift * off).real
    payoffs = _payoffs(first, last, w)

    def moments(law, n):
        return jnp.stack([(payoff * law).sum(0) for payoff in payoffs[:n]])

    return Moments(
        moments(total, 3), moments(active, 2), moments((shift * place * on).real, 2)
    )


class Stack(NamedTuple):
    """Groups of the same kind and size, as a `Group` with a leading axis of groups."""

    indices: np.ndarray
    chances: jax.Array
    densities: jax.Array
    exclusive: bool


def stacks(law: Activity) -> Iterator[Stack]:
    """Yields all groups, those of the same kind and size together."""

    def kind(group):
        return group.exclusive, group.densities.shape

    for _, same in itertools.groupby(sorted(law.groups, key=kind), kind):
        same = list(same)
        yield Stack(
            np.array([g.indices for g in same]),
            jnp.stack([g.chances for g in same]),
            jnp.stack([g.densities for g in same]),
            same[0].exclusive,
        )


def _characteristic(stack, m, own):
    """Characteristic functions of groups, own term active and left out, and not active."""
    is_own = (stack.indices[..., None] == own)[:, :, None]  # (group, member, 1, case)
    of_members = m[stack.indices]
    if stack.exclusive:
        p = stack.chances[:, :-1, None, None]
        off = stack.chances[:, -1, None, None] + jnp.where(is_own, 0, p * of_members).sum(1)
        on = jnp.where(is_own.any(1), jnp.where(is_own, p, 0).sum(1), off)
        return on, off
    p = jnp.moveaxis(stack.densities, 1, 0)[..., None, None]
    w = jnp.moveaxis(stack.chances, 1, 0)[..., None, None]
    others = 1 - p + p * of_members
    return tuple(
        (w * jnp.where(is_own, chance, others).prod(2)).sum(0) for chance in (p, 1 - p)
    )


def _alone(law, n):
    """Probability that each term is the only one that is active."""
    alone = jnp.zeros(n)
    for group in law.groups:
        d = group.densities
        off = jnp.where(np.eye(d.shape[1], dtype=bool), 1.0, (1 - d)[:, None]).prod(-1)
        others = _none(law, group)
        alone = alone.at[np.array(group.indices)].set(others * (group.chances @ (d * off)))
    return alone


def _none(law, besides=None):
    """Probability that no term is active, of those that are not in a group."""
    groups = [group for group in law.groups if group is not besides]
    return jnp.stack(
        [jnp.ones(())] + [g.chances @ (1 - g.densities).prod(-1) for g in groups]
    ).prod()


def _range(start, low, high, bulk):
    """A range that holds nearly all of each sum."""
    mean, std = bulk
    ends = []
    for sign in (1, -1):
        most = jnp.maximum(jnp.maximum(sign * low, sign * high), 0)
        largest = lax.top_k(most.T, min(LARGEST, len(most)))[0].sum(-1)
        reach = jnp.maximum(sign * (mean - start) + 8 * std, 0) + largest
        ends.append(start + sign * jnp.minimum(reach, most.sum(0)))
    last, first = ends
    return first, jnp.where(last > first, last, first + 1)


def _bessel(x):
    """The spherical Bessel function of order 1, sin(x)/x² - cos(x)/x."""
    small = abs(x) < 0.3
    y = jnp.where(small, x, 0) ** 2
    near = x / 3 * (1 - y / 10 * (1 - y / 28 * (1 - y / 54 * (1 - y / 88))))
    far = jnp.where(small, 1, x)
    return jnp.where(small, near, (jnp.sin(far) / far - jnp.cos(far)) / far)


def _payoffs(first, last, w):
    """Cosine coefficients of v^r [v > 0] for r = 0, 1, 2."""
    begin = jnp.clip(0, first, last)
    end = jnp.where(np.arange(len(w))[:, None] % 2, -1.0, 1.0)  # the cosine at the last
    w1 = jnp.where(w > 0, w, 1)
    sine, cosine = jnp.sin(w * (begin - first)), jnp.cos(w * (begin - first))
    payoffs = (
        -sine / w1,
        -begin * sine / w1 + (end - cosine) / w1**2,
        -(begin**2) * sine / w1
        + 2 * (last * end - begin * cosine) / w1**2
        + 2 * sine / w1**3,
    )
    return [
        jnp.where(w > 0, payoff, (last ** (r + 1) - begin ** (r + 1)) / (r + 1))
        for r, payoff in enumerate(payoffs)
    ]

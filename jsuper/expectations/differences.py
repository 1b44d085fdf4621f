r"""Moments of a sum of sparse terms, where the sum is positive: exact, and fast.

The same moments as in `jsuper.expectations.boxes`, of $v = v_0 + \sum_j a_j x_j$ with
independent $x_j$: 0 with probability $1 - p_j$, else uniform on [0, 1]. Let
$T^r(c) = E[v^r; v > 0] / r!$ for some of the terms and $v_0 = c$. One more term makes of it

$$(1 - p) \, T^r(c) + p \int_0^1 T^r(c + a u) \, du
  = (1 - p) \, T^r(c) + \frac pa \big( T^{r+1}(c + a) - T^{r+1}(c) \big),$$

so that all follows from powers at the $2^n$ corners, where each term is 0 or $a_j$.

Differences lose digits where they are small beside what they are taken of. Two rules keep
them. Terms are added in ascending order of $|a_j|$. And where the sum is positive whatever
happens, its moments are polynomials, made of the moments of the terms. So a difference
counts where the sum may have either sign, and there neither $c$ nor a term so far is larger
than a few $a$: rounding errors grow by a factor, whatever the ratios of the $a_j$.

Means with weights $x_k$ and $x_k x_l$ have integrals of $u \, T^r$ and $u^2 T^r$ in the
place of the one above. The derivatives are made of them, since
$\partial E[v^r; v > 0] / \partial a_k = r \, E[x_k v^{r-1}; v > 0]$. For $r = 0$ this is
an expectation at $v = 0$, with the probability density there: the order $-1$. Where a
derivative jumps it is that from the side where $v$ is smaller.
"""

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero

from jsuper.expectations.cases import side_by_side
from jsuper.expectations.rows import weighted_moments
from jsuper.platforms import by_platform


def keep(x: Any) -> Any:
    """Has what several consumers need computed once.

    It is for CPUs. On accelerators it costs less to compute it for each consumer again than
    to launch a kernel of its own.
    """
    return by_platform(x, cpu=lax.optimization_barrier, default=lambda x: x)


class Tables(NamedTuple):
    """Moments over r!, weighted; their last axes are order from -1 up, corner, case.

    Args:
        one: Without a weight.
        own: With that of the first term.
        each: With that of each term so far, on the first axis.
        both: With those of the first and of each term.
    """

    one: jax.Array
    own: jax.Array
    each: jax.Array | None = None
    both: jax.Array | None = None


@jax.custom_jvp
def truncated_moments(
    start: jax.Array, slope: jax.Array, density: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Returns moments of sums of sparse terms, where a sum is positive.

    Args:
        start: The sum where no term is active, at most 0, shape (n_cases,).
        slope: What each term adds at x = 1, shape (n_terms, n_cases).
        density: Probability that it is active, same shape.

    Returns:
        $E[v^r; v > 0]$ for r = 0, 1, 2, shape (3, n_cases), and $E[x_0 v^r; v > 0]$ for
        r = 0, 1, shape (2, n_cases), where $x_0$ is that of the first term.
    """
    return _of_tables(start, slope, density)


def _of_tables(start, slope, density, tables_of=None):
    tables_of = tables_of or _tables
    tables, _, scale = tables_of(start, slope, density, with_each=False)
    return _moments(tables.one[1:], scale, 0), _moments(tables.own[1:], scale, 0)


@functools.partial(truncated_moments.defjvp, symbolic_zeros=True)
def _derivative(primals, tangents):
    """Derivatives from tables, in fewer steps than those of the steps that make them."""
    *by_tables, by_density = tangents
    by_tables = [
        jnp.zeros_like(primal) if isinstance(tangent, SymbolicZero) else tangent
        for primal, tangent in zip(primals, by_tables, strict=False)
    ]
    tables, rank, scale = _tables(*primals, with_each=True)
    moments = _moments(tables.one[1:], scale, 0), _moments(tables.own[1:], scale, 0)
    along = []
    pairs = (tables.one, tables.each), (tables.own, tables.both)
    for weight, by_term in pairs:
        assert by_term is not None
        by_start = _moments(weight[:-1], scale, 1) * by_tables[0]
        sorted_slopes = _in_order(by_tables[1], rank)
        by_slope = (_moments(by_term, scale, 1) * sorted_slopes[:, None]).sum(0)
        along.append(by_start + by_slope)
    if not isinstance(by_density, SymbolicZero):
        start, slope, density = primals

        def of_density(density):
            return _of_tables(start, slope, density, _tables_of_cases)

        _, also = jax.jvp(of_density, (density,), (by_density,))
        along = [one + other for one, other in zip(along, also, strict=True)]
    return moments, tuple(along)


def _moments(table: jax.Array, scale: jax.Array, derivative: int) -> jax.Array:
    """Moments from T^r, or derivatives of moments from T^(r-1): times r! and a scale."""
    n = table.shape[-2]
    factorials = np.array([math.factorial(r) for r in range(n)])[:, None]
    powers = scale ** (np.arange(n)[:, None] - derivative)
    return table * factorials.astype(table.dtype) * powers


def _in_order(terms: jax.Array, rank: jax.Array) -> jax.Array:
    """Terms in the order in which they are added, without a gather that scatters back."""
    n = len(terms)
    return jnp.stack([jnp.where(rank == k, terms, 0).sum(0) for k in range(n)])


def _tables(start, slope, density, *, with_each: bool):
    """Tables at the one corner that is left, the order of the terms, and the scale."""
    of_all = _tables_with_each if with_each else _tables_without
    return of_all(start, slope, density)


def _tables_of_cases(start, slope, density, *, with_each: bool):
    n, n_cases = slope.shape
    dtype = start.dtype
    size = lax.stop_gradient(abs(slope))
    term = jnp.arange(n)[:, None]
    before = (size[:, None] < size) | ((size[:, None] == size) & (term < term.T)[..., None])
    rank = keep(before.sum(0))
    # Where the start is far below 0 and the terms are tiny, its powers would overflow.
    scale = jnp.maximum(size.max(0), lax.stop_gradient(abs(start)))
    scale = jnp.where(scale > 0, scale, 1)
    a, p = keep((_in_order(slope / scale, rank), _in_order(density, rank)))
    # A term too small for its powers adds nothing.
    is_small = abs(a) < float(jnp.finfo(dtype).tiny) ** 0.25
    corner = (start / scale)[None]
    for slope_of_term in a[::-1]:
        corner = jnp.concatenate([corner, corner + slope_of_term])
    least, order = jnp.zeros(n_cases, dtype), n + 4

    powers = _powers(jax.nn.relu(corner), order - 1)
    step = (corner > 0).astype(dtype)
    one = keep(jnp.concatenate([jnp.zeros_like(step)[None], step[None], powers[1:]]))
    # The same moments without truncation, about the least value of the sum.
    nothing = jnp.zeros((order - 2, n_cases), dtype)
    alone = jnp.concatenate([jnp.ones((1, n_cases), dtype), nothing])
    truncated, whole = ([t, jnp.zeros_like(t[1:])] for t in (one, alone))
    if with_each:
        for tables in (truncated, whole):
            own = tables[1]
            tables += (
                jnp.zeros((0, *own.shape), dtype),
                jnp.zeros((0, *own[1:].shape), dtype),
            )
    for k in range(n):
        order -= 1
        n_corners, is_own = len(corner) // 2, rank[0] == k
        integral = _Integral(a[k], p[k], is_small[k], n_corners)
        term = _Alone(a[k], p[k], order)

        def added(tables, n_orders, of_term, is_own=is_own):
            """Tables with one more term, by what it makes of one of them."""
            one, own, *of_terms = tables
            weighted = of_term(one, 1, n_orders - 1)
            new = [of_term(one, 0, n_orders)]
            new.append(jnp.where(is_own, weighted, of_term(own, 0, n_orders - 1)))
            if of_terms:
                each, both = of_terms
                before = of_term(each, 0, n_orders - 1)
                new.append(jnp.concatenate([before, weighted[None]]))
                n_orders -= 2
                both = of_term(both, 0, n_orders)
                before = jnp.where(is_own, of_term(each, 1, n_orders), both)
                twice = of_term(one, 2, n_orders), of_term(own, 1, n_orders)
                new.append(jnp.concatenate([before, jnp.where(is_own, *twice)[None]]))
            return keep(new)

        truncated = added(truncated, order, integral)
        whole = added(whole, order - 1, term)
        corner, least = keep((corner[:n_corners], least + jnp.where(a[k] < 0, a[k], 0)))
        lowest = corner + least
        # Where nothing can lower a sum of 0, it is 0 with a probability, and not above.
        is_positive = lowest > jnp.where(least < 0, -float(jnp.finfo(dtype).tiny), 0)
        powers = _powers(lowest, order - 1)
        truncated = [
            keep(jnp.where(is_positive, _polynomials(moments, powers), table))
            for moments, table in zip(whole, truncated, strict=True)
        ]
    return Tables(*(table[..., 0, :] for table in truncated)), rank, scale


def _tables_of_rows(start, slope, density, *, with_each: bool):
    """The same as `_tables_of_cases`, in the form for accelerators."""
    rows, rank, scale = weighted_moments(start, slope, density, with_each=with_each)
    one, own = rows[0, 0], rows[1, 0, :-1]
    if not with_each:
        return Tables(one, own), rank, scale
    return Tables(one, own, rows[0, 1:, :-1], rows[1, 1:, :-2]), rank, scale


class _Integral(NamedTuple):
    """What one more term makes of a truncated table, with the weight u^k on the term."""

    a: jax.Array
    p: jax.Array
    is_small: jax.Array
    n_corners: int

    def __call__(self, table: jax.Array, k: int, n_orders: int) -> jax.Array:
        off, on = table[..., : self.n_corners, :], table[..., self.n_corners :, :]
        a = jnp.where(self.is_small, 1, self.a)
        end = k + 1 + n_orders
        integral = (on[..., k + 1 : end, :, :] - off[..., k + 1 : end, :, :]) / a
        for i in range(1, k + 1):
            integral = (on[..., k + 1 - i : end - i, :, :] - i * integral) / a
        same = off[..., :n_orders, :, :]
        mean = self.p * jnp.where(self.is_small, same / (k + 1), integral)
        return mean if k else (1 - self.p) * same + mean


class _Alone(NamedTuple):
    """The same for moments without truncation, of order 0 and up."""

    a: jax.Array
    p: jax.Array
    n_orders: int

    def __call__(self, moments: jax.Array, k: int, n_orders: int) -> jax.Array:
        size = jnp.where(self.a < 0, -self.a, self.a)
        powers, rows = _powers(size, n_orders), []
        for r in range(n_orders):
            rising = 1 / (r + k + 1)
            falling = math.factorial(k) * math.factorial(r) / math.factorial(k + r + 1)
            row = self.p * jnp.where(self.a < 0, falling, rising) * powers[r]
            if k == 0:
                row += (1 - self.p) * jnp.where(self.a < 0, powers[r], float(r == 0))
            rows.append(row)
        return _convolved(moments, keep(jnp.stack(rows)), n_orders)


def _convolved(moments, term, n):
    """Moments over r! of a sum, from those of its parts; the orders on axis -2."""
    rows = [sum(moments[..., i, :] * term[r - i] for i in range(r + 1)) for r in range(n)]
    return keep(jnp.stack(rows, -2))


def _polynomials(moments, powers):
    """Moments over r! about 0, orders from -1 up, from those about other points."""
    n = moments.shape[-2]
    rows = [
        sum(moments[..., i, None, :] * powers[r - i] for i in range(r + 1))
        for r in range(n)
    ]
    return jnp.stack([jnp.zeros_like(rows[0]), *rows], -3)


def _powers(x, n):
    """x^r / r! for r = 0 to n - 1, on a new first axis."""
    rows = [jnp.ones_like(x)]
    for r in range(1, n):
        rows.append(rows[-1] * x / r)
    return keep(jnp.stack(rows))


_tables_without, _tables_with_each = (
    side_by_side(
        functools.partial(_tables_of_cases, with_each=with_each),
        elsewhere=functools.partial(_tables_of_rows, with_each=with_each),
    )
    for with_each in (False, True)
)

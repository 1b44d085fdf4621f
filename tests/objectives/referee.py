"""The expected loss by vertex sums in 140 digits: slow, and independent of the library.

For active features with coefficients a_j other than 0, and v = c + Σ a_j u_j,
E[v₊^r] = r! Σ_s (−1)^(k − |s|) (c + s · a)₊^(r + k) / ((r + k)! Π a_j), the sum over the
corners s of the cube; E[u_i v₊^r] follows from E[v₊^(r + 1)] by parts.
"""

import itertools

import mpmath as mp


def truncated(c, a, r):
    """E[(c + Σ a_j u_j)₊^r]; at 0 the step is 1."""
    a = [x for x in a if x != 0]
    k = len(a)
    if k == 0:
        return (mp.mpf(c >= 0) if r == 0 else max(c, 0) ** r) + mp.mpf(0)
    total = mp.mpf(0)
    for corner in itertools.product((0, 1), repeat=k):
        v = c + mp.fsum(x for x, s in zip(a, corner, strict=True) if s)
        if v > 0:
            total += (-1) ** (k - sum(corner)) * v ** (r + k)
    return total * mp.factorial(r) / mp.factorial(r + k) / mp.fprod(a)


def weighted(c, a, i, r):
    """E[u_i (c + Σ a_j u_j)₊^r]."""
    if a[i] == 0:
        return truncated(c, a, r) / 2
    others = a[:i] + a[i + 1 :]
    ends = truncated(c + a[i], others, r + 1) - truncated(c, a, r + 1)
    return ends / (r + 1) / a[i]


def loss(W, b, density, threshold, importance):
    """The mean over features of I_i E(x_i − f(z_i))², features uniform on [0, 1]."""
    n, total = len(b), mp.mpf(0)
    for i in range(n):
        a = [mp.fdot(W[i], W[j]) for j in range(n)]
        t = threshold
        if mp.isinf(t):
            t = b[i] - 1 - mp.fsum(map(abs, a))
        error = density[i] / 3
        for active in itertools.product((0, 1), repeat=n):
            chance = mp.fprod(
                p if on else 1 - p for p, on in zip(density, active, strict=True)
            )
            if chance == 0:
                continue
            inside = [x for x, on in zip(a, active, strict=True) if on]
            f = [truncated(b[i] - t, inside, r) for r in range(3)]
            share = t**2 * f[0] + 2 * t * f[1] + f[2]
            if active[i]:
                place = sum(active[:i])
                share -= 2 * sum(
                    weighted(b[i] - t, inside, place, r) * t ** (1 - r) for r in (0, 1)
                )
            error += chance * share
        total += importance[i] * error
    return total / n


def exact_numbers(array):
    """An array of floats as nested lists of exact numbers."""
    return [mp.mpf(float(x)) if x.ndim == 0 else exact_numbers(x) for x in array]


def gradient(W, b, *task):
    """Central differences by every weight and bias: two lists, one of rows."""
    step = mp.mpf(10) ** -18

    def slope(change):
        change(step)
        above = loss(W, b, *task)
        change(-2 * step)
        below = loss(W, b, *task)
        change(step)
        return (above - below) / (2 * step)

    def changes(row, k):
        def change(by):
            row[k] += by

        return change

    by_W = [[slope(changes(row, k)) for k in range(len(row))] for row in W]
    return by_W, [slope(changes(b, k)) for k in range(len(b))]

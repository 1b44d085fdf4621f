r"""What runs end as, and the closed forms of where a dropped feature is stable.

The first feature alone, $W = (1, 0)$, $b = (0, p/2)$, is stationary. A small second weight
$w$ gains $I v w^2$ on the second output, with $v = p/3 - p^2/4$ what a dropped feature
costs, and costs $C w^2$ on the first, whose weight and bias give way. $C$ depends on the
sign of $w$: what is of opposite sign is cut off by ReLU where the first feature is not
active, what is of equal sign passes. Losses are sums over features.
"""

import numpy as np
import xarray as xr

from jsuper.theory.pairs import drop_loss

PAIRED = 0.05
"""Overlap $-W_1 W_2$ above which two features are a pair under a penalty."""


def ends(ds: xr.Dataset) -> xr.DataArray:
    """Names what each model is: drop, dedicate, pair or other.

    As in the paper a weight below 1/2 is none. Two long weights of equal signs are other,
    and so is a model that diverged.
    """
    W = ds["W"].isel(hidden=0)
    first, second = (abs(W.isel(feature=i)) >= 0.5 for i in (0, 1))
    pair = first & second & (W.prod("feature") < 0)
    named = xr.where(pair, "pair", "other")
    named = named.where(first | ~second, "dedicate").where(second | ~first, "drop")
    return named.where(ds["finite"], "other")


def opposite_signs(ds: xr.Dataset) -> xr.DataArray:
    """Whether the initial weights of each run have opposite signs: the first half."""
    return ds["seed"] < ds.sizes["seed"] // 2


def cost_of_opposite(density) -> np.ndarray:
    r"""Returns $C_-$, the cost of a small second weight of opposite sign.

    With $\beta w$ the first bias, at the root of its derivative,

    $$C_- = p \left[\tfrac14 (\beta - \tfrac p2)^2 + v \right]
      + (1 - p) \left[(1 - p) \beta^2 + p \beta^3 / 3 \right].$$
    """
    p = np.asarray(density, float)
    # a β² + b β = p² / 4, in a form that is well-behaved at a = 0, which is p = 1.
    a, b = p * (1 - p), p / 2 + 2 * (1 - p) ** 2
    beta = p**2 / 2 / (b + np.sqrt(b**2 + a * p**2))
    first = p * (beta - p / 2) ** 2 / 4 + p * drop_loss(p)
    return first + (1 - p) * ((1 - p) * beta**2 + p * beta**3 / 3)


def cost_of_equal(density) -> np.ndarray:
    r"""Returns $C_+$, the cost of a small second weight of equal sign.

    With $-\beta w$ the first bias, at the root of its derivative in [0, 1],

    $$C_+ = p \left[\tfrac14 (\beta - \tfrac p2)^2 + v \right]
      + p (1 - p) (1 - \beta)^3 / 3.$$
    """
    p = np.asarray(density, float)
    c = 1 - p / 2
    rest = 2 * c / (1 + np.sqrt(1 + 8 * (1 - p) * c))  # 1 − β
    first = p * (c - rest) ** 2 / 4 + p * drop_loss(p)
    return first + p * (1 - p) * rest**3 / 3


def leaving_importance(density, cost) -> np.ndarray:
    """Returns the importance above which the dropped feature is not stable."""
    return cost(density) / drop_loss(density)


def ideal_penalty(density, importance) -> np.ndarray:
    """Returns the penalty at which the ideal pair costs as much as dropping a feature."""
    p = np.asarray(density, float)
    return (importance * drop_loss(p) - (1 + importance) * p**2 / 6) / 2


def stable_penalty(density, importance) -> np.ndarray:
    """Returns the penalty from which on a dropped feature is stable."""
    return (importance * drop_loss(density) - cost_of_opposite(density)) / 2


def overlap(ds: xr.Dataset) -> xr.DataArray:
    """The overlap of opposite features, $-W_1 W_2$."""
    return -ds["W"].prod(("feature", "hidden"))


def critical_penalties(ds: xr.Dataset) -> xr.Dataset:
    """Finds where the pair under a rising penalty is no longer best, and where it ends.

    Returns:
        Along density and importance, 0 where there is none: ``best``, where the pair costs
        as much as dropping a feature (interpolated), and ``last``, halfway between the last
        penalty with a pair and the next.
    """
    p, r, strength = ds["density"], ds["importance"], ds["strength"]
    gain = r * xr.apply_ufunc(drop_loss, p) - 2 * p * ds["loss"]
    paired = (overlap(ds) > PAIRED).cumprod("strength") == 1
    step = float(strength[1] - strength[0])
    last = (strength + step / 2).where(paired).max("strength").fillna(0)
    better = ((gain > 0) & paired).cumprod("strength") == 1
    before = strength.where(better).max("strength")
    here, after = (
        part.where(strength == before).max("strength")
        for part in (gain, gain.shift(strength=-1))
    )
    best = before + step * here / (here - after)
    best = best.where(best < last, last).where(before.notnull(), 0)
    unit = r * p / 3
    return xr.Dataset({"best": best * unit, "last": last * unit})

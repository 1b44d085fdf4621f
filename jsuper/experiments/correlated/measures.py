"""What correlated features form, from the weights of trained models."""

import numpy as np
import xarray as xr

import jsuper as js

TOGETHER = 0.95
"""Cosine above which the features of a pair share a direction."""


def partner_cosines(W: np.ndarray) -> np.ndarray:
    """Cosine of each feature with the other of its pair, shape (..., feature)."""
    feature = np.arange(W.shape[-2])
    return np.asarray(js.cosines(W))[..., feature, feature ^ 1]


def arranged(ds: xr.Dataset) -> xr.Dataset:
    """Adds ``arrangement``, the name of what two pairs in two dimensions form."""
    W, dims = ds["W"].values, ds["W"].dims[:-2]
    within = partner_cosines(W)
    across = np.asarray(js.cosines(W))[..., :2, 2:].min(-1)
    # Every feature has an opposite in the other pair; its partner is orthogonal.
    rules = {
        "other": np.linalg.norm(W, axis=-1).min(-1) < 0.5,
        "antipodal across": (abs(within).max(-1) < 0.25) & (across.max(-1) < -0.9),
        "antipodal within": within.max(-1) < -0.9,
        "collapsed": within.max(-1) > TOGETHER,
    }
    names = np.select(list(rules.values()), list(rules), "other")
    return ds.assign(arrangement=(dims, names))


def shapes(ds: xr.Dataset) -> xr.Dataset:
    """Adds how many pairs ``collapsed``, if all form a ``hexagon``, partners ``beside``."""
    W, dims = ds["W"].values, ds["W"].dims[:-2]
    angles = np.degrees(np.arctan2(W[..., 1], W[..., 0]))
    around = np.sort(angles)
    gaps = np.diff(around, append=around[..., :1] + 360)
    # Gaps are 60° in a regular hexagon, where a missing corner would make 120°; a
    # collapsed pair leaves a gap of 0.
    even = (gaps.max(-1) < 100) & (gaps.min(-1) > 20)
    pair = np.argsort(angles) // 2
    beside = (pair == np.roll(pair, 1, -1)) | (pair == np.roll(pair, -1, -1))
    return ds.assign(
        collapsed=(dims, (partner_cosines(W) > TOGETHER).sum(-1) // 2),
        hexagon=(dims, even & (np.linalg.norm(W, axis=-1).min(-1) >= 0.5)),
        beside=(dims, beside.all(-1)),
    )


def pca_loss(features, n_hidden: int) -> float:
    """Loss of the best linear model with a bias: variance that PCA leaves, per feature."""
    mean = np.asarray(features.mean(), np.float64)
    covariance = np.asarray(features.second_moment(), np.float64) - np.outer(mean, mean)
    return float(np.linalg.eigvalsh(covariance)[:-n_hidden].sum() / len(mean))


def block_sizes(ds: xr.Dataset) -> xr.Dataset:
    r"""Adds the rms of $W W^\top$ ``within`` sets and ``across``, two of equal size.

    ``diagonal`` is the largest distance of a squared norm to 1.
    """
    W, dims = ds["W"].values, ds["W"].dims[:-2]
    products, of_set = W @ W.mT, np.repeat([0, 1], W.shape[-2] // 2)
    same, own = of_set[:, None] == of_set, np.eye(len(of_set), dtype=bool)
    parts = {"within": same & ~own, "across": ~same}
    rms = {k: np.sqrt((products[..., v] ** 2).mean(-1)) for k, v in parts.items()}
    diagonal = abs(products[..., own] - 1).max(-1)
    return ds.assign({k: (dims, v) for k, v in (rms | {"diagonal": diagonal}).items()})

"""What correlated features form, from the weights of trained models."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

import jsuper as js

ARRANGEMENTS = ("antipodal across", "antipodal within", "collapsed", "other")
"""What two pairs in two dimensions form."""

TIE = 0.05
"""Where the paper's ranges of no and of one collapsed pair meet; below it the hexagon is
expected."""

TOGETHER = 0.95
"""Cosine above which the features of a pair share a direction."""


def pair_cosines(W: ArrayLike) -> np.ndarray:
    """Cosine between the two features of every pair, shape (..., pair)."""
    C = np.asarray(js.cosines(np.asarray(W)))
    first = np.arange(0, C.shape[-1], 2)
    return C[..., first, first + 1]


def arrangements(W: np.ndarray) -> np.ndarray:
    """Names what two pairs in two dimensions form, shape (...): see `ARRANGEMENTS`."""
    within = pair_cosines(W)
    # Every feature has an opposite in the other pair; its partner is orthogonal.
    across = np.asarray(js.cosines(W))[..., :2, 2:].min(-1)
    across = (abs(within).max(-1) < 0.25) & (across.max(-1) < -0.9)
    collapsed, opposite = within.max(-1) > TOGETHER, within.max(-1) < -0.9
    small = np.linalg.norm(W, axis=-1).min(-1) < 0.5
    named = [across & ~small, opposite & ~small, collapsed & ~small]
    return np.select(named, ARRANGEMENTS[:3], ARRANGEMENTS[3])


def arranged(ds: xr.Dataset) -> xr.Dataset:
    """Adds ``arrangement``, the name of what two pairs form, of each model."""
    return ds.assign(arrangement=(("density", "seed"), arrangements(_weights(ds))))


def collapsed(W: ArrayLike) -> np.ndarray:
    """Number of pairs whose features share a direction, shape (...)."""
    return (pair_cosines(W) > TOGETHER).sum(axis=-1)


def is_hexagon(W: np.ndarray) -> np.ndarray:
    """Whether six represented features surround the origin, in any order, shape (...)."""
    angles = np.sort(_angles(W), axis=-1)
    gaps = np.diff(angles, append=angles[..., :1] + 360, axis=-1)
    # Gaps are 60 degrees in a regular hexagon, where a missing corner would make 120; a
    # collapsed pair leaves a gap of 0.
    even = (gaps.max(-1) < 100) & (gaps.min(-1) > 20)
    return even & (np.linalg.norm(W, axis=-1).min(-1) >= 0.5)


def side_by_side(W: np.ndarray) -> np.ndarray:
    """Whether, around the origin, every feature is next to its partner, shape (...)."""
    pair = np.argsort(_angles(W), axis=-1) // 2
    beside = (pair == np.roll(pair, 1, -1)) | (pair == np.roll(pair, -1, -1))
    return beside.all(-1)


def _angles(W: np.ndarray) -> np.ndarray:
    return np.degrees(np.arctan2(W[..., 1], W[..., 0]))


def shapes(ds: xr.Dataset) -> xr.Dataset:
    """Adds ``collapsed``, ``hexagon`` and ``beside`` of each model."""
    W, dims = _weights(ds), ("density", "seed")
    return ds.assign(
        collapsed=(dims, collapsed(W)),
        hexagon=(dims, is_hexagon(W)),
        beside=(dims, side_by_side(W)),
    )


def relative_to_pca(ds: xr.Dataset, build: Callable[..., js.Task]) -> xr.Dataset:
    """Adds ``relative``, the loss relative to that of the best linear model."""
    m = ds.sizes["hidden"]
    bound = [pca_loss(build(float(p)).features, m) for p in ds["density"].values]
    return ds.assign(relative=ds["loss"] / xr.DataArray(bound, dims="density"))


def pca_loss(features, n_hidden: int) -> float:
    """Loss of the best linear model with a bias: variance that PCA leaves, per feature."""
    mean = np.asarray(features.mean(), np.float64)
    covariance = np.asarray(features.second_moment(), np.float64) - np.outer(mean, mean)
    return float(np.linalg.eigvalsh(covariance)[:-n_hidden].sum() / len(mean))


def block_sizes(ds: xr.Dataset) -> xr.Dataset:
    r"""Adds the size of the parts of $W W^\top$ for two sets of ten.

    ``within`` is the root mean square of the products of different features of a set,
    ``across`` of different sets; ``diagonal`` the largest distance of a squared norm to 1.
    """
    W = _weights(ds)
    G = W @ np.swapaxes(W, -1, -2)
    k = W.shape[-2] // 2
    off = ~np.eye(k, dtype=bool)
    inside = np.concatenate([G[..., :k, :k][..., off], G[..., k:, k:][..., off]], axis=-1)
    squares = np.diagonal(G, axis1=-2, axis2=-1)
    dims = ("density", "seed")
    return ds.assign(
        within=(dims, np.sqrt((inside**2).mean(-1))),
        across=(dims, np.sqrt((G[..., :k, k:] ** 2).mean((-1, -2)))),
        diagonal=(dims, np.abs(squares - 1).max(-1)),
    )


def _weights(ds: xr.Dataset) -> np.ndarray:
    return ds["W"].transpose("density", "seed", "feature", "hidden").values

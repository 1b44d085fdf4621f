"""What correlated features form, from the weights of trained models."""

from collections.abc import Callable

import numpy as np
import xarray as xr

import jsuper as js

TOGETHER = 0.95
"""Cosine above which the features of a pair share a direction."""


def each_model(
    measure: Callable[[np.ndarray], np.ndarray], ds: xr.Dataset, *gives: str
) -> xr.DataArray:
    """Returns a measure of weights (..., feature, hidden), with axes that it ``gives``."""
    core = [["feature", "hidden"]]
    return xr.apply_ufunc(
        measure, ds["W"], input_core_dims=core, output_core_dims=[[*gives]]
    )


def partner_cosines(W: np.ndarray) -> np.ndarray:
    """Cosine of each feature with the other of its pair, shape (..., feature)."""
    feature = np.arange(W.shape[-2])
    return np.asarray(js.cosines(W))[..., feature, feature ^ 1]


def collapsed(W: np.ndarray) -> np.ndarray:
    """Number of pairs whose features share a direction, shape (...)."""
    return (partner_cosines(W) > TOGETHER).sum(-1) // 2


def arrangements(W: np.ndarray) -> np.ndarray:
    """Names what two pairs in two dimensions form, shape (...)."""
    within = partner_cosines(W)
    across = np.asarray(js.cosines(W))[..., :2, 2:].min(-1)
    # Every feature has an opposite in the other pair; its partner is orthogonal.
    rules = [
        np.linalg.norm(W, axis=-1).min(-1) < 0.5,
        (abs(within).max(-1) < 0.25) & (across.max(-1) < -0.9),
        within.max(-1) < -0.9,
        within.max(-1) > TOGETHER,
    ]
    names = ("other", "antipodal across", "antipodal within", "collapsed")
    return np.select(rules, names, "other")


def arranged(ds: xr.Dataset) -> xr.Dataset:
    """Adds ``arrangement``, the name of what two pairs form, of each model."""
    return ds.assign(arrangement=each_model(arrangements, ds))


def is_hexagon(W: np.ndarray) -> np.ndarray:
    """Whether six represented features surround the origin, in any order, shape (...)."""
    angles = np.sort(_angles(W), axis=-1)
    gaps = np.diff(angles, append=angles[..., :1] + 360, axis=-1)
    # Gaps are 60° in a regular hexagon, where a missing corner would make 120°; a
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
    measures = {"collapsed": collapsed, "hexagon": is_hexagon, "beside": side_by_side}
    return ds.assign({name: each_model(f, ds) for name, f in measures.items()})


def pca_loss(features, n_hidden: int) -> float:
    """Loss of the best linear model with a bias: variance that PCA leaves, per feature."""
    mean = np.asarray(features.mean(), np.float64)
    covariance = np.asarray(features.second_moment(), np.float64) - np.outer(mean, mean)
    return float(np.linalg.eigvalsh(covariance)[:-n_hidden].sum() / len(mean))


def block_sizes(ds: xr.Dataset) -> xr.Dataset:
    r"""Adds the size of the parts of $W W^\top$, the first half of the features a set.

    ``within`` is the rms of the products of different features of a set, ``across`` of
    different sets; ``diagonal`` the largest distance of a squared norm to 1.
    """
    axes = ("feature", "other")
    W, (i, j) = ds["W"], (xr.DataArray(range(ds.sizes["feature"]), dims=d) for d in axes)
    products = xr.dot(W, W.rename(feature="other"), dim="hidden")
    half = ds.sizes["feature"] // 2
    same = (i < half) == (j < half)

    def rms(which):
        return np.sqrt((products**2).where(which).mean(axes))

    return ds.assign(
        within=rms(same & (i != j)),
        across=rms(~same),
        diagonal=abs(products - 1).where(i == j).max(axes),
    )

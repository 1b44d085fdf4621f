"""What correlated features form, from the weights of trained models."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

import jsuper as js

ARRANGEMENTS = ("antipodal across", "antipodal within", "collapsed", "other")


def cosines(W: ArrayLike) -> np.ndarray:
    """Cosines between embeddings, shape (..., feature, feature); 0 with a norm of 0."""
    W = np.asarray(W, np.float64)
    norms = np.linalg.norm(W, axis=-1, keepdims=True)
    V = W / np.where(norms == 0, 1, norms)
    return V @ np.swapaxes(V, -1, -2)


def pair_cosines(W: ArrayLike) -> np.ndarray:
    """Cosine between the two features of every pair, shape (..., pair)."""
    C = cosines(W)
    first = np.arange(0, C.shape[-1], 2)
    return C[..., first, first + 1]


def arrangement(W: np.ndarray) -> str:
    """Names what two pairs in two dimensions form: see `ARRANGEMENTS`."""
    if np.linalg.norm(W, axis=-1).min() < 0.5:
        return "other"
    within = pair_cosines(W)
    if within.max() > 0.95:
        return "collapsed"
    if within.max() < -0.9:
        return "antipodal within"
    # Every feature has an opposite in the other pair; its partner is orthogonal.
    across = cosines(W)[:2, 2:].min(axis=-1)
    if np.abs(within).max() < 0.25 and across.max() < -0.9:
        return "antipodal across"
    return "other"


def arrangements(ds: xr.Dataset) -> xr.DataArray:
    """The arrangement of every model, as a position in `ARRANGEMENTS`."""
    return xr.apply_ufunc(
        lambda W: ARRANGEMENTS.index(arrangement(W)),
        ds["W"],
        input_core_dims=[["feature", "hidden"]],
        vectorize=True,
    )


def collapsed(W: ArrayLike) -> np.ndarray:
    """Number of pairs whose features share a direction: cosine above 0.95."""
    return (pair_cosines(W) > 0.95).sum(axis=-1)


def is_hexagon(W: np.ndarray) -> bool:
    """Whether six represented features surround the origin, in any order."""
    if np.linalg.norm(W, axis=-1).min() < 0.5:
        return False
    angles = np.sort(np.degrees(np.arctan2(W[:, 1], W[:, 0])))
    gaps = np.diff(angles, append=angles[0] + 360)
    # Gaps are 60 degrees in a regular hexagon, where a missing corner would make 120; a
    # collapsed pair leaves a gap of 0.
    return bool(gaps.max() < 100 and gaps.min() > 20)


def side_by_side(W: np.ndarray) -> bool:
    """Whether, going around the origin, every feature is next to its partner."""
    pair = np.argsort(np.arctan2(W[:, 1], W[:, 0])) // 2
    return bool(((pair == np.roll(pair, 1)) | (pair == np.roll(pair, -1))).all())


def shapes(ds: xr.Dataset) -> xr.Dataset:
    """Adds ``collapsed``, ``hexagon``, ``beside`` and the loss relative to PCA's."""
    W = ds["W"].transpose("density", "seed", "feature", "hidden").values
    hexagon = [[is_hexagon(model) for model in cell] for cell in W]
    beside = [[side_by_side(model) for model in cell] for cell in W]
    dims = ("density", "seed")
    bound = xr.DataArray(
        [pca_loss(js.CorrelatedFeatures(3, 2, p), 2) for p in ds["density"].values],
        dims="density",
    )
    return ds.assign(
        collapsed=(dims, collapsed(W)),
        hexagon=(dims, hexagon),
        beside=(dims, beside),
        relative=ds["loss"] / bound,
    )


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
    W = ds["W"].transpose("density", "seed", "feature", "hidden").values
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

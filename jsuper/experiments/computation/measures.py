"""What neurons serve and compute, and the solution in which each serves one feature."""

import numpy as np
import xarray as xr

import jsuper as js

RATIO = 0.8
"""Importance of a feature relative to the one before."""

LEAST_SHARE = 0.25
"""Share of a neuron's largest weight above which a feature counts as one of its own."""

WEIGHTS = [["feature", "hidden"], ["hidden", "feature"]]
"""Dimensions of a model's input and output weights."""


def described(ds: xr.Dataset) -> xr.Dataset:
    """Rescales neurons, counts their features, and the signs that features work for.

    Adds ``serves`` (features of a neuron, 0 if it is not in use), ``second`` (its second
    weight, the largest being 1) and ``signs`` (0, 1 or 2: for how many signs of x = 1 or
    -1, alone, the output rises by more than 1/2).
    """
    grid = ds["loss"].dims
    W_in = ds["W_in"].transpose(*grid, "feature", "hidden").values
    W_out = ds["W_out"].transpose(*grid, "hidden", "feature").values
    b = ds["b"].transpose(*grid, "feature").values
    rises = [
        np.maximum(np.einsum("...ij,...ji->...i", np.maximum(s * W_in, 0), W_out) + b, 0)
        - np.maximum(b, 0)
        for s in (1, -1)
    ]
    W_in, W_out = (np.asarray(W) for W in js.rescale_neurons(W_in, W_out))
    in_use = np.linalg.norm(W_out, axis=-1) > 0.1
    serves = np.asarray(js.features_per_neuron(W_in, LEAST_SHARE))
    return ds.assign(
        W_in=((*grid, "feature", "hidden"), W_in),
        W_out=((*grid, "hidden", "feature"), W_out),
        serves=((*grid, "hidden"), np.where(in_use, serves, 0)),
        second=((*grid, "hidden"), np.sort(np.abs(W_in), axis=-2)[..., -2, :]),
        signs=((*grid, "feature"), sum((y > 0.5).astype(int) for y in rises)),
    )


def polysemantic(ds: xr.Dataset) -> xr.DataArray:
    """Share of the neurons in use that serve several features, by density and seed."""
    return (ds["serves"] > 1).sum("hidden") / (ds["serves"] > 0).sum("hidden")


def monosemantic_loss(n_features: int, n_neurons: int, density) -> xr.DataArray:
    r"""Loss of the solution by hand in which every neuron serves one feature.

    The m/2 most important features are computed exactly, by two neurons each; for every
    other one the output is its mean $p/2$, at the cost of its variance $p/3 - p^2/4$.
    """
    lost = np.asarray(js.geometric_importance(n_features, RATIO), float)[n_neurons // 2 :]
    return lost.sum() / n_features * (density / 3 - density**2 / 4)


def reciprocal_pairs(ds: xr.Dataset) -> xr.DataArray:
    """Tells for every model what `has_reciprocal_pairs` tells for one."""
    return xr.apply_ufunc(
        has_reciprocal_pairs,
        ds["W_in"],
        ds["W_out"],
        input_core_dims=WEIGHTS,
        vectorize=True,
        output_dtypes=[bool],
    )


def has_reciprocal_pairs(W_in: np.ndarray, W_out: np.ndarray) -> bool:
    """Tells whether every feature has one neuron for each sign, with reciprocal weights.

    Weights are those after rescaling, so that reciprocal means an output weight of 1.
    """
    n, m = W_in.shape
    main = np.abs(W_in).argmax(0)
    sign = np.sign(W_in[main, np.arange(m)])
    roles = sorted(zip(main.tolist(), sign.tolist(), strict=True))
    if roles != sorted((i, s) for i in range(n) for s in (-1.0, 1.0)):
        return False
    ideal_in, ideal_out = np.zeros((n, m)), np.zeros((m, n))
    ideal_in[main, np.arange(m)], ideal_out[np.arange(m), main] = sign, 1.0
    return bool(max(np.abs(W_in - ideal_in).max(), np.abs(W_out - ideal_out).max()) < 0.1)

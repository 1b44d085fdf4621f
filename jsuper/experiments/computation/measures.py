"""What neurons serve and compute, and the solution in which each serves one feature."""

import numpy as np
import xarray as xr

import jsuper as js

RATIO = 0.8
"""Importance of a feature relative to the one before."""

MIN_SHARE = 0.25
"""Share of a neuron's largest weight above which a feature counts as one of its own."""


def described(ds: xr.Dataset) -> xr.Dataset:
    """Rescales neurons, counts their features, and the signs that features work for.

    Neurons are scaled so that their largest input weight is 1. Adds ``serves`` (features
    of a neuron, 0 if it is not in use), ``second`` (its second weight) and ``signs`` (0, 1
    or 2: for how many signs of x = 1 or -1, alone, the output rises by more than 1/2).
    """
    W_in, W_out, b = ds["W_in"], ds["W_out"], ds["b"]
    outputs = [((s * W_in).clip(min=0) * W_out).sum("hidden") + b for s in (1, -1)]
    signs = sum((y.clip(min=0) - b.clip(min=0) > 0.5).astype(int) for y in outputs)
    scale = abs(W_in).max("feature")
    scale = scale.where(scale > 0, 1)
    W_in, W_out = W_in / scale, W_out * scale
    in_use = np.sqrt((W_out**2).sum("feature")) > 0.1
    size = abs(W_in)
    return ds.assign(
        W_in=W_in,
        W_out=W_out,
        serves=(size > MIN_SHARE * size.max("feature")).sum("feature").where(in_use, 0),
        second=size.reduce(lambda x, axis: np.sort(x, axis).take(-2, axis), "feature"),
        signs=signs,
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
    """Tells in which models every feature has one neuron for each sign, and no other.

    Weights are within 0.1 of 1, -1 and 0; input weights are those after rescaling, so
    that reciprocal means an output weight of 1.
    """
    W_in, W_out = ds["W_in"], ds["W_out"]
    ideal = W_in.round()
    near = (abs(W_in - ideal) < 0.1) & (abs(W_out - abs(ideal)) < 0.1)
    one_each = ((ideal == 1).sum("hidden") == 1) & ((ideal == -1).sum("hidden") == 1)
    single = abs(ideal).sum("feature") == 1
    return near.all(("feature", "hidden")) & one_each.all("feature") & single.all("hidden")


def motifs(ds: xr.Dataset) -> xr.DataArray:
    r"""Tells which neurons store a second feature asymmetrically, and are corrected for it.

    Elhage et al. 2022, "Computation in Superposition": one neuron takes two features with
    weights such as 2 and -1/2 and hands them on with 1/2 and 2. When the first activates
    it, the second would receive interference, which other neurons take away again.

    After rescaling, the neuron has its largest input weight for a, a small one (1/10 to
    1/2) for b, and positive outputs to both, at least twice as large to b. Whenever a
    activates it, b would receive positive interference; other neurons that a activates
    with the same sign take at least half of that away.

    Returns:
        Booleans (..., hidden, feature): whether the neuron stores b = feature so.
    """
    W_in, W_out = ds["W_in"], ds["W_out"]
    to_a = W_out.isel(feature=abs(W_in).argmax("feature"))
    interference = W_out  # the largest input weight is 1
    others = (activated(ds) * W_out.rename(hidden="other")).sum("other") - interference
    small = (abs(W_in) > 0.1) & (abs(W_in) < 0.5)
    stored = (to_a > 0.5) & (to_a < W_out / 2)
    return (small & stored & (others < -0.5 * interference)).transpose(
        ..., "hidden", "feature"
    )


def activated(ds: xr.Dataset) -> xr.DataArray:
    """How far a neuron's main feature, with its sign, activates every ``other`` neuron."""
    main = abs(ds["W_in"]).argmax("feature")
    sign = ds["W_in"].isel(feature=main)  # the largest input weight is 1 or -1
    return (sign * ds["W_in"].rename(hidden="other").isel(feature=main)).clip(min=0)


def products(ds: xr.Dataset) -> xr.DataArray:
    """Products of input and output weight of both features of every motif, else NaN."""
    product = abs(ds["W_in"]) * ds["W_out"]
    of_a = product.isel(feature=abs(ds["W_in"]).argmax("feature"))
    found = motifs(ds)
    return xr.concat([of_a.where(found), product.where(found)], "role")


def motif_example(ds: xr.Dataset) -> xr.Dataset:
    """The model of lowest loss that has a motif, at the highest density that has any."""
    has = motifs(ds).any(("hidden", "feature")).sortby("density", ascending=False)
    density = has["density"][has.any("seed").argmax("density")]
    here = has.sel(density=density).values
    cell = ds.sel(density=density)
    return js.best_seed(cell.isel(seed=here) if here.any() else cell)

"""What neurons serve and compute: signs, pairs, motifs, and how many features."""

import numpy as np
import xarray as xr


def described(ds: xr.Dataset) -> xr.Dataset:
    """Rescales neurons, counts their features, and the signs that features work for.

    Neurons are scaled so that their largest input weight is 1. Adds ``serves`` (features
    with more than 1/4 of it, 0 if the neuron is not in use), ``second`` (its second weight)
    and ``signs`` (for how many signs of x = 1 or -1, alone, an output rises by over 1/2).
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
        serves=(size > 0.25).sum("feature").where(in_use, 0),
        second=size.reduce(lambda x, axis: np.sort(x, axis).take(-2, axis), "feature"),
        signs=signs,
    )


def polysemantic(ds: xr.Dataset) -> xr.DataArray:
    """Share of the neurons in use that serve several features, by density and seed."""
    return (ds["serves"] > 1).sum("hidden") / (ds["serves"] > 0).sum("hidden")


def reciprocal_pairs(ds: xr.Dataset) -> xr.DataArray:
    """Tells in which models every feature has one neuron for each sign, and no other.

    Weights are within 0.1 of 1, -1 and 0; input weights are those after rescaling, so
    that reciprocal means an output weight of 1.
    """
    ideal = ds["W_in"].round()
    near = (abs(ds["W_in"] - ideal) < 0.1) & (abs(ds["W_out"] - abs(ideal)) < 0.1)
    one_each = ((ideal == 1).sum("hidden") == 1) & ((ideal == -1).sum("hidden") == 1)
    single = abs(ideal).sum("feature") == 1
    return near.all(("feature", "hidden")) & one_each.all("feature") & single.all("hidden")


def motifs(ds: xr.Dataset) -> xr.DataArray:
    """The neuron that corrects another, which stores a second feature asymmetrically.

    Elhage et al. 2022, "Computation in Superposition": one neuron takes two features with
    weights such as 2 and -1/2 and hands them on with 1/2 and 2. When the first activates
    it, the second would receive interference, which other neurons take away again.

    After rescaling, the neuron has its largest input weight for a, a small one (1/10 to
    1/2) for b, and positive outputs to both, at least twice as large to b. Whenever a
    activates it, other neurons that a activates take at least half of what b receives away.

    Returns:
        For each neuron and b = feature, the neuron that inhibits b most strongly, or NaN.
    """
    W_in, W_out = ds["W_in"], ds["W_out"]
    main = abs(W_in).argmax("feature")
    to_a, sign = W_out.isel(feature=main), W_in.isel(feature=main)  # W_in is 1 or -1
    active = (sign * W_in.rename(hidden="other").isel(feature=main)).clip(min=0)
    received = active * W_out.rename(hidden="other")
    small = (abs(W_in) > 0.1) & (abs(W_in) < 0.5)
    stored = (to_a > 0.5) & (to_a < W_out / 2)
    # Of what b receives, the neuron itself gives W_out.
    found = small & stored & (received.sum("other") < 0.5 * W_out)
    return received.argmin("other").where(found).transpose(..., "hidden", "feature")

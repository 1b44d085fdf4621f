"""Collisions against sizes, and how two features come to share a neuron."""

import numpy as np
import xarray as xr

from jsuper.experiments.collisions.measures import ON
from jsuper.plots import panels, style


@style.paper
def figures(models: xr.DataTree) -> dict[str, style.Figure]:
    """All figures by name."""
    counts, model = models["counts"].to_dataset(), models["model"].to_dataset()
    return {"collisions": collisions(counts["pairs"]), "winners": winners(model["W"])}


def collisions(pairs: xr.DataArray) -> style.Figure:
    """The number of pairs on one neuron against n² / m, and divided by it."""
    figure = style.Figure(figsize=(6.2, 2.6))
    left, right = figure.subplots(1, 2)
    ratio = pairs["neurons_per_feature"]
    x = pairs["n_features"] / ratio
    left.plot(np.sort(x, None), np.sort(x, None) / 4, label="n² / (4m)", **style.GUIDE)
    right.axhline(1 / 4, **style.GUIDE)
    for i, n in enumerate(pairs["n_features"].values):
        look = {**style.SERIES[i], "linestyle": "", "bars": True, "label": f"n = {n}"}
        panels.over_seeds(left, pairs[i], x[i], **look)
        # Side by side, or bars would hide each other.
        panels.over_seeds(right, pairs[i] / x[i], ratio * 1.05 ** (i - 2), **look)
    for axis in (left.xaxis, left.yaxis, right.xaxis):
        style.plain_log(axis)
    right.set_xticks(ratio.values, ratio.values)
    left.set(xlabel="n² / m", ylabel="pairs of features on one neuron")
    right.set(xlabel="neurons per feature", ylabel="pairs · m / n²", ylim=(0.15, 0.35))
    left.legend()
    return figure


def winners(W: xr.DataArray) -> style.Figure:
    """The weights of two features that come to share a neuron, and all trained weights."""
    figure = style.Figure(figsize=(6.2, 2.6))
    left, right = figure.subplots(1, 2)
    along = W.squeeze().transpose("step", "feature", "hidden").values
    along = along[:, abs(along[-1]).argmax(-1).argsort(kind="stable")]
    shared = (abs(along[-1]) > ON).sum(0).argmax()
    for i in np.flatnonzero(abs(along[-1, :, shared]) > ON):
        color = style.PALETTE["vermilion" if along[-1, i, shared] > 0 else "blue"]
        left.plot(W["step"], along[:, i], **style.GUIDE)
        left.plot(W["step"], along[:, i, shared], color, label=f"feature {i}")
    left.set(xlabel="step", ylabel="weights of two features")
    left.legend(title=f"on neuron {shared}", loc="right", bbox_to_anchor=(1, 0.72))
    panels.matrix(right, along[-1])
    right.set(xlabel="neuron", ylabel="feature, sorted by neuron")
    return figure

"""Collisions against sizes, and how two features come to share a neuron."""

import numpy as np
import xarray as xr

from jsuper.experiments.collisions.measures import ON, constant
from jsuper.plots import panels, style
from jsuper.plots.style import Figure


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    counts, model = models["counts"].to_dataset(), models["model"].to_dataset()
    return {"collisions": collisions(counts), "winners": winners(model["W"].squeeze())}


def collisions(counts: xr.Dataset) -> Figure:
    """The number of pairs on one neuron against n² / m, and their ratio."""
    figure = Figure(figsize=(6.2, 2.7))
    left, right = figure.subplots(1, 2)
    expected = counts["n_features"] / counts["neurons_per_feature"]
    for i, n in enumerate(counts["n_features"].values):
        cells = counts.sel(n_features=n)
        look = {**style.SERIES[i], "linestyle": "", "bars": True, "label": f"n = {n}"}
        panels.over_seeds(left, cells["pairs"], expected.sel(n_features=n), **look)
        beside = cells["neurons_per_feature"] * 1.05 ** (
            i - 2
        )  # or bars would hide each other
        panels.over_seeds(right, constant(cells), beside, **look)
    ends = np.array([expected.min(), expected.max()])
    left.plot(ends, ends / 4, label="n² / (4m)", **style.GUIDE)
    right.axhline(1 / 4, **style.GUIDE)
    for axis in (left.xaxis, left.yaxis, right.xaxis):
        style.plain_log(axis)
    right.set_xticks(
        counts["neurons_per_feature"].values, counts["neurons_per_feature"].values
    )
    left.set(xlabel="n² / m", ylabel="pairs of features on one neuron")
    right.set(xlabel="neurons per feature, m / n", ylabel="pairs · m / n²", ylim=(0, 0.4))
    left.legend()
    return figure


def winners(W: xr.DataArray) -> Figure:
    """The weights of two features that come to share a neuron, and all trained weights."""
    figure = Figure(figsize=(6.2, 2.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    last = abs(W.isel(step=-1))
    W = W.isel(feature=last.argmax("hidden").values.argsort(kind="stable")).transpose(
        "feature", "hidden", "step"
    )
    on = abs(W.values[..., -1]) > ON
    shared = on.sum(0).argmax()
    for feature in np.flatnonzero(on[:, shared]):
        left.plot(W["step"], W[feature].T, **style.GUIDE)
        color = style.PALETTE["vermilion" if W[feature, shared, -1] > 0 else "blue"]
        left.plot(W["step"], W[feature, shared], color=color, label=f"feature {feature}")
    left.set(xlabel="step", ylabel="weights of two features")
    left.legend(title=f"on neuron {shared}", loc="right", bbox_to_anchor=(1, 0.72))
    panels.matrix(right, W.values[..., -1])
    right.set(xlabel="neuron", ylabel="feature, in the order of their neurons")
    return figure

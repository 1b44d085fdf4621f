"""Figures of correlated and anticorrelated features."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

import jsuper as js
from jsuper.experiments.correlated.findings import PAPER_RANGES
from jsuper.files import datasets
from jsuper.plots import panels, style
from jsuper.plots.style import Figure

TITLES = {
    "pairs": "correlated pairs",
    "anticorrelated": "anticorrelated pairs",
    "three_pairs": "three correlated pairs",
    "bases": "two correlated sets",
}

COLORS = {
    "antipodal across": style.PALETTE["blue"],
    "antipodal within": style.PALETTE["orange"],
    "collapsed": style.PALETTE["purple"],
    "other": "0.8",
}


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    return {
        "geometries": geometries(ds),
        "shares": shares(ds),
        "blocks": blocks(ds),
        "collapse": collapse(ds["three_pairs"]),
    }


def best_weights(panel: Axes, ds: xr.Dataset, density=0.05, title="") -> np.ndarray:
    """Names a panel by the density nearest to one, and returns its best seed's weights."""
    best = js.best_seed(ds.sel(density=density, method="nearest"))
    panel.set_title(title + style.coordinate("density", best["density"].item()))
    return best["W"].transpose("feature", "hidden").values


def geometries(ds: dict[str, xr.Dataset]) -> Figure:
    """Embeddings of the best seeds; features of a pair have one colour and are joined."""
    names = ("pairs", "anticorrelated", "three_pairs", "independent_6")
    figure = Figure(figsize=(6.8, 2.25))
    for panel, name in zip(figure.subplots(1, 4), names, strict=True):
        title = TITLES.get(name, "independent features")
        W = best_weights(panel, ds[name], title=f"{title}\n")
        pairs = np.arange(len(W)) // 2 if name in TITLES else None
        panels.embeddings(panel, W, extent=1.3, groups=pairs)
    return figure


def shares(ds: dict[str, xr.Dataset]) -> Figure:
    """Share of seeds in each arrangement of two pairs, by density."""
    names = ("pairs", "anticorrelated", "independent_4")
    figure = Figure(figsize=(6.8, 2.5))
    row = figure.subplots(1, 3, sharey=True)
    for panel, name in zip(row, names, strict=True):
        kinds, best = ds[name]["arrangement"], js.best_seed(ds[name])["arrangement"]
        panels.shares(panel, kinds, COLORS, best=best, apart=True)
        panel.set_title(TITLES.get(name, "independent features"), pad=11)
        panel.set_xlabel("density")
        panel.label_outer()
    handles = row[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4)
    return figure


def blocks(ds: dict[str, xr.Dataset]) -> Figure:
    """Products of embeddings of two sets of ten and of independent features."""
    figure = Figure(figsize=(7.2, 2.7))
    *matrices, curve = figure.subplots(1, 3, width_ratios=[1, 1, 1.2])
    for panel, name in zip(matrices, ("bases", "independent_20"), strict=True):
        title = TITLES.get(name, "independent features")
        W = best_weights(panel, ds[name], title=f"{title}\n")
        panels.matrix(panel, W @ W.T)
        for edge in (panel.axhline, panel.axvline):
            edge(len(W) / 2 - 0.5, color="0.3", linewidth=0.7)
        style.frame(panel)
        panel.set(xlabel="feature", aspect="equal")
    matrices[0].set_ylabel("feature")
    label = "$W_i \\cdot W_j$"
    style.colorbar(figure, [matrices], Normalize(-1, 1), "RdBu_r", label, shrink=0.8)
    sizes, (first, second, *_) = ds["bases"], style.SERIES
    panels.over_seeds(curve, sizes["across"], label="across sets", **first)
    panels.over_seeds(curve, sizes["within"], label="within a set", **second)
    curve.set(ylim=(0, None), xlabel="density", ylabel=f"rms of {label}")
    style.plain_log(curve.xaxis)
    curve.legend(loc="center right")
    return figure


def collapse(ds: xr.Dataset) -> Figure:
    """Three pairs by density: embeddings, collapsed pairs, loss relative to PCA's."""
    figure = Figure(figsize=(6.8, 4.4))
    top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=[1, 1.8])[:, 0]
    for panel, density in zip(top.subplots(1, 5), (0.03, 0.1, 0.17, 0.3, 0.7), strict=True):
        W = best_weights(panel, ds, density)
        panels.embeddings(panel, W, groups=np.arange(len(W)) // 2)
    left, right = bottom.subplots(1, 2)
    best = js.best_seed(ds)
    colors = dict(enumerate(style.SEQUENTIAL(np.linspace(0.05, 0.95, 4))))
    panels.shares(left, ds["collapsed"], colors, best=best["collapsed"])
    for number, low, high, _ in PAPER_RANGES:
        ends = [max(low, left.get_xlim()[0]), high]
        left.plot(ends, [1.12] * 2, color=colors[number], linewidth=4, clip_on=False)
    handles = left.get_legend_handles_labels()
    bottom.legend(*handles, title="pairs collapsed", loc="outside lower left", ncols=4)
    panels.each_seed(right, ds["relative"], marker=".", linestyle="none", label="all seeds")
    right.plot(ds["density"], best["relative"], **style.SERIES[0], label="lowest loss")
    right.axhline(1, **style.GUIDE)
    right.set(ylim=(0, 1.15), ylabel="loss / best linear model's")
    style.plain_log(right.xaxis)
    right.legend(loc="lower right")
    for panel in (left, right):
        panel.set_xlabel("density")
    return figure

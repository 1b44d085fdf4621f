"""Figures of correlated and anticorrelated features."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.correlated.findings import PAPER_RANGES
from jsuper.experiments.correlated.measures import ARRANGEMENTS
from jsuper.plots import panels as shared
from jsuper.plots import style
from jsuper.plots.style import Figure

SHOWN = 0.05
"""Density of the embeddings and matrices drawn; of those trained the nearest is taken."""


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = {name: node.to_dataset() for name, node in models.children.items()}
    return {
        "geometries": draw_geometries(
            {
                "correlated pairs": (ds["pairs"], True),
                "anticorrelated pairs": (ds["anticorrelated"], True),
                "three correlated pairs": (ds["three_pairs"], True),
                "independent features": (ds["independent_6"], False),
            }
        ),
        "shares": draw_shares(
            {
                "correlated pairs": ds["pairs"],
                "anticorrelated pairs": ds["anticorrelated"],
                "independent features": ds["independent_4"],
            }
        ),
        "blocks": draw_blocks(ds["bases"], ds["independent_20"]),
        "collapse": draw_collapse(ds["three_pairs"]),
    }


def nearest(ds: xr.Dataset, density: float) -> xr.Dataset:
    """The model of lowest loss at the density trained that is nearest."""
    return js.best_seed(ds.sel(density=density, method="nearest"))


def density_of(model: xr.Dataset) -> str:
    """The density of one model in words."""
    return style.coordinate("density", float(model["density"]))


def pairs_of(n_features: int) -> np.ndarray:
    """Pair of each feature."""
    return np.arange(n_features) // 2


def draw_geometries(cells: dict[str, tuple[xr.Dataset, bool]]) -> Figure:
    """Embeddings of the best seeds; features of a set have one colour and are joined."""
    figure = Figure(figsize=(1.9 * len(cells), 2.6), layout="constrained", dpi=150)
    for (title, (ds, in_sets)), panel in zip(
        cells.items(), figure.subplots(1, len(cells)), strict=True
    ):
        best = nearest(ds, SHOWN)
        W = best["W"].transpose("feature", "hidden").values
        shared.embeddings(
            panel, W, extent=1.3, groups=pairs_of(len(W)) if in_sets else None
        )
        panel.set_title(f"{title}\n{density_of(best)}", fontsize=8)
    return figure


def draw_shares(cells: dict[str, xr.Dataset]) -> Figure:
    """Share of seeds in each arrangement of two pairs, by density."""
    figure = Figure(figsize=(7.0, 2.5), layout="constrained", dpi=150)
    panels = figure.subplots(1, len(cells), sharey=True)
    colors = [style.PALETTE[name] for name in ("blue", "orange", "purple")] + ["0.8"]
    for (title, ds), panel in zip(cells.items(), panels, strict=True):
        below = np.zeros(ds.sizes["density"])
        for i, name in enumerate(ARRANGEMENTS):
            share = (ds["arrangement"] == name).mean("seed").values
            panel.bar(
                np.arange(len(share)), share, 0.8, bottom=below, color=colors[i], label=name
            )
            below = below + share
        for j, name in enumerate(js.best_seed(ds)["arrangement"].values):
            color = colors[ARRANGEMENTS.index(name)]
            panel.plot(j, 1.05, "v", color=color, markersize=5, clip_on=False)
        names = [style.number(p) for p in ds["density"].values]
        panel.set_xticks(np.arange(len(names)), names)
        panel.set(ylim=(0, 1))
        panel.set_title(title, fontsize=8, pad=11)
        panel.set_xlabel("density", fontsize=8)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share of seeds", fontsize=8)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7)
    return figure


def draw_blocks(ds: xr.Dataset, control: xr.Dataset) -> Figure:
    """Products of embeddings of two sets of ten and of independent features."""
    figure = Figure(figsize=(7.6, 2.8), layout="constrained", dpi=150)
    first, second, curve = figure.subplots(1, 3, width_ratios=[1, 1, 1.25])
    image = None
    for panel, data, title in (
        (first, ds, "two correlated sets"),
        (second, control, "independent features"),
    ):
        best = nearest(data, SHOWN)
        W = best["W"].transpose("feature", "hidden").values
        image = panel.imshow(W @ W.T, cmap="RdBu_r", vmin=-1, vmax=1)
        for edge in (panel.axhline, panel.axvline):
            edge(W.shape[0] / 2 - 0.5, color="0.3", linewidth=0.7)
        panel.set_title(f"{title}\n{density_of(best)}", fontsize=8)
        panel.set(xticks=[], yticks=[], xlabel="feature")
        panel.xaxis.label.set_fontsize(8)
    first.set_ylabel("feature", fontsize=8)
    bar = figure.colorbar(image, ax=[first, second], shrink=0.8, pad=0.02)
    bar.set_label("$W_i \\cdot W_j$", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    for name, label, color, marker in (
        ("within", "within a set", "blue", "o"),
        ("across", "across sets", "vermilion", "s"),
    ):
        middle = ds[name].median("seed")
        low, high = ds[name].min("seed"), ds[name].max("seed")
        error = np.stack([middle - low, high - middle])
        curve.errorbar(
            ds["density"],
            middle,
            error,
            fmt=f"{marker}-",
            markersize=3.5,
            linewidth=1.1,
            color=style.PALETTE[color],
            label=label,
        )
    curve.set(xscale="log", ylim=(0, None))
    curve.set_xlabel("density", fontsize=8)
    curve.set_ylabel("root mean square of $W_i \\cdot W_j$", fontsize=8)
    curve.legend(fontsize=7, frameon=False, loc="center right")
    style.plain_log(curve.xaxis)
    curve.tick_params(labelsize=7)
    curve.spines[["top", "right"]].set_visible(False)
    return figure


def draw_collapse(ds: xr.Dataset, shown=(0.03, 0.1, 0.17, 0.3, 0.7)) -> Figure:
    """Three pairs by density: embeddings, collapsed pairs, loss relative to PCA's."""
    figure = Figure(figsize=(7.0, 4.8), layout="constrained", dpi=150)
    top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=[1, 1.7])[:, 0]
    for panel, density in zip(np.ravel(top.subplots(1, len(shown))), shown, strict=True):
        best = nearest(ds, density)
        W = best["W"].transpose("feature", "hidden").values
        shared.embeddings(panel, W, groups=pairs_of(len(W)))
        panel.set_title(density_of(best), fontsize=8)
    left, right = np.ravel(bottom.subplots(1, 2))
    p = ds["density"].values
    _, edges = style.cell_edges(p)
    below = np.zeros(len(p))
    colors = style.SEQUENTIAL(np.linspace(0.05, 0.95, 4))
    for number in range(4):
        share = (ds["collapsed"] == number).mean("seed").values
        left.bar(
            edges[:-1],
            share,
            np.diff(edges),
            bottom=below,
            align="edge",
            color=colors[number],
            edgecolor="white",
            linewidth=0.3,
            label=str(number),
        )
        below = below + share
    best = js.best_seed(ds)
    for q, number in zip(p, best["collapsed"].values, strict=True):
        left.plot(q, 1.04, "v", color=colors[number], markersize=5, clip_on=False)
    for number, low, high in PAPER_RANGES:
        low = max(low, edges[0])
        left.plot([low, high], [1.12, 1.12], color=colors[number], lw=4, clip_on=False)
    left.set(xscale="log", xlim=(edges[0], edges[-1]), ylim=(0, 1))
    left.annotate(
        "paper",
        (1.0, 1.12),
        xycoords=("axes fraction", "data"),
        fontsize=7,
        va="center",
        ha="right",
        annotation_clip=False,
    )
    left.set_ylabel("share of seeds", fontsize=8)
    handles, labels = left.get_legend_handles_labels()
    labels = [f"{label} collapsed" for label in labels]
    bottom.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7)
    relative = ds["relative"].transpose("density", "seed").values
    right.plot(p, relative, ".", color="0.75", markersize=3)
    right.plot(p, best["relative"], "o-", color=style.PALETTE["blue"], markersize=3.5)
    right.axhline(1, color="0.3", linewidth=0.8, linestyle="--")
    right.annotate(
        "principal components",
        (0.02, 1),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        fontsize=7,
    )
    right.set(xscale="log", ylim=(0, 1.15))
    right.set_ylabel("loss relative to the best linear model", fontsize=8)
    for panel in (left, right):
        panel.set_xlabel("density", fontsize=8)
        style.plain_log(panel.xaxis)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    return figure

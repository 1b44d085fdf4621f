"""Plateaus of D*, the dimensionalities of features, and their polytopes."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from jsuper.experiments.uniform.findings import size
from jsuper.experiments.uniform.measures import BAND, dimensions_per_feature, stay
from jsuper.plots import FRACTIONS, feature_graphs, style
from jsuper.plots.graphs import color
from jsuper.plots.style import Figure
from jsuper.polytopes import NOT_REPRESENTED, UNKNOWN, count_polytopes

SHOWN = (1.6, 2.8, 4.2, 5.0)
"""Values of 1 / density whose features are drawn."""


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    large, small = models["large"].to_dataset(), models["small"].to_dataset()
    return {
        "plateaus": plateaus(large, small),
        "shares": shares(large),
        "graphs": graphs(large, SHOWN),
    }


def plateaus(large: xr.Dataset, small: xr.Dataset) -> Figure:
    """D* and the dimensionality of every feature against 1 / density."""
    figure = Figure(figsize=(7.0, 6.4), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.5))
    heights(top, large)
    for ds, marker, tint in ((large, "o-", "black"), (small, "x", "vermilion")):
        D = dimensions_per_feature(ds).transpose("density", "seed").values
        lines = top.plot(
            1 / ds["density"],
            D,
            marker,
            color=style.PALETTE[tint],
            markersize=3.5,
            linewidth=0.9,
        )
        lines[0].set_label(size(ds))
    top.set(ylabel="$D^* = m / ‖W‖_F^2$", ylim=(0, 1.1))
    top.legend(fontsize=7, loc="upper right")
    dimensionalities(bottom, large)
    x = 1 / large["density"].values
    bottom.set(xscale="log", xlim=(x[0] / 1.05, x[-1] * 1.05), xlabel="1 / density")
    style.plain_log(bottom.xaxis)
    return figure


def heights(panel: Axes, ds: xr.Dataset) -> None:
    """Marks the heights 1 and 1/2, and where D* is near them."""
    for height, text in ((1.0, "1"), (0.5, "1/2")):
        panel.axhline(height, color="0.7", linewidth=0.8, zorder=0)
        _, first, last = stay(ds, height)
        if not np.isfinite(first):
            continue
        panel.axvspan(first, last, color="0.93", zorder=-1)
        panel.annotate(
            f"within {BAND:.0%}\nof {text}",
            (np.sqrt(first * last), 0.06),
            fontsize=7,
            ha="center",
            color="0.35",
        )


def dimensionalities(panel: Axes, ds: xr.Dataset) -> None:
    """Plots the dimensionality of every represented feature, coloured by its polytope."""
    dims = ("density", "seed", "feature")
    named = ds["polytope"].transpose(*dims)
    x = 1 / ds["density"].values
    step = np.diff(np.log(x)).min()
    # Features of one model are spread sideways, so that they can be seen.
    shift = np.exp(0.35 * step * np.linspace(-1, 1, ds.sizes["feature"]))
    places = np.broadcast_to((x[:, None] * shift)[:, None], named.shape)
    D = ds["dimensionality"].transpose(*dims).values
    represented = ds["is_represented"].transpose(*dims).values
    names = [str(name) for name in np.unique(named.values)]
    for name in sorted(names, key=lambda name: name != UNKNOWN):
        chosen = represented & (named.values == name)
        if chosen.any():
            panel.plot(
                places[chosen],
                D[chosen],
                ".",
                color=color(name),
                markersize=2.5,
                alpha=0.6,
                zorder=1 if name == UNKNOWN else 2,
            )
    for name, height in FRACTIONS.items():
        panel.axhline(height, color="0.8", linewidth=0.7, zorder=0)
        panel.annotate(
            name,
            (1.01, height),
            xycoords=("axes fraction", "data"),
            va={"pentagon": "bottom", "square antiprism": "top"}.get(name, "center"),
            fontsize=7,
            color=color(name),
        )
    panel.annotate(
        "grey: in no polytope of the list",
        (0.99, 0.92),
        xycoords="axes fraction",
        ha="right",
        va="top",
        fontsize=7,
        color="0.35",
    )
    panel.set(ylabel="dimensionality $D_i$", ylim=(0, 1.05))


def shares(ds: xr.Dataset) -> Figure:
    """Which polytopes the represented features belong to, by density."""
    counts = count_polytopes(ds["polytope"]).sum("seed")
    represented = counts.drop_sel(polytope=NOT_REPRESENTED)
    found = represented / np.maximum(represented.sum("polytope"), 1)
    _, edges = style.cell_edges(1 / ds["density"].values)
    figure = Figure(figsize=(6.6, 3.0), layout="constrained")
    panel = figure.subplots()
    floor = np.zeros(ds.sizes["density"])
    for name in found["polytope"].values:
        share = found.sel(polytope=name).values
        panel.bar(
            edges[:-1],
            share,
            np.diff(edges),
            floor,
            align="edge",
            color=color(name),
            edgecolor="white",
            linewidth=0.3,
            label=name,
        )
        floor = floor + share
    panel.set(
        xscale="log",
        xlim=(edges[0], edges[-1]),
        ylim=(0, 1),
        xlabel="1 / density",
        ylabel="share of represented features",
    )
    style.plain_log(panel.xaxis)
    panel.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), reverse=True)
    return figure


def graphs(ds: xr.Dataset, inverse_densities: Sequence[float]) -> Figure:
    """The feature graphs of a few densities."""
    cells = ds.sel(density=[1 / x for x in inverse_densities], method="nearest")
    return feature_graphs(cells.isel(seed=0), max_columns=2)

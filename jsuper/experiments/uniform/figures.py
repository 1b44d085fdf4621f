"""Plateaus of D*, the dimensionalities of features, and their polytopes."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from jsuper.experiments.uniform.findings import size
from jsuper.experiments.uniform.measures import BAND, dimensions_per_feature, stay
from jsuper.files import datasets
from jsuper.plots import FRACTIONS, feature_graphs, panels, style
from jsuper.plots.graphs import color
from jsuper.plots.style import Figure
from jsuper.polytopes import NOT_REPRESENTED, UNKNOWN, count_polytopes

SHOWN = (2.0, 2.8, 4.5, 5.2)
"""Values of 1 / density whose features are plotted as graphs."""


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    some = ds["large"].sel(density=[1 / x for x in SHOWN], method="nearest")
    return {
        "plateaus": plateaus(ds["large"], ds["small"]),
        "shares": shares(ds["large"]),
        "graphs": feature_graphs(some, max_columns=2),
    }


def plateaus(large: xr.Dataset, small: xr.Dataset) -> Figure:
    """D* and the dimensionality of every feature against 1 / density."""
    figure = Figure(figsize=(6.6, 5.6))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.5))
    for height, text in ((1.0, "1"), (0.5, "1/2")):
        top.axhline(height, **style.GUIDE)
        first, last = (stay(large, height)[end].mean() for end in ("first", "last"))
        if np.isfinite(first):
            top.axvspan(first, last, color="0.93", zorder=-1)
            said = f"within {BAND:.0%}\nof {text}"
            top.annotate(said, (np.sqrt(first * last), 0.06), ha="center", color="0.35")
    for ds, name, marker in ((large, "black", "o-"), (small, "vermilion", "x")):
        looks = {"fmt": marker, "color": style.PALETTE[name], "bars": True}
        D = dimensions_per_feature(ds)
        panels.over_seeds(top, D, 1 / ds["density"], **looks, label=size(ds))
    top.set(ylabel="$D^* = m / ‖W‖_F^2$", ylim=(0, 1.1))
    top.legend(loc="upper right")
    dimensionalities(bottom, large)
    x = 1 / large["density"].values
    style.plain_log(bottom.xaxis)
    bottom.set(xlim=(x[0] / 1.05, x[-1] * 1.05), xlabel="1 / density")
    return figure


def dimensionalities(panel: Axes, ds: xr.Dataset) -> None:
    """Plots the dimensionality of every represented feature, coloured by its polytope."""
    x = 1 / ds["density"]
    # Features of one density are spread sideways, so that they can be seen.
    aside = 0.35 * np.diff(np.log(x)).min() * np.linspace(-1, 1, ds.sizes["feature"])
    places = x * xr.DataArray(np.exp(aside), dims="feature")
    D = ds["dimensionality"].where(ds["is_represented"])
    for name in np.unique(ds["polytope"]):
        chosen = D.where(ds["polytope"] == name)
        where, heights = xr.broadcast(places, chosen)
        looks = {"color": color(name), "markersize": 1.5, "zorder": 1 + (name != UNKNOWN)}
        panel.plot(where.values.ravel(), heights.values.ravel(), ".", alpha=0.6, **looks)
    for name, height in FRACTIONS.items():
        panel.axhline(height, **style.GUIDE)
        # Two of the lines are too close for their names.
        va = {"pentagon": "bottom", "square antiprism": "top"}.get(name, "center")
        at = {"xy": (1.01, height), "xycoords": ("axes fraction", "data"), "va": va}
        panel.annotate(name, **at, color=color(name))
    said = {"xy": (0.99, 0.92), "xycoords": "axes fraction", "color": "0.35"}
    panel.annotate("grey: in no polytope of the list", **said, ha="right", va="top")
    panel.set(ylabel="dimensionality $D_i$", ylim=(0, 1.05))


def shares(ds: xr.Dataset) -> Figure:
    """Which polytopes the represented features belong to, by density."""
    counts = count_polytopes(ds["polytope"]).sum("seed").drop_sel(polytope=NOT_REPRESENTED)
    found = counts / np.maximum(counts.sum("polytope"), 1)
    parts = {name: found.sel(polytope=name) for name in found["polytope"].values}
    figure = Figure(figsize=(6.6, 2.8))
    panel = figure.subplots()
    panels.stacked(panel, parts, 1 / ds["density"], {name: color(name) for name in parts})
    panel.set(ylim=(0, 1), xlabel="1 / density", ylabel="share of represented features")
    figure.legend(loc="outside right center", reverse=True)
    return figure

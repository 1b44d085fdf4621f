"""Weights of computing neurons, what they serve, and what their start makes of them."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

import jsuper as js
from jsuper import plots
from jsuper.experiments.computation.measures import (
    activated,
    motif_example,
    motifs,
    polysemantic,
)
from jsuper.files import datasets
from jsuper.plots import neurons, panels, style
from jsuper.plots.style import Figure


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    return {
        "stacks": plots.neuron_stacks(
            ds["large"], weights="W_in", color="polysemanticity", max_columns=4
        ),
        "mechanism": weights(js.best_seed(ds["small"]).sel(density=0.1), 1.0),
        "shares": shares(ds["large"]),
        "motif": weights(motif_example(ds["middle"]), 4.0),
        "starts": starts({"small, positive": ds["middle"], "Xavier": ds["xavier"]}),
    }


def weights(model: xr.Dataset, limit: float) -> Figure:
    """Input weights of one model, rescaled, beside its output weights.

    Motifs are marked: squares for what the neuron stores, circles for what inhibits b most
    strongly when a activates the neuron.
    """
    W_in = model["W_in"].transpose("feature", "hidden").values
    W_out = model["W_out"].transpose("feature", "hidden").values
    order = neurons.neuron_order(W_in)
    figure = Figure(figsize=(6.2, 2.6))
    axes = figure.subplots(1, 2)
    for panel, W, largest, extend in zip(
        axes, (W_in, W_out), (1.0, limit), ("neither", "both"), strict=True
    ):
        image = panels.matrix(panel, W[:, order], largest)
        figure.colorbar(image, ax=panel, extend="neither" if largest == 1 else extend)
        panel.set_xlabel("neuron")
        for edge in (panel.xaxis, panel.yaxis):
            edge.set_major_locator(MaxNLocator(6, integer=True))
    axes[0].set(title="input weights, rescaled", ylabel="feature")
    axes[1].set_title("output weights")
    active = activated(model).transpose("hidden", "other").values
    place = np.argsort(order)
    marks = {
        "markersize": 9,
        "markerfacecolor": "none",
        "color": "black",
        "path_effects": [withStroke(linewidth=2.5, foreground="white")],
    }
    for j, b in np.argwhere(motifs(model).values):
        a, k = np.abs(W_in[:, j]).argmax(), (active[j] * W_out[b]).argmin()
        for panel, inhibited in zip(axes, (a, b), strict=True):
            panel.plot([place[j]] * 2, [a, b], "s", **marks)
            panel.plot(place[k], inhibited, "o", **marks)
    figure.suptitle(style.coordinate("density", float(model["density"])))
    return figure


def shares(ds: xr.Dataset) -> Figure:
    """Monosemantic neurons and relative losses by density, every seed and the mean."""
    figure = Figure(figsize=(6.4, 2.6))
    axes = figure.subplots(1, 2)
    rows = {
        "share of neurons monosemantic": 1 - polysemantic(ds),
        "loss / loss of the\nmonosemantic solution": ds["relative_loss"],
    }
    color = style.PALETTE["blue"]
    points = {"color": color, "marker": "o", "markerfacecolor": "none", "linestyle": ""}
    for panel, (name, values) in zip(axes, rows.items(), strict=True):
        panel.plot(ds["density"], values.mean("seed"), color=color, label="mean")
        panels.each_seed(panel, values, **points, label="one seed")
        style.plain_log(panel.xaxis)
        panel.set(xlabel="density (1 − sparsity)", ylabel=name)
        panel.invert_xaxis()
    axes[0].set_ylim(-0.03, 1.03)
    axes[0].legend()
    style.plain_log(axes[1].yaxis)
    axes[1].axhline(1, **style.GUIDE)
    return figure


def starts(by_start: Mapping[str, xr.Dataset]) -> Figure:
    """Features that work for both signs, or for one only, by start of the weights."""
    figure = Figure(figsize=(5.2, 2.7))
    axes = figure.subplots(1, len(by_start), sharey=True)
    colors = {
        "both signs": style.PALETTE["blue"],
        "one sign only": style.PALETTE["orange"],
    }
    for panel, (name, ds) in zip(axes, by_start.items(), strict=True):
        parts = {
            text: (ds["signs"] == signs).sum("feature").mean("seed").values
            for text, signs in zip(colors, (2, 1), strict=True)
        }
        panels.stacked(panel, parts, ds["density"].values, colors, apart=True)
        panel.set(title=f"start: {name}", xlabel="density (1 − sparsity)")
    axes[0].set_ylabel("features computed, mean over seeds")
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=2)
    return figure

"""Weights of computing neurons, what they serve, and what their start makes of them."""

import numpy as np
import xarray as xr
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

import jsuper as js
from jsuper import plots
from jsuper.experiments.computation.measures import motifs, polysemantic
from jsuper.files import datasets
from jsuper.plots import neurons, panels, style
from jsuper.plots.style import Figure


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    middle = ds["middle"].sel(density=0.35)
    has = motifs(middle).notnull().any(("hidden", "feature"))
    with_motif = middle.assign(loss=middle["loss"].where(has))
    return {
        "stacks": plots.neuron_stacks(
            ds["large"], weights="W_in", color="polysemanticity", max_columns=4
        ),
        "mechanism": weights(js.best_seed(ds["small"]).sel(density=0.1), 1.0),
        "shares": shares(ds["large"]),
        "motif": weights(js.best_seed(with_motif), 4.0),
        "starts": starts({"small, positive": ds["middle"], "Xavier": ds["xavier"]}),
    }


def weights(model: xr.Dataset, limit: float) -> Figure:
    """Input weights of one model, rescaled, beside its output weights.

    Motifs are marked: squares for what the neuron stores, circles for what inhibits b most
    strongly when a activates the neuron.
    """
    W_in, W_out = (
        model[n].transpose("feature", "hidden").values for n in ("W_in", "W_out")
    )
    order = neurons.neuron_order(W_in)
    figure = Figure(figsize=(6.2, 2.6))
    axes = figure.subplots(1, 2)
    for panel, W, largest in zip(axes, (W_in, W_out), (1.0, limit), strict=True):
        image = panels.matrix(panel, W[:, order], largest)
        figure.colorbar(image, ax=panel, extend="neither" if largest == 1 else "both")
        panel.set_xlabel("neuron")
        for edge in (panel.xaxis, panel.yaxis):
            edge.set_major_locator(MaxNLocator(6, integer=True))
    axes[0].set(title="input weights, rescaled", ylabel="feature")
    axes[1].set_title("output weights")
    outline = [withStroke(linewidth=2.5, foreground="white")]
    marks = {"color": "black", "markerfacecolor": "none", "path_effects": outline}
    place, by = np.argsort(order), motifs(model).values
    for j, b in np.argwhere(~np.isnan(by)):
        a, k = np.abs(W_in[:, j]).argmax(), int(by[j, b])
        for panel, inhibited in zip(axes, (a, b), strict=True):
            panel.plot([place[j]] * 2, [a, b], "s", markersize=9, **marks)
            panel.plot(place[k], inhibited, "o", markersize=9, **marks)
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
    axes[0].legend()
    style.plain_log(axes[1].yaxis)
    axes[1].axhline(1, **style.GUIDE)
    return figure


def starts(by_start: dict[str, xr.Dataset]) -> Figure:
    """Features that work for both signs, or for one only, by start of the weights."""
    figure = Figure(figsize=(5.2, 2.7))
    axes = figure.subplots(1, len(by_start), sharey=True)
    blue, orange = style.PALETTE["blue"], style.PALETTE["orange"]
    colors = {"both signs": blue, "one sign only": orange}
    for panel, (name, ds) in zip(axes, by_start.items(), strict=True):
        both, one = ((ds["signs"] == k).sum("feature").mean("seed") for k in (2, 1))
        parts = {"both signs": both.values, "one sign only": one.values}
        panels.stacked(panel, parts, ds["density"].values, colors, apart=True)
        panel.set(title=f"start: {name}", xlabel="density (1 − sparsity)")
    axes[0].set_ylabel("features computed, mean over seeds")
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=2)
    return figure

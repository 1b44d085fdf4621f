"""Weights of computing neurons, what they serve, and what their start makes of them."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.ticker import MaxNLocator

import jsuper as js
from jsuper import plots
from jsuper.experiments.computation.asymmetric_motif import Motif, example
from jsuper.experiments.computation.measures import polysemantic
from jsuper.plots import style
from jsuper.plots.neurons import neuron_order
from jsuper.plots.style import Figure


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    small, large, middle, xavier = (
        models[name].to_dataset() for name in ("small", "large", "middle", "xavier")
    )
    model, found = example(middle)
    return {
        "mechanism": weights(js.best_seed(small).sel(density=0.1)),
        "stacks": plots.neuron_stacks(
            large, weights="W_in", color="polysemanticity", most=4
        ),
        "shares": shares(large),
        "motif": weights(model, 4.0, found),
        "starts": starts({"small, positive": middle, "Xavier": xavier}),
    }


def weights(model: xr.Dataset, limit: float = 1.0, marks: Sequence[Motif] = ()) -> Figure:
    """Input weights of one model, rescaled, beside its output weights.

    Marks are motifs: squares for what the neuron stores, circles for what inhibits b most
    strongly when a activates the neuron.
    """
    W_in = model["W_in"].transpose("feature", "hidden").values
    W_out = model["W_out"].transpose("hidden", "feature").values
    order = neuron_order(W_in)
    figure = Figure(figsize=(6.4, 2.9), layout="constrained", dpi=150)
    axes = figure.subplots(1, 2)
    shape = {"ms": 10, "mfc": "none", "mec": "black", "mew": 1}
    for panel, W, title, largest in (
        (axes[0], W_in[:, order], "input weights, rescaled", 1.0),
        (axes[1], W_out[order].T, "output weights", limit),
    ):
        image = panel.imshow(W, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
        bar = figure.colorbar(image, ax=panel, extend="both" if limit > 1 else "neither")
        bar.ax.tick_params(labelsize=7)
        panel.set_title(title, fontsize=8)
        panel.set_xlabel("neuron", fontsize=8)
        panel.tick_params(labelsize=7)
        for edge in (panel.xaxis, panel.yaxis):
            edge.set_major_locator(MaxNLocator(6, integer=True))
    axes[0].set_ylabel("feature", fontsize=8)
    place = np.argsort(order)
    for j, a, b in marks:
        active = np.maximum(np.sign(W_in[a, j]) * W_in[a], 0)
        k = int((active * W_out[:, b]).argmin())
        for panel, at in zip(axes, (a, b), strict=True):
            panel.plot([place[j]] * 2, [a, b], "s", **shape)
            panel.plot(place[k], at, "o", **shape)
    figure.suptitle(style.coordinate("density", float(model["density"])), fontsize=9)
    return figure


def shares(ds: xr.Dataset) -> Figure:
    """Monosemantic neurons and relative losses by density, every seed and the mean."""
    figure = Figure(figsize=(6.8, 2.7), layout="constrained", dpi=150)
    panels = figure.subplots(1, 2)
    rows = {
        "share of neurons monosemantic": 1 - polysemantic(ds),
        "loss / loss of the monosemantic solution": ds["relative_loss"],
    }
    color = style.PALETTE["blue"]
    for panel, (name, values) in zip(panels, rows.items(), strict=True):
        mean = values.mean("seed")
        panel.plot(ds["density"], mean, color=color, linewidth=1.2, label="mean")
        for s in range(ds.sizes["seed"]):
            one = values.isel(seed=s)
            text = "one seed" if s == 0 else None
            panel.plot(ds["density"], one, "o", mfc="none", ms=4, color=color, label=text)
        panel.set_xscale("log")
        style.plain_log(panel.xaxis)
        panel.set_xlabel("density (1 − sparsity)", fontsize=8)
        panel.set_ylabel(name, fontsize=8)
        panel.invert_xaxis()
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylim(-0.03, 1.03)
    panels[0].legend(fontsize=7, frameon=False)
    panels[1].set_yscale("log")
    style.plain_log(panels[1].yaxis)
    panels[1].axhline(1, color="0.7", linewidth=0.8, zorder=0)
    return figure


def starts(by_start: Mapping[str, xr.Dataset]) -> Figure:
    """Features that work for both signs, or for one only, by start of the weights."""
    figure = Figure(figsize=(5.2, 2.9), layout="constrained", dpi=150)
    axes = figure.subplots(1, len(by_start), sharey=True)
    for panel, (name, ds) in zip(axes, by_start.items(), strict=True):
        x = np.arange(ds.sizes["density"])
        base = np.zeros(len(x))
        for signs, text, color in (
            (2, "both signs", style.PALETTE["blue"]),
            (1, "one sign only", style.PALETTE["orange"]),
        ):
            number = (ds["signs"] == signs).sum("feature").mean("seed").values
            panel.bar(x, number, bottom=base, color=color, width=0.7, label=text)
            base += number
        labels = [style.number(d) for d in ds["density"].values]
        panel.set_xticks(x, labels, fontsize=7)
        panel.set_title(name, fontsize=8)
        panel.set_xlabel("density (1 − sparsity)", fontsize=8)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("features computed, mean over seeds", fontsize=8)
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, fontsize=7, loc="outside upper center", ncols=2, frameon=False)
    return figure

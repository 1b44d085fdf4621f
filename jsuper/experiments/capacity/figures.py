"""Capacity over kurtosis and ratio, and along kurtosis, beside the closed forms."""

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize

import jsuper as js
from jsuper.experiments.capacity.measures import marginal_values, predicted
from jsuper.plots import style
from jsuper.plots.style import Figure
from jsuper.theory.capacity import (
    marginal_value,
    optimal_capacities,
    polysemantic_kurtosis,
)


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    return {
        "phase_diagram": phase_diagram(models["two_features"].to_dataset()),
        "allocation": allocation(models["six_features"].to_dataset()),
    }


def phase_diagram(ds: xr.Dataset) -> Figure:
    """The second feature's capacity, closed form beside trained models."""
    figure, panels = style.panel_grid(1, 2, 3.4, 3.0, sharex=True, sharey=True)
    maps = {
        "closed form": predicted(ds),
        f"trained, best of {ds.sizes['seed']} seeds": js.best_seed(ds),
    }
    x_scale, x = style.cell_edges(ds["ratio"].values)
    y_scale, y = style.cell_edges(ds["kurtosis"].values)
    limits = {name: ds[name].values[[0, -1]] for name in ("ratio", "kurtosis")}
    fine = np.geomspace(limits["ratio"][0], limits["ratio"][1], 400)
    for panel, (title, one) in zip(panels[0], maps.items(), strict=True):
        capacity = one["capacity"].isel(feature=1).transpose("kurtosis", "ratio")
        panel.pcolormesh(
            x, y, capacity.values, cmap="cividis", norm=Normalize(0, 1), rasterized=True
        )
        for color, width in (("black", 2.6), ("white", 1.2)):
            panel.plot(fine, polysemantic_kurtosis(fine), color=color, linewidth=width)
        panel.set(xscale=x_scale, yscale=y_scale)
        panel.set(xlim=limits["ratio"], ylim=limits["kurtosis"])
        style.plain_log(panel.xaxis)
        style.plain_log(panel.yaxis)
        panel.set_title(title, fontsize=9)
        panel.set_xlabel("importance of the second feature, b / a", fontsize=8)
        panel.tick_params(labelsize=7)
    names = {"first\nalone": (0.2, 2.8, "white"), "second\nalone": (5.0, 2.8, "black")}
    names["both (polysemantic)"] = (1.0, 15.0, "white")
    for text, (x, y, color) in names.items():
        panels[0, 0].text(x, y, text, color=color, fontsize=7, ha="center", va="center")
    panels[0, 0].set_ylabel("kurtosis of the features", fontsize=8)
    label = "capacity of the second feature"
    style.colorbar(figure, panels, Normalize(0, 1), "cividis", label)
    return figure


def allocation(ds: xr.Dataset) -> Figure:
    """Capacities and marginal values along kurtosis."""
    figure, panels = style.panel_grid(1, 2, 3.6, 3.0, sharex=True)
    left, right = panels[0]
    v, kurtosis = ds["coefficients"].values, ds["kurtosis"].values
    fine = np.geomspace(kurtosis[0], kurtosis[-1], 400)
    curves = optimal_capacities(v, fine, ds.sizes["hidden"])
    of_curves = marginal_value(curves, v, fine[:, None])
    best = js.best_seed(ds)
    capacity = best["capacity"].transpose("kurtosis", "feature").values
    values = marginal_values(best).transpose("kurtosis", "feature").values
    colors = style.SEQUENTIAL.reversed()(np.linspace(0, 0.95, len(v)))
    for i, color in enumerate(colors):
        marks = {"color": color, "markersize": 3.5, "linestyle": "none", "marker": "o"}
        left.plot(fine, curves[:, i], color=color, linewidth=1)
        left.plot(kurtosis, capacity[:, i], label=f"{v[i]:.2g}", **marks)
        right.plot(fine, of_curves[:, i] / of_curves[:, 0], color=color, linewidth=1)
        right.plot(kurtosis, values[:, i] / values[:, 0], **marks)
    left.set(xscale="log", ylabel="capacity", ylim=(-0.04, 1.04))
    right.set(yscale="log", ylabel="marginal value of capacity\nrelative to the first's")
    style.plain_log(right.yaxis)
    for panel in (left, right):
        style.plain_log(panel.xaxis)
        panel.set_xlabel("kurtosis of the features", fontsize=8)
        panel.yaxis.label.set_size(8)
        panel.tick_params(labelsize=7)
    figure.legend(
        *left.get_legend_handles_labels(),
        title="importance",
        title_fontsize=7,
        fontsize=7,
        loc="outside right center",
    )
    return figure

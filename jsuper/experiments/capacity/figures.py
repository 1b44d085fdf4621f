"""Capacity over kurtosis and ratio, and along kurtosis, beside the closed forms."""

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize

import jsuper as js
from jsuper.experiments.capacity.measures import marginal_values, predicted
from jsuper.files import datasets
from jsuper.plots import style
from jsuper.plots.style import Figure
from jsuper.theory import capacity as theory


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    return {
        "phase_diagram": phase_diagram(ds["two_features"]),
        "allocation": allocation(ds["six_features"]),
    }


def phase_diagram(ds: xr.Dataset) -> Figure:
    """The second feature's capacity in trained models, with contours of the closed form."""
    figure = Figure(figsize=(4.4, 3.2))
    panel = figure.subplots()
    ratio, kurtosis = ds["ratio"].values, ds["kurtosis"].values
    trained, rule = (
        one["capacity"].isel(feature=1).transpose("kurtosis", "ratio").values
        for one in (js.best_seed(ds), predicted(ds))
    )
    edges = [style.cell_edges(values)[1] for values in (ratio, kurtosis)]
    panel.pcolormesh(*edges, trained, cmap="cividis", norm=Normalize(0, 1), rasterized=True)
    boundary = theory.polysemantic_kurtosis(ratio)
    shared = np.where(kurtosis[:, None] > boundary, rule, np.nan)
    dashes = {
        "linewidths": 0.8,
        "linestyles": "--",
        "colors": 3 * ["white"] + 2 * ["black"],
    }
    panel.contour(ratio, kurtosis, shared, [0.1, 0.3, 0.5, 0.7, 0.9], **dashes)
    fine = np.geomspace(ratio[0], ratio[-1], 401)
    for color, width in (("black", 2.6), ("white", 1.2)):
        panel.plot(fine, theory.polysemantic_kurtosis(fine), color=color, linewidth=width)
    panel.text(0.22, 2.8, "first\nalone", color="white", ha="center", va="center")
    panel.text(4.5, 2.8, "second\nalone", ha="center", va="center")
    panel.set(xlim=ratio[[0, -1]], xlabel="importance of the second feature, b / a")
    panel.set(ylim=kurtosis[[0, -1]], ylabel="kurtosis of the features")
    style.plain_log(panel.xaxis)
    style.plain_log(panel.yaxis)
    label = "capacity of the second feature"
    style.colorbar(figure, panel, Normalize(0, 1), "cividis", label)
    return figure


def allocation(ds: xr.Dataset) -> Figure:
    """Capacities and marginal values along kurtosis."""
    figure = Figure(figsize=(6.8, 2.7))
    left, right = figure.subplots(1, 2)
    v, kurtosis = ds["coefficients"].values, ds["kurtosis"].values
    fine, best = np.geomspace(kurtosis[0], kurtosis[-1], 400), js.best_seed(ds)
    curves = theory.optimal_capacities(v, fine, ds.sizes["hidden"])
    of_curves = theory.marginal_value(curves, v, fine[:, None])
    capacity, values = (
        one.transpose("kurtosis", "feature").values
        for one in (best["capacity"], marginal_values(best))
    )
    panels = (
        (left, curves, capacity),
        (right, of_curves / of_curves[:, :1], values / values[:, :1]),
    )
    for panel, lines, dots in panels:
        for i, color in enumerate(style.SEQUENTIAL(np.linspace(1, 0.05, len(v)))):
            panel.plot(fine, lines[:, i], color=color, linewidth=1)
            label = f"{v[i]:.2g}" if panel is left else None
            panel.plot(kurtosis, dots[:, i], "o", color=color, markersize=3, label=label)
        panel.set_xlabel("kurtosis of the features")
        style.plain_log(panel.xaxis)
    left.set(ylabel="capacity", ylim=(-0.04, 1.04))
    right.set_ylabel("marginal value of capacity\nrelative to the first's")
    style.plain_log(right.yaxis)
    figure.legend(title="importance", loc="outside right center")
    return figure

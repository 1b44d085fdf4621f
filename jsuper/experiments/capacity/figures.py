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
    look = {"cmap": "cividis", "norm": Normalize(0, 1)}
    panel.pcolormesh(*edges, trained, rasterized=True, **look)
    shared = np.where(kurtosis[:, None] > theory.polysemantic_kurtosis(ratio), rule, np.nan)
    dashes = {
        "linewidths": 0.8,
        "linestyles": "--",
        "colors": 3 * ["white"] + 2 * ["black"],
    }
    panel.contour(ratio, kurtosis, shared, [0.1, 0.3, 0.5, 0.7, 0.9], **dashes)
    fine = np.geomspace(ratio[0], ratio[-1], 401)
    for color, width in (("black", 2.6), ("white", 1.2)):
        panel.plot(fine, theory.polysemantic_kurtosis(fine), color=color, linewidth=width)
    for text, x, color in (("first", 0.22, "white"), ("second", 4.5, "black")):
        panel.text(x, 2.8, f"{text}\nalone", color=color, ha="center", va="center")
    panel.set(xlim=ratio[[0, -1]], xlabel="importance of the second feature, b / a")
    panel.set(ylim=kurtosis[[0, -1]], ylabel="kurtosis of the features")
    style.plain_log(panel.xaxis)
    style.plain_log(panel.yaxis)
    style.colorbar(
        figure, panel, look["norm"], look["cmap"], "capacity of the second feature"
    )
    return figure


def allocation(ds: xr.Dataset) -> Figure:
    """Capacities and marginal values along kurtosis."""
    figure = Figure(figsize=(6.8, 2.7))
    left, right = figure.subplots(1, 2)
    v, kurtosis = ds["coefficients"].values, ds["kurtosis"].values
    fine = np.geomspace(kurtosis[0], kurtosis[-1], 400)
    curves = theory.optimal_capacities(v, fine, ds.sizes["hidden"])
    of_curves = theory.marginal_value(curves, v, fine[:, None])
    best = js.best_seed(ds)
    capacity = best["capacity"].transpose("kurtosis", "feature").values
    values = marginal_values(best).transpose("kurtosis", "feature").values
    colors = style.SEQUENTIAL.reversed()(np.linspace(0, 0.95, len(v)))
    for i, color in enumerate(colors):
        marks = {"color": color, "linestyle": "none", "marker": "o", "markersize": 3}
        left.plot(fine, curves[:, i], color=color, linewidth=1)
        left.plot(kurtosis, capacity[:, i], label=f"{v[i]:.2g}", **marks)
        right.plot(fine, of_curves[:, i] / of_curves[:, 0], color=color, linewidth=1)
        right.plot(kurtosis, values[:, i] / values[:, 0], **marks)
    left.set(ylabel="capacity", ylim=(-0.04, 1.04))
    right.set_ylabel("marginal value of capacity\nrelative to the first's")
    for axis in (left.xaxis, right.xaxis, right.yaxis):
        style.plain_log(axis)
    for panel in (left, right):
        panel.set_xlabel("kurtosis of the features")
    figure.legend(title="importance", loc="outside right center")
    return figure

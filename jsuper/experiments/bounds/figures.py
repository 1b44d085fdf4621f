"""A penalty's effect and cost, packing and interference, features per dimension."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from jsuper.experiments.bounds.measures import relative_cost, sensing_constant
from jsuper.plots import style
from jsuper.plots.style import Figure
from jsuper.theory import bounds

MARKERS = (("blue", "o"), ("vermilion", "s"), ("green", "^"))
"""Colour and marker of a density or a size."""


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    penalised, packed = (models[name].to_dataset() for name in ("l1-penalty", "packing"))
    return {
        "l1-penalty": penalty(penalised),
        "packing": packing(packed),
        "sensing": sensing(packed),
    }


def penalty(ds: xr.Dataset) -> Figure:
    """What the penalty leaves, and what it costs."""
    figure = Figure(figsize=(7.4, 3.3), layout="constrained")
    left, paid = figure.subplots(1, 2)
    x, cost = ds["l1"].values, relative_cost(ds)
    for density, (name, marker) in zip(ds["density"].values, MARKERS, strict=False):
        cell = ds.sel(density=density)
        looks = {"marker": marker, "ms": 3, "lw": 1.2, "color": style.PALETTE[name]}
        label = style.coordinate("density", density)
        _line(left, x, cell["superposed"], **looks, label=label)
        _line(paid, x, cost.sel(density=density), **looks)
        left.plot(x, cell["represented"].mean("seed"), ":", **looks)
    left.axhline(ds.sizes["hidden"], color="0.6", linewidth=0.8, linestyle="--")
    left.plot([], [], ":", color="0.3", label="represented")
    left.plot([], [], "-", color="0.3", label="superposed")
    left.legend(fontsize=7, loc="upper right")
    left.set_ylim(top=left.get_ylim()[1] * 1.3)
    left.yaxis.set_major_locator(MaxNLocator(integer=True))
    left.set_ylabel("features", fontsize=8)
    paid.set_yscale("log")
    style.plain_log(paid.yaxis)
    paid.set_ylabel("loss without the penalty, relative to λ = 0", fontsize=8)
    for panel in (left, paid):
        panel.set_xlabel("weight λ of the L1 penalty", fontsize=8)
        panel.set_xscale("symlog", linthresh=0.003, linscale=0.5)
        panel.set_xlim(left=-3e-4)
        panel.set_xticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
        panel.set_xticks([], minor=True)
        panel.tick_params(labelsize=7)
    return figure


def packing(ds: xr.Dataset) -> Figure:
    """Sum of dimensionalities against m, and interference against Welch's bound."""
    figure = Figure(figsize=(7.4, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2)
    for m, (name, marker) in zip(ds["n_hidden"].values, MARKERS, strict=False):
        cell, color = ds.sel(n_hidden=m), style.PALETTE[name]
        looks = {"marker": marker, "ms": 3.5, "color": color, "label": f"m = {m}"}
        _line(left, 1 / ds["density"].values, cell["packing"], **looks)
        bound = cell["welch"].values.ravel()
        for what, fill in (("rms", color), ("largest", "none")):
            right.plot(
                bound, cell[what].values.ravel(), marker, ms=4, color=color,
                markerfacecolor=fill, markeredgewidth=0.8, linestyle="none",
            )  # fmt: skip
    left.axhline(1, color="0.4", linewidth=1, linestyle="--")
    room = 1 - float(ds["packing"].min())
    left.set(xscale="log", ylim=(1 - 1.4 * room, 1 + 0.15 * room))
    style.plain_log(left.xaxis)
    left.set_xlabel("1 / density", fontsize=8)
    left.set_ylabel("sum of dimensionalities $\\Sigma_i D_i / m$", fontsize=8)
    left.legend(fontsize=7, loc="lower left")
    most = float(ds["welch"].max()) * 1.08
    right.plot([0, most], [0, most], color="0.4", linewidth=1, linestyle="--")
    right.set(ylim=(0, 1.06), xlim=(0, most))
    right.plot([], [], "o", ms=4, color="0.3", mfc="none", label="largest")
    right.plot([], [], "o", ms=4, color="0.3", label="root mean square")
    title = "$|\\hat W_i \\cdot \\hat W_j|$"
    right.legend(fontsize=7, loc="lower right", title=title, title_fontsize=7)
    right.set_xlabel("Welch's bound for the features represented", fontsize=8)
    right.set_ylabel("interference of unit vectors", fontsize=8)
    for panel in (left, right):
        panel.tick_params(labelsize=7)
    return figure


def sensing(ds: xr.Dataset) -> Figure:
    """Features per dimension against density, with the bound of compressed sensing."""
    figure = Figure(figsize=(4.6, 3.6), layout="constrained")
    panel = figure.subplots()
    for m, (name, marker) in zip(ds["n_hidden"].values, MARKERS, strict=False):
        y = ds["represented_per_dimension"].sel(n_hidden=m)
        y = y.where(y.min("seed") > 0)  # none at all has no place on this axis
        color, label = style.PALETTE[name], f"trained, m = {m}"
        x = 1 / ds["density"].values
        _line(panel, x, y, marker=marker, ms=3.5, color=color, label=label)
    c = sensing_constant(ds)
    p = np.geomspace(float(ds["density"].min()), np.exp(-1), 200)
    curve = 1 / (c * bounds.recovery_dimensions(1, p))
    label = f"$-1 / (C\\,p \\log p)$, C = {style.number(c)}"
    panel.plot(1 / p, curve, "--", color="0.3", label=label)
    panel.set(xscale="log", yscale="log")
    for axis in (panel.xaxis, panel.yaxis):
        style.plain_log(axis)
    panel.set_xlabel("1 / density", fontsize=8)
    panel.set_ylabel("features represented per dimension", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.legend(fontsize=7, loc="upper left")
    return figure


def _line(panel: Axes, x: np.ndarray, y: xr.DataArray, *, color: str, **looks) -> None:
    """The mean over seeds of ``y`` (x, seed), and their range as a band."""
    low, high = y.min("seed"), y.max("seed")
    panel.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
    panel.plot(x, y.mean("seed"), color=color, **looks)

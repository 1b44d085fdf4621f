"""A penalty's effect and cost, packing and interference, features per dimension."""

from collections.abc import Iterator

import numpy as np
import xarray as xr
from matplotlib.ticker import MaxNLocator

from jsuper.experiments.bounds.measures import relative_cost, sensing_constant
from jsuper.files import datasets
from jsuper.plots import panels, style
from jsuper.plots.style import Figure
from jsuper.theory import bounds


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    return {
        "packing": packing(ds["packing"]),
        "sensing": sensing(ds["packing"]),
        "l1-penalty": penalty(ds["l1-penalty"]),
    }


def by_size(ds: xr.Dataset) -> Iterator[tuple[xr.Dataset, dict]]:
    """The models of each size, against 1 / density, with the look of their line."""
    ds = ds.assign_coords(density=1 / ds["density"])
    for m, looks in zip(ds["n_hidden"].values, style.SERIES, strict=False):
        yield ds.sel(n_hidden=m), {**looks, "label": f"m = {m}"}


def packing(ds: xr.Dataset) -> Figure:
    """Sum of dimensionalities against m, and interference against Welch's bound."""
    figure = Figure(figsize=(6.6, 2.9))
    left, right = figure.subplots(1, 2)
    for cell, looks in by_size(ds):
        panels.over_seeds(left, cell["packing"], **looks)
        points = {"color": looks["color"], "marker": looks["marker"], "ls": "", "mew": 0.8}
        bound = cell["welch"].values.ravel()
        for what, fill in (("largest", "none"), ("rms", looks["color"])):
            right.plot(bound, cell[what].values.ravel(), markerfacecolor=fill, **points)
    left.axhline(1, linestyle="--", **style.GUIDE)
    style.plain_log(left.xaxis)
    left.set(xlabel="1 / density", ylabel=r"sum of dimensionalities $\Sigma_i D_i / m$")
    left.legend(loc="lower right")
    most = float(ds["welch"].max()) * 1.08
    right.plot([0, most], [0, most], linestyle="--", **style.GUIDE)
    for name, fill in (("largest", "none"), ("rms", "0.3")):
        right.plot([], [], "o", color="0.3", markerfacecolor=fill, label=name)
    right.legend(loc="lower right", title=r"$|\hat W_i \cdot \hat W_j|$")
    right.set(xlabel="Welch's bound for the features represented", xlim=(0.2, most))
    right.set(ylabel="interference of unit vectors", ylim=(0, 1.06))
    return figure


def sensing(ds: xr.Dataset) -> Figure:
    """Features per dimension against density, with the bound of compressed sensing."""
    figure = Figure(figsize=(4.2, 3.2))
    panel = figure.subplots()
    for cell, looks in by_size(ds):
        number = cell["represented_per_dimension"]
        # None at all has no place on this axis.
        panels.over_seeds(panel, number[(number > 0).all("seed")], **looks)
    c = sensing_constant(ds)
    p = np.geomspace(float(ds["density"].min()), np.exp(-1), 200)
    label = f"$-1 / (C\\,p \\log p)$, C = {style.number(c)}"
    curve = 1 / (c * bounds.recovery_dimensions(1, p))
    panel.plot(1 / p, curve, "--", color="0.3", label=label)
    style.plain_log(panel.xaxis)
    style.plain_log(panel.yaxis)
    panel.set(xlabel="1 / density", ylabel="features represented per dimension")
    panel.legend()
    return figure


def penalty(ds: xr.Dataset) -> Figure:
    """What the penalty leaves, and what it costs."""
    figure = Figure(figsize=(6.6, 2.9))
    kept, paid = figure.subplots(1, 2)
    cost = relative_cost(ds)
    for density, looks in zip(ds["density"].values, style.SERIES, strict=False):
        cell, named = ds.sel(density=density), style.coordinate("density", density)
        panels.over_seeds(kept, cell["superposed"], **looks, label=named)
        kept.plot(ds["l1"], cell["represented"].mean("seed"), ":", **looks)
        panels.over_seeds(paid, cost.sel(density=density), **looks)
    kept.axhline(ds.sizes["hidden"], linestyle="--", **style.GUIDE)
    for name, dash in (("superposed", "-"), ("represented", ":")):
        kept.plot([], [], dash, color="0.3", label=name)
    kept.legend()
    kept.yaxis.set_major_locator(MaxNLocator(integer=True))
    kept.set_ylabel("features")
    style.plain_log(paid.yaxis)
    paid.set_ylabel("reconstruction loss relative to λ = 0")
    for panel in (kept, paid):
        panel.set_xlabel("weight λ of the L1 penalty")
        panel.set_xscale("symlog", linthresh=0.003, linscale=0.5)
        panel.set_xlim(-3e-4, 1.2)
        panel.set_xticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
        panel.set_xticks([], minor=True)
    return figure

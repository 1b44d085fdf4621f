"""Vulnerability beside superposition, and what adversarial training leaves of it."""

import numpy as np
import xarray as xr

from jsuper.files import datasets
from jsuper.plots import panels, style
from jsuper.plots.style import SERIES, Figure

OF = {"own": "of the density's own inputs", "dense": "of dense inputs"}
"""The two readings of the mean norm."""


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    return {
        "vulnerability": vulnerability(ds["models"]),
        "adversarial-training": adversarial_training(ds["training"]),
    }


def vulnerability(ds: xr.Dataset) -> Figure:
    """Vulnerability and features per dimension by density, and one against the other."""
    figure = Figure(figsize=(7.0, 2.6))
    over, stored, against = figure.subplots(1, 3)
    d, x = ds["features_per_dimension"], 1 / ds["density"].values
    for (which, text), look in zip(OF.items(), SERIES, strict=False):
        v = ds["vulnerability"].sel(mean_norm=which)
        panels.over_seeds(over, v, x, **look, label=f"0.1 × mean norm {text}")
        looks = {**look, "linestyle": "none", "markerfacecolor": "none"}
        against.plot(d.values.ravel(), v.transpose(*d.dims).values.ravel(), **looks)
    panels.over_seeds(stored, d, x, color="0.2", marker="^")
    most = float(d.max())
    line = np.linspace(1, most, 100)
    for text, power, dash in (("equal", 1, "-"), ("square", 2, "--")):
        against.plot(line, line**power, dash, **style.GUIDE)
        at = (most, most) if power == 1 else (0.6 * most, (0.6 * most) ** 2)
        offset = {"textcoords": "offset points", "ha": "right", "va": "top"}
        against.annotate(text, at, (-4, -7), **offset)
    for panel in (over, stored):
        style.plain_log(panel.xaxis)
        panel.set_xlabel("1 / density")
    against.set_xlabel("features per dimension $1/D^*$")
    stored.set_ylabel("features per dimension $1/D^*$")
    for panel in (over, against):
        panel.set_ylabel("relative vulnerability")
    for panel in (over, stored, against):
        panel.set_ylim(bottom=0)
    against.set_ylim(top=1.1 * float(ds["vulnerability"].max()))
    figure.legend(loc="outside upper center", ncols=2, title="norm of the attack")
    return figure


def adversarial_training(ds: xr.Dataset) -> Figure:
    """What adversarial training leaves of superposition."""
    figure = Figure(figsize=(6.0, 2.8))
    stored, counts = figure.subplots(1, 2)
    for density, look in zip(ds["density"].values, SERIES, strict=False):
        cell, label = ds.sel(density=density), style.coordinate("density", density)
        panels.over_seeds(stored, cell["features_per_dimension"], **look, label=label)
        panels.over_seeds(counts, cell["superposed"], **look)
    stored.axhline(1, **style.GUIDE)
    stored.set_ylabel("features per dimension $1/D^*$")
    counts.set_ylabel(f"features superposed (of {ds.sizes['feature']})")
    for panel in (stored, counts):
        panel.axvline(0.8, **style.GUIDE, linestyle=":")
        panel.set_xlabel("attack in training / mean norm of inputs")
        panel.set_ylim(bottom=0)
    counts.annotate(
        "the paper's\n80%", (0.82, 1), xycoords=("data", "axes fraction"), va="top"
    )
    figure.legend(loc="outside upper center", ncols=3)
    return figure

"""Vulnerability beside superposition, and what adversarial training leaves of it."""

import numpy as np
import xarray as xr

from jsuper.plots import panels, style
from jsuper.plots.style import SERIES, Figure

STORED = "features per dimension $1/D^*$"


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    return {
        "vulnerability": vulnerability(models["models"].to_dataset()),
        "adversarial-training": adversarial_training(models["training"].to_dataset()),
    }


def vulnerability(ds: xr.Dataset) -> Figure:
    """Vulnerability and features per dimension by density, and one against the other."""
    figure = Figure(figsize=(7.0, 2.6))
    over, stored, against = figure.subplots(1, 3)
    d, x = ds["features_per_dimension"], 1 / ds["density"].values
    norms = {"own": "of the density's own inputs", "dense": "of dense inputs"}
    for (which, text), look in zip(norms.items(), SERIES, strict=False):
        v = ds["vulnerability"].sel(mean_norm=which)
        panels.over_seeds(over, v, x, **look, label=f"0.1 × mean norm {text}")
        looks = {**look, "linestyle": "none", "markerfacecolor": "none"}
        against.plot(d.values.ravel(), v.transpose(*d.dims).values.ravel(), **looks)
    panels.over_seeds(stored, d, x, color="0.2", marker="^")
    line = np.linspace(1, d.values.max(), 100)
    against.plot(line, line**2, "--", **style.GUIDE)
    for panel, label in ((over, "relative vulnerability"), (stored, STORED)):
        style.plain_log(panel.xaxis)
        panel.set(xlabel="1 / density", ylabel=label)
        panel.set_ylim(bottom=0)
    against.set(xlabel=STORED, ylabel=over.get_ylabel(), ylim=over.get_ylim())
    figure.legend(loc="outside upper center", ncols=2, title="norm of the attack")
    return figure


def adversarial_training(ds: xr.Dataset) -> Figure:
    """What adversarial training leaves of superposition."""
    figure = Figure(figsize=(6.0, 2.8))
    superposed = f"features superposed (of {ds.sizes['feature']})"
    quantities = {"features_per_dimension": STORED, "superposed": superposed}
    both = figure.subplots(1, 2)
    for panel, (name, label) in zip(both, quantities.items(), strict=True):
        for density, look in zip(ds["density"].values, SERIES, strict=False):
            label_of = style.coordinate("density", density)
            panels.over_seeds(panel, ds[name].sel(density=density), **look, label=label_of)
        panel.axvline(0.8, **style.GUIDE, linestyle=":")
        panel.set(xlabel="attack in training / mean norm of inputs", ylabel=label)
        panel.set_ylim(bottom=0)
    both[0].axhline(1, **style.GUIDE)
    handles = both[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3)
    return figure

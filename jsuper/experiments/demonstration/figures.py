"""The paper's figures of all models, and their counts over seeds."""

from collections.abc import Mapping

import xarray as xr

from jsuper import plots
from jsuper.files import datasets
from jsuper.plots import panels, style
from jsuper.plots.style import Figure

SHOWN = {
    "small": [1.0, 0.3, 0.1, 0.03, 0.001],
    "linear": [1.0, 0.001],
    "large": [1.0, 0.1, 0.01, 0.001],
    "notebook": [1.0, 0.53, 0.15, 0.058],
}
"""By model, densities that are plotted."""


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    found = {
        name: plots.demonstration(ds[name].sel(density=at, method="nearest"))
        for name, at in SHOWN.items()
        if name in ds
    }
    return {"counts": counts(ds), **found}


def counts(ds: Mapping[str, xr.Dataset]) -> Figure:
    """Features represented and dedicated for each dimension, by density."""
    figure = Figure(figsize=(6.0, 2.6))
    both = figure.subplots(1, 2)
    for panel, quantity in zip(both, ("represented", "dedicated"), strict=True):
        for name, look in zip(("large", "small", "linear"), style.SERIES, strict=False):
            if name in ds:
                n, m = (ds[name].sizes[dim] for dim in ("feature", "hidden"))
                label = f"{name}: {n} features in {m}"
                share = ds[name][quantity] / m
                panels.over_seeds(panel, share, 1 / share["density"], **look, label=label)
        style.plain_log(panel.xaxis)
        panel.set(xlabel="1 / density", ylabel=f"features {quantity} / dimension")
        panel.set_ylim(bottom=0)
    handles = both[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3)
    return figure

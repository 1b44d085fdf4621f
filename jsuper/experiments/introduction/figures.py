"""The paper's panels, and what all seeds become between them."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper import plots
from jsuper.experiments.introduction.findings import STATED
from jsuper.plots import panels, style
from jsuper.plots.style import Figure

COLORS = {
    "2 dedicated": style.PALETTE["green"],
    "1 dedicated, 1 pair": style.PALETTE["purple"],
    "2 pairs": style.PALETTE["sky"],
    "pentagon": style.PALETTE["orange"],
    "other": "0.75",
}


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = models["models"].to_dataset()
    stated = ds.sel(density=1 - np.array(list(STATED)), method="nearest")
    return {"embeddings": plots.embeddings(stated, limit=1.3), "shares": shares(ds)}


def shares(ds: xr.Dataset) -> Figure:
    """What seeds become by density, and what the best of them is."""
    figure = Figure(figsize=(5.8, 2.8))
    panel = figure.subplots()
    panels.shares(panel, ds["shape"], COLORS, best=js.best_seed(ds)["shape"])
    panel.set_xlabel("density (1 − sparsity)")
    figure.legend(loc="outside right center", reverse=True)
    return figure

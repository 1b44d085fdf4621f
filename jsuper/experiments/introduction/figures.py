"""The paper's panels, and what all seeds become between them."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper import plots
from jsuper.experiments.introduction.findings import STATED
from jsuper.plots import style
from jsuper.plots.style import Figure

COLORS = {
    "2 dedicated": style.PALETTE["green"],
    "1 dedicated, 1 pair": style.PALETTE["purple"],
    "2 pairs": style.PALETTE["sky"],
    "pentagon": style.PALETTE["orange"],
    "other": "0.75",
}


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = models["models"].to_dataset()
    panels = ds.sel(density=1 - np.array(list(STATED)), method="nearest")
    return {
        "embeddings": plots.embeddings(panels, limit=1.3),
        "shares": shares(ds),
    }


def shares(ds: xr.Dataset) -> Figure:
    """What seeds become over density, and what the best of them is."""
    figure = Figure(figsize=(5.8, 2.8), layout="constrained")
    panel = figure.subplots()
    ds = ds.sortby("density")
    densities = ds["density"].values
    names = ds["shape"].transpose("density", "seed").values
    rows = [(names == name).mean(1) for name in COLORS]
    panel.stackplot(
        densities, rows, labels=list(COLORS), colors=list(COLORS.values()), step="mid"
    )
    best = js.best_seed(ds)["shape"].values
    for name, color in COLORS.items():
        x = densities[best == name]
        panel.plot(x, np.full(len(x), 1.05), "s", color=color, ms=5, clip_on=False)
    panel.annotate("best seed", (densities[0], 1.1), fontsize=7, annotation_clip=False)
    panel.set(xscale="log", xlim=densities[[0, -1]], ylim=(0, 1))
    style.plain_log(panel.xaxis)
    panel.set_xlabel("density (1 − sparsity)", fontsize=8)
    panel.set_ylabel("share of seeds", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right center", fontsize=8, frameon=False)
    return figure

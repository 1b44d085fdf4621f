"""Dimensionalities along training, the stages of two sets, and a film of them."""

import numpy as np
import xarray as xr
from matplotlib.animation import Animation
from matplotlib.axes import Axes

from jsuper import plots
from jsuper.experiments.learning_dynamics.measures import (
    LEVELS,
    STAGES,
    chosen,
    jumps,
    set_geometry,
)
from jsuper.experiments.learning_dynamics.train import SET_SIZE
from jsuper.plots import style
from jsuper.plots.style import Figure


def figures(models: xr.DataTree) -> dict[str, Figure | Animation]:
    """All figures by name."""
    sets = models["stages"].to_dataset()
    groups = np.repeat([0, 1], SET_SIZE).tolist()
    return {
        "levels": levels(models["levels"].to_dataset()),
        "stages": stages(sets),
        "film": plots.embedding_motion(chosen(sets), groups=groups),
    }


def levels(ds: xr.Dataset, most: int = 4) -> Figure:
    """Dimensionalities and loss along training, the seeds with most late jumps first."""
    order = np.argsort(-jumps(ds)["late"].values, kind="stable")[:most]
    figure = Figure(figsize=(2.4 * len(order) + 0.6, 4.0), layout="constrained", dpi=150)
    axes = figure.subplots(
        2, len(order), sharex=True, sharey="row", height_ratios=[1.6, 1], squeeze=False
    )
    for (top, bottom), i in zip(axes.T, order, strict=True):
        model = ds.isel(seed=int(i))
        D = model["dimensionality"].transpose("step", "feature").values
        kept = model["is_represented"].isel(step=-1).values
        steps, blue = model["step"], style.PALETTE["blue"]
        top.plot(steps, D[:, ~kept], color="0.75", linewidth=0.6, zorder=2)
        top.plot(steps, D[:, kept], color=blue, linewidth=0.6, zorder=3)
        for level in LEVELS[1:]:
            top.axhline(level, color="0.6", linewidth=0.7, linestyle=":", zorder=1)
        bottom.plot(steps, model["loss"], color=style.PALETTE["vermilion"], linewidth=1.2)
        over_steps(bottom)
        top.set_title(f"seed {int(model['seed'])}", fontsize=9)
        top.tick_params(labelsize=7)
    axes[0, 0].set_ylabel("dimensionality $D_i$", fontsize=8)
    axes[1, 0].set_ylabel("loss", fontsize=8)
    return figure


def stages(ds: xr.Dataset) -> Figure:
    """Four moments of one model in three dimensions, above loss and cosines of all."""
    shape, model = set_geometry(ds), chosen(ds)
    seed = model["seed"].item()
    figure = Figure(figsize=(8.4, 5.2), layout="constrained", dpi=150)
    grid = figure.add_gridspec(2, 4, height_ratios=[1, 1])
    at = moments(shape["within"].sel(seed=seed))
    for j, (name, step) in enumerate(zip(STAGES, at, strict=True)):
        panel = figure.add_subplot(grid[0, j], projection="3d")
        W = model["W"].sel(step=step).transpose("feature", "hidden").values
        for i, end in enumerate(W):
            line = np.stack([np.zeros(SET_SIZE), end], axis=-1)
            color = style.PALETTE[("blue", "orange")[i // SET_SIZE]]
            panel.plot(*line, "-o", color=color, markevery=[1], ms=4)
        panel.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1))
        panel.set_box_aspect((1, 1, 1))
        panel.view_init(elev=22, azim=35)
        for axis in (panel.xaxis, panel.yaxis, panel.zaxis):
            axis.set_ticks([-1, 0, 1], [""] * 3)
        panel.set_title(f"{name}\nstep {step:,}", fontsize=8)
    curves = {
        "loss": ds["loss"],
        "mean cosine within a set": shape["within"],
        "cosine with the opposite feature": shape["opposite"],
    }
    columns = grid[1, :].subgridspec(1, 3)
    for j, (name, values) in enumerate(curves.items()):
        panel = figure.add_subplot(columns[j])
        lines = values.transpose("step", "seed")
        panel.plot(ds["step"], lines, color="0.75", linewidth=0.6)
        color = style.PALETTE["vermilion"]
        panel.plot(ds["step"], lines.sel(seed=seed), color=color, linewidth=1.5)
        over_steps(panel)
        panel.set_ylabel(name, fontsize=8)
    return figure


def moments(within: xr.DataArray) -> tuple[int, int, int, int]:
    """A step in each stage, by the mean cosine within a set of one model along training."""
    bunched = within.idxmax("step")
    opening = within.where(within["step"] > bunched)
    opened = abs(opening - 0.35).idxmin("step")
    # Of a model that was bunched to the end, nothing opens.
    last = int(within["step"][-1])
    return 0, int(bunched), int(opened.fillna(last)), last


def over_steps(panel: Axes) -> None:
    """Makes the training step, from 0 and in the log, the horizontal axis of a panel."""
    panel.set_xscale("symlog", linthresh=10)
    panel.set_xticks([0, 10, 100, 1_000], ["0", "10", "100", "1,000"])
    panel.set_xlabel("training step", fontsize=8)
    panel.tick_params(labelsize=7)

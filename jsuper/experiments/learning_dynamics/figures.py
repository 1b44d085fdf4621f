"""Dimensionalities along training, the stages of two sets, and a film of them."""

import numpy as np
import xarray as xr
from matplotlib.animation import Animation
from matplotlib.axes import Axes

import jsuper as js
from jsuper import plots
from jsuper.experiments.learning_dynamics import measures
from jsuper.plots import panels, style
from jsuper.plots.style import PALETTE, Figure

GROUPS, VIEW = [0, 0, 0, 1, 1, 1], (22.0, 35.0)
"""The set of each feature; elevation and azimuth from which the sets are seen."""


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure | Animation]:
    """All figures by name."""
    ds = models["stages"].to_dataset()
    # The best of the models that pass all stages, or of all.
    passed = measures.first_steps(measures.set_geometry(ds)).notnull().all("stage").values
    model = js.best_seed(ds.isel(seed=passed if passed.any() else slice(None)))
    return {
        "levels": levels(models["levels"].to_dataset()),
        "stages": stages(ds, model),
        "film": plots.embedding_motion(model, groups=GROUPS, view=VIEW),
    }


def levels(ds: xr.Dataset) -> Figure:
    """Dimensionalities and loss along training, the seeds with most late jumps first."""
    order = np.argsort(-measures.jumps(ds)["late"].values, kind="stable")[:3]
    figure = Figure(figsize=(6.8, 3.6))
    shared = {"sharex": True, "sharey": "row", "squeeze": False}
    axes = figure.subplots(2, len(order), height_ratios=[1.6, 1], **shared)
    for (top, bottom), i in zip(axes.T, order, strict=True):
        model = ds.isel(seed=int(i))
        D = model["dimensionality"].transpose("step", "feature").values
        kept = model["is_represented"].isel(step=-1).values
        for which, color, above in ((~kept, "0.75", 2), (kept, PALETTE["blue"], 3)):
            top.plot(ds["step"], D[:, which], color=color, linewidth=0.6, zorder=above)
        top.axhline(0.5, linestyle=":", **style.GUIDE)
        bottom.plot(ds["step"], model["loss"], color=PALETTE["vermilion"])
        over_steps(bottom)
        top.set_title(f"seed {int(model['seed'])}")
    axes[0, 0].set_ylabel("dimensionality $D_i$")
    axes[1, 0].set_ylabel("loss")
    return figure


def stages(ds: xr.Dataset, model: xr.Dataset) -> Figure:
    """One model as it reaches each stage, above loss and cosines of all models."""
    shape = measures.set_geometry(ds)
    curves = {
        "loss": ds["loss"],
        "mean cosine within a set": shape["within"],
        "cosine with the\nopposite feature": shape["opposite"],
    }
    reached = measures.first_steps(shape).sel(seed=model["seed"]).fillna(ds["step"][-1])
    at = [0, *reached.values.astype(int).tolist()]
    figure = Figure(figsize=(6.8, 4.0))
    above, below = figure.subfigures(2, 1, squeeze=False).flat
    pictures = above.subplots(1, 4, subplot_kw={"projection": "3d"})
    for panel, name, step in zip(pictures, measures.STAGES, at, strict=True):
        W = model["W"].sel(step=step).transpose("feature", "hidden").values
        panels.embeddings(panel, W, extent=1.0, groups=np.array(GROUPS), view=VIEW)
        panel.set_title(f"{name}\nstep {step:,}")
    for panel, (name, values) in zip(below.subplots(1, 3), curves.items(), strict=True):
        panels.each_seed(panel, values)
        panel.plot(ds["step"], values.sel(seed=model["seed"]), color="black")
        over_steps(panel)
        panel.set_ylabel(name)
    return figure


def over_steps(panel: Axes) -> None:
    """Makes the step, from 0 and log-spaced, the horizontal axis of a panel."""
    panel.set_xscale("symlog", linthresh=10)
    panel.set_xticks([0, 10, 100, 1_000], ["0", "10", "100", "1,000"])
    panel.set_xlabel("training step")

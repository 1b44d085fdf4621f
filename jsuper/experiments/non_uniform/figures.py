"""Losses of all fits, the best in one frame, and angles, norms and thresholds."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.non_uniform import measures
from jsuper.experiments.non_uniform.measures import DENSITY, PAPER_THRESHOLD, UNIT
from jsuper.files import datasets
from jsuper.plots import panels, style
from jsuper.plots.style import Figure

BLUE, RED = style.PALETTE["blue"], style.PALETTE["vermilion"]
LOOKS = {
    "pentagon": ("o", BLUE, "pentagon"),
    "two digons": ("s", RED, "two digons, varied feature at 0"),
    "another dropped": ("^", style.PALETTE["orange"], "another feature at 0"),
    "other": ("x", "black", "other"),
}


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    here = ds["branches"].sel(density=DENSITY)
    return {
        "losses": losses(ds["fits"], here),
        "frames": frames(ds["fits"]),
        "angles": angles(here.sel(branch="pentagon"), measures.thresholds(ds["branches"])),
    }


def losses(fits: xr.Dataset, branches: xr.Dataset) -> Figure:
    """Losses of all fits, the two branches through them, and their difference."""
    figure = Figure(figsize=(5.6, 4.8))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    loss, own = fits["loss"] / UNIT, branches["loss"].where(measures.exists(branches))
    look = {"linestyle": "none", "markerfacecolor": "none", "alpha": 0.7}
    for name, (marker, color, words) in LOOKS.items():
        points = loss.where(fits["geometry"] == name)
        look |= {"label": f"fits: {words}", "marker": marker, "color": color}
        if points.notnull().any():
            panels.each_seed(top, points, **look, markeredgewidth=0.7)
    for name, dash in zip(measures.BRANCHES, ("-", "--"), strict=True):
        line, (_, color, _) = own.sel(branch=name) / UNIT, LOOKS[name]
        top.plot(line["ratio"], line, dash, color=color, label=f"{name}, followed")
    highest = 1.05 * float(loss.where(fits["geometry"] != "other").max())
    top.set(ylabel="loss / density of the four features", ylim=(0, highest))
    top.legend(loc="lower right")

    difference = measures.excess_of_pentagons(branches) / UNIT
    bottom.plot(difference["ratio"], difference, color="black", marker=".")
    bottom.axhline(0, **style.GUIDE)
    near = 1.6 * float(difference.max())
    bottom.set(ylim=(-2.5 * near, near), ylabel="pentagon − two digons")
    bottom.set_xlabel("density of the varied feature / density of the other four")
    style.plain_log(bottom.xaxis)
    measured = float(measures.thresholds(branches))
    for panel in (top, bottom):
        panel.axvline(measured, color="0.2", linewidth=0.9)
        panel.axvline(PAPER_THRESHOLD, color="0.2", linewidth=0.9, linestyle=":")
    bottom.annotate(f"here 1/{1 / measured:.2f} ", (measured, -1.5 * near), ha="right")
    bottom.annotate(" the paper, 1/2.5", (PAPER_THRESHOLD, 0.55 * near))
    return figure


def frames(fits: xr.Dataset) -> Figure:
    """The models of lowest loss, the varied feature pointing upwards."""
    figure = Figure(figsize=(6.8, 1.7))
    colors, markers = [RED, *4 * [BLUE]], ["D", *4 * ["o"]]
    ratios = (1 / 8, 0.2, 0.35, 0.7, 1, 4)
    for panel, ratio in zip(figure.subplots(1, len(ratios)), ratios, strict=True):
        best = js.best_seed(fits.sel(ratio=ratio, method="nearest"))
        W, norm = best["W"].transpose("feature", "hidden").values, best["norm"].values
        x, y = W[0 if norm[0] > 0.5 else norm.argmax()]  # without the varied, another
        upright = W @ np.array([[y, x], [-x, y]]) / np.hypot(x, y)
        panels.embeddings(panel, upright, colors, extent=1.35, markers=markers)
        panel.set_title(f"density × {float(best['ratio']):.2g}\n{best['geometry'].item()}")
    return figure


def angles(pentagons: xr.Dataset, thresholds: xr.DataArray) -> Figure:
    """Angles and norms of the pentagon by density, and the threshold by density."""
    figure = Figure(figsize=(7.6, 2.7))
    angles, norms, where = figure.subplots(1, 3)
    gap = measures.neighbour_gaps(pentagons)
    angles.plot(gap["ratio"], gap, color="black", marker=".")
    angles.set(ylabel="angle to both neighbours (°)")

    kept = pentagons[["norm", "b"]].where(measures.exists(pentagons))
    varied, others = kept.isel(feature=0), kept.isel(feature=slice(1, 5)).mean("feature")
    for part, name, look in (
        (varied, "varied feature", {"color": RED, "marker": "D"}),
        (others, "the other four", {"color": BLUE, "marker": "o"}),
    ):
        norms.plot(part["ratio"], part["norm"], **look, linestyle="none", label=name)
        for dash, rule in (("-", np.sqrt(1 - part["b"])), (":", 1 / (1 - part["b"]))):
            norms.plot(part["ratio"], rule, dash, color=look["color"], linewidth=0.9)
    for dash, rule in (("-", r"$\sqrt{1 - b_i}$"), (":", "$1 / (1 - b_i)$")):
        norms.plot([], [], dash, color="0.4", linewidth=0.9, label=rule)
    norms.set(ylabel="norm $‖W_i‖$", ylim=(0.55, 1.5))
    norms.legend(loc="upper center", ncols=2)
    for panel in (angles, norms):
        panel.set_xlabel("density of the varied feature,\nrelative to the others")
        style.plain_log(panel.xaxis)

    where.plot(thresholds["density"], 1 / thresholds, color="black", marker="s")
    where.plot(DENSITY, 1 / PAPER_THRESHOLD, "*", color=RED, markersize=8)
    where.annotate("the paper", (DENSITY, 2.1), ha="center")
    where.set(ylabel="times less density at the threshold", ylim=(0, None))
    where.set(xlabel="density of the other four features", xticks=[0, 0.05, 0.1, 0.15])
    return figure

"""Losses of all fits, the best in one frame, and angles, norms and thresholds."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.non_uniform.measures import (
    BRANCHES,
    DENSITY,
    GEOMETRIES,
    PAPER_THRESHOLD,
    VARIED,
    canonical,
    excess_of_pentagons,
    in_units_of_density,
    neighbour_gaps,
    thresholds,
)
from jsuper.plots import style
from jsuper.plots.style import Figure

COLORS = dict(zip(GEOMETRIES, ("blue", "vermilion", "orange", "black"), strict=True))
MARKERS = dict(zip(GEOMETRIES, "os^x", strict=True))
SHOWN = (1 / 8, 0.2, 0.35, 0.7, 1, 4)
"""Ratios of densities whose best fits are drawn."""


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    fits, branches, elsewhere = (
        models[name].to_dataset() for name in ("fits", "branches", "elsewhere")
    )
    return {
        "losses": losses(fits, branches),
        "frames": frames(fits),
        "angles": angles(branches, thresholds(elsewhere)),
    }


def losses(fits: xr.Dataset, branches: xr.Dataset) -> Figure:
    """Losses of all fits, the two branches through them, and their difference."""
    here = branches.sel(density=DENSITY)
    figure = Figure(figsize=(6.2, 5.4), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    loss = in_units_of_density(fits["loss"])
    for name in GEOMETRIES:
        points = loss.where(fits["geometry"] == name)
        if points.notnull().any():
            top.plot(
                np.broadcast_to(points["ratio"].values[:, None], points.shape).ravel(),
                points.values.ravel(),
                MARKERS[name],
                color=style.PALETTE[COLORS[name]],
                markerfacecolor="none",
                markersize=4,
                markeredgewidth=0.7,
                alpha=0.7,
                label=f"fits: {described(name)}",
            )
    for i, branch in enumerate(BRANCHES):
        cell = here.sel(branch=branch)
        own = cell["loss"].where(cell["geometry"] == branch)
        line = in_units_of_density(own).mean("seed")
        top.plot(
            line["ratio"],
            line,
            color=style.PALETTE[COLORS[branch]],
            linestyle=("-", "--")[i],
            linewidth=1.4,
            label=f"started as {('a pentagon', 'two digons')[i]}",
        )
    top.set(ylabel="loss / density of the four features", xscale="log")
    upper = float(loss.where(fits["geometry"] != "other").max())
    top.set_ylim(0, 1.05 * upper)
    top.legend(fontsize=7, loc="lower right")

    difference = in_units_of_density(excess_of_pentagons(here))
    bottom.axhline(0, color="0.5", linewidth=0.8)
    bottom.plot(difference["ratio"], difference, color="0.75", linewidth=0.8)
    bottom.plot(difference["ratio"], difference.mean("seed"), "k.-", ms=4, linewidth=1.2)
    near = difference.mean("seed").max() * 1.6
    bottom.set(
        ylim=(-2.5 * near, near),
        xlabel="density of the varied feature / density of the other four",
        ylabel="pentagon − two digons",
    )
    measured = float(thresholds(branches).sel(density=DENSITY).mean())
    for panel in (top, bottom):
        panel.axvline(measured, color="0.2", linewidth=0.9)
        panel.axvline(PAPER_THRESHOLD, color="0.2", linewidth=0.9, linestyle=":")
    for at, y, text, align in (
        (measured, -1.5, f"here 1/{1 / measured:.1f} ", "right"),
        (PAPER_THRESHOLD, 0.55, " the paper, 1/2.5", "left"),
    ):
        bottom.annotate(text, (at, y * near), fontsize=7, ha=align)
    style.plain_log(bottom.xaxis)
    return figure


def frames(fits: xr.Dataset, ratios=SHOWN) -> Figure:
    """The models of lowest loss in the canonical frame, all other fits behind them."""
    figure = Figure(figsize=(6.4, 4.8), layout="constrained", dpi=150)
    panels = figure.subplots(2, -(-len(ratios) // 2), squeeze=False).ravel()
    for panel, ratio in zip(panels, ratios, strict=True):
        cell = fits.sel(ratio=ratio, method="nearest")
        best = js.best_seed(cell)
        for model in cell["W"].values[cell["geometry"].values == best["geometry"].values]:
            z = canonical(model)
            panel.plot(*z.T, ".", color="0.75", markersize=3)
        z = canonical(best["W"].values)
        for i, (x, y) in enumerate(z):
            color = style.PALETTE["vermilion" if i == VARIED else "blue"]
            panel.plot([0, x], [0, y], color=color, linewidth=1.4)
            panel.plot([x], [y], "D" if i == VARIED else "o", color=color, markersize=4.5)
        panel.set(
            xlim=(-1.35, 1.35), ylim=(-1.35, 1.35), aspect="equal", xticks=[], yticks=[]
        )
        name = best["geometry"].item()
        panel.set_title(f"{float(cell['ratio']):.3g} × density\n{name}", fontsize=8)
    return figure


def angles(branches: xr.Dataset, elsewhere: xr.DataArray) -> Figure:
    """Angles and norms of the pentagon by density, and the threshold by density."""
    cell = branches.sel(density=DENSITY, branch="pentagon")
    gap = neighbour_gaps(cell)
    figure = Figure(figsize=(9.6, 3.3), layout="constrained", dpi=150)
    angles, norms, where = figure.subplots(1, 3)

    angles.axhline(72, color="0.6", linewidth=0.8)
    angles.axvline(1, color="0.6", linewidth=0.8)
    angles.errorbar(
        gap["ratio"],
        gap.mean("seed"),
        gap.std("seed"),
        fmt=".-",
        color="black",
        linewidth=1,
        markersize=4,
    )
    angles.annotate(
        "regular pentagon",
        (0.98, 72),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="top",
        fontsize=7,
    )
    angles.set(ylabel="angle to both neighbours (°)")

    pentagons = cell[["norm", "b"]].where(cell["geometry"] == "pentagon")
    for feature, name, color, marker in (
        (slice(VARIED, VARIED + 1), "varied feature", "vermilion", "D"),
        (slice(VARIED + 1, None), "the other four", "blue", "o"),
    ):
        part = pentagons.isel(feature=feature).mean(("seed", "feature"))
        color = style.PALETTE[color]
        norms.plot(part["ratio"], part["norm"], marker, color=color, ms=3.5, label=name)
        norms.plot(part["ratio"], np.sqrt(1 - part["b"]), "-", color=color, linewidth=0.9)
        norms.plot(part["ratio"], 1 / (1 - part["b"]), ":", color=color, linewidth=0.9)
    norms.plot([], [], "-", color="0.4", linewidth=0.9, label=r"$\sqrt{1 - b_i}$")
    norms.plot([], [], ":", color="0.4", linewidth=0.9, label="$1 / (1 - b_i)$")
    norms.set(ylabel="norm $‖W_i‖$", ylim=(0.55, 1.5))
    norms.legend(fontsize=7, loc="upper center", ncols=2)
    for panel in (angles, norms):
        panel.set(
            xscale="log", xlabel="density of the varied feature,\nrelative to the others"
        )
        style.plain_log(panel.xaxis)

    mean = 1 / elsewhere
    where.errorbar(
        mean["density"],
        mean.mean("seed"),
        mean.std("seed"),
        fmt="s-",
        color="black",
        linewidth=1,
        markersize=4,
    )
    where.plot(
        [DENSITY], [1 / PAPER_THRESHOLD], "*", color=style.PALETTE["vermilion"], ms=9
    )
    where.annotate(
        "the paper",
        (DENSITY, 1 / PAPER_THRESHOLD),
        xytext=(0, -7),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=7,
    )
    where.set(
        xlabel="density of the other four features",
        ylabel="times less density at the threshold",
        ylim=(0, None),
        xticks=[0, 0.05, 0.1, 0.15],
    )
    return figure


def described(name: str) -> str:
    """A geometry in words for a legend."""
    return {
        "two digons": "two digons, varied feature at 0",
        "another dropped": "another feature at 0",
    }.get(name, name)

"""The review's figure, the phase map with theory over it, and what training misses."""

import numpy as np
import xarray as xr
from matplotlib.patheffects import withStroke

from jsuper import plots, theory
from jsuper.experiments.exrelu.findings import REVIEWS
from jsuper.experiments.exrelu.measures import ideal_losses, products
from jsuper.plots import style
from jsuper.plots.style import Figure


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    trained = {name: models[name].to_dataset() for name in models.children}
    review = trained["map"].sel(threshold=[0, REVIEWS]).isel(density=slice(10))
    return {
        "embeddings": plots.embeddings(review),
        "dimensionality": plots.dimensionality(review),
        "phase_map": phase_map(trained["map"]),
        "loss": plots.loss_curves(review),
        "runs": runs(trained["runs"]),
        "pairs": pairs(products(trained["pairs"])),
        "optimality": optimality(trained["sparsest"], trained["pentagons"]),
    }


def phase_map(ds: xr.Dataset) -> Figure:
    """The phase map with the closed forms over it."""
    figure = plots.phase_map(ds, ["represented", "dedicated", "superposed"])
    t = np.linspace(float(ds["threshold"].min()), 0, 500)
    lines = {
        "left: one pair pays": (theory.pair_boundary(t, (0.9, 0.81)), "-"),
        "left: two pairs pay": (theory.pair_boundary(t, (1.0, 0.729)), "--"),
    }
    ends = [float(ds["density"].min()), float(ds["density"].max())]
    look = {
        "color": "white",
        "path_effects": [withStroke(linewidth=2.6, foreground="0.15")],
    }
    for panel in figure.axes[:9]:
        limits = panel.get_xlim(), panel.get_ylim()
        for label, (density, dash) in lines.items():
            inside = density > 0
            panel.plot(density[inside], t[inside], dash, lw=1.4, label=label, **look)
        limit = [theory.PAIR_LIMIT] * 2
        panel.plot(ends, limit, ":", lw=1.6, label="below: no pair at rest", **look)
        panel.set(xlim=limits[0], ylim=limits[1])
    figure.axes[0].legend(
        loc="lower left", fontsize=7, labelcolor="white", facecolor="0.2", framealpha=0.8
    )
    return figure


def runs(ds: xr.Dataset) -> Figure:
    """How many features single runs hold in superposition, by threshold."""
    figure = Figure(figsize=(5.6, 3.0), layout="constrained")
    panel = figure.subplots()
    counts = ds["superposed"].transpose("threshold", "seed")
    names = [style.value_text(t) for t in counts["threshold"].values]
    shades = style.SEQUENTIAL(np.linspace(0, 1, 6))
    base = np.zeros(len(names))
    for n in range(6):
        share = (counts == n).mean("seed").values
        if share.any():
            panel.bar(names, share, 0.8, base, color=shades[n], label=str(n))
        base += share
    panel.set(xlabel="ExReLU threshold t", ylabel="share of runs", ylim=(0, 1))
    panel.spines[["top", "right"]].set_visible(False)
    figure.legend(
        title="features\nsuperposed", loc="outside right center", fontsize=8, frameon=False
    )
    return figure


def pairs(ends: xr.DataArray) -> Figure:
    """Where trained pairs end, against the fixed point of the gradient they follow."""
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    panel = figure.subplots()
    t = np.linspace(theory.PAIR_LIMIT, 0, 400)
    panel.plot(t, theory.pair_fixed_point(t), color="0.2", label="fixed point, density → 0")
    for limit, text in ((theory.PAIR_LIMIT, "no fixed point"), (-0.5, "out of reach")):
        panel.axvline(limit, color="0.7", linewidth=0.8, zorder=0)
        panel.annotate(
            text, (limit, 0.06), rotation=90, fontsize=7, ha="right", color="0.35"
        )
    colors = [style.PALETTE[name] for name in ("blue", "green", "vermilion")]
    for start, marker in (("the pair", "o"), ("small weights", "x")):
        for density, color in zip(ends["density"].values, colors, strict=True):
            own = ends.sel(start=start, density=density)
            panel.errorbar(
                own["threshold"],
                own.mean("seed"),
                own.std("seed"),
                fmt=marker,
                color=color,
                markerfacecolor="none",
                markersize=5,
                linewidth=0.9,
                label=f"from {start}, density {density:g}",
            )
    panel.set(
        xlabel="ExReLU threshold t",
        ylabel="$-W_1 \\cdot W_2$ after training",
        ylim=(0, 1.08),
    )
    panel.legend(fontsize=7, loc="lower right")
    return figure


def optimality(sparsest: xr.Dataset, pentagons: xr.Dataset) -> Figure:
    """What training finds against what it could have found, at the lowest density."""
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    panel = figure.subplots()
    density = sparsest["density"].item()
    t = np.linspace(-1, 0, 300)
    ideal = ideal_losses(density, t)
    blue, red = style.PALETTE["blue"], style.PALETTE["vermilion"]
    panel.plot(t, ideal["2 dedicated"] / density, "--", color="0.6", label="2 dedicated")
    panel.plot(t, ideal["2 pairs"] / density, color="0.6", label="2 antipodal pairs")
    found = sparsest["loss"].sel(threshold=sparsest["threshold"] <= 0)
    panel.plot(found["threshold"], found / density, "o", color=red, label="trained")
    set_in = pentagons.sortby("threshold")
    x, before = set_in["threshold"], set_in["loss_as_set"] / density
    after = set_in["loss"].mean("seed") / density
    panel.plot(x, before, "s-", color=blue, ms=4, label="ReLU's pentagon, as set")
    panel.plot(x, after, "x", color=blue, label="the same, trained on")
    panel.set(
        xlabel="ExReLU threshold t",
        ylabel=f"loss / density, at density {density:.3f}",
        ylim=(0, 0.17),
    )
    panel.legend(fontsize=7)
    return figure

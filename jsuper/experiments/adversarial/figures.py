"""Vulnerability beside superposition, and what adversarial training leaves of it."""

import xarray as xr

from jsuper.experiments.adversarial.measures import SIZES
from jsuper.plots import style
from jsuper.plots.style import Figure


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    return {
        "vulnerability": vulnerability(models["models"].to_dataset()),
        "adversarial-training": adversarial_training(models["training"].to_dataset()),
    }


def vulnerability(ds: xr.Dataset) -> Figure:
    """Vulnerability above features per dimension, and one against the other."""
    figure = Figure(figsize=(7.6, 4.4), layout="constrained")
    panels = figure.subplot_mosaic([["over", "against"], ["stored", "against"]])
    over, stored, against = panels["over"], panels["stored"], panels["against"]
    x, d = 1 / ds["density"].values, ds["features_per_dimension"]
    styles = (("blue", "o", "-"), ("vermilion", "s", "--"))
    for size, (color, marker, line) in zip(SIZES, styles, strict=True):
        v, color = ds["vulnerability"].sel(size=size), style.PALETTE[color]
        low, high = v.min("seed"), v.max("seed")
        over.fill_between(x, low, high, color=color, alpha=0.25, linewidth=0)
        label = f"0.1 × mean norm {size}"
        over.plot(x, v.mean("seed"), line, marker=marker, ms=3, color=color, label=label)
        empty = {"markerfacecolor": "none", "markeredgewidth": 0.8}
        v = v.transpose(*d.dims)
        against.plot(
            d.values.ravel(), v.values.ravel(), marker, ms=3.5, color=color, **empty
        )
    stored.fill_between(x, d.min("seed"), d.max("seed"), color="0.8", linewidth=0)
    stored.plot(x, d.mean("seed"), "-", marker="^", ms=3, color="0.2")
    most = float(d.max()) * 1.04
    against.plot([1, most], [1, most], color="0.6", linewidth=0.8)
    against.annotate(
        "equal", (most, most), (0, -14), textcoords="offset points", fontsize=7,
        ha="right", color="0.4",
    )  # fmt: skip
    top = float(ds["vulnerability"].max()) * 1.45
    over.set(ylabel="relative vulnerability\n$(L'-L)\\,/\\,(L'_0-L_0)$", ylim=(0, top))
    over.legend(fontsize=7, loc="upper left", title="norm of the attack", title_fontsize=7)
    stored.set(xlabel="1 / density", ylabel="features per dimension $1/D^*$")
    stored.set_ylim(bottom=0)
    over.sharex(stored)
    for panel in (over, stored):
        panel.set_xscale("log")
        panel.grid(color="0.92")
        panel.set_axisbelow(True)
    style.plain_log(stored.xaxis)
    over.tick_params(labelbottom=False)
    against.set(xlabel="features per dimension $1/D^*$", ylabel="relative vulnerability")
    against.set_ylim(bottom=0)
    for panel in panels.values():
        panel.tick_params(labelsize=7)
        panel.xaxis.label.set_fontsize(8)
        panel.yaxis.label.set_fontsize(8)
    return figure


def adversarial_training(ds: xr.Dataset) -> Figure:
    """What adversarial training leaves of superposition."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    stored, counts = figure.subplots(1, 2)
    styles = (("blue", "o"), ("vermilion", "s"), ("green", "^"))
    x = ds["attack"].values
    for density, (color, marker) in zip(ds["density"].values, styles, strict=False):
        cell, color = ds.sel(density=density), style.PALETTE[color]
        for panel, name in ((stored, "features_per_dimension"), (counts, "superposed")):
            y = cell[name]
            low, high = y.min("seed"), y.max("seed")
            panel.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
            panel.plot(
                x, y.mean("seed"), marker=marker, ms=3.5, lw=1.2, color=color,
                label=style.coordinate("density", density),
            )  # fmt: skip
    stored.axhline(1, color="0.5", linewidth=0.8, linestyle="--")
    stored.set_ylabel("features per dimension $1/D^*$", fontsize=8)
    counts.set_ylabel(f"features superposed (of {ds.sizes['feature']})", fontsize=8)
    counts.legend(fontsize=7, loc="upper right")
    for panel in (stored, counts):
        panel.axvline(0.8, color="0.7", linewidth=0.8, linestyle=":")
        panel.set_xlabel("attack in training / mean norm of inputs", fontsize=8)
        panel.set_ylim(bottom=-0.02 * panel.get_ylim()[1])
        panel.tick_params(labelsize=7)
    stored.annotate(
        "the paper's 80%", (0.8, 0.98), (3, 0), xycoords=("data", "axes fraction"),
        textcoords="offset points", fontsize=7, va="top", color="0.4",
    )  # fmt: skip
    return figure

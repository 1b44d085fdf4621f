"""Figures of the experiment on regular polygons."""

from collections import Counter

import numpy as np
import xarray as xr
from matplotlib.ticker import LogLocator, NullFormatter

from jsuper.experiments.k_gons.measures import SCALES, WATCHED, level_of_name, plateaus
from jsuper.plots import style
from jsuper.plots.style import Figure

LABEL_BOX = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}


def draw_losses(trained: dict[int, xr.Dataset]) -> Figure:
    """Final losses by scale of the initial weights, between the levels of the theory."""
    rows = -(-len(trained) // 2)
    figure = Figure(figsize=(7.6, 2.9 * rows), layout="constrained")
    rng = np.random.default_rng(0)
    panels = figure.subplots(rows, 2).ravel()
    for panel, (c, ds) in zip(panels, trained.items(), strict=True):
        losses = ds["exact_loss"].transpose("scale", "seed").values
        for i, row in enumerate(losses):
            x = i + rng.uniform(-0.28, 0.28, row.size)
            panel.plot(x, row, ".", ms=3, color=style.PALETTE["blue"], alpha=0.5, mew=0)
        counts = Counter(ds["name"].values.ravel().tolist())
        kept = [name for name, n in counts.items() if name != "other" and n >= 3]
        levels = {name: level_of_name(c, name) for name in kept}
        low = 0.9 * losses.min()
        high = 1.1 * max([*levels.values(), *np.quantile(losses, [0.98])])
        ordered = sorted(levels.items(), key=lambda item: item[1])
        gap = 0.045 * np.log(high / low)
        places = np.exp(_spread([np.log(value) for _, value in ordered], gap))
        for (name, value), place in zip(ordered, places, strict=True):
            panel.axhline(value, color="0.6", linewidth=0.6, zorder=0)
            panel.plot([2.5, 2.62], [value, place], color="0.6", linewidth=0.6)
            panel.annotate(
                typeset(name), (2.65, place), fontsize=7, va="center", bbox=LABEL_BOX
            )
        panel.set(xlim=(-0.5, 3.15), yscale="log", ylim=(low, high))
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.set_xticks(range(len(SCALES)))
        panel.set_xticklabels([style.number(s) for s in SCALES])
        panel.set_title(f"{c} features", fontsize=9)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xlabel("standard deviation of initial weights", fontsize=8)
        panel.set_ylabel("loss after training", fontsize=8)
    return figure


def draw_plateaus(watched: xr.Dataset, n: int = 5) -> Figure:
    """Losses of the models with the most plateaus, and embeddings of the first."""
    runs = watched.stack(model=("scale", "seed")).transpose("model", ...)
    stays = [plateaus(runs.isel(model=i)) for i in range(runs.sizes["model"])]
    chosen = sorted(range(len(stays)), key=lambda i: -len(stays[i]))[:n]
    first = runs.isel(model=chosen[0])
    looks = sorted({0, *list(stays[chosen[0]].values())[:-1], runs.sizes["step"] - 1})
    names = sorted({name for i in chosen for name in stays[i]}, key=_level_of_watched)
    steps = runs["step"].values

    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    grid = figure.add_gridspec(2, len(looks), height_ratios=[2.4, 1])
    panel = figure.add_subplot(grid[0, :])
    colors = ["black", "vermilion", "blue", "green", "purple", "orange", "sky"]
    for i, color in zip(chosen, colors, strict=False):
        losses = runs["exact_loss"].isel(model=i)
        panel.plot(steps, losses, color=style.PALETTE[color], linewidth=1.3)
    losses = runs["exact_loss"].isel(model=chosen)
    low, high = 0.9 * float(losses.min()), 1.03 * float(losses.max())
    levels = [_level_of_watched(name) for name in names]
    places = _spread(levels, 0.04 * (high - low))
    for name, value, place in zip(names, levels, places, strict=True):
        panel.axhline(value, color="0.7", linewidth=0.6, zorder=0)
        panel.plot([steps[-1], 1.1 * steps[-1]], [value, place], color="0.6", linewidth=0.6)
        panel.annotate(
            typeset(name),
            (1.12 * steps[-1], place),
            fontsize=7,
            va="center",
            bbox=LABEL_BOX,
        )
    panel.set(xscale="log", xlim=(steps[0], 1.9 * steps[-1]), ylim=(low, high))
    panel.set_xlabel("step", fontsize=8)
    panel.set_ylabel("exact loss, sum over features", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)

    panel.plot(steps[looks], first["exact_loss"].values[looks], "o", ms=4, color="black")
    limit = 1.15 * float(np.linalg.norm(first["W"].isel(step=looks), axis=-1).max())
    for j, i in enumerate(looks):
        below = figure.add_subplot(grid[1, j])
        look = first.isel(step=i)
        for (x, y), bias in zip(
            look["W"].transpose("feature", "hidden").values, look["b"].values, strict=True
        ):
            color = style.PALETTE["vermilion" if bias > 0 else "blue"]
            below.plot([0, x], [0, y], color=color, linewidth=1.3)
            below.plot(x, y, "o", color=color, markersize=3)
        below.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[])
        below.set_aspect("equal")
        below.spines[:].set_color("0.85")
        name = look["name"].item()
        title = f"step {steps[i]}" + ("" if name == "other" else f": {typeset(name)}")
        below.set_title(title, fontsize=7)
    return figure


def typeset(name: str) -> str:
    """A name as matplotlib is to set it."""
    signs = name.lstrip("0123456789")
    if name == "other" or not signs:
        return name
    return f"{name[: -len(signs)]}$^{{{signs.replace('−', '-')}}}$"


def _level_of_watched(name: str) -> float:
    return level_of_name(WATCHED, name)


def _spread(values: list[float], gap: float) -> list[float]:
    """Ascending places for labels near ascending values, at least ``gap`` apart."""
    places = list(values)
    for _ in range(100):
        for i in range(1, len(places)):
            missing = gap - (places[i] - places[i - 1])
            if missing > 0:
                places[i - 1] -= missing / 2
                places[i] += missing / 2
    return places

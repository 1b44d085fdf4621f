"""Final losses between the levels of the theory, and plateaus along training."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import xarray as xr

from jsuper.experiments.k_gons.measures import by_features, level_of_name, plateaus
from jsuper.plots import style
from jsuper.plots.style import Figure

LABEL_BOX = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    return {
        "final-losses": final_losses(by_features(models, "random-starts")),
        "plateaus": runs_with_plateaus(models["watched"].to_dataset()),
    }


def final_losses(trained: Mapping[int, xr.Dataset]) -> Figure:
    """Final losses by scale of the initial weights, between the levels of the theory."""
    rows = -(-len(trained) // 2)
    figure = Figure(figsize=(7.6, 2.9 * rows), layout="constrained")
    rng = np.random.default_rng(0)
    panels = figure.subplots(rows, 2).ravel()
    for panel in panels[len(trained) :]:
        panel.axis("off")
    for panel, (c, ds) in zip(panels, trained.items(), strict=False):
        losses = ds["exact_loss"].transpose("scale", "seed").values
        for i, row in enumerate(losses):
            x = i + rng.uniform(-0.28, 0.28, row.size)
            panel.plot(x, row, ".", ms=3, color=style.PALETTE["blue"], alpha=0.5, mew=0)
        counts = Counter(ds["name"].values.ravel().tolist())
        kept = [name for name, n in counts.items() if name != "other" and n >= 3]
        levels = sorted((level_of_name(c, name), name) for name in kept)
        values = [value for value, _ in levels]
        low = 0.9 * losses.min()
        high = 1.1 * max([*values, *np.quantile(losses, [0.98])])
        n_scales = len(losses)
        gap = 0.045 * np.log(high / low)
        places = np.exp(_spread([np.log(value) for value in values], gap))
        for (value, name), place in zip(levels, places, strict=True):
            panel.axhline(value, color="0.6", linewidth=0.6, zorder=0)
            ends = [n_scales - 0.5, n_scales - 0.38]
            _label(panel, name, ends, value, place, n_scales - 0.35)
        panel.set(xlim=(-0.5, n_scales + 0.15), yscale="log", ylim=(low, high))
        style.plain_log(panel.yaxis)
        panel.set_xticks(range(n_scales), [style.number(s) for s in ds["scale"].values])
        panel.set_title(f"{c} features", fontsize=9)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xlabel("standard deviation of initial weights", fontsize=8)
        panel.set_ylabel("loss after training", fontsize=8)
    return figure


def runs_with_plateaus(watched: xr.Dataset, n: int = 5) -> Figure:
    """Losses of the models with the most plateaus, and embeddings of the first."""
    c, steps = watched.sizes["feature"], watched["step"].values
    runs = watched.stack(model=("scale", "seed")).transpose("model", ...)
    stays = [plateaus(runs.isel(model=i)) for i in range(runs.sizes["model"])]
    chosen = sorted(range(len(stays)), key=lambda i: -len(stays[i]))[:n]
    first = runs.isel(model=chosen[0])
    shown = sorted({0, *(s.snapshot for s in stays[chosen[0]][:-1]), len(steps) - 1})
    names = {stay.name for i in chosen for stay in stays[i]}
    levels = sorted((level_of_name(c, name), name) for name in names)

    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    grid = figure.add_gridspec(2, len(shown), height_ratios=[2.4, 1])
    panel = figure.add_subplot(grid[0, :])
    colors = ["black", "vermilion", "blue", "green", "purple", "orange", "sky"]
    losses = runs["exact_loss"].isel(model=chosen)
    for one, color in zip(losses.values, colors, strict=False):
        panel.plot(steps, one, color=style.PALETTE[color], linewidth=1.3)
    low, high = 0.9 * float(losses.min()), 1.03 * float(losses.max())
    places = _spread([value for value, _ in levels], 0.04 * (high - low))
    for (value, name), place in zip(levels, places, strict=True):
        panel.axhline(value, color="0.7", linewidth=0.6, zorder=0)
        _label(panel, name, [steps[-1], 1.1 * steps[-1]], value, place, 1.12 * steps[-1])
    panel.set(xscale="log", xlim=(steps[0], 1.9 * steps[-1]), ylim=(low, high))
    style.plain_log(panel.xaxis)
    panel.set_xlabel("step", fontsize=8)
    panel.set_ylabel("exact loss, sum over features", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
    panel.plot(steps[shown], first["exact_loss"].values[shown], "o", ms=4, color="black")

    limit = 1.15 * float(np.linalg.norm(first["W"].isel(step=shown), axis=-1).max())
    for j, i in enumerate(shown):
        below = figure.add_subplot(grid[1, j])
        _embeddings(below, first.isel(step=i), limit)
    return figure


def typeset(name: str) -> str:
    """A name as matplotlib is to set it."""
    signs = name.lstrip("0123456789")
    if name == "other" or not signs:
        return name
    return f"{name[: -len(signs)]}$^{{{signs.replace('−', '-')}}}$"


def _embeddings(panel, model: xr.Dataset, limit: float) -> None:
    """The embeddings of one model in training; orange where the bias is positive."""
    W = model["W"].transpose("feature", "hidden").values
    for (x, y), bias in zip(W, model["b"].values, strict=True):
        color = style.PALETTE["vermilion" if bias > 0 else "blue"]
        panel.plot([0, x], [0, y], color=color, linewidth=1.3)
        panel.plot(x, y, "o", color=color, markersize=3)
    panel.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[])
    panel.set_aspect("equal")
    panel.spines[:].set_color("0.85")
    step, name = int(model["step"]), model["name"].item()
    title = f"step {step:,}" + ("" if name == "other" else f": {typeset(name)}")
    panel.set_title(title, fontsize=7)


def _label(panel, name, ends, value, place, x) -> None:
    """The name of a level beside the panel, with a line to it."""
    panel.plot(ends, [value, place], color="0.6", linewidth=0.6)
    panel.annotate(typeset(name), (x, place), fontsize=7, va="center", bbox=LABEL_BOX)


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

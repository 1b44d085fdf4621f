"""Final losses on the levels of the theory, and plateaus along training."""

import itertools
from collections import Counter

import numpy as np
import xarray as xr

from jsuper.experiments.k_gons.measures import by_features, level_of_name, plateaus
from jsuper.plots import panels, style
from jsuper.plots.style import PALETTE, Figure

SCALES = {"initial weights 0.1 and 0.3": slice(0.1, 0.3), "initial weights 1": slice(1, 1)}


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    trained = by_features(models, "random-starts", ["exact_loss", "name"])
    return {
        "final-losses": final_losses(trained),
        "plateaus": runs_with_plateaus(models["watched"].to_dataset()),
    }


def final_losses(trained: xr.Dataset) -> Figure:
    """Final losses by number of features, on the levels of the theory."""
    figure = Figure(figsize=(6.8, 3.8))
    rng, counts = np.random.default_rng(0), trained["features"].values.tolist()
    shared = figure.subplots(1, len(SCALES), sharey=True, width_ratios=[1.1, 1.3])
    for panel, (title, scales) in zip(shared, SCALES.items(), strict=True):
        for i, c in enumerate(counts):
            cell = trained.sel(features=c, scale=scales)
            losses, names = (cell[n].values.ravel() for n in ("exact_loss", "name"))
            x = i + rng.uniform(-0.25, 0.25, losses.size)
            panel.plot(x, losses, ".", markersize=2, color=PALETTE["blue"], alpha=0.5)
            labelled: list[float] = []
            for name, n in Counter(names.tolist()).most_common():
                if name == "other" or n < 3:
                    continue
                value = level_of_name(c, name)
                panel.hlines(value, i - 0.3, i + 0.3, **style.GUIDE)
                if all(abs(np.log(value / other)) > 0.08 for other in labelled):
                    panel.annotate(typeset(name), (i + 0.33, value), va="center")
                    labelled.append(value)
        panel.set(title=title, xlabel="features", xlim=(-0.5, len(counts) - 0.2))
        panel.set_xticks(range(len(counts)), list(map(str, counts)))
    style.plain_log(shared[0].yaxis)
    shared[0].set_ylabel("exact loss after training")
    return figure


def runs_with_plateaus(watched: xr.Dataset, n: int = 5) -> Figure:
    """Losses of the models with the most plateaus, and embeddings of the first."""
    steps = watched["step"].values
    runs = watched.stack(model=("scale", "seed")).transpose("model", ...)
    stays = [plateaus(names, steps) for names in runs["name"].values]
    chosen = sorted(range(len(stays)), key=lambda i: -len(stays[i]))[:n]
    first, own = runs.isel(model=chosen[0]), stays[chosen[0]]
    shown = sorted({0, *(stay.snapshot for stay in own[:-1]), len(steps) - 1})

    figure = Figure(figsize=(6.2, 5.0))
    above, below = figure.subfigures(2, 1, height_ratios=[2.6, 1], squeeze=False).flat
    panel = above.subplots()
    for i, color in zip(chosen, ("black", *style.CATEGORIES), strict=False):
        panel.plot(steps, runs["exact_loss"].isel(model=i), color=PALETTE[color])
    panel.plot(steps[shown], first["exact_loss"].isel(step=shown), "o", color="black")
    for name in {stay.name for i in chosen for stay in stays[i]}:
        value = level_of_name(watched.sizes["feature"], name)
        panel.axhline(value, **style.GUIDE)
        panel.annotate(
            typeset(name), (1.01, value), xycoords=("axes fraction", "data"), va="center"
        )
    style.plain_log(panel.xaxis)
    panel.set(xlim=(steps[0], steps[-1]), xlabel="training step", ylabel="exact loss")

    extent = 1.15 * float(np.linalg.norm(first["W"].isel(step=shown), axis=-1).max())
    pictures = below.subplots(1, len(shown), squeeze=False)[0]
    for panel, i in zip(pictures, shown, strict=True):
        model = first.isel(step=i)
        colors = np.where(model["b"] > 0, PALETTE["vermilion"], PALETTE["blue"])
        W = model["W"].transpose("feature", "hidden").values
        panels.embeddings(panel, W, colors, extent=extent)
        name = model["name"].item()
        near = "" if name == "other" else f": {typeset(name)}"
        panel.set_title(f"step {steps[i]:,}{near}")
    return figure


def typeset(name: str) -> str:
    """A name as matplotlib is to set it: signs as exponents, three and more counted."""
    if name == "other":
        return name
    groups = ["".join(group) for _, group in itertools.groupby(name[1:])]
    signs = [g if len(g) < 3 else f"{len(g)}{g[0]}" for g in groups]
    exponent = "".join(signs).replace("−", "-")
    return f"{name[0]}$^{{{exponent}}}$" if exponent else name

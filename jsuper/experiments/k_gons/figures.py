"""Final losses on the levels of the theory, and plateaus along training."""

import re
from collections import Counter

import numpy as np
import xarray as xr

from jsuper.experiments.k_gons.measures import by_features, level, plateaus
from jsuper.plots import panels, style
from jsuper.plots.style import PALETTE, Figure


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    return {
        "final-losses": final_losses(by_features(models, "random-starts")),
        "plateaus": runs_with_plateaus(models["watched"].to_dataset()),
    }


def final_losses(trained: xr.Dataset) -> Figure:
    """Final losses by number of features, on the levels of the theory."""
    figure = Figure(figsize=(6.8, 3.8))
    both = figure.subplots(1, 2, sharey=True, width_ratios=[1.1, 1.3])
    rng, counts = np.random.default_rng(0), trained["features"].values.tolist()
    starts = {"0.1 and 0.3": slice(0.1, 0.3), "1": slice(1, 1)}
    for panel, (start, scales) in zip(both, starts.items(), strict=True):
        for i, c in enumerate(counts):
            cell = trained.sel(features=c, scale=scales)
            losses, names = (cell[n].values.ravel() for n in ("exact_loss", "name"))
            x = i + rng.uniform(-0.25, 0.25, losses.size)
            panel.plot(x, losses, ".", markersize=2, color=PALETTE["blue"], alpha=0.5)
            labelled: list[float] = []
            for name, n in Counter(names.tolist()).most_common():
                if name == "other" or n < 3:
                    continue
                value = level(c, name)
                panel.hlines(value, i - 0.3, i + 0.3, **style.GUIDE)
                if all(abs(np.log(value / other)) > 0.08 for other in labelled):
                    panel.annotate(typeset(name), (i + 0.33, value), va="center")
                    labelled.append(value)
        panel.set(xlabel="features", xlim=(-0.5, len(counts) - 0.2))
        panel.set_title(f"initial weights {start}")
        panel.set_xticks(range(len(counts)), list(map(str, counts)))
    style.plain_log(both[0].yaxis)
    both[0].set_ylabel("exact loss after training")
    return figure


def runs_with_plateaus(watched: xr.Dataset, n: int = 5) -> Figure:
    """Losses of the models with the most plateaus, and embeddings of the first."""
    steps = watched["step"].values
    runs = watched.assign(stays=plateaus(watched)).stack(model=("scale", "seed"))
    most = np.argsort([-len(stays) for stays in runs["stays"].values], kind="stable")
    runs = runs.isel(model=most[:n])
    first = runs.isel(model=0)
    shown = sorted({0, *(i for _, i in first["stays"].item()[:-1]), len(steps) - 1})

    figure = Figure(figsize=(6.2, 5.0))
    above, below = figure.subfigures(2, 1, height_ratios=[2.6, 1], squeeze=False).flat
    panel = above.subplots()
    curves = runs["exact_loss"].transpose("model", "step")
    for losses, color in zip(curves, ("black", *style.CATEGORIES), strict=False):
        panel.plot(steps, losses, color=PALETTE[color])
    panel.plot(steps[shown], first["exact_loss"].isel(step=shown), "o", color="black")
    for name in {name for stays in runs["stays"].values for name, _ in stays}:
        at = 1.01, level(watched.sizes["feature"], name)
        panel.axhline(at[1], **style.GUIDE)
        panel.annotate(typeset(name), at, xycoords=panel.get_yaxis_transform(), va="center")
    style.plain_log(panel.xaxis)
    panel.set(xlim=(steps[0], steps[-1]), xlabel="training step", ylabel="exact loss")

    W = first["W"].transpose("step", "feature", "hidden").values
    extent = 1.15 * float(np.linalg.norm(W[shown], axis=-1).max())
    pictures = below.subplots(1, len(shown), squeeze=False)[0]
    for panel, i in zip(pictures, shown, strict=True):
        positive = first["b"].isel(step=i) > 0
        colors = np.where(positive, PALETTE["vermilion"], PALETTE["blue"])
        panels.embeddings(panel, W[i], colors, extent=extent)
        name = first["name"].values[i]
        near = "" if name == "other" else f": {typeset(name)}"
        panel.set_title(f"step {steps[i]:,}{near}")
    return figure


def typeset(name: str) -> str:
    """A name as matplotlib is to set it: signs as exponents, three and more counted."""
    signs = re.sub(r"(.)\1\1+", lambda same: f"{len(same[0])}{same[1]}", name[1:])
    return f"{name[0]}$^{{{signs.replace('−', '-')}}}$" if signs else name

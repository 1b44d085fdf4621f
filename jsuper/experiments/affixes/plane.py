"""The hidden plane of two models: regions, words, directions, and one pair that fails."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.lines import Line2D

from jsuper.affixes import AFFIXES, geometry
from jsuper.experiments.affixes.statistics import NAMES, RELU
from jsuper.models.activations import exrelu
from jsuper.plots import style
from jsuper.plots.style import Figure

COLORS = [style.PALETTE[c] for c in ("blue", "vermilion", "green", "orange", "purple")]
PALE = ListedColormap([0.72 + 0.28 * np.array(to_rgb(c)) for c in COLORS])


def planes(ds: xr.Dataset) -> Figure:
    """Draws what `measures.example` returns, a panel for each activation."""
    n = ds.sizes["threshold"]
    figure = Figure(figsize=(4.6 * n, 4.3), layout="constrained", dpi=150)
    panels = figure.subplots(1, n, squeeze=False)[0]
    for panel, threshold in zip(panels, ds["threshold"].values, strict=True):
        one = ds.sel(threshold=threshold)
        centre, d = geometry.displacements(one["means"].values)
        own = one["own"].values
        at_the_sum = geometry.predicted_positions(one["means"].values, [own])[0]
        draw_regions(panel, one, at_the_sum)
        draw_words(panel, one)
        draw_directions(panel, centre, d)
        panel.plot(
            *at_the_sum, "*", color="white", ms=13, markeredgecolor="black", zorder=5
        )
        panel.set_title(title(one), fontsize=8)
        panel.set_xlabel("hidden neuron 1, $z_1$", fontsize=8)
        panel.set_ylabel("hidden neuron 2, $z_2$", fontsize=8)
        panel.tick_params(labelsize=7)
    figure.legend(handles=handles(), loc="outside lower center", ncols=3, fontsize=7)
    return figure


def classes(one: xr.Dataset, z: np.ndarray) -> np.ndarray:
    """Returns the label of the largest output at points of the plane, (..., hidden)."""
    hidden = np.asarray(exrelu(z, one["threshold"].item()))
    return (hidden @ one["W"].values.T + one["b"].values).argmax(-1)


def title(one: xr.Dataset) -> str:
    """Which affix is invented for words with both affixes of the pair, and how often."""
    own = sorted(one["own"].values)
    counts = np.bincount(classes(one, one["dual"].values), minlength=len(AFFIXES))
    third = int(np.where(np.isin(np.arange(len(counts)), own), -1, counts).argmax())
    share = counts[third] / counts.sum()
    first, second = (AFFIXES[i] for i in own)
    name = NAMES[one["threshold"].item()]
    return (
        f"{name} hidden neurons: {share:.0%} of the words\n"
        f"with {first} and {second} are taken for {AFFIXES[third]}"
    )


def draw_regions(panel: Axes, one: xr.Dataset, at_the_sum: np.ndarray) -> None:
    """Colours the plane by predicted class, as far as there are words."""
    words = [one["pure"].values, one["dual"].values, at_the_sum[None]]
    low, high = np.quantile(np.concatenate(words), [0.002, 0.998], axis=0)
    middle, half = (low + high) / 2, 0.58 * (high - low).max()
    x, y = (np.linspace(m - half, m + half, 300) for m in middle)
    extent = (x[0], x[-1], y[0], y[-1])
    found = classes(one, np.stack(np.meshgrid(x, y), -1))
    looks: dict[str, Any] = {"cmap": PALE, "vmin": 0, "vmax": len(COLORS) - 1}
    panel.imshow(found, origin="lower", extent=extent, zorder=0, **looks)
    panel.set(xlim=extent[:2], ylim=extent[2:])
    if one["threshold"] == RELU:
        for line in (panel.axhline, panel.axvline):
            line(0, color="0.35", linewidth=0.8, linestyle=":")


def draw_words(panel: Axes, one: xr.Dataset) -> None:
    """Draws some of the test words with one affix, and of those with both."""
    for label, color in enumerate(COLORS):
        words = one["pure"].values[one["label"].values == label][:120]
        panel.plot(*words.T, ".", color=color, markersize=2.2, alpha=0.7)
    panel.plot(*one["dual"].values[:150].T, "x", color="black", markersize=3.5, mew=0.7)


def draw_directions(panel: Axes, centre: np.ndarray, d: np.ndarray) -> None:
    """Draws the mean displacement of each affix as an arrow with its name."""
    for vector, color, name in zip(d, COLORS, AFFIXES, strict=True):
        x, y = 8 * vector / np.linalg.norm(vector)
        arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.1}
        panel.annotate("", centre + vector, tuple(centre.tolist()), arrowprops=arrow)
        panel.annotate(
            name,
            centre + vector,
            fontsize=8,
            weight="bold",
            ha="center",
            va="center",
            xytext=(x, y),
            textcoords="offset points",
            bbox={"fc": "white", "ec": color, "pad": 1.2, "lw": 1.0, "alpha": 0.9},
        )


def handles() -> list[Line2D]:
    """What the marks of a plane are."""
    star: dict[str, Any] = {"color": "white", "markeredgecolor": "black", "ms": 10}
    return [
        Line2D([], [], marker=".", color="0.4", ls="", label="test words with one affix"),
        Line2D([], [], marker="x", color="black", ls="", ms=4, label="words with both"),
        Line2D(
            [], [], marker="*", ls="", label="sum of the two mean displacements", **star
        ),
    ]

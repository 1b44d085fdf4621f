"""The experiment's terms, drawn into the hidden plane of a trained model."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.patches import Arc

from jsuper.affixes import AFFIXES, geometry
from jsuper.experiments.affixes.rates import IS_OWN, SIX, by_affix, foretold
from jsuper.models.activations import exrelu
from jsuper.plots import style
from jsuper.plots.style import Figure

COLORS = [style.PALETTE[c] for c in ("blue", "vermilion", "green", "orange", "purple")]
PALE = ListedColormap([0.72 + 0.28 * np.array(to_rgb(c)) for c in COLORS])


def terms(one: xr.Dataset) -> Figure:
    """Draws the model of `measures.example`.

    Left the directions of the five affixes, in the middle the words of a pair that is
    adjacent on their circle, right those of a pair apart.
    """
    adjacent, apart = pairs(one)
    third = int(one["between"].sel(pair=apart))
    centre, d = geometry.displacements(one["means"].values)
    figure = Figure(figsize=(8.4, 3.5))
    axes = figure.subplots(1, 3, sharex=True, sharey=True)
    middles = [regions(panel, one) for panel in axes][-1]
    for panel in axes:
        panel.set_xlabel("hidden neuron 1, $z_1$")
    axes[0].set_ylabel("hidden neuron 2, $z_2$")
    axes[0].set_title("Words with one affix:\nfive displacements")
    for label, color in enumerate(COLORS):
        words = one["pure"].values[label, :100]
        axes[0].plot(*words.T, ".", color=color, markersize=2, alpha=0.7)
        arrow(axes[0], centre, d[label])
        affix(axes[0], centre, d[label], label)
    for pair, size, name in ((adjacent, 0.45, "adjacent"), (apart, 0.8, "apart")):
        arc(axes[0], centre, d[own(pair)], size, name)
    say(axes[0], centre, 1.3 * d[third], "class between")
    for panel, pair in zip(axes[1:], (adjacent, apart), strict=True):
        words_with_both(panel, one, pair)
    axes[1].set_title(f"{named(adjacent)}: affixes adjacent,\n{told(one, adjacent)}")
    axes[2].set_title(f"{named(apart)}: affixes apart,\n{told(one, apart)}")
    region = f"foreign region\nof a third class,\n{AFFIXES[third]}"
    axes[2].text(*middles[third], region, style="italic", ha="center", va="center")
    return figure


def pairs(one: xr.Dataset) -> tuple[str, str]:
    """Returns an adjacent pair beside the pair apart with the most foretold errors."""
    six = one.sel(pair=SIX)
    errors = foretold(six).max("affix") + (six["between"] >= 0)
    apart = SIX[int(errors.argmax("pair"))]
    correct = (by_affix(six) * IS_OWN).sum("affix")
    shared = (IS_OWN & IS_OWN.sel(pair=apart, drop=True)).any("affix")
    good = correct * shared * (six["between"] < 0)
    return SIX[int(good.argmax("pair"))], apart


def own(pair: str) -> np.ndarray:
    """Returns the labels of a pair."""
    return np.flatnonzero(IS_OWN.sel(pair=pair))


def named(pair: str) -> str:
    """Returns how words with a pair of affixes look."""
    first, last = pair.split()
    return f"{first}…{last}"


def told(one: xr.Dataset, pair: str) -> str:
    """Which prediction is made for words of a pair, and how often."""
    counts = by_affix(one).sel(pair=pair)
    share = counts / counts.sum()
    correct = float((share * IS_OWN.sel(pair=pair)).sum())
    if correct > 0.5:
        return f"{correct:.0%} correct"
    most = str(share["affix"][int(share.argmax("affix"))].item())
    return f"{float(share.max()):.0%} taken for {most}"


def regions(panel: Axes, one: xr.Dataset) -> dict[int, np.ndarray]:
    """Colours the plane by predicted class, as far as there are words.

    Returns:
        The middle of each class' region.
    """
    words = np.concatenate([one[name].values.reshape(-1, 2) for name in ("pure", "dual")])
    low, high = np.quantile(words, [0.002, 0.998], axis=0)
    middle, half = (low + high) / 2, 0.58 * (high - low).max()
    x, y = (np.linspace(m - half, m + half, 300) for m in middle)
    extent = (x[0], x[-1], y[0], y[-1])
    plane = np.stack(np.meshgrid(x, y), -1)
    hidden = np.asarray(exrelu(plane, one["threshold"].item()))
    found = (hidden @ one["W"].values.T + one["b"].values).argmax(-1)
    looks: dict[str, Any] = {"cmap": PALE, "vmin": 0, "vmax": len(COLORS) - 1}
    panel.imshow(found, origin="lower", extent=extent, zorder=0, **looks)
    panel.set(xlim=extent[:2], ylim=extent[2:])
    return {label: plane[found == label].mean(0) for label in np.unique(found).tolist()}


def arrow(panel: Axes, start: np.ndarray, vector: np.ndarray, **looks: Any) -> None:
    """Draws a displacement."""
    look = {"arrowstyle": "-|>", "color": "black", "lw": 1, "shrinkA": 0, "shrinkB": 0}
    ends = tuple((start + vector).tolist()), tuple(start.tolist())
    panel.annotate("", *ends, arrowprops=look | looks)


def say(
    panel: Axes,
    centre: np.ndarray,
    d: np.ndarray,
    text: str,
    points: int = 10,
    **looks: Any,
) -> None:
    """Writes behind the tip of an arrow, so many points away."""
    place, tip = points * d / np.linalg.norm(d), centre + d
    look: dict[str, Any] = {"ha": "center", "va": "center", "style": "italic"} | looks
    ends = tuple(tip.tolist()), tuple(place.tolist())
    panel.annotate(text, *ends, textcoords="offset points", **look)


def affix(panel: Axes, centre: np.ndarray, d: np.ndarray, label: int) -> None:
    """Writes the name of an affix at the tip of its displacement."""
    box = {"fc": "white", "ec": COLORS[label], "pad": 1.5, "lw": 1, "alpha": 0.9}
    say(panel, centre, d, AFFIXES[label], weight="bold", style="normal", bbox=box)


def arc(panel: Axes, centre: np.ndarray, d: np.ndarray, size: float, name: str) -> None:
    """Draws the shorter way on the circle from one direction to another."""
    first, second = np.degrees(np.arctan2(d[:, 1], d[:, 0]))
    if (second - first) % 360 > 180:
        first, second = second, first
    radius = size * np.linalg.norm(d, axis=1).min()
    size = 2 * radius
    part = Arc(tuple(centre), size, size, theta1=first, theta2=second, linewidth=1.6)
    panel.add_patch(part)
    angle = np.radians(first + ((second - first) % 360) / 4)
    place = centre + radius * np.array([np.cos(angle), np.sin(angle)])
    box = {"fc": "white", "ec": "none", "pad": 0.5, "alpha": 0.8}
    x, y = place.tolist()
    panel.text(x, y, name, style="italic", ha="center", va="center", bbox=box)


def words_with_both(panel: Axes, one: xr.Dataset, pair: str) -> None:
    """Draws the words of a pair, and the sum of the displacements of its affixes."""
    centre, d = geometry.displacements(one["means"].values)
    a, b = own(pair)
    for label, other in ((a, b), (b, a)):
        arrow(panel, centre, d[label])
        arrow(panel, centre + d[label], d[other], linestyle=":", arrowstyle="-")
        affix(panel, centre, d[label], label)
    words = one["dual"].sel(pair=pair).values[:150].T
    panel.plot(*words, "x", color="black", markersize=3, markeredgewidth=0.6)
    star: dict[str, Any] = {"color": "white", "markeredgecolor": "black", "zorder": 5}
    panel.plot(*(centre + d[a] + d[b]), "*", markersize=11, **star)
    say(panel, centre, d[a] + d[b], "sum", 16)

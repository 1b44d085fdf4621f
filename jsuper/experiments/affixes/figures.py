"""Figures of the affix experiment: its terms in a hidden plane, accuracies, rates."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.patches import Arc

from jsuper import files
from jsuper.affixes import AFFIXES
from jsuper.affixes.geometry import displacements
from jsuper.experiments.affixes import rates
from jsuper.experiments.affixes.findings import CHOICES, REVIEW_DUAL, REVIEW_PURE
from jsuper.experiments.affixes.rates import IS_OWN, LINEAR, LISTS, NAMES, RELU, SIX, Fits
from jsuper.models.activations import exrelu
from jsuper.plots import style
from jsuper.plots.style import Figure
from jsuper.results.statistics import Interval

COLORS = [style.PALETTE[c] for c in ("blue", "vermilion", "green", "orange", "purple")]
PALE = ListedColormap([0.72 + 0.28 * np.array(to_rgb(c)) for c in COLORS])
REMEDIES = {
    "hidden_exrelu": "threshold of the hidden\nneurons (softmax)",
    "toy_readout": "threshold of the\noutputs (toy readout)",
    "tied_readout": "threshold of the\noutputs (tied readout)",
    "dual_share": "share of dual words\nin training (linear)",
}
GUESSERS = (
    "the model's geometry",
    "classes in random order",
    "other models' geometry",
    "other models' most frequent",
)


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    fits = files.datasets(models)
    drawn = {
        "terms": terms(fits["plane"]),
        "geometry": geometry(fits),
        "accuracies": accuracies(fits),
    }
    if "dual_share" in fits:
        drawn |= {"width": by_width(fits), "remedies": remedies(fits)}
    return drawn


def points(
    panel: Axes, x: Sequence[float] | np.ndarray, found: Sequence[Interval], **line: Any
) -> None:
    """Draws rates with their 95% intervals over models, those that there are."""
    value, low, high, _ = np.array(found, float).T
    known = ~np.isnan(value)
    ends = np.nan_to_num(np.stack([value - low, high - value]))[:, known]
    panel.errorbar(np.asarray(x)[known], value[known], ends, **{"linewidth": 1, **line})


def geometry(fits: Fits) -> Figure:
    """What geometry predicts, against its baselines."""
    figure = Figure(figsize=(7.4, 2.9))
    axes = figure.subplots(1, 3, sharey=True)
    looks = [{"color": "black", "marker": "o"}, *style.SERIES[1:]]
    titles = ("all predictions:\n", "incorrect predictions:\n", "incorrect, pairs apart:\n")
    kinds = rates.kinds(fits)
    for panel, name, title in zip(axes, rates.GUESSES, titles, strict=True):
        found = [rates.guessed(ds, name).values() for ds in kinds.values()]
        for i, of_kinds in enumerate(zip(*found, strict=True)):
            x = np.arange(len(kinds)) + 0.17 * (i - 1.5)
            points(panel, x, of_kinds, linestyle="", label=GUESSERS[i], **looks[i])
        if name != "at_sum":
            panel.axhline(1 / 3, linestyle=":", **style.GUIDE)
        panel.set(ylim=(0, 1), title=f"{title}the {rates.GUESSES[name]}")
        panel.set_xticks(range(len(kinds)), [kind.replace(", ", "\n") for kind in kinds])
    axes[0].set_ylabel("share of correct guesses")
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4)
    return figure


def accuracies(fits: Fits) -> Figure:
    """The review's table as distributions over models, for every choice that was varied."""
    variants = {"composed": "composed words", "real": "real words"} | CHOICES
    rows = {
        f"{label}, {NAMES[threshold]}": fits[name].sel(threshold=threshold)
        for name, label in variants.items()
        for threshold in (RELU, LINEAR)
        if name in fits and (threshold == RELU or name in LISTS)
    }
    figure = Figure(figsize=(7.4, 0.9 + 0.3 * len(rows)))
    axes = figure.subplots(1, 2, sharey=True)
    rng = np.random.default_rng(0)
    for panel, accuracy, number, title in (
        (axes[0], lambda ds: ds["pure_accuracy"], REVIEW_PURE, "one affix"),
        (axes[1], rates.dual_accuracy, REVIEW_DUAL, "two affixes, either counts"),
    ):
        for y, ds in enumerate(rows.values()):
            passes, values = ds["learned"].values, accuracy(ds).values
            jitter = y + rng.uniform(-0.22, 0.22, passes.size)
            middle = np.median(values[passes]) if passes.any() else np.nan
            looks = {"color": style.PALETTE["blue"], "alpha": 0.7, "label": "one model"}
            panel.plot(values[passes], jitter[passes], ".", **looks)
            looks = {"color": "0.6", "label": "has not learned the task"}
            panel.plot(values[~passes], jitter[~passes], "x", **looks)
            looks = {"color": "black", "label": "median of those that have"}
            panel.plot([middle] * 2, [y - 0.36, y + 0.36], **looks)
        color = style.PALETTE["vermilion"]
        panel.axvline(number, color=color, zorder=0, label="the review")
        panel.set(title=title, xlabel="accuracy on test words", xlim=(0, 1.03))
    axes[0].set_yticks(range(len(rows)), list(rows))
    axes[0].invert_yaxis()
    marks = [*axes[0].lines[:3], axes[0].lines[-1]]
    figure.legend(handles=marks, loc="outside lower center", ncols=4)
    return figure


def by_width(fits: Fits) -> Figure:
    """The interference rate by width."""
    figure = Figure(figsize=(6.4, 2.6))
    axes = figure.subplots(1, 2, sharey=True)
    for panel, words in zip(axes, LISTS, strict=True):
        cells = rates.widths(fits, words)
        for (threshold, name), looks in zip(NAMES.items(), style.SERIES, strict=False):
            parts = (ds.sel(threshold=threshold) for ds in cells.values())
            found = [rates.interference(ds) for ds in parts]
            points(panel, list(cells), found, label=name, **looks)
        style.plain_log(panel.xaxis)
        panel.set_xticks(list(cells), list(map(str, cells)))
        panel.set(title=f"{words} words", xlabel="hidden neurons h")
    axes[0].set(ylabel="interference rate", ylim=(0, None))
    axes[1].legend()
    return figure


def remedies(fits: Fits) -> Figure:
    """What thresholds and dual words in training buy, and how many models fail."""
    figure = Figure(figsize=(7.4, 3.6))
    axes = figure.subplots(2, 4, sharex="col", sharey="row")
    for (top, bottom), (variation, title) in zip(axes.T, REMEDIES.items(), strict=True):
        by_list = {words: rates.by_value(fits, words, variation) for words in LISTS}
        values = sorted(set().union(*by_list.values()))
        for words, looks, shift in zip(LISTS, style.SERIES, (-0.16, 0.16), strict=False):
            if cells := by_list[words]:
                x = np.array([values.index(value) for value in cells]) + shift
                found = [rates.interference(ds) for ds in cells.values()]
                points(top, x, found, **looks)
                shares = [ds["learned"].mean() for ds in cells.values()]
                bottom.bar(x, shares, 0.32, color=looks["color"], label=f"{words} words")
        names = [f"{v:g}".replace("-", "−").replace("inf", "∞") for v in values]
        bottom.set_xticks(range(len(values)), names)
        bottom.set_xlabel(title)
    axes[0, 0].set(ylabel="interference rate", ylim=(0, None))
    axes[1, 0].set_ylabel("share of models\nthat learn the task")
    handles = axes[1, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)
    return figure


def terms(one: xr.Dataset) -> Figure:
    """The model of `measures.example`: five directions, a pair adjacent, a pair apart."""
    adjacent, apart = pairs(one)
    third = int(one["between"].sel(pair=apart))
    centre, d = displacements(one["means"].values)
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
        displacement(axes[0], centre, d[label], label)
    say(axes[0], centre, 1.3 * d[third], "class between", style="italic")
    for panel, pair, name, size in (
        (axes[1], adjacent, "adjacent", 0.45),
        (axes[2], apart, "apart", 0.8),
    ):
        ends = d[np.flatnonzero(IS_OWN.sel(pair=pair))]
        arc(axes[0], centre, ends, size, name)
        counts = rates.by_affix(one).sel(pair=pair)
        shares = counts / counts.sum()
        correct = float((shares * IS_OWN.sel(pair=pair)).sum())
        most = f"{float(shares.max()):.0%} taken for {shares.idxmax().item()}"
        said = f"{correct:.0%} correct" if correct > 0.5 else most
        panel.set_title(f"{pair.replace(' ', '…')}: affixes {name},\n{said}")
        words_with_both(panel, one, pair)
    region = f"foreign region\nof a third class,\n{AFFIXES[third]}"
    axes[2].text(*middles[third], region, style="italic", ha="center", va="center")
    return figure


def pairs(one: xr.Dataset) -> tuple[str, str]:
    """Returns an adjacent pair beside the pair apart with the most foretold errors."""
    six = one.sel(pair=SIX)
    errors = rates.foretold(six).max("affix") + (six["between"] >= 0)
    apart = SIX[int(errors.argmax("pair"))]
    correct = (rates.by_affix(six) * IS_OWN).sum("affix")
    shared = (IS_OWN & IS_OWN.sel(pair=apart, drop=True)).any("affix")
    good = correct * shared * (six["between"] < 0)
    return SIX[int(good.argmax("pair"))], apart


def regions(panel: Axes, one: xr.Dataset) -> dict[int, np.ndarray]:
    """Colours the plane by predicted class, and returns the middle of each region."""
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


def say(
    panel: Axes, start: np.ndarray, d: np.ndarray, text: str, points: int = 10, **looks: Any
) -> None:
    """Writes behind the tip of an arrow, so many points away."""
    tip, place = start + d, points * d / np.linalg.norm(d)
    look: dict[str, Any] = {"ha": "center", "va": "center"} | looks
    panel.annotate(text, tuple(tip), tuple(place), textcoords="offset points", **look)


def displacement(panel: Axes, start: np.ndarray, d: np.ndarray, label: int) -> None:
    """Draws the displacement of an affix with its name at the tip."""
    look = {"arrowstyle": "-|>", "color": "black", "lw": 1, "shrinkA": 0, "shrinkB": 0}
    panel.annotate("", tuple(start + d), tuple(start), arrowprops=look)
    box = {"fc": "white", "ec": COLORS[label], "pad": 1.5, "lw": 1, "alpha": 0.9}
    say(panel, start, d, AFFIXES[label], weight="bold", bbox=box)


def arc(panel: Axes, centre: np.ndarray, d: np.ndarray, size: float, name: str) -> None:
    """Draws the shorter way on the circle from one direction to another."""
    first, second = np.degrees(np.arctan2(d[:, 1], d[:, 0]))
    if (second - first) % 360 > 180:
        first, second = second, first
    radius = size * np.linalg.norm(d, axis=1).min()
    diameters = (2 * radius, 2 * radius)
    part = Arc(tuple(centre), *diameters, theta1=first, theta2=second, linewidth=1.6)
    panel.add_patch(part)
    angle = np.radians(first + ((second - first) % 360) / 4)
    place = centre + radius * np.array([np.cos(angle), np.sin(angle)])
    box = {"fc": "white", "ec": "none", "pad": 0.5, "alpha": 0.8}
    panel.text(place[0], place[1], name, style="italic", ha="center", va="center", bbox=box)


def words_with_both(panel: Axes, one: xr.Dataset, pair: str) -> None:
    """Draws the words of a pair, and the sum of the displacements of its affixes."""
    centre, d = displacements(one["means"].values)
    labels = np.flatnonzero(IS_OWN.sel(pair=pair)).tolist()
    both = d[labels].sum(0)
    for label in labels:
        displacement(panel, centre, d[label], label)
        rest = centre + np.stack([d[label], both])
        panel.plot(*rest.T, ":", color="black", linewidth=1)
    words = one["dual"].sel(pair=pair).values[:150].T
    panel.plot(*words, "x", color="black", markersize=3, markeredgewidth=0.6)
    star: dict[str, Any] = {"color": "white", "markeredgecolor": "black", "zorder": 5}
    panel.plot(*(centre + both), "*", markersize=11, **star)
    say(panel, centre, both, "sum", 16, style="italic")

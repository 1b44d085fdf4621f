"""Figures of the affix experiment: accuracies, predictions, and what geometry says."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from jsuper import files
from jsuper.experiments.affixes.findings import REVIEW_DUAL, REVIEW_PURE
from jsuper.experiments.affixes.plane import terms
from jsuper.experiments.affixes.rates import (
    FEWEST,
    GUESSES,
    LINEAR,
    LISTS,
    NAMES,
    RELU,
    Fits,
    by_value,
    dual_accuracy,
    guessed,
    interference,
    kinds,
    learned,
    widths,
)
from jsuper.plots import style
from jsuper.plots.style import Figure
from jsuper.results.statistics import Interval

VARIANTS = {
    "composed": "composed words",
    "few_stems": "few stems",
    "more_steps": "more steps",
    "mean_pooling": "mean pooling",
    "unmarked_start": "start not marked",
    "relu_toy_readout": "toy readout",
    "real": "real words",
    "real_balanced": "real, affixes equally often",
}
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
    panel: Axes, x: Sequence[float] | np.ndarray, rates: Sequence[Interval], **line: Any
) -> None:
    """Draws rates with their 95% intervals over models, as `panels.over_seeds` does."""
    value, low, high, _ = np.array(rates, float).T
    ends = np.nan_to_num(np.stack([value - low, high - value]))
    panel.errorbar(x, value, ends, **{"linewidth": 1, **line})


def geometry(fits: Fits) -> Figure:
    """What geometry predicts, against its baselines."""
    figure = Figure(figsize=(7.4, 2.9))
    axes = figure.subplots(1, 3, sharey=True)
    looks = [{"color": "black", "marker": "o"}, *style.SERIES[1:]]
    titles = ("all predictions:\n", "incorrect predictions:\n", "incorrect, pairs apart:\n")
    found = kinds(fits)
    for panel, name, title in zip(axes, GUESSES, titles, strict=True):
        rates = [list(guessed(ds, name).values()) for ds in found.values()]
        for i, (of_kinds, label) in enumerate(
            zip(zip(*rates, strict=True), GUESSERS, strict=False)
        ):
            x = np.arange(len(found)) + 0.17 * (i - 1.5)
            points(panel, x, of_kinds, linestyle="", label=label, **looks[i])
        if name != "at_sum":
            panel.axhline(1 / 3, linestyle=":", **style.GUIDE)
        panel.set(ylim=(0, 1), title=f"{title}the {GUESSES[name]}")
        panel.set_xticks(range(len(found)), [kind.replace(", ", "\n") for kind in found])
    axes[0].set_ylabel("share of correct guesses")
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4)
    return figure


def accuracies(fits: Fits) -> Figure:
    """The review's table as distributions over models, for every choice that was varied."""
    rows = {
        f"{label}, {NAMES[threshold]}": fits[name].sel(threshold=threshold)
        for name, label in VARIANTS.items()
        for threshold in (RELU, LINEAR)
        if name in fits and (threshold == RELU or name in LISTS)
    }
    figure = Figure(figsize=(7.4, 0.9 + 0.3 * len(rows)))
    axes = figure.subplots(1, 2, sharey=True)
    rng = np.random.default_rng(0)
    looks = {
        "one model": {"linestyle": "", "marker": ".", "alpha": 0.7},
        "has not learned the task": {"linestyle": "", "color": "0.6", "marker": "x"},
        "median of those that have": {"color": "black"},
        "the review": {"color": style.PALETTE["vermilion"], "zorder": 0},
    }
    for panel, accuracy, number, title in (
        (axes[0], lambda ds: ds["pure_accuracy"], REVIEW_PURE, "one affix"),
        (axes[1], dual_accuracy, REVIEW_DUAL, "two affixes, either counts"),
    ):
        for y, ds in enumerate(rows.values()):
            passes, values = ds["learned"].values, accuracy(ds).values
            jitter = y + rng.uniform(-0.22, 0.22, passes.size)
            middle = np.median(values[passes]) if passes.any() else np.nan
            for places, look in zip(
                (
                    (values[passes], jitter[passes]),
                    (values[~passes], jitter[~passes]),
                    ([middle] * 2, [y - 0.36, y + 0.36]),
                ),
                looks.values(),
                strict=False,
            ):
                panel.plot(*places, **{"color": style.PALETTE["blue"], **look})
        panel.axvline(number, **looks["the review"])
        panel.set(title=title, xlabel="accuracy on test words", xlim=(0, 1.03))
    axes[0].set_yticks(range(len(rows)), list(rows))
    axes[0].invert_yaxis()
    marks = [*axes[0].lines[:3], axes[0].lines[-1]]
    figure.legend(marks, list(looks), loc="outside lower center", ncols=4)
    return figure


def by_width(fits: Fits) -> Figure:
    """The interference rate by width."""
    figure = Figure(figsize=(6.4, 2.6))
    axes = figure.subplots(1, 2, sharey=True)
    for panel, words in zip(axes, LISTS, strict=True):
        cells = widths(fits, words)
        for (threshold, name), looks in zip(NAMES.items(), style.SERIES, strict=False):
            parts = {w: learned(ds.sel(threshold=threshold)) for w, ds in cells.items()}
            parts = {w: ds for w, ds in parts.items() if ds.sizes["seed"] >= FEWEST}
            rates = [interference(ds) for ds in parts.values()]
            points(panel, list(parts), rates, label=name, **looks)
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
        cells = {words: by_value(fits, words, variation) for words in LISTS}
        values = sorted(set().union(*cells.values()))
        for words, looks, shift in zip(LISTS, style.SERIES, (-0.16, 0.16), strict=False):
            parts = {v: learned(ds) for v, ds in sorted(cells[words].items())}
            enough = {v: ds for v, ds in parts.items() if ds.sizes["seed"] >= FEWEST}
            if enough:
                x = [values.index(v) + shift for v in enough]
                points(top, x, [interference(ds) for ds in enough.values()], **looks)
            shares = [
                ds.sizes["seed"] / cells[words][v].sizes["seed"] for v, ds in parts.items()
            ]
            x = np.array([values.index(v) for v in parts]) + shift
            bottom.bar(x, shares, 0.32, color=looks["color"], label=f"{words} words")
        names = [f"{v:g}".replace("-", "−").replace("inf", "∞") for v in values]
        bottom.set_xticks(range(len(values)), names)
        bottom.set_xlabel(title)
    axes[0, 0].set(ylabel="interference rate", ylim=(0, None))
    axes[1, 0].set_ylabel("share of models\nthat learn the task")
    handles = axes[1, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)
    return figure

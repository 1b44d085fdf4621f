"""Figures of the affix experiment: accuracies, predictions, and what geometry says."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from jsuper import files
from jsuper.experiments.affixes.causes import answers, circle, inventions
from jsuper.experiments.affixes.corpus import OWN, PAIR_NAMES, STACKED
from jsuper.experiments.affixes.findings import REVIEW_DUAL, REVIEW_PURE
from jsuper.experiments.affixes.measures import ANSWERS
from jsuper.experiments.affixes.plane import planes
from jsuper.experiments.affixes.remedy_figures import thresholds, widths
from jsuper.experiments.affixes.statistics import (
    LINEAR,
    LISTS,
    NAMES,
    RELU,
    dual_accuracy,
    enough,
    learned,
)
from jsuper.plots import style
from jsuper.plots.style import Figure

VARIANTS = {
    "composed": "composed words",
    "few_stems": "few stems",
    "more_steps": "more steps",
    "mean_pooling": "mean pooling",
    "unmarked_start": "start not marked",
    "real": "real words",
    "real_balanced": "real, affixes equally often",
}


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    fits = files.datasets(models)
    drawn = {
        "plane": planes(fits["plane"]),
        "accuracies": accuracies(fits),
        "confusion": confusion(fits["composed"]),
        "causes": causes(fits),
    }
    if "dual_share" in fits:
        drawn |= {"width": widths(fits), "thresholds": thresholds(fits)}
    return drawn


def variants(fits: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Models of two neurons by what may differ from the review's."""
    found = {}
    for name, label in VARIANTS.items():
        if name in fits:
            found[f"{label}, ReLU"] = fits[name].sel(threshold=RELU)
            if name in LISTS:
                found[f"{label}, linear"] = fits[name].sel(threshold=LINEAR)
    if "relu_toy_readout" in fits:
        found["toy readout, ReLU"] = fits["relu_toy_readout"].sel(threshold=RELU)
    if "toy_readout" in fits:
        found["toy readout, linear"] = fits["toy_readout"].sel(output_threshold=0)
    return found


def accuracies(fits: Mapping[str, xr.Dataset]) -> Figure:
    """Table 1 as distributions over models, for every choice that was varied."""
    rows = variants(fits)
    figure = Figure(figsize=(7.4, 0.9 + 0.33 * len(rows)), layout="constrained", dpi=150)
    panels = figure.subplots(1, 2, sharey=True)
    rng, blue = np.random.default_rng(0), style.PALETTE["blue"]
    for panel, accuracy, number, title in (
        (panels[0], lambda ds: ds["pure_accuracy"], REVIEW_PURE, "one affix"),
        (panels[1], dual_accuracy, REVIEW_DUAL, "two affixes, either counts"),
    ):
        for y, ds in enumerate(rows.values()):
            values, passes = accuracy(ds).values, ds["passes"].values
            jitter = y + rng.uniform(-0.22, 0.22, len(values))
            panel.plot(values[~passes], jitter[~passes], "x", color="0.6", ms=3, mew=0.6)
            panel.plot(values[passes], jitter[passes], ".", color=blue, ms=3.5, alpha=0.7)
            if passes.any():
                median = np.median(values[passes])
                panel.plot([median] * 2, [y - 0.36, y + 0.36], color="black", lw=1.5)
        panel.axvline(number, color=style.PALETTE["vermilion"], lw=1, zorder=0)
        panel.set_title(title, fontsize=9)
        panel.set_xlabel("accuracy on test words", fontsize=8)
        panel.tick_params(labelsize=7)
    panels[0].set_yticks(range(len(rows)), list(rows))
    panels[0].invert_yaxis()
    handles = [
        Line2D([], [], color=blue, marker=".", ls="", label="one model"),
        Line2D(
            [], [], color="0.6", marker="x", ls="", ms=4, label="has not learned its task"
        ),
        Line2D([], [], color="black", label="median of those that have"),
        Line2D([], [], color=style.PALETTE["vermilion"], label="the review"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=7)
    return figure


def confusion(ds: xr.Dataset) -> Figure:
    """What is predicted for each pair of affixes."""
    figure = Figure(figsize=(7.6, 3.5), layout="constrained", dpi=150)
    panels = figure.subplots(1, 2, sharey=True)
    for panel, threshold in zip(panels, (LINEAR, RELU), strict=True):
        part = learned(ds.sel(threshold=threshold))
        counts = part["answers"].isel(answer=slice(5)).sum("split").values
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        panel.imshow(shares, cmap=style.SEQUENTIAL, vmin=0, vmax=0.9, aspect="auto")
        for i, row in enumerate(shares):
            for j, share in enumerate(row):
                color = "white" if share > 0.3 else "black"
                text = f"{100 * share:.0f}"
                panel.text(j, i, text, ha="center", va="center", color=color, fontsize=7)
                if OWN[i, j]:
                    panel.add_patch(
                        Rectangle((j - 0.47, i - 0.45), 0.94, 0.9, fill=False, lw=1.6)
                    )
        panel.set_xticks(range(5), ANSWERS[:5], fontsize=7)
        names = [
            f"{n} (stacked)" if s else n for n, s in zip(PAIR_NAMES, STACKED, strict=True)
        ]
        panel.set_yticks(range(9), names, fontsize=7)
        panel.set_title(f"{NAMES[threshold]}, {part.sizes['split']} models", fontsize=8)
        panel.set_xlabel("prediction, % of dual words (own labels framed)", fontsize=8)
    return figure


def causes(fits: Mapping[str, xr.Dataset]) -> Figure:
    """What geometry predicts, against its baselines, with intervals over models."""
    results = [
        (name.replace(",", " words,"), answers(ds) | inventions(ds) | circle(ds))
        for name, ds in enough(fits, *LISTS).items()
    ]
    figure = Figure(figsize=(9.4, 3.3), layout="constrained", dpi=150)
    panels = figure.subplots(1, 3, sharey=True)
    kinds = {
        "": ("geometry of the model", "black", "o"),
        " another model": ("geometry of the other models", style.PALETTE["sky"], "s"),
        " shuffled": ("its classes in random order", "0.6", "^"),
        " most frequent": (
            "most frequent (incorrect) prediction of the others",
            style.PALETTE["orange"],
            "D",
        ),
    }
    for panel, key, title in (
        (
            panels[0],
            "answer",
            "prediction for dual words:\nclass at the sum of displacements",
        ),
        (panels[1], "invented", "incorrect prediction: nearest\nthird class at that sum"),
        (panels[2], "between", "incorrect prediction, pairs\napart: the class between"),
    ):
        for y, (_, found) in enumerate(results):
            for i, (kind, (label, color, marker)) in enumerate(kinds.items()):
                if key + kind not in found:
                    continue
                value, low, high, _ = found[key + kind]
                panel.errorbar(
                    value,
                    y + 0.17 * (i - 1.5),
                    xerr=[[max(value - low, 0)], [max(high - value, 0)]],
                    fmt=marker,
                    color=color,
                    markersize=4,
                    linewidth=1,
                    label=label if y == 0 else None,
                )
        if key != "answer":
            panel.axvline(1 / 3, color="0.6", lw=0.8, ls=":")
        panel.set(xlim=(0, 1))
        panel.set_title(title, fontsize=8)
        panel.set_xlabel("share (95% interval over models)", fontsize=8)
        panel.tick_params(labelsize=7)
    panels[0].set_yticks(range(len(results)), [name for name, _ in results])
    panels[0].invert_yaxis()
    handles, labels = panels[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7)
    return figure

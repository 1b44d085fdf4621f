"""Figures of what may help: width, thresholds, and dual words in training."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from jsuper.experiments.affixes import width
from jsuper.experiments.affixes.statistics import (
    FEWEST,
    LINEAR,
    LISTS,
    NAMES,
    RELU,
    drop,
    interference,
    learned,
    named,
)
from jsuper.plots import style
from jsuper.plots.style import Figure

LOOKS = {"composed": ("0.25", "o"), "real": (style.PALETTE["sky"], "s")}
LINES = {LINEAR: ("blue", "-", "o"), RELU: ("vermilion", "--", "s")}


def widths(fits: Mapping[str, xr.Dataset]) -> Figure:
    """The drop and the interference rate by width, and by active neurons."""
    figure = Figure(figsize=(9.2, 5.8), layout="constrained", dpi=150)
    panels = figure.subplots(2, 3, sharex="col", sharey="col")
    all_widths = sorted({w for words in LISTS for w in width.widths(fits, words)})
    for row, words in zip(panels, LISTS, strict=True):
        _widths_of(row, fits, words, all_widths)
        row[0].set_title(f"{words} words", fontsize=9, loc="left")
    for panel in panels[1, :2]:
        panel.set_xticks(range(len(all_widths)), list(map(str, all_widths)))
        panel.set_xlabel("hidden neurons h", fontsize=8)
    panels[1, 2].set_xticks([0, 1, 2, 3, 5, 10, 15])
    panels[1, 2].set_xlabel(
        "active neurons of ReLU models\n(crosses: task not learned)", fontsize=8
    )
    panels[0, 0].legend(fontsize=7)
    return figure


def _widths_of(row, fits, words, all_widths):
    cells = {w: fits[name] for w, name in width.widths(fits, words).items()}
    x = np.array([all_widths.index(w) for w in cells])
    for threshold, (color, line, marker) in LINES.items():
        color = style.PALETTE[color]
        parts = [learned(ds.sel(threshold=threshold)) for ds in cells.values()]
        look = {"color": color, "linestyle": line, "marker": marker, "markersize": 4}
        drops = [drop(ds).values for ds in parts]
        rates = [
            (
                ds["interference_wrong"].sum("pair") / ds["interference_stems"].sum("pair")
            ).values
            for ds in parts
        ]
        for panel, values in zip(row, (drops, rates), strict=False):
            known = [i for i, v in enumerate(values) if len(v) >= FEWEST]
            low, mid, high = np.array(
                [np.nanquantile(values[i], [0.1, 0.5, 0.9]) for i in known]
            ).T
            panel.fill_between(x[known], low, high, color=color, alpha=0.2, lw=0)
            panel.plot(x[known], mid, label=NAMES[threshold], **look)
    relu = [ds.sel(threshold=RELU) for ds in cells.values()]
    active = np.concatenate([ds["active"].values for ds in relu])
    lost = np.concatenate([drop(ds).values for ds in relu])
    passes = np.concatenate([ds["passes"].values for ds in relu])
    jitter = active + np.random.default_rng(0).uniform(-0.2, 0.2, len(active))
    row[2].plot(jitter[~passes], lost[~passes], "x", color="0.6", ms=3, mew=0.6)
    row[2].plot(jitter[passes], lost[passes], ".", color=style.PALETTE["vermilion"], ms=3.5)
    for panel, name in (
        (row[0], "accuracy drop on dual\nwords (above chance)"),
        (row[1], "interference rate"),
        (row[2], "accuracy drop on dual\nwords (above chance)"),
    ):
        panel.set_ylabel(name, fontsize=8)
        panel.axhline(0, color="0.6", lw=0.7)
        panel.tick_params(labelsize=7)


def thresholds(fits: Mapping[str, xr.Dataset]) -> Figure:
    """What thresholds and dual words in training buy, and how many models fail."""
    figure = Figure(figsize=(9.2, 4.4), layout="constrained", dpi=150)
    panels = figure.subplots(2, 4, sharex="col", sharey="row")
    for (top, bottom), (title, axis, cells) in zip(panels.T, _remedies(fits), strict=True):
        values = sorted({float(ds[axis]) for parts in cells.values() for ds in parts})
        for words, shift in (("composed", -0.16), ("real", 0.16)):
            parts = sorted(cells[words], key=lambda ds, axis=axis: float(ds[axis]))
            if not parts:
                continue
            x = np.array([values.index(float(ds[axis])) for ds in parts]) + shift
            rates = [
                interference(ds) if ds.sizes["split"] >= FEWEST else (np.nan,) * 4
                for ds in map(learned, parts)
            ]
            value, low, high, _ = np.array(rates).T
            color, marker = LOOKS[words]
            ends = [value - low, high - value]
            top.errorbar(x, value, ends, fmt=f"{marker}-", color=color, ms=4, lw=1)
            passing = [float(ds["passes"].mean()) for ds in parts]
            bottom.bar(x, passing, color=color, width=0.32, label=f"{words} words")
        names = [f"{v:g}".replace("-", "−").replace("inf", "∞") for v in values]
        bottom.set_xticks(range(len(values)), names)
        bottom.set_xlabel(title, fontsize=8)
        for panel in (top, bottom):
            panel.tick_params(labelsize=7)
    panels[0, 0].set_ylabel("interference rate", fontsize=8)
    panels[1, 0].set_ylabel("share of models\nthat learn the task", fontsize=8)
    panels[0, 0].set_ylim(0, None)
    handles, labels = panels[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=7)
    return figure


def _remedies(
    fits: Mapping[str, xr.Dataset],
) -> Iterator[tuple[str, str, dict[str, list[Any]]]]:
    """What was varied against the drop: its name, its axis, and the models of each list."""
    for variation, axis, title in (
        ("hidden_exrelu", "threshold", "threshold of the hidden\nneurons (softmax)"),
        ("toy_readout", "output_threshold", "threshold of the\noutputs (toy readout)"),
        ("tied_readout", "output_threshold", "threshold of the\noutputs (tied readout)"),
        ("dual_share", "dual_share", "share of dual words\nin training (linear)"),
    ):
        cells = {}
        for words in LISTS:
            ds = fits.get(named(words, variation))
            cells[words] = [] if ds is None else [ds.sel({axis: v}) for v in ds[axis]]
            if axis == "threshold":
                cells[words].append(fits[words].sel(threshold=RELU))
            if axis == "dual_share":
                plain = fits[words].sel(threshold=LINEAR, drop=True)
                cells[words].append(plain.assign_coords(dual_share=0.0))
        yield title, axis, cells

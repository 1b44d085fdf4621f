"""Figures of the affix experiment."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from jsuper.affixes import AFFIXES, PAIRS, evaluation, geometry
from jsuper.affixes.classifier import AffixClassifier, params_of
from jsuper.experiments.affixes.causes import causes
from jsuper.experiments.affixes.corpus import OWN, PAIR_LABELS, PAIR_NAMES, STACKED, Corpus
from jsuper.experiments.affixes.measures import ANSWERS, drop, dual_accuracy
from jsuper.experiments.affixes.statistics import (
    FEWEST,
    LINEAR,
    LISTS,
    NAMES,
    RELU,
    REVIEW_DUAL,
    REVIEW_PURE,
    cases,
    gated,
    interference,
    named,
)
from jsuper.plots import style
from jsuper.plots.style import Figure

COLORS = [style.PALETTE[c] for c in ("blue", "vermilion", "green", "orange", "purple")]
LOOKS = {"composed": ("0.25", "o"), "real": (style.PALETTE["sky"], "s")}
LINES = {LINEAR: ("blue", "-", "o"), RELU: ("vermilion", "--", "s")}


def example(corpus: Corpus, model: AffixClassifier, ds: xr.Dataset) -> dict[str, Any]:
    """The gated model and pair with the most dual words in a third class's region.

    Returns:
        Positions and labels of test words, and a function from points to classes.
    """
    wrong = np.where(OWN, 0, ds["answers"].values[..., :5]).max(-1)
    # Of pairs with one affix at each end: in the others one may be lost for its place.
    wrong = wrong * ds["passes"].values[:, None] * ~STACKED
    i, pair = np.unravel_index(wrong.argmax(), wrong.shape)
    chosen = ds.isel(split=[i])
    params = params_of(chosen)
    test = corpus.words.select(corpus.in_test(int(chosen["split"][0])))
    pure, dual = test.pure, test.having(*PAIRS[pair])

    def positions(words):
        codes = words.encode(corpus.length).astype(np.int8)
        return evaluation.predict(model, params, codes)[0][0]

    one = jax.tree.map(lambda a: a[0], params)
    return {
        "model": model,
        "pair": PAIR_LABELS[pair],
        "pure": positions(pure),
        "labels": pure.labels.argmax(1),
        "dual": positions(dual),
        "means": chosen["means"].values[0],
        "classes": lambda z: np.asarray(model.read(one, jnp.asarray(z))).argmax(-1),
    }


def draw_planes(examples: Sequence[dict[str, Any]]) -> Figure:
    """The hidden plane: regions, words, directions, and one pair that fails."""
    figure = Figure(figsize=(4.6 * len(examples), 4.3), layout="constrained", dpi=150)
    panels = figure.subplots(1, len(examples), squeeze=False)[0]
    pale = ListedColormap([0.72 + 0.28 * np.array(to_rgb(c)) for c in COLORS])
    for panel, it in zip(panels, examples, strict=True):
        centre, d = geometry.displacements(it["means"])
        predicted = geometry.predicted_positions(it["means"], [it["pair"]])[0]
        everything = np.concatenate([it["pure"], it["dual"], predicted[None]])
        low, high = np.quantile(everything, [0.002, 0.998], axis=0)
        pad = 0.08 * (high - low).max()
        middle, half = (low + high) / 2, (high - low).max() / 2 + pad
        x, y = (np.linspace(m - half, m + half, 300) for m in middle)
        classes = it["classes"](np.stack(np.meshgrid(x, y), -1))
        extent = (x[0], x[-1], y[0], y[-1])
        panel.imshow(
            classes, origin="lower", extent=extent, cmap=pale, vmin=0, vmax=4, zorder=0
        )
        for label, color in enumerate(COLORS):
            words = it["pure"][it["labels"] == label][:120]
            panel.plot(*words.T, ".", color=color, markersize=2.2, alpha=0.7)
        for vector, color, name in zip(d, COLORS, AFFIXES, strict=True):
            panel.annotate(
                "",
                centre + vector,
                centre,
                arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.1},
            )
            panel.annotate(
                name,
                centre + vector,
                fontsize=8,
                weight="bold",
                ha="center",
                va="center",
                xytext=8 * vector / np.linalg.norm(vector),
                textcoords="offset points",
                bbox={"fc": "white", "ec": color, "pad": 1.2, "lw": 1.0, "alpha": 0.9},
            )
        panel.plot(*it["dual"][:150].T, "x", color="black", markersize=3.5, mew=0.7)
        panel.plot(
            *predicted, "*", color="white", markersize=13, markeredgecolor="black", zorder=5
        )
        if it["model"].threshold == RELU:
            panel.axhline(0, color="0.35", linewidth=0.8, linestyle=":")
            panel.axvline(0, color="0.35", linewidth=0.8, linestyle=":")
        answered = np.bincount(it["classes"](it["dual"]), minlength=5)
        third = int(np.where(np.isin(np.arange(5), it["pair"]), -1, answered).argmax())
        share = answered[third] / answered.sum()
        first, second = (AFFIXES[i] for i in sorted(it["pair"]))
        panel.set_title(
            f"{NAMES[float(it['model'].threshold)]} hidden neurons: {100 * share:.0f}% of "
            f"the words\nwith {first} and {second} are taken for {AFFIXES[third]}",
            fontsize=8,
        )
        panel.set(
            xlim=extent[:2],
            ylim=extent[2:],
            xlabel="hidden neuron 1, $z_1$",
            ylabel="hidden neuron 2, $z_2$",
        )
        panel.tick_params(labelsize=7)
    handles = [
        Line2D([], [], marker=".", color="0.4", ls="", label="test words with one affix"),
        Line2D([], [], marker="x", color="black", ls="", ms=4, label="words with both"),
        Line2D(
            [],
            [],
            marker="*",
            color="white",
            markeredgecolor="black",
            ls="",
            ms=10,
            label="sum of the two mean displacements",
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=7)
    return figure


def variants(fits: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Models of two neurons by what may differ from the review's."""
    found = {}
    for name, label in (
        ("composed", "composed words"),
        ("200 stems", "200 stems instead of 2,000"),
        ("3,000 steps", "3,000 steps"),
        ("mean pooling", "mean pooling"),
        ("start not marked", "start not marked"),
        ("real", "real words"),
        ("real, balanced", "real, affixes equally often"),
    ):
        if name in fits:
            found[f"{label}, ReLU"] = fits[name].sel(threshold=RELU)
            if name in LISTS:
                found[f"{label}, linear"] = fits[name].sel(threshold=LINEAR)
    if "toy readout" in fits:
        found["toy readout, ReLU"] = fits["ReLU, toy readout"].sel(threshold=RELU)
        found["toy readout, linear"] = fits["toy readout"].sel(output_threshold=0)
    return found


def draw_accuracies(fits: Mapping[str, xr.Dataset]) -> Figure:
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
            [], [], color="0.6", marker="x", ls="", ms=4, label="has not learnt its task"
        ),
        Line2D([], [], color="black", label="median of those that have"),
        Line2D([], [], color=style.PALETTE["vermilion"], label="the review"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=7)
    return figure


def draw_confusion(ds: xr.Dataset) -> Figure:
    """What is answered to each pair of affixes."""
    figure = Figure(figsize=(7.6, 3.5), layout="constrained", dpi=150)
    panels = figure.subplots(1, 2, sharey=True)
    for panel, threshold in zip(panels, (LINEAR, RELU), strict=True):
        part = gated(ds.sel(threshold=threshold))
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
        panel.set_xlabel("answer, % of dual words (own labels framed)", fontsize=8)
    return figure


def draw_widths(fits: Mapping[str, xr.Dataset], widths: Sequence[int]) -> Figure:
    """The drop and the interference rate by width, and by live neurons."""
    figure = Figure(figsize=(9.2, 5.8), layout="constrained", dpi=150)
    panels = figure.subplots(2, 3, sharex="col", sharey="col")
    for row, words in zip(panels, LISTS, strict=True):
        _draw_widths_of(row, fits, words, widths)
        row[0].set_title(f"{words} words", fontsize=9, loc="left")
    for panel in panels[1, :2]:
        panel.set_xticks(range(len(widths)), [str(width) for width in widths])
        panel.set_xlabel("hidden neurons h", fontsize=8)
    panels[1, 2].set_xticks([0, 1, 2, 3, 5, 10, 15])
    panels[1, 2].set_xlabel(
        "live neurons of ReLU models\n(crosses: task not learnt)", fontsize=8
    )
    panels[0, 0].legend(fontsize=7)
    return figure


def _draw_widths_of(row, fits, words, widths):
    names = {w: words if w == 2 else named(words, f"width {w}") for w in widths}
    cells = {w: fits[name] for w, name in names.items() if name in fits}
    x = np.array([i for i, name in enumerate(names.values()) if name in fits])
    for threshold, (color, line, marker) in LINES.items():
        color = style.PALETTE[color]
        parts = [gated(ds.sel(threshold=threshold)) for ds in cells.values()]
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
    live = np.concatenate([ds["live"].values for ds in relu])
    lost = np.concatenate([drop(ds).values for ds in relu])
    passes = np.concatenate([ds["passes"].values for ds in relu])
    jitter = live + np.random.default_rng(0).uniform(-0.2, 0.2, len(live))
    row[2].plot(jitter[~passes], lost[~passes], "x", color="0.6", ms=3, mew=0.6)
    row[2].plot(jitter[passes], lost[passes], ".", color=style.PALETTE["vermilion"], ms=3.5)
    for panel, name in (
        (row[0], "lost on dual words\n(accuracy above chance)"),
        (row[1], "P(dual word wrong |\nboth single forms right)"),
        (row[2], "lost on dual words\n(accuracy above chance)"),
    ):
        panel.set_ylabel(name, fontsize=8)
        panel.axhline(0, color="0.6", lw=0.7)
        panel.tick_params(labelsize=7)


def draw_causes(fits: Mapping[str, xr.Dataset]) -> Figure:
    """What geometry predicts, against its baselines, with intervals over models."""
    results = [
        (name.replace(",", " words,"), causes(ds))
        for name, ds in cases(fits, *LISTS).items()
    ]
    figure = Figure(figsize=(9.4, 3.3), layout="constrained", dpi=150)
    panels = figure.subplots(1, 3, sharey=True)
    kinds = {
        "": ("geometry of the model", "black", "o"),
        " another model": ("geometry of the other models", style.PALETTE["sky"], "s"),
        " shuffled": ("its classes in random order", "0.6", "^"),
        " commonest": (
            "commonest (wrong) answer of the others",
            style.PALETTE["orange"],
            "D",
        ),
    }
    for panel, key, title in (
        (panels[0], "answer", "answer to dual words:\nclass at the predicted position"),
        (panels[1], "invented", "wrong answer: nearest third\nclass at that position"),
        (panels[2], "between", "wrong answer, pairs apart:\nthe class between"),
    ):
        for y, (_, found) in enumerate(results):
            for i, (kind, (label, color, marker)) in enumerate(kinds.items()):
                if key + kind not in found:
                    continue
                value, low, high = found[key + kind]
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


def draw_thresholds(fits: Mapping[str, xr.Dataset]) -> Figure:
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
                interference(ds) if ds.sizes["split"] >= FEWEST else (np.nan,) * 3
                for ds in map(gated, parts)
            ]
            value, low, high = np.array(rates).T
            color, marker = LOOKS[words]
            ends = [value - low, high - value]
            top.errorbar(x, value, ends, fmt=f"{marker}-", color=color, ms=4, lw=1)
            learnt = [float(ds["passes"].mean()) for ds in parts]
            bottom.bar(x, learnt, color=color, width=0.32, label=f"{words} words")
        names = [f"{v:g}".replace("-", "−").replace("inf", "∞") for v in values]
        bottom.set_xticks(range(len(values)), names)
        bottom.set_xlabel(title, fontsize=8)
        for panel in (top, bottom):
            panel.tick_params(labelsize=7)
    panels[0, 0].set_ylabel("P(dual word wrong |\nboth single forms right)", fontsize=8)
    panels[1, 0].set_ylabel("share of models\nthat learn the task", fontsize=8)
    panels[0, 0].set_ylim(0, None)
    handles, labels = panels[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=7)
    return figure


def _remedies(fits):
    """What was varied against the drop: its name, its axis, and the models of each list."""
    for variation, axis, title in (
        ("hidden ExReLU", "threshold", "threshold of the hidden\nneurons (softmax)"),
        ("toy readout", "output_threshold", "of the outputs\n(toy readout)"),
        ("tied readout", "output_threshold", "of the outputs\n(tied readout)"),
        ("dual share", "dual_share", "share of dual words\nin training (linear)"),
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

r"""Can neurons compute in superposition? Models that learn the absolute value.

Elhage et al. 2022, "Computation in Superposition": y = |x| of sparse features of either
sign, by one layer of ReLU neurons with untied weights (`jsuper.ComputationModel`). Three
features in six neurons show the mechanism, 100 features in 40 neurons how neurons become
polysemantic with sparsity, and ten features in ten neurons the "asymmetric" motif. The
paper states neither training settings nor the size and density of the last; for it we take
those of the ARENA course. Recipe and start of the weights are ours. The start matters:
from the usual one many features are learnt for one sign only.
"""

import math

import jax
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.computation import asymmetric_motif
from jsuper.experiments.outcome import Experiment, Finding, Outcome
from jsuper.geometry.neurons import features_per_neuron, rescale_neurons
from jsuper.models.computation import ComputationModel, absolute
from jsuper.plots import neurons, style
from jsuper.plots.style import Figure

DENSITIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
TRAINING = (
    (slice(0, 3), 12_000, 256, 1e-2),
    (slice(3, 5), 8_000, 1024, 4e-3),
    (slice(5, 7), 4_000, 4096, 3e-3),
)
"""Densities of the large models, with steps, batch size and rate.

Sparse features are seen in large batches only, and outputs that a large step silences do
not come back; dense ones need many steps.
"""

QUICK_TRAINING = ((slice(0, 7), 2_000, 512, 5e-3),)

MOTIF_DENSITIES = (0.35, 0.2, 0.1, 0.05)
RATIO = 0.8
LEAST_SHARE = 0.25
"""Share of a neuron's largest weight above which a feature counts as one of its own."""


def task(n_features: int, n_neurons: int, density, ratio=RATIO, **start) -> js.Task:
    """One model that is to return the absolute value of every feature."""
    return js.Task(
        js.SparseFeatures(n_features, density, low=-1),
        ComputationModel(n_features, n_neurons, **start),
        js.geometric_importance(n_features, ratio),
        target=absolute,
    )


def train(n, m, densities, seeds, steps, batch_size, *, rate=1e-2, **settings):
    """Trains models of n features and m neurons, and describes their neurons."""

    def build(density):
        return task(n, m, density, **settings)

    recipe = js.Recipe(steps, batch_size, js.decaying_adam(steps, rate))
    axes = {"density": densities, "seed": seeds}
    ds = js.sweep(build, axes, recipe, key=jax.random.key(0))
    return describe(ds.drop_vars("history").drop_vars("step"))


def describe(ds: xr.Dataset) -> xr.Dataset:
    """Rescales neurons, counts their features, and the signs that features work for.

    Adds ``serves`` (features of a neuron, 0 if it is not in use), ``second`` (its second
    weight, the largest being 1) and ``signs`` (0, 1 or 2: for how many signs of x = 1 or
    -1, alone, the output rises by more than 1/2).
    """
    grid = tuple(d for d in ds["loss"].dims)
    W_in = ds["W_in"].transpose(*grid, "feature", "hidden").values
    W_out = ds["W_out"].transpose(*grid, "hidden", "feature").values
    b = ds["b"].transpose(*grid, "feature").values
    rises = [
        np.maximum(np.einsum("...ij,...ji->...i", np.maximum(s * W_in, 0), W_out) + b, 0)
        - np.maximum(b, 0)
        for s in (1, -1)
    ]
    W_in, W_out = (np.asarray(W) for W in rescale_neurons(W_in, W_out))
    in_use = np.linalg.norm(W_out, axis=-1) > 0.1
    serves = np.asarray(features_per_neuron(W_in, LEAST_SHARE))
    return ds.assign(
        W_in=((*grid, "feature", "hidden"), W_in),
        W_out=((*grid, "hidden", "feature"), W_out),
        serves=((*grid, "hidden"), np.where(in_use, serves, 0)),
        second=((*grid, "hidden"), np.sort(np.abs(W_in), axis=-2)[..., -2, :]),
        signs=((*grid, "feature"), sum((y > 0.5).astype(int) for y in rises)),
    )


def has_reciprocal_pairs(W_in: np.ndarray, W_out: np.ndarray) -> bool:
    """Tells whether every feature has one neuron for each sign, with reciprocal weights.

    Weights are those after rescaling, so that reciprocal means an output weight of 1.
    """
    n, m = W_in.shape
    main = np.abs(W_in).argmax(0)
    sign = np.sign(W_in[main, np.arange(m)])
    roles = sorted(zip(main.tolist(), sign.tolist(), strict=True))
    if roles != sorted((i, s) for i in range(n) for s in (-1.0, 1.0)):
        return False
    ideal_in, ideal_out = np.zeros((n, m)), np.zeros((m, n))
    ideal_in[main, np.arange(m)], ideal_out[np.arange(m), main] = sign, 1.0
    return bool(max(np.abs(W_in - ideal_in).max(), np.abs(W_out - ideal_out).max()) < 0.1)


def pairs(ds: xr.Dataset) -> Finding:
    """The paper's mechanism: ReLU(x) + ReLU(-x) for every feature."""
    texts, holds = [], []
    for k, density in enumerate(ds["density"].values):
        cell = ds.isel(density=k)
        right = np.array(
            [
                has_reciprocal_pairs(*(W.values for W in models))
                for models in zip(cell["W_in"], cell["W_out"], strict=True)
            ]
        )
        product = abs(cell["W_in"] * cell["W_out"]).max("feature").values[right]
        spread = float(np.abs(product - 1).max(initial=0))
        best = bool(right[int(cell["loss"].argmin("seed"))])
        holds.append(best)
        texts.append(
            f"density {density:g}: {right.mean():.0%} of {len(right)} seeds, best seed "
            f"{'too' if best else 'not'}, their products of input and output weight within "
            f"{spread:.3f} of 1"
        )
    return Finding(
        "3 features, 6 neurons: each feature has one neuron for x > 0 and one for x < 0, "
        "with reciprocal positive output weights",
        "; ".join(texts),
        all(holds),
    )


def polysemantic(ds: xr.Dataset) -> xr.DataArray:
    """Share of the neurons in use that serve several features, by density and seed."""
    return (ds["serves"] > 1).sum("hidden") / (ds["serves"] > 0).sum("hidden")


def polysemanticity(ds: xr.Dataset) -> list[Finding]:
    """The paper's statements about each density of the large model."""
    share = polysemantic(ds)
    several = ds["serves"] > 1

    def p(density):
        return float(share.sel(density=density).mean("seed"))

    def text(*densities):
        return "; ".join(
            f"density {d:g}: {p(d):.0%} ± {float(share.sel(density=d).std('seed')):.0%}"
            for d in densities
        )

    def weight(density):
        second = ds["second"].where(several).sel(density=density).values
        second = second[np.isfinite(second)]
        return float(np.median(second)) if second.size else math.nan

    main = abs(ds["W_in"]).argmax("feature")
    slight = main.sel(density=0.03)
    of_poly = float(slight.where(several.sel(density=0.03)).mean())
    of_mono = float(slight.where(ds["serves"].sel(density=0.03) == 1).mean())
    unit = f"of neurons polysemantic (mean ± deviation over {ds.sizes['seed']} seeds)"
    return [
        Finding(
            "densities 1 and .3: all neurons are monosemantic",
            f"{text(1, 0.3)} {unit}",
            max(p(1), p(0.3)) < 0.05,
        ),
        Finding(
            "density .1: a few neurons are slightly polysemantic",
            f"{text(0.1)} polysemantic; their second weight is {weight(0.1):.2f} of the "
            "largest (median)",
            0 < p(0.1) < 0.5 and weight(0.1) < 0.5,
        ),
        Finding(
            "density .03: few neurons are polysemantic, highly, for features of low "
            "importance",
            f"{text(0.03)} polysemantic; second weight {weight(0.03):.2f} (median); mean "
            f"main feature {of_poly:.0f} of polysemantic, {of_mono:.0f} of monosemantic "
            "neurons",
            0 < p(0.03) < 0.5 and weight(0.03) > 0.5 and of_poly > of_mono,
        ),
        Finding(
            "densities .01 and .003: more",
            f"{text(0.03, 0.01, 0.003)}",
            p(0.03) < p(0.01) <= p(0.003),
        ),
        Finding(
            "density .01: both kinds in one model, many neurons with a large primary "
            "weight and small secondary ones",
            f"{1 - p(0.01):.0%} monosemantic; the second weight of the others is "
            f"{weight(0.01):.2f} (median)",
            0.05 < p(0.01) < 0.95 and weight(0.01) < 0.5,
        ),
        Finding("density .001: all neurons are polysemantic", text(0.001), p(0.001) > 0.95),
    ]


def draw_shares(ds: xr.Dataset) -> Figure:
    """Monosemantic neurons and relative losses by density, every seed and the mean."""
    figure = Figure(figsize=(6.8, 2.7), layout="constrained", dpi=150)
    panels = figure.subplots(1, 2)
    rows = {
        "share of neurons monosemantic": 1 - polysemantic(ds),
        "loss / loss of the monosemantic solution": ds["relative_loss"],
    }
    color = style.PALETTE["blue"]
    for panel, (name, values) in zip(panels, rows.items(), strict=True):
        mean = values.mean("seed")
        panel.plot(ds["density"], mean, color=color, linewidth=1.2, label="mean")
        for s in range(ds.sizes["seed"]):
            one = values.isel(seed=s)
            text = "one seed" if s == 0 else None
            panel.plot(ds["density"], one, "o", mfc="none", ms=4, color=color, label=text)
        panel.set(xscale="log", xticks=[1, 0.1, 0.01, 0.001])
        panel.set_xlabel("density (1 − sparsity)", fontsize=8)
        panel.set_ylabel(name, fontsize=8)
        panel.xaxis.set_major_formatter(lambda x, _: style.number(x))
        panel.invert_xaxis()
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylim(-0.03, 1.03)
    panels[0].legend(fontsize=7, frameon=False)
    panels[1].set_yscale("log")
    panels[1].axhline(1, color="0.7", linewidth=0.8, zorder=0)
    panels[1].yaxis.set_major_formatter(lambda y, _: style.number(y))
    panels[1].yaxis.set_minor_formatter(lambda y, _: style.number(y))
    panels[1].tick_params(which="minor", labelsize=6)
    return figure


def draw_starts(starts: dict[str, xr.Dataset]) -> Figure:
    """Features that work for both signs, or for one only, by start of the weights."""
    figure = Figure(figsize=(5.2, 2.9), layout="constrained", dpi=150)
    axes = figure.subplots(1, len(starts), sharey=True)
    for panel, (name, ds) in zip(axes, starts.items(), strict=True):
        x = np.arange(ds.sizes["density"])
        base = np.zeros(len(x))
        for signs, text, color in (
            (2, "both signs", style.PALETTE["blue"]),
            (1, "one sign only", style.PALETTE["orange"]),
        ):
            number = (ds["signs"] == signs).sum("feature").mean("seed").values
            panel.bar(x, number, bottom=base, color=color, width=0.7, label=text)
            base += number
        labels = [style.number(d) for d in ds["density"].values]
        panel.set_xticks(x, labels, fontsize=7)
        panel.set_title(name, fontsize=8)
        panel.set_xlabel("density (1 − sparsity)", fontsize=8)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("features computed, mean over seeds", fontsize=8)
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, fontsize=7, loc="outside upper center", ncols=2, frameon=False)
    return figure


def large_models(quick: bool) -> xr.Dataset:
    """The paper's 100 features in 40 neurons at seven densities, or 30 in 12."""
    n, m, seeds = (30, 12, 2) if quick else (100, 40, 3)
    cells = [
        train(n, m, DENSITIES[chosen], seeds, steps, batch_size, rate=rate)
        for chosen, steps, batch_size, rate in (QUICK_TRAINING if quick else TRAINING)
    ]
    ds = xr.concat(cells, "density", data_vars="minimal", combine_attrs="drop")
    alone = monosemantic_loss(n, m, ds["density"])
    return ds.assign(relative_loss=ds["loss"] / alone)


def monosemantic_loss(n_features: int, n_neurons: int, density) -> xr.DataArray:
    r"""Loss of the solution by hand in which every neuron serves one feature.

    The m/2 most important features are computed exactly, by two neurons each; for every
    other one the output is its mean $p/2$, at the cost of its variance $p/3 - p^2/4$.
    """
    lost = np.asarray(js.geometric_importance(n_features, RATIO), float)[n_neurons // 2 :]
    return lost.sum() / n_features * (density / 3 - density**2 / 4)


def run(quick: bool = False) -> Outcome:
    """Trains the three kinds of models, and from the usual start for comparison."""
    seeds, steps = (8, 1_500) if quick else (40, 2_000)
    small = train(3, 6, [1.0, 0.1], seeds, steps, 512, ratio=1.0)
    large = large_models(quick)
    middle = train(10, 10, MOTIF_DENSITIES, seeds, steps, 512)
    usual = {"init_bound": math.sqrt(6 / 20), "signed_outputs": True}
    xavier = train(10, 10, MOTIF_DENSITIES, seeds // 2, steps, 512, **usual)
    best = js.best_seed(large)
    example, found = asymmetric_motif.example(middle)
    figures = {
        "mechanism": asymmetric_motif.draw_weights(js.best_seed(small).sel(density=0.1)),
        "stacks": neurons.neuron_stacks(
            best, weights="W_in", color="polysemanticity", most=4
        ),
        "shares": draw_shares(large),
        "motif": asymmetric_motif.draw_weights(example, 4.0, found),
        "starts": draw_starts({"small, positive": middle, "Xavier": xavier}),
    }
    datasets = {"small": small, "large": large, "middle": middle, "xavier": xavier}
    return Outcome(
        [pairs(small), *polysemanticity(large), asymmetric_motif.finding(middle)],
        figures,
        datasets,
    )


EXPERIMENT = Experiment(
    title="Computation in superposition",
    source="Elhage et al. 2022, Computation in Superposition",
    minutes=2.7,
    run=run,
)

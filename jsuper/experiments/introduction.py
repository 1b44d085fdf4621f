"""How do five features share two dimensions as they become sparser?

The first figure of Elhage et al. 2022 (introduction; arXiv 2209.10652): five features of
decreasing importance in two hidden dimensions, at sparsities 0, 0.8 and 0.9.

The paper's: sizes, sparsities, that importance decreases. Ours: importance 0.9^i (the
official notebook's, cells 6 to 9), optimizer, steps, number of seeds.
"""

import jax
import numpy as np
import xarray as xr

import jsuper as js
from jsuper import plots
from jsuper.experiments.experiment import Experiment, Finding, Outcome
from jsuper.plots import style
from jsuper.plots.style import Figure

N_FEATURES, N_HIDDEN = 5, 2
RATIO = 0.9
"""Importance of a feature relative to the one before."""

SPARSITIES = [0.0, 0.8, 0.9]
COLORS = {
    "2 dedicated": style.PALETTE["green"],
    "1 dedicated, 1 pair": style.PALETTE["purple"],
    "2 pairs": style.PALETTE["sky"],
    "pentagon": style.PALETTE["orange"],
    "other": "0.75",
}
"""What models become, and the colours of it."""


def task(density):
    """The paper's model at one density."""
    importance = js.geometric_importance(N_FEATURES, RATIO)
    features = js.SparseFeatures(N_FEATURES, density)
    return js.Task(features, js.ToyModel(N_FEATURES, N_HIDDEN), importance)


def train(densities, steps: int, seeds: int) -> xr.Dataset:
    """Trains and measures models of many seeds, and names what each has become."""
    recipe = js.Recipe(steps=steps, optimizer=js.decaying_adam(steps), eval_batches=256)
    axes = {"density": densities, "seed": seeds}
    ds = js.sweep(task, axes, recipe, key=jax.random.key(0), progress=False)
    return shapes(js.measure(ds))


def shapes(ds: xr.Dataset) -> xr.Dataset:
    """Adds the name of each model's arrangement, decided by its embeddings' cosines."""
    W = ds["W"].transpose(..., "feature", "hidden")
    norms = np.linalg.norm(W.values, axis=-1)
    represented = norms > 0.5
    cosines = np.asarray(js.interference(W.values)) / np.maximum(norms[..., None, :], 1e-9)
    both = represented[..., :, None] & represented[..., None, :]
    off = both & ~np.eye(N_FEATURES, dtype=bool)
    count = represented.sum(-1)

    def all_near(values):
        """Whether the cosines of represented features are near some of these values."""
        distance = np.min([abs(cosines - value) for value in values], axis=0)
        return np.where(off, distance, 0).max((-2, -1)) < 0.15

    angles = 2 * np.pi / 5
    names = np.select(
        [
            (count == 2) & all_near([0]),
            (count == 3) & all_near([0, -1]),
            (count == 4) & all_near([0, -1]),
            (count == 5) & all_near([np.cos(angles), np.cos(2 * angles)]),
        ],
        list(COLORS)[:4],
        "other",
    )
    return ds.assign(shape=(W.dims[:-2], names))


def shares(ds: xr.Dataset, density: float) -> dict[str, float]:
    """How often each arrangement occurs among the seeds at a density."""
    names = ds["shape"].sel(density=density, method="nearest").values
    return {name: float(np.mean(names == name)) for name in COLORS}


def draw_shares(ds: xr.Dataset) -> Figure:
    """What seeds become over density, and what the best of them is."""
    figure = Figure(figsize=(5.8, 2.8), layout="constrained")
    panel = figure.subplots()
    densities = np.sort(ds["density"].values)
    ordered = ds.sortby("density")
    names = ordered["shape"].transpose("density", "seed").values
    rows = [(names == name).mean(1) for name in COLORS]
    panel.stackplot(
        densities, rows, labels=list(COLORS), colors=list(COLORS.values()), step="mid"
    )
    best = js.best_seed(ordered)["shape"].values
    for name, color in COLORS.items():
        x = densities[best == name]
        panel.plot(x, np.full(len(x), 1.05), "s", color=color, ms=5, clip_on=False)
    panel.annotate("best seed", (densities[0], 1.1), fontsize=7, annotation_clip=False)
    panel.set(xscale="log", xlim=densities[[0, -1]], ylim=(0, 1))
    panel.set_xlabel("density (1 − sparsity)", fontsize=8)
    panel.set_ylabel("share of seeds", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right center", fontsize=8, frameon=False)
    return figure


def findings(ds: xr.Dataset) -> list[Finding]:
    """The paper's three panels beside ours."""
    stated = [
        ("2 dedicated", "sparsity 0: features 0 and 1 orthogonal at norm 1, the others 0"),
        ("2 pairs", "sparsity 0.8: four features in two antipodal pairs, the fifth at 0"),
        ("pentagon", "sparsity 0.9: all five features in a pentagon"),
    ]
    found = []
    for sparsity, (expected, text) in zip(SPARSITIES, stated, strict=True):
        cell = ds.sel(density=1 - sparsity, method="nearest")
        best = js.best_seed(cell)
        norms = ", ".join(f"{norm:.2f}" for norm in best["norm"].values)
        share = shares(ds, 1 - sparsity)
        others = ", ".join(f"{name} {100 * s:.0f} %" for name, s in share.items() if s > 0)
        costs = {
            name: float(cell["loss"].values[cell["shape"].values == name].min())
            for name in share
            if share[name] > 0
        }
        lowest = ", ".join(f"{name} {cost:.5f}" for name, cost in costs.items())
        found.append(
            Finding(
                text,
                f"best of {ds.sizes['seed']} seeds: {best['shape'].item()}, norms {norms}; "
                f"seeds: {others}; lowest loss: {lowest}",
                best["shape"].item() == expected,
            )
        )
    return found


def run(quick: bool = False) -> Outcome:
    """Trains the three panels, and densities between them."""
    steps, seeds, between = (1_500, 16, 3) if quick else (5_000, 100, 14)
    panels = 1 - np.array(SPARSITIES)
    densities = np.union1d(panels, js.log_densities(between, lowest=0.05).round(4))
    ds = train(densities[::-1], steps, seeds)
    at_panels = ds.sel(density=panels, method="nearest")
    return Outcome(
        findings=findings(ds),
        figures={
            "embeddings": plots.embeddings(at_panels, limit=1.3),
            "shares": draw_shares(ds),
        },
        datasets={"introduction": ds},
    )


EXPERIMENT = Experiment(
    title="Five features in two dimensions",
    source="Introduction, first figure",
    minutes=1.1,
    run=run,
)

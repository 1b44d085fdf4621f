r"""Is superposition a phase change, and does theory say where it happens?

Elhage et al. 2022, "Superposition as a Phase Change": two features in one dimension, or
three in two, of which the last, the extra one, has the relative importance 0.1 to 10 and
all the density 1 to 0.01. Ten models are trained for each point; the paper drops the one
of highest loss and averages the rest. Theory compares solutions set by hand
(`jsuper.theory.phases`). The paper states no training settings and no number of points:
recipe and grid are ours, and so are the best of ten beside the paper's rule, and losses
by quadrature, so that no model is chosen for a lucky sample. A comment in the paper (by
T. McGrath) reports a further phase of models without bias, which are trained too.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from jax import lax

import jsuper as js
from jsuper.experiments.outcome import Experiment, Finding, Outcome
from jsuper.experiments.phase_change import crossing
from jsuper.plots import solutions, style
from jsuper.plots.style import Figure
from jsuper.theory.phases import best_phase, nearest_phase, phase_losses, phase_weights

LOWEST_DENSITY = 0.01
IMPORTANCES = (0.1, 10.0)
BATCH_SIZE = 512
NEAR = 0.1
"""Decades of density or importance within which a boundary counts as near."""

NODES = {2: 32, 3: 16}
"""Quadrature nodes for an active feature, by number of features."""


def task(n_features: int, density, importance) -> js.Task:
    """One feature more than dimensions; the last has another importance."""
    return js.Task(
        js.SparseFeatures(n_features, density),
        js.ToyModel(n_features, n_features - 1),
        jnp.append(jnp.ones(n_features - 1), importance),
    )


def two_features(density, importance) -> js.Task:
    """Two features in one dimension."""
    return task(2, density, importance)


def three_features(density, importance) -> js.Task:
    """Three features in two dimensions."""
    return task(3, density, importance)


@functools.cache
def weights_only(steps: int) -> optax.GradientTransformation:
    """The same optimizer for W; biases stay at 0."""

    def keep_biases(updates, params):
        del params
        return {**updates, "b": jnp.zeros_like(updates["b"])}

    return optax.chain(js.decaying_adam(steps), optax.stateless(keep_biases))


def train(build, densities, importances, seeds: int, optimizer, steps: int) -> xr.Dataset:
    """Trains a grid; its losses are exact, summed over features, and comparable."""
    ds = js.sweep(
        build,
        {"density": densities, "importance": importances, "seed": seeds},
        js.Recipe(steps, BATCH_SIZE, optimizer, log_every=steps // 20, eval_batches=1),
        key=jax.random.key(0),
    )
    s, r, _ = xr.broadcast(ds["density"], ds["importance"], ds["seed"])
    models = (ds["W"], ds["b"], s, r)
    flat = [
        jnp.asarray(a.values, jnp.float32).reshape(s.size, *a.shape[3:]) for a in models
    ]
    loss = np.asarray(population_losses(*flat), float).reshape(s.shape)
    attrs = {"long_name": "loss, sum over features"}
    phase = (ds["loss"].dims, nearest_phase(ds["W"].values))
    return js.measure(ds.assign(loss=(ds["loss"].dims, loss, attrs), phase=phase))


@jax.jit
def population_losses(W, b, density, importance) -> jax.Array:
    """Losses without sampling noise, by Gauss-Legendre quadrature over active features.

    Args:
        W: Weights, shape (models, n_features, n_hidden).
        b: Biases, shape (models, n_features).
        density: Shape (models,).
        importance: Importance of the last feature, shape (models,).

    Returns:
        Losses summed over features, shape (models,).
    """
    n = b.shape[-1]
    points, masses = np.polynomial.legendre.leggauss(NODES[n])
    nodes = np.append(0.0, (points + 1) / 2)  # a feature is 0, or somewhere on [0, 1]
    x = np.stack([axis.ravel() for axis in np.meshgrid(*[nodes] * n)], -1)
    x = jnp.asarray(x, jnp.float32)

    def loss(model):
        W, b, s, r = model
        mass = jnp.append(1 - s, s * jnp.asarray(masses / 2, jnp.float32))
        masses_of_x = [axis.ravel() for axis in jnp.meshgrid(*[mass] * n)]
        error = x - jax.nn.relu(x @ W @ W.T + b)
        weighted = error**2 @ jnp.append(jnp.ones(n - 1), r)
        return jnp.sum(functools.reduce(jnp.multiply, masses_of_x) * weighted)

    return lax.map(loss, (W, b, density, importance), batch_size=64)


def predicted(ds: xr.Dataset, bias: bool = True) -> tuple[xr.DataArray, xr.DataArray]:
    """The best candidate of each cell, and whether no boundary is near."""
    n = ds.sizes["feature"]
    s, r = xr.broadcast(ds["density"], ds["importance"])
    best = best_phase(n, s.values, r.values, bias=bias)
    same = np.ones(best.shape, bool)
    for angle in 2 * np.pi * np.arange(16) / 16:
        s_there = np.minimum(s.values * 10 ** (NEAR * np.sin(angle)), 1.0)
        r_there = r.values * 10 ** (NEAR * np.cos(angle))
        same &= best_phase(n, s_there, r_there, bias=bias) == best
    return s.copy(data=best), s.copy(data=same)


def without_worst(ds: xr.Dataset) -> xr.Dataset:
    """The paper's rule: drops the model of highest loss and averages the others."""
    kept = ds["seed"] != ds["loss"].idxmax("seed")
    return ds[["norm", "superposition"]].where(kept).mean("seed")


def regions(name: str, ds: xr.Dataset, bias: bool = True) -> Finding:
    """Compares the best models with the best candidates."""
    best, (phase, clear) = js.best_seed(ds), predicted(ds, bias)
    right = best["phase"] == phase
    alone = (ds["phase"] == phase).mean("seed")
    shares = ", ".join(
        f"{candidate} {float((best['phase'] == candidate).mean()):.0%}"
        for candidate in phase_weights(ds.sizes["feature"])
    )
    away = float(right.where(clear).mean())
    return Finding(
        name,
        f"best of {ds.sizes['seed']} in the predicted class in {float(right.mean()):.1%} "
        f"of {right.size} cells, {away:.1%} of those further than {NEAR:g} decades from a "
        f"boundary (cells: {shares}); a single seed in {float(alone.mean()):.0%}, over "
        f"cells {float(alone.min()):.0%} to {float(alone.max()):.0%}",
        away >= 0.95,
    )


def extra_region(norm, superposition):
    """0 where the extra feature is ignored, 1 where dedicated, 2 where superposed."""
    return np.where(norm < 0.5, 0, np.where(superposition < 0.5, 1, 2))


def averaging(*maps: xr.Dataset) -> Finding:
    """Reads the extra feature's region off the paper's average and off the best model."""
    texts, least = [], 1.0
    for ds in maps:
        (phase, clear), wanted = predicted(ds), solutions.extra_feature(ds.sizes["feature"])
        region = phase.copy(data=np.zeros(phase.shape))
        for name, numbers in wanted.items():
            region = region.where(phase != name, extra_region(*numbers))
        right = {}
        for rule, read in (("best", js.best_seed(ds)), ("mean", without_worst(ds))):
            last = read.isel(feature=-1)
            found = extra_region(last["norm"], last["superposition"])
            right[rule] = float((region == found).where(clear).mean())
        texts.append(
            f"{ds.sizes['feature']} features: mean {right['mean']:.1%}, best model "
            f"{right['best']:.1%}"
        )
        least = min(least, right["mean"])
    return Finding(
        "the mean over ten models but the worst shows these regions",
        "cells away from boundaries whose extra feature is of the predicted kind: "
        + "; ".join(texts),
        least >= 0.95,
    )


def shortfall(ds: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Best trained loss over best candidate's, and the lowest candidate's loss."""
    s, r = xr.broadcast(ds["density"], ds["importance"])
    losses = phase_losses(ds.sizes["feature"], s.values, r.values)
    best = s.copy(data=np.min(list(losses.values()), axis=0))
    return ds["loss"].min("seed") / best, best


def bounds(two: xr.Dataset, three: xr.Dataset) -> Finding:
    """Compares trained losses with the candidates', which are upper bounds."""
    texts, reached = [], []
    for n, ds in ((2, two), (3, three)):
        ratio, _ = shortfall(ds)
        lowest = ratio.stack(cell=("density", "importance")).idxmin("cell").item()
        reached.append(float((ratio < 1.01).mean()))
        texts.append(
            f"{n} features: at most 1.01 times the candidate in {reached[-1]:.1%} of "
            f"cells, median {float(ratio.median()):.3f}, least {float(ratio.min()):.3f} at "
            f"density {lowest[0]:.2g}, importance {lowest[1]:.2g}"
        )
    return Finding(
        "theory's solutions are the best ones",
        "; ".join(texts) + " (free weights and biases do slightly better)",
        min(reached) >= 0.95,
    )


def draw_maps(rows: dict[str, tuple[xr.Dataset, bool]]) -> Figure:
    """Theory, the best of the seeds and the paper's average, a row for each setting."""
    height = 2.5 * len(rows) + 0.5
    figure = Figure(figsize=(9.6, height), layout="constrained", dpi=150)
    axes = figure.subplots(
        len(rows), 4, squeeze=False, width_ratios=[1, 1, 1, 0.36], sharey="col"
    )
    r, s = np.geomspace(*IMPORTANCES, 301), np.geomspace(LOWEST_DENSITY, 1, 301)
    for row, (name, (ds, bias)) in zip(axes, rows.items(), strict=True):
        seeds, n = ds.sizes["seed"], ds.sizes["feature"]
        solutions.draw_theory(row[0], r, s, n, bias)
        trained = {
            f"trained, best of {seeds}": js.best_seed(ds),
            f"trained, mean of {seeds} but the worst": without_worst(ds),
        }
        for panel, (title, read) in zip(row[1:3], trained.items(), strict=True):
            last = read.isel(feature=-1).transpose("density", "importance", ...)
            solutions.draw_phases(
                panel,
                ds["importance"].values,
                ds["density"].values,
                last["norm"].values,
                last["superposition"].values,
            )
            solutions.draw_boundaries(panel, r, s, n, bias)
            panel.set_title(title, fontsize=9)
        row[0].set_title("theory", fontsize=9)
        row[0].set_ylabel(f"{name}\n\ndensity (1 − sparsity)", fontsize=8)
        for panel in row[:3]:
            panel.set(xlim=IMPORTANCES, ylim=(LOWEST_DENSITY, 1))
            panel.tick_params(labelsize=7)
            panel.xaxis.set_major_formatter(lambda x, _: style.number(x))
            panel.yaxis.set_major_formatter(lambda y, _: style.number(y))
            panel.set_xlabel("relative importance of the extra feature", fontsize=8)
        for panel in row[1:3]:
            panel.tick_params(labelleft=False)
        row[3].axis("off")
    key = axes[0, 3]
    key.axis("on")
    solutions.draw_key(key)
    return figure


def run(quick: bool = False) -> Outcome:
    """Trains both maps, the map without bias and the section, and compares."""
    size, seeds, steps, points = (8, 6, 800, 16) if quick else (40, 10, 2_500, 40)
    adam = js.decaying_adam(steps)

    def grid(n):
        return js.log_densities(n, LOWEST_DENSITY), np.geomspace(*IMPORTANCES, n)

    two = train(two_features, *grid(size), seeds, adam, steps)
    three = train(three_features, *grid(size), seeds, adam, steps)
    without = grid(min(size, 24))
    unbiased = train(two_features, *without, seeds, weights_only(steps), steps)
    section = train(two_features, *crossing.axes(points), seeds, adam, steps)

    findings = [
        regions(
            "2 features in 1 dimension: extra ignored, dedicated or in an antipodal pair",
            two,
        ),
        regions("3 features in 2 dimensions: four regions, as theory draws them", three),
        averaging(two, three),
        bounds(two, three),
        *crossing.first_order(section),
        regions(
            "without bias a phase of W₁ ≈ W₂ ≈ 1/√2 appears at high density (comment)",
            unbiased,
            bias=False,
        ),
    ]
    figures = {
        "maps": draw_maps(
            {
                "2 features, 1 dimension": (two, True),
                "3 features, 2 dimensions": (three, True),
            }
        ),
        "without_bias": draw_maps({"2 features, no bias": (unbiased, False)}),
        "crossing": crossing.draw(section),
    }
    datasets = {
        "two_features": two,
        "three_features": three,
        "without_bias": unbiased,
        "section": section,
    }
    return Outcome(findings, figures, datasets)


EXPERIMENT = Experiment(
    title="Superposition as a phase change",
    source="Elhage et al. 2022, Superposition as a Phase Change",
    minutes=1.7,
    run=run,
)

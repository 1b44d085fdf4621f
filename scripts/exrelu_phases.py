"""Does ExReLU remove superposition? A density x threshold phase map, and why it is so.

Trains five features in two dimensions over 12 densities, 12 thresholds and 8 seeds,
draws Figure 2 of Murphy and Qiao's review and the phase map around it, and compares
both with the closed forms of the antipodal pair. Run it with

    python scripts/exrelu_phases.py --out out
"""

import argparse
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from matplotlib.figure import Figure

import jsuper as js
from jsuper import plots, theory

IMPORTANCE = 0.9 ** np.arange(5)
# The review's ten densities, from 1 down to 1/20, and two more at the same spacing.
DENSITIES = 20.0 ** (-np.arange(12) / 9)
THRESHOLDS = [-1, -0.75, -0.6, -0.5, -0.45, -0.4, -0.3, -0.25, -0.2, -0.1, 0, 0.1]
PAIR_DENSITIES = [0.01, 0.02, 0.05]
PAIR_THRESHOLDS = [-0.1, -0.2, -0.3, -0.4, -0.44, -0.48, -0.5, -0.52, -0.54, -0.58, -0.65]


def task(density, threshold):
    """Five features of importance 0.9^i in two dimensions."""
    return js.Task(
        features=js.SparseFeatures(5, density),
        model=js.ToyModel(5, 2, threshold),
        importance=IMPORTANCE,
    )


def pair_task(density, threshold):
    """Two equal features in one dimension."""
    return js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 1, threshold))


def train_pairs(recipe: js.Recipe, n_seeds: int) -> xr.DataArray:
    """Returns -W_1 · W_2 after training from small opposite weights and from the pair."""
    density, threshold = np.meshgrid(PAIR_DENSITIES, PAIR_THRESHOLDS, indexing="ij")
    tasks = jax.vmap(pair_task)(jnp.array(density.ravel()), jnp.array(threshold.ravel()))
    train_key, start_key = jax.random.split(jax.random.key(1))
    keys = jax.random.split(train_key, n_seeds)
    sizes = jax.random.uniform(start_key, (n_seeds, 2, 1), minval=0.01, maxval=0.1)
    products = []
    for start in (sizes, jnp.ones_like(sizes)):
        W = jnp.broadcast_to(
            start * jnp.array([[1.0], [-1.0]]), (density.size, *sizes.shape)
        )
        params = {"W": W, "b": jnp.zeros(W.shape[:-1])}
        params, _ = js.train(tasks, keys, recipe, params)
        product = -np.prod(params["W"], axis=(-2, -1))
        products.append(product.reshape(*density.shape, n_seeds))
    return xr.DataArray(
        products,
        dims=("start", "density", "threshold", "seed"),
        coords={
            "start": ["small weights", "the pair"],
            "density": PAIR_DENSITIES,
            "threshold": PAIR_THRESHOLDS,
        },
    )


def ideal_losses(density, threshold) -> dict[str, float]:
    """Losses of solutions set by hand (t <= 0), as the mean over five features."""
    pair = theory.pair_loss(density, threshold, (0.5, 0.5))
    drop = theory.drop_loss(density, threshold)
    alone, first, second = IMPORTANCE[:2], IMPORTANCE[1:3], IMPORTANCE[:4]
    total = IMPORTANCE.sum()
    return {
        "2 dedicated": float((total - alone.sum()) * drop) / 5,
        "1 dedicated, 1 pair": float(first.sum() * pair + (total - 1 - first.sum()) * drop)
        / 5,
        "2 pairs": float(second.sum() * pair + (total - second.sum()) * drop) / 5,
    }


def draw_map(ds: xr.Dataset) -> Figure:
    """The phase map with the closed forms over it."""
    figure = plots.phase_map(ds, ["represented", "dedicated", "superposed"])
    t = np.linspace(min(THRESHOLDS), 0, 500)
    lines = {
        "one pair pays": (theory.pair_boundary(t, (0.9, 0.81)), "-"),
        "two pairs pay": (theory.pair_boundary(t, (1.0, 0.729)), "--"),
    }
    low, high = ds["density"].values.min(), ds["density"].values.max()
    for panel in figure.axes[:9]:
        limits = panel.get_xlim(), panel.get_ylim()
        for label, (density, style) in lines.items():
            inside = density > 0
            panel.plot(
                density[inside], t[inside], style, color="white", linewidth=1.4, label=label
            )
        panel.plot(
            [low, high],
            [theory.PAIR_LIMIT] * 2,
            ":",
            color="white",
            linewidth=1.6,
            label="gradient descent can hold a pair",
        )
        panel.set(xlim=limits[0], ylim=limits[1])
    figure.axes[0].legend(
        loc="lower left", fontsize=7, labelcolor="white", facecolor="0.2", framealpha=0.8
    )
    return figure


def draw_pairs(products: xr.DataArray) -> Figure:
    """Where trained pairs end, against the fixed point of the gradient they follow."""
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    panel = figure.subplots()
    t = np.linspace(theory.PAIR_LIMIT, 0, 400)
    panel.plot(t, theory.pair_fixed_point(t), color="0.2", label="fixed point, density → 0")
    for limit, text in (
        (theory.PAIR_LIMIT, "no fixed point"),
        (-0.5, "out of reach"),
    ):
        panel.axvline(limit, color="0.7", linewidth=0.8, zorder=0)
        panel.annotate(
            text, (limit, 0.06), rotation=90, fontsize=7, ha="right", color="0.35"
        )
    colors = {0.01: "#0072b2", 0.02: "#009e73", 0.05: "#d55e00"}
    for start, marker in (("the pair", "o"), ("small weights", "x")):
        for density in PAIR_DENSITIES:
            ends = products.sel(start=start, density=density)
            panel.errorbar(
                ends["threshold"],
                ends.mean("seed"),
                ends.std("seed"),
                fmt=marker,
                color=colors[density],
                markerfacecolor="none",
                markersize=5,
                linewidth=0.9,
                label=f"from {start}, density {density}",
            )
    panel.set(
        xlabel="ExReLU threshold t",
        ylabel="$-W_1 \\cdot W_2$ after training",
        ylim=(0, 1.08),
    )
    panel.legend(fontsize=7, loc="lower right")
    return figure


def report(ds: xr.Dataset, products: xr.DataArray) -> str:
    """The finding in numbers."""
    best = js.best_seed(ds)
    lines = [
        "superposed features by density (rows: threshold), best seed | mean over seeds"
    ]
    lines.append("      t  " + "".join(f"{p:6.2f}" for p in ds["density"].values))
    for threshold in ds["threshold"].values[::-1]:
        at_best = best["superposed"].sel(threshold=threshold).values
        mean = ds["superposed"].sel(threshold=threshold).mean("seed").values
        lines.append(
            f"{threshold:7.2f}  "
            + "".join(f"{v:6.0f}" for v in at_best)
            + "  |"
            + "".join(f"{v:5.1f}" for v in mean)
        )
    density = float(ds["density"].values[-1])
    lines.append(f"\nloss / density at density {density:.4f}: trained, and set by hand")
    for threshold in ds["threshold"].values[::-1]:
        if threshold > 0:
            continue
        trained = float(best["loss"].sel(threshold=threshold, density=density)) / density
        ideal = ideal_losses(density, threshold)
        lines.append(
            f"{threshold:7.2f}  trained {trained:.4f}  "
            + "  ".join(f"{name} {loss / density:.4f}" for name, loss in ideal.items())
        )
    lines.append("\n-W_1·W_2 of two equal features in one dimension, mean ± std over seeds")
    for threshold in products["threshold"].values:
        ends = products.sel(threshold=threshold)
        row = [
            f"{float(e.mean('seed')):.3f} ± {float(e.std('seed')):.3f}"
            for e in (
                ends.sel(start=s, density=p)
                for s in ends["start"].values
                for p in PAIR_DENSITIES
            )
        ]
        theory_value = float(theory.pair_fixed_point(threshold))
        lines.append(f"{threshold:7.2f}  theory {theory_value:.3f}  " + "  ".join(row))
    return "\n".join(lines)


def main() -> None:
    """Trains, draws, and writes everything to a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder to write to")
    parser.add_argument("--steps", type=int, default=10_000, help="training steps")
    parser.add_argument("--seeds", type=int, default=8, help="seeds per cell")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    js.use_cpu_cores()

    ds = js.sweep(
        task,
        {"density": DENSITIES, "threshold": THRESHOLDS, "seed": options.seeds},
        js.Recipe(steps=options.steps, batch_size=1024),
        key=jax.random.key(0),
    )
    ds = js.measure(ds)
    products = train_pairs(
        js.Recipe(steps=options.steps, optimizer=optax.adam(1e-3)), options.seeds
    )

    out = options.out
    js.save(ds, out / "exrelu.nc", force=True)
    review = ds.sel(threshold=[0, -0.25]).isel(density=slice(10))
    figures = {
        "embeddings.png": plots.embeddings(review),
        "dimensionality.png": plots.dimensionality(review),
        "phase_map.png": draw_map(ds),
        "pairs.png": draw_pairs(products),
        "loss.png": plots.loss_curves(review),
    }
    for name, figure in figures.items():
        figure.savefig(out / name, dpi=160)
    findings = report(ds, products)
    (out / "findings.txt").write_text(findings + "\n")
    print(findings)
    print(f"\nWritten to {out}/: exrelu.nc, findings.txt, {', '.join(figures)}")


if __name__ == "__main__":
    main()

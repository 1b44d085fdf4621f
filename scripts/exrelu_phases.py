"""Does ExReLU remove superposition? A density x threshold phase map.

Trains five features in two dimensions over 12 densities, 12 thresholds and 8 seeds, and
draws Figure 2 of Murphy and Qiao's review and the phase map around it, with the density
below which an antipodal pair beats dropping a feature. Run it with

    python scripts/exrelu_phases.py --out out
"""

import argparse
from pathlib import Path

import jax
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

import jsuper as js
from jsuper import plots, theory

IMPORTANCE = 0.9 ** np.arange(5)
# The review's ten densities, from 1 down to 1/20, and two more at the same spacing.
DENSITIES = 20.0 ** (-np.arange(12) / 9)
THRESHOLDS = [-1, -0.75, -0.6, -0.5, -0.45, -0.4, -0.3, -0.25, -0.2, -0.1, 0, 0.1]


def task(density, threshold):
    """Five features of importance 0.9^i in two dimensions."""
    return js.Task(
        features=js.SparseFeatures(5, density),
        model=js.ToyModel(5, 2, threshold),
        importance=IMPORTANCE,
    )


def draw_map(ds: xr.Dataset) -> Figure:
    """The phase map with the closed forms over it."""
    figure = plots.phase_map(ds, ["represented", "dedicated", "superposed"])
    t = np.linspace(min(THRESHOLDS), 0, 500)
    lines = {
        "left: one pair pays": (theory.pair_boundary(t, (0.9, 0.81)), "-"),
        "left: two pairs pay": (theory.pair_boundary(t, (1.0, 0.729)), "--"),
    }
    low, high = ds["density"].values.min(), ds["density"].values.max()
    outline = [withStroke(linewidth=2.6, foreground="0.15")]
    for panel in figure.axes[:9]:
        limits = panel.get_xlim(), panel.get_ylim()
        for label, (density, style) in lines.items():
            inside = density > 0
            panel.plot(
                density[inside],
                t[inside],
                style,
                color="white",
                linewidth=1.4,
                label=label,
                path_effects=outline,
            )
        panel.plot(
            [low, high],
            [theory.PAIR_LIMIT] * 2,
            ":",
            color="white",
            linewidth=1.6,
            label="below: no pair at rest",
            path_effects=outline,
        )
        panel.set(xlim=limits[0], ylim=limits[1])
    figure.axes[0].legend(
        loc="lower left", fontsize=7, labelcolor="white", facecolor="0.2", framealpha=0.8
    )
    return figure


def report(ds: xr.Dataset) -> str:
    """The number of superposed features in every cell."""
    best = js.best_seed(ds)["superposed"]
    mean = ds["superposed"].mean("seed")
    parts = []
    for title, counts in (("best seed", best), ("mean over seeds", mean)):
        table = counts.transpose("threshold", "density").to_pandas().iloc[::-1]
        table.columns = [f"{density:.3f}" for density in table.columns]
        parts.append(f"features superposed, {title} (columns: density)")
        parts.append(table.round(1).to_string())
    return "\n".join(parts)


def main() -> None:
    """Trains, draws, and writes everything to a folder."""
    parser = argparse.ArgumentParser(description="Train, draw and count.")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder to write to")
    parser.add_argument("--steps", type=int, default=10_000, help="training steps")
    parser.add_argument("--seeds", type=int, default=8, help="seeds per cell")
    options = parser.parse_args()
    js.use_cpu_cores()

    ds = js.sweep(
        task,
        {"density": DENSITIES, "threshold": THRESHOLDS, "seed": options.seeds},
        js.Recipe(steps=options.steps, batch_size=1024, eval_batches=256),
        key=jax.random.key(0),
    )
    ds = js.measure(ds)

    options.out.mkdir(parents=True, exist_ok=True)
    js.save(ds, options.out / "exrelu.nc", force=True)
    review = ds.sel(threshold=[0, -0.25]).isel(density=slice(10))
    figures = {
        "embeddings.png": plots.embeddings(review),
        "dimensionality.png": plots.dimensionality(review),
        "phase_map.png": draw_map(ds),
        "loss.png": plots.loss_curves(review),
    }
    for name, figure in figures.items():
        figure.savefig(options.out / name, dpi=160)
    print(report(ds))
    print(f"Written to {options.out}/: exrelu.nc, {', '.join(figures)}")


if __name__ == "__main__":
    main()

"""The phase map, single runs, pairs from two starts, and pentagons at lower thresholds."""

from dataclasses import dataclass

import jax
import numpy as np
import optax
import xarray as xr

import jsuper as js
from jsuper.experiments.experiment import setting

IMPORTANCE = 0.9 ** np.arange(5)
PAIR_DENSITIES = (0.01, 0.02, 0.05)


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    # The review's ten densities, from 1 down to 1/20, and two more at the same spacing.
    densities: tuple[float, ...] = tuple((20.0 ** (-np.arange(12) / 9)).tolist())
    thresholds: tuple[float, ...] = (
        *(-1.0, -0.75, -0.6, -0.5, -0.45, -0.4, -0.3, -0.25, -0.2, -0.1, 0.0, 0.1),
    )
    seeds: int = 8
    steps: int = 10_000
    runs_density: float = setting(0.05, "density of single runs")
    runs_thresholds: tuple[float, ...] = setting(
        (0.0, -0.1, -0.25, -0.4, -0.45, -0.5, -0.55, -0.6), "thresholds of single runs"
    )
    runs_seeds: int = setting(64, "seeds of single runs")
    pair_thresholds: tuple[float, ...] = setting(
        (-0.65, -0.58, -0.54, -0.52, -0.5, -0.48, -0.44, -0.4, -0.3, -0.2, -0.1),
        "thresholds of pairs",
    )
    pentagon_thresholds: tuple[float, ...] = setting(
        (-0.35, -0.3, -0.25, -0.2, -0.15, -0.125, -0.1, -0.05, 0.0),
        "thresholds of pentagons",
    )
    restarts: int = setting(4, "seeds of pairs and pentagons")
    batches: int = setting(1_024, "batches of the loss measured again")


FULL = Settings()
QUICK = Settings(
    densities=(1.0, 0.26, 0.05),
    thresholds=(-0.6, -0.25, 0.0),
    seeds=4,
    steps=5_000,
    runs_thresholds=(0.0, -0.25, -0.6),
    runs_seeds=16,
    pair_thresholds=(-0.58, -0.4),
    pentagon_thresholds=(-0.2, -0.1, 0.0),
    restarts=2,
    batches=128,
)


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


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains and measures everything."""
    recipe = js.Recipe(settings.steps, eval_batches=256)
    axes = {
        "density": settings.densities,
        "threshold": settings.thresholds,
        "seed": settings.seeds,
    }
    ds = js.measure(js.sweep(task, axes, recipe, key=jax.random.key(0)))
    axes = {
        "density": [settings.runs_density],
        "threshold": settings.runs_thresholds,
        "seed": settings.runs_seeds,
    }
    runs = js.measure(js.sweep(task, axes, recipe, key=jax.random.key(3)))
    sparsest = js.best_seed(ds.isel(density=-1))
    fresh = {"key": jax.random.key(4), "batches": settings.batches}
    return {
        "map": ds,
        "runs": runs.isel(density=0),
        "sparsest": js.losses(task, sparsest, **fresh),
        "pairs": train_pairs(settings),
        "pentagons": pentagons(sparsest.sel(threshold=0.0), settings, recipe, fresh),
    }


def train_pairs(settings: Settings) -> xr.Dataset:
    """Pairs trained from small opposite weights, and from the ideal pair itself."""
    signs = xr.DataArray([[1.0], [-1.0]], dims=("feature", "hidden"))
    sizes = np.random.default_rng(1).uniform(0.01, 0.1, (settings.restarts, 2, 1))
    small = xr.DataArray(sizes, {"seed": range(settings.restarts)}, ("seed", *signs.dims))
    # Without weight decay, whose pull the fixed point does not know.
    recipe = js.Recipe(settings.steps, optimizer=optax.adam(1e-3), eval_batches=1)
    axes = {
        "density": PAIR_DENSITIES,
        "threshold": settings.pair_thresholds,
        "seed": settings.restarts,
    }

    def started(W):
        start = xr.Dataset({"W": W.astype(np.float32), "b": ("feature", np.zeros(2))})
        return js.sweep(pair_task, axes, recipe, key=jax.random.key(1), start=start)

    return js.concat(
        {"small weights": started(signs * small), "the pair": started(signs)}, "start"
    )


def pentagons(
    found: xr.Dataset, settings: Settings, recipe: js.Recipe, fresh: dict
) -> xr.Dataset:
    """ReLU's pentagon set into models with lower thresholds, and trained on.

    Biases move just below the threshold where they are not: an output whose bias reaches
    the threshold is no longer silent.

    Returns:
        The trained models, with the loss of what they started from as ``loss_as_set``.
    """
    values = np.array(settings.pentagon_thresholds)
    thresholds = xr.DataArray(values, {"threshold": values}, "threshold")
    density, given = found["density"].item(), found[["W", "b"]].reset_coords(drop=True)
    start = given.assign(b=np.minimum(given["b"], thresholds - 0.01))
    given = start.assign_coords(density=density)
    as_set = js.losses(task, given, **fresh)["loss"]
    trained = js.sweep(
        task,
        {"density": [density], "threshold": values, "seed": settings.restarts},
        recipe,
        key=jax.random.key(2),
        start=start,
    )
    trained = js.losses(task, trained, **fresh).isel(density=0)
    return js.measure(trained).assign(loss_as_set=as_set)

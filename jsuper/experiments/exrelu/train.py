"""The phase map, single runs, pairs from two starts, and pentagons at lower thresholds."""

import functools
from dataclasses import dataclass

import jax
import numpy as np
import optax
import xarray as xr
from jax.typing import ArrayLike

import jsuper as js
from jsuper.experiments.experiment import setting

IMPORTANCE = 0.9 ** np.arange(5)


@dataclass(frozen=True)
class Settings:
    """Densities, thresholds and numbers of models."""

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
)


def task(
    density, threshold, sizes: tuple[int, int] = (5, 2), importance: ArrayLike = IMPORTANCE
) -> js.Task:
    """Five features of importance 0.9^i in two dimensions, or models of other sizes."""
    features = js.SparseFeatures(sizes[0], density)
    return js.Task(features, js.ToyModel(*sizes, threshold), importance=importance)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains and measures everything."""
    s, recipe = settings, js.Recipe(settings.steps)

    def fit(densities, thresholds, seeds: int, key: int, **more) -> xr.Dataset:
        axes = {"density": densities, "threshold": thresholds, "seed": seeds}
        return js.measure(js.sweep(task, axes, recipe, key=jax.random.key(key), **more))

    ds = fit(s.densities, s.thresholds, s.seeds, 0)
    runs = fit([s.runs_density], s.runs_thresholds, s.runs_seeds, 3)
    sparsest = js.best_seed(ds.isel(density=-1))
    # ReLU's pentagon is set into models with lower thresholds. Biases move just below the
    # threshold where they are not: an output whose bias reaches it is no longer silent.
    values, density = np.array(s.pentagon_thresholds), sparsest["density"].item()
    start = sparsest.sel(threshold=0.0)[["W", "b"]].reset_coords(drop=True)
    thresholds = xr.DataArray(values, {"threshold": values}, "threshold")
    start = start.assign(b=np.minimum(start["b"], thresholds - 0.01))
    as_set = js.losses(task, start.assign_coords(density=density), key=jax.random.key(4))
    pentagons = fit([density], values, s.restarts, 2, start=start).isel(density=0)
    return {
        "map": ds,
        "runs": runs.isel(density=0),
        "sparsest": sparsest,
        "pairs": train_pairs(s.pair_thresholds, s.restarts, s.steps),
        "pentagons": pentagons.assign(loss_as_set=as_set["loss"]),
    }


def train_pairs(thresholds, seeds: int, steps: int) -> xr.Dataset:
    """Two equal features in one dimension, from small weights and the ideal pair."""
    signs = xr.DataArray([[1.0], [-1.0]], dims=("feature", "hidden"))
    sizes = np.random.default_rng(1).uniform(0.01, 0.1, (seeds, 2, 1))
    small = signs * xr.DataArray(sizes, {"seed": range(seeds)}, ("seed", *signs.dims))
    build = functools.partial(task, sizes=(2, 1), importance=1.0)
    # Without weight decay, whose pull the fixed point does not know.
    recipe = js.Recipe(steps, optimizer=optax.adam(1e-3))
    axes = {"density": (0.01, 0.02, 0.05), "threshold": thresholds, "seed": seeds}
    trained = {}
    for name, W in {"small weights": small, "the pair": signs}.items():
        start = xr.Dataset({"W": W.astype(np.float32), "b": ("feature", np.zeros(2))})
        trained[name] = js.sweep(build, axes, recipe, key=jax.random.key(1), start=start)
    return js.concat(trained, "start")

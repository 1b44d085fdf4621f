"""Uniform features that become digons, and two correlated sets, along training."""

import functools
from dataclasses import dataclass

import jax
import numpy as np
import optax
import xarray as xr

import jsuper as js

N_FEATURES, N_HIDDEN, DENSITY = 60, 10, 1 / 3
SET_SIZE, SET_DENSITY, INIT_STD = 3, 0.05, 0.1


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version, and the rest of the recipe."""

    level_seeds: int = 8
    level_steps: int = 5_000
    level_snapshots: int = 150
    stage_seeds: int = 32
    stage_steps: int = 6_000
    stage_snapshots: int = 90
    batch_size: int = 1_024
    rate: float = 0.003


FULL = Settings()
QUICK = Settings(
    level_seeds=4,
    level_steps=3_000,
    level_snapshots=60,
    stage_seeds=8,
    stage_steps=3_000,
    stage_snapshots=40,
)


def digons(density) -> js.Task:
    """Features of equal importance at a density where they form digons."""
    features = js.SparseFeatures(N_FEATURES, density)
    return js.Task(features, js.ToyModel(N_FEATURES, N_HIDDEN))


def two_sets(density) -> js.Task:
    """Two correlated sets of three features in three dimensions."""
    model = js.ToyModel(2 * SET_SIZE, SET_SIZE, init_std=INIT_STD)
    return js.Task(js.CorrelatedFeatures(2, SET_SIZE, density), model)


@functools.cache
def constant_adam(rate: float) -> optax.GradientTransformation:
    """Adam whose rate stays as it is."""
    return optax.adam(rate)


def snapshot_steps(first: int, last: int, count: int) -> list[int]:
    """Steps of the snapshots: 0, then log-spaced."""
    return [0, *np.unique(np.geomspace(first, last, count).astype(int)).tolist()]


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains both kinds of models, and measures them along the way."""
    s = settings
    optimizer = constant_adam(s.rate)

    def along_training(task, density, seeds, steps, snapshots):
        recipe = js.Recipe(steps, s.batch_size, optimizer, eval_batches=32)
        axes = {"density": [density], "seed": seeds}
        at = snapshot_steps(3, steps, snapshots)
        ds = js.snapshots(task, axes, recipe, key=jax.random.key(0), at=at)
        return js.measure(ds.isel(density=0))

    return {
        "levels": along_training(
            digons, DENSITY, s.level_seeds, s.level_steps, s.level_snapshots
        ),
        "stages": along_training(
            two_sets, SET_DENSITY, s.stage_seeds, s.stage_steps, s.stage_snapshots
        ),
    }

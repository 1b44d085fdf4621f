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

    level_seeds: int = 16
    level_steps: int = 5_000
    level_snapshots: int = 150
    stage_seeds: int = 32
    stage_steps: int = 6_000
    stage_snapshots: int = 90
    batch_size: int = 1_024
    rate: float = 0.003


FULL = Settings()
QUICK = Settings(4, 3_000, 60, 8, 3_000, 40)


def digons(density) -> js.Task:
    """Features of equal importance at a density where they form digons."""
    features = js.SparseFeatures(N_FEATURES, density)
    return js.Task(features, js.ToyModel(N_FEATURES, N_HIDDEN))


def two_sets(density) -> js.Task:
    """Two correlated sets of three features in three dimensions."""
    model = js.ToyModel(2 * SET_SIZE, SET_SIZE, init_std=INIT_STD)
    return js.Task(js.CorrelatedFeatures(2, SET_SIZE, density), model)


constant_adam = functools.cache(optax.adam)
"""Adam whose rate stays as it is, the same object for the same rate."""


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains both kinds of models, and measures them at log-spaced snapshots."""
    s = settings

    def along_training(task, density, seeds, steps, snapshots):
        optimizer = constant_adam(s.rate)
        recipe = js.Recipe(steps, s.batch_size, optimizer, eval_batches=32)
        axes = {"density": [density], "seed": seeds}
        at = [0, *np.unique(np.geomspace(3, steps, snapshots).astype(int)).tolist()]
        ds = js.snapshots(task, axes, recipe, key=jax.random.key(0), at=at)
        return js.measure(ds.isel(density=0))

    levels = digons, DENSITY, s.level_seeds, s.level_steps, s.level_snapshots
    stages = two_sets, SET_DENSITY, s.stage_seeds, s.stage_steps, s.stage_snapshots
    return {"levels": along_training(*levels), "stages": along_training(*stages)}

"""Uniform features that become digons, and two correlated sets, along training."""

from dataclasses import dataclass

import jax
import numpy as np
import optax
import xarray as xr

import jsuper as js


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    level_seeds: int = 16
    level_steps: int = 5_000
    level_snapshots: int = 150
    stage_seeds: int = 32
    stage_steps: int = 6_000
    stage_snapshots: int = 90


FULL = Settings()
QUICK = Settings(4, 3_000, 60, 8, 3_000, 40)


def digons() -> js.Task:
    """Features of equal importance at a density where they form digons."""
    return js.Task(js.SparseFeatures(60, 1 / 3), js.ToyModel(60, 10))


def two_sets() -> js.Task:
    """Two correlated sets of three features in three dimensions."""
    return js.Task(js.CorrelatedFeatures(2, 3, 0.05), js.ToyModel(6, 3, init_std=0.1))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains both kinds of models, and measures them at log-spaced snapshots."""
    s = settings

    def along_training(task, seeds, steps, snapshots):
        recipe = js.Recipe(steps, optimizer=optax.adam(0.003), eval_batches=32)
        at = [0, *np.unique(np.geomspace(3, steps, snapshots).astype(int)).tolist()]
        axes, key = {"seed": seeds}, jax.random.key(0)
        return js.measure(js.snapshots(task, axes, recipe, key=key, at=at))

    levels = along_training(digons, s.level_seeds, s.level_steps, s.level_snapshots)
    stages = along_training(two_sets, s.stage_seeds, s.stage_steps, s.stage_snapshots)
    return {"levels": levels, "stages": stages}

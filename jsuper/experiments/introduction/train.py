"""The paper's model, trained at its three sparsities and at densities between."""

from dataclasses import dataclass

import jax
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.introduction.measures import shapes

N_FEATURES, N_HIDDEN = 5, 2
RATIO = 0.9
"""Importance of a feature relative to the one before."""


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    sparsities: tuple[float, ...] = (0.0, 0.8, 0.9)
    densities_between: int = 14
    seeds: int = 100
    steps: int = 5_000


FULL = Settings()
QUICK = Settings(densities_between=3, seeds=16, steps=1_500)


def task(density):
    """The paper's model at one density."""
    importance = js.geometric_importance(N_FEATURES, RATIO)
    features = js.SparseFeatures(N_FEATURES, density)
    return js.Task(features, js.ToyModel(N_FEATURES, N_HIDDEN), importance)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains and measures models of many seeds, and names what each has become."""
    panels = 1 - np.array(settings.sparsities)
    between = js.log_densities(settings.densities_between, lowest=0.05).round(4)
    densities = np.union1d(panels, between)[::-1]
    recipe = js.Recipe(settings.steps, optimizer=js.decaying_adam)
    axes = {"density": densities, "seed": settings.seeds}
    ds = js.sweep(task, axes, recipe, key=jax.random.key(0))
    return {"models": shapes(js.measure(ds))}

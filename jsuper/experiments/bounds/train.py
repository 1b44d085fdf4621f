"""Models under an L1 penalty, and models of several sizes to hold against the bounds."""

from dataclasses import dataclass

import jax
import xarray as xr

import jsuper as js
from jsuper.experiments.bounds.measures import packing
from jsuper.experiments.experiment import setting

N_FEATURES, N_HIDDEN, RATIO = 20, 5, 0.7
"""Sizes of the penalised models, and importance of a feature relative to the one before."""

FEATURES_PER_DIMENSION = 30
"""n / m of the models held against the bounds: more than any of them represents."""


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    penalty_densities: tuple[float, ...] = setting((0.3, 0.1, 0.03), "penalty: densities")
    penalties: tuple[float, ...] = setting(
        (0.0, 0.003, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0),
        "penalty: weights λ",
    )
    penalty_seeds: int = setting(16, "penalty: seeds")
    penalty_steps: int = setting(1_500, "penalty: steps")
    sizes: tuple[int, ...] = setting((2, 5, 10), "bounds: hidden dimensions m")
    densities: int = setting(9, "bounds: densities, log-spaced from 1")
    lowest_density: float = setting(0.01, "bounds: lowest density")
    seeds: int = setting(4, "bounds: seeds")
    steps: int = setting(2_500, "bounds: steps")


FULL = Settings()
QUICK = Settings(
    penalty_densities=(0.1,),
    penalties=(0.0, 0.05, 0.5),
    penalty_seeds=2,
    penalty_steps=500,
    sizes=(4, 8),
    densities=4,
    lowest_density=0.03,
    seeds=2,
    steps=600,
)


def penalised_task(density, l1) -> js.Task:
    """Features of decreasing importance, with an L1 penalty on the hidden activations."""
    importance = js.geometric_importance(N_FEATURES, RATIO)
    features = js.SparseFeatures(N_FEATURES, density)
    return js.Task(features, js.ToyModel(N_FEATURES, N_HIDDEN), importance, l1=l1)


def packed_task(density, n_hidden: int) -> js.Task:
    """30 features of importance 1 for every hidden dimension."""
    n = FEATURES_PER_DIMENSION * n_hidden
    return js.Task(js.SparseFeatures(n, density), js.ToyModel(n, n_hidden))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains and measures both kinds of models."""
    return {"l1-penalty": penalised(settings), "packing": packed(settings)}


def penalised(settings: Settings) -> xr.Dataset:
    """Models over densities and penalties, with ``reconstruction_loss`` beside ``loss``.

    The first is measured without the penalty, on data of its own.
    """
    recipe = js.Recipe(settings.penalty_steps, optimizer=js.decaying_adam)
    axes = {
        "density": settings.penalty_densities,
        "l1": settings.penalties,
        "seed": settings.penalty_seeds,
    }
    ds = js.measure(js.sweep(penalised_task, axes, recipe, key=jax.random.key(0)))

    def without(density):
        return penalised_task(density, None)

    again = js.losses(without, ds, key=jax.random.key(1), batches=32)
    return ds.assign(reconstruction_loss=again["loss"])


def packed(settings: Settings) -> xr.Dataset:
    """Models of several sizes over densities, with what the bounds are about."""
    recipe = js.Recipe(settings.steps, optimizer=js.decaying_adam)
    densities = js.log_densities(settings.densities, settings.lowest_density)
    axes = {"n_hidden": settings.sizes, "density": densities, "seed": settings.seeds}
    return packing(js.measure(js.sweep(packed_task, axes, recipe, key=jax.random.key(2))))

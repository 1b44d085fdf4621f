"""All minima over density, and the densities at which the pentagon stops being one."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.energy_levels import limits
from jsuper.experiments.energy_levels.measures import with_levels
from jsuper.experiments.experiment import setting

IMPORTANCE = {"equal": np.ones(5), "decreasing": 0.9 ** np.arange(5)}


@dataclass(frozen=True)
class Settings:
    """Densities, and how their minima are looked for."""

    densities: int = setting(100, "densities from 1 to 0.01")
    starts: int = setting(1_000, "starts of each density")
    steps: int = setting(500, "steps of training before a model is polished")
    stride: float = setting(0.01, "following a minimum: largest step of ln(density)")


FULL = Settings()
QUICK = Settings(densities=5, starts=12, steps=200, stride=0.05)


def task(density, importance: str = "equal") -> js.Population:
    """Five features in two dimensions, on the expected loss."""
    weights = jnp.asarray(IMPORTANCE[importance])
    return js.Population(js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2), weights))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Finds the minima of every density, and follows the pentagon to where it ends."""
    axes = {"density": np.geomspace(1, 0.01, settings.densities)}
    recipe = js.Recipe(settings.steps, None, js.decaying_adam, log_every=settings.steps)
    found = {}
    for name, importance in IMPORTANCE.items():
        minima = js.minima(
            lambda density, name=name: task(density, name),
            axes,
            key=jax.random.key(0),
            starts=settings.starts,
            recipe=recipe,
        )
        levels = with_levels(minima)
        found[name] = levels.assign(limits.of_pentagon(levels, importance, settings.stride))
    return found

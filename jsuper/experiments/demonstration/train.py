"""The small model with and without ReLU, the larger one, and the notebook's."""

from dataclasses import dataclass

import jax
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.demonstration.measures import count


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version; no seeds: not trained."""

    densities: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
    small_seeds: int = 24
    linear_seeds: int = 8
    large_seeds: int = 4
    notebook_seeds: int = 2
    steps: int = 4_000


FULL = Settings()
QUICK = Settings(
    small_seeds=4, linear_seeds=4, large_seeds=0, notebook_seeds=0, steps=1_000
)


def small(density):
    """20 features in 5 dimensions."""
    return task(density, 20, 5, js.geometric_importance(20, 0.7))


def linear(density):
    """The same without ReLU."""
    return task(density, 20, 5, js.geometric_importance(20, 0.7), threshold=-np.inf)


def large(density):
    """80 features in 20 dimensions."""
    return task(density, 80, 20, js.geometric_importance(80, 0.9))


def notebook(density):
    """100 features in 20 dimensions, importance from 1 to 1/100."""
    return task(density, 100, 20, js.log_importance(100, 1 / 100))


def task(density, n_features, n_hidden, importance, threshold=0.0):
    """A model of one size at one density."""
    features = js.SparseFeatures(n_features, density)
    return js.Task(features, js.ToyModel(n_features, n_hidden, threshold), importance)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains all models that have seeds, measures them and counts their bars."""
    every_other = js.log_densities(20, lowest=1 / 20)[::2]
    grids = {
        "small": (small, settings.densities, settings.small_seeds),
        "linear": (linear, settings.densities, settings.linear_seeds),
        "large": (large, settings.densities, settings.large_seeds),
        "notebook": (notebook, every_other, settings.notebook_seeds),
    }
    recipe = js.Recipe(settings.steps, optimizer=js.decaying_adam, eval_batches=256)

    def trained(build, densities, seeds):
        axes = {"density": list(densities), "seed": seeds}
        ds = js.sweep(build, axes, recipe, key=jax.random.key(0))
        return count(js.measure(ds))

    return {name: trained(*grid) for name, grid in grids.items() if grid[-1]}

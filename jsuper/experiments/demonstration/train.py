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
    large_seeds: int = 8
    notebook_seeds: int = 2
    steps: int = 4_000


FULL = Settings()
QUICK = Settings(
    small_seeds=4, linear_seeds=4, large_seeds=0, notebook_seeds=0, steps=1_000
)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains all models that have seeds, measures them and counts their bars."""
    s = settings
    recipe = js.Recipe(s.steps, optimizer=js.decaying_adam, eval_batches=256)

    def trained(n, m, importance, densities, seeds, threshold=0.0):
        def build(density):
            features = js.SparseFeatures(n, density)
            return js.Task(features, js.ToyModel(n, m, threshold), importance)

        axes = {"density": densities, "seed": seeds}
        return count(js.measure(js.sweep(build, axes, recipe, key=jax.random.key(0))))

    small = 20, 5, js.geometric_importance(20, 0.7), s.densities
    every_other = js.log_densities(20, lowest=1 / 20)[::2]
    grids = {
        "small": (*small, s.small_seeds),
        "linear": (*small, s.linear_seeds, -np.inf),
        "large": (80, 20, js.geometric_importance(80, 0.9), s.densities, s.large_seeds),
        "notebook": (100, 20, js.log_importance(100, 0.01), every_other, s.notebook_seeds),
    }
    return {name: trained(*grid) for name, grid in grids.items() if grid[4]}

"""Models of equal features in two sizes, the density swept, and their polytopes."""

from dataclasses import dataclass

import jax
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.uniform.measures import off_balance
from jsuper.polytopes import feature_polytopes


def log_spaced(*ends: float, counts: tuple[int, ...]) -> tuple[float, ...]:
    """Densities from the first of ``ends`` to the last, so many steps between two."""
    stretches = zip(ends[:-1], ends[1:], counts, strict=True)
    found = [np.geomspace(a, b, n, endpoint=False) for a, b, n in stretches]
    return (*np.concatenate(found).tolist(), ends[-1])


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version, and the batch size.

    Models are given as (features, hidden dimensions). The small ones are trained at every
    other density.
    """

    large_model: tuple[int, int] = (400, 30)
    small_model: tuple[int, int] = (200, 20)
    # Closest where D* falls from 1, and around the plateau at 1/2.
    densities: tuple[float, ...] = log_spaced(
        1, 1 / 1.4, 1 / 2, 1 / 6, 1 / 50, counts=(2, 6, 8, 5)
    )
    seeds: int = 6
    steps: int = 4_000
    batch_size: int = 512


FULL = Settings()
QUICK = Settings(
    large_model=(90, 12),
    small_model=(50, 8),
    densities=log_spaced(1, 1 / 10, counts=(16,)),
    seeds=2,
    steps=1_500,
)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains both sizes, measures them and names what their features form."""
    s = settings
    return {
        "large": sweep(s, s.large_model, s.densities),
        "small": sweep(s, s.small_model, s.densities[::2]),
    }


def sweep(
    settings: Settings, model: tuple[int, int], densities: tuple[float, ...]
) -> xr.Dataset:
    """Trains models of equal features, one for each density and seed, and measures them."""
    n_features, n_hidden = model

    def task(density):
        features = js.SparseFeatures(n_features, density)
        return js.Task(features, js.ToyModel(n_features, n_hidden))

    recipe = js.Recipe(
        settings.steps, settings.batch_size, js.decaying_adam, eval_batches=16
    )
    axes = {"density": densities, "seed": settings.seeds}
    ds = js.measure(js.sweep(task, axes, recipe, key=jax.random.key(0)))
    return ds.assign(polytope=feature_polytopes(ds), off_balance=off_balance(ds))

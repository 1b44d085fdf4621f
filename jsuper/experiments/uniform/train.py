"""Models of equal features in two sizes, the density swept, and their polytopes."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.uniform.measures import polytope_blocks
from jsuper.polytopes import feature_polytopes


def log_spaced(*ends: float, counts: Sequence[int]) -> tuple[float, ...]:
    """Densities from the first of ``ends`` to the last, so many between two of them."""
    stretches = zip(ends[:-1], ends[1:], counts, strict=True)
    found = [np.geomspace(first, last, n) for first, last, n in stretches]
    # The end of one stretch is the beginning of the next.
    return (float(ends[0]), *np.concatenate([part[1:] for part in found]).tolist())


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version, and the batch size.

    Models are given as (features, hidden dimensions). The small ones are trained at every
    other density.
    """

    large_model: tuple[int, int] = (400, 30)
    small_model: tuple[int, int] = (200, 20)
    large_seeds: int = 1
    small_seeds: int = 2
    # Closest around the plateau at 1/2.
    densities: tuple[float, ...] = log_spaced(
        1, 1 / 1.4, 1 / 2, 1 / 6, 1 / 50, counts=(5, 12, 15, 7)
    )
    steps: int = 4_000
    batch_size: int = 512


FULL = Settings()
QUICK = Settings(
    large_model=(90, 12),
    small_model=(50, 8),
    small_seeds=1,
    densities=log_spaced(1, 1 / 10, counts=(17,)),
    steps=1_500,
)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains both sizes, measures them and names what their features form."""
    s = settings
    large = sweep(s, s.large_model, s.densities, s.large_seeds)
    small = sweep(s, s.small_model, s.densities[::2], s.small_seeds)
    return {"large": large, "small": small, "blocks": polytope_blocks(large)}


def sweep(
    settings: Settings, model: tuple[int, int], densities: Sequence[float], seeds: int
) -> xr.Dataset:
    """Trains models of equal features, one for each density and seed, and measures them."""
    n_features, n_hidden = model

    def task(density):
        features = js.SparseFeatures(n_features, density)
        return js.Task(features, js.ToyModel(n_features, n_hidden))

    recipe = js.Recipe(
        settings.steps, settings.batch_size, js.decaying_adam, eval_batches=16
    )
    axes = {"density": list(densities), "seed": seeds}
    ds = js.measure(js.sweep(task, axes, recipe, key=jax.random.key(0)))
    return ds.assign(polytope=feature_polytopes(ds))

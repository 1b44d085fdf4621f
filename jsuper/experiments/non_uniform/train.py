"""Many fits at every density of one feature, and both geometries followed through all."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike

import jsuper as js
from jsuper.experiments.experiment import setting
from jsuper.experiments.non_uniform.measures import DENSITY, with_geometry
from jsuper.polytopes import ideal


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    ratios: int = setting(31, "densities of the fifth feature")
    batch_size: int = 1024
    seeds: int = setting(48, "fits: seeds")
    steps: int = setting(3_000, "fits: steps")
    test_batches: int = setting(1024, "fits: batches of 1,024 fresh examples")
    repeats: int = setting(8, "branches: repeats")
    branch_steps: int = setting(2_000, "branches: steps")
    branch_test_batches: int = setting(2048, "branches: fresh batches")
    other_densities: tuple[float, ...] = setting(
        (0.02, 0.05, 0.08, 0.1, 0.12, 0.15), "elsewhere: densities of the four"
    )
    other_ratios: int = setting(11, "elsewhere: densities of the fifth")
    other_ends: tuple[float, float] = setting(
        (0.12, 0.8), "elsewhere: lowest and highest, relative to the four"
    )


FULL = Settings()
QUICK = Settings(
    ratios=16,
    batch_size=512,
    seeds=16,
    steps=1_000,
    test_batches=256,
    repeats=2,
    branch_steps=500,
    branch_test_batches=1024,
    other_densities=(0.05, 0.1),
    other_ratios=8,
    other_ends=(0.14, 0.8),
)


def task(ratio: ArrayLike, density: ArrayLike = DENSITY) -> js.Task:
    """Five equal features in two dimensions, the first of ``ratio`` times the density."""
    features = js.SparseFeatures(5, density * jnp.where(jnp.arange(5) == 0, ratio, 1.0))
    return js.Task(features, js.ToyModel(5, 2))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the fits, and the branches at the paper's density and elsewhere."""
    ratios = np.geomspace(1 / 8, 4, settings.ratios)
    others = np.geomspace(*settings.other_ends, settings.other_ratios)
    size = settings.batch_size
    recipe = js.Recipe(settings.steps, size, js.decaying_adam, eval_batches=1)
    axes = {"ratio": ratios, "seed": settings.seeds}
    fits = js.sweep(task, axes, recipe, key=jax.random.key(0))
    fits = js.losses(task, fits, key=jax.random.key(1), batches=settings.test_batches)
    return {
        "fits": with_geometry(js.measure(fits)),
        "branches": branches(ratios, [DENSITY], settings),
        "elsewhere": branches(others, settings.other_densities, settings),
    }


def branches(ratios, densities, settings: Settings) -> xr.Dataset:
    """Trains from both geometries at every ratio; they share data and fresh examples."""
    square = np.concatenate([np.zeros((1, 2)), ideal("square")])
    starts = {
        "pentagon": {"W": 1.13 * ideal("pentagon"), "b": np.full(5, -0.25)},
        "two digons": {"W": square, "b": np.zeros(5)},
    }
    steps, batches = settings.branch_steps, settings.branch_test_batches
    adam = js.decaying_adam(steps, 0.003)
    recipe = js.Recipe(steps, settings.batch_size, adam, eval_batches=batches)
    axes = {"ratio": ratios, "density": densities, "seed": settings.repeats}
    followed = {
        branch: js.sweep(task, axes, recipe, key=jax.random.key(2), start=start)
        for branch, start in starts.items()
    }
    return with_geometry(js.measure(js.concat(followed, "branch")))

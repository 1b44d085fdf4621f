"""Many fits at every density of one feature, and both geometries followed through all."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike

import jsuper as js
from jsuper.experiments.experiment import setting
from jsuper.experiments.non_uniform.measures import DENSITY, VARIED, with_geometry
from jsuper.polytopes import ideal


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version, and the ranges."""

    ratios: int = setting(31, "densities of the fifth feature")
    ends: tuple[float, float] = setting((1 / 8, 4.0), "lowest and highest, × 0.05")
    batch_size: int = 1024
    seeds: int = setting(48, "fits: seeds")
    steps: int = setting(3_000, "fits: steps")
    test_batches: int = setting(1024, "fits: batches of 1,024 fresh examples")
    repeats: int = setting(8, "branches: repeats")
    branch_steps: int = setting(2_000, "branches: steps")
    branch_test_batches: int = setting(2048, "branches: fresh batches")
    branch_rate: float = setting(0.003, "branches: rate of Adam, cosine decay to 0")
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

STARTS = {
    "pentagon": {"W": 1.13 * ideal("pentagon"), "b": np.full(5, -0.25)},
    "two digons": {
        "W": np.concatenate([np.zeros((1, 2)), ideal("square")]),
        "b": np.zeros(5),
    },
}
"""Parameters that each branch starts from."""


def task(ratio: ArrayLike, density: ArrayLike = DENSITY) -> js.Task:
    """Five equal features in two dimensions, one of ``ratio`` times the density."""
    varied = jnp.arange(5) == VARIED
    features = js.SparseFeatures(5, density * jnp.where(varied, ratio, 1.0))
    return js.Task(features, js.ToyModel(5, 2))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the fits, and the branches at the paper's density and elsewhere."""
    ratios = np.geomspace(*settings.ends, settings.ratios)
    others = np.geomspace(*settings.other_ends, settings.other_ratios)
    return {
        "fits": fits(ratios, settings),
        "branches": branches(ratios, [DENSITY], settings),
        "elsewhere": branches(others, settings.other_densities, settings),
    }


def fits(ratios, settings: Settings) -> xr.Dataset:
    """Trains many models at every ratio; all losses are on the same fresh examples."""
    recipe = js.Recipe(
        settings.steps, settings.batch_size, js.decaying_adam, eval_batches=1
    )
    axes = {"ratio": ratios, "seed": settings.seeds}
    ds = js.sweep(task, axes, recipe, key=jax.random.key(0))
    ds = js.losses(task, ds, key=jax.random.key(1), batches=settings.test_batches)
    return with_geometry(js.measure(ds))


def branches(ratios, densities, settings: Settings) -> xr.Dataset:
    """Trains from both geometries at every ratio; they share data and fresh examples."""
    recipe = js.Recipe(
        settings.branch_steps,
        settings.batch_size,
        js.decaying_adam(settings.branch_steps, settings.branch_rate),
        eval_batches=settings.branch_test_batches,
    )
    axes = {"ratio": ratios, "density": densities, "seed": settings.repeats}
    key = jax.random.key(2)
    followed = {
        branch: js.sweep(task, axes, recipe, key=key, start=start)
        for branch, start in STARTS.items()
    }
    return with_geometry(js.measure(js.concat(followed, "branch")))

"""Many fits at every density of one feature, and both geometries followed through all."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import xarray as xr
from jax.typing import ArrayLike

import jsuper as js
from jsuper.experiments.experiment import setting
from jsuper.experiments.non_uniform import measures
from jsuper.experiments.non_uniform.measures import DENSITY, with_geometry
from jsuper.polytopes import ideal


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    ratios: int = setting(31, "densities of the fifth feature")
    batch_size: int = setting(1024, "fits: batch size")
    seeds: int = setting(48, "fits: seeds")
    steps: int = setting(3_000, "fits: steps")
    densities: tuple[float, ...] = setting(
        (0.02, 0.05, 0.08, 0.1, 0.12, 0.15), "branches: densities of the four"
    )
    batches: int = setting(256, "check of the threshold: batches of 1,048,576 examples")


FULL = Settings()
QUICK = Settings(
    ratios=16, batch_size=512, seeds=16, steps=1_000, densities=(0.05, 0.1), batches=16
)


def task(ratio: ArrayLike, density: ArrayLike = DENSITY) -> js.Task:
    """Five equal features in two dimensions, the first of ``ratio`` times the density."""
    features = js.SparseFeatures(5, density * jnp.where(jnp.arange(5) == 0, ratio, 1.0))
    return js.Task(features, js.ToyModel(5, 2))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the fits, and follows the branches at the paper's density and at others."""
    ratios = np.geomspace(1 / 8, 4, settings.ratios)
    recipe = js.Recipe(settings.steps, settings.batch_size, js.decaying_adam)
    axes = {"ratio": ratios, "seed": settings.seeds}
    fits = js.sweep(task, axes, recipe, key=jax.random.key(0))
    followed = branches(ratios, settings.densities)
    return {
        "fits": with_geometry(js.measure(fits)),
        "branches": followed,
        "sampled": sampled(followed.sel(density=DENSITY), settings.batches),
    }


def branches(ratios: npt.ArrayLike, densities: npt.ArrayLike) -> xr.Dataset:
    """The stationary point of either geometry for every ratio and density.

    ``loss_by_boxes`` is the loss once more, by the other closed form.
    """
    square = np.concatenate([np.zeros((1, 2)), ideal("square")])
    W, b = [1.13 * ideal("pentagon"), square], [np.full(5, -0.25), np.zeros(5)]
    starts = xr.Dataset(
        {"W": (("branch", "feature", "hidden"), W), "b": (("branch", "feature"), b)},
        {"branch": list(measures.BRANCHES)},
    )
    starts = starts.expand_dims(ratio=np.asarray(ratios), density=np.asarray(densities))
    found = js.curvature(task, js.polish(task, starts))
    with jax.enable_x64(True):
        again = js.losses(by_boxes, found, key=jax.random.key(0))["loss"]
    return with_geometry(js.measure(found.assign(loss_by_boxes=again)))


def by_boxes(ratio: ArrayLike, density: ArrayLike) -> js.Population:
    """The task with its loss by the closed form that serves features of any range."""
    return js.Population(task(ratio, density), from_zero=False)


def sampled(branches: xr.Dataset, batches: int, size: int = 2**20) -> xr.Dataset:
    """Losses of both branches on the same examples, at the ratio next to the crossing."""
    threshold = float(measures.thresholds(branches))
    near = branches.sel(ratio=threshold, method="nearest")
    params = {name: jnp.asarray(near[name].transpose("branch", ...)) for name in ("W", "b")}

    def losses(key):
        own = task(near["ratio"].item())
        return jax.vmap(lambda params: own.loss(params, key, size))(params)

    loss = jax.lax.map(losses, jax.random.split(jax.random.key(1), batches))
    loss = xr.DataArray(loss, dims=("batch", "branch"))
    return near[["branch", "ratio"]].assign(loss=loss)

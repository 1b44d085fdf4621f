"""Models with a ReLU on the hidden layer, without it, and with a bias on it."""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.experiment import setting
from jsuper.experiments.privileged_basis.measures import described
from jsuper.pytrees import pytree


@dataclass(frozen=True)
class Settings:
    """Densities, one of each of the paper's ranges, and numbers of models."""

    densities: tuple[float, ...] = (0.75, 0.35, 0.15, 0.12, 0.06, 0.02)
    seeds: int = 1_000
    steps: int = 2_000
    batch_size: int = 512
    remeasured: int = setting(10, "models of lowest loss measured again")
    batches: int = setting(1_024, "batches of 1,024 examples for them")
    densities_between: int = setting(11, "further sweep: densities from 0.9 to 0.015")
    seeds_between: int = setting(60, "further sweep: seeds")
    few_seeds: int = setting(20, "linear hidden layer, and bias on it: seeds")


FULL = Settings()
QUICK = Settings(seeds=25, batches=64, densities_between=0, seeds_between=0, few_seeds=4)


@pytree
class HiddenBiasModel(js.HiddenReLUModel):
    """Adds a bias c to the neurons: h = ReLU(x W + c), x' = ReLU(h Wᵀ + b)."""

    @property
    def dims(self):
        """Names of the axes of each parameter."""
        return {**super().dims, "c": ("hidden",)}

    def init(self, key):
        """Draws weights as the model without c does; biases are 0."""
        return {**super().init(key), "c": jnp.zeros(self.n_hidden)}

    def hidden(self, params, x):
        """Returns the activations of the neurons."""
        return jax.nn.relu(x @ params["W"] + params["c"])


def task(density, model=js.HiddenReLUModel) -> js.Task:
    """The paper's model, tied weights and a ReLU on the hidden layer, or another one."""
    importance = js.geometric_importance(10, 0.75)
    return js.Task(js.SparseFeatures(10, density), model(10, 5), importance)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains all kinds of models, and measures those of lowest loss on other data.

    The further sweep is ``by_density``, which only the full version has.
    """
    recipe = js.Recipe(settings.steps, settings.batch_size, js.decaying_adam)

    def fit(densities, seeds: int, **model) -> xr.Dataset:
        axes = {"density": densities, "seed": seeds}
        build = functools.partial(task, **model)
        return described(js.sweep(build, axes, recipe, key=jax.random.key(0)))

    def measured_again(ds: xr.Dataset) -> xr.Dataset:
        lowest = js.lowest(ds, min(settings.remeasured, ds.sizes["seed"]))
        lowest = lowest.rename(seed="trained_seed", rank="seed")
        key = jax.random.fold_in(jax.random.key(1), 0)
        return js.losses(task, lowest, key=key, batches=settings.batches)

    few, densities = settings.few_seeds, settings.densities
    ds = fit(densities, settings.seeds)
    linear = fit(densities, few, model=js.ToyModel)
    found = {
        "models": ds,
        "lowest": measured_again(ds),
        "linear_hidden": linear,
        "hidden_bias": fit(densities[::2], few, model=HiddenBiasModel),
        "alignments": alignments(ds["W"].isel(seed=slice(few)), linear["W"]),
    }
    if settings.densities_between:
        between = js.log_densities(settings.densities_between, 0.015, 0.9)
        fine = fit(between, settings.seeds_between)
        found |= {"by_density": fine, "by_density_lowest": measured_again(fine)}
    return found


def alignments(rectified: xr.DataArray, linear: xr.DataArray) -> xr.Dataset:
    """Alignment with the hidden axes: with ReLU, without, and after random rotations.

    Each is the mean over represented features of the share along their best axis.
    """
    shape = (20, linear.sizes["density"], linear.sizes["seed"])
    Q = jax.random.orthogonal(jax.random.key(2), linear.sizes["hidden"], shape)
    Q = xr.DataArray(np.asarray(Q), dims=("rotation", "density", "seed", "hidden", "to"))
    rotated = xr.dot(linear, Q, dim="hidden").rename(to="hidden")
    W = xr.Dataset({"ReLU": rectified, "linear": linear, "rotated": rotated})
    norm2 = (W**2).sum("hidden")
    found = ((W**2).max("hidden") / norm2).where(norm2 > 0.25).mean("feature")
    return found.assign(rotated=found["rotated"].mean("rotation"))

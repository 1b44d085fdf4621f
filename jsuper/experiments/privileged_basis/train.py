"""Models with a ReLU on the hidden layer, without it, and with a bias on it."""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import xarray as xr

import jsuper as js
from jsuper.experiments.experiment import setting
from jsuper.experiments.privileged_basis.measures import alignments, described
from jsuper.pytrees import pytree

N_FEATURES, N_NEURONS, RATIO = 10, 5, 0.75
"""Sizes of the paper's model, and importance of a feature relative to the one before."""

N_ROTATIONS = 20


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version.

    The densities are one of each of the paper's ranges.
    """

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
    return js.Task(
        js.SparseFeatures(N_FEATURES, density),
        model(N_FEATURES, N_NEURONS),
        js.geometric_importance(N_FEATURES, RATIO),
    )


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains all kinds of models, and measures the best ones again.

    ``lowest`` holds the models of lowest loss with losses on other data; ``by_density``
    and ``by_density_lowest`` are the further sweep, which only the full version has.
    """
    recipe = js.Recipe(settings.steps, settings.batch_size, js.decaying_adam)

    def fit(densities, seeds: int, **model) -> xr.Dataset:
        axes = {"density": list(densities), "seed": seeds}
        build = functools.partial(task, **model)
        return described(js.sweep(build, axes, recipe, key=jax.random.key(0)))

    few, densities = settings.few_seeds, settings.densities
    ds = fit(densities, settings.seeds)
    linear = fit(densities, few, model=js.ToyModel)
    found = {
        "models": ds,
        "lowest": measured_again(ds, settings),
        "linear_hidden": linear,
        "hidden_bias": fit(densities[::2], few, model=HiddenBiasModel),
        "alignments": alignments(
            ds.isel(seed=slice(few)), linear, jax.random.key(2), N_ROTATIONS
        ),
    }
    if settings.densities_between:
        between = js.log_densities(settings.densities_between, 0.015, 0.9)
        fine = fit(between, settings.seeds_between)
        found |= {"by_density": fine, "by_density_lowest": measured_again(fine, settings)}
    return found


def measured_again(ds: xr.Dataset, settings: Settings) -> xr.Dataset:
    """The models of lowest loss at each density, with losses on the same fresh data.

    Along ``seed``, lowest loss in training first; ``trained_seed`` says which they are.
    """
    lowest = js.lowest(ds, min(settings.remeasured, ds.sizes["seed"]))
    lowest = lowest.rename(seed="trained_seed", rank="seed")
    key = jax.random.fold_in(jax.random.key(1), 0)
    return js.losses(task, lowest, key=key, batches=settings.batches)

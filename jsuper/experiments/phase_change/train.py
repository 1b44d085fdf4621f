"""Both maps, the map without bias, and sections through the map of two features."""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr

import jsuper as js
from jsuper.experiments.experiment import setting
from jsuper.theory.phases import nearest_phase


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    points: int = setting(40, "maps: points along each axis")
    points_without_bias: int = setting(24, "map without bias: points along each axis")
    points_of_sections: int = setting(40, "sections: densities")
    seeds: int = 10
    steps: int = 2_500


FULL = Settings()
QUICK = Settings(points=8, points_without_bias=8, points_of_sections=16, seeds=6, steps=800)


def task(density, importance, n_features: int) -> js.Task:
    """One feature more than dimensions; the last has another importance."""
    return js.Task(
        js.SparseFeatures(n_features, density),
        js.ToyModel(n_features, n_features - 1),
        jnp.append(jnp.ones(n_features - 1), importance),
    )


def weights_only(steps: int) -> optax.GradientTransformation:
    """The same optimizer for W; biases stay at 0."""
    no_biases = optax.masked(optax.set_to_zero(), {"W": False, "b": True})
    return optax.chain(js.decaying_adam(steps), no_biases)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains all models; their losses are exact, summed over features, and comparable."""

    def grid(n):
        return js.log_densities(n, 0.01), np.geomspace(0.1, 10, n)

    def trained(density, importance, n_features=2, optimizer=js.decaying_adam):
        """Trains and measures a grid, and names the solution nearest to each model."""
        every = settings.steps // 20
        recipe = js.Recipe(settings.steps, 512, optimizer, log_every=every)
        build = functools.partial(task, n_features=n_features)
        axes = {"density": density, "importance": importance, "seed": settings.seeds}
        ds = js.sweep(build, axes, recipe, key=jax.random.key(0))
        loss = (n_features * ds["loss"]).assign_attrs(
            ds["loss"].attrs | {"long_name": "population loss, sum over features"}
        )
        phase = (tuple(axes), nearest_phase(ds["W"].values))
        return js.measure(ds.assign(loss=loss, phase=phase))

    densities = np.linspace(0.1, 0.9, settings.points_of_sections)
    return {
        "two_features": trained(*grid(settings.points)),
        "three_features": trained(*grid(settings.points), n_features=3),
        "without_bias": trained(
            *grid(settings.points_without_bias), optimizer=weights_only
        ),
        "section": trained(densities, (0.3, 0.5, 0.7, 1.0)),
    }

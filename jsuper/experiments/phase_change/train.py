"""Both maps, the map without bias, and sections through the map of two features."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr

import jsuper as js
from jsuper.experiments.phase_change.measures import with_exact_loss
from jsuper.theory.phases import nearest_phase


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version, and the ranges."""

    lowest_density: float = 0.01
    lowest_and_highest_importance: tuple[float, float] = (0.1, 10.0)
    points: int = field(default=40, metadata={"name": "maps: points along each axis"})
    points_without_bias: int = field(
        default=24, metadata={"name": "map without bias: points along each axis"}
    )
    importances_of_sections: tuple[float, ...] = (0.3, 0.5, 0.7, 1.0)
    ends_of_sections: tuple[float, float] = field(
        default=(0.1, 0.9), metadata={"name": "sections: lowest and highest density"}
    )
    points_of_sections: int = field(default=40, metadata={"name": "sections: densities"})
    seeds: int = 10
    steps: int = 2_500
    batch_size: int = 512


FULL = Settings()
QUICK = Settings(points=8, points_without_bias=8, points_of_sections=16, seeds=6, steps=800)


def task(n_features: int, density, importance) -> js.Task:
    """One feature more than dimensions; the last has another importance."""
    return js.Task(
        js.SparseFeatures(n_features, density),
        js.ToyModel(n_features, n_features - 1),
        jnp.append(jnp.ones(n_features - 1), importance),
    )


def two_features(density, importance) -> js.Task:
    """Two features in one dimension."""
    return task(2, density, importance)


def three_features(density, importance) -> js.Task:
    """Three features in two dimensions."""
    return task(3, density, importance)


def weights_only(steps: int) -> optax.GradientTransformation:
    """The same optimizer for W; biases stay at 0."""

    def keep_biases(updates, params):
        del params
        return {**updates, "b": jnp.zeros_like(updates["b"])}

    return optax.chain(js.decaying_adam(steps), optax.stateless(keep_biases))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains all models; their losses are exact, summed over features, and comparable."""

    def grid(n):
        return {
            "density": js.log_densities(n, settings.lowest_density),
            "importance": np.geomspace(*settings.lowest_and_highest_importance, n),
        }

    maps, without_bias = grid(settings.points), grid(settings.points_without_bias)
    sections = {
        "density": np.linspace(*settings.ends_of_sections, settings.points_of_sections),
        "importance": settings.importances_of_sections,
    }
    return {
        "two_features": trained(two_features, maps, settings),
        "three_features": trained(three_features, maps, settings),
        "without_bias": trained(two_features, without_bias, settings, weights_only),
        "section": trained(two_features, sections, settings),
    }


def trained(build, axes, settings: Settings, optimizer=js.decaying_adam) -> xr.Dataset:
    """Trains and measures a grid, and names the solution nearest to each model."""
    ds = js.sweep(
        build,
        axes | {"seed": settings.seeds},
        js.Recipe(
            settings.steps,
            settings.batch_size,
            optimizer,
            log_every=settings.steps // 20,
            eval_batches=1,
        ),
        key=jax.random.key(0),
    )
    phase = (ds["loss"].dims, nearest_phase(ds["W"].values))
    return js.measure(with_exact_loss(ds).assign(phase=phase))

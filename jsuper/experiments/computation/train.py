"""Models that are to return the absolute value: small, large, and from another start."""

import functools
import itertools
import math
from dataclasses import dataclass

import jax
import xarray as xr

import jsuper as js
from jsuper.experiments.computation.measures import described
from jsuper.experiments.experiment import setting
from jsuper.models.computation import ComputationModel, absolute

RATIO = 0.8
"""Importance of a feature relative to the one before."""


@dataclass(frozen=True)
class Settings:
    """Sizes, seeds, densities, and a recipe for each density of the large models.

    Sparse features are seen in large batches only, and outputs that a large step silences
    do not come back; dense ones need many steps.
    """

    seeds: int = setting(40, "3 and 10 features: seeds")
    xavier_seeds: int = setting(20, "10 features from Xavier's start: seeds")
    steps: int = setting(2_000, "3 and 10 features: steps")
    features: int = setting(100, "large models: features")
    neurons: int = setting(40, "large models: neurons")
    large_seeds: int = setting(3, "large models: seeds")
    large_densities: tuple[float, ...] = setting(
        (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001), "large models: densities"
    )
    large_steps: tuple[int, ...] = setting(
        (12_000,) * 3 + (8_000,) * 2 + (4_000,) * 2, "large models: steps at each density"
    )
    large_batches: tuple[int, ...] = setting(
        (256,) * 3 + (1_024,) * 2 + (4_096,) * 2, "large models: batch sizes"
    )
    large_rates: tuple[float, ...] = setting(
        (1e-2,) * 3 + (4e-3,) * 2 + (3e-3,) * 2, "large models: rates"
    )


FULL = Settings()
QUICK = Settings(
    seeds=8,
    xavier_seeds=4,
    steps=1_500,
    features=30,
    neurons=12,
    large_seeds=2,
    large_steps=(2_000,) * 7,
    large_batches=(512,) * 7,
    large_rates=(5e-3,) * 7,
)


def task(density, sizes: tuple[int, int], ratio=RATIO, **start) -> js.Task:
    """One model, of some features and neurons, that is to return absolute values."""
    return js.Task(
        js.SparseFeatures(sizes[0], density, low=-1),
        ComputationModel(*sizes, **start),
        js.geometric_importance(sizes[0], ratio),
        target=absolute,
    )


def fit(densities, seeds: int, recipe: js.Recipe, **model) -> xr.Dataset:
    """Trains models, and describes their neurons."""
    axes = {"density": densities, "seed": seeds}
    build = functools.partial(task, **model)
    return described(js.sweep(build, axes, recipe, key=jax.random.key(0)))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the three kinds of models, and from the usual start for comparison."""
    s, large, sizes = settings, [], (settings.features, settings.neurons)
    rows = zip(
        s.large_densities, s.large_steps, s.large_batches, s.large_rates, strict=True
    )
    # Densities of one recipe train together.
    for (steps, batch_size, rate), cells in itertools.groupby(rows, lambda row: row[1:]):
        recipe = js.Recipe(steps, batch_size, js.decaying_adam(steps, rate))
        densities = [density for density, *_ in cells]
        large.append(fit(densities, s.large_seeds, recipe, sizes=sizes))
    large = js.concat(large, "density")
    ideal = monosemantic_loss(*sizes, large["density"])
    recipe = js.Recipe(s.steps, 512, js.decaying_adam)
    motif = {"densities": (0.35, 0.2, 0.1, 0.05), "recipe": recipe, "sizes": (10, 10)}
    xavier = {"init_bound": math.sqrt(6 / 20), "signed_outputs": True}
    return {
        "small": fit((1.0, 0.1), s.seeds, recipe, sizes=(3, 6), ratio=1.0),
        "large": large.assign(relative_loss=large["loss"] / ideal),
        "middle": fit(seeds=s.seeds, **motif),
        "xavier": fit(seeds=s.xavier_seeds, **motif, **xavier),
    }


def monosemantic_loss(n_features: int, n_neurons: int, density) -> xr.DataArray:
    r"""Loss of the solution by hand in which every neuron serves one feature.

    The m/2 most important features are computed exactly, by two neurons each; for every
    other one the output is its mean $p/2$, at the cost of its variance $p/3 - p^2/4$.
    """
    lost = js.geometric_importance(n_features, RATIO)[n_neurons // 2 :]
    return float(lost.sum()) / n_features * (density / 3 - density**2 / 4)

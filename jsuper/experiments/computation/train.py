"""Models that are to return the absolute value: small, large, and from another start."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import jax
import xarray as xr

import jsuper as js
from jsuper.experiments.computation.measures import RATIO, described, monosemantic_loss
from jsuper.models.computation import ComputationModel, absolute

SMALL, MIDDLE = (3, 6), (10, 10)
"""Features and neurons of the models that show the mechanism, and of the motif's."""

SMALL_DENSITIES = (1.0, 0.1)
MOTIF_DENSITIES = (0.35, 0.2, 0.1, 0.05)
BATCH_SIZE = 512
XAVIER = {"init_bound": math.sqrt(6 / sum(MIDDLE)), "signed_outputs": True}
"""The usual start of the weights."""


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version.

    Sparse features are seen in large batches only, and outputs that a large step silences
    do not come back; dense ones need many steps. So the large models are trained
    differently from density to density.
    """

    seeds: int = field(default=40, metadata={"name": "3 and 10 features: seeds"})
    xavier_seeds: int = field(
        default=20, metadata={"name": "10 features from Xavier's start: seeds"}
    )
    steps: int = field(default=2_000, metadata={"name": "3 and 10 features: steps"})
    features: int = field(default=100, metadata={"name": "large models: features"})
    neurons: int = field(default=40, metadata={"name": "large models: neurons"})
    large_seeds: int = field(default=3, metadata={"name": "large models: seeds"})
    large_densities: tuple[float, ...] = field(
        default=(1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001),
        metadata={"name": "large models: densities"},
    )
    large_steps: tuple[int, ...] = field(
        default=(12_000,) * 3 + (8_000,) * 2 + (4_000,) * 2,
        metadata={"name": "large models: steps at each density"},
    )
    large_batches: tuple[int, ...] = field(
        default=(256,) * 3 + (1_024,) * 2 + (4_096,) * 2,
        metadata={"name": "large models: batch sizes"},
    )
    large_rates: tuple[float, ...] = field(
        default=(1e-2,) * 3 + (4e-3,) * 2 + (3e-3,) * 2,
        metadata={"name": "large models: rates"},
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


def task(n_features: int, n_neurons: int, density, ratio=RATIO, **start) -> js.Task:
    """One model that is to return the absolute value of every feature."""
    return js.Task(
        js.SparseFeatures(n_features, density, low=-1),
        ComputationModel(n_features, n_neurons, **start),
        js.geometric_importance(n_features, ratio),
        target=absolute,
    )


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the three kinds of models, and from the usual start for comparison."""
    s = settings
    recipe = js.Recipe(s.steps, BATCH_SIZE, js.decaying_adam)
    return {
        "small": models(SMALL, SMALL_DENSITIES, s.seeds, recipe, ratio=1.0),
        "large": large_models(s),
        "middle": models(MIDDLE, MOTIF_DENSITIES, s.seeds, recipe),
        "xavier": models(MIDDLE, MOTIF_DENSITIES, s.xavier_seeds, recipe, **XAVIER),
    }


def models(
    sizes: tuple[int, int],
    densities: Sequence[float],
    seeds: int,
    recipe: js.Recipe,
    **settings,
) -> xr.Dataset:
    """Trains models of some features and neurons, and describes their neurons."""

    def build(density):
        return task(*sizes, density, **settings)

    axes = {"density": densities, "seed": seeds}
    return described(js.sweep(build, axes, recipe, key=jax.random.key(0)))


def large_models(settings: Settings) -> xr.Dataset:
    """Trains the large models, at densities of one recipe together."""
    s = settings
    sizes = s.features, s.neurons
    rows = zip(
        s.large_densities, s.large_steps, s.large_batches, s.large_rates, strict=True
    )
    parts = []
    for (steps, batch_size, rate), cells in itertools.groupby(rows, lambda row: row[1:]):
        recipe = js.Recipe(steps, batch_size, js.decaying_adam(steps, rate))
        densities = [density for density, *_ in cells]
        parts.append(models(sizes, densities, s.large_seeds, recipe))
    ds = js.concat(parts, "density")
    return ds.assign(relative_loss=ds["loss"] / monosemantic_loss(*sizes, ds["density"]))

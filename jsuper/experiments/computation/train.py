"""Models that are to return the absolute value: small, large, and from another start."""

import functools
import itertools
import math
from dataclasses import dataclass

import jax
import xarray as xr

import jsuper as js
from jsuper.experiments.computation.measures import RATIO, described, monosemantic_loss
from jsuper.experiments.experiment import setting
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


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the three kinds of models, and from the usual start for comparison."""
    s = settings

    def models(densities, seeds, recipe, **model) -> xr.Dataset:
        """Trains models, and describes their neurons."""
        axes = {"density": densities, "seed": seeds}
        build = functools.partial(task, **model)
        return described(js.sweep(build, axes, recipe, key=jax.random.key(0)))

    def large() -> xr.Dataset:
        """Trains the large models, at densities of one recipe together."""
        sizes = s.features, s.neurons
        recipes = zip(s.large_steps, s.large_batches, s.large_rates, strict=True)
        rows = zip(s.large_densities, recipes, strict=True)
        parts = []
        for (steps, batch_size, rate), cells in itertools.groupby(rows, lambda row: row[1]):
            recipe = js.Recipe(steps, batch_size, js.decaying_adam(steps, rate))
            densities = [density for density, _ in cells]
            parts.append(models(densities, s.large_seeds, recipe, sizes=sizes))
        ds = js.concat(parts, "density")
        ideal = monosemantic_loss(*sizes, ds["density"])
        return ds.assign(relative_loss=ds["loss"] / ideal)

    recipe = js.Recipe(s.steps, BATCH_SIZE, js.decaying_adam)
    middle = {"recipe": recipe, "sizes": MIDDLE}
    return {
        "small": models(SMALL_DENSITIES, s.seeds, recipe, sizes=SMALL, ratio=1.0),
        "large": large(),
        "middle": models(MOTIF_DENSITIES, s.seeds, **middle),
        "xavier": models(MOTIF_DENSITIES, s.xavier_seeds, **middle, **XAVIER),
    }

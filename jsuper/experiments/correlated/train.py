"""Sets of correlated and of anticorrelated features, and independent ones as a control."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import xarray as xr

import jsuper as js
from jsuper.experiments.correlated.measures import (
    TIE,
    arranged,
    block_sizes,
    relative_to_pca,
    shapes,
)
from jsuper.experiments.experiment import setting


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    pairs: tuple[float, ...] = setting(
        (0.5, 0.2, 0.1, 0.05, 0.02), "two pairs, correlated or not: densities"
    )
    triples: tuple[float, ...] = setting(
        (
            *(0.01, 0.02, 0.03, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15),
            *(0.17, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 0.9),
        ),
        "three correlated pairs: densities",
    )
    bases: tuple[float, ...] = setting(
        (0.5, 0.3, 0.2, 0.1, 0.05, 0.02), "two sets of ten: densities"
    )
    seeds: int = setting(32, "seeds")
    seeds_of_bases: int = setting(16, "seeds of the sets of ten")
    steps: int = 2_000
    batch_size: int = 512


FULL = Settings()
QUICK = Settings(
    pairs=(0.2, 0.1, 0.05),
    triples=(0.02, 0.05, 0.1, 0.17, 0.4, 0.7),
    bases=(0.2, 0.05),
    seeds=12,
    seeds_of_bases=2,
    batch_size=256,
)


def pairs(density) -> js.Task:
    """Two correlated pairs in two dimensions."""
    return js.Task(js.CorrelatedFeatures(2, 2, density), js.ToyModel(4, 2))


def exclusive_pairs(density) -> js.Task:
    """Two anticorrelated pairs in two dimensions."""
    return js.Task(js.AnticorrelatedFeatures(2, 2, density), js.ToyModel(4, 2))


def triples(density) -> js.Task:
    """Three correlated pairs in two dimensions."""
    return js.Task(js.CorrelatedFeatures(3, 2, density), js.ToyModel(6, 2))


def bases(density) -> js.Task:
    """Two correlated sets of ten in ten dimensions."""
    return js.Task(js.CorrelatedFeatures(2, 10, density), js.ToyModel(20, 10))


def independent(density, n_features: int, n_hidden: int) -> js.Task:
    """As many independent features of the same density, the control."""
    features = js.SparseFeatures(n_features, density)
    return js.Task(features, js.ToyModel(n_features, n_hidden))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the geometries and their controls, and measures what they form."""

    def fit(build, densities, seeds=settings.seeds):
        recipe = js.Recipe(
            settings.steps, settings.batch_size, js.decaying_adam, eval_batches=1
        )
        return compared(build, densities, seeds, recipe)

    four, six, twenty = (
        partial(independent, n_features=n, n_hidden=m)
        for n, m in ((4, 2), (6, 2), (20, 10))
    )
    sparse = [p for p in settings.triples if p <= TIE]
    few = settings.seeds_of_bases
    return {
        "pairs": arranged(fit(pairs, settings.pairs)),
        "anticorrelated": arranged(fit(exclusive_pairs, settings.pairs)),
        "independent_4": arranged(fit(four, settings.pairs)),
        "three_pairs": relative_to_pca(shapes(fit(triples, settings.triples)), triples),
        "independent_6": shapes(fit(six, sparse)),
        "bases": block_sizes(fit(bases, settings.bases, few)),
        "independent_20": fit(twenty, settings.bases, few),
    }


def compared(
    build: Callable[..., js.Task], densities, seeds: int, recipe: js.Recipe
) -> xr.Dataset:
    """Trains many models at every density; all losses are on the same 2¹⁷ examples."""
    axes = {"density": list(densities), "seed": seeds}
    ds = js.sweep(build, axes, recipe, key=jax.random.key(0))
    return js.measure(js.losses(build, ds, key=jax.random.key(1), batches=128))

"""Sets of correlated and of anticorrelated features, and independent ones as a control."""

from dataclasses import dataclass

import jax
import xarray as xr

import jsuper as js
from jsuper.experiments.correlated import measures
from jsuper.experiments.experiment import setting

TIE = 0.05
"""Where the paper's ranges of no and of one collapsed pair meet; below it the hexagon is
expected."""


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
    seeds: int = 32
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

FEATURES = {
    "pairs": lambda density: js.CorrelatedFeatures(2, 2, density),
    "anticorrelated": lambda density: js.AnticorrelatedFeatures(2, 2, density),
    "independent_4": lambda density: js.SparseFeatures(4, density),
    "three_pairs": lambda density: js.CorrelatedFeatures(3, 2, density),
    "independent_6": lambda density: js.SparseFeatures(6, density),
    "bases": lambda density: js.CorrelatedFeatures(2, 10, density),
    "independent_20": lambda density: js.SparseFeatures(20, density),
}


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the geometries and their controls, and measures what they form."""
    recipe = js.Recipe(
        settings.steps, settings.batch_size, js.decaying_adam, eval_batches=1
    )
    of_pairs = settings.pairs, settings.seeds, recipe
    of_bases = settings.bases, settings.seeds_of_bases, recipe
    two = ("pairs", "anticorrelated", "independent_4")
    three = fit("three_pairs", settings.triples, settings.seeds, recipe)
    linear = [measures.pca_loss(FEATURES["three_pairs"](p), 2) for p in settings.triples]
    relative = three["loss"] / xr.DataArray(linear, dims="density")
    sparse = [p for p in settings.triples if p <= TIE]
    six = fit("independent_6", sparse, settings.seeds, recipe)
    return {
        **{name: measures.arranged(fit(name, *of_pairs)) for name in two},
        "three_pairs": measures.shapes(three).assign(relative=relative),
        "independent_6": measures.shapes(six),
        "bases": measures.block_sizes(fit("bases", *of_bases, 10)),
        "independent_20": fit("independent_20", *of_bases, 10),
    }


def fit(name: str, densities, seeds: int, recipe: js.Recipe, n_hidden=2) -> xr.Dataset:
    """Trains many models at every density; all losses are on the same 2¹⁷ examples."""

    def task(density):
        features = FEATURES[name](density)
        return js.Task(features, js.ToyModel(features.n_features, n_hidden))

    axes = {"density": list(densities), "seed": seeds}
    ds = js.sweep(task, axes, recipe, key=jax.random.key(0))
    return js.measure(js.losses(task, ds, key=jax.random.key(1), batches=128))

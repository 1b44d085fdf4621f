"""Sets of correlated and of anticorrelated features, and independent ones as a control."""

from dataclasses import dataclass

import jax
import xarray as xr

import jsuper as js
from jsuper.experiments.correlated import measures


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    densities_of_two_pairs: tuple[float, ...] = (0.5, 0.2, 0.1, 0.05, 0.02)
    densities_of_three_pairs: tuple[float, ...] = (
        *(0.01, 0.02, 0.03, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15),
        *(0.17, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 0.9),
    )
    densities_of_sets_of_ten: tuple[float, ...] = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
    seeds: int = 32
    seeds_of_sets_of_ten: int = 16
    batch_size: int = 512


FULL = Settings()
QUICK = Settings(
    densities_of_two_pairs=(0.2, 0.1, 0.05),
    densities_of_three_pairs=(0.02, 0.05, 0.1, 0.17, 0.4, 0.7),
    densities_of_sets_of_ten=(0.2, 0.05),
    seeds=12,
    seeds_of_sets_of_ten=2,
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
    triples, seeds = settings.densities_of_three_pairs, settings.seeds
    linear = [measures.pca_loss(FEATURES["three_pairs"](p), 2) for p in triples]
    three = fit("three_pairs", triples, seeds, settings)
    relative = three["loss"] / xr.DataArray(linear, dims="density")
    six = fit("independent_6", [p for p in triples if p <= 0.05], seeds, settings)
    of_pairs = settings.densities_of_two_pairs, seeds, settings
    of_tens = settings.densities_of_sets_of_ten, settings.seeds_of_sets_of_ten
    return {
        "pairs": measures.arranged(fit("pairs", *of_pairs)),
        "anticorrelated": measures.arranged(fit("anticorrelated", *of_pairs)),
        "independent_4": measures.arranged(fit("independent_4", *of_pairs)),
        "three_pairs": measures.shapes(three).assign(relative=relative),
        "independent_6": measures.shapes(six),
        "bases": measures.block_sizes(fit("bases", *of_tens, settings, 10)),
        "independent_20": fit("independent_20", *of_tens, settings, 10),
    }


def fit(name: str, densities, seeds: int, settings: Settings, n_hidden=2) -> xr.Dataset:
    """Trains many models at every density; all losses are on the same 2¹⁷ examples."""

    def task(density):
        features = FEATURES[name](density)
        return js.Task(features, js.ToyModel(features.n_features, n_hidden))

    recipe = js.Recipe(2_000, settings.batch_size, js.decaying_adam, eval_batches=1)
    axes = {"density": list(densities), "seed": seeds}
    ds = js.sweep(task, axes, recipe, key=jax.random.key(0))
    return js.measure(js.losses(task, ds, key=jax.random.key(1), batches=128))

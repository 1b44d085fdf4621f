"""Autoencoders of many sizes, trained on all their inputs at once."""

from dataclasses import dataclass

import jax
import optax
import xarray as xr

import jsuper as js
from jsuper.experiments.collisions.measures import collisions
from jsuper.experiments.experiment import setting

PENALTY, RATE = 0.15, 0.1


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    sizes: tuple[int, ...] = setting((16, 32, 64, 128, 256), "features n")
    ratios: tuple[int, ...] = setting((1, 2, 4, 8), "neurons per feature m / n")
    seeds: int = setting(16, "seeds of the largest n; smaller n have more")
    steps: int = 1_000


FULL, QUICK = Settings(), Settings(sizes=(16, 32, 64), ratios=(1, 4), steps=800)


class OneHot(js.ToyModel):
    """The model y = ReLU(W Wᵀ x), with its loss over all n inputs of a single 1."""

    def loss(self, params, key, batch_size):
        """|x - y|² + PENALTY |Wᵀ x|₁, summed over the inputs; nothing is sampled."""
        W = params["W"]
        errors = jax.numpy.eye(self.n_features) - jax.nn.relu(W @ W.T)
        return (errors**2).sum() + PENALTY * abs(W).sum()


def task(n_features, neurons_per_feature):
    """The model of one cell, its initial weights of variance 1 / m."""
    m = n_features * neurons_per_feature
    return OneHot(n_features, m, bias=False, init_std=m**-0.5)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Counts collisions in each cell; keeps one small model along its training."""
    rate = optax.linear_onecycle_schedule(settings.steps, RATE, 0.2, 0.8, div_factor=5)
    recipe = js.Recipe(settings.steps, 1, optax.sgd(rate), independent_cells=True)

    def trained(n, ratios, seeds, every):
        axes = {"n_features": [n], "neurons_per_feature": ratios, "seed": seeds}
        at = range(0, settings.steps + 1, every)
        return js.snapshots(task, axes, recipe, key=jax.random.key(0), at=at)

    counts: list[xr.Dataset] = []
    for n in settings.sizes:
        # Groups of models have equally many features, so that each cell is known as well.
        group = max(settings.sizes) // n
        models = trained(n, settings.ratios, settings.seeds * group, settings.steps)
        means = collisions(models).coarsen(seed=group).mean()
        counts.append(means.assign_coords(seed=range(settings.seeds)))
    return {"counts": xr.concat(counts, "n_features"), "model": trained(16, [1], 1, 10)}

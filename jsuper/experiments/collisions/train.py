"""Autoencoders of many sizes, trained on all their inputs at once."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
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
        errors = jnp.eye(self.n_features) - jax.nn.relu(W @ W.T)
        return (errors**2).sum() + PENALTY * abs(W).sum()


def task(n_features, neurons_per_feature):
    """The model of one cell, its initial weights of variance 1 / m."""
    m = n_features * neurons_per_feature
    return OneHot(n_features, m, bias=False, init_std=m**-0.5)


def descent(steps):
    """Gradient descent; the rate rises over the first fifth, falls to 0 over the last."""
    return optax.sgd(optax.linear_onecycle_schedule(steps, RATE, 0.2, 0.8, div_factor=5))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Counts collisions in each cell; keeps one small model along its training."""
    recipe = js.Recipe(settings.steps, 1, descent, independent_cells=True)
    key, counts, largest = jax.random.key(0), [], max(settings.sizes)
    axes = {"n_features": [16], "neurons_per_feature": [1], "seed": 1}
    at = np.linspace(0, settings.steps, 101).astype(int)
    model = js.snapshots(task, axes, recipe, key=key, at=at)
    for n in settings.sizes:
        # Groups of models have equally many features, so that each cell is known as well.
        group = largest // n
        axes = {"n_features": [n], "neurons_per_feature": settings.ratios}
        axes["seed"] = settings.seeds * group
        models = js.snapshots(task, axes, recipe, key=key, at=[0, settings.steps])
        means = collisions(models).coarsen(seed=group).mean()
        counts.append(means.assign_coords(seed=range(settings.seeds)))
    return {"counts": xr.concat(counts, "n_features"), "model": model}

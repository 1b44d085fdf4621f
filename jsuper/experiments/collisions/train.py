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
    neurons: tuple[int, ...] = setting((1, 2, 4, 8), "neurons per feature m / n")
    seeds: int = setting(16, "seeds of the largest n; smaller n have more")
    steps: int = 800


FULL, QUICK = Settings(), Settings(sizes=(16, 32, 64), neurons=(1, 4))


@js.pytree
class OneHot:
    """An autoencoder of inputs with a single 1, whose hidden layer is penalised."""

    n_features: int = js.static()
    n_hidden: int = js.static()

    @property
    def dims(self):
        """Names of the weights' axes."""
        return {"W": ("feature", "hidden")}

    def init(self, key):
        """Normal weights of variance 1 / m."""
        shape = self.n_features, self.n_hidden
        return {"W": jax.random.normal(key, shape) / jnp.sqrt(self.n_hidden)}

    def loss(self, params, key, batch_size):
        """|x - ReLU(W Wᵀ x)|² + PENALTY |Wᵀ x|₁, summed over all n inputs: exact."""
        W = params["W"]
        errors = jnp.eye(self.n_features) - jax.nn.relu(W @ W.T)
        return (errors**2).sum() + PENALTY * abs(W).sum()


def descent(steps):
    """Gradient descent; the rate rises over the first fifth, falls to 0 over the last."""
    rate = optax.linear_onecycle_schedule(steps, RATE, 0.2, 0.8, div_factor=5)
    return optax.sgd(rate)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Counts collisions in each cell; keeps one small model along its training."""
    recipe = js.Recipe(settings.steps, 1, descent, independent_cells=True)

    def trained(n, neurons, seeds, at):
        axes = {"n_features": [n], "neurons": neurons, "seed": seeds}
        return js.snapshots(
            lambda n_features, neurons: OneHot(n_features, n_features * neurons),
            axes,
            recipe,
            key=jax.random.key(0),
            at=at,
        )

    counts = []
    for n in settings.sizes:
        # As many features in each cell and group of models, so that all are known as well.
        group = max(settings.sizes) // n
        ends = [0, settings.steps]
        each = collisions(trained(n, settings.neurons, settings.seeds * group, ends))
        mean = each.coarsen(seed=group).mean()
        counts.append(mean.assign_coords(seed=range(settings.seeds)))
    at = np.linspace(0, settings.steps, 101).astype(int)
    return {"counts": xr.concat(counts, "n_features"), "model": trained(16, [1], 1, at)}

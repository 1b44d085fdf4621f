"""The quadratic toy model: two features in one neuron, and six in two."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike

import jsuper as js
from jsuper.pytrees import pytree, static
from jsuper.theory.capacity import quadratic_loss


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    # Even numbers: at equal importance a monosemantic neuron may take either feature.
    kurtoses_and_ratios: int = 40
    seeds_of_two_features: int = 10
    seeds_of_six_features: int = 40
    steps: int = 3_000


FULL = Settings()
QUICK = Settings(12, seeds_of_two_features=6, seeds_of_six_features=24, steps=800)


@pytree
class QuadraticTask:
    r"""Learns $\sum_i v_i x_i^2$ as $\sum_h (W^\top x)_h^2$, by its exact loss.

    ``coefficients`` are $v$; ``kurtosis`` is the fourth moment of every feature.
    """

    n_features: int = static()
    n_hidden: int = static()
    coefficients: ArrayLike
    kurtosis: ArrayLike

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the axes of each parameter."""
        return {"W": ("feature", "hidden")}

    def init(self, key: jax.Array) -> dict[str, jax.Array]:
        """Returns random normal weights."""
        shape = (self.n_features, self.n_hidden)
        return {"W": jax.random.normal(key, shape) / jnp.sqrt(self.n_features)}

    def loss(self, params: dict, key: jax.Array, batch_size: int) -> jax.Array:
        """Returns the loss over the distribution itself: nothing is sampled."""
        del key, batch_size
        return quadratic_loss(params["W"], self.coefficients, self.kurtosis)


def pair(kurtosis, ratio) -> QuadraticTask:
    """Two features in one neuron, the second ``ratio`` times as important."""
    return QuadraticTask(2, 1, jnp.append(1.0, ratio), kurtosis)


def six(kurtosis) -> QuadraticTask:
    """Six features of falling importance in two neurons."""
    return QuadraticTask(6, 2, js.geometric_importance(6, 0.8), kurtosis)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the phase diagram of two features, and six along kurtosis."""
    adam = js.decaying_adam(settings.steps, 0.03)
    # Nothing is sampled, so one "batch" gives the loss.
    every = settings.steps // 20
    recipe = js.Recipe(settings.steps, 1, adam, log_every=every, eval_batches=1)
    kurtosis = np.geomspace(1.5, 50, settings.kurtoses_and_ratios)
    ratio = np.geomspace(0.1, 10, settings.kurtoses_and_ratios)

    def trained(build, dims, coefficients, **axes):
        axes = {"kurtosis": kurtosis, **axes}
        ds = js.sweep(build, axes, recipe, key=jax.random.key(0))
        capacity = np.asarray(js.feature_dimensionality(ds["W"].values))
        capacity = xr.DataArray(capacity, dims=ds["W"].dims[:-1])
        return ds.assign(capacity=capacity, coefficients=(dims, coefficients))

    of_pairs = np.stack([np.ones_like(ratio), ratio], -1)
    two, many = settings.seeds_of_two_features, settings.seeds_of_six_features
    return {
        "two_features": trained(
            pair, ("ratio", "feature"), of_pairs, ratio=ratio, seed=two
        ),
        "six_features": trained(six, "feature", 0.8 ** np.arange(6), seed=many),
    }

"""The quadratic toy model: two features in one neuron, and six in two."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike

import jsuper as js
from jsuper.experiments.experiment import setting
from jsuper.pytrees import pytree, static
from jsuper.theory.capacity import quadratic_loss

MANY, NEURONS, DECAY = 6, 2, 0.8
"""Six features of coefficients 0.8^i in two neurons."""


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version, and the ranges."""

    lowest_and_highest_kurtosis: tuple[float, float] = (1.5, 50.0)
    lowest_and_highest_ratio: tuple[float, float] = (0.1, 10.0)
    # Even numbers: at equal importance a monosemantic neuron may take either feature.
    kurtoses: int = setting(40, "two features: kurtoses")
    ratios: int = setting(40, "two features: ratios b / a")
    seeds: int = setting(10, "two features: seeds")
    kurtoses_of_many: int = setting(40, "six features: kurtoses")
    seeds_of_many: int = setting(40, "six features: seeds")
    steps: int = 3_000
    rate: float = setting(0.03, "rate of Adam, cosine decay to 0")


FULL = Settings()
QUICK = Settings(
    kurtoses=12, ratios=12, seeds=6, kurtoses_of_many=12, seeds_of_many=24, steps=800
)


@pytree
class QuadraticTask:
    r"""Learns $\sum_i v_i x_i^2$ as $\sum_h (W^\top x)_h^2$, by its exact loss.

    Args:
        n_features: Number of features.
        n_hidden: Number of neurons.
        coefficients: $v$, shape (n_features,).
        kurtosis: Fourth moment of every feature.
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


def many(kurtosis) -> QuadraticTask:
    """More features than neurons, of falling importance."""
    return QuadraticTask(MANY, NEURONS, js.geometric_importance(MANY, DECAY), kurtosis)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the phase diagram of two features, and six along kurtosis."""
    ends, steps = settings.lowest_and_highest_kurtosis, settings.steps
    adam = js.decaying_adam(steps, settings.rate)
    # Nothing is sampled, so one "batch" gives the loss.
    recipe = js.Recipe(steps, 1, adam, log_every=steps // 20, eval_batches=1)

    def trained(build, axes):
        ds = js.sweep(build, axes, recipe, key=jax.random.key(0))
        ds["kurtosis"].attrs["long_name"] = "kurtosis of the features"
        capacity = np.asarray(js.feature_dimensionality(ds["W"].values))
        return ds.assign(capacity=(ds["W"].dims[:-1], capacity))

    kurtosis = np.geomspace(*ends, settings.kurtoses)
    ratio = np.geomspace(*settings.lowest_and_highest_ratio, settings.ratios)
    two = trained(pair, {"kurtosis": kurtosis, "ratio": ratio, "seed": settings.seeds})
    kurtosis = np.geomspace(*ends, settings.kurtoses_of_many)
    six = trained(many, {"kurtosis": kurtosis, "seed": settings.seeds_of_many})
    of_pairs = np.stack([np.ones_like(ratio), ratio], -1)
    return {
        "two_features": two.assign(coefficients=(("ratio", "feature"), of_pairs)),
        "six_features": six.assign(coefficients=("feature", DECAY ** np.arange(MANY))),
    }

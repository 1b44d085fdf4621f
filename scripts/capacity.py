"""A custom task needs init and loss only: the quadratic toy model."""

import jax
import jax.numpy as jnp
from flax import struct

import jsuper as js
from jsuper.theory.capacity import optimal_capacities, quadratic_loss

js.use_cpu_cores()


@struct.dataclass
class Quadratic:
    kurtosis: float

    def init(self, key):
        return {"W": jax.random.normal(key, (5, 3))}

    def loss(self, params, key, batch_size):
        return quadratic_loss(params["W"], 0.7 ** jnp.arange(5), self.kurtosis)


recipe = js.Recipe(steps=2_000, batch_size=1, optimizer=js.decaying_adam(2_000, 0.03))
ds = js.sweep(
    Quadratic, {"kurtosis": [3.5, 6.0, 20.0], "seed": 10}, recipe, key=jax.random.key(0)
)
best = js.best_seed(ds)
print(js.feature_dimensionality(best["W"].values).round(3))
print(optimal_capacities(0.7 ** jnp.arange(5), best["kurtosis"].values, 3).round(3))

"""Do trained thresholds move to where ExReLU pays, once their gradient is exact?"""

import jax
import jax.numpy as jnp

import jsuper as js

js.use_cpu_cores()


def task(density, first):
    model = js.ToyModel(5, 2, first, bandwidth=1.0, train_threshold=True)
    return js.Population(
        js.Task(js.SparseFeatures(5, density), model, 0.9 ** jnp.arange(5))
    )


# The expected loss needs no bandwidth: its gradient in the thresholds is exact.
axes = {"density": [0.3, 0.05], "first": [-0.6, -0.25, -0.05], "seed": 16}
recipe = js.Recipe(1_000, None, js.decaying_adam, log_every=1_000)
ds = js.best_seed(js.sweep(task, axes, recipe, key=jax.random.key(0)))
print(ds["t"].transpose("density", "first", "feature").values.round(2))
print(ds["loss"].to_pandas())

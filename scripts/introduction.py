"""Is it sparsity alone that decides? Importances more equal, and more unequal."""

import jax
import jax.numpy as jnp

import jsuper as js

js.use_cpu_cores()


def task(first):
    importance = jnp.ones(5).at[0].set(first)
    return js.Task(js.SparseFeatures(5, density=0.1), js.ToyModel(5, 2), importance)


recipe = js.Recipe(steps=2_000, batch_size=256, optimizer=js.decaying_adam(steps=2_000))
ds = js.sweep(task, {"first": [1.0, 3.0, 10.0], "seed": 16}, recipe, key=jax.random.key(0))
js.plots.embeddings(js.measure(ds)).savefig("first.png")

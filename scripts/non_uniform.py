"""When is a fifth feature dropped that is less important than the others?"""

import jax
import jax.numpy as jnp

import jsuper as js

js.use_cpu_cores()


def task(importance):
    varied = jnp.where(jnp.arange(5) == 0, importance, 1.0)
    return js.Task(js.SparseFeatures(5, 0.05), js.ToyModel(5, 2), varied)


recipe = js.Recipe(steps=2_000, batch_size=512, optimizer=js.decaying_adam(2_000))
axes = {"importance": [0.1, 0.2, 0.4, 1.0], "seed": 16}
best = js.best_seed(js.measure(js.sweep(task, axes, recipe, key=jax.random.key(0))))
print(best["norm"].isel(feature=0).to_series())
js.plots.embeddings(best).savefig("embeddings.png")

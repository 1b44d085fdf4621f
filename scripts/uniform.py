"""What do importances do to polytopes? Half of the features twice as important."""

import jax
import jax.numpy as jnp

import jsuper as js
from jsuper.plots.graphs import feature_graphs
from jsuper.polytopes import count_polytopes, feature_polytopes

js.use_cpu_cores()


def task(density):
    importance = jnp.where(jnp.arange(60) < 30, 2.0, 1.0)
    return js.Task(js.SparseFeatures(60, density), js.ToyModel(60, 8), importance)


recipe = js.Recipe(steps=2_000, batch_size=512, optimizer=js.decaying_adam(2_000))
ds = js.sweep(task, {"density": [0.6, 0.35, 0.2]}, recipe, key=jax.random.key(0))
print(count_polytopes(feature_polytopes(ds)).to_pandas())
feature_graphs(ds).savefig("graphs.png")

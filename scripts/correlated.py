"""How do sets of three share two dimensions, if correlated, and if anticorrelated?"""

import jax

import jsuper as js

js.use_cpu_cores()


def correlated(density):
    return js.Task(js.CorrelatedFeatures(2, 3, density), js.ToyModel(6, 2))


def anticorrelated(density):
    return js.Task(js.AnticorrelatedFeatures(2, 3, density), js.ToyModel(6, 2))


recipe = js.Recipe(steps=2_000, batch_size=512, optimizer=js.decaying_adam(2_000))
axes = {"density": [0.2, 0.05], "seed": 8}
for task in (correlated, anticorrelated):
    ds = js.sweep(task, axes, recipe, key=jax.random.key(0))
    print(js.best_seed(js.measure(ds))["norm"].to_pandas().round(2))
    js.plots.embeddings(ds).savefig(f"{task.__name__}.png")

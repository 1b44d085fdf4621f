"""When does sigmoid superpose? Learning rates decide how sparse features may be."""

import jax
import optax

import jsuper as js

js.use_cpu_cores()
N, M = 10, 2


def task(density):
    model = js.ToyModel(N, M, activation="sigmoid")
    return js.Task(js.SparseFeatures(N, density), model)


def adam(learning_rate):
    return optax.adam(learning_rate)


axes = {"learning_rate": [0.001, 0.003, 0.01, 0.03], "density": [0.3, 0.1, 0.03], "seed": 4}
recipe = js.Recipe(steps=2_000, batch_size=256, optimizer=adam)
ds = js.sweep(task, axes, recipe, key=jax.random.key(0))
variance = ds["density"] / 3 - ds["density"] ** 2 / 4
explained = N / M * (1 - ds["loss"] / variance)  # more than 1 is superposition
print(explained.mean("seed").to_pandas().round(2))
ds = ds.assign(W=ds["W"] / abs(ds["W"]).max(("feature", "hidden")))
js.plots.embeddings(ds).savefig("sigmoid.png")

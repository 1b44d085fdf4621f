"""Does a gradient that sees ExReLU's jump bring superposition back below t = -0.53?"""

import jax
import numpy as np

import jsuper as js

js.use_cpu_cores()


def task(threshold, bandwidth):
    model = js.ToyModel(5, 2, threshold, bandwidth=bandwidth)
    return js.Task(js.SparseFeatures(5, density=0.05), model, 0.9 ** np.arange(5))


axes = {"threshold": [-0.5, -0.6, -0.7], "bandwidth": [0.05, 0.2, 0.5], "seed": 8}
recipe = js.Recipe(steps=2_000, batch_size=512, optimizer=js.decaying_adam)
ds = js.measure(js.sweep(task, axes, recipe, key=jax.random.key(0)))
print(js.best_seed(ds)["superposed"].to_pandas())
js.plots.embeddings(ds).savefig("bandwidths.png")

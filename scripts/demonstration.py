"""Does superposition need unequal features? The small model with equal importances."""

import jax

import jsuper as js

js.use_cpu_cores()


def task(density):
    return js.Task(js.SparseFeatures(20, density), js.ToyModel(20, 5))


recipe = js.Recipe(steps=1_000, batch_size=512, optimizer=js.decaying_adam(steps=1_000))
axes = {"density": [1.0, 0.3, 0.1, 0.03], "seed": 4}
ds = js.measure(js.sweep(task, axes, recipe, key=jax.random.key(0)))
print(ds["represented"].max("seed").values)
js.plots.demonstration(ds).savefig("equal.png")

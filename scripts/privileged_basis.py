"""How many features does each neuron of a rectified model serve?"""

import jax

import jsuper as js

js.use_cpu_cores()


def task(density):
    features = js.SparseFeatures(12, density)
    return js.Task(features, js.HiddenReLUModel(12, 4), js.geometric_importance(12, 0.8))


axes = {"density": [0.5, 0.2, 0.05], "seed": 20}
recipe = js.Recipe(steps=2_000, batch_size=256, optimizer=js.decaying_adam(steps=2_000))
best = js.best_seed(js.sweep(task, axes, recipe, key=jax.random.key(0)))
print(js.features_per_neuron(best["W"].values))
js.plots.neuron_stacks(best).savefig("stacks.png")

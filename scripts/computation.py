"""Another function to compute: ReLU needs one neuron a feature, not two."""

import jax

import jsuper as js

js.use_cpu_cores()


def task(density):
    features = js.SparseFeatures(12, density, low=-1)
    importance = js.geometric_importance(12, 0.8)
    return js.Task(features, js.ComputationModel(12, 6), importance, target=jax.nn.relu)


axes = {"density": [1.0, 0.1, 0.01], "seed": 4}
recipe = js.Recipe(steps=2_000, batch_size=512, optimizer=js.decaying_adam(steps=2_000))
best = js.best_seed(js.sweep(task, axes, recipe, key=jax.random.key(0)))
W_in, W_out = js.rescale_neurons(best["W_in"].values, best["W_out"].values)
print(js.features_per_neuron(W_in))
js.plots.neuron_stacks(best, weights="W_in").savefig("stacks.png")

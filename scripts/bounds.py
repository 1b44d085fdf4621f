"""Which features does an L1 penalty on the hidden activations leave?"""

import jax

import jsuper as js
from jsuper.theory import bounds

js.use_cpu_cores()

importance = js.geometric_importance(10, 0.8)


def build(l1):
    return js.Task(
        js.SparseFeatures(10, density=0.1), js.ToyModel(10, 4), importance, l1=l1
    )


recipe = js.Recipe(steps=1_500, batch_size=512, optimizer=js.decaying_adam(steps=1_500))
ds = js.measure(js.sweep(build, {"l1": [0.0, 0.03, 0.1]}, recipe, key=jax.random.key(0)))
print(ds["norm"].values.round(2))
print(ds["dimensionality"].sum("feature").values, bounds.packing_limit(ds["W"]).sum(-1))

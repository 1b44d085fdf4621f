"""Attack one model, and train another under attack."""

import jax
import jax.numpy as jnp

import jsuper as js
from jsuper import adversarial

js.use_cpu_cores()

clean = js.Task(js.SparseFeatures(20, density=0.1), js.ToyModel(20, 5))


def build(attack):
    return adversarial.AdversarialTask(clean, attack)


recipe = js.Recipe(steps=1_500, batch_size=512, optimizer=js.decaying_adam(steps=1_500))
ds = js.sweep(build, {"attack": [0.0, 0.8]}, recipe, key=jax.random.key(0))
ds = js.measure(ds)
for attack in ds["attack"].values:
    model = ds.sel(attack=attack)
    params = {"W": jnp.asarray(model["W"].values), "b": jnp.asarray(model["b"].values)}
    rise = adversarial.vulnerability(clean, params, jax.random.key(1), batch_size=1024)
    stored = float(model["features_per_dimension"])
    print(f"trained under {attack}: rise {rise:.2g}, {stored:.2f} features per dimension")

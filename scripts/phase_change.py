"""Do smaller initial weights end as an antipodal pair more often?"""

import jax
import jax.numpy as jnp

import jsuper as js

js.use_cpu_cores()


def task(importance, init_std):
    return js.Task(
        js.SparseFeatures(2, density=0.1),
        js.ToyModel(2, 1, init_std=init_std),
        importance=jnp.append(1.0, importance),
    )


ds = js.sweep(
    task,
    {"importance": [0.3, 1.0, 3.0], "init_std": [0.01, 0.1, 1.0], "seed": 20},
    js.Recipe(steps=2_000, batch_size=256, optimizer=js.decaying_adam(2_000)),
    key=jax.random.key(0),
)
pairs = ds["W"].prod(("feature", "hidden")) < -0.5
print(pairs.mean("seed").to_pandas())

"""Does the noise of samples free runs that start with equal signs?"""

import jax
import jax.numpy as jnp
import optax

import jsuper as js

js.use_cpu_cores()


def sampled(importance):
    importance = jnp.append(1.0, importance)
    return js.Task(js.SparseFeatures(2, density=0.1), js.ToyModel(2, 1), importance)


def exact(importance):
    return js.Population(sampled(importance))


start = {"W": jnp.array([[0.2], [0.1]]), "b": jnp.zeros(2)}
for build, batch_size in ((exact, None), (sampled, 64)):
    ds = js.sweep(
        build,
        {"importance": [0.2, 0.3, 0.5, 1.0], "seed": 20},
        js.Recipe(5_000, batch_size, optax.sgd(0.5)),
        key=jax.random.key(0),
        start=start,
    )
    pairs = ds["W"].prod(("feature", "hidden")) < -0.1
    print(build.__name__, pairs.mean("seed").values)

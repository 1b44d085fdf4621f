"""Does the weight of the penalty decide how many features share a neuron?"""

import jax
import jax.numpy as jnp
import optax

import jsuper as js

js.use_cpu_cores()


@js.pytree
class OneHot(js.ToyModel):
    penalty: float = 0.15

    def loss(self, params, key, batch_size):
        x = jnp.eye(self.n_features)
        errors = x - self.apply(params, x)
        return (errors**2).sum() + self.penalty * abs(x @ params["W"]).sum()


def task(penalty):
    return OneHot(32, 64, bias=False, init_std=64**-0.5, penalty=penalty)


recipe = js.Recipe(steps=2_000, batch_size=1, optimizer=optax.sgd(0.05), eval_batches=1)
axes = {"penalty": [0.1, 0.2, 0.4], "seed": 32}
ds = js.sweep(task, axes, recipe, key=jax.random.key(0))
on = (abs(ds["W"]) > 0.5).sum("feature")
print((on * (on - 1) / 2).sum("hidden").mean("seed"))  # 32² / (4 · 64) = 4

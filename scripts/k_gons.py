"""Train on the exact loss of one-hot features, and compare with the closed form."""

import jax
import jax.numpy as jnp
import optax

from jsuper.theory import k_gon, one_hot_potential


def loss(params):
    return one_hot_potential(params["W"], params["b"]) / (3 * 5)


params = {"W": 0.3 * jax.random.normal(jax.random.key(0), (5, 2)), "b": jnp.zeros(5)}
optimizer = optax.sgd(0.1, momentum=0.9)


@jax.jit
def step(_, carry):
    params, state = carry
    updates, state = optimizer.update(jax.grad(loss)(params), state)
    return optax.apply_updates(params, updates), state


params, _ = jax.lax.fori_loop(0, 3_000, step, (params, optimizer.init(params)))
print(loss(params), k_gon(5).loss(5), k_gon(4).loss(5, positive_biases=1))

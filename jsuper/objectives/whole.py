r"""The loss and gradient of toy models for a whole grid at once, as accelerators want it.

An accelerator launches kernels, at some microseconds each, and has the threads for a
whole grid in every one of them. So nothing here goes from block to block of models,
unless what the kernels leave for one another would not fit into memory.

Small models take three kernels: one samples, one goes through the examples with all that is
between weights and gradient in its registers, and one sums. They write out the formulas
of `jsuper.objectives.fused`, number by number, down to one reduction of all sums together.
Larger models are differentiated in reverse.
"""

import functools
import operator
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jsuper.memory import bound, bytes_kept, in_parts
from jsuper.models.activations import LIMITS, THRESHOLDED
from jsuper.models.toy import HiddenReLUModel, Params
from jsuper.precision import full_precision

MAX_SUMS = 32
"""Most sums over the batch, gradients and the loss, that one reduction takes."""


@full_precision
def value_and_grad(
    tasks: Any,
    params: Params,
    keys: jax.Array,
    batch_size: int,
) -> tuple[jax.Array, Params]:
    """Returns the losses and gradients of a grid of tasks x keys.

    Args:
        tasks: Tasks that `jsuper.objectives.fused` covers, leaves of shape (n_tasks, ...).
        params: Parameters with leading axes (n_tasks, n_keys).
        keys: Typed keys, shape (n_keys,) shared by all tasks, or (n_tasks, n_keys).
        batch_size: Number of examples in each batch.

    Returns:
        Losses, shape (n_tasks, n_keys), and gradients shaped like ``params``.
    """
    if is_small(tasks.model):
        one = functools.partial(in_one_pass, batch_size=batch_size)
        size = n_sums(tasks.model) * batch_size * params["W"].dtype.itemsize
    else:
        one = functools.partial(differentiated, batch_size=batch_size)
        task, own = (jax.tree.map(lambda x: x[0], tree) for tree in (tasks, params))
        own, key = jax.tree.map(lambda x: x[0], own), keys.ravel()[0]
        size = bytes_kept(lambda own, key: task.loss(own, key, batch_size), own, key)
    most = max(1, bound() // size)

    def over_keys(task, params, keys):
        return in_parts(lambda each: one(task, *each), (params, keys), most)

    def over_tasks(of_each):
        task, params, *own_keys = of_each
        return over_keys(task, params, *own_keys or (keys,))

    each = (tasks, params) if keys.ndim == 1 else (tasks, params, keys)
    return in_parts(over_tasks, each, max(1, most // params["W"].shape[1]))


def differentiated(task, params, key, *, batch_size):
    """Loss and gradient of one model in reverse mode."""
    return jax.value_and_grad(task.loss)(params, key, batch_size)


def is_small(model: Any) -> bool:
    """Returns whether one pass takes a model: few weights, and a plain activation."""
    plain = model.bandwidth is None and model.activation in (*THRESHOLDED, *LIMITS)
    return plain and n_sums(model) <= MAX_SUMS


def n_sums(model: Any) -> int:
    """Returns the number of sums over the batch: of each gradient, and the loss."""
    return 1 + model.n_features * ((1 if model.tied else 2) * model.n_hidden + model.bias)


def in_one_pass(task, params, key, *, batch_size):
    """Loss and gradient of one small model, all sums in one reduction.

    Lists have an entry for each feature or hidden dimension, with an axis of examples.
    """
    model, dtype = task.model, params["W"].dtype
    n, m = model.n_features, model.n_hidden
    W = params["W"]
    out = W if model.tied else params["W_out"].T

    def per_feature(leaf):
        return jnp.broadcast_to(jnp.asarray(leaf, dtype), (n,))

    features = task.features
    p, low, high, importance = map(
        per_feature, (features.density, features.low, features.high, task.importance)
    )
    slope = (high - low) / p
    t = jnp.asarray(LIMITS.get(model.activation, model.threshold), dtype)
    # Sampled in a kernel of its own, the numbers serve all models that share the key.
    u = features.uniforms(key, batch_size, feature_axis=0).astype(dtype)
    u = lax.optimization_barrier(u)

    x = [jnp.where(u[i] <= p[i], low[i] + slope[i] * u[i], 0) for i in range(n)]
    h = [_sum(W[i, j] * x[i] for i in range(n)) for j in range(m)]
    active = [h[j] > 0 for j in range(m)]
    if rectified := type(model) is HiddenReLUModel:
        h = [jnp.where(active[j], h[j], 0) for j in range(m)]
    squares, g = [], []
    for i in range(n):
        z = _sum(out[i, j] * h[j] for j in range(m))
        z = z + params["b"][i] if model.bias else z
        error = jnp.where(z < t, 0, z) - x[i]
        weighted = importance[i] * error
        squares.append(weighted * error)
        g.append(jnp.where(z < t, 0, weighted))
    q = [_sum(out[i, j] * g[i] for i in range(n)) for j in range(m)]
    if rectified:
        q = [jnp.where(active[j], q[j], 0) for j in range(m)]
    if model.tied:
        half = {"W": [[g[i] * h[j] + x[i] * q[j] for j in range(m)] for i in range(n)]}
    else:
        half = {
            "W": [[x[i] * q[j] for j in range(m)] for i in range(n)],
            "W_out": [[h[j] * g[i] for i in range(n)] for j in range(m)],
        }
    if model.bias:
        half["b"] = g

    terms, structure = jax.tree.flatten((_sum(squares), half))
    zeros = [jnp.zeros((), dtype)] * len(terms)
    sums = lax.reduce(terms, zeros, lambda a, b: [*map(operator.add, a, b)], [0])
    loss, half = jax.tree.unflatten(structure, sums)
    scale = 1 / (batch_size * n)

    # In one kernel; an array of arrays would take one for each row.
    def gradient(name):
        entries = jnp.stack(jax.tree.leaves(half[name]))
        return 2 * scale * entries.reshape(params[name].shape)

    return scale * loss, {name: gradient(name) for name in half}


def _sum(terms):
    return functools.reduce(operator.add, terms)

r"""The loss and gradient of toy models, derived by hand, for a whole grid.

Same mathematics as `jsuper.Task.loss` and its derivative, for sparse features. With
$h = W^\top x$, $z = W h + b$, error $e = x' - x$, $g_i = I_i e_i [z_i \ge t]$ and
$q = W^\top g$, one pass over the batch gives everything:

$$L = \sum I_i e_i^2, \qquad \tfrac12 \nabla_b L = \sum g, \qquad
  \tfrac12 \nabla_W L = \sum g h^\top + x q^\top .$$

A ReLU on the hidden layer sets $h$ and $q$ to 0 where $W^\top x \le 0$. Other
activations put their slope in the place of $[z_i \ge t]$. With untied weights
$z = W_{out}^\top h + b$ and $q = W_{out} g$, and the two terms of $\nabla_W L$ are the
gradients of the two matrices.

Differentiating a batch of models in reverse keeps a CPU busy with everything but
arithmetic: products of 5 x 2 matrices, one at a time, and arrays that leave the cache.
Here a few models at a time go through their examples. Products of small matrices are
written out as sums, over arrays whose last, contiguous axis is the batch.
docs/performance.md has the measurements behind the constants.
"""

import functools
import operator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike

from jsuper.features.sparse import SparseFeatures, activate
from jsuper.models.activations import LIMITS, THRESHOLDED, apply_activation
from jsuper.models.toy import HiddenReLUModel, Params, ToyModel

# Up to this many weights, writing out is faster than products of whole matrices.
MAX_WRITTEN_OUT = 200

# The compiler of JAX 0.10 makes one loop of a product and its sum. That of 0.12 hands
# sums to a library, which is slow at it, and computes again what several loops use.
SUMS_ARE_FUSED = jax.__version_info__ < (0, 11)

# Array elements (features x examples, for one model) that stay in the fastest cache,
# and (features x examples x models) in the next. Smaller arrays would spend the time on
# starting kernels.
ELEMENTS_OF_ONE = 2_048 if SUMS_ARE_FUSED else 40_960
ELEMENTS = 40_960


class Numbers(NamedTuple):
    """The numbers of one task: for each feature, and for the activation."""

    density: jax.Array
    low: jax.Array
    slope: jax.Array
    importance: jax.Array
    threshold: jax.Array
    bandwidth: jax.Array | None


def applies(features: Any, model: Any) -> bool:
    """Returns whether the form derived here covers these features and this model."""
    # A subclass may sample or compute something else.
    if type(features) is not SparseFeatures or type(model) not in (
        ToyModel,
        HiddenReLUModel,
    ):
        return False
    return not model.train_threshold


def value_and_grad(
    features: SparseFeatures,
    model: ToyModel,
    importance: ArrayLike,
    params: Params,
    keys: jax.Array,
    batch_size: int,
) -> tuple[jax.Array, Params]:
    """Returns the losses and gradients of a grid of tasks x keys.

    Args:
        features: Batched features, leaves of shape (n_tasks, ...).
        model: Batched models, likewise.
        importance: Shape (n_tasks,) or (n_tasks, n_features).
        params: Parameters with leading axes (n_tasks, n_keys).
        keys: Typed keys, shape (n_keys,) shared by all tasks, or (n_tasks, n_keys).
        batch_size: Number of examples in each batch.

    Returns:
        Losses, shape (n_tasks, n_keys), and gradients shaped like ``params``.
    """
    n = model.n_features
    grid = params["W"].shape[:2]
    dtype = params["W"].dtype
    written_out = n * model.n_hidden <= MAX_WRITTEN_OUT
    sums_of_one = functools.partial(_written_out if written_out else _products, model)

    def per_feature(leaf: ArrayLike) -> jax.Array:
        leaf = jnp.asarray(leaf, dtype).reshape(grid[0], -1)
        return jnp.broadcast_to(leaf, (grid[0], n))

    p, low, high = map(per_feature, (features.density, features.low, features.high))
    t = jnp.asarray(LIMITS.get(model.activation, model.threshold), dtype)
    t = jnp.broadcast_to(t, grid[:1])
    bandwidth = model.bandwidth
    if bandwidth is not None:
        bandwidth = jnp.asarray(bandwidth, dtype)
    numbers = Numbers(p, low, (high - low) / p, per_feature(importance), t, bandwidth)

    @jax.vmap
    def sample(key):
        if not written_out:
            return features.uniforms(key, batch_size).astype(dtype)
        uniforms = features.uniforms(key, batch_size, feature_axis=0).astype(dtype)
        rows = _rows(batch_size, ELEMENTS_OF_ONE // n)
        return uniforms.reshape(n, -1, rows).swapaxes(0, 1)

    uniforms = sample(keys) if keys.ndim == 1 else None

    def sums_of_block(models):
        task, key = jnp.divmod(jnp.minimum(models, n_models - 1), grid[1])
        if uniforms is not None:
            u, which = uniforms, key
        else:
            u, which = sample(keys[task, key]), models - models[0]

        def one(task, key, which):
            own_params = jax.tree.map(lambda leaf: leaf[task, key], params)
            own_numbers = jax.tree.map(lambda leaf: leaf[task], numbers)
            return sums_of_one(own_numbers, own_params, u[which])

        if block > 1:
            return jax.vmap(one)(task, key, which)
        # A batch of one matrix would be copied before every product.
        return jax.tree.map(lambda leaf: leaf[None], one(task[0], key[0], which[0]))

    n_models = grid[0] * grid[1]
    block = _block(n_models, max(2, ELEMENTS // (n * batch_size)) if written_out else 1)
    blocks = jnp.arange(-(-n_models // block) * block).reshape(-1, block)
    scale = 1 / (batch_size * n)

    def of_grid(sums):
        of_models = sums.reshape(-1, *sums.shape[2:])[:n_models]
        return scale * of_models.reshape(*grid, *sums.shape[2:])

    loss, gradient = jax.tree.map(of_grid, lax.map(sums_of_block, blocks))
    return loss.sum(-1), jax.tree.map(lambda half: 2 * half, gradient)


def _written_out(model, numbers, params, uniforms):
    """Sums over the batch for a small model: errors of each feature, and half gradients.

    ``uniforms`` has the shape (n_chunks, n_features, examples of a chunk).
    """
    W = params["W"]
    out = W if model.tied else params["W_out"].T
    rectified = type(model) is HiddenReLUModel
    numbers = jax.tree.map(lambda x: jnp.expand_dims(x, -1), numbers)

    @jax.vmap
    def sums_of_chunk(uniforms):
        x = activate(uniforms, numbers.density, numbers.low, numbers.slope)
        h = _apply(W.T, x)
        h = jnp.maximum(h, 0) if rectified else h
        z = _apply(out, h)
        z = z + params["b"][:, None] if model.bias else z
        squares, g = _errors(model, numbers, x, z, example_axis=1)
        g = _once(g)
        q = _apply(out.T, g)
        q = jnp.where(h > 0, q, 0) if rectified else q
        if model.tied:
            gradient = {"W": g[:, None] * h + x[:, None] * q}
        else:
            gradient = {"W": x[:, None] * q, "W_out": h[:, None] * g}
        if model.bias:
            gradient["b"] = g
        return jax.tree.map(_over_examples, (squares, gradient))

    return jax.tree.map(lambda sums: sums.sum(0), sums_of_chunk(uniforms))


def _products(model, numbers, params, uniforms):
    """The same for a large model; ``uniforms`` of shape (n_examples, n_features)."""
    W = params["W"]
    out = W if model.tied else params["W_out"].T
    rectified = type(model) is HiddenReLUModel
    x = activate(uniforms, numbers.density, numbers.low, numbers.slope)
    h = x @ W
    h = jnp.maximum(h, 0) if rectified else h
    z = h @ out.T
    z = z + params["b"] if model.bias else z
    squares, g = _errors(model, numbers, x, z, example_axis=0)
    q = g @ out
    q = jnp.where(h > 0, q, 0) if rectified else q
    squares = _over_examples(squares, 0)
    gradient = {"W": g.T @ h + x.T @ q} if model.tied else {"W": x.T @ q, "W_out": h.T @ g}
    if model.bias:
        gradient["b"] = _over_examples(g, 0)
    return squares, gradient


def _apply(matrix, columns):
    """The product of a small matrix with many columns."""
    if SUMS_ARE_FUSED:
        return (matrix[:, :, None] * columns).sum(1)
    terms = (map(operator.mul, row, columns) for row in matrix)
    return _once(jnp.stack([functools.reduce(operator.add, row) for row in terms]))


def _over_examples(terms, axis=-1):
    """Sums over the first or the last axis."""
    if SUMS_ARE_FUSED:
        return terms.sum(axis)
    ones = jnp.ones(terms.shape[axis], terms.dtype)
    return ones @ terms if axis == 0 else terms @ ones


def _once(array):
    """The same array, computed once for all loops that use it."""
    return array if SUMS_ARE_FUSED else lax.optimization_barrier(array)


def _errors(model, numbers, x, z, example_axis):
    """Weighted squared errors, and half their derivative in z."""
    t, bandwidth = numbers.threshold, numbers.bandwidth
    if bandwidth is None and model.activation in (*THRESHOLDED, *LIMITS):
        error = jnp.where(z < t, 0.0, z) - x
        weighted = numbers.importance * error
        return weighted * error, jnp.where(z < t, 0.0, weighted)

    def output(z):
        return apply_activation(model.activation, z, t, bandwidth)

    # By examples, so that a function may not see more than one, whatever the layout.
    y, pull_back = jax.vjp(jax.vmap(output, example_axis, example_axis), z)
    error = y - x
    weighted = numbers.importance * error
    return weighted * error, *pull_back(weighted)


def _rows(batch_size: int, most: int) -> int:
    """How many examples to take at a time: a divisor of the batch size, if one is near."""
    rows = max(
        d for d in range(1, batch_size + 1) if batch_size % d == 0 and d <= max(1, most)
    )
    return rows if 4 * rows >= most else batch_size


def _block(n_models: int, most: int) -> int:
    """How many models to take at a time, such that the last block is nearly full.

    Two blocks at least: of a single one, the compiler would sample the random numbers
    anew wherever they are used.
    """
    most = min(most, -(-n_models // 2))
    sizes = range(-(-most // 2), most + 1)
    return min(sizes, key=lambda size: (-(-n_models // size) * size, -size))

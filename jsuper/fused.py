r"""The loss and gradient of the tied model, derived by hand, for a whole grid.

Same mathematics as `jsuper.Task.loss` and its derivative, for sparse features. Reverse
differentiation of a batch of models keeps a CPU busy with everything but arithmetic:
products of 5 x 2 matrices, one at a time, and arrays too large for the cache. Here a few
models at a time go through all their examples, and small products are written as sums
over arrays whose last, contiguous axis is the batch.

With $z = W h + b$, $h = W^\top x$, error $e = x' - x$, $g_i = I_i e_i [z_i \ge t]$ and
$q = W^\top g$,

$$\tfrac12 \nabla_b L = \sum g, \qquad \tfrac12 \nabla_W L = \sum g h^\top + x q^\top .$$
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike

from jsuper.features import SparseFeatures, activate
from jsuper.models import Params, ToyModel

MOST_WRITTEN_OUT = 200
"""Up to this many weights, products are written out as sums."""

ROWS = 2048

ELEMENTS = 40_960
"""Features x examples x models handled at a time: more leaves the cache, fewer spends
the time on starting kernels."""


class Numbers(NamedTuple):
    """What one task is made of: one number each for every feature, and the threshold."""

    density: jax.Array
    low: jax.Array
    slope: jax.Array
    importance: jax.Array
    threshold: jax.Array


def applies(features: object, model: object) -> bool:
    """Tells whether the form derived here covers these features and this model."""
    return type(features) is SparseFeatures and type(model) is ToyModel


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
    grid = params["b"].shape[:2]
    dtype = params["b"].dtype
    written_out = n * model.n_hidden <= MOST_WRITTEN_OUT

    def per_feature(leaf: ArrayLike) -> jax.Array:
        leaf = jnp.asarray(leaf, dtype).reshape(grid[0], -1)
        return jnp.broadcast_to(leaf, (grid[0], n))

    p, low, high = map(per_feature, (features.density, features.low, features.high))
    t = jnp.asarray(model.threshold, dtype)
    numbers = Numbers(p, low, (high - low) / p, per_feature(importance), t)

    def draw(key):
        if not written_out:
            return features.uniforms(key, batch_size)
        uniforms = features.uniforms(key, batch_size, feature_axis=0)
        return uniforms.reshape(n, -1, _rows(batch_size, n)).swapaxes(0, 1)

    shared = keys.ndim == 1
    uniforms = jax.vmap(draw)(keys) if shared else None
    task, key = (index.ravel() for index in jnp.indices(grid))
    n_models = len(task)
    most = max(2, ELEMENTS // (n * batch_size)) if written_out else 1
    size = _block(n_models, most)
    n_blocks = -(-n_models // size)
    models = jnp.minimum(jnp.arange(n_blocks * size), n_models - 1).reshape(n_blocks, size)

    def block(models):
        i, j = task[models], key[models]
        if shared:
            u = uniforms[j]
        else:
            u = jax.vmap(draw)(keys[i, j])[models - models[0]]
        W, b = params["W"][i, j], params["b"][i, j]
        sums = _written_out if written_out else _products
        return jax.vmap(sums)(jax.tree.map(lambda leaf: leaf[i], numbers), W, b, u)

    loss, dW, db = jax.tree.map(
        lambda leaf: leaf.reshape(-1, *leaf.shape[2:])[:n_models].reshape(*grid, *leaf.shape[2:]),
        lax.map(block, models),
    )
    scale = 1 / (batch_size * n)
    return scale * loss.sum(-1), {"W": 2 * scale * dW, "b": 2 * scale * db}


def _written_out(numbers, W, b, uniforms):
    """Sums over the batch for a small model: the errors of each feature, and gradients."""
    p, low, slope, importance, t = (jnp.expand_dims(number, -1) for number in numbers)
    W, b = W[:, :, None], b[:, None]

    def some(uniforms):
        x = activate(uniforms, p, low, slope)
        h = (W * x[:, None]).sum(0)
        squares, g = _errors(x, (W * h).sum(1) + b, t, importance)
        q = (W * g[:, None]).sum(0)
        dW = g[:, None] * h + x[:, None] * q
        return squares.sum(-1), dW.sum(-1), g.sum(-1)

    return jax.tree.map(lambda sums: sums.sum(0), jax.vmap(some)(uniforms))


def _products(numbers, W, b, uniforms):
    """The same for a large model, by matrix products."""
    p, low, slope, importance, t = numbers
    x = activate(uniforms, p, low, slope)
    h = x @ W
    squares, g = _errors(x, h @ W.T + b, t, importance)
    return squares.sum(0), g.T @ h + x.T @ (g @ W), g.sum(0)


def _errors(x, z, t, importance):
    """Weighted squared errors, and half their derivative in z."""
    error = jnp.where(z < t, 0.0, z) - x
    weighted = importance * error
    return weighted * error, jnp.where(z < t, 0.0, weighted)


def _block(n_models: int, most: int) -> int:
    """How many models to take at a time, such that few are left over in the last block.

    Two blocks at least: the compiler would draw the random numbers of a single one anew
    wherever they are used.
    """
    most = min(most, -(-n_models // 2))
    sizes = range(-(-most // 2), most + 1)
    return min(sizes, key=lambda size: (-(-n_models // size) * size, -size))


def _rows(batch_size: int, n_features: int) -> int:
    """How many examples to take at a time: a divisor of the batch size, if one is near."""
    most = ROWS // n_features
    rows = max(d for d in range(1, batch_size + 1) if batch_size % d == 0 and d <= most)
    return rows if 4 * rows > most else batch_size

r"""The loss and gradient of many small toy models at once, written out by hand.

Same mathematics as `jsuper.Task.loss` and its derivative, for sparse features and the
tied model. A batched product of 5 x 2 matrices keeps a CPU busy with everything but the
product; here the sums over features are written out instead, and every array has the
grid as its last, contiguous axis. Examples are taken a few at a time so that the
intermediate arrays stay in cache.

The tied model's gradient needs one matrix of sums over the batch. With
$z = x W W^\top + b$, error $e = x' - x$ and $g_i = I_i e_i [z_i \ge t]$,

$$\tfrac12 \nabla_b L = \sum g, \qquad
  \tfrac12 \nabla_W L = (A + A^\top) W, \quad A_{ij} = \sum g_i x_j.$$
"""

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike

from jsuper.features import SparseFeatures, activate
from jsuper.models import Params, ToyModel

# Written-out sums grow with the square of the number of features, and so does the time
# to compile them. On two CPU cores the form trains 77 million model-samples a second where
# the general path trains 20 (5 features in 2 dimensions, 320 models); with 8 features in
# 3 dimensions it is 26 against 22, with 10 in 5 it loses.
MOST_FEATURES = 8

# Array elements (examples x models) handled at a time: larger arrays leave the cache,
# smaller ones spend the time on starting kernels.
ELEMENTS = 65_536


def applies(features: object, model: object) -> bool:
    """Tells whether the written-out form covers these features and this model."""
    return (
        type(features) is SparseFeatures
        and type(model) is ToyModel
        and model.n_features <= MOST_FEATURES
    )


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
    n, m = model.n_features, model.n_hidden
    grid = params["b"].shape[:2]
    n_models = grid[0] * grid[1]
    dtype = params["b"].dtype

    def per_model(leaf: ArrayLike) -> jax.Array:
        """Broadcasts the last two axes to the grid and makes them one."""
        leaf = jnp.asarray(leaf, dtype)
        before = leaf.shape[:-2]
        return jnp.broadcast_to(leaf, (*before, *grid)).reshape(*before, n_models)

    def per_feature(leaf: ArrayLike) -> jax.Array:
        leaf = jnp.asarray(leaf, dtype).reshape(grid[0], -1)
        return per_model(jnp.broadcast_to(leaf, (grid[0], n)).T[:, :, None])

    p, low, high = map(per_feature, (features.density, features.low, features.high))
    slope = (high - low) / p
    I = per_feature(importance)  # noqa: E741
    t = per_model(jnp.asarray(model.threshold)[:, None])
    W = jnp.moveaxis(params["W"].reshape(n_models, n, m), 0, -1)
    b = params["b"].reshape(n_models, n).T

    draw = jnp.vectorize(
        lambda key: features.uniforms(key, batch_size), signature="()->(b,n)"
    )
    uniforms = jnp.moveaxis(draw(keys.reshape(-1, grid[1])), (-2, -1), (0, 1))

    def add_examples(sums, uniforms):
        x = [activate(per_model(uniforms[:, i]), p[i], low[i], slope[i]) for i in range(n)]
        h = [sum(x[i] * W[i, k] for i in range(n)) for k in range(m)]
        z = [sum(h[k] * W[i, k] for k in range(m)) + b[i] for i in range(n)]
        error = [jnp.where(z[i] < t, 0.0, z[i]) - x[i] for i in range(n)]
        weighted = [I[i] * error[i] for i in range(n)]
        g = [jnp.where(z[i] < t, 0.0, weighted[i]) for i in range(n)]
        terms = (
            sum(weighted[i] * error[i] for i in range(n)),
            g,
            [[g[i] * x[j] for j in range(n)] for i in range(n)],
        )
        return jax.tree.map(lambda s, term: s + term.sum(0), sums, terms), None

    zero = jnp.zeros(n_models, dtype)
    sums = (zero, [zero] * n, [[zero] * n for _ in range(n)])
    rows = _rows(batch_size, n_models)
    uniforms = uniforms.reshape(-1, rows, *uniforms.shape[1:])
    (total, g, A), _ = lax.scan(add_examples, sums, uniforms)

    A = jnp.array(A)
    half_dW = jnp.sum((A + A.swapaxes(0, 1))[:, :, None] * W, axis=1)
    scale = 1 / (batch_size * n)
    return (total * scale).reshape(grid), {
        "W": jnp.moveaxis(2 * scale * half_dW, -1, 0).reshape(params["W"].shape),
        "b": (2 * scale * jnp.array(g)).T.reshape(params["b"].shape),
    }


def _rows(batch_size: int, n_models: int) -> int:
    """The largest divisor of the batch size that keeps the arrays small enough."""
    most = max(16, ELEMENTS // n_models)
    return max(
        rows for rows in range(1, batch_size + 1) if batch_size % rows == 0 and rows <= most
    )

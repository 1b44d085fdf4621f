r"""Adversarial attacks on toy models: small changes of the input that hurt most.

A feature in superposition can be reached through the others: its output reads
$x'_i = \mathrm{ReLU}((W W^\top x)_i + b_i)$, and an adversary who adds a little of every
feature along row $(W W^\top)_i$ moves it as far as the norm of that row allows. These are
the directions of the analytic attack, which needs no gradient: silent outputs have none.
Source: Elhage et al. 2022, "Superposition and Adversarial Vulnerability".
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike

from jsuper.models.toy import Params
from jsuper.precision import full_precision
from jsuper.pytrees import pytree
from jsuper.validation import check, check_number


def attack_directions(W: ArrayLike, W_out: ArrayLike | None = None) -> jax.Array:
    r"""Returns the unit vectors along the rows of $W W^\top$.

    Args:
        W: Weights, shape (..., n_features, n_hidden).
        W_out: Weights of the outputs where they are not tied to ``W``, shape
            (..., n_hidden, n_features): rows of $W_{out}^\top W^\top$.

    Returns:
        Directions in the space of inputs, shape (..., n_features, n_features): row i is
        what moves output i most, 0 for a feature of norm 0.

    Example:
        >>> attack_directions(jnp.array([[1.0], [-1.0]]))
        Array([[ 0.70710677, -0.70710677],
               [-0.70710677,  0.70710677]], dtype=float32)
    """
    W = jnp.asarray(W)
    out = W if W_out is None else jnp.asarray(W_out).swapaxes(-1, -2)
    rows = jnp.einsum("...ih,...jh->...ij", out, W, precision=lax.Precision.HIGHEST)
    return _unit(rows)


def strongest_attack(task: Any, params: Params, x: jax.Array, size: ArrayLike) -> jax.Array:
    r"""Returns inputs under the analytic attack.

    Of the candidates $x \pm \epsilon \, (W W^\top)_i / \lVert (W W^\top)_i \rVert_2$ over
    all features i, every example gets the one with the largest loss against the target of
    the clean input. Pure, and works inside `jax.jit` and `jax.vmap`.

    Args:
        task: What the model was to learn (`jsuper.Task`): its model, target and
            importance decide what hurts.
        params: The model's parameters, with weights ``W`` (and ``W_out``): of one model
            of a sweep, ``{name: ds[name].values for name in ("W", "b")}``.
        x: Clean inputs, shape (batch_size, n_features).
        size: Norm $\epsilon$ of the attack, at least 0.

    Returns:
        Attacked inputs, shape (batch_size, n_features).

    Example:
        >>> import jsuper as js
        >>> task = js.Task(js.SparseFeatures(2, 0.1), js.ToyModel(2, 1))
        >>> pair = {"W": jnp.array([[1.0], [-1.0]]), "b": jnp.zeros(2)}
        >>> np.asarray(strongest_attack(task, pair, jnp.array([[1.0, 0.0]]), 0.1)).round(3)
        array([[ 1.071, -0.071]], dtype=float32)
    """
    directions = attack_directions(params["W"], params.get("W_out"))
    size = jnp.asarray(size, x.dtype)

    def try_direction(best, direction):
        for step in (size * direction, -size * direction):
            worst, found = best
            loss = _losses(task, params, x, x + step)
            better = loss > worst
            found = jnp.where(better[:, None], step, found)
            best = jnp.maximum(loss, worst), found
        return best, None

    nothing = jnp.full(x.shape[:1], -jnp.inf, x.dtype), jnp.zeros_like(x)
    (_, step), _ = lax.scan(try_direction, nothing, directions)
    return x + step


def gradient_attack(
    task: Any,
    params: Params,
    x: jax.Array,
    size: ArrayLike,
    key: jax.Array,
    steps: int = 20,
) -> jax.Array:
    r"""Returns inputs under projected gradient ascent, to compare the analytic attack with.

    From a random point at distance $\epsilon$, every step goes $\epsilon / 4$ along the
    gradient of the example's loss and back into the ball of radius $\epsilon$. Source:
    Madry et al. 2018, "Towards Deep Learning Models Resistant to Adversarial Attacks", in
    the Euclidean norm.

    Args:
        task: As in `strongest_attack`.
        params: The model's parameters.
        x: Clean inputs, shape (batch_size, n_features).
        size: Norm $\epsilon$ of the attack, at least 0.
        key: A typed PRNG key; it decides where the ascent starts.
        steps: Number of steps.

    Returns:
        Attacked inputs, shape (batch_size, n_features).

    Example:
        >>> import jsuper as js
        >>> task = js.Task(js.SparseFeatures(2, 0.1), js.ToyModel(2, 1))
        >>> pair = {"W": jnp.array([[1.0], [-1.0]]), "b": jnp.zeros(2)}
        >>> x, key = jnp.array([[1.0, 0.0]]), jax.random.key(0)
        >>> moved = gradient_attack(task, pair, x, 0.1, key) - x
        >>> np.abs(np.asarray(moved)).round(2)
        array([[0.07, 0.07]], dtype=float32)
    """
    slope = jax.grad(lambda attacked: _losses(task, params, x, attacked).sum())

    def ascend(_, step):
        step = step + size / 4 * _unit(slope(x + step))
        norm = jnp.linalg.norm(step, axis=-1, keepdims=True)
        return step * jnp.minimum(1.0, size / jnp.where(norm == 0, 1.0, norm))

    start = size * _unit(jax.random.normal(key, x.shape, x.dtype))
    return x + lax.fori_loop(0, steps, ascend, start)


def vulnerability(
    task: Any, params: Params, key: jax.Array, batch_size: int, size: ArrayLike = 0.1
) -> jax.Array:
    r"""Returns how much the analytic attack raises the loss, $L' - L$.

    Divide it by the same number of a model without superposition at the same ``task``
    and ``key``, whose inputs and attack are then the same: the paper's relative
    vulnerability. A model with dedicated features alone ($W_i$ orthonormal or 0) that
    returns them exactly has $L' - L = \epsilon^2 / n$ at importance 1.

    Args:
        task: As in `strongest_attack`.
        params: The model's parameters.
        key: A typed PRNG key; it decides the batch.
        batch_size: Number of examples.
        size: $\epsilon \ge 0$ as a fraction of the mean norm of the batch's inputs; the
            paper's is 0.1.

    Returns:
        The rise of the loss (a mean over features, as `jsuper.Task` has it), a scalar.

    Raises:
        ValueError: If ``size`` is negative.

    Example:
        >>> import jsuper as js
        >>> task = js.Task(js.SparseFeatures(2, density=1.0), js.ToyModel(2, 2))
        >>> exact = {"W": jnp.eye(2), "b": jnp.zeros(2)}
        >>> key = jax.random.key(0)
        >>> rise = vulnerability(task, exact, key, 1024)
        >>> size = 0.1 * jnp.linalg.norm(task.features.sample(key, 1024), axis=1).mean()
        >>> bool(jnp.isclose(rise, size**2 / 2))
        True
    """
    check("size", size, lambda e: e >= 0, "at least 0")
    x = task.features.sample(key, batch_size)
    attacked = strongest_attack(task, params, x, jnp.asarray(size) * mean_norm(x))
    rise = _losses(task, params, x, attacked) - _losses(task, params, x, x)
    return jnp.mean(rise)


def mean_norm(x: jax.Array) -> jax.Array:
    r"""Returns the mean norm $E \lVert x \rVert_2$ of a batch, a scalar."""
    return jnp.mean(jnp.linalg.norm(x, axis=-1))


@pytree
class AdversarialTask:
    r"""A task trained under attack: adversarial training with the analytic attack.

    Every example is attacked along the direction of one random feature, with the sign
    that hurts more; the model is to return the target of the clean input all the same.
    The attack is recomputed from the weights at every step and is itself no path for the
    gradient. Trains through `jsuper.sweep` like `jsuper.Task`. Source: Elhage et al.
    2022, "Superposition and Adversarial Vulnerability", which leaves details open.

    Args:
        task: The task to attack; its model has weights ``W``.
        size: $\epsilon$ as a fraction of the mean norm of the batch's inputs, at least 0.

    Raises:
        ValueError: If ``size`` is out of range.

    Example:
        >>> import jsuper as js
        >>> clean = js.Task(js.SparseFeatures(5, density=0.1), js.ToyModel(5, 2))
        >>> task = AdversarialTask(clean, size=0.5)
        >>> params = task.init(jax.random.key(0))
        >>> key = jax.random.key(1)
        >>> bool(task.loss(params, key, 1024) > clean.loss(params, key, 1024))
        True
    """

    task: Any
    size: ArrayLike = 0.1

    def __post_init__(self) -> None:
        check_number("size", self.size)
        check(
            "size", self.size, lambda e: (e >= 0) & np.isfinite(e), "finite and at least 0"
        )

    @property
    def features(self) -> Any:
        """Where inputs come from: the attacked task's."""
        return self.task.features

    @property
    def importance(self) -> ArrayLike:
        """Importances of the attacked task."""
        return self.task.importance

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the axes of each parameter: the attacked task's."""
        return self.task.dims

    def init(self, key: jax.Array) -> Params:
        """Samples the initial parameters of one model."""
        return self.task.init(key)

    def loss(self, params: Params, key: jax.Array, batch_size: int) -> jax.Array:
        """Returns the loss of one model on one attacked batch.

        Args:
            params: The model's parameters.
            key: A typed PRNG key; it decides the batch (the attacked task's own) and the
                features attacked.
            batch_size: Number of examples in the batch.

        Returns:
            The loss, a scalar.
        """
        x = self.task.features.sample(key, batch_size)
        fixed = lax.stop_gradient(params)
        directions = attack_directions(fixed["W"], fixed.get("W_out"))
        attack_key = jax.random.fold_in(key, 1)
        feature = jax.random.randint(attack_key, (batch_size,), 0, x.shape[-1])
        step = jnp.asarray(self.size) * mean_norm(x) * directions[feature]
        more, less = (
            _losses(self.task, params, x, attacked) for attacked in (x + step, x - step)
        )
        return jnp.mean(jnp.maximum(more, less))


def _unit(rows: jax.Array) -> jax.Array:
    """Rows at norm 1; rows of 0 stay."""
    norms = jnp.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / jnp.where(norms == 0, 1.0, norms)


@full_precision
def _losses(task, params, x, attacked) -> jax.Array:
    """The loss of every example that shows the model ``attacked`` in the place of x."""
    error = task.target(x) - task.model.apply(params, attacked)
    return jnp.mean(jnp.asarray(task.importance) * error**2, axis=-1)

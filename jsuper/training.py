r"""How models are trained: the recipe, and the compiled loop over a grid of tasks."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct
from jax import lax

from jsuper.validation import check, check_count

# Streams of random numbers, folded into a model's key. Each is used for one purpose.
INIT, DATA, EVALUATION = 0, 1, 2


@functools.cache
def notebook_optimizer() -> optax.GradientTransformation:
    """Returns the official notebook's optimizer: AdamW, rate 1e-3, weight decay 1e-2.

    It is one object however often it is asked for, so that JAX compiles for it once.
    """
    return optax.adamw(1e-3, weight_decay=1e-2)


@functools.cache
def decaying_adam(steps: int, rate: float = 1e-2) -> optax.GradientTransformation:
    """Returns Adam with a rate that falls along a cosine to 0 at step ``steps``.

    A constant rate leaves models rattling around their solution, at a distance that grows
    with the rate; with this one they come to rest, in fewer steps. It is one object for
    the same arguments, so that JAX compiles for it once.

    Args:
        steps: Number of steps after which the rate is 0, at least 1.
        rate: Rate of the first step, positive.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> recipe = Recipe(steps=2_000, optimizer=decaying_adam(2_000))
    """
    check_count("steps", steps)
    check("rate", rate, lambda r: (r > 0) & np.isfinite(r), "positive and finite")
    return optax.adam(optax.cosine_decay_schedule(rate, steps))


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How every model of a grid is trained; the defaults are the official notebook's.

    Args:
        steps: Number of gradient steps, at least 1.
        batch_size: Number of fresh examples in each step, at least 1.
        optimizer: Any optax transformation. It sees one model at a time, so that even
            one that mixes parameters (clipping by global norm, say) keeps models apart.
            JAX compiles once per optimizer object: keep it to reuse the compiled code.
        log_every: Steps behind each entry of the history, which is their mean training
            loss; by default a hundredth of ``steps``.
        eval_batches: Batches of fresh data behind the final loss, at least 1.
        independent_cells: Give every cell of a sweep its own initial weights and data,
            instead of the common random numbers that make neighbouring cells comparable.

    Raises:
        ValueError: If a count is not a positive integer.
        TypeError: If ``optimizer`` is not an optax transformation.

    Example:
        >>> Recipe(steps=5_000)
        Recipe(steps=5000, batch_size=1024, log_every=None, eval_batches=64, ...)
    """

    steps: int = 10_000
    batch_size: int = 1024
    optimizer: optax.GradientTransformation = dataclasses.field(
        default_factory=notebook_optimizer, repr=False
    )
    log_every: int | None = None
    eval_batches: int = 64
    independent_cells: bool = False

    def __post_init__(self) -> None:
        check_count("steps", self.steps)
        check_count("batch_size", self.batch_size)
        check_count("eval_batches", self.eval_batches)
        if not (hasattr(self.optimizer, "init") and hasattr(self.optimizer, "update")):
            raise TypeError(
                "optimizer must be an optax transformation (with init and update), "
                f"got {self.optimizer!r}"
            )
        if self.log_every is not None:
            check_count("log_every", self.log_every)

    def windows(self) -> tuple[list[int], list[int]]:
        """Returns first step and length of each stretch behind a history entry.

        Example:
            >>> Recipe(steps=10, log_every=4).windows()
            ([0, 4, 8], [4, 4, 2])
        """
        every = self.log_every or max(1, self.steps // 100)
        firsts = list(range(0, self.steps, every))
        return firsts, [min(every, self.steps - first) for first in firsts]


@struct.dataclass
class TrainState:
    """Parameters and optimizer state of a grid, leading axes (n_tasks, n_keys)."""

    params: Any
    optimizer_state: Any


@functools.partial(jax.jit, static_argnames="recipe")
def train(
    tasks: Any, keys: jax.Array, recipe: Recipe = Recipe(), params: Any = None
) -> tuple[Any, jax.Array]:
    """Trains every task from every key, in one compiled loop.

    The pure core under `jsuper.sweep`: no input or output, usable inside `jax.jit`.
    All tasks draw the same initial weights and data from a key (common random numbers),
    unless every task is given keys of its own.

    Args:
        tasks: A batch of tasks: a pytree with ``init`` and ``loss`` (`jsuper.Task`)
            whose leaves have a leading axis of n_tasks, as `jax.vmap` over a function
            that builds one makes it.
        keys: Typed PRNG keys, shape (n_keys,), or (n_tasks, n_keys) for separate draws.
        recipe: Steps, batch size, optimizer.
        params: Parameters to start from, leading axes (n_tasks, n_keys); by default
            what the tasks' ``init`` draws.

    Returns:
        The trained parameters, leading axes (n_tasks, n_keys), and the history of the
        training loss, shape (n_tasks, n_keys, ceil(steps / log_every)).

    Raises:
        ValueError: If the tasks are no batch, or the keys' shape does not fit.
        TypeError: If the keys are no typed PRNG keys.

    Example:
        >>> import jax, jax.numpy as jnp, jsuper as js
        >>> def task(density):
        ...     return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2))
        >>> tasks = jax.vmap(task)(jnp.array([1.0, 0.1]))
        >>> keys = jax.random.split(jax.random.key(0), 3)
        >>> params, history = js.train(tasks, keys, js.Recipe(steps=200))
        >>> params["W"].shape, history.shape
        ((2, 3, 5, 2), (2, 3, 100))

        One task is a batch of one:

        >>> one = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], task(0.1))
        >>> params, history = js.train(one, keys, js.Recipe(steps=200))
        >>> params["W"].shape
        (1, 3, 5, 2)
    """
    _check_grid(tasks, keys)
    state = start(tasks, keys, recipe.optimizer, params)
    firsts, lengths = map(jnp.array, recipe.windows())
    state, history = advance(
        tasks, keys, state, firsts, lengths, recipe.optimizer, recipe.batch_size
    )
    return state.params, history


def _check_grid(tasks, keys):
    """Raises an error unless the tasks are a batch, and the keys are keys for it."""
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(tasks)]
    n_tasks = {shape[:1] for shape in shapes}
    if len(n_tasks) > 1 or () in n_tasks:
        raise ValueError(
            "tasks must be a batch, every leaf with a leading axis of n_tasks (one task: "
            "jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], task)), got leaves of "
            f"shapes {sorted(set(shapes))}"
        )
    if not jnp.issubdtype(jnp.result_type(keys), jax.dtypes.prng_key):
        raise TypeError(f"keys must be typed PRNG keys (jax.random.split), got {keys!r}")
    if keys.ndim not in (1, 2) or (keys.ndim == 2 and {keys.shape[:1]} != n_tasks):
        raise ValueError(
            f"keys must have shape (n_keys,) or (n_tasks, n_keys), got {keys.shape}"
        )


def start(
    tasks: Any,
    keys: jax.Array,
    optimizer: optax.GradientTransformation,
    params: Any = None,
) -> TrainState:
    """Returns the state of a grid before its first step (arguments as in `train`)."""
    if params is None:
        # One model at a time under vmap: a batched shape would count the grid as fan-in.
        params = _over_grid(
            lambda task, key: task.init(jax.random.fold_in(key, INIT)), tasks, keys
        )
    return TrainState(params, jax.vmap(jax.vmap(optimizer.init))(params))


def advance(
    tasks: Any,
    keys: jax.Array,
    state: TrainState,
    firsts: jax.Array,
    lengths: jax.Array,
    optimizer: optax.GradientTransformation,
    batch_size: int,
) -> tuple[TrainState, jax.Array]:
    """Trains through some windows of steps.

    Args:
        tasks: As in `train`.
        keys: As in `train`.
        state: Where training stands.
        firsts: First step of each window, shape (n_windows,).
        lengths: Number of steps of each window, shape (n_windows,). Traced, so that the
            compiled code serves any number of steps.
        optimizer: The optax transformation.
        batch_size: Number of examples in each step.

    Returns:
        The new state, and the mean training loss of each window, shape
        (n_tasks, n_keys, n_windows).
    """
    data_keys = _fold_in(keys, DATA)
    update = jax.vmap(jax.vmap(optimizer.update))

    def step(i, carry):
        state, total = carry
        loss, gradient = _value_and_grad(
            tasks, state.params, _fold_in(data_keys, i), batch_size
        )
        updates, optimizer_state = update(gradient, state.optimizer_state, state.params)
        params = optax.apply_updates(state.params, updates)
        return TrainState(params, optimizer_state), total + loss

    def window(state, bounds):
        first, length = bounds
        total = jnp.zeros(_grid_shape(state.params))
        state, total = lax.fori_loop(first, first + length, step, (state, total))
        return state, total / length

    state, history = lax.scan(window, state, (firsts, lengths))
    return state, jnp.moveaxis(history, 0, -1)


@functools.partial(jax.jit, static_argnames=("batch_size", "batches"))
def evaluate(
    tasks: Any, keys: jax.Array, params: Any, batch_size: int, batches: int
) -> jax.Array:
    """Returns the mean loss on fresh data, from a stream that training never sees.

    Args:
        tasks: As in `train`.
        keys: As in `train`.
        params: Parameters, leading axes (n_tasks, n_keys).
        batch_size: Number of examples in each batch.
        batches: Number of batches.

    Returns:
        Losses, shape (n_tasks, n_keys).
    """
    eval_keys = _fold_in(keys, EVALUATION)

    def add(i, total):
        loss, _ = _value_and_grad(tasks, params, _fold_in(eval_keys, i), batch_size)
        return total + loss

    total = lax.fori_loop(0, batches, add, jnp.zeros(_grid_shape(params)))
    return total / batches


def _value_and_grad(tasks, params, keys, batch_size):
    """Losses and gradients of every task at every key."""
    if hasattr(tasks, "grid_value_and_grad"):
        result = tasks.grid_value_and_grad(params, keys, batch_size)
        if result is not None:
            return result

    def one(task, key, params):
        return jax.value_and_grad(task.loss)(params, key, batch_size)

    return _over_grid(one, tasks, keys, params)


def _over_grid(function, tasks, keys, *args):
    """Maps ``function(task, key, ...)`` over tasks x keys.

    A key shared by all tasks stays outside the map over tasks, so that what depends on
    it alone, the random draws, is computed once.
    """
    over_keys = jax.vmap(function, in_axes=(None, 0, *(0 for _ in args)))
    in_axes = (0, None if keys.ndim == 1 else 0, *(0 for _ in args))
    leaves = jax.tree.leaves(tasks)
    n_tasks = leaves[0].shape[0] if leaves else 1
    return jax.vmap(over_keys, in_axes=in_axes, axis_size=n_tasks)(tasks, keys, *args)


def _fold_in(keys, number):
    return jnp.vectorize(jax.random.fold_in, excluded={1})(keys, number)


def _grid_shape(params):
    return jax.tree.leaves(params)[0].shape[:2]

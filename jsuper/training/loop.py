r"""The compiled loop: a grid of tasks x keys, trained and evaluated."""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct
from jax import lax
from jax.typing import ArrayLike

from jsuper.memory import bound, bytes_kept, in_parts
from jsuper.platforms import by_platform, compiled_for, platform_of
from jsuper.precision import full_precision
from jsuper.pytrees import check_static, node_types
from jsuper.training import optimizers
from jsuper.training.optimizers import Optimizer
from jsuper.training.recipe import Recipe
from jsuper.validation import as_count

# Models whose expected losses are computed at a time, on CPUs and elsewhere.
AT_ONCE, MANY_AT_ONCE = 32, 2**12

# Streams of random numbers, folded into a model's key. Each is used for one purpose.
INIT, DATA, EVALUATION, OPTIMIZER = 0, 1, 2, 3


@struct.dataclass
class TaskGrid:
    """The tasks of a grid, each leaf held no more often than it differs.

    Args:
        tasks: A pytree with ``init`` and ``loss`` whose leaves have two leading axes,
            (n_tasks or 1, n_keys or 1); 1 where tasks, or keys, share the leaf.
        numbers: What the optimizer is a function of, likewise, by name.
    """

    tasks: Any
    numbers: Mapping[str, jax.Array] = struct.field(default_factory=dict)


@struct.dataclass
class TrainState:
    """Parameters and optimizer state of a grid, leading axes (n_tasks, n_keys)."""

    params: Any
    optimizer_state: Any


def train(
    tasks: Any,
    keys: jax.Array,
    recipe: Recipe = Recipe(),
    params: Any = None,
    numbers: Mapping[str, ArrayLike] | None = None,
) -> tuple[Any, jax.Array]:
    """Trains every task from every key, in one compiled loop.

    The pure core under `jsuper.sweep`: no input or output, usable inside `jax.jit`.
    All tasks sample the same initial weights and data from a key (common random numbers),
    unless every task is given keys of its own.

    Args:
        tasks: A batch of tasks: a pytree with ``init`` and ``loss`` (`jsuper.Task`)
            whose leaves have a leading axis of n_tasks, as `jax.vmap` over a function
            that builds one makes it.
        keys: Typed PRNG keys, shape (n_keys,), or (n_tasks, n_keys) for separate
            random numbers. They follow JAX's default generator, whatever the keys' own.
        recipe: Steps, batch size, optimizer.
        params: Parameters to start from, leading axes (n_tasks, n_keys); by default
            what the tasks' ``init`` samples.
        numbers: Where ``recipe.optimizer`` is a function, its arguments besides
            ``steps``: numbers by name, each of shape (n_tasks,).

    Returns:
        The trained parameters, leading axes (n_tasks, n_keys), and the history of the
        training loss, shape (n_tasks, n_keys, ceil(steps / log_every)).

    Raises:
        ValueError: If the tasks are no batch, or the shapes of keys, parameters or
            numbers do not fit.
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
    n_tasks = _checked_batch(tasks, keys)
    numbers = {name: jnp.asarray(value) for name, value in (numbers or {}).items()}
    wanted = optimizers.arguments_of(recipe.optimizer)
    for name in {name for name, required in wanted.items() if required} | set(numbers):
        if name == optimizers.STEPS or (name in numbers and name in wanted):
            continue
        raise ValueError(
            f"numbers must name what recipe.optimizer takes ({', '.join(wanted)}), got "
            f"{sorted(numbers)}"
        )
    for name, value in numbers.items():
        if value.shape != (n_tasks,):
            raise ValueError(
                f"numbers[{name!r}] must have shape ({n_tasks},), one for each task, got "
                f"{value.shape}"
            )
    if params is not None:
        params = _checked_params(tasks, keys, params)
    with compiled_for(platform_of(tasks, numbers, keys, params)):
        return _train(tasks, numbers, keys, params, recipe, node_types(tasks))


@functools.partial(jax.jit, static_argnames=("recipe", "types"))
def _train(tasks, numbers, keys, params, recipe, types):
    del types  # part of what compiled code is looked up by
    grid, keys = _with_key_axis(tasks, numbers), counter_based(keys)
    optimizer = recipe.optimizer_with()
    state = start(grid, keys, optimizer, params)
    firsts, lengths = map(jnp.array, recipe.windows())
    state, history = advance(
        grid, keys, state, firsts, lengths, optimizer, recipe.batch_size
    )
    return state.params, history


@full_precision
def start(
    tasks: Any,
    keys: jax.Array,
    optimizer: optax.GradientTransformation | Optimizer,
    params: Any = None,
) -> TrainState:
    """Returns the state of a grid before its first step.

    Args:
        tasks: As in `train`, or a `TaskGrid`.
        keys: As in `train`.
        optimizer: An optax transformation, or what `Recipe.optimizer_with` returns.
        params: As in `train`.
    """
    grid = _as_grid(tasks)
    if params is None:
        # One model at a time under vmap: a batched shape would count the grid as fan-in.
        params = _over_grid(
            lambda model, key: model.tasks.init(jax.random.fold_in(key, INIT)), grid, keys
        )

    def first_state(model, key, params):
        made = _made(optimizer, model)
        return optimizers.init(made, params, jax.random.fold_in(key, OPTIMIZER))

    return TrainState(params, _over_grid(first_state, grid, keys, params))


@full_precision
def advance(
    tasks: Any,
    keys: jax.Array,
    state: TrainState,
    firsts: jax.Array,
    lengths: jax.Array,
    optimizer: optax.GradientTransformation | Optimizer,
    batch_size: int,
) -> tuple[TrainState, jax.Array]:
    """Trains through some windows of steps.

    Args:
        tasks: As in `start`.
        keys: As in `train`.
        state: Where training stands.
        firsts: First step of each window, shape (n_windows,).
        lengths: Number of steps of each window, shape (n_windows,). Traced, so that the
            compiled code serves any number of steps.
        optimizer: As in `start`.
        batch_size: Number of examples in each step.

    Returns:
        The new state, and the mean training loss of each window, shape
        (n_tasks, n_keys, n_windows).
    """
    grid = _as_grid(tasks)
    data_keys = _fold_in(keys, DATA)

    def update(model, key, gradient, optimizer_state, params, loss):
        def value_fn(params):
            return model.tasks.loss(params, key, batch_size)

        made = _made(optimizer, model)
        return optimizers.update(made, gradient, optimizer_state, params, loss, value_fn)

    def step(i, carry):
        state, total = carry
        step_keys = _fold_in(data_keys, i)
        loss, gradient = _value_and_grad(grid, state.params, step_keys, batch_size)
        params, optimizer_state = _over_grid(
            update, grid, step_keys, gradient, state.optimizer_state, state.params, loss
        )
        return TrainState(params, optimizer_state), total + loss

    def window(state, bounds):
        first, length = bounds
        total = jnp.zeros(_grid_shape(state.params))
        state, total = lax.fori_loop(first, first + length, step, (state, total))
        return state, total / length

    state, history = lax.scan(window, state, (firsts, lengths))
    return state, jnp.moveaxis(history, 0, -1)


def evaluate(
    tasks: Any, keys: jax.Array, params: Any, batch_size: int, batches: int
) -> jax.Array:
    """Returns the mean loss on fresh data, from a stream that training never sees.

    Args:
        tasks: As in `train`.
        keys: As in `train`; the same key for all gives them the same data.
        params: Parameters, leading axes (n_tasks, n_keys).
        batch_size: Number of examples in each batch, at least 1.
        batches: Number of batches, at least 1.

    Returns:
        Losses, shape (n_tasks, n_keys).

    Raises:
        ValueError: As `train`, or if a count is not a positive integer.
        TypeError: As `train`.
    """
    batch_size, batches = as_count("batch_size", batch_size), as_count("batches", batches)
    _checked_batch(tasks, keys)
    params = _checked_params(tasks, keys, params)
    with compiled_for(platform_of(tasks, keys, params)):
        return _evaluate(tasks, keys, params, batch_size, batches, node_types(tasks))


@functools.partial(jax.jit, static_argnames=("batch_size", "batches", "types"))
def _evaluate(tasks, keys, params, batch_size, batches, types):
    del types
    grid, keys = _with_key_axis(tasks), counter_based(keys)
    return mean_loss(grid, keys, params, batch_size, batches)


@full_precision
def mean_loss(
    grid: TaskGrid, keys: jax.Array, params: Any, batch_size: int, batches: int
) -> jax.Array:
    """Returns what `evaluate` does, for a `TaskGrid` and without checks."""
    eval_keys = _fold_in(keys, EVALUATION)

    def add(i, total):
        loss, _ = _value_and_grad(grid, params, _fold_in(eval_keys, i), batch_size)
        return total + loss

    total = lax.fori_loop(0, batches, add, jnp.zeros(_grid_shape(params)))
    return total / batches


def has_population_loss(task: Any) -> bool:
    """Returns whether the expected loss of a task is known, whatever it is trained on."""
    return getattr(task, "has_population_loss", False)


def not_in_expectation(task: Any) -> str | None:
    """Says what of a task the expected loss does not cover, if anything."""
    if has_population_loss(task):
        return None
    return getattr(task, "not_in_expectation", lambda: f"a {type(task).__name__}")()


@full_precision
def population_losses(grid: TaskGrid, params: Any) -> jax.Array:
    """Returns the expected losses of tasks that have them, shape (n_tasks, n_keys)."""
    shape = _grid_shape(params)

    def of_model(place):
        task, key = jnp.divmod(place, shape[1])

        def own(leaf):
            return leaf[task if leaf.shape[0] > 1 else 0, key if leaf.shape[1] > 1 else 0]

        params_of_model = jax.tree.map(own, params)
        return jax.tree.map(own, grid.tasks).population_loss(params_of_model)

    first = jax.tree.map(lambda leaf: leaf[0, 0], grid.tasks)
    at_once = getattr(first, "models_at_once", lambda: None)()

    # A few models at a time, since closed forms have many terms, and series more.
    def in_blocks(most):
        n_models, most = shape[0] * shape[1], min(most, at_once or most)
        block = min(most, n_models)
        places = jnp.arange(-(-n_models // block) * block).reshape(-1, block)
        losses = lax.map(jax.vmap(of_model), jnp.minimum(places, n_models - 1))
        return losses.ravel()[:n_models].reshape(shape)

    return by_platform(
        cpu=functools.partial(in_blocks, AT_ONCE),
        default=functools.partial(in_blocks, MANY_AT_ONCE),
    )


def counter_based(keys: jax.Array) -> jax.Array:
    """Returns keys of JAX's default generator that follow from keys of any other.

    Under `jax.vmap`, keys of ``rbg`` and ``unsafe_rbg`` give a model numbers that depend
    on the other models; those of ``threefry2x32`` do not.

    Args:
        keys: Typed PRNG keys of any shape.
    """
    if str(jax.random.key_impl(keys)) == "threefry2x32":
        return keys
    words = jnp.moveaxis(jax.random.key_data(keys), -1, 0)
    root = jax.random.key(0, impl="threefry2x32")
    fold_in = jnp.vectorize(jax.random.fold_in)
    return functools.reduce(fold_in, words, jnp.broadcast_to(root, keys.shape))


def _checked_batch(tasks, keys) -> int:
    """Returns n_tasks; raises unless the tasks are a batch, and the keys are for it."""
    check_static(tasks)
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
    return shapes[0][0] if shapes else 1


def _checked_params(tasks, keys, params):
    """Parameters in the dtype that init samples; raises unless they are those of a grid."""

    def init(tasks, keys):
        grid = _with_key_axis(tasks)
        return _over_grid(lambda model, key: model.tasks.init(key), grid, keys)

    expected = jax.eval_shape(init, tasks, keys)
    if jax.tree.structure(params) != jax.tree.structure(expected):
        raise ValueError(
            f"params must be like what the tasks' init returns, {_shapes(expected)}, got "
            f"{_shapes(params)}"
        )
    for (path, leaf), like in zip(
        jax.tree.leaves_with_path(params), jax.tree.leaves(expected), strict=True
    ):
        if np.shape(leaf) != like.shape:
            name = jax.tree_util.keystr(path, simple=True, separator=".")
            raise ValueError(
                f"params must have leading axes (n_tasks, n_keys): {name} of shape "
                f"{like.shape}, got {np.shape(leaf)}"
            )
        if jnp.result_type(leaf).kind == "c":
            raise ValueError(f"params must hold real numbers, got {jnp.result_type(leaf)}")
    return jax.tree.map(lambda leaf, like: jnp.asarray(leaf, like.dtype), params, expected)


def _shapes(tree):
    return jax.tree.map(np.shape, tree)


def _as_grid(tasks) -> TaskGrid:
    return tasks if isinstance(tasks, TaskGrid) else _with_key_axis(tasks)


def _with_key_axis(tasks, numbers=None) -> TaskGrid:
    """A grid of tasks whose leaves have a leading axis of n_tasks and serve all keys."""
    return jax.tree.map(
        lambda leaf: jnp.asarray(leaf)[:, None], TaskGrid(tasks, numbers or {})
    )


def _made(optimizer, model):
    return optimizer.at(model.numbers) if isinstance(optimizer, Optimizer) else optimizer


def _value_and_grad(grid, params, keys, batch_size):
    """Losses and gradients of every task at every key."""
    if hasattr(grid.tasks, "grid_value_and_grad"):
        result = _by_task(grid.tasks, params, keys, batch_size)
        if result is not None:
            return result

    def one(model, key, params):
        return jax.value_and_grad(model.tasks.loss)(params, key, batch_size)

    def loss(params, model, key):
        return model.tasks.loss(params, key, batch_size)

    def whole(keys, params):
        return _over_grid(one, grid, keys, params)

    def as_memory_allows(keys, params):
        first = jax.tree.map(lambda leaf: leaf[0, 0], (params, grid))
        size = bytes_kept(loss, *first, keys.ravel()[0])
        return _over_grid(one, grid, keys, params, most=max(1, bound() // size))

    return by_platform(keys, params, cpu=whole, default=as_memory_allows)


def _by_task(tasks, params, keys, batch_size):
    """The tasks' own way to losses and gradients of a grid, if they have one."""
    shape = _grid_shape(params)
    if all(leaf.shape[1] == 1 for leaf in jax.tree.leaves(tasks)):
        tasks = jax.tree.map(
            lambda leaf: jnp.broadcast_to(leaf[:, 0], shape[:1] + leaf.shape[2:]), tasks
        )
        return tasks.grid_value_and_grad(params, keys, batch_size)

    # Every model has a task of its own: as many tasks, with one key each.
    def flat(leaf):
        leaf = jnp.broadcast_to(leaf, shape + leaf.shape[2:])
        return leaf.reshape(-1, *leaf.shape[2:])

    keys = jnp.broadcast_to(keys, shape).reshape(-1, 1)
    params = jax.tree.map(lambda leaf: flat(leaf)[:, None], params)
    result = jax.tree.map(flat, tasks).grid_value_and_grad(params, keys, batch_size)
    return jax.tree.map(lambda leaf: leaf.reshape(*shape, *leaf.shape[2:]), result)


def _over_grid(function, grid, keys, *args, most=None):
    """Maps ``function(model, key, ...)`` over tasks x keys, ``most`` models at a time.

    A key shared by all tasks stays outside the map over tasks, so that what depends on
    it alone, the random numbers, is computed once.
    """
    leaves = jax.tree.leaves((grid, args))
    n_tasks = max((leaf.shape[0] for leaf in leaves), default=1)
    if keys.ndim == 2:
        n_tasks = keys.shape[0]
    n_keys = keys.shape[-1]

    def over_keys(grid, keys, *args):
        own, whole = _shared_apart(grid, n_keys)

        def of_key(each):
            own, key, *args = each
            return function(whole(own), key, *args)

        return in_parts(of_key, (own, keys, *args), most)

    own, whole = _shared_apart(grid, n_tasks)

    def of_task(each):
        own, own_keys, args, _ = each
        return over_keys(whole(own), keys if own_keys is None else own_keys, *args)

    each = own, None if keys.ndim == 1 else keys, args, np.arange(n_tasks)
    return in_parts(of_task, each, most and max(1, most // n_keys))


def _shared_apart(grid, size):
    """Leaves that differ along the leading axis, and how they are put among the others."""
    leaves, structure = jax.tree.flatten(grid)
    shared = [size > 1 and leaf.shape[0] == 1 for leaf in leaves]

    def whole(own):
        own = iter(own)
        together = zip(leaves, shared, strict=True)
        return structure.unflatten(leaf[0] if one else next(own) for leaf, one in together)

    return [leaf for leaf, one in zip(leaves, shared, strict=True) if not one], whole


def _fold_in(keys, number):
    return jnp.vectorize(jax.random.fold_in, excluded={1})(keys, number)


def _grid_shape(params):
    return jax.tree.leaves(params)[0].shape[:2]

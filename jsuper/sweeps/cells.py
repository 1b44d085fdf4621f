"""From values to tasks: what ``build`` makes of every cell, checked on the way."""

import dataclasses
import functools
import inspect
import itertools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jsuper.platforms import compiled_for
from jsuper.pytrees import Opaque, cannot_look_into, check_static, node_types
from jsuper.sweeps.axes import SEED, Axis, checked_distinct, coordinates
from jsuper.training import Recipe
from jsuper.training.optimizers import STEPS, arguments_of
from jsuper.validation import as_count

LARGE = 1_000
"""Leaves of more numbers than this are held once for all models that share them. Smaller
ones are stacked, so that the compiled code does not depend on which models do."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell of a grid.

    Args:
        values: What each axis has here.
        leaves: Numbers of its task: of one task, or of one for each seed.
        program: What may not differ between cells that compile together: the classes,
            static fields and sizes of the task.
        importance: Importance of each feature, shape (1 or n_seeds, n_features), if the
            task has one.
        density: Mean density of its features, NaN if they have none.
    """

    values: dict[str, Any]
    leaves: list[list[Any]]
    program: Hashable
    importance: np.ndarray | None
    density: float


class Cells:
    """The cells of a grid, built from plain values, which constructors can check.

    Args:
        build: As in `jsuper.sweep`.
        axes: The axes besides ``seed``; of those of integers it is settled here whether
            they are numbers or sizes.
        seeds: The seeds; None where they are no axis.
        recipe: How models are trained.

    Raises:
        ValueError: If axes and arguments do not fit, a value is rejected, or an axis
            changes nothing.
        TypeError: If ``build`` makes no task.
    """

    def __init__(
        self,
        build: Callable[..., Any],
        axes: dict[str, Axis],
        seeds: Sequence[int] | None,
        recipe: Recipe,
    ):
        self._build, self._recipe = build, recipe
        self.takes = _arguments_taken(build, axes, seeds is not None, recipe)
        self._seeds = list(seeds or [0])
        if SEED not in self.takes:
            self._seeds = self._seeds[:1]
        self._tasks: dict[Hashable, Any] = {}
        self._programs: dict[Hashable, Hashable] = {}
        self.axes = axes  # with integers as they are, until all are settled
        self.axes = {name: self._settled(axis) for name, axis in axes.items()}
        self.first_task = self._task(self._first(), self._seeds[0])
        self.cells: list[Cell] = []
        for values in itertools.product(*(axis.values for axis in self.axes.values())):
            self.cells.append(self._cell(dict(zip(self.axes, values, strict=True))))
        self._check_sizes()
        for name in self.axes:
            self._check_used(name)

    def task_of(self, program: Hashable) -> Any:
        """Returns the first task of a program, in plain numbers."""
        return self._tasks[program]

    def _first(self) -> dict[str, Any]:
        return {name: axis.values[0] for name, axis in self.axes.items()}

    def _task(self, values: dict[str, Any], seed: int) -> Any:
        arguments = {name: value for name, value in values.items() if name in self.takes}
        if SEED in self.takes:
            arguments[SEED] = seed
        return self._build(**arguments)

    def _settled(self, axis: Axis) -> Axis:
        """An axis of integers as one of numbers, unless the task takes them for sizes."""
        if axis.kind != "integer" or axis.name not in self.takes:
            return axis

        def made(value):
            return self._task({**self._first(), axis.name: value}, self._seeds[0])

        as_integers = {_program(*jax.tree.flatten(made(v))) for v in axis.values}
        try:
            task = made(float(axis.values[0]))
            check_task(task, self._recipe.batch_size)
            as_number = _program(*jax.tree.flatten(task))
        except Exception:  # whatever becomes of a fraction of a feature
            return axis
        if as_integers != {as_number}:
            return axis
        return checked_distinct(Axis(axis.name, tuple(map(float, axis.values)), "number"))

    def _cell(self, values: dict[str, Any]) -> Cell:
        tasks = [self._task(values, seed) for seed in self._seeds]
        if not self.cells:
            check_is_task(tasks[0])
        flat = [jax.tree.flatten(task) for task in tasks]
        leaves = [own for own, _ in flat]
        self._check_names(values, leaves[0])
        # One object for all equal ones: what it holds of a task is held once.
        programs = [
            self._programs.setdefault(p, p) for p in itertools.starmap(_program, flat)
        ]
        for task, program in zip(tasks, programs, strict=True):
            if program not in self._tasks:
                check_task(task, self._recipe.batch_size)
                self._tasks[program] = task
        if len(set(programs)) > 1:
            raise ValueError(
                "build must make tasks that differ in numbers only between seeds, but at "
                f"{coordinates(values)} the seed changes a size or another static part"
            )
        for leaf in leaves[0]:
            _check_leaf(leaf)
        if self.cells:
            # Data that all cells share are held once while they are built, too.
            leaves = [
                [_shared(leaf, other) for leaf, other in zip(own, first, strict=True)]
                if len(own) == len(first)
                else own
                for own, first in zip(leaves, self.cells[0].leaves, strict=True)
            ]
        rows = [row for row in map(importance_of, tasks) if row is not None]
        same = all(np.array_equal(row, rows[0]) for row in rows[1:])
        importance = np.stack(rows[:1] if same else rows) if rows else None
        return Cell(values, leaves, programs[0], importance, density_of(tasks[0]))

    def _check_names(self, values: dict[str, Any], leaves: list[Any]) -> None:
        """Raises if a name has become a leaf of the task, where numbers belong."""
        names = [leaf for leaf in leaves if isinstance(leaf, str)]
        for name, axis in self.axes.items():
            if any(leaf is values[name] for leaf in names):
                raise ValueError(
                    f"axis {name!r} must hold numbers, got {list(axis.values)!r}: the task "
                    "has a number there (a field for names is declared with js.static)"
                )

    def _check_sizes(self) -> None:
        """Raises if a number, rather than a size or a name, changes a static part."""
        ranges = (range(len(axis.values)) for axis in self.axes.values())
        sizes = [axis.kind != "number" for axis in self.axes.values()]
        programs: dict[tuple[int, ...], Cell] = {}
        for cell, place in zip(self.cells, itertools.product(*ranges), strict=True):
            same = programs.setdefault(tuple(itertools.compress(place, sizes)), cell)
            if same.program == cell.program:
                continue
            hidden = _parts(self._tasks[cell.program], Opaque)
            if hidden:
                raise TypeError(
                    f"build must return a pytree, but {cannot_look_into(hidden[0].part)}"
                )
            raise ValueError(
                f"build must make tasks that differ in numbers only, but "
                f"{coordinates(cell.values)} changes a size or another static part; sizes "
                "and names are axes of their own, and functions such as a target or an "
                "activation are defined outside build"
            )

    def _check_used(self, name: str) -> None:
        """Raises unless the task depends on an axis, or the optimizer takes it."""
        if name in arguments_of(self._recipe.optimizer) or name not in self.takes:
            return
        axis = self.axes[name]
        shape = [len(other.values) for other in self.axes.values()]
        place = list(self.axes).index(name)
        lines = np.arange(len(self.cells)).reshape(shape)
        lines = np.moveaxis(lines, place, -1).reshape(-1, len(axis.values))
        # The first line decides nearly always.
        for first, *others in lines.tolist():
            if any(_differ(self.cells[first], self.cells[other]) for other in others):
                return
        if axis.kind != "number":
            if len(axis.values) == 1:
                return
        elif self._is_traced_to_a_leaf(axis):
            return
        raise ValueError(f"axis {name!r} must change the task, but build ignores it")

    def _is_traced_to_a_leaf(self, axis: Axis) -> bool:
        def leaves(number):
            values = {**self._first(), axis.name: number}
            return jax.tree.leaves(self._task(values, self._seeds[0]))

        # With out_axes=None, vmap refuses outputs that depend on what it maps over. A
        # build that JAX cannot trace looks at the number, and so uses it.
        try:
            jax.eval_shape(jax.vmap(leaves, out_axes=None), jnp.zeros(2))
        except Exception:
            return True
        return False


def _arguments_taken(
    build: Any, axes: dict[str, Axis], is_seeded: bool, recipe: Recipe
) -> set[str]:
    """Returns which axes, and whether ``seed``, are arguments of build."""
    if not callable(build):
        raise TypeError(
            "build must be a function that returns a task (lambda: task), got "
            f"{type(build).__name__}"
        )
    parameters = inspect.signature(build).parameters.values()
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    takes = [p.name for p in named]
    optimizer = arguments_of(recipe.optimizer)
    if SEED in optimizer:
        raise ValueError("recipe.optimizer must not take 'seed', which only build may")
    for p in named:
        if p.kind is p.POSITIONAL_ONLY:
            raise ValueError(f"build must take its arguments by name, not so {p.name!r}")
    for name in axes:
        if name in takes or name in optimizer or anything:
            continue
        also = f", nor of recipe.optimizer ({', '.join(optimizer)})" if optimizer else ""
        raise ValueError(
            f"axis {name!r} is not an argument of build, which takes "
            f"({', '.join(takes)}){also}"
        )
    for p in named:
        if p.default is p.empty and p.name not in axes and p.name != SEED:
            raise ValueError(
                f"axes must name every argument of build: {p.name!r} is missing"
            )
    for name, required in optimizer.items():
        if name == STEPS and STEPS in axes:
            raise ValueError(
                "axis 'steps' must have another name: recipe.optimizer gets the number of "
                "steps of the recipe under it"
            )
        if required and name not in axes and name != STEPS:
            raise ValueError(
                f"axes must name every argument of recipe.optimizer: {name!r} is missing"
            )
    taken = {name for name in axes if name in takes or (anything and name not in optimizer)}
    # Like any other argument with a default, seed keeps it where it is no axis.
    seed = [p for p in named if p.name == SEED and (is_seeded or p.default is p.empty)]
    return taken | {p.name for p in seed}


def check_is_task(task: Any) -> None:
    """Raises unless ``task`` has what the trainer needs, and JAX can look into it."""
    for method in ("init", "loss"):
        if not callable(getattr(task, method, None)):
            raise TypeError(
                "build must return a task with the methods init and loss, got "
                f"{type(task).__name__} without {method}"
            )
    leaves = jax.tree.leaves(task)
    if leaves and leaves[0] is task:
        raise TypeError(f"build must return a pytree, but {cannot_look_into(task)}")


def check_task(task: Any, batch_size: int | None) -> None:
    """Raises unless parameters and loss of a task are what gradients exist for."""
    check_is_task(task)
    check_static(task)
    if batch_size is None and getattr(task, "is_sampled", True):
        raise ValueError(
            "recipe.batch_size must be an integer of at least 1 for a task that samples, "
            f"got None for {type(task).__name__}"
        )
    for leaf in jax.tree.leaves(task):
        _check_leaf(leaf)
    key = jax.eval_shape(lambda: jax.random.key(0))
    params = _traced(_init, task, key)
    if not jax.tree.leaves(params):
        raise ValueError(f"init must return parameters, got {params!r}")
    for path, leaf in jax.tree.leaves_with_path(params):
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            name = jax.tree_util.keystr(path, simple=True, separator=".")
            raise ValueError(
                f"parameter {name!r} must hold floating-point numbers, got {leaf.dtype}"
            )
    loss = _traced(_loss, task, params, key, batch_size=batch_size)
    if getattr(loss, "shape", None) != ():
        raise ValueError(f"loss must return one number, got {loss}")
    if not jnp.issubdtype(loss.dtype, jnp.floating):
        raise ValueError(f"loss must return a floating-point number, got {loss.dtype}")


# Traced once for all sweeps of tasks of the same kind.
@functools.partial(jax.jit, static_argnames="types")
def _init(task, key, *, types):
    del types
    return task.init(key)


@functools.partial(jax.jit, static_argnames=("types", "batch_size"))
def _loss(task, params, key, *, types, batch_size):
    del types
    return task.loss(params, key, batch_size)


def _traced(function: Any, task: Any, *args: Any, **sizes: Any) -> Any:
    """Shapes of what a function of a task returns, with the task's numbers traced."""
    sizes = {**sizes, "types": node_types(task)}
    arrays = jax.tree.map(_as_array, task)
    try:
        # Shapes are the same on every platform: one form is enough.
        with compiled_for("cpu"):
            return function.eval_shape(arrays, *args, **sizes)
    except Exception as error:
        try:
            as_it_is = functools.partial(function.__wrapped__, task, **sizes)
            jax.eval_shape(as_it_is, *args)
        except Exception:
            raise error from None  # not for being traced
        line = " ".join(str(error).split())[:200]
        if isinstance(error, AttributeError):
            raise TypeError(
                "init and loss must not need what a constructor derives: JAX rebuilds a "
                f"task without it (a property derives it anew): {line}"
            ) from error
        raise TypeError(
            "init and loss must not look at the task's numbers, which are traced (sizes "
            f"and names are fields declared with js.static, conditions jnp.where): {line}"
        ) from error


def _as_array(leaf: Any) -> Any:
    if isinstance(leaf, bool | int | float | complex | jax.Array):
        return leaf
    return np.asarray(leaf)


def importance_of(task: Any) -> np.ndarray | None:
    """Returns the importance of each feature, shape (n_features,), if a task has one."""
    importance = getattr(task, "importance", None)
    n_features = getattr(getattr(task, "features", None), "n_features", None)
    if importance is None or n_features is None:
        return None
    n_features = as_count("n_features", n_features)
    try:
        row = np.asarray(importance, jax.dtypes.canonicalize_dtype(float)).reshape(-1)
    except (TypeError, ValueError):
        row = np.empty(0)
    if row.size not in (1, n_features):
        raise ValueError(
            f"importance must be one number or {n_features} numbers (one per feature), got "
            f"{importance!r}"
        )
    return np.broadcast_to(row, n_features)


def density_of(task: Any) -> float:
    """Returns the mean density of a task's features, NaN if it has none."""
    density = getattr(getattr(task, "features", None), "density", None)
    try:
        return float(np.mean(np.asarray(density, float)))
    except (TypeError, ValueError):  # of features that call something else a density
        return np.nan


def _program(leaves: list[Any], structure: Any) -> Hashable:
    return structure, tuple(np.shape(leaf) for leaf in leaves), node_types(structure)


def _check_leaf(leaf: Any) -> None:
    if isinstance(leaf, bool | int | float | complex | jax.Array):
        return
    # Also what other libraries call an array: a pandas Series, an xarray DataArray.
    if hasattr(leaf, "__array__") and np.asarray(leaf).dtype.kind in "biufcV":
        return
    raise TypeError(
        f"build must return a task of numbers and arrays, but {cannot_look_into(leaf)} "
        "(or hold it in a field declared with js.static)"
    )


def _parts(tree: Any, kind: type) -> list[Any]:
    """The nodes of a class within a pytree."""
    leaves = jax.tree.leaves(tree, is_leaf=lambda node: isinstance(node, kind))
    return [leaf for leaf in leaves if isinstance(leaf, kind)]


def _differ(cell: Cell, other: Cell) -> bool:
    if cell.program != other.program:
        return True
    pairs = zip(cell.leaves, other.leaves, strict=True)
    return any(
        not equal(one, two)
        for own, others in pairs
        for one, two in zip(own, others, strict=True)
    )


def _shared(leaf: Any, other: Any) -> Any:
    return other if np.size(leaf) > LARGE and equal(leaf, other) else leaf


def equal(leaf: Any, other: Any) -> bool:
    """Returns whether two leaves hold the same numbers."""
    if leaf is other:
        return True
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf, other = jax.random.key_data(leaf), jax.random.key_data(other)
    return np.array_equal(np.asarray(leaf), np.asarray(other))

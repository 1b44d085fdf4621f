"""A grid of tasks, grouped by what compiles together."""

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jsuper.sweeps.axes import SEED, read_axes, read_seeds
from jsuper.sweeps.cells import LARGE, Cell, Cells, equal
from jsuper.training import (
    Optimizer,
    Recipe,
    TaskGrid,
    has_population_loss,
    not_in_expectation,
)
from jsuper.training.optimizers import arguments_of, ignores, traceable


@dataclasses.dataclass(frozen=True)
class Group:
    """Cells that differ in numbers only, and so are one compiled program.

    Args:
        cells: Positions of the cells in the grid, ascending.
        grid: Their tasks, and the numbers of their optimizers.
        optimizer: How they are trained.
        first_task: The task of the first cell and seed, in plain numbers.
        params: Shapes of one model's parameters.
    """

    cells: np.ndarray
    grid: TaskGrid
    optimizer: Optimizer
    first_task: Any
    params: Any


class Grid:
    """The cells and seeds of a sweep, checked before anything compiles.

    Args:
        build: As in `jsuper.sweep`.
        axes: As in `jsuper.sweep`.
        recipe: How each model is trained.
        exact: Whether the final loss is the population loss; by default where it has a
            closed form for all cells. A part of a larger grid does as the whole.

    Raises:
        ValueError: As `jsuper.sweep`.
        TypeError: As `jsuper.sweep`.
    """

    def __init__(
        self,
        build: Callable[..., Any],
        axes: Mapping[str, Any],
        recipe: Recipe,
        exact: bool | None = None,
    ):
        read = read_axes(axes)
        self.order, self.recipe, self.seeds = tuple(axes), recipe, read_seeds(axes)
        made = Cells(build, read, self.seeds if SEED in axes else None, recipe)
        self.axes, self.first_task = made.axes, made.first_task
        self.shape = tuple(len(axis.values) for axis in self.axes.values())
        self.n_cells = len(made.cells)
        self.n_models = self.n_cells * len(self.seeds)
        self.importance = [cell.importance for cell in made.cells]
        self.density = np.array([cell.density for cell in made.cells])
        self.groups = self._groups(made)
        tasks = [group.first_task for group in self.groups]
        # What plays no part is not recorded either.
        if not any(getattr(task, "is_sampled", True) for task in tasks):
            self.recipe = dataclasses.replace(self.recipe, batch_size=None)
        self.has_population_loss = all(map(has_population_loss, tasks))
        if exact is False:
            self.has_population_loss = False
        if self.has_population_loss:
            self.recipe = dataclasses.replace(self.recipe, eval_batches=None)
        elif recipe.eval_batches is None:  # asked for, where it is a series
            if any(missing := list(map(not_in_expectation, tasks))):
                raise ValueError(
                    "eval_batches (batches of js.losses) must be an integer of at least 1, "
                    "got None: the population loss does not cover "
                    f"{next(filter(None, missing))}"
                )
            self.has_population_loss = True

    def keys(self, key: jax.Array) -> jax.Array:
        """Returns one key per seed, shape (n_seeds,), or (n_cells, n_seeds) of them."""
        seeds = jnp.asarray(np.array(self.seeds, np.uint32))
        keys = jax.vmap(lambda seed: jax.random.fold_in(key, seed))(seeds)
        if not self.recipe.independent_cells:
            return keys
        # Fold in the values, not the position, so that other cells do not matter.
        mesh = np.meshgrid(*(axis.bits for axis in self.axes.values()), indexing="ij")
        by_name = dict(zip(self.axes, mesh, strict=True))
        fold_in = jnp.vectorize(jax.random.fold_in)
        keys = jnp.broadcast_to(keys, (self.n_cells, len(self.seeds)))
        for name in sorted(by_name):
            keys = fold_in(keys, by_name[name].reshape(-1, 1))
        return keys

    def _groups(self, made: Cells) -> list[Group]:
        """Cells by program and by the optimizer's static arguments, in the grid's order."""
        swept = [name for name in arguments_of(self.recipe.optimizer) if name in self.axes]
        key = jax.eval_shape(lambda: jax.random.key(0))
        params = jax.eval_shape(self.first_task.init, key)
        # Whole numbers that the task takes are its sizes.
        numbers = [
            name
            for name in swept
            if self.axes[name].kind == "number"
            or (self.axes[name].kind == "integer" and name not in made.takes)
        ]
        traced = self._traced(swept, numbers, params)
        cells: dict[tuple[Hashable, Optimizer], list[int]] = {}
        for i, cell in enumerate(made.cells):
            choices = {n: cell.values[n] for n in swept if n not in traced}
            optimizer = self.recipe.optimizer_with(**choices)
            cells.setdefault((cell.program, optimizer), []).append(i)
        groups = []
        for (program, optimizer), positions in cells.items():
            own, task = [made.cells[i] for i in positions], made.task_of(program)
            arguments = {
                name: jnp.asarray(np.array([[float(cell.values[name])] for cell in own]))
                for name in traced
            }
            groups.append(
                Group(
                    cells=np.array(positions),
                    grid=TaskGrid(_stacked(task, own), arguments),
                    optimizer=optimizer,
                    first_task=task,
                    params=jax.eval_shape(task.init, key),
                )
            )
        return groups

    def _traced(
        self, swept: Sequence[str], numbers: Sequence[str], params: Any
    ) -> list[str]:
        """Those numbers that the optimizer can be made from while they are traced."""
        first = {name: self.axes[name].values[0] for name in swept}

        def without(names):
            choices = {name: value for name, value in first.items() if name not in names}
            return self.recipe.optimizer_with(**choices)

        traced = [n for n in numbers if traceable(without([n]), [n], params)]
        for name in traced:
            if ignores(without([name]), name, params):
                raise ValueError(
                    f"axis {name!r} must change the optimizer, but recipe.optimizer "
                    "ignores it"
                )
        return traced if traceable(without(traced), traced, params) else []


def _stacked(task: Any, cells: Sequence[Cell]) -> Any:
    """The tasks of some cells as one, leading axes (n_cells or 1, n_seeds or 1)."""
    columns = zip(*(zip(*cell.leaves, strict=True) for cell in cells), strict=True)
    leaves = [_stacked_leaf([list(seeds) for seeds in column]) for column in columns]
    return jax.tree.unflatten(jax.tree.structure(task), leaves)


def _stacked_leaf(column: list[list[Any]]) -> jax.Array:
    """One leaf by cell and seed as an array; large ones no more often than they differ."""
    if np.size(column[0][0]) > LARGE:
        if all(equal(*pair) for row in column for pair in zip(row, column[0], strict=True)):
            column = column[:1]
        if all(equal(leaf, row[0]) for row in column for leaf in row):
            column = [row[:1] for row in column]
    leaves = [leaf for row in column for leaf in row]
    first = leaves[0]
    if isinstance(first, jax.Array) and jnp.issubdtype(first.dtype, jax.dtypes.prng_key):
        stacked = jnp.stack(leaves)
    else:
        # Through NumPy: one transfer, and no weak types, which JAX would compile for
        # separately.
        stacked = jnp.asarray(np.stack(leaves))
    return stacked.reshape(len(column), len(column[0]), *np.shape(first))

"""The models of a dataset beside the tasks that they were trained on."""

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from jsuper.sweeps.axes import SEED, read_axes
from jsuper.sweeps.grid import Grid, Group
from jsuper.sweeps.labels import Labels
from jsuper.sweeps.start import params_of
from jsuper.training import Recipe, TaskGrid, not_in_expectation


class OwnTasks:
    """The tasks of a grid, and for each the models of a dataset.

    Args:
        grid: Tasks over some of the dataset's axes.
        ds: The models; they may lie along more axes.

    Raises:
        ValueError: If the dataset lacks a parameter or a model.
    """

    def __init__(self, grid: Grid, ds: xr.Dataset):
        self.grid, self.labels, self._ds = grid, Labels(grid), ds
        own = self.labels.dims
        dims = [
            str(d)
            for name in own
            if name in ds
            for d in ds[name].dims
            if d not in own[name]
        ]
        self.dims = list(dict.fromkeys([*dims, *grid.order]))
        # Seeds first: tasks may differ between them.
        rest = sorted(set(self.dims) - set(grid.axes), key=self.dims.index)
        self._along = {
            dim: ds[dim].values for dim in sorted(rest, key=lambda dim: dim != SEED)
        }
        self.n_models = math.prod(map(len, self._along.values()))

    def __iter__(self) -> Iterator[tuple[Group, TaskGrid, Any]]:
        """Yields groups of cells, their tasks and parameters, axes (n_cells, n_models)."""
        repeats = self.n_models // len(self.grid.seeds)
        for group in self.grid.groups:
            params = params_of(self._ds, self.labels, group, self._along, "ds")
            tasks = jax.tree.map(
                lambda leaf: leaf if leaf.shape[1] == 1 else jnp.repeat(leaf, repeats, 1),
                group.grid,
            )
            yield group, tasks, params

    def labelled(self, values: np.ndarray, *dims: str) -> xr.DataArray:
        """Returns values of each model, shape (n_cells, n_models, …), with their axes."""
        shape = *self.grid.shape, *map(len, self._along.values()), *values.shape[2:]
        array = xr.DataArray(
            values.reshape(shape),
            dims=(*self.grid.axes, *self._along, *dims),
            coords={d: self._ds[d] for d in self.dims if d in self._ds.coords},
        )
        return array.transpose(*self.dims, *dims)


def one_kind(
    build: Callable[..., Any], ds: xr.Dataset, values: Mapping[str, Any]
) -> OwnTasks:
    """Returns models of one size beside their tasks, whose population loss is known.

    Args:
        build: Makes the task of a cell.
        ds: Models.
        values: Values of axes of which the dataset holds only names.

    Raises:
        ValueError: As `arguments_of` and `OwnTasks`.
        TypeError: If there are several sizes, or the population loss is not known.
    """
    axes, fixed = arguments_of(build, ds, values)
    grid = Grid(functools.partial(build, **fixed), axes, Recipe(1))
    if len(grid.groups) > 1:
        raise TypeError(
            f"build must make models of one kind and size, got {len(grid.groups)}; "
            "select one value of each axis of sizes and names"
        )
    missing = not_in_expectation(grid.first_task)
    if missing is not None:
        raise TypeError(f"the population loss does not cover {missing}")
    return OwnTasks(grid, ds)


def arguments_of(
    build: Callable[..., Any],
    ds: xr.Dataset,
    given: Mapping[str, Any],
    at: Iterable[str] = (),
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what build takes from the axes of a dataset, and from scalar coordinates.

    Args:
        build: Makes the task of a cell.
        ds: A dataset of models.
        given: Values of axes of which the dataset holds only names.
        at: Arguments that come from elsewhere.

    Raises:
        ValueError: If the dataset lacks an argument, or a name is unknown.
    """
    parameters = inspect.signature(build).parameters
    for p in parameters.values():
        if p.kind is p.VAR_KEYWORD:
            raise ValueError(f"build must name all arguments that it takes, got **{p.name}")
    for name in (*at, *given):
        if name not in parameters:
            raise ValueError(
                "at and values must name arguments of build, which takes "
                f"({', '.join(parameters)}), got {name!r}"
            )
    axes: dict[str, Any] = {}
    fixed: dict[str, Any] = {}
    for name, p in parameters.items():
        if name in at or p.kind is p.VAR_POSITIONAL:
            continue
        if name in ds.coords and ds[name].dims == (name,):
            axes[name] = _values(ds[name], given)
        elif name in ds.coords and ds[name].ndim == 0:
            meant = _values(ds[name], given)
            label = ds[name].item()
            fixed[name] = meant[label] if isinstance(meant, dict) else label
        elif name in ds.coords or p.default is p.empty:
            raise ValueError(
                f"ds must have an axis or a scalar coordinate {name!r}, which build takes, "
                f"got {_brief(ds)}"
            )
    return axes, fixed


def _values(coordinate: xr.DataArray, given: Mapping[str, Any]) -> Any:
    """A coordinate's values; a mapping from them to what they stand for, if to anything."""
    name, labels = str(coordinate.name), np.atleast_1d(coordinate.values).tolist()
    if name in given:
        axis = read_axes({name: given[name]})[name]
        meant = dict(zip(axis.coordinate.tolist(), axis.values, strict=True))
        for label in labels:
            if label not in meant:
                raise ValueError(f"values must say what {name}={label} stands for")
        return {label: meant[label] for label in labels}
    if "stands_for" in coordinate.attrs:
        raise ValueError(
            f"{name!r} holds names of values ({coordinate.attrs['stands_for']}): pass "
            f"these as in the sweep, values={{{name!r}: …}}"
        )
    return coordinate.values


def _brief(ds: xr.Dataset) -> str:
    return ", ".join(f"{name} {c.dims}" for name, c in ds.coords.items())

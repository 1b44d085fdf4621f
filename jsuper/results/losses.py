"""Loss again: of models that are there already, at their own cells or at others."""

import functools
import inspect
import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from jsuper import files
from jsuper.sweeps.axes import SEED, read_axes
from jsuper.sweeps.devices import (
    SharedTraining,
    checked_devices,
    mesh_of,
    without_mesh,
)
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.labels import Labels, about_loss
from jsuper.sweeps.provenance import described, described_key
from jsuper.sweeps.run import warn_of_empty_data
from jsuper.sweeps.start import params_of
from jsuper.training import Recipe, counter_based
from jsuper.validation import as_count, check_key


def losses(
    build: Callable[..., Any],
    ds: xr.Dataset | str | Path,
    at: Mapping[str, Any] | None = None,
    *,
    key: jax.Array,
    values: Mapping[str, Any] | None = None,
    batch_size: int = 1024,
    batches: int = 64,
    devices: int | str | Iterable[Any] | None = None,
) -> xr.Dataset:
    """Measures the loss of trained models anew, all on the same fresh data.

    Where `jsuper.population_loss` covers the tasks it is that, and needs no data. Otherwise
    seeds share their data too, unlike in `jsuper.sweep`, so that a difference between two
    models does not come from their data.

    Args:
        build: Makes the task of a cell, as in `jsuper.sweep`; it may be another task than
            the one trained, with the same parameters.
        ds: Models, as `jsuper.sweep` or `jsuper.snapshots` returns them, or their file.
            What ``build`` takes is read from its axes and coordinates.
        at: Values by name of an argument of ``build``, at which to measure instead of at
            the models' own: models trained at one density are tested at all of these.
        key: A typed key, from which the data follow.
        values: Values of those axes of which ``ds`` holds only names (functions, None),
            as they were given to `jsuper.sweep`.
        batch_size: Number of examples in a batch, at least 1.
        batches: Number of batches, at least 1.
        devices: As in `jsuper.sweep`.

    Returns:
        The dataset with another ``loss``. With ``at``, it has a further dimension
        ``test_`` + name for each name, last. ``made_by`` says how it was measured.

    Raises:
        ValueError: If ``ds`` lacks a parameter, or an axis that ``build`` takes.
        TypeError: As `jsuper.sweep`.

    Example:
        >>> import jax, jsuper as js
        >>> def task(density):
        ...     return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2))
        >>> ds = js.sweep(
        ...     task,
        ...     {"density": [1.0, 0.1], "seed": 3},
        ...     js.Recipe(steps=100),
        ...     key=jax.random.key(0),
        ... )
        >>> js.losses(task, ds, key=jax.random.key(1))["loss"].dims
        ('density', 'seed')
        >>> again = js.losses(task, ds, {"density": [1.0, 0.3]}, key=jax.random.key(1))
        >>> dict(again["loss"].sizes)
        {'density': 2, 'seed': 3, 'test_density': 2}
    """
    check_key(key)
    batch_size, batches = as_count("batch_size", batch_size), as_count("batches", batches)
    recipe = Recipe(1, batch_size, eval_batches=batches)
    ds = files.load_sweep(ds) if isinstance(ds, str | Path) else ds
    if not isinstance(ds, xr.Dataset):
        raise TypeError(f"ds must be a dataset or its file, got {type(ds).__name__}")
    if SEED in (at or {}):
        raise ValueError("at must not name 'seed': every model has its own")
    tests = read_axes(at or {})
    axes, fixed = _arguments(build, ds, values or {}, tests)
    devices = checked_devices(devices)
    found, first_task = [], None
    with jax.set_mesh(mesh_of(devices)):
        root = counter_based(without_mesh(key))
        for tested in itertools.product(*(axis.values for axis in tests.values())):
            here = fixed | dict(zip(tests, tested, strict=True))
            grid = Grid(functools.partial(build, **here), axes, recipe)
            found.append(_losses(grid, ds, root, devices))
            first_task = first_task or grid.first_task
    dims = found[0].dims
    sizes = [len(axis.values) for axis in tests.values()]
    arrays = np.stack([one.values for one in found], -1)
    loss = xr.DataArray(
        arrays.reshape((*arrays.shape[:-1], *sizes)),
        dims=(*dims, *(f"test_{name}" for name in tests)),
        coords=found[0].coords
        | {f"test_{name}": axis.coordinate for name, axis in tests.items()},
        attrs=found[0].attrs,
    )
    exact = loss.attrs["kind"] == "population"
    told = {
        "key": described_key(key),
        "batch_size": None if exact else batch_size,
        "batches": None if exact else batches,
        "at": {name: described(axis.coordinate) for name, axis in tests.items()},
        "first_task": described(first_task),
    }
    made_by = json.dumps(files.made_by(ds) | {"losses": told}, allow_nan=False)
    ds = ds.drop_vars("loss", errors="ignore").assign(loss=loss)
    return ds.assign_attrs(made_by=made_by)


def _arguments(
    build: Callable[..., Any], ds: xr.Dataset, given: Mapping[str, Any], at: Iterable[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What build takes from the axes of a dataset, and from its scalar coordinates."""
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


def _losses(grid: Grid, ds: xr.Dataset, key, devices) -> xr.DataArray:
    """The loss of every model, at the tasks of a grid over some of the axes."""
    labels = Labels(grid)
    names = [name for name in labels.dims if name in ds]
    dims = [str(d) for name in names for d in ds[name].dims if d not in labels.dims[name]]
    dims = list(dict.fromkeys([*dims, *grid.order]))
    # Seeds first: tasks may differ between them.
    rest = [dim for dim in dims if dim not in grid.axes]
    along = {dim: ds[dim].values for dim in sorted(rest, key=lambda dim: dim != SEED)}
    n_models = math.prod(map(len, along.values()))
    keys = jnp.broadcast_to(key, (n_models,))
    loss = np.empty((grid.n_cells, n_models), jax.dtypes.canonicalize_dtype(float))
    for group in grid.groups:
        params = params_of(ds, labels, group, along, "ds")
        repeats = n_models // len(grid.seeds)
        tasks = jax.tree.map(
            lambda leaf, n=repeats: leaf if leaf.shape[1] == 1 else jnp.repeat(leaf, n, 1),
            group.grid,
        )
        shape = len(group.cells), n_models
        part = SharedTraining(
            tasks, shape, keys, grid.recipe, group.optimizer, devices, params
        )
        loss[group.cells] = part.loss()
    shape = (*grid.shape, *map(len, along.values()))
    coords = {dim: ds[dim] for dim in dims if dim in ds.coords}
    array = xr.DataArray(
        loss.reshape(shape),
        dims=(*grid.axes, *along),
        coords=coords,
        attrs=about_loss(grid),
    )
    array = array.transpose(*dims)
    warn_of_empty_data(array, array.notnull(), labels)
    return array

"""Loss again: of models that are there already, at their own cells or at others."""

import functools
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from jsuper import files
from jsuper.results.blockwise import is_lazy
from jsuper.results.models import model_axes
from jsuper.results.own_tasks import OwnTasks, arguments_of
from jsuper.sweeps.axes import SEED, TEST, read_axes
from jsuper.sweeps.blocks import blocks
from jsuper.sweeps.devices import (
    SharedTraining,
    checked_devices,
    mesh_of,
    without_mesh,
)
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.labels import about_loss
from jsuper.sweeps.provenance import described, described_key
from jsuper.sweeps.run import warn_of_empty_data
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
    batches: int | None = 64,
    devices: int | str | Iterable[Any] | None = None,
) -> xr.Dataset:
    """Measures the loss of trained models anew, all on the same fresh data.

    Where `jsuper.population_loss` covers the tasks in closed form it is that, and needs no
    data. Otherwise seeds share their data too, unlike in `jsuper.sweep`, so that a
    difference between two models does not come from their data.

    Args:
        build: Makes the task of a cell, as in `jsuper.sweep`; it may be another task than
            the one trained, with the same parameters.
        ds: Models, as `jsuper.sweep` or `jsuper.snapshots` returns them, or their file or
            store. What ``build`` takes is read from its axes and coordinates.
        at: Values by name of an argument of ``build``, at which to measure instead of at
            the models' own: models trained at one density are tested at all of these.
        key: A typed key, from which the data follow.
        values: Values of those axes of which ``ds`` holds only names (functions, None),
            as they were given to `jsuper.sweep`.
        batch_size: Number of examples in a batch, at least 1.
        batches: Number of batches, at least 1; None for the population loss even where it
            is a series, as ``eval_batches`` of `jsuper.Recipe`.
        devices: As in `jsuper.sweep`.

    Returns:
        The dataset with another ``loss``, measured block by block where the models are in
        a store; those that are not trained have none. With ``at``, it has a further
        dimension ``test_`` + name for each name, last. ``made_by`` says how it was
        measured.

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
    batch_size = as_count("batch_size", batch_size)
    batches = None if batches is None else as_count("batches", batches)
    recipe = Recipe(1, batch_size, eval_batches=batches)
    ds = files.load_sweep(ds) if isinstance(ds, str | Path) else ds
    if not isinstance(ds, xr.Dataset):
        raise TypeError(f"ds must be a dataset or its file, got {type(ds).__name__}")
    if SEED in (at or {}):
        raise ValueError("at must not name 'seed': every model has its own")
    if is_lazy(ds):
        more = {"values": values, "batch_size": batch_size, "batches": batches}
        of_block = functools.partial(losses, build, at=at, key=key, devices=devices, **more)
        return _in_blocks(of_block, ds)
    tests = read_axes(at or {})
    axes, fixed = arguments_of(build, ds, values or {}, tests)
    devices = checked_devices(devices)
    found, first_task = [], None
    with jax.set_mesh(mesh_of(devices)):
        root = counter_based(without_mesh(key))
        for tested in itertools.product(*(axis.values for axis in tests.values())):
            here = fixed | dict(zip(tests, tested, strict=True))
            grid = Grid(functools.partial(build, **here), axes, recipe)
            found.append(_losses(OwnTasks(grid, ds), root, devices))
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


def _in_blocks(of_block: Callable[..., xr.Dataset], ds: xr.Dataset) -> xr.Dataset:
    """Losses of a dataset larger than memory, of which there is one number a model."""
    axes = [axis for axis in model_axes(ds) if axis in ds.chunks]
    array, like = np.zeros(()), ds
    for block in blocks([ds.sizes[a] for a in axes], [ds.chunks[a][0] for a in axes]):
        part = ds.isel(dict(zip(axes, block.slices, strict=True))).load()
        like = of_block(part)
        loss = like["loss"].transpose(*axes, ...)
        if not array.shape:
            array = np.full([ds.sizes.get(d, n) for d, n in loss.sizes.items()], np.nan)
            array = array.astype(loss.dtype)
        array[block.slices] = loss
    measured = like["loss"].transpose(*axes, ...)
    coords = {n: c for n, c in measured.coords.items() if str(n).startswith(TEST)}
    ds = ds.drop_vars("loss", errors="ignore").assign_coords(coords)
    ds = ds.assign(loss=(measured.dims, array, measured.attrs))
    return ds.assign_attrs(made_by=like.attrs["made_by"])


def _losses(models: OwnTasks, key: jax.Array, devices: Any) -> xr.DataArray:
    """The loss of every model at its task."""
    keys = jnp.broadcast_to(key, (models.n_models,))
    shape = models.grid.n_cells, models.n_models
    loss = np.empty(shape, jax.dtypes.canonicalize_dtype(float))
    for group, tasks, params in models:
        shape = len(group.cells), models.n_models
        recipe, optimizer = models.grid.recipe, group.optimizer
        part = SharedTraining(tasks, shape, keys, recipe, optimizer, devices, params)
        loss[group.cells] = part.loss()
    array = models.labelled(loss).assign_attrs(about_loss(models.grid))
    warn_of_empty_data(array, array.notnull(), models.labels)
    return array

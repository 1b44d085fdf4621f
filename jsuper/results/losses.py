"""Loss again: of models that are there already, at their own cells or at others."""

import functools
import inspect
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
from jsuper.sweeps.axes import SEED, read_axes
from jsuper.sweeps.devices import (
    SharedTraining,
    checked_devices,
    mesh_of,
    without_mesh,
)
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.labels import Labels
from jsuper.sweeps.provenance import described, described_key
from jsuper.sweeps.start import params_of
from jsuper.training import Recipe, counter_based
from jsuper.validation import as_count, check_key


def losses(
    build: Callable[..., Any],
    ds: xr.Dataset | str | Path,
    at: Mapping[str, Any] | None = None,
    *,
    key: jax.Array,
    batch_size: int = 1024,
    batches: int = 64,
    devices: int | str | Iterable[Any] | None = None,
) -> xr.Dataset:
    """Measures the loss of trained models anew, all on the same fresh data.

    Other than in `jsuper.sweep`, seeds share their data too, so that a difference between
    two models is no luck of the draw.

    Args:
        build: Makes the task of a cell, as in `jsuper.sweep`; it may be another task than
            the one trained, with the same parameters.
        ds: Models, as `jsuper.sweep` or `jsuper.snapshots` returns them, or their file.
            What ``build`` takes is read from its axes and scalar coordinates.
        at: Values by name of an argument of ``build``, at which to measure instead of at
            the models' own: models trained at one density are tested at all of these.
        key: A typed key, from which the data follow.
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
    ds = files.load(ds) if isinstance(ds, str | Path) else ds
    tests = read_axes(at or {})
    own, fixed = _arguments(build, ds, tests)
    devices = checked_devices(devices)
    found, first_task = [], None
    with jax.set_mesh(mesh_of(devices)):
        root = counter_based(without_mesh(key))
        for values in itertools.product(*(axis.values for axis in tests.values())):
            tested = dict(zip(tests, values, strict=True))
            grid = Grid(functools.partial(build, **fixed, **tested), own, recipe)
            found.append(_losses(grid, ds, recipe, root, devices))
            first_task = first_task or grid.first_task
    loss = xr.concat(found, "test") if tests else found[0]
    if tests:
        shape = {f"test_{name}": len(axis.values) for name, axis in tests.items()}
        loss = loss.transpose(..., "test")
        loss = xr.DataArray(
            loss.values.reshape(*loss.shape[:-1], *shape.values()),
            dims=(*loss.dims[:-1], *shape),
            coords={f"test_{name}": axis.coordinate for name, axis in tests.items()},
        )
    loss.attrs["long_name"] = "loss on fresh data"
    ds = ds.drop_vars("loss", errors="ignore").assign(loss=loss)
    told = {
        "key": described_key(key),
        "batch_size": batch_size,
        "batches": batches,
        "at": {name: described(list(axis.coordinate)) for name, axis in tests.items()},
        "first_task": described(first_task),
    }
    return ds.assign_attrs(made_by=_told(ds, told))


def _arguments(build, ds, tests) -> tuple[dict[str, Any], dict[str, Any]]:
    """What build takes from the axes of a dataset, and from its scalar coordinates."""
    if not isinstance(ds, xr.Dataset):
        raise TypeError(f"ds must be a dataset or its file, got {type(ds).__name__}")
    own: dict[str, Any] = {}
    fixed: dict[str, Any] = {}
    for p in inspect.signature(build).parameters.values():
        if p.name in tests or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        values = ds.coords.get(p.name)
        if values is not None and values.dims == (p.name,):
            own[p.name] = values.values
        elif values is not None and values.ndim == 0:
            fixed[p.name] = values.item()
        elif p.default is p.empty:
            raise ValueError(
                f"ds must have an axis or a scalar coordinate {p.name!r}, which build "
                f"takes, got {sorted(map(str, ds.coords))}"
            )
    return own, fixed


def _losses(grid: Grid, ds: xr.Dataset, recipe: Recipe, key, devices) -> xr.DataArray:
    """The loss of every model, at the tasks of a grid over some of the axes."""
    labels = Labels(grid)
    names = [name for name in labels.dims if name in ds]
    dims = [str(d) for name in names for d in ds[name].dims if d not in labels.dims[name]]
    dims = list(dict.fromkeys(dims))
    # Seeds first: tasks may differ between them.
    rest = [dim for dim in dims if dim == SEED] + [
        dim for dim in dims if dim not in grid.axes and dim != SEED
    ]
    along = {dim: ds[dim].values for dim in rest}
    n_models = int(np.prod([len(values) for values in along.values()], initial=1))
    keys = jnp.broadcast_to(key, (n_models,))
    loss = np.empty((grid.n_cells, n_models), jax.dtypes.canonicalize_dtype(float))
    for group in grid.groups:
        params = params_of(ds, labels, group, along)
        repeats = n_models // len(grid.seeds)
        tasks = jax.tree.map(
            lambda leaf, n=repeats: leaf if leaf.shape[1] == 1 else jnp.repeat(leaf, n, 1),
            group.grid,
        )
        shape = len(group.cells), n_models
        part = SharedTraining(tasks, shape, keys, recipe, group.optimizer, devices, params)
        loss[group.cells] = part.loss()
    sizes = [len(values) for values in along.values()]
    coords = {dim: ds[dim] for dim in (*grid.axes, *along) if dim in ds.coords}
    return xr.DataArray(
        loss.reshape(*grid.shape, *sizes), dims=(*grid.axes, *along), coords=coords
    ).transpose(*dims)


def _told(ds: xr.Dataset, losses: dict[str, Any]) -> str:
    try:
        told = json.loads(str(ds.attrs.get("made_by")))
    except json.JSONDecodeError:
        told = None
    told = told if isinstance(told, dict) else {}
    return json.dumps(told | {"losses": losses}, allow_nan=False)

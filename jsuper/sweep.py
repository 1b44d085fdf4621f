r"""A grid of tasks by named axes: trained on every device, returned with labels."""

import dataclasses
import functools
import importlib.metadata
import inspect
import itertools
import json
import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from jax.sharding import Mesh, PartitionSpec
from tqdm import tqdm

from jsuper import training
from jsuper.training import Recipe
from jsuper.validation import check_count

SEED = "seed"


def use_cpu_cores(n: int | None = None) -> None:
    """Turns CPU cores into JAX devices, which `sweep` then shares the grid between.

    Call it before anything else touches JAX, a key included. It concerns the CPU alone;
    on a machine with an accelerator JAX goes on to prefer that.

    Args:
        n: Number of cores; by default all that this process may use.

    Raises:
        ValueError: If ``n`` is not a positive integer.
        RuntimeError: If JAX has already started.

    Example:
        >>> use_cpu_cores(len(jax.devices("cpu")))  # no change: fine at any time
    """
    if n is None:
        affinity = getattr(os, "sched_getaffinity", None)
        n = len(affinity(0)) if affinity else os.cpu_count() or 1
    check_count("n", n)
    if n == jax.config.jax_num_cpu_devices:  # type: ignore[attr-defined]
        return
    try:
        jax.config.update("jax_num_cpu_devices", n)
    except RuntimeError:
        if len(jax.devices("cpu")) == n:
            return
        raise RuntimeError(
            f"use_cpu_cores({n}) came too late: JAX already runs with "
            f"{len(jax.devices('cpu'))} CPU device(s). Call it before any other use of "
            "JAX."
        ) from None


def sweep(
    build: Callable[..., Any],
    axes: Mapping[str, Any],
    recipe: Recipe = Recipe(),
    *,
    key: jax.Array,
    devices: int | Sequence[Any] | None = None,
    progress: bool | None = None,
    callback: Callable[[int, xr.Dataset], None] | None = None,
    chunks: int | None = None,
) -> xr.Dataset:
    """Trains one model for every combination of the axes' values.

    All models train in one compiled call, which a second sweep of the same shapes
    reuses. Models that differ only in a swept number share their random draws, so that
    a difference between two cells is not noise; models of different seeds share none,
    so that a spread over seeds is an honest error bar. A cell does not depend on which
    others are trained with it.

    Args:
        build: Makes one task from numbers: called once for each cell, with the axes'
            values as arguments. Sizes must not depend on them.
        axes: Values by argument name, one-dimensional and distinct. The reserved name
            ``seed``, a count or a list of integers, is not passed to ``build``.
        recipe: How each model is trained.
        key: A typed key (``jax.random.key(0)``), from which the whole run follows.
        devices: Devices that share the grid, or how many of ``jax.devices()``; by
            default all of them (see `use_cpu_cores`).
        progress: Whether to show a progress bar; by default on a terminal only.
        callback: Called after each chunk with the number of steps done and a snapshot:
            a dataset with the parameters and the history so far.
        chunks: Number of compiled calls that the steps are cut into; by default one for
            each entry of the history.

    Returns:
        A dataset whose leading dimensions are the axes in their order:

        - one variable for each parameter (``W`` and ``b`` for `jsuper.ToyModel`);
        - ``loss``: loss on fresh data;
        - ``history`` (..., step): mean training loss over the steps up to ``step``;
        - ``finite``: whether parameters and loss are finite numbers;
        - ``importance`` of each feature, where the tasks have one.

        Swept values are coordinates; ``sparsity`` stands beside a swept ``density``.
        The attribute ``made_by`` says in JSON how the dataset was made.

    Raises:
        ValueError: If an axis is empty, repeated, not finite where it must be, unknown
            to ``build`` or ignored by it, or if ``build`` rejects a value.
        TypeError: If ``key`` is not a typed key or ``build`` makes no task.

    Warns:
        RuntimeWarning: If models diverged, with their coordinates.

    Example:
        >>> import jsuper as js
        >>> def task(density):
        ...     return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2))
        >>> ds = sweep(
        ...     task,
        ...     {"density": [1.0, 0.1], "seed": 3},
        ...     Recipe(steps=100),
        ...     key=jax.random.key(0),
        ... )
        >>> dict(ds["W"].sizes)
        {'density': 2, 'seed': 3, 'feature': 5, 'hidden': 2}
    """
    if not (isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)):
        raise TypeError(f"key must be a typed key such as jax.random.key(0), got {key!r}")
    if key.shape != ():
        raise TypeError(f"key must be a single key, got an array of shape {key.shape}")
    n_windows = math.ceil(recipe.steps / recipe.log_every)
    if chunks is None:
        chunks = n_windows
    check_count("chunks", chunks)
    devices = _checked_devices(devices)
    values, seeds = _checked_axes(axes)
    cells = _checked_cells(build, values)
    grid = _Grid(tuple(axes), values, seeds, cells, recipe)
    run = _Run(grid, key, devices)

    history = []
    per_chunk = math.ceil(n_windows / chunks)
    firsts, lengths = recipe.windows()
    with tqdm(
        total=recipe.steps,
        unit="step",
        desc=f"{grid.n_models} models",
        disable=None if progress is None else not progress,
    ) as bar:
        for i in range(0, n_windows, per_chunk):
            chunk = slice(i, i + per_chunk)
            history.append(run.advance(firsts[chunk], lengths[chunk], per_chunk))
            bar.update(sum(lengths[chunk]))
            if not bar.disable:
                bar.set_postfix_str(f"median loss {np.median(history[-1]):.3g}")
            if callback is not None:
                done = firsts[chunk][-1] + lengths[chunk][-1]
                callback(done, grid.label(run.params(), np.concatenate(history, -1)))

    ds = grid.label(run.params(), np.concatenate(history, -1), run.loss())
    ds.attrs["made_by"] = json.dumps(_made_by(grid, key, devices), allow_nan=False)
    _warn_of_divergence(ds["finite"])
    return ds


class _Grid:
    """The axes of a sweep: from names to a batch of tasks, and back to labels."""

    def __init__(self, order, values, seeds, cells, recipe):
        self.order, self.values, self.seeds, self.recipe = order, values, seeds, recipe
        self.first_cell = cells[0]
        # Through NumPy: one transfer per leaf, and no weak types, which JAX would
        # compile for separately.
        self.tasks = jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *cells)
        self.shape = tuple(len(array) for array in values.values())
        self.n_cells = len(cells)
        self.n_models = self.n_cells * len(seeds)

    def keys(self, key):
        """One key per seed, shape (n_seeds,), or per cell and seed."""
        seeds = jnp.asarray(np.array(self.seeds, np.uint32))
        keys = jax.vmap(lambda seed: jax.random.fold_in(key, seed))(seeds)
        if not self.recipe.independent_cells:
            return keys
        # Fold in the values, not the position, so that other cells do not matter.
        names = sorted(self.values)
        mesh = np.meshgrid(*self.values.values(), indexing="ij")
        by_name = dict(zip(self.values, mesh, strict=True))
        fold_in = jnp.vectorize(jax.random.fold_in)
        keys = jnp.broadcast_to(keys, (self.n_cells, len(self.seeds)))
        for name in names:
            # Adding 0 makes -0.0 and 0.0 one value.
            bits = (by_name[name].astype(np.float32) + 0).reshape(-1, 1).view(np.uint32)
            keys = fold_in(keys, bits)
        return keys

    def label(self, params, history, loss=None):
        """Arrays with leading axes (n_cells, n_seeds) as a dataset."""
        data = {}
        finite = np.ones((self.n_cells, len(self.seeds)), bool)
        named = dict(_named_leaves(params))
        dims = getattr(self.tasks, "dims", {})
        for name, array in named.items():
            own = tuple(
                dims.get(name, [f"{name}_{axis}" for axis in range(array.ndim - 2)])
            )
            data[name] = self._variable(array, own)
            finite &= np.isfinite(array).all(axis=tuple(range(2, array.ndim)))
        if loss is not None:
            data["loss"] = self._variable(loss)
            finite &= np.isfinite(loss)
        data["history"] = self._variable(history, ("step",))
        data["finite"] = self._variable(finite)

        firsts, lengths = self.recipe.windows()
        steps = np.add(firsts, lengths)[: history.shape[-1]]
        coords = {name: (name, array) for name, array in self.values.items()}
        if SEED in self.order:
            coords[SEED] = (SEED, np.array(self.seeds))
        coords["step"] = ("step", steps)
        if "density" in self.values and "sparsity" not in self.values:
            coords["sparsity"] = ("density", 1 - self.values["density"])
        ds = xr.Dataset(data, coords)
        importance = self._importance()
        if importance is not None:
            ds["importance"] = importance
        ds = ds.transpose(*self.order, ...)
        for name, long_name in LONG_NAMES.items():
            if name in ds.variables:
                ds[name].attrs["long_name"] = long_name
        return ds

    def _variable(self, array, own=()):
        array = np.asarray(array).reshape(*self.shape, *array.shape[1:])
        if SEED in self.order:
            return (*self.values, SEED, *own), array
        return (*self.values, *own), array.squeeze(len(self.shape))

    def _importance(self):
        """The importance of each feature, along those axes that it depends on."""
        importance = getattr(self.tasks, "importance", None)
        n = getattr(getattr(self.tasks, "features", None), "n_features", None)
        if importance is None or n is None or "importance" in self.values:
            return None
        rows = np.asarray(importance).reshape(self.n_cells, -1)
        rows = np.broadcast_to(rows, (self.n_cells, n)).reshape(*self.shape, n)
        kept = []
        for axis, name in reversed(list(enumerate(self.values))):
            if (rows == rows.take([0], axis)).all():
                rows = rows.take(0, axis)
            else:
                kept.insert(0, name)
        return (*kept, "feature"), rows


LONG_NAMES = {
    "density": "density (1 − sparsity)",
    "sparsity": "sparsity S",
    "threshold": "ExReLU threshold t",
    "importance": "importance",
    "W": "embedding",
    "b": "bias",
    "loss": "loss on fresh data",
    "history": "training loss",
    "step": "training step",
}


class _Run:
    """A grid in training: its state on the devices, padded to divide among them."""

    def __init__(self, grid, key, devices):
        keys = grid.keys(key)
        self.grid_shape = (grid.n_cells, len(grid.seeds))
        self.recipe = grid.recipe
        # Split the axis that wastes less on padding; of two equal ones the seeds, since
        # each device then draws the random numbers of its own seeds only.
        n = len(devices)
        padded = [size + -size % n for size in self.grid_shape]
        cost_of_cells = padded[0] * self.grid_shape[1]
        cost_of_seeds = padded[1] * self.grid_shape[0]
        self.split = "cells" if cost_of_cells < cost_of_seeds else "seeds"
        self.mesh = Mesh(np.array(devices), ("model",))
        if self.split == "cells":
            self.tasks = jax.tree.map(lambda a: _pad(a, padded[0], 0), grid.tasks)
            self.keys = _pad(keys, padded[0], 0) if keys.ndim == 2 else keys
        else:
            self.tasks, self.keys = grid.tasks, _pad(keys, padded[1], -1)
        self.state = self._compiled("start")(self.tasks, self.keys)

    def advance(self, firsts, lengths, n_windows):
        """Trains through some windows and returns their mean losses."""
        # Windows of no step fill the last chunk, so that one compiled shape serves all.
        missing = n_windows - len(firsts)
        self.state, history = self._compiled("advance")(
            self.tasks,
            self.keys,
            self.state,
            np.array([*firsts, *[0] * missing], np.int32),
            np.array([*lengths, *[0] * missing], np.int32),
        )
        return self._unpad(history)[..., : len(firsts)]

    def params(self):
        return jax.tree.map(self._unpad, self.state.params)

    def loss(self):
        return self._unpad(
            self._compiled("evaluate")(self.tasks, self.keys, self.state.params)
        )

    def _unpad(self, array):
        # A copy: the next chunk reuses the device's memory.
        return np.array(array)[: self.grid_shape[0], : self.grid_shape[1]]

    def _compiled(self, phase):
        recipe = self.recipe
        return _compiled(
            phase,
            self.mesh,
            self.split,
            self.keys.ndim,
            recipe.optimizer,
            recipe.batch_size,
            recipe.eval_batches,
        )


@functools.lru_cache(maxsize=64)
def _compiled(phase, mesh, split, key_rank, optimizer, batch_size, eval_batches):
    """One phase of training, compiled for the devices of ``mesh``.

    Devices work on their own models without a word between them.
    """
    everywhere = PartitionSpec()
    if split == "cells":
        tasks = models = PartitionSpec("model")
        keys = everywhere if key_rank == 1 else models
    else:
        tasks, models = everywhere, PartitionSpec(None, "model")
        keys = PartitionSpec("model") if key_rank == 1 else models

    def start(t, k):
        return training.start(t, k, optimizer)

    def advance(t, k, state, firsts, lengths):
        return training.advance(t, k, state, firsts, lengths, optimizer, batch_size)

    def evaluate(t, k, params):
        return training.evaluate(t, k, params, batch_size, eval_batches)

    function, in_specs, out_specs = {
        "start": (start, (tasks, keys), models),
        "advance": (
            advance,
            (tasks, keys, models, everywhere, everywhere),
            (models, models),
        ),
        "evaluate": (evaluate, (tasks, keys, models), models),
    }[phase]
    return jax.jit(
        jax.shard_map(
            function,
            mesh=mesh,
            in_specs=in_specs,
            out_specs=out_specs,
            check_vma=False,
        ),
        donate_argnums=(2,) if phase == "advance" else (),
    )


def _pad(array, size, axis):
    """Repeats the last entry along ``axis`` up to ``size``."""
    indices = jnp.minimum(jnp.arange(size), array.shape[axis] - 1)
    return jnp.take(array, indices, axis=axis)


def _checked_devices(devices: int | Sequence[Any] | None) -> list[Any]:
    available = jax.devices()
    if devices is None:
        return available
    if isinstance(devices, Sequence):
        if not devices:
            raise ValueError("devices must not be empty")
        return list(devices)
    check_count("devices", devices)
    if devices > len(available):
        raise ValueError(
            f"devices must be at most {len(available)}, the number that JAX has, got "
            f"{devices}; use_cpu_cores() turns CPU cores into devices"
        )
    return available[:devices]


RESERVED = ("step", "feature", "hidden", "loss", "history", "finite")


def _checked_axes(axes: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], list[int]]:
    """Returns the values of each axis, and the seeds."""
    if not isinstance(axes, Mapping):
        raise TypeError(f"axes must map names to values, got {axes!r}")
    values = {}
    for name, given in axes.items():
        if name == SEED:
            continue
        if name in RESERVED:
            raise ValueError(
                f"axis {name!r} must have another name than the result's own "
                f"({', '.join(RESERVED)})"
            )
        array = np.asarray(given)
        if array.size and array.dtype.kind not in "iuf":
            raise ValueError(f"axis {name!r} must hold numbers, got {given!r}")
        if array.ndim != 1 or array.size == 0:
            raise ValueError(
                f"axis {name!r} must be a non-empty list of numbers, got {given!r}"
            )
        array = array.astype(float)
        if np.isnan(array).any():
            raise ValueError(f"axis {name!r} must not contain NaN, got {given!r}")
        _check_distinct(name, array.astype(np.float32), array)
        values[name] = array

    given = axes.get(SEED, [0])
    if np.ndim(given) == 0:
        check_count("axis 'seed'", given)
        return values, list(range(int(given)))
    seeds = list(given)
    if not seeds:
        raise ValueError("axis 'seed' must be a count or a non-empty list, got []")
    for seed in seeds:
        check_count("axis 'seed'", seed, lowest=0)
    if max(seeds) >= 2**32:
        raise ValueError(f"axis 'seed' must stay below 2**32, got {max(seeds)}")
    _check_distinct(SEED, np.array(seeds), np.array(seeds))
    return values, [int(seed) for seed in seeds]


def _check_distinct(name, array, given):
    unique, counts = np.unique(array, return_counts=True)
    if len(unique) < len(array):
        twice = given[array == unique[counts.argmax()]]
        raise ValueError(f"axis {name!r} must hold distinct values, got {twice[0]:g} twice")


def _checked_cells(build, values: dict[str, np.ndarray]) -> list[Any]:
    """Builds the task of every cell from plain numbers, which constructors can check."""
    parameters = inspect.signature(build).parameters.values()
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    takes = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    for name in values:
        if name not in takes and not anything:
            raise ValueError(
                f"axis {name!r} is not an argument of build, which takes "
                f"({', '.join(takes)})"
            )
    for p in parameters:
        if p.default is p.empty and p.name in takes and p.name not in values:
            raise ValueError(
                f"axes must name every argument of build: {p.name!r} is missing"
            )

    first = {name: float(array[0]) for name, array in values.items()}
    task = build(**first)
    for method in ("init", "loss"):
        if not callable(getattr(task, method, None)):
            raise TypeError(
                "build must return a task with the methods init and loss, got "
                f"{type(task).__name__} without {method}"
            )
    for name in values:
        if name in getattr(task, "dims", {}):
            raise ValueError(f"axis {name!r} must have another name than a parameter")

    def static_parts(task):
        return jax.tree.structure(task), [np.shape(leaf) for leaf in jax.tree.leaves(task)]

    cells = []
    for numbers in itertools.product(*(array.tolist() for array in values.values())):
        cell = dict(zip(values, numbers, strict=True))
        cells.append(build(**cell))
        if static_parts(cells[-1]) != static_parts(task):
            raise ValueError(
                f"build must make tasks that differ in numbers only, but "
                f"{_coordinates(cell)} changes a size or another static part; sweep sizes "
                "one call at a time, and define functions such as a target outside build"
            )
    for name in values:
        _check_used(build, name, first)
    return cells


def _check_used(build, name, first):
    """Raises unless some leaf of the task depends on the argument ``name``."""

    def leaves(number):
        return jax.tree.leaves(build(**{**first, name: number}))

    # With out_axes=None, vmap refuses outputs that depend on what it maps over. A build
    # that JAX cannot trace looks at the number, and so uses it.
    try:
        jax.eval_shape(jax.vmap(leaves, out_axes=None), jnp.zeros(2))
    except (ValueError, TypeError):
        return
    raise ValueError(f"axis {name!r} must change the task, but build ignores it")


def _named_leaves(params):
    """Parameters by name: the path through the pytree, joined by dots."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        yield jax.tree_util.keystr(path, simple=True, separator=".") or "params", leaf


def _warn_of_divergence(finite: xr.DataArray, most: int = 5) -> None:
    where = np.argwhere(~finite.values)
    if len(where) == 0:
        return
    named = [
        _coordinates(
            {d: finite[d].values[i] for d, i in zip(finite.dims, place, strict=True)}
        )
        for place in where[:most]
    ]
    more = "; …" if len(where) > most else ""
    warnings.warn(
        f"{len(where)} of {finite.size} models diverged: {'; '.join(named)}{more}",
        RuntimeWarning,
        stacklevel=3,
    )


def _coordinates(cell: Mapping[Any, Any]) -> str:
    return " ".join(f"{name}={value:g}" for name, value in cell.items())


def _made_by(grid, key, devices):
    """How a dataset was made, in terms that JSON can hold."""
    recipe = {
        field.name: _described(getattr(grid.recipe, field.name))
        for field in dataclasses.fields(grid.recipe)
    }
    return {
        "recipe": recipe,
        "first_task": _described(grid.first_cell),
        "key": {
            "implementation": str(jax.random.key_impl(key)),
            "data": np.asarray(jax.random.key_data(key)).tolist(),
        },
        "jsuper": importlib.metadata.version("jsuper"),
        "jax": jax.__version__,
        "devices": [device.device_kind for device in devices],
        "float": str(jax.dtypes.canonicalize_dtype(float)),
    }


def _described(value):
    """A task, an optimizer or a number as plain data."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity
    if isinstance(value, bool | int | float | str | None):
        return value
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        described = {f.name: _described(getattr(value, f.name)) for f in fields}
        return {"type": type(value).__name__, **described}
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        return _described(np.asarray(value).tolist())
    if isinstance(value, optax.GradientTransformation):
        return _described(value.update)
    if isinstance(value, list | tuple):
        return [_described(item) for item in value]
    if callable(value):
        # optax keeps its settings in closures: the name of the maker, and what it held.
        name = getattr(value, "__qualname__", type(value).__name__).split(".")[0]
        closure = getattr(value, "__closure__", None) or ()
        names = value.__code__.co_freevars if closure else ()
        held = {n: _described(c.cell_contents) for n, c in zip(names, closure, strict=True)}
        return {"function": name, **held} if held else name
    return repr(value)

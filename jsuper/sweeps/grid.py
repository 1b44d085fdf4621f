"""The axes of a sweep: from names and values to a batch of tasks, and back to labels."""

import inspect
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from jsuper.training import Recipe
from jsuper.validation import check_count

SEED = "seed"

RESERVED = ("step", "feature", "hidden", "loss", "history", "finite")
"""Names in a result that neither an axis nor a parameter may have."""

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


class Grid:
    """The cells and seeds of a sweep, checked before anything compiles.

    Args:
        build: As in `jsuper.sweep`.
        axes: As in `jsuper.sweep`.
        recipe: How each model is trained.
    """

    def __init__(self, build: Callable[..., Any], axes: Mapping[str, Any], recipe: Recipe):
        self.values, self.seeds = _checked_axes(axes)
        cells = _checked_cells(build, self.values)
        self.order, self.recipe, self.first_task = tuple(axes), recipe, cells[0]
        # Through NumPy: one transfer per leaf, and no weak types, which JAX would
        # compile for separately.
        self.tasks = jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *cells)
        self.shape = tuple(len(array) for array in self.values.values())
        self.n_cells = len(cells)
        self.n_models = self.n_cells * len(self.seeds)

    def keys(self, key: jax.Array) -> jax.Array:
        """Returns one key per seed, shape (n_seeds,), or (n_cells, n_seeds) of them."""
        seeds = jnp.asarray(np.array(self.seeds, np.uint32))
        keys = jax.vmap(lambda seed: jax.random.fold_in(key, seed))(seeds)
        if not self.recipe.independent_cells:
            return keys
        # Fold in the values, not the position, so that other cells do not matter.
        mesh = np.meshgrid(*self.values.values(), indexing="ij")
        by_name = dict(zip(self.values, mesh, strict=True))
        fold_in = jnp.vectorize(jax.random.fold_in)
        keys = jnp.broadcast_to(keys, (self.n_cells, len(self.seeds)))
        for name in sorted(self.values):
            # Adding 0 makes -0.0 and 0.0 one value.
            bits = (by_name[name].astype(np.float32) + 0).reshape(-1, 1).view(np.uint32)
            keys = fold_in(keys, bits)
        return keys

    def label(self, params: Any, history: np.ndarray, loss: Any = None) -> xr.Dataset:
        """Returns arrays with leading axes (n_cells, n_seeds) as a dataset."""
        data = {}
        finite = np.ones((self.n_cells, len(self.seeds)), bool)
        dims = getattr(self.tasks, "dims", {})
        for name, array in _named_leaves(params):
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
            # An axis may be called importance: it is what people sweep.
            swept = "importance" in self.values
            ds["feature_importance" if swept else "importance"] = importance
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
        if importance is None or n is None:
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


def coordinates(cell: Mapping[Any, Any]) -> str:
    """Returns where a model stands in the grid, as in ``density=0.1 seed=3``."""
    return " ".join(f"{name}={value:g}" for name, value in cell.items())


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
        _check_distinct(name, array.astype(jax.dtypes.canonicalize_dtype(float)), array)
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
    if not callable(build):
        raise TypeError(
            "build must be a function that returns a task (lambda: task), got "
            f"{type(build).__name__}"
        )
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
    _check_task(task, values)

    def static_parts(task):
        return jax.tree.structure(task), [np.shape(leaf) for leaf in jax.tree.leaves(task)]

    cells = []
    for numbers in itertools.product(*(array.tolist() for array in values.values())):
        cell = dict(zip(values, numbers, strict=True))
        cells.append(build(**cell))
        if static_parts(cells[-1]) != static_parts(task):
            raise ValueError(
                f"build must make tasks that differ in numbers only, but "
                f"{coordinates(cell)} changes a size or another static part; sweep sizes "
                "one call at a time, and define functions such as a target outside build"
            )
    for name in values:
        _check_used(build, name, first)
    return cells


def _check_task(task, values):
    """Raises unless the task is a pytree whose parameters and loss fit a dataset."""
    if jax.tree.leaves(task) and jax.tree.leaves(task)[0] is task:
        raise TypeError(
            f"build must return a pytree, but JAX cannot look into {type(task).__name__}: "
            "decorate its class with flax.struct.dataclass"
        )
    key = jax.eval_shape(lambda: jax.random.key(0))
    params = jax.eval_shape(task.init, key)
    taken = {*RESERVED, SEED, "sparsity", "importance", *values}
    for name, leaf in _named_leaves(params):
        if name in taken or "/" in name:
            raise ValueError(
                f"parameter {name!r} must have another name than an axis or the result's "
                f"own ({', '.join(sorted(taken))}), without a slash"
            )
        dims = getattr(task, "dims", {}).get(name)
        if dims is not None and len(dims) != len(leaf.shape):
            raise ValueError(
                f"dims of parameter {name!r} must name {len(leaf.shape)} axes, got {dims}"
            )
    loss = jax.eval_shape(lambda params, key: task.loss(params, key, 2), params, key)
    if getattr(loss, "shape", None) != ():
        raise ValueError(f"loss must return one number, got {loss}")


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

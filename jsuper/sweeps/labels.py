"""Back to labels: names and sizes of what a grid trains, and the dataset it becomes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper.models.activations import THRESHOLDED
from jsuper.padding import SUFFIX
from jsuper.sweeps.axes import RESERVED, SEED
from jsuper.sweeps.grid import Grid, Group

LONG_NAMES = {
    "density": "density (1 − sparsity)",
    "sparsity": "sparsity S",
    "threshold": "ExReLU threshold t",
    "importance": "importance",
    "W": "embedding",
    "W_out": "weights of the outputs",
    "b": "bias",
    "t": "trained threshold",
    "history": "training loss",
    "step": "training step",
}


def about_loss(grid: Grid) -> dict[str, str]:
    """Returns attributes that say what the losses of a grid are."""
    if grid.has_population_loss:
        return {"long_name": "population loss", "kind": "population"}
    return {"long_name": "loss on fresh data", "kind": "sampled"}


class Labels:
    """The names of a grid's parameters and of their axes, checked before training.

    Args:
        grid: The grid.

    Raises:
        ValueError: If a name is used twice, or for two sizes.
    """

    def __init__(self, grid: Grid):
        self.grid = grid
        self.dims: dict[str, tuple[str, ...]] = {}
        self.sizes: list[dict[str, int]] = [
            self._checked_sizes(group) for group in grid.groups
        ]
        features = {rows.shape[1] for rows in grid.importance if rows is not None}
        self.largest: dict[str, int] = {}
        for sizes in self.sizes:
            for dim, size in sizes.items():
                self.largest[dim] = max(size, self.largest.get(dim, 0))
        if features:
            size = self.largest.setdefault("feature", max(features))
            if size != max(features):
                raise ValueError(
                    f"importance must have one number for each feature: the parameters "
                    f"have {size} features, features.n_features is {max(features)}"
                )

    def dataset(
        self, params: Sequence[Any], history: np.ndarray, loss: np.ndarray | None = None
    ) -> xr.Dataset:
        """Returns a grid's arrays as a dataset.

        Args:
            params: Parameters of each group, leading axes (n_cells, n_seeds).
            history: Shape (n_cells, n_seeds, n_windows).
            loss: Shape (n_cells, n_seeds), if it is known.
        """
        grid = self.grid
        shape = grid.n_cells, len(grid.seeds)
        finite = np.ones(shape, bool)
        arrays: dict[str, np.ndarray] = {}
        for group, own in zip(grid.groups, params, strict=True):
            for name, array in named_leaves(own):
                axes = tuple(range(2, array.ndim))
                finite[group.cells] &= np.isfinite(array).all(axis=axes)
                if name not in arrays:
                    sizes = tuple(self.largest[dim] for dim in self.dims[name])
                    arrays[name] = np.full(shape + sizes, np.nan, array.dtype)
                within = tuple(slice(size) for size in array.shape[2:])
                arrays[name][(group.cells, slice(None), *within)] = array
        if loss is not None:
            finite &= np.isfinite(loss)
        return self._labelled(arrays, history, loss, finite)

    @property
    def of_models(self) -> list[str]:
        """Names of the variables that differ from model to model."""
        return [*self.dims, "loss", "history", "finite"]

    def template(self) -> xr.Dataset:
        """Returns the dataset of the whole grid with none of its numbers, in no memory."""
        shape = self.grid.n_cells, len(self.grid.seeds)

        def empty(dtype, *own):
            return np.broadcast_to(np.zeros((), dtype), (*shape, *own))

        arrays = {}
        for group in self.grid.groups:
            for name, leaf in named_leaves(group.params):
                sizes = (self.largest[dim] for dim in self.dims[name])
                arrays.setdefault(name, empty(leaf.dtype, *sizes))
        number = jax.dtypes.canonicalize_dtype(float)
        history = empty(number, len(self.grid.recipe.windows()[0]))
        return self._labelled(arrays, history, empty(number), empty(bool))

    def _labelled(self, arrays, history, loss, finite) -> xr.Dataset:
        grid = self.grid
        data = {name: self._over_grid(a, self.dims[name]) for name, a in arrays.items()}
        if loss is not None:
            data["loss"] = (*self._over_grid(loss), about_loss(grid))
        data["history"] = self._over_grid(history, ("step",))
        data["finite"] = self._over_grid(finite)
        ds = xr.Dataset(data, self._coordinates(history.shape[-1]))
        if any(rows is not None for rows in grid.importance):
            # An axis may be called importance: it is what people sweep.
            swept = "importance" in grid.axes
            ds["feature_importance" if swept else "importance"] = self._importance()
        ds = ds.transpose(*grid.order, ...)
        for name, long_name in LONG_NAMES.items():
            if name in ds.variables:
                ds[name].attrs["long_name"] = long_name
        models = (getattr(group.first_task, "model", None) for group in grid.groups)
        activations = {getattr(model, "activation", "exrelu") for model in models}
        if "threshold" in ds.variables and not activations <= {*THRESHOLDED}:
            ds["threshold"].attrs["long_name"] = "threshold t"
        for name, axis in grid.axes.items():
            if axis.stands_for:
                ds[name].attrs["stands_for"] = axis.stands_for
        return ds

    def _coordinates(self, n_windows: int) -> dict[str, Any]:
        grid = self.grid
        coords: dict[str, Any] = {
            name: (name, axis.coordinate) for name, axis in grid.axes.items()
        }
        if SEED in grid.order:
            coords[SEED] = (SEED, np.array(grid.seeds))
        firsts, lengths = grid.recipe.windows()
        coords["step"] = ("step", np.add(firsts, lengths)[:n_windows])
        density = grid.axes.get("density")
        if density is not None and density.kind == "number" and "sparsity" not in grid.axes:
            coords["sparsity"] = ("density", 1 - density.coordinate)
        return coords | self._marks()

    def _marks(self) -> dict[str, Any]:
        """Where several sizes, or sets of parameters, leave padding (`jsuper.padding`)."""
        marks = {}
        for dim, largest in self.largest.items():
            sizes = [own.get(dim, largest) for own in self.sizes]
            if min(sizes) < largest:
                mark = np.empty((self.grid.n_cells, largest), bool)
                for group, size in zip(self.grid.groups, sizes, strict=True):
                    mark[group.cells] = np.arange(largest) >= size
                marks[f"{dim}{SUFFIX}"] = self._where_it_varies(mark, dim)
        for name in self.dims:
            absent = [
                name not in dict(named_leaves(group.params)) for group in self.grid.groups
            ]
            if any(absent):
                mark = np.empty(self.grid.n_cells, bool)
                for group, one in zip(self.grid.groups, absent, strict=True):
                    mark[group.cells] = one
                marks[f"{name}{SUFFIX}"] = self._where_it_varies(mark)
        return marks

    def _over_grid(self, array: np.ndarray, own: tuple[str, ...] = ()) -> Any:
        """An array of leading axes (n_cells, n_seeds) with the dimensions of the grid."""
        grid = self.grid
        array = array.reshape(*grid.shape, *array.shape[1:])
        if SEED in grid.order:
            return (*grid.axes, SEED, *own), array
        return (*grid.axes, *own), array.squeeze(len(grid.shape))

    def _where_it_varies(self, rows: np.ndarray, *own: str) -> Any:
        """An array of leading axis n_cells, along those axes that it depends on."""
        rows = rows.reshape(*self.grid.shape, *rows.shape[1:])
        kept = []
        for axis, name in reversed(list(enumerate(self.grid.axes))):
            first = np.broadcast_to(rows.take([0], axis), rows.shape)
            if np.array_equal(rows, first, equal_nan=rows.dtype.kind == "f"):
                rows = rows.take(0, axis)
            else:
                kept.insert(0, name)
        return (*kept, *own), rows

    def _importance(self) -> Any:
        given = [rows for rows in self.grid.importance if rows is not None]
        n_seeds = max(map(len, given))
        shape = self.grid.n_cells, n_seeds, self.largest["feature"]
        rows = np.full(shape, np.nan, jax.dtypes.canonicalize_dtype(float))
        for i, own in enumerate(self.grid.importance):
            if own is not None:
                rows[i, :, : own.shape[1]] = own
        if n_seeds == 1:
            return self._where_it_varies(rows[:, 0], "feature")
        return self._where_it_varies(rows, SEED, "feature")

    def _checked_sizes(self, group: Group) -> dict[str, int]:
        """The size of each dimension of a group's parameters; notes their names."""
        taken = {*RESERVED, SEED, "sparsity", "importance", *self.grid.axes}
        named = getattr(group.first_task, "dims", {})
        if not isinstance(named, Mapping):
            raise ValueError(f"dims must map names of parameters to names, got {named!r}")
        sizes: dict[str, int] = {}
        for name, leaf in named_leaves(group.params):
            if name in taken or "/" in name or name.endswith(SUFFIX):
                raise ValueError(
                    f"parameter {name!r} must have another name than an axis or the "
                    f"result's own ({', '.join(sorted(taken))}), without a slash"
                )
            dims = named.get(name)
            if dims is None:
                dims = [f"{name}_{axis}" for axis in range(len(leaf.shape))]
            dims = tuple(dims)
            if len(dims) != len(leaf.shape):
                raise ValueError(
                    f"dims of parameter {name!r} must name {len(leaf.shape)} axes, got "
                    f"{named[name]}"
                )
            # Some of the result's own names are those of dimensions.
            own = (taken | set(dict(named_leaves(group.params)))) - {"feature", "hidden"}
            bad = [d for d in dims if not isinstance(d, str) or d in {"", *own} or "/" in d]
            if bad or len(set(dims)) < len(dims):
                raise ValueError(
                    f"dims of parameter {name!r} must be distinct names other than an axis "
                    f"or the result's own ({', '.join(sorted(own))}), got {dims}"
                )
            if self.dims.setdefault(name, dims) != dims:
                raise ValueError(
                    f"parameter {name!r} must have the same dims in all models, got "
                    f"{self.dims[name]} and {dims}"
                )
            for dim, size in zip(dims, leaf.shape, strict=True):
                if sizes.setdefault(dim, size) != size:
                    raise ValueError(
                        f"dims of parameter {name!r} must name another axis than {dim!r}, "
                        f"which has size {sizes[dim]}, for one of size {size}"
                    )
        return sizes


def named_leaves(params: Any) -> Iterator[tuple[str, Any]]:
    """Parameters by name: the path through the pytree, joined by dots."""
    for path, leaf in jax.tree.leaves_with_path(params):
        yield jax.tree_util.keystr(path, simple=True, separator=".") or "params", leaf

"""Datasets larger than memory: one block of models after the other, when it is wanted."""

import math
from collections.abc import Callable, Iterator, Sequence

import xarray as xr

from jsuper.sweeps.blocks import blocks


def is_lazy(ds: xr.Dataset) -> bool:
    """Returns whether a dataset has arrays of Dask, as that of a store has."""
    return bool(ds.chunks)


def parts_of(
    ds: xr.Dataset, axes: Sequence[str], most_bytes: float = 2**26
) -> Iterator[xr.Dataset]:
    """Yields a dataset in parts, each in memory: whole chunks of a store that is not.

    Args:
        ds: A dataset in memory, or one that is read without Dask.
        axes: The dimensions that may be cut.
        most_bytes: Of a part, unless a single chunk has more.
    """
    sizes = dict.fromkeys(axes, 1)
    for variable in ds.data_vars.values():
        chunks = variable.encoding.get("chunks") or variable.shape
        for dim, size in zip(variable.dims, chunks, strict=True):
            if dim in sizes:
                sizes[str(dim)] = max(size, sizes[str(dim)])
    shape = [ds.sizes[axis] for axis in axes]
    if 0 in shape:
        yield ds.load()
        return
    n_parts = math.prod(shape) / math.prod(sizes.values())
    for axis in reversed(axes):
        n_bytes = ds.nbytes / n_parts
        more = min(ds.sizes[axis] / sizes[axis], max(1, most_bytes // n_bytes))
        sizes[axis] = min(ds.sizes[axis], int(sizes[axis] * more))
        n_parts /= more
    for box in blocks(shape, list(sizes.values())):
        yield ds.isel(dict(zip(axes, box.slices, strict=True))).load()


def blockwise(
    function: Callable[[xr.Dataset], xr.Dataset], ds: xr.Dataset, *together: str
) -> xr.Dataset:
    """Returns a function of a dataset, computed block by block when its values are needed.

    Args:
        function: What it makes of a model does not depend on other blocks; it may add
            variables and drop dimensions.
        ds: A dataset with arrays of Dask.
        *together: Dimensions that no block may cut.
    """
    import dask.array

    coords = dict(ds.coords)
    ds = ds.chunk(dict.fromkeys(together, -1)).unify_chunks().assign_coords(coords)
    cut = [dim for dim, sizes in ds.chunks.items() if len(sizes) > 1]
    first = function(ds.isel(dict.fromkeys(cut, slice(1))).load())

    def whole(array: xr.DataArray) -> xr.Variable:
        sizes = [ds.sizes.get(dim, array.sizes[dim]) for dim in array.dims]
        chunks = [ds.chunks.get(dim, array.sizes[dim]) for dim in array.dims]
        empty = dask.array.zeros(sizes, dtype=array.dtype, chunks=tuple(chunks))
        return xr.Variable(array.dims, empty, array.attrs)

    same = {
        name: ds.coords[name]
        for name, array in first.coords.items()
        if name in ds.coords and ds.coords[name].dims == array.dims
    }
    others = {n: whole(array) for n, array in first.coords.items() if n not in same}
    variables = {name: whole(array) for name, array in first.data_vars.items()}
    template = xr.Dataset(variables, same | others, first.attrs)
    return xr.map_blocks(function, ds, template=template).assign_coords(same)

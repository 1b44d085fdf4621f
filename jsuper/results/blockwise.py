"""Datasets larger than memory: one block of models after the other, when it is wanted."""

from collections.abc import Callable

import xarray as xr


def is_lazy(ds: xr.Dataset) -> bool:
    """Returns whether a dataset has arrays of Dask, as that of a store has."""
    return bool(ds.chunks)


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

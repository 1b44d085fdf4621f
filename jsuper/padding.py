"""Models of several sizes in one dataset: what is padding there, and how to drop it.

Where an axis of a sweep changes sizes, parameters are padded with NaN to the largest. The
coordinate ``hidden_padding`` (..., hidden) is True where an entry along ``hidden`` is
beyond the model's own size, and likewise for every other dimension that has several sizes;
``...`` are the axes on which the size depends. Where only some models have a parameter
``b``, the coordinate ``b_padding`` (...) is True for the others.
"""

import numpy as np
import xarray as xr

SUFFIX = "_padding"


def is_padding(array: xr.DataArray) -> xr.DataArray:
    """Returns which entries of an array are padding.

    Args:
        array: A variable of a sweep, with its coordinates.

    Returns:
        Booleans over those dimensions of ``array`` that decide; a single False if no
        entry is padding.

    Example:
        >>> W = xr.DataArray(
        ...     [[1.0, np.nan], [0.5, 2.0]],
        ...     dims=("n_hidden", "hidden"),
        ...     coords={"hidden_padding": (("n_hidden", "hidden"), [[0, 1], [0, 0]])},
        ... )
        >>> is_padding(W).values
        array([[False,  True],
               [False, False]])
    """
    found = xr.DataArray(False)
    for name in (*array.dims, array.name):
        found = found | _mark(array, f"{name}{SUFFIX}")
    return found


def own_size(array: xr.DataArray, dim: str) -> xr.DataArray:
    """Counts the entries along a dimension that each model has.

    Args:
        array: A variable of a sweep, with its coordinates.
        dim: Name of the dimension.

    Returns:
        Integers over those axes on which the size depends; one number if all models
        have the same size.

    Example:
        >>> W = xr.DataArray(
        ...     [[1.0, np.nan], [0.5, 2.0]],
        ...     dims=("n_hidden", "hidden"),
        ...     coords={"hidden_padding": (("n_hidden", "hidden"), [[0, 1], [0, 0]])},
        ... )
        >>> own_size(W, "hidden").values
        array([1, 2])
    """
    beyond = _mark(array, f"{dim}{SUFFIX}")
    return array.sizes[dim] - (beyond.sum(dim) if dim in beyond.dims else 0 * beyond)


def trim(ds: xr.Dataset) -> xr.Dataset:
    """Drops what is padding in every model, such as after a selection of one size.

    Args:
        ds: A sweep, or part of one.

    Returns:
        The dataset with dimensions as long as the largest model needs them, without
        parameters that no model has, and without marks that mark nothing.

    Example:
        >>> ds = xr.Dataset(
        ...     {"W": (("n_hidden", "hidden"), [[1.0, np.nan], [0.5, 2.0]])},
        ...     {"hidden_padding": (("n_hidden", "hidden"), [[False, True], [False] * 2])},
        ... )
        >>> dict(trim(ds.isel(n_hidden=0)).sizes)
        {'hidden': 1}
    """
    for name in [str(c) for c in ds.coords if str(c).endswith(SUFFIX)]:
        marked = name.removesuffix(SUFFIX)
        if marked not in ds.dims and marked not in ds.data_vars:
            continue
        mark = ds[name] != 0
        if marked in mark.dims:
            kept = ~mark.all([other for other in mark.dims if other != marked])
            if not kept.all():
                ds = ds.isel({marked: np.flatnonzero(kept.values)})
                mark = mark.isel({marked: np.flatnonzero(kept.values)})
        elif marked in ds.data_vars and mark.all():
            ds = ds.drop_vars([marked, name])
            continue
        if not mark.any():
            ds = ds.drop_vars(name)
    return ds


def _mark(array: xr.DataArray, name: str) -> xr.DataArray:
    """A mark of padding as booleans, False where there is no such mark."""
    mark = array.coords.get(name)
    if mark is None:
        return xr.DataArray(False)
    # Other tools may have made numbers of the booleans, and NaN of what they joined.
    return mark.drop_vars(mark.coords) != 0

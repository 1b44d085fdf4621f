"""Datasets as netCDF bytes and back: what netCDF cannot hold, and files of any kind."""

import datetime
import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import xarray as xr

CLASSIC = b"CDF"
"""How files of netCDF 3 begin; those of netCDF 4 are HDF5."""


NUMBER = bool | int | float | np.bool_ | np.number


class Memory(io.BytesIO):
    """A file in memory that, like a path, can be written at once."""

    def write_bytes(self, data: Any) -> int:
        """Writes ``data``."""
        return self.write(data)


def to_bytes(ds: xr.Dataset | xr.DataTree) -> memoryview:
    """Returns a dataset, or a tree of them, as a netCDF 4 file in memory.

    A full disk then meets bytes, and not the HDF5 library, which crashes there. Values
    that netCDF does not know become the closest that it does: booleans in attributes 0
    or 1, dates and None text, dicts and mixed lists JSON, objects of a coordinate text.

    Raises:
        ValueError: If something in ``ds`` cannot be held.
    """
    if not isinstance(ds, xr.Dataset | xr.DataTree):
        raise ValueError(
            f"ds must be an xarray Dataset or DataTree, got {type(ds).__name__}"
        )
    memory = Memory()
    try:
        if isinstance(ds, xr.DataTree):
            ds.map_over_datasets(_storable).to_netcdf(memory, engine="h5netcdf")
        else:
            _storable(ds).to_netcdf(memory, engine="h5netcdf")
    except (OSError, MemoryError):
        raise
    except Exception as error:  # of xarray, h5netcdf or h5py, each with types of its own
        raise ValueError(f"ds must hold what netCDF can: {_line(error)}") from None
    return memory.getbuffer()


def read(path: Path) -> xr.Dataset | xr.DataTree:
    """Reads a netCDF file, 3 or 4, into memory: a tree, if it has groups.

    Raises:
        ValueError: If it is none, or damaged.
        OSError: If it cannot be opened.
    """
    with path.open("rb") as file:
        classic = file.read(len(CLASSIC)) == CLASSIC
    engine = "scipy" if classic else "h5netcdf"
    try:
        has_groups = False
        if not classic:
            # Where this fails, h5netcdf fails again when its half-made file is deleted.
            with h5py.File(path, "r") as file:
                has_groups = any(isinstance(part, h5py.Group) for part in file.values())
        if has_groups:
            with xr.open_datatree(path, engine=engine) as tree:
                return tree.load().map_over_datasets(lambda ds: ds.drop_encoding())
        with xr.open_dataset(path, engine=engine) as opened:
            return opened.load().drop_encoding()
    except PermissionError:
        raise
    except Exception as error:  # damaged bytes end in any type
        raise ValueError(_line(error)) from None


def _storable(ds: xr.Dataset) -> xr.Dataset:
    """The dataset with what netCDF cannot hold converted."""
    for name, index in ds.indexes.items():
        if isinstance(index, pd.MultiIndex):
            raise ValueError(
                f"{name!r} is a MultiIndex: ds.unstack({name!r}) before saving"
            )
    for name, variable in ds.variables.items():
        values = _plain_values(variable)
        if values is not None:
            ds = ds.assign({name: (variable.dims, values, variable.attrs)})
    ds = ds.copy()
    ds.attrs = _plain_attributes(ds.attrs)
    for variable in ds.variables.values():
        variable.attrs = _plain_attributes(variable.attrs)
        # That of the file it was read from: where a join has put NaN among booleans, they
        # would be written as booleans again, NaN as True.
        variable.encoding = {k: v for k, v in variable.encoding.items() if k != "dtype"}
    return ds


def _plain_values(variable: xr.Variable) -> np.ndarray | None:
    """Values in a dtype that netCDF has, None where they are in one."""
    dtype = variable.dtype
    if not isinstance(dtype, np.dtype):  # pandas: categories, numbers that may be missing
        values = np.asarray(variable.data, object)
    elif dtype.kind == "O":
        values = variable.values
    elif dtype.kind == "V" and dtype.names is None:  # bfloat16 and its like
        return variable.values.astype(np.float32)
    else:
        return None
    flat, missing = values.ravel(), pd.isnull(values.ravel())
    there = flat[~missing]
    if all(isinstance(value, NUMBER) for value in there):
        numbers = np.where(missing, np.nan, flat).astype(float) if missing.any() else flat
        return np.array(numbers.tolist()).reshape(values.shape)
    kinds = (str, bytes, datetime.datetime | np.datetime64)
    zoned = any(getattr(value, "tzinfo", None) is not None for value in there)
    if not zoned and any(all(isinstance(value, kind) for value in there) for kind in kinds):
        return values  # which xarray converts
    return np.array([str(value) for value in flat]).reshape(values.shape)


def _plain_attributes(attrs: dict) -> dict[str, Any]:
    return {str(name): _plain_attribute(value) for name, value in attrs.items()}


def _plain_attribute(value: Any) -> Any:
    """An attribute as a number, a text or a list of numbers or of texts."""
    if hasattr(value, "__array__") and not np.isscalar(value):
        array = np.asarray(value)
        if array.dtype.kind in "iufc":
            return array
        value = array.astype(str) if array.dtype.kind in "mMSU" else array
        value = value.tolist()
    if isinstance(value, list | tuple) and value:
        if all(isinstance(item, str) for item in value):
            return list(value)
        if all(isinstance(item, NUMBER) for item in value):
            return _plain_attribute(np.array([_plain_attribute(item) for item in value]))
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, default=str)
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    if isinstance(value, int | float | complex | np.number | str | bytes):
        return value
    return str(value)


def _line(error: Exception) -> str:
    """What an error says, in one line of readable length."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 200 else f"{text[:200]} …"

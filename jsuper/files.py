"""Sweeps on disk: one netCDF file each, written whole or not at all."""

import os
import tempfile
from pathlib import Path

import xarray as xr


def check_writable(path: str | Path, *, force: bool = False) -> Path:
    """Returns ``path`` if a file can be written there.

    Args:
        path: Where a file is to be written.
        force: Allow a file that exists to be replaced.

    Raises:
        FileExistsError: If a file exists and ``force`` is false.
        OSError: If the folder does not exist or cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"output must be a file, got the folder {path}")
    if path.exists() and not force:
        raise FileExistsError(f"output must not exist yet, got {path}; force replaces it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"output must lie in an existing folder, got {path}")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"output must lie in a writable folder, got {path}")
    return path


def save(ds: xr.Dataset, path: str | Path, *, force: bool = False) -> Path:
    """Writes a dataset as netCDF, so that an interruption leaves no half file.

    Args:
        ds: The result of a sweep.
        path: Where to write it.
        force: Replace a file that exists.

    Returns:
        The path.

    Raises:
        OSError: As `check_writable`.
    """
    path = check_writable(path, force=force)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".jsuper-") as folder:
        whole = Path(folder) / path.name
        ds.to_netcdf(whole, engine="h5netcdf")
        whole.replace(path)
    return path


def load(path: str | Path) -> xr.Dataset:
    """Reads a sweep into memory.

    Args:
        path: A file that `save` or ``ds.to_netcdf`` wrote.

    Returns:
        The dataset.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not the file of a sweep.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"file must exist, got {path}")
    try:
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            ds = opened.load()
    except (OSError, ValueError):
        raise ValueError(f"file must be the netCDF file of a sweep, got {path}") from None
    if "made_by" not in ds.attrs or "history" not in ds:
        raise ValueError(
            f"file must be the netCDF file of a sweep, got {path} without its history"
        )
    return ds

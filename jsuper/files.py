"""Sweeps on disk: one netCDF file each, written whole or not at all."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
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
    if path.exists() and not path.is_file():
        raise FileExistsError(f"output must be an ordinary file, got {path}")
    if path.exists() and not force:
        raise FileExistsError(
            f"output must not exist yet, got {path}; force=True or --force replaces it"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"output must lie in an existing folder, got {path}")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"output must lie in a writable folder, got {path}")
    return path


@contextlib.contextmanager
def whole_file(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Yields a path to write to, and puts what was written in place at the end.

    An interruption leaves what was there before, and no half file.

    Args:
        path: Where the file is to be.
        force: Replace a file that exists.

    Raises:
        OSError: As `check_writable`.
    """
    path = check_writable(path, force=force)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".jsuper-") as folder:
        written = Path(folder) / path.name
        yield written
        written.replace(path)


def save(ds: xr.Dataset, path: str | Path, *, force: bool = False) -> Path:
    """Writes a dataset as netCDF, whole or not at all.

    Args:
        ds: The result of a sweep.
        path: Where to write it.
        force: Replace a file that exists.

    Returns:
        The path.

    Raises:
        OSError: As `check_writable`.
    """
    with whole_file(path, force=force) as written:
        ds.to_netcdf(written, engine="h5netcdf")
    return Path(path)


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
    except PermissionError:
        raise
    except (OSError, ValueError):
        raise ValueError(f"file must be the netCDF file of a sweep, got {path}") from None
    parts = {"made_by": ds.attrs, "history": ds, "finite": ds, "loss": ds}
    missing = [name for name, place in parts.items() if name not in place]
    if not missing:
        made_by = _parsed(ds.attrs["made_by"])
        expected = ("recipe", "first_task", "key", "jsuper", "jax", "devices")
        missing = [f"made_by: {name}" for name in expected if name not in made_by]
    if missing:
        raise ValueError(
            f"file must be the netCDF file of a sweep, got {path} without {missing[0]}"
        )
    return ds


def _parsed(text: object) -> dict:
    """The JSON object in ``text``, or nothing if it holds none."""
    try:
        parsed = json.loads(str(text))
    except json.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}

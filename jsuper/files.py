"""Sweeps on disk: one netCDF file each, written whole or not at all, or a store."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xarray as xr

from jsuper import netcdf, stores

OWN = {
    *("loss", "history", "finite", "seed", "feature"),
    *("represented", "dedicated", "superposed", "features_per_dimension"),
}
"""Variables and dimensions by which a file without ``made_by`` is known as a sweep's."""


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

    An interruption leaves what was there before, and no half file. Without ``force`` a
    file that has appeared meanwhile stays as it is.

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
        if force:
            written.replace(path)
        else:
            _put_new(written, path)


def save(
    ds: xr.Dataset | xr.DataTree,
    path: str | Path,
    *,
    force: bool = False,
    beside: bool = False,
) -> Path:
    """Writes a dataset, or a tree of them, as one netCDF file, whole or not at all.

    Args:
        ds: The result of a sweep, or several in an `xarray.DataTree`. Attributes and
            objects that netCDF does not know become numbers or text.
        path: Where to write it.
        force: Replace a file that exists.
        beside: Where there is a file that must stay, write beside it as ``name-2.nc``, so
            that nothing trained is lost.

    Returns:
        The path written to.

    Raises:
        OSError: As `check_writable`, or if there is no room.
        ValueError: If ``ds`` holds what netCDF cannot.
    """
    path = Path(path)
    if not beside:
        check_writable(path, force=force)
    data = netcdf.to_bytes(ds)
    target, n = path, 1
    while True:
        try:
            with whole_file(target, force=force and n == 1) as written:
                _write(written, data, target)
            return target
        except (FileExistsError, IsADirectoryError):
            if not beside:
                raise
        n += 1
        target = path.with_stem(f"{path.stem}-{n}")


def load(path: str | Path) -> Any:
    """Reads what `save` wrote into memory.

    Args:
        path: A file that `save` or ``to_netcdf`` wrote, in netCDF 3 or 4: a sweep, a part
            of one, what is left of it after a reduction, what a callback received, or the
            tree of an experiment. Or the store of a sweep, which stays on disk.

    Returns:
        The dataset, or the `xarray.DataTree` if there are several. That of a store has
        Dask arrays, NaN where models are not trained, and ``done`` says where they are.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not the file of a sweep or an experiment, or damaged.
    """
    if stores.is_store(path):
        return load_store(path)
    path = Path(path)
    if path.is_dir():
        raise ValueError(
            f"file must be a file or a store of a sweep, got the folder {path}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"file must exist, got {path}")
    try:
        read = netcdf.read(path)
    except ValueError as error:
        raise ValueError(
            f"file must be the netCDF file of a sweep, got {path} ({error})"
        ) from None
    parts = datasets(read).values() if isinstance(read, xr.DataTree) else [read]
    missing = next(filter(None, map(_missing, parts)), "")
    if missing:
        raise ValueError(
            f"file must be the netCDF file of a sweep, got {path} without {missing}"
        )
    return read


def load_store(address: str | Path, *, with_dask: bool = True) -> xr.Dataset:
    """Opens the store of a sweep; see `load`.

    Args:
        address: Of the store.
        with_dask: As in `jsuper.stores.opened`.
    """
    ds = stores.opened(address, with_dask).drop_vars(stores.HIDDEN, errors="ignore")
    if missing := _missing(ds):
        raise ValueError(f"store must be that of a sweep, got {address} without {missing}")
    return ds


def load_sweep(path: str | Path, part: str | None = None) -> xr.Dataset:
    """Reads one dataset.

    Args:
        path: As in `load`.
        part: Name of a dataset in the tree of an experiment.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: As `load`; or if a tree has no such part, or a sweep is given one.
    """
    read = load(path)
    if isinstance(read, xr.Dataset) and part is None:
        return read
    return part_of(read, part, str(path))


def part_of(read: xr.Dataset | xr.DataTree, part: str | None, name: str) -> xr.Dataset:
    """Returns a dataset of a tree by its name.

    Args:
        read: The tree of an experiment; a dataset has no parts.
        part: Name of a dataset in it.
        name: What the tree is called in errors.

    Raises:
        ValueError: If there is no such part.
    """
    parts = datasets(read) if isinstance(read, xr.DataTree) else {}
    if part is None or part not in parts:
        names = ", ".join(parts) or "no part"
        raise ValueError(f"part must be one of those of {name} ({names}), got {part}")
    return parts[part]


def datasets(tree: xr.DataTree) -> dict[str, xr.Dataset]:
    """Returns the datasets of a tree that hold anything, by their path."""
    return {
        node.path.strip("/"): node.to_dataset() for node in tree.subtree if node.has_data
    }


def _missing(ds: xr.Dataset) -> str:
    """What a dataset would have if a sweep were its origin."""
    if "made_by" in ds.attrs:
        told = made_by(ds)
        expected = ("recipe", "first_task", "key", "jsuper", "jax", "devices")
        lacking = [name for name in expected if name not in told]
        return f"made_by: {lacking[0]}" if lacking and "parts" not in told else ""
    if not OWN & {str(name) for name in (*ds.variables, *ds.dims)}:
        return "made_by and any variable of a sweep"
    return ""


def made_by(ds: xr.Dataset) -> dict[str, Any]:
    """Returns how a dataset was made, as far as it says so."""
    try:
        told = json.loads(str(ds.attrs.get("made_by")))
    except json.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _write(written: Path, data: memoryview, target: Path) -> None:
    try:
        written.write_bytes(data)
    except OSError as error:
        raise OSError(
            f"output must have room for {len(data):,} bytes, got {target} "
            f"({error.strerror})"
        ) from None


def _put_new(written: Path, path: Path) -> None:
    """Gives a file its name, unless a file has it: one step, so that none can lose."""
    try:
        try:
            os.link(written, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links: claim the name, then replace
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            try:
                written.replace(path)
            except BaseException:
                path.unlink()
                raise
    except FileExistsError:
        raise FileExistsError(
            f"output must not exist yet, got {path}, which has appeared meanwhile"
        ) from None

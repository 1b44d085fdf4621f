"""Datasets as Zarr stores that are filled block by block, with checksums.

A store is made with all its labels and no models. Each block of models is one chunk of
every array that has them, so that a chunk has one writer, and a file system puts a chunk
in place whole or not at all. The array ``done`` is written last.
"""

import contextlib
import importlib.util
import json
import shutil
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

DAMAGE = OSError, ValueError, KeyError, RuntimeError
"""What damaged files make of their readers: wrong JSON, codecs, sizes and checksums."""

FORMAT = 1
"""Number of this layout; a store of another number is refused."""

ABOUT = "jsuper_store"
"""Attribute of a store that says how it is laid out; it is written last."""

DONE = "done"
"""Array that says which models are trained; a copy of the store's attributes is in it."""

HIDDEN = "task_digest"
"""Variable with a digest of the numbers of each cell's task, which tells another build."""

PRIVATE = ".jsuper"
"""Folder within a store on a disk for what is there only while it is being filled."""


def check_installed() -> None:
    """Raises `ImportError` unless what a store needs is installed."""
    names = ("zarr", "dask", "filelock", "orbax")
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"a store needs {', '.join(missing)}: pip install 'jsuper[store]'"
        )


def is_remote(address: str | Path) -> bool:
    """Returns whether an address is one of fsspec's, such as ``s3://bucket/grid.zarr``."""
    return "://" in str(address)


def is_store(address: str | Path) -> bool:
    """Returns whether something is the address of a store, by its name or its content."""
    named = str(address).rstrip("/").endswith(".zarr")
    return named or is_remote(address) or Path(address, "zarr.json").is_file()


def private(address: str | Path) -> Path | None:
    """Returns the folder for what is there while a store is filled; None if far away."""
    return None if is_remote(address) else Path(address).absolute() / PRIVATE


def about(address: str | Path) -> dict[str, Any] | None:
    """Returns the layout of a store: format, blocks and values by axis.

    None if there is no store, or one whose making was cut short.

    Raises:
        ValueError: If a store is of another format, or a folder holds something else.
    """
    told = attributes(address).get(ABOUT)
    if told is not None:
        told = json.loads(str(told))
        if told["format"] != FORMAT:
            raise ValueError(
                f"store must have format {FORMAT}, got format {told['format']} in {address}"
            )
        return told
    if not is_remote(address):
        path = Path(address)
        if path.exists() and not path.is_dir():
            raise ValueError(f"store must be a folder, got the file {address}")
        if path.is_dir() and any(path.iterdir()) and not (path / PRIVATE).is_dir():
            raise ValueError(
                f"store must be a folder that a sweep has made, or none, got {address}"
            )
    return None


def attributes(address: str | Path) -> dict[str, Any]:
    """Returns the attributes of a store, or their copy if the first are damaged."""
    import zarr

    store = _zarr_store(address, read_only=True)
    for opened in (
        lambda: zarr.open_group(store, mode="r"),
        lambda: zarr.open_array(store, path=DONE, mode="r"),
    ):
        with contextlib.suppress(*DAMAGE):
            attrs = dict(opened().attrs)
            if ABOUT in attrs:
                return attrs
    return {}


def make(
    address: str | Path,
    template: xr.Dataset,
    models: Collection[str],
    blocks: Mapping[str, int],
    attrs: Mapping[str, str],
) -> list[str]:
    """Makes a store, enlarges or mends it: afterwards it has the labels of a dataset.

    It can be cut short at any moment and called again.

    Args:
        address: A folder, or an fsspec address.
        template: The dataset that is to be; along each axis it begins with what the
            store has.
        models: Names of the variables that keep what they hold, and get the rest later;
            all others are written.
        blocks: Number of values in a block by axis.
        attrs: Further attributes.

    Returns:
        What the store lacked or had otherwise.
    """
    import zarr

    store = _zarr_store(address)
    try:
        group: Any = zarr.open_group(store, mode="a")
    except ValueError:  # damaged, and there is a copy
        Path(address, "zarr.json").unlink()
        group = zarr.open_group(store, mode="a")
    axes = {axis: template[axis].values.tolist() for axis in blocks if axis in template}
    told = {"format": FORMAT, "blocks": dict(blocks), "axes": axes, "models": [*models]}
    told["coords"] = list(template.coords)
    attrs = {**attrs, ABOUT: json.dumps(told)}
    changed = []
    for name in models:
        variable = template[name]
        have = _of(group, name)
        if have is None:
            _remove(address, group, f"{name}/zarr.json")
            _add_array(group, name, variable, blocks)
        elif have.shape != variable.shape:
            have.resize(variable.shape)
        if have is None or have.shape != variable.shape:
            changed.append(name)
    labels = _with_texts(template.drop_vars(models).drop_attrs(deep=False))
    for name, variable in labels.variables.items():
        if not _holds(group, name, variable):
            _remove(address, group, str(name))
            changed.append(str(name))
    again = [name for name in changed if name not in models]
    if again:
        with _quiet():
            labels[again].to_zarr(store, mode="a", zarr_format=3, consolidated=False)
    for part in (group[DONE], group):
        part.attrs.update(attrs)
    return changed


def opened(address: str | Path, with_dask: bool = True) -> xr.Dataset:
    """Returns a store as a dataset of Dask arrays, a chunk for each block.

    What xarray has written, such as the measures of a store, is opened as it is.

    Args:
        address: Of the store.
        with_dask: Whether arrays are Dask's. Others are read where they are asked for.

    Raises:
        FileNotFoundError: If there is no store.
        ValueError: If it is not whole.
    """
    check_installed()
    how: dict[str, Any] = {"chunks": {} if with_dask else None, "consolidated": False}
    if not attributes(address) and _is_group(address):
        return xr.open_zarr(_zarr_store(address, True), **how)
    told = about(address)
    if told is None:
        if not is_remote(address) and not Path(address).exists():
            raise FileNotFoundError(f"file must exist, got {address}")
        raise ValueError(
            f"store must be one that a sweep has made, got {address}, whose making was cut "
            "short: the same call goes on"
        )
    with _quiet():
        try:
            ds = xr.open_zarr(_zarr_store(address, True), **how)
            labels = ds.drop_vars(told["models"]).set_coords(told["coords"]).load()
        except DAMAGE as error:
            raise ValueError(
                f"store must be whole, got {address} ({' '.join(str(error).split())}): the "
                "same call of the sweep mends it"
            ) from None
    ds = ds[told["models"]].assign_coords(labels.coords).assign(labels.data_vars)
    del ds.attrs[ABOUT]
    ds[DONE].attrs = {}
    return ds


def _is_group(address: str | Path) -> bool:
    """Whether something is a whole Zarr group that no sweep fills."""
    import zarr

    if not is_remote(address) and (Path(address) / PRIVATE).exists():
        return False
    with contextlib.suppress(*DAMAGE):
        return bool(
            list(zarr.open_group(_zarr_store(address, True), mode="r").array_keys())
        )
    return False


def array(address: str | Path, name: str) -> Any:
    """Returns one array of a store, to be read and written."""
    import zarr

    found: Any = zarr.open_array(_zarr_store(address), path=name, mode="r+")
    # So that a chunk that is missing is told from one without a number in it.
    return found.with_config({"write_empty_chunks": True})


def tidy(address: str | Path) -> None:
    """Removes what is in a store only while it is being filled."""
    folder = private(address)
    if folder is None:
        return
    shutil.rmtree(folder, ignore_errors=True)
    for leftover in Path(address).rglob("*.partial"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Zarr wonders at the private folder."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=f".*{PRIVATE} is not recognized")
        yield


def _add_array(group: Any, name: str, variable: Any, blocks: Mapping[str, int]) -> None:
    from zarr.codecs import Crc32cCodec, ZstdCodec

    sizes = dict(zip(variable.dims, variable.shape, strict=True))
    group.create_array(
        name,
        shape=variable.shape,
        dtype=variable.dtype,
        chunks=tuple(blocks.get(dim, max(1, size)) for dim, size in sizes.items()),
        compressors=[ZstdCodec(level=1), Crc32cCodec()],
        fill_value=np.nan if variable.dtype.kind == "f" else variable.dtype.type(0),
        dimension_names=variable.dims,
        attributes=variable.attrs,
    )


def _of(group: Any, name: Any) -> Any:
    """An array of a group; None if it is not there, or its metadata are damaged."""
    with contextlib.suppress(*DAMAGE):
        return group[str(name)]


def _holds(group: Any, name: Any, variable: xr.Variable) -> bool:
    have = _of(group, name)
    if have is None or have.shape != variable.shape:
        return False
    with contextlib.suppress(*DAMAGE):
        is_number = variable.dtype.kind == "f"
        return np.array_equal(have[...], variable.values, equal_nan=is_number)
    return False


def _with_texts(labels: xr.Dataset) -> xr.Dataset:
    """Zarr has no settled form for strings of a fixed length."""
    texts = {
        name: variable.astype(object)
        for name, variable in labels.variables.items()
        if variable.dtype.kind == "U"
    }
    coords = {name: text for name, text in texts.items() if name in labels.coords}
    return labels.assign_coords(coords).assign(
        {name: text for name, text in texts.items() if name not in coords}
    )


def _remove(address: str | Path, group: Any, path: str) -> None:
    if is_remote(address):
        with contextlib.suppress(KeyError):
            del group[path.removesuffix("/zarr.json")]
        return
    full = Path(address, path)
    if full.is_dir():
        shutil.rmtree(full)
    full.unlink(missing_ok=True)


def _zarr_store(address: str | Path, read_only: bool = False) -> Any:
    from zarr.storage import FsspecStore, LocalStore

    if is_remote(address):
        return FsspecStore.from_url(str(address), read_only=read_only)
    return LocalStore(address, read_only=read_only)

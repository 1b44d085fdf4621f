"""Parameters to start from: of a dataset, by name and by value, or of one model."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper import files
from jsuper.padding import is_padding
from jsuper.sweeps.axes import SEED, coordinates, short
from jsuper.sweeps.grid import Grid, Group
from jsuper.sweeps.labels import Labels, named_leaves


def starting_params(start: Any, labels: Labels) -> tuple[Sequence[Any], Any]:
    """Returns what each group of a grid starts from, and where that comes from.

    Args:
        start: As in `jsuper.sweep`.
        labels: The names of the grid's parameters.

    Returns:
        Parameters with leading axes (n_cells, n_seeds), or None, for each group; and the
        provenance, or None.

    Raises:
        ValueError: If ``start`` does not hold what the grid needs.
    """
    groups = labels.grid.groups
    if start is None:
        return [None] * len(groups), None
    if isinstance(start, str | Path):
        ds, origin = files.load(start), {"file": Path(start).name}
    elif isinstance(start, xr.Dataset):
        ds, origin = start, {}
    else:
        return [_of_one_model(start, labels.grid, g) for g in groups], {"params": start}
    rest = {SEED: np.array(labels.grid.seeds)} if SEED in labels.grid.order else {}
    params = [params_of(ds, labels, group, rest) for group in groups]
    return params, origin | {"made_by": _origin(ds)}


def params_of(
    ds: xr.Dataset, labels: Labels, group: Group, rest: Mapping[str, np.ndarray]
) -> Any:
    """Returns the parameters of a group's models from a dataset.

    Axes are matched by name and value; those that the dataset lacks are broadcast.

    Args:
        ds: A dataset of models.
        labels: The names of the grid's parameters.
        group: Which of its cells.
        rest: Names and values of further axes, of which every cell has all models.

    Returns:
        Parameters, leading axes (n_cells, product of the sizes of ``rest``, or the number
        of seeds).

    Raises:
        ValueError: If a parameter or a model is missing, or has another size.
    """
    found = [
        _parameter(ds, labels, group, rest, name, leaf)
        for name, leaf in named_leaves(group.params)
    ]
    return jax.tree.unflatten(jax.tree.structure(group.params), found)


def _parameter(ds, labels: Labels, group: Group, rest, name: str, like: Any) -> np.ndarray:
    grid, own = labels.grid, labels.dims[name]
    if name not in ds or not set(own) <= set(ds[name].dims):
        wanted = ", ".join(("...", *own))
        raise ValueError(
            f"start must have a variable {name!r} of dimensions ({wanted}), got "
            f"{sorted(map(str, ds.data_vars))}"
        )
    array, absent = xr.broadcast(ds[name], is_padding(ds[name]))
    along = [str(dim) for dim in array.dims if dim not in own]
    places = np.unravel_index(group.cells, grid.shape) if grid.shape else ()
    index: list[np.ndarray] = []
    for dim in along:
        if dim in grid.axes:
            positions = _positions(array, dim, grid.axes[dim].coordinate)
            positions = positions[places[list(grid.axes).index(dim)]]
            index.append(positions.reshape(-1, *(1 for _ in rest)))
        elif dim in rest:
            shape = [-1 if other == dim else 1 for other in rest]
            index.append(_positions(array, dim, rest[dim]).reshape(1, *shape))
        else:
            hint = "isel(step=-1)" if dim == "step" else f"isel({dim}=0)"
            raise ValueError(
                f"start must have no axis that the sweep lacks, got {dim!r}: select one "
                f"value, as in start.{hint}"
            )
    values, absent = (
        a.transpose(*along, *own).values[tuple(index)] for a in (array, absent)
    )
    inside = (..., *(slice(size) for size in like.shape))
    outside = np.ones(values.shape, bool)
    outside[inside] = False
    have = values.shape[values.ndim - len(own) :]
    is_smaller = any(h < size for h, size in zip(have, like.shape, strict=True))
    if is_smaller or absent[inside].any() or not absent[outside].all():
        place = np.unravel_index(group.cells[0], grid.shape) if grid.shape else ()
        cell = {n: a.values[i] for (n, a), i in zip(grid.axes.items(), place, strict=True)}
        raise ValueError(
            f"start must have {name!r} of shape {like.shape}"
            f"{' at ' + coordinates(cell) if cell else ''}, got a model of another size"
        )
    of_cell = [len(values) for values in rest.values()]
    grid_shape = (len(group.cells), *of_cell)
    values = np.broadcast_to(values[inside], grid_shape + like.shape)
    n_models = math.prod(of_cell) if rest else len(grid.seeds)
    values = values.reshape(len(group.cells), -1, *like.shape)
    shape = len(group.cells), n_models, *like.shape
    return np.broadcast_to(values, shape).astype(like.dtype)


def _positions(array: xr.DataArray, dim: str, wanted: np.ndarray) -> np.ndarray:
    """Where each value of an axis of the grid stands along the same axis of a dataset."""
    if dim not in array.coords:
        if array.sizes[dim] == len(wanted):
            return np.arange(len(wanted))
        raise ValueError(
            f"start must have coordinates along {dim!r}, or as many values as the sweep, "
            f"{len(wanted)}, got {array.sizes[dim]}"
        )

    def comparable(values):
        return values.astype(np.float32) + 0 if values.dtype.kind in "iuf" else values

    have = {value: i for i, value in enumerate(comparable(array[dim].values).tolist())}
    positions = [have.get(value) for value in comparable(wanted).tolist()]
    if None in positions:
        lacks = coordinates({dim: wanted[positions.index(None)].item()})
        raise ValueError(
            f"start must have a model at {lacks}, got {_some(array[dim].values.tolist())}; "
            f"start.isel({dim}=0) starts all from one value"
        )
    return np.array(positions)


def _some(values: list[Any]) -> str:
    text = ", ".join(map(short, values[:8]))
    return text + (", …" if len(values) > 8 else "")


def _of_one_model(start: Any, grid: Grid, group: Group) -> Any:
    like = group.params
    if jax.tree.structure(start) != jax.tree.structure(like) or any(
        np.shape(leaf) != other.shape
        for leaf, other in zip(jax.tree.leaves(start), jax.tree.leaves(like), strict=True)
    ):
        shapes = jax.tree.map(lambda leaf: leaf.shape, like)
        raise ValueError(
            "start must be a dataset, its file, or the parameters of one model, "
            f"{shapes}, got {jax.tree.map(np.shape, start)!r}"
        )
    shape = len(group.cells), len(grid.seeds)
    return jax.tree.map(
        lambda leaf, other: np.broadcast_to(
            np.asarray(leaf, other.dtype), shape + other.shape
        ),
        start,
        like,
    )


def _origin(ds: xr.Dataset) -> Any:
    """How a dataset was made; of what it started from in turn, a digest."""
    text = str(ds.attrs.get("made_by"))
    try:
        told = json.loads(text)
    except json.JSONDecodeError:
        return None
    if isinstance(told, dict) and "start" in told:
        chain = json.dumps(told["start"]).encode()
        told["start"] = {"sha256": hashlib.sha256(chain).hexdigest()}
    return told

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
from jsuper.sweeps.axes import SEED, coordinates, label
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
        ds, origin = files.load_sweep(start), {"file": Path(start).name}
    elif isinstance(start, xr.Dataset):
        ds, origin = start, {}
    else:
        return [_of_one_model(start, labels.grid, g) for g in groups], {"params": start}
    rest = {SEED: np.array(labels.grid.seeds)} if SEED in labels.grid.order else {}
    params = [params_of(ds, labels, group, rest) for group in groups]
    return params, origin | {"made_by": _origin(ds)}


def params_of(
    ds: xr.Dataset,
    labels: Labels,
    group: Group,
    rest: Mapping[str, np.ndarray],
    argument: str = "start",
) -> Any:
    """Returns the parameters of a group's models from a dataset.

    Axes are matched by name and value; those that the dataset lacks are broadcast.

    Args:
        ds: A dataset of models.
        labels: The names of the grid's parameters.
        group: Which of its cells.
        rest: Names and values of further axes, of which every cell has all models.
        argument: What errors call the dataset.

    Returns:
        Parameters, leading axes (n_cells, product of the sizes of ``rest``, or the number
        of seeds).

    Raises:
        ValueError: If a parameter or a model is missing, or has another size.
    """
    found = []
    for name, like in named_leaves(group.params):
        own = labels.dims[name]
        if name not in ds or not set(own) <= set(ds[name].dims):
            raise ValueError(
                f"{argument} must have a variable {name!r} of dimensions "
                f"({', '.join(('...', *own))}), got {sorted(map(str, ds.data_vars))}"
            )
        array, absent = xr.broadcast(ds[name], is_padding(ds[name]))
        along = [str(dim) for dim in array.dims if dim not in own]
        index = _index(array, along, labels.grid, group, rest, argument)
        values, absent = (a.transpose(*along, *own).values[index] for a in (array, absent))
        inside = (..., *(slice(size) for size in like.shape))
        if not _is_all_of(absent, inside, like.shape):
            cell = _first_cell(labels.grid, group)
            kind = "without it" if absent.all() else "of another size"
            raise ValueError(
                f"{argument} must have {name!r} of shape {like.shape}"
                f"{' at ' + coordinates(cell) if cell else ''}, got a model {kind}"
            )
        found.append(_all_models(values[inside], like, labels.grid, group, rest))
    return jax.tree.unflatten(jax.tree.structure(group.params), found)


def _index(array, along, grid: Grid, group: Group, rest, argument) -> tuple[Any, ...]:
    """Where the models of a group stand in an array, axis by axis.

    The positions broadcast to (n_cells, *sizes of rest).
    """
    where = np.unravel_index(group.cells, grid.shape) if grid.shape else ()
    places = dict(zip(grid.axes, where, strict=True))
    index = []
    for dim in along:
        if dim in grid.axes:
            positions = _positions(array, dim, grid.axes[dim].coordinate, argument)
            index.append(positions[places[dim]].reshape(-1, *(1 for _ in rest)))
        elif dim in rest:
            shape = [-1 if other == dim else 1 for other in rest]
            positions = _positions(array, dim, rest[dim], argument)
            index.append(positions.reshape(1, *shape))
        else:
            hint = "isel(step=-1)" if dim == "step" else f"isel({dim}=0)"
            raise ValueError(
                f"{argument} must have no axis that the sweep lacks, got {dim!r}: select "
                f"one value, as in {argument}.{hint}"
            )
    return tuple(index)


def _is_all_of(absent: np.ndarray, inside: tuple[Any, ...], shape) -> bool:
    """Whether models have all entries of a shape, and what lies beyond is padding."""
    outside = np.ones(absent.shape, bool)
    outside[inside] = False
    have = absent.shape[absent.ndim - len(shape) :]
    fits = all(size <= own for size, own in zip(shape, have, strict=True))
    return fits and not absent[inside].any() and bool(absent[outside].all())


def _all_models(values, like, grid: Grid, group: Group, rest) -> np.ndarray:
    """Values of some models as those of all: (n_cells, n_models of each, ...)."""
    n_cells, sizes = len(group.cells), [len(values) for values in rest.values()]
    values = np.broadcast_to(values, (n_cells, *sizes, *like.shape))
    values = values.reshape(n_cells, -1, *like.shape)
    n_models = math.prod(sizes) if rest else len(grid.seeds)
    return np.broadcast_to(values, (n_cells, n_models, *like.shape)).astype(like.dtype)


def _first_cell(grid: Grid, group: Group) -> dict[str, Any]:
    place = np.unravel_index(group.cells[0], grid.shape) if grid.shape else ()
    axes = grid.axes.items()
    return {name: axis.values[i] for (name, axis), i in zip(axes, place, strict=True)}


def _positions(
    array: xr.DataArray, dim: str, wanted: np.ndarray, argument: str
) -> np.ndarray:
    """Where each value of an axis of the grid stands along the same axis of a dataset."""
    if dim not in array.coords:
        if array.sizes[dim] == len(wanted):
            return np.arange(len(wanted))
        raise ValueError(
            f"{argument} must have coordinates along {dim!r}, or {len(wanted)} values as "
            f"the sweep has, got {array.sizes[dim]}"
        )

    have_integers = array[dim].dtype.kind in "iu" and wanted.dtype.kind in "iu"

    def comparable(values):
        if values.dtype.kind not in "iuf" or have_integers:
            return values
        return values.astype(np.float32) + 0

    have = {value: i for i, value in enumerate(comparable(array[dim].values).tolist())}
    positions = [have.get(value) for value in comparable(wanted).tolist()]
    if None in positions:
        lacks = coordinates({dim: wanted[positions.index(None)].item()})
        has = _some(array[dim].values.tolist())
        raise ValueError(
            f"{argument} must have a model at {lacks}, got {has}; "
            f"{argument}.isel({dim}=0) starts all from one value"
        )
    return np.array(positions)


def _some(values: list[Any]) -> str:
    text = ", ".join(map(label, values[:8]))
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


def _origin(ds: xr.Dataset) -> dict[str, Any]:
    """How a dataset was made; of what it started from in turn, a digest."""
    told = files.made_by(ds)
    if "start" in told:
        chain = json.dumps(told["start"]).encode()
        told["start"] = {"sha256": hashlib.sha256(chain).hexdigest()}
    return told

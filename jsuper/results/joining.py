"""Several sweeps as one, along a new axis or an old one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from jsuper.padding import SUFFIX


def concat(parts: Iterable[xr.Dataset] | Mapping[Any, xr.Dataset], dim: Any) -> xr.Dataset:
    """Joins sweeps along an axis, and keeps what each says of itself.

    Unlike with `xarray.concat`, booleans stay booleans, models of other sizes are padded
    and marked as padding, and ``made_by`` holds the provenance of every part.

    Args:
        parts: Sweeps with the same axes and values besides ``dim``; or a mapping from
            values of a new axis to sweeps.
        dim: Name of an axis of all parts, of a scalar coordinate of all (as ``sel``
            leaves it), or of the new axis of a mapping; or a named pandas Index or
            DataArray with a value for each part.

    Returns:
        The joined dataset; a new axis comes first. ``history`` is NaN at steps for which
        a part has no entry.

    Raises:
        ValueError: If there are no parts, or their axes do not fit.

    Example:
        >>> import jax, jsuper as js
        >>> def task(density):
        ...     return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2))
        >>> def run(steps):
        ...     axes = {"density": [1.0, 0.1]}
        ...     return js.sweep(task, axes, js.Recipe(steps), key=jax.random.key(0))
        >>> ds = js.concat({steps: run(steps) for steps in (50, 100)}, "steps")
        >>> dict(ds["loss"].sizes)
        {'steps': 2, 'density': 2}
    """
    name, values, listed = _read(parts, dim)
    axes = _common_axes(listed, name)
    given = listed
    if values is not None:
        listed = [
            _along_new_axis(part, name, value, listed)
            for part, value in zip(listed, values, strict=True)
        ]
    listed = [part.reset_coords(_marks(part)) for part in listed]
    listed = _at_all_steps(listed)
    listed = _of_one_size(listed, (*axes, name))
    listed = _with_all_variables(listed, (*axes, name))
    along = [v for v in listed[0].data_vars if _varies(listed, v, name)]
    ds = xr.concat(
        listed,
        name,
        data_vars=along,
        coords="different",
        compat="equals",
        join="exact",
        combine_attrs="drop_conflicts",
    )
    repeated = ds.indexes[name][ds.indexes[name].duplicated()]
    if len(repeated):
        raise ValueError(
            f"parts must have distinct values along {name!r}, got {repeated[0]} twice"
        )
    for variable in ds.variables:
        found = (p[variable].attrs for p in given if variable in p.variables)
        ds[variable].attrs = next(filter(None, found), {})
    ds = ds.set_coords(_marks(ds)).assign_attrs(made_by=_made_by(given, name))
    return ds.transpose(*(axes if name in axes else (name, *axes)), ...)


def _read(parts: Any, dim: Any) -> tuple[str, list[Any] | None, list[xr.Dataset]]:
    """The name of the axis, its values if it is new, and the parts."""
    values = None
    if isinstance(parts, Mapping):
        values, parts = list(parts), parts.values()
    listed = list(parts)
    if not listed or not all(isinstance(part, xr.Dataset) for part in listed):
        kinds = [type(part).__name__ for part in listed]
        raise ValueError(f"parts must be datasets, at least one, got {kinds}")
    if not isinstance(dim, str):
        name, values = getattr(dim, "name", None), np.asarray(dim).tolist()
        if not isinstance(name, str) or not isinstance(values, list):
            raise ValueError(f"dim must be a name or values with a name, got {dim!r}")
        dim = name
    if values is not None:
        if len(values) != len(listed):
            raise ValueError(f"dim must have {len(listed)} values, got {values}")
        if any(dim in part.dims for part in listed):
            raise ValueError(f"dim must be new to the parts, which have an axis {dim!r}")
        return dim, values, listed
    if all(dim in part.dims for part in listed):
        return dim, None, listed
    if all(dim in part.coords and part[dim].ndim == 0 for part in listed):
        return dim, [part[dim].item() for part in listed], listed
    raise ValueError(
        f"dim must be an axis or a scalar coordinate of all parts, got {dim!r}; for a new "
        "axis give the parts as a mapping from its values"
    )


def _common_axes(parts: Sequence[xr.Dataset], name: str) -> tuple[str, ...]:
    """The axes that all parts have, with the same values along all but ``name``."""
    first, *others = [_axes_of(part) for part in parts]
    for other, part in zip(others, parts[1:], strict=True):
        if set(other) - {name} != set(first) - {name}:
            raise ValueError(f"parts must have the same axes, got {first} and {other}")
        for axis in set(first) - {name}:
            one, two = parts[0].get(axis), part.get(axis)
            if one is None or two is None:
                fits = parts[0].sizes[axis] == part.sizes[axis]
            else:
                fits = np.array_equal(one.values, two.values)
            if not fits:
                raise ValueError(
                    f"parts must have the same values along {axis!r}: select those that "
                    "they have in common first"
                )
    return first


def _axes_of(part: xr.Dataset) -> tuple[str, ...]:
    """The dimensions of the grid; without per-model variables, those with coordinates."""
    for name in ("finite", "loss", "history"):
        if name in part:
            return tuple(str(d) for d in part[name].dims if d != "step")
    return tuple(str(d) for d in part.dims if d in part.coords and d != "step")


def _along_new_axis(
    part: xr.Dataset, name: str, value: Any, parts: Sequence[xr.Dataset]
) -> xr.Dataset:
    """A part with one value of a new axis; what is the same in all stays without it."""
    importances = [v for v in part.data_vars if "importance" in str(v)]
    alike = [v for v in importances if all(v in p and part[v].equals(p[v]) for p in parts)]
    part = part.drop_vars(name, errors="ignore")
    return part.drop_vars(alike).expand_dims({name: [value]}).assign(part[alike])


def _marks(part: xr.Dataset) -> list[str]:
    return [str(name) for name in part.variables if str(name).endswith(SUFFIX)]


def _at_all_steps(parts: list[xr.Dataset]) -> list[xr.Dataset]:
    """Parts whose history covers the steps of all, NaN where it has no entry."""
    steps = [part["step"].values for part in parts if "step" in part.dims]
    if not steps or all(np.array_equal(one, steps[0]) for one in steps):
        return parts
    for part in parts:
        other = [v for v in part.data_vars if "step" in part[v].dims and v != "history"]
        if other:
            raise ValueError(
                f"parts must have the same steps, as {other[0]!r} goes along them"
            )
    union = np.unique(np.concatenate(steps))
    return [part.reindex(step=union) if "step" in part.dims else part for part in parts]


def _of_one_size(parts: list[xr.Dataset], axes: Sequence[str]) -> list[xr.Dataset]:
    """Parts padded to the largest, with what is padding marked."""
    dims = {str(d) for part in parts for d in part.dims} - {*axes, "step"}
    for dim in sorted(dims):
        sizes = [part.sizes.get(dim, 0) for part in parts]
        mark = f"{dim}{SUFFIX}"
        if len(set(sizes) - {0}) < 2 and not any(mark in part for part in parts):
            continue
        padded = []
        for part, size in zip(parts, sizes, strict=True):
            beyond = part.get(mark, xr.DataArray(np.zeros(size, bool), dims=dim)) != 0
            part = part.drop_vars(mark, errors="ignore")
            if size:
                part = _padded(part, dim, max(sizes) - size)
                beyond = beyond.pad({dim: (0, max(sizes) - size)}, constant_values=True)
                # Along the new axis, of which parts differ.
                part = part.assign({mark: beyond.broadcast_like(part[axes[-1]])})
            padded.append(part)
        parts = padded
    return parts


def _padded(part: xr.Dataset, dim: str, n: int) -> xr.Dataset:
    """A part with ``n`` more entries along a dimension, NaN or False."""

    def longer(variable):
        if dim not in variable.dims:
            return variable
        fill = np.nan if variable.dtype.kind == "f" else np.zeros((), variable.dtype)
        return variable.pad({dim: (0, n)}, constant_values=fill)

    data = {name: longer(part[name].variable) for name in part.data_vars}
    coords = {name: c for name, c in part.coords.items() if dim not in c.dims}
    return xr.Dataset(data, coords, part.attrs) if n else part


def _with_all_variables(parts: list[xr.Dataset], axes: Sequence[str]) -> list[xr.Dataset]:
    """Parts with the variables of all; what one has not is NaN there, and marked."""
    examples = {v: part[v] for part in reversed(parts) for v in part.data_vars}
    for name, example in examples.items():
        absent = [name not in part for part in parts]
        if not any(absent):
            continue
        filled = []
        for part, one in zip(parts, absent, strict=True):
            along = part[axes[-1]]
            if one:
                sizes = {d: part.sizes.get(d, example.sizes[d]) for d in example.dims}
                fill = np.nan if example.dtype.kind == "f" else False
                values = np.full(list(sizes.values()), fill, example.dtype)
                part = part.assign({name: (tuple(sizes), values)})
            if not str(name).endswith(SUFFIX):
                mark = (axes[-1], np.full(along.size, one))
                part = part.assign({f"{name}{SUFFIX}": mark})
            filled.append(part)
        parts = filled
    return parts


def _varies(parts: Sequence[xr.Dataset], variable: Any, name: str) -> bool:
    """Whether a variable goes along the axis: all do, but one that is the same in all."""
    if any(name in part[variable].dims for part in parts):
        return True
    return not all(part[variable].equals(parts[0][variable]) for part in parts)


def _made_by(parts: Sequence[xr.Dataset], dim: str) -> str:
    """The provenance of all parts, those of parts joined before along the same axis too."""
    told: list[Any] = []
    for part in parts:
        try:
            own = json.loads(str(part.attrs.get("made_by")))
        except json.JSONDecodeError:
            own = None
        if isinstance(own, dict) and own.get("dim") == dim:
            told += own["parts"]
        else:
            told.append(own)
    distinct = [one for i, one in enumerate(told) if one not in told[:i]]
    return json.dumps({"dim": dim, "parts": distinct}, allow_nan=False)

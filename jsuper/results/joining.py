"""Several sweeps as one, along a new axis or an old one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from jsuper import files, wording
from jsuper.padding import SUFFIX
from jsuper.results.measures import LONG_NAMES as MEASURES


def concat(parts: Iterable[xr.Dataset] | Mapping[Any, xr.Dataset], dim: Any) -> xr.Dataset:
    """Joins sweeps along an axis, and keeps the provenance of each.

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
    others = [axis for axis in axes if axis != name]
    listed = [_in_one_order(part, listed[0], others) for part in listed]
    given = listed
    if values is not None:
        listed = _along_new_axis(listed, name, values)
    listed = _with_all_notes(listed)
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
    ds = ds.set_coords(_marks(ds)).assign_attrs(made_by=_made_by(given, name, values))
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


def _common_axes(parts: list[xr.Dataset], name: str) -> tuple[str, ...]:
    """The axes that all parts have besides ``name``, in the order of the first."""
    first, *others = [_axes_of(part) for part in parts]
    for other in others:
        if set(other) - {name} != set(first) - {name}:
            raise ValueError(f"parts must have the same axes, got {first} and {other}")
    return first


def _in_one_order(part: xr.Dataset, first: xr.Dataset, axes: Iterable[str]) -> xr.Dataset:
    """A part with the values of all axes in the order of the first part."""
    for axis in axes:
        if axis not in first.coords or axis not in part.coords:
            fits = first.sizes[axis] == part.sizes[axis]
        else:
            values = first[axis].values
            fits = len(values) == part.sizes[axis] and set(values.tolist()) == set(
                part[axis].values.tolist()
            )
            part = part.sel({axis: values}) if fits else part
        if not fits:
            raise ValueError(
                f"parts must have the same values along {axis!r}: select those that they "
                "have in common first"
            )
    return part


def _axes_of(part: xr.Dataset) -> tuple[str, ...]:
    """The dimensions of the grid; without per-model variables, those with coordinates."""
    for name in ("finite", "loss", "history"):
        if name in part:
            return tuple(str(d) for d in part[name].dims if d != "step")
    return tuple(str(d) for d in part.dims if d in part.coords and d != "step")


def _along_new_axis(
    parts: list[xr.Dataset], name: str, values: Sequence[Any]
) -> list[xr.Dataset]:
    """Parts with one value of a new axis; what is the same in all stays without it."""
    if name == "importance":  # as a sweep with such an axis has it
        parts = [part.rename({name: f"feature_{name}"} if name in part.data_vars else {})
                 for part in parts]  # fmt: skip
    if any(name in part.data_vars for part in parts):
        raise ValueError(f"dim must not be the name of a variable, got {name!r}")
    first, others = parts[0], parts[1:]
    alike = [
        v
        for v in first.data_vars
        if "importance" in str(v) and all(v in p and p[v].equals(first[v]) for p in others)
    ]
    return [
        part.drop_vars([name, *alike], errors="ignore")
        .expand_dims({name: [value]})
        .assign(first[alike])
        for part, value in zip(parts, values, strict=True)
    ]


def _with_all_notes(parts: list[xr.Dataset]) -> list[xr.Dataset]:
    """Parts with the scalar coordinates of all: NaN, or no text, where one has none."""
    coords = [item for part in parts for item in part.coords.items()]
    notes = {name: value for name, value in coords if value.ndim == 0}
    for name, value in notes.items():
        missing = {"M": np.datetime64("NaT", "ns"), "m": np.timedelta64("NaT", "ns")}
        missing |= dict.fromkeys("biuf", np.nan)
        absent = missing.get(value.dtype.kind, "")
        parts = [p if name in p.coords else p.assign_coords({name: absent}) for p in parts]
    return parts


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
    """Parts with the variables of all.

    A parameter that one has not is NaN there, and marked; so are losses, without a mark.
    """
    examples = {v: part[v] for part in reversed(parts) for v in part.data_vars}
    for name, example in examples.items():
        absent = [name not in part for part in parts]
        if not any(absent):
            continue
        if name in MEASURES:
            raise ValueError(
                f"parts must be measured alike: {name!r} is not in all of them"
            )
        parts = [
            _filled(part, str(name), example) if one else part
            for part, one in zip(parts, absent, strict=True)
        ]
        if name not in ("finite", "loss", "history") and not str(name).endswith(SUFFIX):
            parts = [
                part.assign(
                    {f"{name}{SUFFIX}": (axes[-1], np.full(part.sizes[axes[-1]], one))}
                )
                for part, one in zip(parts, absent, strict=True)
            ]
    return parts


def _filled(part: xr.Dataset, name: str, example: xr.DataArray) -> xr.Dataset:
    """A part with a variable of another: NaN, or what a missing flag means."""
    sizes = {dim: part.sizes.get(dim, example.sizes[dim]) for dim in example.dims}
    missing = name == "finite" if example.dtype == bool else np.nan
    dtype = example.dtype if example.dtype.kind in "fb" else float
    values = np.full(list(sizes.values()), missing, dtype)
    return part.assign({name: (tuple(sizes), values)})


def _varies(parts: Sequence[xr.Dataset], variable: Any, name: str) -> bool:
    """Whether a variable goes along the axis: all do, but one that is the same in all."""
    if any(name in part[variable].dims for part in parts):
        return True
    return not all(part[variable].equals(parts[0][variable]) for part in parts)


def _made_by(parts: Sequence[xr.Dataset], dim: str, values: Sequence[Any] | None) -> str:
    """The provenance of all parts with their values along the axis.

    Parts that were joined before along the same axis keep theirs.
    """
    told: list[Any] = []
    of_parts: list[Any] = []
    for i, part in enumerate(parts):
        own = files.made_by(part)
        if own.get("dim") == dim:
            told += own["parts"]
            of_parts += own["values"]
        else:
            told.append(own or None)
            along = part[dim].values.tolist() if values is None else [values[i]]
            of_parts.append([wording.text(value, 6) for value in along])
    return json.dumps({"dim": dim, "values": of_parts, "parts": told}, allow_nan=False)

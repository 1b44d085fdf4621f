"""From a dataset to what a page holds: axes, models best first, measures, and words."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from jsuper import polytopes, wording
from jsuper.explorer import sizes
from jsuper.explorer.encoding import encoded, encoded_curves
from jsuper.explorer.lines import as_lines, check_axes
from jsuper.explorer.sizes import Plan
from jsuper.files import made_by
from jsuper.padding import SUFFIX
from jsuper.results.measures import LONG_NAMES, measure
from jsuper.results.models import is_finite, last_of
from jsuper.results.origin import origin
from jsuper.results.seeds import has_losses, lowest

MAX_NAMED = 100_000
"""Features, over all models, that are looked at for polytopes: a few seconds' work."""

MAX_CATEGORIES = 256
"""Names that a map can show as colours; more are told for the chosen model alone."""

STATUS = ("", "diverged", "not trained", "no model")
"""What can be wrong with a model."""


def contents(
    ds: xr.Dataset, *, max_megabytes: float, theory: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Returns everything that a page shows of a dataset, as JSON can hold it.

    Args:
        ds: A sweep, snapshots, minima, or what is left of them after a reduction.
        max_megabytes: Size of the page beyond which it holds less, see `sizes.plan`.
        theory: Lines over the map, see `as_lines`; by default those of the dataset.

    Raises:
        ValueError: If ``ds`` has no models, or does not fit.
    """
    _check(ds)
    axes = sizes.axes_of(ds)
    of = sizes.plan(ds, max_megabytes)
    notes = list(sizes.words(of, ds))
    if out := sizes.left_out(ds):
        notes.append(f"Not on the page, for its size: {', '.join(out)}.")
    n_seeds = ds.sizes.get("seed", 1)
    seeds = ds["seed"].values if "seed" in axes else None
    lines = as_lines(ds.attrs.get("theory") if theory is None else theory)
    if theory is not None:
        check_axes(lines, ds, axes)
    provenance, about = list(origin(ds)), made_by(ds)
    judged = has_losses(ds)
    ds, order = best_first(with_last_loss(ds, axes), of)
    if of.halved:
        double = {name: array for name, array in ds.items() if array.dtype == np.float64}
        ds = ds.assign({name: array.astype(np.float32) for name, array in double.items()})
    wrong = status(ds, axes)
    ds = ds.assign(status=wrong)
    ds = with_measures(ds).compute()
    named, note = with_polytopes(ds)
    axes = [
        *(name for name in axes if name != "seed"),
        *(["seed"] if order is not None else []),
    ]
    curve = _curve(ds, axes, of)
    shown = [name for name in sizes.shown_variables(named) if name != "order"]
    return {
        "axes": [_axis(ds, name, seeds) for name in axes],
        "variables": {name: _variable(named[name], axes) for name in shown}
        | ({} if order is None else {"order": _variable(order, axes)}),
        "curve": curve,
        "weights": sizes.weights_name(ds),
        "importance": _importance(ds),
        "judged": judged,
        "seeds": {"held": of.seeds or 1, "all": n_seeds},
        "theory": lines,
        "notes": [*notes, *([note] if note else [])],
        "origin": provenance,
        "steps": about.get("recipe", {}).get("steps"),
        **_untrained(wrong),
    }


def _check(ds: Any) -> None:
    if not isinstance(ds, xr.Dataset):
        raise TypeError(f"ds must be an xarray.Dataset, got {type(ds).__name__}")
    if not ds.data_vars:
        raise ValueError("ds must hold a variable of models, got none")
    empty = [name for name in ds.dims if ds.sizes[name] == 0]
    if empty:
        raise ValueError(f"ds must hold models, got none along {empty[0]!r}")
    for name, index in ds.indexes.items():
        if isinstance(index, pd.MultiIndex):
            raise ValueError(f"ds must have no MultiIndex: ds.unstack({name!r}) first")
    if {"rank", "seed"} <= set(ds.dims):
        raise ValueError("ds must not have both axes 'seed' and 'rank': select one first")


def best_first(ds: xr.Dataset, of: Plan) -> tuple[xr.Dataset, xr.DataArray | None]:
    """Puts the seeds of every cell in the order of their losses, and keeps the first.

    Returns:
        The dataset, and the positions that its seeds had, along ``seed`` and those axes
        on which the order depends; without losses the seeds keep their order.
    """
    if of.seeds is None:
        return ds, None
    positions = np.arange(ds.sizes["seed"])
    if not has_losses(ds):
        order = xr.DataArray(positions[: of.seeds], dims="seed")
    else:
        judged = ds[[name for name in ("loss", "history", "finite") if name in ds]]
        judged = judged.compute().assign_coords(seed=positions)
        found = lowest(judged, of.seeds)["seed"]
        dims = ["seed" if dim == "rank" else dim for dim in found.dims]
        order = xr.DataArray(found.values, dims=dims)
    ds = ds.drop_vars("seed", errors="ignore")
    along = [name for name in ds.variables if "seed" in ds[name].dims]
    rest = ds.drop_vars(along)
    taken = ds[along].isel(seed=order.rename(seed="rank").variable).rename(rank="seed")
    return rest.merge(taken).assign_attrs(ds.attrs), order


def with_last_loss(ds: xr.Dataset, axes: list[str]) -> xr.Dataset:
    """Adds the last training loss of models of which no other is known."""
    if "loss" in ds.variables or "step" in axes or not sizes.is_curve(ds, "history"):
        return ds
    last = ds["history"].isel(step=last_of(ds["history"].compute()))
    return ds.assign(
        last_loss=last.drop_vars("step").assign_attrs(long_name="last training loss")
    )


def status(ds: xr.Dataset, axes: list[str]) -> xr.DataArray:
    """Returns what is wrong with each model, one of `STATUS`, as text."""
    sizes_of = {name: ds.sizes[name] for name in axes}
    wrong = xr.DataArray(np.zeros(tuple(sizes_of.values()), np.int8), dims=axes)
    finite = is_finite(ds)
    wrong = xr.where(finite, wrong, 1)
    missing = ds["finite"].isnull() if "finite" in ds else xr.DataArray(False)
    if "minimum" in axes and "loss" in ds:
        missing = missing | (~finite & ds["loss"].isnull())  # a cell with fewer minima
    wrong = xr.where(missing, 3, wrong)
    if "done" in ds:
        wrong = xr.where(ds["done"] == 1, wrong, 2)
    wrong = wrong.compute().transpose(*axes).reset_coords(drop=True)
    said = np.array(STATUS)[wrong.values]
    return xr.DataArray(said, dims=axes, attrs={"long_name": "state of the model"})


def _untrained(wrong: xr.DataArray) -> dict[str, Any]:
    """How many models are not trained, and where the first of those is that are."""
    if "step" in wrong.dims:
        wrong = wrong.isel(step=-1)
    trained = np.argwhere(wrong.values != STATUS[2])
    n_left = wrong.size - len(trained)
    if not n_left or not len(trained):
        return {"untrained": n_left, "start": {}}
    start = dict(zip(map(str, wrong.dims), map(int, trained[0]), strict=True))
    return {"untrained": n_left, "start": start}


def with_measures(ds: xr.Dataset) -> xr.Dataset:
    """Adds what `jsuper.measure` says, where it can and it is not there."""
    weights = sizes.weights_name(ds)
    if weights is None or "norm" in ds or set(LONG_NAMES) & set(map(str, ds.dims)):
        return ds
    return measure(ds, weights)


def with_polytopes(ds: xr.Dataset) -> tuple[xr.Dataset, str]:
    """Adds ``geometry``, a model's polytopes, and ``blocks``, which features form them.

    Returns:
        The dataset, and why nothing was added, if so.
    """
    weights = sizes.weights_name(ds)
    if weights is None:
        return ds, ""
    n_models = math.prod(ds.sizes[name] for name in sizes.axes_of(ds))
    n_named = n_models * ds.sizes["feature"]
    if n_named > MAX_NAMED:
        return ds, (
            f"Polytopes are not named: {n_named:,} features are more than {MAX_NAMED:,}."
        )

    def named(W: np.ndarray) -> tuple[str, str]:
        W = W[~np.isnan(W).all(1)][:, ~np.isnan(W).all(0)]
        if not W.size or not np.isfinite(W).all():
            return "", ""
        found = polytopes.identify(W)
        parts = (f"{b.name} ({', '.join(map(str, b.features))})" for b in found)
        return polytopes.in_words(found) or "nothing represented", ", ".join(parts)

    geometry, blocks = xr.apply_ufunc(
        named,
        ds[weights],
        input_core_dims=[["feature", "hidden"]],
        output_core_dims=[[], []],
        vectorize=True,
        output_dtypes=[object, object],
    )
    added = {"blocks": blocks.assign_attrs(long_name="polytopes and their features")}
    if "geometry" not in ds.variables and "geometry" not in ds.dims:
        added["geometry"] = geometry.assign_attrs(long_name="polytopes")
    return ds.assign(added), ""


def _axis(ds: xr.Dataset, name: str, seeds: np.ndarray | None) -> dict[str, Any]:
    """Name, values and scale of an axis, and coordinates beside it."""
    values = seeds if name == "seed" and seeds is not None else ds[name].values
    about = _coordinate(name, values, ds[name].attrs if name in ds.coords else {})
    beside = [
        _coordinate(str(other), array.values, array.attrs)
        for other, array in ds.coords.items()
        if array.dims == (name,) and other != name and not str(other).endswith(SUFFIX)
    ]
    return {**about, "beside": beside if name != "seed" else []}


def _coordinate(name: str, values: np.ndarray, attrs: Mapping[str, Any]) -> dict[str, Any]:
    numbers = values.astype(float) if wording.are_numbers(values) else None
    scaled = numbers is not None and _are_places(values)
    return {
        "name": name,
        "long_name": str(attrs.get("long_name", name.replace("_", " "))),
        "units": str(attrs.get("units", "")),
        "values": None if numbers is None else [_number(v) for v in numbers],
        "texts": _texts(values),
        "scaled": scaled,
    }


def _texts(values: np.ndarray) -> list[str]:
    """Values in words, with as many digits as tell them apart."""
    texts: list[str] = []
    for digits in range(3, 18):
        texts = [wording.text(value, digits) for value in values]
        if len(set(texts)) == len(values):
            break
    return texts


def _are_places(values: np.ndarray) -> bool:
    """Whether values lie along a scale; others lie side by side, as in `js.plots`."""
    if values.dtype.kind in "iu" and len(values) <= 12:
        return False  # sizes, between which there is nothing
    finite = np.isfinite(values.astype(float)).all()
    return bool(finite) and len(np.unique(values)) == len(values)


def _number(value: float) -> float | str:
    """A number; infinities and NaN, which JSON has not, as text."""
    return float(value) if math.isfinite(value) else str(float(value))


def _variable(array: xr.DataArray, axes: list[str]) -> dict[str, Any]:
    """A variable over its axes in the order of the page, its own dimensions last."""
    own = [str(dim) for dim in array.dims if dim not in axes]
    dims = [name for name in axes if name in array.dims]
    values = array.transpose(*dims, *own).values
    return {
        "long_name": str(array.attrs.get("long_name", str(array.name).replace("_", " "))),
        "units": str(array.attrs.get("units", "")),
        "axes": dims,
        "own": own,
        "shape": list(values.shape),
        **encoded(values),
    }


def _curve(ds: xr.Dataset, axes: list[str], of: Plan) -> dict[str, Any] | None:
    """The training losses of every model at some of its steps."""
    if not sizes.is_curve(ds, "history") or not of.points:
        return None
    history = ds["history"]
    kept = sizes.thinned_steps(history.sizes["step"], of.points)
    history = history.isel(step=kept)
    dims = [name for name in axes if name in history.dims and name != "step"]
    if set(history.dims) != {*dims, "step"}:
        return None
    values = history.transpose(*dims, "step").values
    return {
        "long_name": str(history.attrs.get("long_name", "training loss")),
        "units": "",
        "axes": dims,
        "own": ["step"],
        "shape": list(values.shape),
        "steps": [_number(float(step)) for step in history["step"].values],
        **encoded_curves(values),
    }


def _importance(ds: xr.Dataset) -> str | None:
    """The variable that holds the importance of each feature, if any does."""
    for name in ("feature_importance", "importance"):
        if name in ds.data_vars and "feature" in ds[name].dims:
            return name
    return None


def summary(held: Mapping[str, Any]) -> str:
    """Returns what a page holds in words: ``6 models: 2 values of density × 3 seeds``."""
    sizes_of = {axis["name"]: len(axis["texts"]) for axis in held["axes"]}
    if "seed" in sizes_of:
        sizes_of["seed"] = held["seeds"]["held"]
    n_models = math.prod(n for name, n in sizes_of.items() if name != "step")
    models = f"{n_models:,} model{'' if n_models == 1 else 's'}"
    if "step" in sizes_of:
        models += f" at {sizes_of.pop('step')} steps"
    counted = {"seed": "seeds", "minimum": "minima"}
    axes = [
        f"{n} {counted.get(name, f'values of {name}')}".replace("_", " ")
        for name, n in sizes_of.items()
        if n > 1
    ]
    models = f"{models}: {' × '.join(axes)}" if axes else models
    left = held["untrained"]
    return f"{models}; {left:,} of them not trained yet" if left else models


def as_json(held: Mapping[str, Any]) -> str:
    """Returns what a page holds as JSON that a script element can hold."""
    text = json.dumps(held, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")

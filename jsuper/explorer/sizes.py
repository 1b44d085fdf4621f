"""What of a dataset a page has room for: the rule by which larger ones are thinned."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import xarray as xr

from jsuper.results.models import model_axes

OWN_SIZE = 1_550_000
"""Bytes of a page without models, about: Bokeh's JavaScript, and the explorer's."""

MAX_INNER = 64
"""Numbers of one model in one variable, beside its weights, that a page shows."""

CURVE_POINTS = (48, 16)
"""Points of a training curve, and of one in a page that is full."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a page holds of a dataset.

    Args:
        seeds: Seeds of every cell, the best first; None for datasets without seeds.
        points: Points of each training curve; 0 leaves them out.
        halved: Whether numbers in double precision become single.
    """

    seeds: int | None
    points: int
    halved: bool = False


def plan(ds: xr.Dataset, max_megabytes: float) -> Plan:
    """Returns the first plan that fits: what is lost last comes last.

    The order: all; single precision; shorter training curves; half of the seeds, a
    quarter and so on down to the best one; that without training curves.

    Raises:
        ValueError: If none fits.
    """
    room = max_megabytes * 1e6 - OWN_SIZE
    if room <= 0:
        raise ValueError(
            f"max_megabytes must be above {OWN_SIZE / 1e6:g}, what a page without models "
            f"takes, got {max_megabytes:g}"
        )
    needed = math.inf
    for candidate in _plans(ds.sizes.get("seed")):
        needed = size(ds, candidate)
        if needed <= room:
            return candidate
    one = " with the best seed of each cell alone" if "seed" in ds.dims else ""
    axes = [name for name in axes_of(ds) if name != "seed"]
    longest = max(axes, key=lambda name: ds.sizes[name], default="axis")
    raise ValueError(
        f"ds must fit into a page of {max_megabytes:g} MB, got one of "
        f"{(needed + OWN_SIZE) / 1e6:,.1f} MB{one}: select fewer first, as "
        f"ds.isel({longest}=slice(None, None, 2)), or allow more (max_megabytes=, "
        "--max-megabytes)"
    )


def _plans(n_seeds: int | None) -> Iterator[Plan]:
    full, short = CURVE_POINTS
    yield Plan(n_seeds, full)
    yield Plan(n_seeds, full, halved=True)
    seeds = n_seeds
    while True:
        yield Plan(seeds, short, halved=True)
        if seeds is None or seeds == 1:
            break
        seeds = max(1, seeds // 2)
    yield Plan(seeds, 0, halved=True)


def size(ds: xr.Dataset, of: Plan) -> float:
    """Returns the bytes that the models of a dataset take up in a page, at most."""
    names = shown_variables(ds)
    held = sum(_bytes(ds[name], of) for name in names)
    if is_curve(ds, "history"):
        held += _bytes(ds["history"], of, points=of.points)
    if {"feature", "hidden"} <= set(ds.dims) and "norm" not in ds:
        n_models = math.prod(_kept(ds, name, of) for name in axes_of(ds))
        held += n_models * (4 * ds.sizes["feature"] + 10) * 4  # what measuring adds
    return held * 4 / 3  # in base64


def _bytes(array: xr.DataArray, of: Plan, points: int | None = None) -> float:
    if points is not None:
        others = math.prod(
            n for dim, n in array.sizes.items() if dim not in ("seed", "step")
        )
        return 2 * others * points * (of.seeds or 1)
    n = math.prod(
        of.seeds if d == "seed" and of.seeds else k for d, k in array.sizes.items()
    )
    wide = array.dtype.itemsize if array.dtype.kind in "f" else 8
    if array.dtype.kind in "bOUS":
        wide = 2
    return n * (min(wide, 4) if of.halved else wide)


def _kept(ds: xr.Dataset, axis: str, of: Plan) -> int:
    return of.seeds if axis == "seed" and of.seeds else ds.sizes[axis]


def axes_of(ds: xr.Dataset) -> list[str]:
    """Returns the axes along which there are models; none where there is one model."""
    told = [ds[name] for name in ("finite", "loss", "W") if name in ds.data_vars]
    told += [ds["history"].isel(step=0)] if is_curve(ds, "history") else []
    axes = model_axes(ds)
    return [name for name in axes if any(name in array.dims for array in told) or not told]


def is_curve(ds: xr.Dataset, name: str) -> bool:
    """Returns whether a variable is a training curve: steps that are no axis of models."""
    return name in ds and "step" in ds[name].dims


def weights_name(ds: xr.Dataset) -> str | None:
    """Returns the variable that holds the embeddings, ``W`` where there is one."""
    found = [n for n in ds.data_vars if {"feature", "hidden"} <= set(ds[n].dims)]
    return str(min(found, key=lambda n: ("W", "W_in", n).index(n))) if found else None


def shown_variables(ds: xr.Dataset) -> list[str]:
    """Returns the variables that a page shows, besides the training curve."""
    skipped = {"history", "finite", "done"}
    axes, weights = axes_of(ds), weights_name(ds)
    room = max(MAX_INNER, ds.sizes.get("feature", 0))
    return [
        str(name)
        for name, array in ds.data_vars.items()
        if name == weights or (name not in skipped and inner_size(array, axes) <= room)
    ]


def left_out(ds: xr.Dataset) -> list[str]:
    """Returns the variables of which a model has too many numbers to show."""
    shown = {*shown_variables(ds), "history", "finite", "done"}
    return [str(name) for name in ds.data_vars if name not in shown]


def inner_size(array: xr.DataArray, axes: list[str]) -> int:
    """Returns how many numbers of a variable one model has."""
    return math.prod(n for dim, n in array.sizes.items() if dim not in axes)


def thinned_steps(n: int, points: int) -> np.ndarray:
    """Returns positions of at most ``points`` of ``n`` steps, closer at the beginning.

    Example:
        >>> thinned_steps(100, 6)
        array([ 0,  2,  5, 15, 39, 99])
    """
    if n <= points:
        return np.arange(n)
    spaced = np.geomspace(1, n, points).round().astype(int) - 1
    return np.unique(spaced)


def words(of: Plan, ds: xr.Dataset) -> Iterator[str]:
    """Yields what a page says of what it does not hold of a dataset, a sentence each."""
    n_seeds, n_steps = ds.sizes.get("seed"), ds.sizes.get("step", 0)
    curves = is_curve(ds, "history")
    if of.halved:
        yield "Numbers in double precision are rounded to single precision."
    if of.seeds is not None and n_seeds is not None and of.seeds < n_seeds:
        yield (
            f"Of {n_seeds} seeds of each cell the page holds the {of.seeds} of lowest "
            "loss; means and spreads are over these."
        )
    if curves and not of.points:
        yield "Training curves are left out."
    elif curves:
        if n_steps > of.points:
            yield (
                f"Of {n_steps:,} points of a training curve the page holds {of.points}, "
                "closer at the beginning."
            )
        yield "Training curves are rounded to two bytes, evenly in the logarithm."

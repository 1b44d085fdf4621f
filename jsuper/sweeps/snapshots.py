"""A grid along training: its parameters at chosen steps, as one labelled result."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper.sweeps.devices import SharedTraining, checked_devices
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.provenance import made_by
from jsuper.training import Recipe
from jsuper.validation import check_count, check_key


def snapshots(
    build: Callable[..., Any],
    axes: Mapping[str, Any],
    recipe: Recipe = Recipe(),
    *,
    key: jax.Array,
    at: Sequence[int],
    devices: int | Sequence[Any] | None = None,
) -> xr.Dataset:
    """Trains a grid and keeps every model at chosen steps.

    The models are those of `jsuper.sweep` with the same arguments: looking at them does
    not change them.

    Args:
        build: As in `jsuper.sweep`.
        axes: As in `jsuper.sweep`.
        recipe: As in `jsuper.sweep`; ``log_every`` plays no part.
        key: As in `jsuper.sweep`.
        at: Steps after which to look, ascending integers from 0 (the initial weights) to
            ``recipe.steps``.
        devices: As in `jsuper.sweep`.

    Returns:
        A dataset as of `jsuper.sweep`, in which parameters, ``loss`` (on the same fresh
        data at every step) and ``finite`` have the dimension ``step`` after the axes,
        and ``history`` is the mean training loss since the step before (NaN at step 0).
        Steps after the last of ``at`` are not trained.

    Raises:
        ValueError: If ``at`` is empty, not ascending or out of range; besides as
            `jsuper.sweep`.
        TypeError: As `jsuper.sweep`.

    Example:
        >>> import jax, jsuper as js
        >>> def task(density):
        ...     return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2))
        >>> recipe = js.Recipe(steps=100)
        >>> axes = {"density": [0.1], "seed": 3}
        >>> ds = js.snapshots(task, axes, recipe, key=jax.random.key(0), at=[0, 10, 100])
        >>> dict(ds["W"].sizes)
        {'density': 1, 'seed': 3, 'step': 3, 'feature': 5, 'hidden': 2}
        >>> js.measure(ds)["dimensionality"].dims
        ('density', 'seed', 'step', 'feature')
    """
    check_key(key)
    steps = _checked_steps(at, recipe.steps)
    devices = checked_devices(devices)
    grid = Grid(build, axes, recipe)
    run = SharedTraining(grid.tasks, grid.keys(key), recipe, devices)
    looks, done = [], 0
    for step in steps:
        history = np.full((grid.n_cells, len(grid.seeds), 1), np.nan, np.float32)
        if step > done:
            history = run.advance([done], [step - done], 1)
        ds = grid.label(run.params(), history, run.loss())
        looks.append(ds.assign(history=ds["history"].isel(step=0, drop=True)))
        done = step
    along = [name for name in looks[0].data_vars if "importance" not in str(name)]
    alone = [name for name in looks[0].data_vars if name not in along]
    ds = xr.concat(
        [look[along] for look in looks],
        "step",
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="override",
    )
    ds = ds.assign({name: looks[0][name] for name in alone})
    ds = ds.assign_coords(step=("step", steps, looks[0]["step"].attrs))
    ds.attrs["made_by"] = made_by(grid.first_task, recipe, key, devices)
    return ds.transpose(*grid.order, "step", ...)


def _checked_steps(at: Sequence[int], last: int) -> list[int]:
    if np.ndim(at) != 1 or len(at) == 0:
        raise ValueError(f"at must be a list of at least one step, got {at!r}")
    given = list(at)
    for step in given:
        check_count("at", step, lowest=0)
    if sorted(set(given)) != given:
        raise ValueError(f"at must ascend, got {_shortened(given)}")
    if given[-1] > last:
        raise ValueError(f"at must end by recipe.steps = {last}, got {given[-1]}")
    return [int(step) for step in given]


def _shortened(numbers: list[int]) -> str:
    return str(numbers) if len(numbers) < 10 else f"[{str(numbers[:8])[1:-1]}, …]"

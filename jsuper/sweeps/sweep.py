r"""A grid of tasks by named axes: trained on every device, returned with labels."""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr
from tqdm import tqdm

from jsuper.sweeps.devices import SharedTraining, checked_devices
from jsuper.sweeps.grid import Grid, coordinates
from jsuper.sweeps.provenance import made_by
from jsuper.training import Recipe
from jsuper.validation import check_count, check_key


def sweep(
    build: Callable[..., Any],
    axes: Mapping[str, Any],
    recipe: Recipe = Recipe(),
    *,
    key: jax.Array,
    devices: int | Sequence[Any] | None = None,
    progress: bool | None = None,
    callback: Callable[[int, xr.Dataset], None] | None = None,
    chunks: int | None = None,
) -> xr.Dataset:
    """Trains one model for every combination of the axes' values.

    All models train in one compiled call, which a second sweep of the same shapes
    reuses. Models that differ only in a swept number share their random draws, so that
    a difference between two cells is not noise; models of different seeds share none,
    so that a spread over seeds is an honest error bar. A cell does not depend on which
    others are trained with it.

    Args:
        build: Makes one task from numbers: called once for each cell, with the axes'
            values as arguments. Sizes must not depend on them.
        axes: Values by argument name, one-dimensional and distinct. The reserved name
            ``seed``, a count or a list of integers, is not passed to ``build``.
        recipe: How each model is trained.
        key: A typed key (``jax.random.key(0)``), from which the whole run follows.
        devices: Devices that share the grid, or how many of ``jax.devices()``; by
            default all of them (see `use_cpu_cores`).
        progress: Whether to show a progress bar; by default on a terminal only.
        callback: Called after each chunk with the number of steps done and a snapshot:
            a dataset with the parameters and the history so far.
        chunks: Number of compiled calls, at most, that the steps are cut into; by default
            one for each entry of the history, up to 100.

    Returns:
        A dataset whose leading dimensions are the axes in their order:

        - one variable for each parameter (``W`` and ``b`` for `jsuper.ToyModel`);
        - ``loss``: loss on fresh data;
        - ``history`` (..., step): mean training loss over the steps up to ``step``;
        - ``finite``: whether parameters and loss are finite numbers;
        - ``importance`` of each feature, where the tasks have one (``feature_importance``
          if an axis is called importance).

        Swept values are coordinates; ``sparsity`` stands beside a swept ``density``.
        The attribute ``made_by`` says in JSON how the dataset was made.

    Raises:
        ValueError: If an axis is empty, repeated, not finite where it must be, unknown
            to ``build`` or ignored by it, if ``build`` rejects a value, if a name is used
            twice, or if a task's loss is not a single number.
        TypeError: If ``key`` is not a typed key or ``build`` makes no task.

    Warns:
        RuntimeWarning: If models diverged, with their coordinates.

    Example:
        >>> import jax, jsuper as js
        >>> def task(density):
        ...     return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2))
        >>> ds = js.sweep(
        ...     task,
        ...     {"density": [1.0, 0.1], "seed": 3},
        ...     js.Recipe(steps=100),
        ...     key=jax.random.key(0),
        ... )
        >>> dict(ds["W"].sizes)
        {'density': 2, 'seed': 3, 'feature': 5, 'hidden': 2}
    """
    check_key(key)
    if not isinstance(recipe, Recipe):
        raise TypeError(f"recipe must be a Recipe, got {recipe!r}")
    firsts, lengths = recipe.windows()
    n_windows = len(firsts)
    if chunks is None:
        chunks = min(n_windows, 100)
    check_count("chunks", chunks)
    devices = checked_devices(devices)
    grid = Grid(build, axes, recipe)
    provenance = made_by(grid.first_task, recipe, key, devices)
    run = SharedTraining(grid.tasks, grid.keys(key), recipe, devices)

    history = []
    per_chunk = math.ceil(n_windows / chunks)
    with tqdm(
        total=recipe.steps,
        unit="step",
        desc=f"{grid.n_models} models",
        disable=None if progress is None else not progress,
    ) as bar:
        for i in range(0, n_windows, per_chunk):
            chunk = slice(i, i + per_chunk)
            history.append(run.advance(firsts[chunk], lengths[chunk], per_chunk))
            bar.update(sum(lengths[chunk]))
            if not bar.disable:
                bar.set_postfix_str(f"median loss {np.median(history[-1]):.3g}")
            if callback is not None:
                done = firsts[chunk][-1] + lengths[chunk][-1]
                callback(done, grid.label(run.params(), np.concatenate(history, -1)))

    ds = grid.label(run.params(), np.concatenate(history, -1), run.loss())
    ds.attrs["made_by"] = provenance
    _warn_of_divergence(ds["finite"])
    return ds


def _warn_of_divergence(finite: xr.DataArray, most: int = 5) -> None:
    where = np.argwhere(~finite.values)
    if len(where) == 0:
        return
    named = [
        coordinates(
            {d: finite[d].values[i] for d, i in zip(finite.dims, place, strict=True)}
        )
        for place in where[:most]
    ]
    more = "; …" if len(where) > most else ""
    warnings.warn(
        f"{len(where)} of {finite.size} models diverged: {'; '.join(named)}{more}",
        RuntimeWarning,
        stacklevel=3,
    )

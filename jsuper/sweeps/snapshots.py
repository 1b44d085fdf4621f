"""A grid along training: its parameters at chosen steps, as one labelled result."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper.sweeps.run import Run, warn_of_divergence, warn_of_empty_data
from jsuper.training import Recipe
from jsuper.validation import check_count


def snapshots(
    build: Callable[..., Any],
    axes: Mapping[str, Any],
    recipe: Recipe = Recipe(),
    *,
    key: jax.Array,
    at: Iterable[int],
    start: Any = None,
    devices: int | str | Iterable[Any] | None = None,
    progress: bool | None = None,
    callback: Callable[[int, xr.Dataset], None] | None = None,
) -> xr.Dataset:
    """Trains a grid and keeps every model at chosen steps.

    The models are those of `jsuper.sweep` with the same arguments: a snapshot does not
    change them.

    Args:
        build: As in `jsuper.sweep`.
        axes: As in `jsuper.sweep`.
        recipe: As in `jsuper.sweep`; ``log_every`` plays no part.
        key: As in `jsuper.sweep`.
        at: Steps of the snapshots, ascending integers from 0 (the initial weights) to
            ``recipe.steps``.
        start: As in `jsuper.sweep`.
        devices: As in `jsuper.sweep`.
        progress: As in `jsuper.sweep`.
        callback: Called at each of these steps with the step and its snapshot.

    Returns:
        A dataset as of `jsuper.sweep`, in which parameters, ``loss`` (on the same fresh
        data at every step) and ``finite`` have the dimension ``step`` after the axes,
        and ``history`` is the mean training loss since the step before (NaN at step 0).
        Steps after the last of ``at`` are not trained.

    Raises:
        ValueError: If ``at`` is empty, not ascending or out of range; besides as
            `jsuper.sweep`.
        TypeError: As `jsuper.sweep`.
        KeyboardInterrupt: As `jsuper.sweep`.

    Warns:
        RuntimeWarning: As `jsuper.sweep`, of the last step.

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
    if not isinstance(recipe, Recipe):
        raise TypeError(f"recipe must be a Recipe, got {recipe!r}")
    steps = _checked_steps(at, recipe.steps)
    run = Run(build, axes, recipe, key=key, devices=devices, start=start)
    taken: list[xr.Dataset] = []

    def take(history):
        ds = run.dataset(history)
        taken.append(ds.assign(history=ds["history"].isel(step=0, drop=True)))
        if callback is not None:
            callback(run.done, taken[-1].assign_coords(step=run.done))

    with run.reported(steps[-1]):
        if steps[0] == 0:
            take(np.full((run.grid.n_cells, len(run.grid.seeds), 1), np.nan, np.float32))
        bounds = _bounds(steps)
        lengths = np.diff(bounds).tolist()
        since: list[np.ndarray] = []
        chunks = run.chunks(bounds[:-1], lengths, 1, progress=progress)
        for length, losses in zip(lengths, chunks, strict=True):
            since.append(losses * length)
            if run.done in steps:
                before = max(step for step in [0, *steps] if step < run.done)
                take(sum(since) / (run.done - before))
                since = []
    ds = _along_steps(taken, steps).transpose(*run.grid.order, "step", ...)
    warn_of_divergence(ds["finite"].isel(step=-1, drop=True))
    last = ds.isel(step=-1)
    warn_of_empty_data(last["loss"], last["finite"], run.labels)
    return ds


def _along_steps(taken: list[xr.Dataset], steps: list[int]) -> xr.Dataset:
    along = [name for name in taken[0].data_vars if "importance" not in str(name)]
    alone = [name for name in taken[0].data_vars if name not in along]
    ds = xr.concat(
        [one[along] for one in taken],
        "step",
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="override",
    )
    ds = ds.assign({name: taken[0][name] for name in alone})
    return ds.assign_coords(step=("step", steps, taken[0]["step"].attrs))


def _bounds(steps: list[int]) -> list[int]:
    """The steps, and steps between them so near each other that progress can be seen."""
    longest = max(1, steps[-1] // 100)
    bounds = sorted({0, *steps})
    between = (range(a, b, longest) for a, b in itertools.pairwise(bounds))
    return [*itertools.chain.from_iterable(between), steps[-1]]


def _checked_steps(at: Iterable[int], last: int) -> list[int]:
    given: Any = at
    if hasattr(at, "__array__"):
        given = np.asarray(at).tolist()
    elif isinstance(at, Iterable) and not isinstance(at, str):
        given = list(at)
    if not isinstance(given, list) or not given:
        raise ValueError(f"at must be a list of at least one step, got {given!r}")
    for step in given:
        check_count("at", step, lowest=0)
    if sorted(set(given)) != given:
        raise ValueError(f"at must ascend, got {_shortened(given)}")
    if given[-1] > last:
        raise ValueError(f"at must end by recipe.steps = {last}, got {given[-1]}")
    return [int(step) for step in given]


def _shortened(numbers: list[int]) -> str:
    return str(numbers) if len(numbers) < 10 else f"[{str(numbers[:8])[1:-1]}, …]"

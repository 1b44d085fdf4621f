"""A grid along training: its parameters at chosen steps, as one labelled result."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper.sweeps.filling import fill
from jsuper.sweeps.run import Run, warn_of_divergence, warn_of_empty_data
from jsuper.sweeps.taking import Snapshots
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
    store: str | Path | None = None,
    executor: Executor | None = None,
    retries: int = 2,
    save_every: float = 60,
    max_bytes: int | None = None,
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
        store: As in `jsuper.sweep`.
        executor: As in `jsuper.sweep`.
        retries: As in `jsuper.sweep`.
        save_every: As in `jsuper.sweep`.
        max_bytes: As in `jsuper.sweep`.

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
    if store is not None:
        if callback is not None:
            raise ValueError("callback must be None with a store")
        return fill(
            store,
            build,
            axes,
            recipe,
            at=steps,
            key=key,
            start=start,
            devices=devices,
            progress=progress,
            executor=executor,
            retries=retries,
            save_every=save_every,
            max_bytes=max_bytes,
        )
    if executor is not None:
        raise ValueError("executor must be None without a store, whose blocks it trains")
    more = {"devices": devices, "start": start, "max_bytes": max_bytes}
    run = Run(build, axes, recipe, key=key, **more)
    training = Snapshots(run, steps, callback)
    with run.reported(steps[-1]):
        for _ in training.advance(progress):
            pass
        ds = training.dataset()
    warn_of_divergence(ds["finite"].isel(step=-1, drop=True))
    last = ds.isel(step=-1)
    warn_of_empty_data(last["loss"], last["finite"], run.labels)
    return ds


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

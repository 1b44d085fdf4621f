"""Snapshots of a grid in training."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from jsuper.sweeps.run import Run


def taken_along(
    run: Run,
    steps: Sequence[int],
    *,
    progress: bool | None = None,
    callback: Callable[[int, xr.Dataset], None] | None = None,
    on_chunk: Callable[[], None] | None = None,
) -> xr.Dataset:
    """Trains a grid and returns its models at some steps.

    Args:
        run: The grid before its first step.
        steps: The steps, ascending.
        progress: As in `jsuper.sweep`.
        callback: As in `jsuper.snapshots`.
        on_chunk: Called after each compiled call.
    """
    taken: list[xr.Dataset] = []

    def take(history):
        ds = run.dataset(history)
        taken.append(ds.assign(history=ds["history"].isel(step=0, drop=True)))
        if callback is not None:
            callback(run.done, taken[-1].assign_coords(step=run.done))

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
        if on_chunk is not None:
            on_chunk()
    return _along_steps(taken, steps).transpose(*run.grid.order, "step", ...)


def _along_steps(taken: list[xr.Dataset], steps: Sequence[int]) -> xr.Dataset:
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


def _bounds(steps: Sequence[int]) -> list[int]:
    """The steps, and steps between them so near each other that progress can be seen."""
    longest = max(1, steps[-1] // 100)
    bounds = sorted({0, *steps})
    between = (range(a, b, longest) for a, b in itertools.pairwise(bounds))
    return [*itertools.chain.from_iterable(between), steps[-1]]

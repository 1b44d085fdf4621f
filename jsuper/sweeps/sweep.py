r"""A grid of tasks by named axes: trained on every device, returned with labels."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import jax
import xarray as xr

from jsuper.sweeps.filling import fill
from jsuper.sweeps.run import Run, warn_of_divergence, warn_of_empty_data
from jsuper.sweeps.taking import Windows
from jsuper.training import Recipe
from jsuper.validation import as_count


def sweep(
    build: Callable[..., Any],
    axes: Mapping[str, Any],
    recipe: Recipe = Recipe(),
    *,
    key: jax.Array,
    start: Any = None,
    devices: int | str | Iterable[Any] | None = None,
    progress: bool | None = None,
    callback: Callable[[int, xr.Dataset], None] | None = None,
    chunks: int | None = None,
    store: str | Path | None = None,
    executor: Executor | None = None,
    retries: int = 2,
    save_every: float = 60,
    max_bytes: int | None = None,
) -> xr.Dataset:
    """Trains one model for every combination of the axes' values.

    Models that differ in numbers only train in one compiled call, which a second sweep of
    the same shapes reuses; sizes, names and other static choices make one such call each.
    Models that differ only in an axis share their random numbers, so that a difference
    between two cells is not noise; models of different seeds share none, so that a spread
    over seeds is an honest error bar. A cell does not depend on which others are trained
    with it.

    Args:
        build: Makes one task from plain values: called for each cell, with the axes'
            values as arguments, and a few times more to see what they change. If it takes
            ``seed``, it is called for each seed as well.
        axes: Values by name of an argument of ``build``, of ``recipe.optimizer``, or of
            both; one-dimensional and distinct. Numbers cost no compilation. Whole numbers
            that are sizes (``n_hidden``), names (strings), booleans, functions and None
            are static: one compilation for each combination. A mapping from names to
            values names functions. The reserved name ``seed`` is a count or a list of
            integers.
        recipe: How each model is trained. Its optimizer may be a function of axes.
        key: A typed key (``jax.random.key(0)``), from which the whole run follows.
        start: Parameters to start from, instead of what the tasks sample: a dataset of
            models or its file, matched by the names and values of axes and broadcast over
            those that it lacks; or the parameters of one model, for all.
        devices: Devices that share the grid, a number of them, or the name of a platform;
            by default all of ``jax.devices()`` (see `use_cpu_cores`).
        progress: Whether to show a progress bar; by default on a terminal and in a
            notebook.
        callback: Called after each chunk with the number of steps done and a snapshot:
            a dataset with the parameters and the history so far.
        chunks: Number of compiled calls, at most, that the steps are cut into; by default
            one for each entry of the history, up to 100.
        store: A folder ``….zarr``, or an fsspec address, that the sweep fills block by
            block ([stores](stores.md)). The same call goes on where it stopped; with more
            seeds or values it trains what is missing.
        executor: A ``concurrent.futures.Executor``, such as Dask's, whose workers train
            the blocks of the store.
        retries: How often a block that a worker failed at is tried again.
        save_every: Seconds between two states of the block in training, which a call that
            is killed goes on from.
        max_bytes: On other devices than CPUs, bytes of temporary arrays beyond which
            models are trained in parts; by default half of the device's memory.

    Returns:
        A dataset whose leading dimensions are the axes in their order:

        - one variable for each parameter (``W`` and ``b`` for `jsuper.ToyModel`), padded
          with NaN where models have several sizes (``hidden_padding`` marks what is);
        - ``loss``: population loss where it has a closed form, else loss on fresh data; its
          attribute ``kind`` says which;
        - ``history`` (..., step): mean training loss over the steps up to ``step``;
        - ``finite``: whether parameters and loss are finite numbers;
        - ``importance`` of each feature, where the tasks have one (``feature_importance``
          if an axis is called importance).

        Swept values are coordinates; ``sparsity`` stands beside a swept ``density``.
        The attribute ``made_by`` says in JSON how the dataset was made. With a store the
        arrays are Dask's, and ``done`` says what is trained.

    Raises:
        ValueError: If an axis is empty, repeated, not finite where it must be, unknown
            to ``build`` or ignored by it, if ``build`` rejects a value, if a number changes
            a size, if a name is used twice, if a task's loss is not a single number, if
            ``start`` lacks a model, or if ``store`` holds another sweep.
        TypeError: If ``key`` is not a typed key or ``build`` makes no task.
        KeyboardInterrupt: When interrupted, with the number of steps done.
        RuntimeError: If blocks of a store failed, with their coordinates, or another call
            fills it.
        OSError: If there is no room for a store.

    Warns:
        RuntimeWarning: If models diverged, with their coordinates, or if fresh data held
            no active feature.

    Example:
        >>> import jax, jsuper as js
        >>> def task(density, threshold):
        ...     return js.Task(
        ...         js.SparseFeatures(5, density), js.ToyModel(5, 2, threshold)
        ...     )
        >>> ds = js.sweep(
        ...     task,
        ...     {"density": [1.0, 0.1], "threshold": [0.0], "seed": 3},
        ...     js.Recipe(steps=100),
        ...     key=jax.random.key(0),
        ... )
        >>> dict(ds["W"].sizes)
        {'density': 2, 'threshold': 1, 'seed': 3, 'feature': 5, 'hidden': 2}

        Sizes and learning rates, two compilations:

        >>> import optax
        >>> def sized(n_hidden):
        ...     return js.Task(js.SparseFeatures(5, 0.1), js.ToyModel(5, n_hidden))
        >>> ds = js.sweep(
        ...     sized,
        ...     {"n_hidden": [2, 3], "learning_rate": [1e-3, 1e-2]},
        ...     js.Recipe(100, optimizer=lambda learning_rate: optax.adam(learning_rate)),
        ...     key=jax.random.key(0),
        ... )
        >>> ds["hidden_padding"].sel(n_hidden=2).values
        array([False, False,  True])
    """
    if store is not None:
        if callback is not None or chunks is not None:
            raise ValueError("callback and chunks must be None with a store")
        return fill(
            store,
            build,
            axes,
            recipe,
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
    if chunks is not None:
        chunks = as_count("chunks", chunks)
    more = {"devices": devices, "start": start, "max_bytes": max_bytes}
    run = Run(build, axes, recipe, key=key, **more)
    training = Windows(run, chunks)
    with run.reported(recipe.steps):
        for _ in training.advance(progress):
            if callback is not None:
                callback(run.done, training.dataset(with_loss=False))
        ds = training.dataset()
    warn_of_divergence(ds["finite"])
    warn_of_empty_data(ds["loss"], ds["finite"], run.labels)
    return ds

"""The blocks of a store, trained one after the other or by many workers."""

import contextlib
import errno
import queue
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper import stores
from jsuper.sweeps.devices import checked_devices, without_mesh
from jsuper.sweeps.provenance import made_by
from jsuper.sweeps.run import progress_bar, warn_of_divergence, warn_of_empty_data
from jsuper.sweeps.start import starting_params
from jsuper.sweeps.store import Plan
from jsuper.sweeps.worker import Job, Note, one_line, train_block, work
from jsuper.training import Recipe
from jsuper.validation import as_count, check, check_key

ALIVE_SECONDS = 2
"""Between two looks at whether an engine is still there."""


def fill(
    store: str | Path,
    build: Callable[..., Any],
    axes: Mapping[str, Any],
    recipe: Recipe,
    *,
    key: jax.Array,
    at: list[int] | None = None,
    start: Any = None,
    devices: Any = None,
    progress: bool | None = None,
    executor: Executor | None = None,
    retries: int = 2,
    save_every: float = 60,
    max_bytes: int | None = None,
) -> xr.Dataset:
    """Trains what a store lacks of a sweep, or of its snapshots; see `jsuper.sweep`."""
    check_key(key)
    if not isinstance(recipe, Recipe):
        raise TypeError(f"recipe must be a Recipe, got {recipe!r}")
    retries = as_count("retries", retries, 0)
    if max_bytes is not None:
        max_bytes = as_count("max_bytes", max_bytes)
    check("save_every", save_every, lambda s: s >= 0, "at least 0")
    if executor is not None:
        _check_executor(executor)
    if executor is not None and not isinstance(devices, int | str | None):
        raise ValueError(
            "devices must be None, a number or a platform with an executor, whose workers "
            f"have their own, got {devices!r}"
        )
    stores.check_installed()
    store = _checked_place(store)
    plan = Plan(store, build, axes, recipe, at)
    key = without_mesh(key)
    _, origin = starting_params(start, plan.labels)
    told = made_by(plan.grid, key, checked_devices(devices), origin)
    job = Job(
        address=store,
        build=build,
        axes=plan.axes,
        recipe=recipe,
        key=(str(jax.random.key_impl(key)), np.asarray(jax.random.key_data(key))),
        start=start,
        devices=devices,
        exact=plan.grid.has_population_loss,
        at=at,
        models=plan.models,
        save_every=save_every,
        max_bytes=max_bytes,
        x64=jax.dtypes.canonicalize_dtype(float) == np.float64,
    )
    plan.check_same(told)
    with _alone(store):
        with one_line(store):
            if stores.about(store) != plan.about:
                raise RuntimeError(f"store must be free, but another call fills {store}")
            plan.prepare(told)
            missing = plan.missing()
        failed = _train(job, missing, executor, retries, progress)
        if not failed:
            stores.tidy(store)
    if failed:
        named = "; ".join(f"{where}: {error}" for where, error in failed[:3])
        more = "; …" if len(failed) > 3 else ""
        raise RuntimeError(
            f"{len(failed)} of {len(missing)} blocks failed, the others are in {store}: "
            f"{named}{more}"
        )
    ds = plan.dataset()
    last = ds[["finite", "loss"]].compute()
    if at is not None:
        last = last.isel(step=-1, drop=True)
    warn_of_divergence(last["finite"])
    warn_of_empty_data(last["loss"], last["finite"], plan.labels)
    return ds


def _train(job, missing, executor, retries, progress) -> list[tuple[str, str]]:
    """Trains blocks; returns where it failed, and why."""
    n_models = sum(box.n_models for _, boxes in missing.values() for box in boxes)
    what = f"{len(missing)} blocks"
    with progress_bar(what, n_models, "model", progress) as bar:
        if executor is None:
            return _one_by_one(job, missing, bar)
        return _by_workers(job, missing, executor, retries, bar)


def _one_by_one(job, missing, bar) -> list[tuple[str, str]]:
    failed: list[tuple[str, str]] = []
    trained, diverged, shown = 0.0, 0, 0

    def advance(n_models, share):
        nonlocal trained, shown
        trained += n_models * share
        bar.update(round(trained) - shown)
        shown = round(trained)

    for i, (name, (block, boxes)) in enumerate(missing.items()):
        try:
            diverged += train_block(job, name, boxes, advance)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted in block {i + 1} of {len(missing)}; {job.address} has what "
                "is trained, and the same call goes on"
            ) from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
                raise
            failed.append(_failure(job, name, block, error))
        except Exception as error:  # the other blocks go on
            failed.append(_failure(job, name, block, error))
        if not bar.disable:
            bar.set_postfix_str(_state(i + 1, len(missing), diverged, len(failed)))
    return failed


def _by_workers(job, missing, executor, retries, bar) -> list[tuple[str, str]]:
    import cloudpickle

    payload = cloudpickle.dumps(job)
    failed: list[tuple[str, str]] = []
    tries: dict[str, int] = {}
    waiting: dict[Future, str] = {}
    finished: queue.SimpleQueue[Future] = queue.SimpleQueue()
    diverged = 0

    def ended(reason):
        return RuntimeError(
            f"executor must be running, but {reason}; the same call goes on with what "
            f"{job.address} lacks"
        )

    def submit(name):
        try:
            future = executor.submit(work, payload, name, missing[name][1])
        except Exception as error:  # whatever an engine has that is no more
            raise ended(f"takes no block ({error})") from None
        tries[name] = tries.get(name, 0) + 1
        waiting[future] = name
        future.add_done_callback(finished.put)

    try:
        for name in missing:
            submit(name)
        while waiting:
            try:
                future = finished.get(timeout=ALIVE_SECONDS)
            except queue.Empty:
                # Dask leaves the futures of a client without a scheduler as they are.
                client = getattr(executor, "_client", None)
                if getattr(client, "status", "") == "closed":
                    raise ended("its client is closed") from None
                continue
            name = waiting.pop(future)
            block, boxes = missing[name]
            try:
                diverged += future.result()
            except Exception as error:
                if tries[name] <= retries:
                    submit(name)
                    continue
                failed.append(_failure(job, name, block, error))
            bar.update(sum(box.n_models for box in boxes))
            if not bar.disable:
                n_done = len(missing) - len(waiting)
                bar.set_postfix_str(_state(n_done, len(missing), diverged, len(failed)))
    except BaseException:
        for future in waiting:
            with contextlib.suppress(Exception):
                future.cancel()
        raise
    return failed


def _failure(job, name, block, error) -> tuple[str, str]:
    said = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
    with contextlib.suppress(OSError):
        Note(job.address, name).write(status="failed", error=said)
    return block.named(job.axes) or "the only model", said


def _state(finished, n_blocks, diverged, failed) -> str:
    parts = [f"{finished} of {n_blocks} blocks"]
    parts += [f"{diverged} models diverged"] * (diverged > 0)
    parts += [f"{failed} blocks failed"] * (failed > 0)
    return ", ".join(parts)


def _check_executor(executor: Any) -> None:
    if not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor must be a concurrent.futures.Executor, got {executor!r}")
    context = getattr(executor, "_mp_context", None)
    if context is not None and context.get_start_method() == "fork":
        raise ValueError(
            "executor must not fork this process, whose threads of JAX a copy would lack: "
            "ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn'))"
        )


def _checked_place(store: str | Path) -> str:
    """The address of a store for any process, whatever folder it works in."""
    if not isinstance(store, str | Path):
        raise TypeError(f"store must be a path or an address, got {store!r}")
    if not stores.is_store(store):
        raise ValueError(
            f"store must be a folder whose name ends in .zarr, or an address, got "
            f"{str(store)!r}"
        )
    parent = Path(store).absolute().parent
    if not stores.is_remote(store) and not parent.is_dir():
        raise FileNotFoundError(f"store must lie in an existing folder, got {store}")
    return str(store if stores.is_remote(store) else Path(store).absolute())


@contextlib.contextmanager
def _alone(store: str | Path) -> Iterator[None]:
    """Raises if another call fills the store at this moment."""
    from filelock import FileLock, Timeout

    folder = stores.private(store)
    if folder is None:
        yield
        return
    with one_line(store):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", timeout=0):
            yield
    except Timeout:
        raise RuntimeError(f"store must be free, but another call fills {store}") from None

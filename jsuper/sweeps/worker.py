"""A block of a store: what a worker must know to train it, and how it does."""

import contextlib
import dataclasses
import functools
import json
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper import stores
from jsuper.stores import DONE
from jsuper.sweeps.axes import SEED, Axis
from jsuper.sweeps.blocks import Box
from jsuper.sweeps.run import Run
from jsuper.sweeps.state import SavedState
from jsuper.sweeps.taking import Snapshots, Windows
from jsuper.training import Recipe

NOTE_SECONDS = 5
"""Between two notes on how far a block is."""


@dataclasses.dataclass(frozen=True)
class Job:
    """What a worker must know to train any block of a store.

    Args:
        address: Of the store.
        build: As in `jsuper.sweep`.
        axes: All axes of the store, ``seed`` among them.
        recipe: As in `jsuper.sweep`.
        key: Name of the implementation, and data, of the key.
        start: As in `jsuper.sweep`.
        devices: As in `jsuper.sweep`.
        exact: Whether the final loss is the population loss.
        at: Steps of snapshots; None for the last step alone.
        models: Names of the variables that a block fills.
        save_every: Seconds between two states.
        max_bytes: As in `jsuper.sweep`.
        x64: Whether JAX counts in 64 bits.
    """

    address: str
    build: Callable[..., Any]
    axes: dict[str, Axis]
    recipe: Recipe
    key: tuple[str, np.ndarray]
    start: Any
    devices: Any
    exact: bool
    at: list[int] | None
    models: list[str]
    save_every: float
    max_bytes: int | None
    x64: bool

    def run_of(self, box: Box) -> Run:
        """Returns the training of some models of the grid."""
        own: dict[str, Any] = dict(box.of(self.axes))
        if SEED in own:
            own[SEED] = list(own[SEED].values)
        impl, data = self.key
        key = jax.random.wrap_key_data(jax.numpy.asarray(data), impl=impl)
        more = {"devices": self.devices, "start": self.start, "exact": self.exact}
        more["max_bytes"] = self.max_bytes
        return Run(self.build, own, self.recipe, key=key, **more)


def train_block(job: Job, name: str, boxes: list[Box], on_progress: Any = None) -> int:
    """Trains some models of a block and writes them; returns how many diverged.

    Args:
        job: The sweep.
        name: Name of the block.
        boxes: Which of its models.
        on_progress: Called with the number of models and the share of their training that
            has been done since the last call.
    """
    on_progress = on_progress or (lambda n_models, share: None)
    with jax.enable_x64(job.x64), _block_lock(job.address, name):
        done, diverged = stores.array(job.address, DONE), 0
        note = Note(job.address, name)
        for box in boxes:
            # Another worker may have trained it meanwhile.
            if not np.asarray(done[box.slices]).all():
                diverged += _train_box(job, name, box, done, note, on_progress)
        note.write(status="done", seconds=note.age)
        return diverged


def _train_box(job, name, box, done, note, on_progress) -> int:
    saved = _saved_state(job, name, box)
    ds = _trained(job, box, saved, note, on_progress)
    with one_line(job.address):
        for variable in job.models:
            values = ds[variable].values
            own = values.shape[len(box.ranges) :]
            place = (*box.slices, *(slice(n) for n in own))
            stores.array(job.address, variable)[place] = values
        done[box.slices] = np.ones(box.shape, bool)
    saved.clear()
    finite = ds["finite"] if job.at is None else ds["finite"].isel(step=-1)
    return int((~finite.values).sum())


def _saved_state(job: Job, name: str, box: Box) -> SavedState:
    folder = stores.private(job.address)
    where = "_".join(f"{a}-{b}" for a, b in box.ranges) or "all"
    return SavedState(folder and folder / "state" / name / where, job.save_every)


def _trained(job, box, saved, note, on_progress) -> xr.Dataset:
    """What is kept of the models of a box, trained from where their state was saved."""
    run, done = job.run_of(box), 0
    training = Windows(run) if job.at is None else Snapshots(run, job.at)
    steps = training.last_step

    def tell():
        nonlocal done
        on_progress(box.n_models, (run.done - done) / max(steps, 1))
        done = run.done

    found = saved.restore(training.saved)
    if found is not None:
        step, arrays = found
        training.restore(arrays, step)
        tell()
    for _ in training.advance(progress=False):
        tell()
        if saved.is_due and done < steps:
            saved.save(done, training.saved())
        note.write_sometimes(status="running", step=done, steps=steps)
    return training.dataset()


def work(payload: bytes, name: str, boxes: list[Box]) -> int:
    """Returns what `train_block` does, of a job that cloudpickle made portable."""
    return train_block(_unpickled(payload), name, boxes)


@functools.lru_cache(maxsize=4)
def _unpickled(payload: bytes) -> Job:
    """One job for all blocks that a worker gets: what it compiles serves them all."""
    return pickle.loads(payload)


class Note:
    """How far a block is, for ``jsuper info``; nothing where a store is far away."""

    def __init__(self, address: str, name: str):
        folder = stores.private(address)
        self._path = folder and folder / "blocks" / f"{name}.json"
        self._began = self._last = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the block began."""
        return round(time.monotonic() - self._began, 3)

    def write_sometimes(self, **told: Any) -> None:
        """Writes what is told, if the last note is some seconds old."""
        if time.monotonic() - self._last > NOTE_SECONDS:
            self.write(**told, seconds=self.age)

    def write(self, **told: Any) -> None:
        """Writes what is told, in the place of the last note."""
        self._last = time.monotonic()
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk is said where it matters
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(told))
            fresh.replace(self._path)


@contextlib.contextmanager
def one_line(store: str | Path) -> Iterator[None]:
    """Says in one line why a store cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        reason = f"store must have room and be writable, got {store} ({error.strerror})"
        raise OSError(error.errno, reason) from None


@contextlib.contextmanager
def _block_lock(address: str, name: str) -> Iterator[None]:
    """Waits for whoever trains the same block: a worker of a call that is no more."""
    from filelock import FileLock

    folder = stores.private(address)
    if folder is None:
        yield
        return
    with one_line(address):
        (folder / "blocks").mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "blocks" / f"{name}.lock"):
        yield

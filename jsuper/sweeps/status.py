"""How far a store is: what is done, running and failed, and how long the rest may take."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np

from jsuper import stores
from jsuper.sweeps.blocks import blocks


@dataclasses.dataclass(frozen=True)
class Status:
    """How far a store is.

    Args:
        n_blocks: Number of its blocks.
        done: How many of them are trained.
        running: Step that blocks in training are at, and number of steps, by block.
        failed: Error of blocks that failed, by block.
        seconds_left: Estimate of what the rest takes, NaN if no block has ended yet.
    """

    n_blocks: int
    done: int
    running: dict[str, tuple[int, int]]
    failed: dict[str, str]
    seconds_left: float

    def lines(self) -> list[str]:
        """Returns it in words."""
        text = f"{self.done} of {self.n_blocks} blocks done"
        text += f", {len(self.running)} running, {len(self.failed)} failed"
        if self.done < self.n_blocks and math.isfinite(self.seconds_left):
            text += f"; about {_duration(self.seconds_left)} left"
        running = [f"block {n}: step {a} of {b}" for n, (a, b) in self.running.items()]
        failed = [f"block {name}: {error}" for name, error in self.failed.items()]
        return [text, *running, *failed]


def status_of(address: str | Path) -> Status:
    """Returns how far a store is, from its marks and the notes of those who fill it."""
    about = stores.about(address)
    if about is None:
        raise ValueError(f"store must be one that a sweep has made, got {address}")
    array = stores.array(address, stores.DONE)
    try:
        done = np.asarray(array[...])
    except stores.DAMAGE:
        done = np.zeros(array.shape, bool)
    sizes = list(about["blocks"].values())
    every = list(blocks(done.shape, sizes))
    n_done = sum(bool(done[block.slices].all()) for block in every)
    running, failed, seconds = {}, {}, []
    folder = stores.private(address)
    for path in sorted((folder / "blocks").glob("*.json")) if folder else ():
        told = json.loads(path.read_text())
        if told["status"] == "done":
            seconds.append(told["seconds"])
        elif told["status"] == "failed":
            failed[path.stem] = told["error"]
        elif _is_locked(path.with_suffix(".lock")):
            running[path.stem] = told["step"], told["steps"]
    left = len(every) - n_done
    each = float(np.mean(seconds)) if seconds else math.nan
    return Status(len(every), n_done, running, failed, each * left / max(1, len(running)))


def _is_locked(path: Path) -> bool:
    from filelock import FileLock, Timeout

    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True


def _duration(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

"""Training that can be taken up again: the state of some models on disk."""

import contextlib
import errno
import hashlib
import logging
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

SPARE = 2**18
"""Bytes that must be free besides those of a state, for what Orbax writes around it."""


class SavedState:
    """The last state of some models in a folder, written by Orbax.

    Args:
        folder: Where it is; None keeps no state.
        every: Seconds between two states, at least.
    """

    def __init__(self, folder: Path | None, every: float):
        self._folder, self._every = folder, every
        self._last = time.monotonic()

    def save(self, step: int, arrays: Sequence[np.ndarray]) -> bool:
        """Writes a state and removes the one before; returns whether there is one."""
        import orbax.checkpoint as ocp

        self._last = time.monotonic()
        if self._folder is None:
            return False
        target = self._folder / str(step)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Orbax would say so in many lines.
            if (
                shutil.disk_usage(self._folder).free
                < 2 * sum(a.nbytes for a in arrays) + SPARE
            ):
                raise OSError(errno.ENOSPC, "no space left on device")
            with _silent(), ocp.StandardCheckpointer() as checkpointer:
                checkpointer.save(target, _tree(arrays), force=True)
        except Exception as error:  # training goes on without
            warnings.warn(
                f"the state at step {step} could not be saved in {self._folder}: "
                f"{' '.join(str(error).split())[:200]}",
                RuntimeWarning,
                stacklevel=2,
            )
            self.clear()
            self._folder = None  # the next attempt would end alike
            return False
        for other in self._folder.iterdir():
            if other != target:
                shutil.rmtree(other, ignore_errors=True)
        return True

    @property
    def is_due(self) -> bool:
        """Whether the last state is older than it may be."""
        return time.monotonic() - self._last >= self._every

    def restore(
        self, like: Callable[[], Sequence[np.ndarray]]
    ) -> tuple[int, list[np.ndarray]] | None:
        """Returns the last state with its step; None if there is none that is whole.

        Args:
            like: Returns arrays of the shapes and types of those that were saved.
        """
        if self._folder is None or not self._folder.is_dir():
            return None
        found = list(self._folder.iterdir())
        for path in found:
            if not path.name.isdigit():  # what was being written when the process died
                shutil.rmtree(path, ignore_errors=True)
        steps = [int(path.name) for path in found if path.name.isdigit()]
        for step in sorted(steps, reverse=True):
            arrays = _read(self._folder / str(step), like())
            if arrays is not None:
                return step, arrays
        self.clear()
        return None

    def clear(self) -> None:
        """Removes all states."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _read(path: Path, like: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    import orbax.checkpoint as ocp

    reason = "its digest is another"
    try:
        with _silent(), ocp.StandardCheckpointer() as checkpointer:
            tree = checkpointer.restore(path, _tree(like))
        arrays = [np.asarray(tree[str(i)]) for i in range(len(like))]
        # Orbax itself does not notice a changed byte.
        if np.array_equal(tree["digest"], _digest(arrays)):
            return arrays
    except Exception as error:  # whatever a damaged file makes of its reader
        reason = " ".join(str(error).split())[:200]
    warnings.warn(
        f"the state in {path} is damaged and not used: {reason}",
        RuntimeWarning,
        stacklevel=3,
    )
    return None


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Errors are said in one line, without the tracebacks that Orbax logs of them."""
    logger = logging.getLogger("absl")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _tree(arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    named = {str(i): np.asarray(array) for i, array in enumerate(arrays)}
    return {**named, "digest": _digest(arrays)}


def _digest(arrays: Sequence[np.ndarray]) -> np.ndarray:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return np.frombuffer(digest.digest(), np.uint8).copy()

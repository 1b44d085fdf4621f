"""Training that can be taken up again: the state of some models on disk."""

import hashlib
import shutil
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np


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
            with ocp.StandardCheckpointer() as checkpointer:
                checkpointer.save(target, _tree(arrays), force=True)
        except Exception as error:  # training goes on without
            warnings.warn(
                f"the state at step {step} could not be saved in {self._folder}: "
                f"{' '.join(str(error).split())[:200]}",
                RuntimeWarning,
                stacklevel=2,
            )
            shutil.rmtree(target, ignore_errors=True)
            return False
        for other in self._folder.iterdir():
            if other != target:
                shutil.rmtree(other, ignore_errors=True)
        return True

    @property
    def is_due(self) -> bool:
        """Whether the last state is older than it may be."""
        return time.monotonic() - self._last >= self._every

    def restore(self, like: Sequence[np.ndarray]) -> tuple[int, list[np.ndarray]] | None:
        """Returns the last state with its step; None if there is none that is whole.

        Args:
            like: Arrays of the shapes and types of those that were saved.
        """
        if self._folder is None or not self._folder.is_dir():
            return None
        steps = [int(path.name) for path in self._folder.iterdir() if path.name.isdigit()]
        for step in sorted(steps, reverse=True):
            found = _read(self._folder / str(step), like)
            if found is not None:
                return step, found
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
        with ocp.StandardCheckpointer() as checkpointer:
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


def _tree(arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    named = {str(i): np.asarray(array) for i, array in enumerate(arrays)}
    return {**named, "digest": _digest(arrays)}


def _digest(arrays: Sequence[np.ndarray]) -> np.ndarray:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return np.frombuffer(digest.digest(), np.uint8).copy()

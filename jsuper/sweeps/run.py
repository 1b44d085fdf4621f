"""One grid in training: what `jsuper.sweep` and `jsuper.snapshots` have in common."""

import contextlib
import errno
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper.sweeps.axes import coordinates
from jsuper.sweeps.devices import (
    SharedTraining,
    checked_devices,
    mesh_of,
    without_mesh,
)
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.labels import Labels
from jsuper.sweeps.provenance import made_by
from jsuper.sweeps.start import starting_params
from jsuper.training import Recipe, counter_based
from jsuper.validation import as_count, check_key


class Run:
    """A grid on its devices, at some step of its training.

    Everything that can be known is checked here, before anything compiles.

    Args:
        build: As in `jsuper.sweep`.
        axes: As in `jsuper.sweep`.
        recipe: As in `jsuper.sweep`.
        key: As in `jsuper.sweep`.
        devices: As in `jsuper.sweep`.
        start: As in `jsuper.sweep`.
        exact: As in `jsuper.sweeps.grid.Grid`.
        max_bytes: As in `jsuper.sweep`.

    Raises:
        ValueError: As `jsuper.sweep`.
        TypeError: As `jsuper.sweep`.
    """

    def __init__(
        self,
        build: Callable[..., Any],
        axes: Mapping[str, Any],
        recipe: Recipe,
        *,
        key: jax.Array,
        devices: Any = None,
        start: Any = None,
        exact: bool | None = None,
        max_bytes: int | None = None,
    ):
        check_key(key)
        if not isinstance(recipe, Recipe):
            raise TypeError(f"recipe must be a Recipe, got {recipe!r}")
        if max_bytes is not None:
            max_bytes = as_count("max_bytes", max_bytes)
        devices = checked_devices(devices)
        self.done, self._mesh = 0, mesh_of(devices)
        try:
            with self._own_mesh():
                self._prepare(
                    Grid(build, axes, recipe, exact), key, devices, start, max_bytes
                )
        except KeyboardInterrupt:
            raise KeyboardInterrupt("interrupted before the first step") from None

    def _prepare(self, grid, key, devices, start, max_bytes):
        key = without_mesh(key)
        self.grid = grid
        self.labels = Labels(self.grid)
        params, origin = starting_params(start, self.labels)
        self.made_by = made_by(self.grid, key, devices, origin)
        keys = self.grid.keys(counter_based(key))
        self._parts = [
            SharedTraining(
                group.grid,
                (len(group.cells), len(self.grid.seeds)),
                keys[group.cells] if keys.ndim == 2 else keys,
                self.grid.recipe,
                group.optimizer,
                devices,
                own,
                max_bytes,
            )
            for group, own in zip(self.grid.groups, params, strict=True)
        ]

    def chunks(
        self,
        firsts: Sequence[int],
        lengths: Sequence[int],
        size: int,
        *,
        progress: bool | None = None,
    ) -> Iterator[np.ndarray]:
        """Trains through some windows, a few at a time.

        Args:
            firsts: First step of each window.
            lengths: Number of steps of each.
            size: Number of windows in a chunk; one compiled shape serves all chunks.
            progress: As in `jsuper.sweep`.

        Yields:
            Mean training losses of each chunk, shape (n_cells, n_seeds, windows). Then
            ``done`` is the step that the models stand at.
        """
        total = sum(lengths)
        with progress_bar(f"{self.grid.n_models} models", total, "step", progress) as bar:
            for i in range(0, len(firsts), size):
                first, length = firsts[i : i + size], lengths[i : i + size]
                history = self.empty(len(first))
                for j, (group, part) in enumerate(self._groups()):
                    if i == 0 and len(self._parts) > 1 and not bar.disable:
                        bar.set_postfix_str(f"program {j + 1} of {len(self._parts)}")
                    with self._own_mesh():
                        history[group.cells] = part.advance(first, length, size)
                self.done = first[-1] + length[-1]
                bar.update(sum(length))
                if not bar.disable:
                    bar.set_postfix_str(f"median loss {np.median(history):.3g}")
                yield history

    def saved(self) -> list[np.ndarray]:
        """Returns what training goes on from, one program after the other."""
        with self._own_mesh():
            return [array for part in self._parts for array in part.saved()]

    def restore(self, arrays: Sequence[np.ndarray], done: int) -> None:
        """Goes back to what `saved` returned after ``done`` steps."""
        left = list(arrays)
        with self._own_mesh():
            for part in self._parts:
                n_own = len(jax.tree.leaves(part.state))
                part.restore(left[:n_own])
                del left[:n_own]
        self.done = done

    def dataset(self, history: np.ndarray, *, with_loss: bool = True) -> xr.Dataset:
        """Returns the models as they stand.

        Args:
            history: Training losses so far, shape (n_cells, n_seeds, n_windows).
            with_loss: Whether to measure the loss on fresh data.
        """
        loss = None
        if with_loss:
            loss = self.empty()
            for group, part in self._groups():
                with self._own_mesh():
                    loss[group.cells] = part.loss()
        params = [part.params() for part in self._parts]
        ds = self.labels.dataset(params, history, loss)
        ds.attrs["made_by"] = self.made_by
        return ds

    @contextlib.contextmanager
    def reported(self, steps: int) -> Iterator[None]:
        """Says how far the run was if it is interrupted.

        Args:
            steps: Number of steps that the run is to take.

        Raises:
            KeyboardInterrupt: With that message, when interrupted.
        """
        try:
            yield
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted at step {self.done} of {steps}; nothing is returned, a "
                "callback keeps what is trained"
            ) from None

    def _own_mesh(self):
        """Whatever mesh the caller has set, these models have their own."""
        return jax.set_mesh(self._mesh)

    def _groups(self):
        return zip(self.grid.groups, self._parts, strict=True)

    def empty(self, *shape: int) -> np.ndarray:
        """Returns NaN for every model, shape (n_cells, n_seeds, *shape)."""
        dtype = jax.dtypes.canonicalize_dtype(float)
        return np.full((self.grid.n_cells, len(self.grid.seeds), *shape), np.nan, dtype)


def warn_of_divergence(finite: xr.DataArray, max_named: int = 5) -> None:
    """Warns of models that diverged, by their coordinates.

    Args:
        finite: Whether each model is finite, along the axes of the sweep.
        max_named: Largest number of models that are named.
    """
    where = np.argwhere(~finite.values)
    if len(where) == 0:
        return
    named = [
        coordinates(
            {d: finite[d].values[i] for d, i in zip(finite.dims, place, strict=True)}
        )
        for place in where[:max_named]
    ]
    more = "; …" if len(where) > max_named else ""
    warnings.warn(
        f"{len(where)} of {finite.size} models diverged: {'; '.join(named)}{more}",
        RuntimeWarning,
        stacklevel=3,
    )


def warn_of_empty_data(loss: xr.DataArray, finite: xr.DataArray, labels: Labels) -> None:
    """Warns of losses that say nothing, since fresh data held no active feature.

    Args:
        loss: Loss on fresh data.
        finite: Whether each model is finite.
        labels: Those of the grid on whose tasks the loss was measured.
    """
    recipe, n_features = labels.grid.recipe, labels.largest.get("feature", 1)
    if labels.grid.has_population_loss:
        return
    examples = (recipe.batch_size or 0) * (recipe.eval_batches or 0)
    empty = (loss == 0) & finite
    if (examples * n_features * labels.grid.density < 7).any() and empty.any():
        warnings.warn(
            f"{int(empty.sum())} of {empty.size} models have a loss of exactly 0: "
            f"their {examples:,} fresh examples held no active feature; raise the number "
            "of batches (eval_batches)",
            RuntimeWarning,
            stacklevel=3,
        )


class _StandardError:
    """Standard error; what breaks it ends the progress bar, and not the run."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)

    def write(self, text: str) -> None:
        self._attempt(lambda: sys.stderr.write(text))

    def flush(self) -> None:
        self._attempt(sys.stderr.flush)

    def _attempt(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except OSError as error:  # a reader that is gone, a full disk
            # The one that tqdm takes for the end of its bar.
            raise OSError(errno.EIO, str(error)) from error


def progress_bar(what: str, total: int, unit: str, progress: bool | None) -> Any:
    """A progress bar, on a terminal or in a notebook unless told otherwise."""
    notebook = _in_notebook()
    try:
        terminal = sys.stderr.isatty()
    except (AttributeError, ValueError, OSError):  # there is none, or it is closed
        terminal = progress = False
    shown = (terminal or notebook) if progress is None else progress
    if notebook and shown:
        from tqdm import TqdmWarning

        with warnings.catch_warnings():  # that ipywidgets is missing: the bar is text then
            warnings.simplefilter("ignore", TqdmWarning)
            from tqdm.auto import tqdm
    else:
        from tqdm import tqdm
    return tqdm(
        total=total,
        unit=unit,
        desc=what,
        disable=not shown,
        file=_StandardError(),
        ncols=shutil.get_terminal_size().columns if terminal else None,
    )


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")

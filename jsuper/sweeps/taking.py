"""What is taken of a grid along its training: losses of windows, models at some steps."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import xarray as xr

from jsuper.sweeps.labels import Labels
from jsuper.sweeps.run import Run


class Windows:
    """A grid in training, with its mean losses over the windows of its recipe.

    Args:
        run: The grid before its first step.
        chunks: As in `jsuper.sweep`.
    """

    def __init__(self, run: Run, chunks: int | None = None):
        self._run = run
        self._firsts, self._lengths = run.grid.recipe.windows()
        n = len(self._firsts)
        self._at_once = math.ceil(n / (chunks or min(n, 100)))
        self._history = run.empty(n)
        self._n_trained = 0

    @property
    def last_step(self) -> int:
        """The step that training ends at."""
        return self._run.grid.recipe.steps

    def advance(self, progress: bool | None = None) -> Iterator[None]:
        """Trains to the end; yields after each compiled call."""
        firsts, lengths = (x[self._n_trained :] for x in (self._firsts, self._lengths))
        for losses in self._run.chunks(firsts, lengths, self._at_once, progress=progress):
            end = self._n_trained + losses.shape[-1]
            self._history[..., self._n_trained : end] = losses
            self._n_trained = end
            yield

    def saved(self) -> list[np.ndarray]:
        """Returns what training goes on from."""
        return [*self._run.saved(), self._history]

    def restore(self, arrays: Sequence[np.ndarray], done: int) -> None:
        """Goes back to what `saved` returned after ``done`` steps."""
        *state, history = arrays
        self._run.restore(state, done)
        self._history[...] = history
        self._n_trained = self._firsts.index(done)

    def dataset(self, *, with_loss: bool = True) -> xr.Dataset:
        """Returns the models as they stand, with the losses so far."""
        history = self._history[..., : self._n_trained]
        return self._run.dataset(history, with_loss=with_loss)


class Snapshots:
    """A grid in training, with its models at some steps.

    Args:
        run: The grid before its first step.
        steps: The steps, ascending.
        callback: As in `jsuper.snapshots`.
    """

    def __init__(
        self,
        run: Run,
        steps: Sequence[int],
        callback: Callable[[int, xr.Dataset], None] | None = None,
    ):
        self._run, self._steps, self._callback = run, list(steps), callback
        self._bounds = _bounds(steps)
        self._since = np.zeros_like(run.empty(1))
        self._template = ds = along_steps(run.labels, steps)
        names = run.labels.of_models
        self._taken = {name: np.zeros(ds[name].shape, ds[name].dtype) for name in names}

    @property
    def last_step(self) -> int:
        """The step that training ends at."""
        return self._steps[-1]

    def advance(self, progress: bool | None = None) -> Iterator[None]:
        """Trains to the end; yields after each compiled call."""
        run = self._run
        if run.done == 0 and self._steps[0] == 0:
            self._take(run.empty(1))
        windows = [w for w in itertools.pairwise(self._bounds) if w[0] >= run.done]
        lengths = [end - first for first, end in windows]
        chunks = run.chunks([first for first, _ in windows], lengths, 1, progress=progress)
        for length, losses in zip(lengths, chunks, strict=True):
            self._since += losses * length
            if run.done in self._steps:
                before = max(step for step in [0, *self._steps] if step < run.done)
                self._take(self._since / (run.done - before))
                self._since[...] = 0
            yield

    def _take(self, history: np.ndarray) -> None:
        run = self._run
        ds = run.dataset(history)
        ds = ds.assign(history=ds["history"].isel(step=0, drop=True))
        place = (*[slice(None)] * len(run.grid.order), self._steps.index(run.done))
        for name, taken in self._taken.items():
            taken[place] = ds[name].values
        if self._callback is not None:
            self._callback(run.done, ds.assign_coords(step=run.done))

    def saved(self) -> list[np.ndarray]:
        """Returns what training goes on from."""
        return [*self._run.saved(), self._since, *self._taken.values()]

    def restore(self, arrays: Sequence[np.ndarray], done: int) -> None:
        """Goes back to what `saved` returned after ``done`` steps."""
        n_own = len(self._taken) + 1
        self._run.restore(arrays[:-n_own], done)
        own = self._since, *self._taken.values()
        for mine, array in zip(own, arrays[-n_own:], strict=True):
            mine[...] = array

    def dataset(self) -> xr.Dataset:
        """Returns the models at all steps, once they are trained."""
        ds = self._template.assign_attrs(made_by=self._run.made_by)
        return ds.assign({n: ds[n].copy(data=taken) for n, taken in self._taken.items()})


def along_steps(labels: Labels, steps: Sequence[int]) -> xr.Dataset:
    """Returns the dataset of a grid's snapshots with none of its numbers."""
    ds = labels.template()
    about = ds["step"].attrs
    ds = ds.isel(step=0, drop=True)
    along = {name: ds[name].expand_dims(step=list(steps)) for name in labels.of_models}
    ds = ds.assign(along).transpose(*labels.grid.order, "step", ...)
    ds["step"].attrs = about
    return ds


def _bounds(steps: Sequence[int]) -> list[int]:
    """The steps, and steps between them so near each other that progress can be seen."""
    longest = max(1, steps[-1] // 100)
    bounds = sorted({0, *steps})
    between = (range(a, b, longest) for a, b in itertools.pairwise(bounds))
    return [*itertools.chain.from_iterable(between), steps[-1]]

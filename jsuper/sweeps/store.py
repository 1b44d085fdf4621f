"""A sweep in a store: what it holds, what is asked of it, and what is left to train."""

import contextlib
import json
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper import stores
from jsuper.stores import DONE
from jsuper.sweeps.axes import SEED, Axis, coordinates, read_axes, read_seeds
from jsuper.sweeps.blocks import Box, block_sizes, blocks, boxes_of
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.labels import Labels
from jsuper.sweeps.taking import along_steps
from jsuper.training import Recipe
from jsuper.wording import text

DIGEST = stores.HIDDEN

IDENTITY = ("recipe", "first_task", "key", "float", "start")
"""Entries of ``made_by`` in which all calls on one store agree."""


class Plan:
    """The grid of a store that holds what is asked: all that can be known is checked.

    Args:
        address: Of the store, which may not exist yet.
        build: As in `jsuper.sweep`.
        axes: As in `jsuper.sweep`; what the store has besides stays.
        recipe: As in `jsuper.sweep`.
        at: Steps of snapshots; None for the last step alone.

    Raises:
        ValueError: If the store holds another sweep.
    """

    def __init__(
        self,
        address: str | Path,
        build: Callable[..., Any],
        axes: Mapping[str, Any],
        recipe: Recipe,
        at: list[int] | None = None,
    ):
        self.address, self._at = address, at
        about = stores.about(address)
        united, self.wanted = _united(axes, about and about["axes"])
        self.grid = Grid(build, united, recipe)
        self.labels = Labels(self.grid)
        seeds = Axis(SEED, tuple(self.grid.seeds), "integer")
        self.axes = {n: self.grid.axes.get(n, seeds) for n in self.grid.order}
        self.shape = tuple(len(axis.values) for axis in self.axes.values())
        self.sizes = about["blocks"] if about else self._block_sizes()
        self.models = self.labels.of_models
        self.template = self._template()
        self.about = about

    def _block_sizes(self) -> dict[str, int]:
        return block_sizes(self.grid, self.labels, len(self._at or [1]))

    def prepare(self, made_by: str) -> None:
        """Makes the store, enlarges it, or mends its labels.

        Args:
            made_by: How the sweep is made, in JSON.
        """
        changed = stores.make(
            self.address,
            self.template,
            [*self.models, DONE],
            self.sizes,
            {"made_by": made_by},
        )
        before = self.about and [len(values) for values in self.about["axes"].values()]
        if changed and before == [*self.shape]:
            warnings.warn(
                f"the store {self.address} had damaged labels, which are written again: "
                f"{', '.join(sorted(changed))}",
                RuntimeWarning,
                stacklevel=2,
            )

    def blocks(self) -> Iterator[tuple[str, Box]]:
        """Yields the blocks of the store, with a name for each that growth leaves alone."""
        sizes = [self.sizes[axis] for axis in self.axes]
        for block in blocks(self.shape, sizes):
            firsts = zip(block.ranges, sizes, strict=True)
            yield ("-".join(str(r[0] // n) for r, n in firsts) or "all"), block

    def missing(self) -> dict[str, tuple[Box, list[Box]]]:
        """Returns what is asked and not there: blocks by name, and which parts of each.

        A block that cannot be read counts as not trained.
        """
        asked = np.zeros(self.shape, bool)
        asked[np.ix_(*self.wanted.values()) if self.wanted else ()] = True
        found, damaged = {}, []
        done, arrays = stores.array(self.address, DONE), self._arrays()
        for name, block in self.blocks():
            try:
                trained = np.asarray(done[block.slices])
                if trained.any():
                    self._check_whole(name, block, arrays)
            except stores.DAMAGE as error:
                damaged.append(f"{block.named(self.axes)} ({error})")
                trained = np.zeros(block.shape, bool)
                done[block.slices] = trained
            offset = [first for first, _ in block.ranges]
            boxes = boxes_of(asked[block.slices] & ~trained, offset)
            if boxes:
                found[name] = (block, boxes)
        if damaged:
            more = "; …" if len(damaged) > 5 else ""
            warnings.warn(
                f"blocks of {self.address} are damaged and trained again "
                f"({len(damaged)}): {'; '.join(damaged[:5])}{more}",
                RuntimeWarning,
                stacklevel=2,
            )
        return found

    def dataset(self) -> xr.Dataset:
        """Returns what is asked, as Dask arrays."""
        ds = stores.opened(self.address).drop_vars(DIGEST, errors="ignore")
        part = {n: i for n, i in self.wanted.items() if i != list(range(ds.sizes[n]))}
        return ds.isel(part)

    def _template(self) -> xr.Dataset:
        labels, at = self.labels, self._at
        ds = labels.template() if at is None else along_steps(labels, at)
        digests = _task_digests(self.grid).reshape(self.grid.shape)
        done = np.broadcast_to(np.zeros((), bool), self.shape)
        return ds.assign(
            {DIGEST: (tuple(self.grid.axes), digests), DONE: (tuple(self.axes), done)}
        )

    def check_same(self, made_by: str) -> None:
        """Raises `ValueError` if the store holds another sweep, and how it differs.

        Args:
            made_by: How the sweep is made, in JSON.
        """
        if not self.about:
            return
        stored = stores.attributes(self.address)
        have, want = (json.loads(str(told)) for told in (stored["made_by"], made_by))
        for name in IDENTITY:
            differs = _difference(have.get(name), want.get(name), name)
            if differs:
                raise ValueError(f"store must hold the same sweep, but {differs}")
        if self._kept_at_other_steps():
            raise ValueError(
                "store must hold the same sweep, but its models are kept at other steps "
                "than this call's (those of js.sweep at the last, of js.snapshots at some)"
            )
        try:
            digests = np.asarray(stores.array(self.address, DIGEST)[...])
        except stores.DAMAGE:
            return  # damaged, and written again
        own = self.template[DIGEST].values
        if digests.ndim != own.ndim:
            return
        both = tuple(map(slice, np.minimum(digests.shape, own.shape)))
        others = np.argwhere(digests[both] != own[both])
        if len(others):
            place = tuple(others[0])
            cell = {
                name: axis.coordinate[i]
                for (name, axis), i in zip(self.grid.axes.items(), place, strict=True)
            }
            raise ValueError(
                "store must hold the same sweep, but build makes another task at "
                f"{coordinates(cell) or 'its only cell'}: the store has one of digest "
                f"{digests[place]:08x}, this call {own[place]:08x}"
            )

    def _kept_at_other_steps(self) -> bool:
        with contextlib.suppress(*stores.DAMAGE):
            loss, step = (stores.array(self.address, name) for name in ("loss", "step"))
            dims = tuple(loss.metadata.dimension_names)
            own = self.template
            return dims != own["loss"].dims or not np.array_equal(step[...], own["step"])
        return False

    def _arrays(self) -> dict[str, Any]:
        return {name: stores.array(self.address, name) for name in self.models}

    def _check_whole(self, name: str, block: Box, arrays: Mapping[str, Any]) -> None:
        """Raises unless all chunks of a block are there and have their checksums."""
        place = [] if name == "all" else name.split("-")
        for variable, array in arrays.items():
            own = ["0"] * (self.template[variable].ndim - len(place))
            chunk = Path(self.address, variable, "c", *place, *own)
            if not stores.is_remote(self.address) and not chunk.is_file():
                raise FileNotFoundError(f"{variable}: its chunk is missing")
            try:
                array[block.slices]
            except Exception as error:  # whatever a codec makes of it
                reason = " ".join(str(error).split())
                reason = "its checksum is another" if "checksum" in reason else reason
                raise ValueError(f"{variable}: {reason}") from None


def _united(
    axes: Mapping[str, Any], stored: Mapping[str, list[Any]] | None
) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """The axes of a store and those asked for as one, and where the latter are in it."""
    read, seeds = read_axes(axes), read_seeds(axes)
    if stored is not None and tuple(stored) != tuple(axes):
        raise ValueError(
            f"store must hold the same sweep, but its axes are ({', '.join(stored)}), and "
            f"this call's ({', '.join(map(str, axes))})"
        )
    united, wanted = {}, {}
    for name in axes:
        if name == SEED:
            have = stored[name] if stored else []
            united[name] = [*have, *(seed for seed in seeds if seed not in set(have))]
            wanted[name] = [united[name].index(seed) for seed in seeds]
            continue
        axis = read[name]
        labels = axis.coordinate.tolist()
        have = stored[name] if stored else []
        every = [*have, *(label for label in labels if label not in have)]
        wanted[name] = [every.index(label) for label in labels]
        united[name] = axis if every == labels else _with_stored(axis, labels, every)
    return united, wanted


def _with_stored(axis: Axis, labels: list[Any], every: list[Any]) -> Any:
    """An axis with further values, which a store has."""
    given = dict(zip(labels, axis.values, strict=True))
    named = axis.names is not None or bool(axis.stands_for)
    lacks = [label for label in every if label not in given]
    if named and lacks:
        raise ValueError(
            f"axis {axis.name!r} must hold all that the store has, got none for "
            f"{text(lacks[0])}"
        )
    values = [given.get(label, label) for label in every]
    return dict(zip(every, values, strict=True)) if named else values


def _task_digests(grid: Grid) -> np.ndarray:
    """32 bits of the numbers of each cell's task, of its first seed."""
    digests = np.zeros(grid.n_cells, np.uint32)
    for group in grid.groups:
        parts = []
        for leaf in jax.tree.leaves(group.grid):
            if jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key):
                leaf = jax.random.key_data(leaf)
            rows = np.asarray(leaf)[:, 0]
            own = np.array([zlib.crc32(row.tobytes()) for row in rows], np.uint32)
            parts.append(np.broadcast_to(own, len(group.cells)))
        for i, cell in enumerate(group.cells):
            numbers = np.array([part[i] for part in parts], np.uint32)
            digests[cell] = zlib.crc32(numbers.tobytes())
    return digests


def _difference(have: Any, want: Any, path: str) -> str:
    """The first place where two JSON values differ, with both; empty if there is none."""
    if isinstance(have, dict) and isinstance(want, dict):
        for name in {**have, **want}:
            found = _difference(have.get(name), want.get(name), f"{path}.{name}")
            if found:
                return found
        return ""
    if have == want:
        return ""
    have, want = (
        f"{shown[:79]}…" if len(shown) > 80 else shown for shown in map(repr, (have, want))
    )
    return f"its {path} is {have}, and this call's {want}"

"""A grid in blocks: how many models are trained and stored together, and which."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import jax
import numpy as np

from jsuper.sweeps.axes import SEED, Axis, coordinates
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.labels import Labels, named_leaves

SECONDS = 60
"""About what a block takes on two CPU cores."""

RATE = 5e9
"""Parameters × examples that two CPU cores train in a second, within a factor of three:
4e9 for 2→1, 4.4e9 for 5→2, 1e10 for 100→20 (``benchmarks/throughput.py``)."""

EXAMPLES = 1024
"""Taken for the size of a batch where a task samples none."""

MOST_BYTES = 2**30
"""Of a block: parameters, optimizer, history, a batch of each model and what it becomes."""

MOST_MODELS = 10_000
"""In a block, so that a crash costs little and a store has chunks of some 100 kB."""


@dataclasses.dataclass(frozen=True)
class Box:
    """Some successive values of each axis, as from-to pairs in the order of the axes."""

    ranges: tuple[tuple[int, int], ...]

    @property
    def slices(self) -> tuple[slice, ...]:
        """The place in an array whose leading dimensions are the axes."""
        return tuple(slice(*ends) for ends in self.ranges)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis."""
        return tuple(stop - start for start, stop in self.ranges)

    @property
    def n_models(self) -> int:
        """Number of models."""
        return math.prod(self.shape)

    def of(self, axes: Mapping[str, Axis]) -> dict[str, Axis]:
        """Returns the axes with their values here."""
        own = zip(axes.items(), self.slices, strict=True)
        return {name: part(axis, piece) for (name, axis), piece in own}

    def named(self, axes: Mapping[str, Axis]) -> str:
        """Returns where the box is, as in ``density=0.1…0.3 seed=0…7``."""
        ends = {}
        for name, axis in self.of(axes).items():
            labels = axis.coordinate.tolist()
            text = coordinates({name: labels[0]})
            if len(labels) > 1:
                text += "…" + coordinates({name: labels[-1]}).removeprefix(f"{name}=")
            ends[name] = text
        return " ".join(ends.values())


def part(axis: Axis, piece: slice) -> Axis:
    """Returns an axis with some of its values."""
    names = None if axis.names is None else axis.names[piece]
    return dataclasses.replace(axis, values=axis.values[piece], names=names)


def block_sizes(grid: Grid, labels: Labels, n_kept: int = 1) -> dict[str, int]:
    """Returns the number of values of each axis in a block: a fixed rule.

    It looks at the sizes of models and the recipe, never at the machine. All seeds of a
    cell stay together where they can, and models of several sizes or kinds apart.

    Args:
        grid: The grid.
        labels: Its labels.
        n_kept: Number of steps at which parameters are kept.
    """
    recipe = grid.recipe
    n_params = max(
        sum(math.prod(leaf.shape) for _, leaf in named_leaves(group.params))
        for group in grid.groups
    )
    n_examples = recipe.batch_size or EXAMPLES
    fast_enough = SECONDS * RATE / (n_params * n_examples * recipe.steps)
    width = max(labels.largest.values(), default=1)
    n_numbers = (2 + n_kept) * n_params + len(recipe.windows()[0]) + 4 * n_examples * width
    bytes_each = n_numbers * jax.dtypes.canonicalize_dtype(float).itemsize
    left = max(1, int(min(fast_enough, MOST_BYTES / bytes_each, MOST_MODELS)))
    sizes = dict.fromkeys(grid.order, 1)
    for axis in (SEED, *reversed(grid.order)):
        n_values = len(grid.seeds) if axis == SEED else len(grid.axes[axis].values)
        is_number = axis == SEED or grid.axes[axis].kind == "number"
        if axis not in sizes or sizes[axis] > 1 or not is_number:
            continue
        n_blocks = math.ceil(n_values / min(n_values, left))
        sizes[axis] = math.ceil(n_values / n_blocks)
        left //= sizes[axis]
        if left == 0:
            break
    return sizes


def blocks(shape: Sequence[int], sizes: Sequence[int]) -> Iterator[Box]:
    """Yields the blocks of a grid in order, the last ones of an axis cut short.

    Args:
        shape: Number of values of each axis.
        sizes: Number of values of each axis in a block.
    """
    ranges = (
        [(first, min(first + size, n)) for first in range(0, n, size)]
        for n, size in zip(shape, sizes, strict=True)
    )
    yield from map(Box, itertools.product(*ranges))


def boxes_of(wanted: np.ndarray, offset: Sequence[int] = ()) -> list[Box]:
    """Returns boxes that hold all entries that are wanted, once, and no others.

    Args:
        wanted: Booleans, one for each model of a block.
        offset: Where its first entry is in the grid; by default at 0.
    """
    offset = tuple(offset) or (0,) * wanted.ndim
    if not wanted.any():
        return []
    if wanted.all():
        return [Box(tuple((o, o + n) for o, n in zip(offset, wanted.shape, strict=True)))]
    # Along an axis where they differ, entries that are alike stay together.
    flat = [np.moveaxis(wanted, i, 0).reshape(n, -1) for i, n in enumerate(wanted.shape)]
    changes = [np.flatnonzero((rows[1:] != rows[:-1]).any(1)) + 1 for rows in flat]
    axis = next(i for i, cuts in enumerate(changes) if len(cuts))
    found, first = [], 0
    for piece in np.split(wanted, changes[axis], axis):
        own = list(offset)
        own[axis] += first
        found += boxes_of(piece, own)
        first += piece.shape[axis]
    return found

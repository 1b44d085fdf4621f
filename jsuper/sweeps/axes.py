"""The axes of a sweep: names and values, checked before anything is built."""

import contextlib
import dataclasses
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from jsuper.padding import SUFFIX
from jsuper.validation import as_count, check_count
from jsuper.wording import text

SEED = "seed"

TEST = "test_"
"""What the dimensions of `jsuper.losses` at other values begin with."""

RESERVED = ("step", "feature", "hidden", "loss", "history", "finite", "done")
"""Names in a result that neither an axis nor a parameter may have."""


@dataclasses.dataclass(frozen=True)
class Axis:
    """One axis of a grid.

    Args:
        name: Name of the argument that it is.
        values: What the argument is given, Python's own numbers, names or functions.
        kind: ``"number"`` for floats, ``"integer"`` for whole numbers, of which the task
            decides whether they are numbers or sizes, and ``"choice"`` for all else.
        names: What choices are called in the result, where a mapping named them.
    """

    name: str
    values: tuple[Any, ...]
    kind: str
    names: tuple[Any, ...] | None = None

    @property
    def coordinate(self) -> np.ndarray:
        """What stands along the axis of the result: numbers, booleans or names."""
        if self.names is not None:
            return np.array(self.names)
        if self.kind != "choice" or all(isinstance(v, bool) for v in self.values):
            return np.array(self.values)
        return np.array([label(value) for value in self.values])

    @property
    def stands_for(self) -> str:
        """Types of the values, if the coordinate holds names in their place."""
        if self.kind != "choice" or self.coordinate.tolist() == list(self.values):
            return ""
        return ", ".join(sorted({type(value).__name__ for value in self.values}))

    @property
    def bits(self) -> np.ndarray:
        """32 bits for each value, which neither its place nor other values decide."""
        if self.kind == "choice":
            names = [str(name).encode() for name in self.coordinate]
            return np.array([zlib.crc32(name) for name in names], np.uint32)
        # Adding 0 makes -0.0 and 0.0 one value.
        return (np.array(self.values, np.float32) + 0).view(np.uint32)


def label(value: Any) -> str:
    """Returns a value as text: a number to six digits, the name of a function."""
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return text(value, 6)


def coordinates(cell: Mapping[Any, Any]) -> str:
    """Returns where a model stands in the grid, as in ``density=0.1 seed=3``."""
    return " ".join(f"{name}={label(value)}" for name, value in cell.items())


def read_axes(axes: Mapping[str, Any]) -> dict[str, Axis]:
    """Returns the axes of a sweep besides ``seed``.

    Args:
        axes: As in `jsuper.sweep`.

    Raises:
        ValueError: If a name is taken, or the values are none that an axis can have.
        TypeError: If ``axes`` is no mapping.
    """
    if not isinstance(axes, Mapping):
        raise TypeError(f"axes must map names to values, got {axes!r}")
    read = {}
    for name, given in axes.items():
        if name == SEED:
            continue
        if isinstance(given, Axis):
            read[name] = given
            continue
        if name in RESERVED:
            raise ValueError(
                f"axis {name!r} must have another name than the result's own "
                f"({', '.join(RESERVED)})"
            )
        if str(name).endswith(SUFFIX) or str(name).startswith(TEST):
            raise ValueError(
                f"axis {name!r} must have a name without {TEST} at its beginning and "
                f"{SUFFIX} at its end"
            )
        read[name] = checked_distinct(_read_axis(name, given))
    return read


def checked_distinct(axis: Axis) -> Axis:
    """Returns the axis, after checking that JAX can tell its values apart.

    Raises:
        ValueError: If two values are the same.
    """
    precise = axis.coordinate
    if axis.kind == "number":
        precise = precise.astype(jax.dtypes.canonicalize_dtype(float))
    _check_distinct(axis.name, precise, axis.coordinate)
    return axis


def read_seeds(axes: Mapping[str, Any]) -> list[int]:
    """Returns the seeds of a sweep: a count stands for as many, from 0.

    Raises:
        ValueError: If there are none, or one is negative, repeated or too large.
    """
    given = axes.get(SEED, [0])
    if isinstance(given, xr.DataArray):
        if given.ndim == 0 and given.name == SEED:
            raise ValueError(f"axis 'seed' must be a count or a list, as [{given.item()}]")
        given = given.values
    is_array = hasattr(given, "__array__")
    is_count = np.ndim(given) == 0 if is_array else not isinstance(given, Iterable)
    if isinstance(given, str) or is_count:
        count = as_count("axis 'seed'", given)
        _check_seed(count - 1)
        return list(range(count))
    array = np.asarray(_listed(given))
    seeds = array.tolist() if array.ndim == 1 and array.dtype.kind in "iu" else list(array)
    if not seeds:
        raise ValueError("axis 'seed' must be a count or a non-empty list, got []")
    for seed in seeds:
        check_count("axis 'seed'", seed, lowest=0)
    _check_seed(max(seeds))
    _check_distinct(SEED, np.array(seeds), np.array(seeds))
    return [int(seed) for seed in seeds]


def _check_seed(largest: int) -> None:
    if largest >= 2**32:
        raise ValueError(f"axis 'seed' must stay below 2**32, got {largest}")


def _read_axis(name: str, given: Any) -> Axis:
    if isinstance(given, str):
        raise ValueError(
            f"axis {name!r} must hold numbers, got {given!r} (a name stands in a list)"
        )
    if isinstance(given, Mapping) and given:
        if not all(isinstance(key, str | bool | int | float) for key in given):
            raise ValueError(f"axis {name!r} must have names for keys, got {list(given)}")
        return Axis(name, tuple(given.values()), "choice", tuple(given))
    values = _listed(given)
    array = _array(values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"axis {name!r} must be a non-empty list of numbers, got {_shown(values)}"
        )
    if jnp.issubdtype(array.dtype, jnp.floating):
        if np.isnan(array.astype(float)).any():
            raise ValueError(f"axis {name!r} must not contain NaN, got {_shown(values)}")
        # The shortest number of the given precision: 0.1 stays 0.1 in float64.
        exact = array.dtype == np.float64
        numbers = array.tolist() if exact else map(_shortest, array)
        return Axis(name, tuple(numbers), "number")
    if array.dtype.kind in "iu":
        return Axis(name, tuple(array.tolist()), "integer")
    values = array.tolist()
    known = all(
        isinstance(v, str | bool | int | float | None) or callable(v) for v in values
    )
    if not known:
        raise ValueError(
            f"axis {name!r} must hold numbers, names, booleans, functions or None, or be a "
            f"mapping from names to values, got {_shown(values)}"
        )
    if all(isinstance(v, str) and _is_numeral(v) for v in values):
        raise ValueError(f"axis {name!r} must hold numbers, got {_shown(values)}")
    return Axis(name, tuple(values), "choice")


def _listed(given: Any) -> Any:
    """What is not an array already as a list."""
    if hasattr(given, "__array__") or isinstance(given, Mapping):
        return given
    if isinstance(given, set | frozenset):
        return sorted(given)
    return list(given) if isinstance(given, Iterable) else given


def _array(values: Any) -> np.ndarray:
    """An array whose entries are of the types that were given."""
    if not isinstance(values, list):
        return np.asarray(values)
    kinds = {type(value) for value in values}
    mixed = len(kinds) > 1 and not kinds <= {int, float}
    if mixed:  # as an array of the widest they would have digits that nobody gave
        values = [_shortest(v) if isinstance(v, np.floating) else v for v in values]
    special = any(value is None or callable(value) for value in values)
    if not (special or (mixed and kinds & {str, bool})):
        with contextlib.suppress(ValueError):  # of lists of several lengths
            return np.asarray(values)
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _shortest(number: Any) -> float:
    """The number of fewest digits that is ``number`` in its own precision."""
    texts = (f"{float(number):.{digits}g}" for digits in range(1, 18))
    return next(float(text) for text in texts if type(number)(float(text)) == number)


def _is_numeral(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _shown(values: Any) -> str:
    text = repr(values)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _check_distinct(name: str, array: np.ndarray, given: np.ndarray) -> None:
    unique, counts = np.unique(array, return_counts=True)
    if len(unique) < len(array):
        twice = given[array == unique[counts.argmax()]]
        raise ValueError(
            f"axis {name!r} must hold distinct values, got {label(twice[0].item())} twice"
            + (" (a mapping gives names)" if array.dtype.kind == "U" else "")
        )

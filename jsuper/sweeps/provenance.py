"""How a result was made, in terms that JSON can hold."""

import dataclasses
import functools
import hashlib
import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jsuper.pytrees import Opaque
from jsuper.sweeps.axes import SEED
from jsuper.sweeps.grid import Grid
from jsuper.training.optimizers import STEPS, is_transformation
from jsuper.version import VERSION

MAX_NUMBERS = 1_000
"""Arrays of more numbers than this, such as a task's data, are described by a digest."""


def made_by(grid: Grid, key: jax.Array, devices: Sequence[Any], start: Any = None) -> str:
    """Returns, as JSON, what it takes to make a sweep again.

    Args:
        grid: What was trained: its axes, its recipe, and the task of its first cell.
        key: The key of the run.
        devices: Devices that shared it.
        start: Where its parameters started, if they were given.
    """
    # Numbers of values, which tell when results were joined: the values are coordinates.
    axes = {name: len(axis.values) for name, axis in grid.axes.items()}
    if SEED in grid.order:
        axes[SEED] = len(grid.seeds)
    told = {
        "recipe": _recipe(grid),
        "first_task": described(grid.first_task),
        "axes": axes,
        "key": described_key(key),
        "jsuper": VERSION,
        "jax": jax.__version__,
        "devices": [device.device_kind for device in devices],
        "float": str(jax.dtypes.canonicalize_dtype(float)),
    }
    if start is not None:
        told["start"] = described(start)
    return json.dumps(told, allow_nan=False)


def described_key(key: jax.Array) -> dict[str, Any]:
    """Returns a key as plain data."""
    return {
        "implementation": str(jax.random.key_impl(key)),
        "data": np.asarray(jax.random.key_data(key)).tolist(),
    }


def _recipe(grid: Grid) -> dict[str, Any]:
    """The recipe; of an optimizer that is a function of axes, that of the first cell."""
    told = described(grid.recipe)
    if not is_transformation(grid.recipe.optimizer):
        group = grid.groups[0]
        numbers = {name: float(grid.axes[name].values[0]) for name in group.grid.numbers}
        told["optimizer"] = {
            "of": [
                *(name for name, _ in group.optimizer.choices if name != STEPS),
                *numbers,
            ],
            "first": described(group.optimizer.at(numbers)),
            "function": told["optimizer"],
        }
    return told


def described(value: Any, depth: int = 16) -> Any:
    """A task, an optimizer or a number as plain data, the same in every run."""

    def inner(part: Any) -> Any:
        return described(part, depth - 1)

    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity
    if isinstance(value, bool | int | float | str | None):
        return value
    if depth == 0:
        return type(value).__name__
    if isinstance(value, Opaque):
        value = value.part
        held = {n: inner(part) for n, part in getattr(value, "__dict__", {}).items()}
        return {"type": type(value).__name__, **held}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: inner(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, range | memoryview) or hasattr(value, "__array__"):
        return _described_array(value, inner)
    if isinstance(value, optax.GradientTransformation):
        return inner(value.update)
    if isinstance(value, Set):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [inner(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): inner(item) for name, item in value.items()}
    if isinstance(value, functools.partial):
        return {
            "function": inner(value.func),
            "args": inner(value.args),
            **{name: inner(part) for name, part in value.keywords.items()},
        }
    # optax keeps its settings in closures: the name of the maker, and what it held.
    name = getattr(value, "__qualname__", type(value).__qualname__).split(".")[0]
    held = inspect.getclosurevars(value).nonlocals if inspect.isfunction(value) else {}
    described_held = {key: inner(part) for key, part in held.items()}
    return {"function": name, **described_held} if held else name


def _described_array(value: Any, inner: Callable[[Any], Any]) -> Any:
    """The numbers of an array; a digest of a large one; its key data of a PRNG key."""
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        return inner(jax.random.key_data(value))
    array = np.asarray(value)
    if array.dtype == object:
        array = array.astype(str)
    if array.size <= MAX_NUMBERS:
        return inner(array.tolist())
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return {"array": list(array.shape), "dtype": str(array.dtype), "sha256": digest}

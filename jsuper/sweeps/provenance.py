"""How a result was made, in terms that JSON can hold."""

import dataclasses
import functools
import hashlib
import importlib.metadata
import inspect
import json
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import optax

from jsuper.training import Recipe

MOST_NUMBERS = 1_000
"""Arrays of more numbers than this, such as a task's data, are described by a digest."""


def made_by(task: Any, recipe: Recipe, key: jax.Array, devices: Sequence[Any]) -> str:
    """Returns, as JSON, what it takes to make a sweep again.

    Args:
        task: The task of the first cell.
        recipe: How it was trained.
        key: The key of the run.
        devices: Devices that shared it.
    """
    return json.dumps(
        {
            "recipe": _described(recipe),
            "first_task": _described(task),
            "key": {
                "implementation": str(jax.random.key_impl(key)),
                "data": np.asarray(jax.random.key_data(key)).tolist(),
            },
            "jsuper": importlib.metadata.version("jsuper"),
            "jax": jax.__version__,
            "devices": [device.device_kind for device in devices],
            "float": str(jax.dtypes.canonicalize_dtype(float)),
        },
        allow_nan=False,
    )


def _described(value: Any, depth: int = 16) -> Any:
    """A task, an optimizer or a number as plain data, the same in every run."""

    def inner(part: Any) -> Any:
        return _described(part, depth - 1)

    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity
    if isinstance(value, bool | int | float | str | None):
        return value
    if depth == 0:
        return type(value).__name__
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: inner(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        array = np.asarray(value)
        if array.size <= MOST_NUMBERS:
            return inner(array.tolist())
        digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
        return {"array": list(array.shape), "dtype": str(array.dtype), "sha256": digest}
    if isinstance(value, optax.GradientTransformation):
        return inner(value.update)
    if isinstance(value, list | tuple):
        return [inner(item) for item in value]
    if isinstance(value, dict):
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
    described = {key: inner(part) for key, part in held.items()}
    return {"function": name, **described} if held else name

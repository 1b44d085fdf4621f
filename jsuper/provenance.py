"""How a result was made, in terms that JSON can hold."""

import dataclasses
import importlib.metadata
import json
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import optax

from jsuper.training import Recipe


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


def _described(value):
    """A task, an optimizer or a number as plain data."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity
    if isinstance(value, bool | int | float | str | None):
        return value
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        described = {f.name: _described(getattr(value, f.name)) for f in fields}
        return {"type": type(value).__name__, **described}
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        return _described(np.asarray(value).tolist())
    if isinstance(value, optax.GradientTransformation):
        return _described(value.update)
    if isinstance(value, list | tuple):
        return [_described(item) for item in value]
    if callable(value):
        # optax keeps its settings in closures: the name of the maker, and what it held.
        name = getattr(value, "__qualname__", type(value).__name__).split(".")[0]
        closure = getattr(value, "__closure__", None) or ()
        names = value.__code__.co_freevars if closure else ()
        held = {n: _described(c.cell_contents) for n, c in zip(names, closure, strict=True)}
        return {"function": name, **held} if held else name
    return repr(value)

"""Checks of what users pass in: errors that name argument, value and what is allowed.

Traced values have no number yet and pass unchecked; `jsuper.sweep` therefore builds every
task from plain numbers.
"""

import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


def check(
    argument: str,
    value: Any,
    holds: Callable[[np.ndarray], Any],
    allowed: str,
) -> None:
    """Raises `ValueError` unless ``holds`` is true of every number in ``value``."""
    if isinstance(value, Tracer):
        return
    try:
        # NumPy would read a number out of a text.
        numbers = None if isinstance(value, str) else np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        numbers = None
    if numbers is None:
        raise ValueError(f"{argument} must be {allowed}, got {value!r}")
    if not np.all(allows := holds(numbers)):
        wrong = ~np.broadcast_to(allows, numbers.shape)
        worst = float(numbers[wrong].flat[0])
        said = f"{worst:g}"
        if np.all(holds(np.asarray(float(said)))):
            said = repr(worst)  # rounded, it would be allowed
        raise ValueError(f"{argument} must be {allowed}, got {said}")


def check_count(argument: str, value: Any, lowest: int = 1) -> None:
    """Raises `ValueError` unless ``value`` is an integer of at least ``lowest``."""
    as_count(argument, value, lowest)


def as_count(argument: str, value: Any, lowest: int = 1) -> int:
    """Returns an integer of at least ``lowest`` as Python's own, whatever type it had.

    Raises:
        ValueError: If ``value`` is not such an integer.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or number < lowest or isinstance(value, bool):
        raise ValueError(
            f"{argument} must be an integer of at least {lowest}, got {value!r}"
        )
    return number


def check_number(argument: str, value: Any) -> None:
    """Raises `ValueError` unless ``value`` is a single number."""
    if np.shape(value) != ():
        raise ValueError(
            f"{argument} must be one number, got an array of shape {np.shape(value)}"
        )


def check_flag(argument: str, value: Any) -> None:
    """Raises `ValueError` unless ``value`` is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{argument} must be True or False, got {value!r}")


def check_key(key: Any) -> None:
    """Raises `TypeError` unless ``key`` is one typed PRNG key."""
    if not (isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)):
        raise TypeError(f"key must be a typed key such as jax.random.key(0), got {key!r}")
    if key.shape != ():
        raise TypeError(f"key must be a single key, got an array of shape {key.shape}")


def per_feature(argument: str, value: Any, n: int, owner: str = "feature") -> Any:
    """Returns one number or an array of one per feature; a list becomes an array.

    Args:
        argument: The name of the argument in errors.
        value: One number, or an array or a list of ``n``.
        n: How many there are of what has a number.
        owner: What has a number of its own, if it is no feature.

    Raises:
        ValueError: If ``value`` has another shape.
    """
    allowed = f"one number or {n} numbers (one per {owner})"
    if isinstance(value, list | tuple):
        if len(value) != n or any(np.shape(number) != () for number in value):
            raise ValueError(f"{argument} must be {allowed}, got {value!r}")
        if any(isinstance(number, Tracer) for number in value):
            value = jnp.stack([jnp.asarray(number, float) for number in value])
        else:
            value = np.array(value, jax.dtypes.canonicalize_dtype(float))
    shape = np.shape(value)
    if shape not in ((), (n,)):
        raise ValueError(f"{argument} must be {allowed}, got an array of shape {shape}")
    return value

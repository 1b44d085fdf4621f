"""What may be in the memory of a device at a time, and grids in parts where it is more."""

from collections.abc import Callable
from typing import Any

import jax
from jax import lax

fine_bytes = jax.make_user_context(None)
"""Context in which functions are traced: bytes of temporary arrays that are fine."""


def memory_of(device: Any) -> int | None:
    """Returns the memory of a device in bytes; None where it does not tell."""
    try:
        return (device.memory_stats() or {}).get("bytes_limit")
    except (AttributeError, NotImplementedError, RuntimeError):  # one that is not there
        return None


def half_of(device: Any) -> int:
    """Returns half of the memory of a device, by default the bound of temporary arrays."""
    return (memory_of(device) or 16 * 2**30) // 2


def bound() -> int:
    """Returns how many bytes of temporary arrays are fine."""
    return fine_bytes.value or half_of(jax.devices()[0])


def bytes_kept(loss: Callable[..., Any], params: Any, *args: Any) -> int:
    """Returns how many bytes reverse mode keeps of one model until its way back, or 1.

    Args:
        loss: Function of the parameters and further arguments.
        params: Shapes and types of the parameters.
        *args: Those of the other arguments.
    """

    def kept(params, *args):
        return jax.vjp(lambda params: loss(params, *args), params)[1]

    leaves = jax.tree.leaves(jax.eval_shape(kept, params, *args))
    return max(1, sum(leaf.size * leaf.dtype.itemsize for leaf in leaves))


def in_parts(function: Callable[[Any], Any], each: Any, most: int | None = None) -> Any:
    """Maps a function over the leading axis of its argument, side by side.

    Args:
        function: Takes one of ``each``.
        each: A pytree whose leaves have a leading axis.
        most: Largest number of them at a time; None for all.
    """
    size = len(jax.tree.leaves(each)[-1])
    if most is None or size <= most:
        return jax.vmap(function)(each)
    n_parts = -(-size // most)
    return lax.map(function, each, batch_size=-(-size // n_parts))

"""Many cases at a time: how functions over a last axis of cases meet `jax.vmap`."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap

from jsuper.platforms import by_platform

CASES = 128
"""Cases that a CPU computes at a time: what they need stays in the cache."""

MANY_CASES = 2**16
"""Cases that other devices compute at a time: what they need fits into the memory."""


def side_by_side(
    function: Callable[..., Any], elsewhere: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """Lets `jax.vmap` lay the cases of several models side by side.

    A model has few cases. Under ``vmap`` models would be an axis before all others, and the
    innermost loops would be as short as before. The cases go through a block at a time.

    Args:
        function: Takes arrays whose last axis is that of the cases, and returns such
            arrays; each case by itself.
        elsewhere: What returns the same on other platforms than CPUs, if that differs.

    Returns:
        The same function. Where it is differentiated itself, ``function`` is, mapped as it
        is, on every platform.
    """

    @custom_vmap
    def of_cases(*arrays):
        return by_platform(
            *arrays,
            cpu=functools.partial(in_blocks, CASES, function),
            default=functools.partial(in_blocks, MANY_CASES, elsewhere or function),
        )

    def in_blocks(size, function, *arrays):
        n_cases = arrays[0].shape[-1]
        n_blocks = -(-n_cases // size)
        if n_blocks == 1:
            return function(*arrays)

        def blocks(array):
            padding = [(0, 0)] * (array.ndim - 1) + [(0, n_blocks * size - n_cases)]
            array = jnp.pad(array, padding, mode="edge")
            return jnp.moveaxis(array.reshape(*array.shape[:-1], n_blocks, size), -2, 0)

        def whole(array):
            array = jnp.moveaxis(array, 0, -2)
            return array.reshape(*array.shape[:-2], -1)[..., :n_cases]

        parts = lax.map(lambda block: function(*block), tuple(map(blocks, arrays)))
        return jax.tree.map(whole, parts)

    @of_cases.def_vmap
    def _(size, is_batched, *arrays):
        def cases_last(array, has_axis):
            if not has_axis:
                array = jnp.broadcast_to(array, (size, *array.shape))
            return jnp.moveaxis(array, 0, -2).reshape(*array.shape[1:-1], -1)

        def models_first(array):
            return jnp.moveaxis(array.reshape(*array.shape[:-1], size, -1), -2, 0)

        found = of_cases(*map(cases_last, arrays, is_batched))
        return jax.tree.map(models_first, found), jax.tree.map(lambda _: True, found)

    of_cases_once = jax.custom_jvp(of_cases)
    of_cases_once.defjvp(functools.partial(jax.jvp, function))
    return of_cases_once

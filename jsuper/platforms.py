"""Forms of a computation that suit the platform it is compiled for.

Caches make a CPU fast, and few launches an accelerator. Where the platform is known while
a function is traced, only one form is traced; elsewhere both are, and the compiler chooses.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
from jax import lax
from jax.core import Tracer

compiled_for = jax.make_user_context(None)
"""Context in which functions are traced for a platform, such as "cpu"; None: unknown."""


def by_platform(*args: Any, cpu: Callable[..., Any], default: Callable[..., Any]) -> Any:
    """Returns what one of two forms of a function returns.

    Args:
        *args: Its arguments.
        cpu: The form for CPUs.
        default: The form for all other platforms.
    """

    def within(platform, form, *args):
        with compiled_for(platform):
            return form(*args)

    if compiled_for.value is not None:
        return cpu(*args) if compiled_for.value == "cpu" else default(*args)
    return lax.platform_dependent(
        *args,
        cpu=functools.partial(within, "cpu", cpu),
        default=functools.partial(within, "default", default),
    )


def is_for_accelerators() -> bool:
    """Returns whether functions are traced for what is known to be no CPU.

    Where it is not known, `by_platform` has both forms traced, and this is False.
    """
    return compiled_for.value not in (None, "cpu")


def platform_of(*trees: Any) -> str | None:
    """Returns the platform on which JAX computes with some arrays.

    Within transformations it is what `compiled_for` says, since tracers lie nowhere.
    """
    leaves = jax.tree.leaves(trees)
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        return compiled_for.value
    for leaf in leaves:
        if isinstance(leaf, jax.Array) and leaf.committed:
            return next(iter(leaf.devices())).platform
    config: Any = jax.config
    device = config.jax_default_device or jax.default_backend()
    return device if isinstance(device, str) else device.platform

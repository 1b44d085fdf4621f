"""Old public names, which work for one more version and warn with the new one."""

import functools
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def renamed_arguments(**new_names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Lets a function take keyword arguments by their old names, with a warning.

    Args:
        new_names: The new name of each argument, by its old one.

    Returns:
        The decorator. What it decorates raises `TypeError` if one argument is passed by
        both names.

    Example:
        >>> @renamed_arguments(least="minimum")
        ... def count(values, minimum=0):
        ...     return sum(value > minimum for value in values)
        >>> with warnings.catch_warnings(record=True, action="always") as said:
        ...     count([1, 2, 3], least=1)
        2
        >>> print(said[0].message)
        count: least is deprecated, use minimum
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def renamed(*args: P.args, **kwargs: P.kwargs) -> R:
            for old, new in new_names.items():
                if old in kwargs:
                    if new in kwargs:
                        raise TypeError(
                            f"{function.__name__} got {new} by two names: {new} and {old}"
                        )
                    _warn(f"{function.__name__}: {old} is deprecated, use {new}")
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return renamed

    return decorate


def old_names(module: str, new_names: Mapping[str, str]) -> Callable[[str], Any]:
    """Returns the ``__getattr__`` of a module that is asked for old names too.

    Args:
        module: Name of the module.
        new_names: The new name of each of its objects, by the old one.
    """

    def find(name: str) -> Any:
        if name not in new_names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        new = new_names[name]
        _warn(f"{module}.{name} is deprecated, use {module}.{new}")
        return getattr(sys.modules[module], new)

    return find


def _warn(message: str) -> None:
    # Level 3 is the line of the caller: 1 is this one, 2 that of the wrapper.
    warnings.warn(message, DeprecationWarning, stacklevel=3)

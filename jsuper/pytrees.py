"""Frozen dataclasses that JAX can map over: numbers are leaves, sizes are static."""

import dataclasses
from typing import Any, TypeVar, dataclass_transform

import jax
from flax import struct

T = TypeVar("T")


def static(**kwargs: Any) -> Any:
    """Declares a field that is part of the type (a size, a name), not a leaf."""
    return struct.field(pytree_node=False, **kwargs)


@dataclass_transform(frozen_default=True, field_specifiers=(static, struct.field))
def pytree(cls: type[T]) -> type[T]:
    """Turns ``cls`` into a frozen dataclass that is registered as a pytree.

    It differs from `flax.struct.dataclass` in one point: JAX rebuilds instances
    without calling the constructor. A constructor that checks its arguments would
    otherwise reject what JAX legitimately puts into the leaves, such as a gradient in
    the place of a density.
    """
    cls = dataclasses.dataclass(frozen=True, eq=False)(cls)
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    leaves = [f.name for f in fields if f.metadata.get("pytree_node", True)]
    statics = [f.name for f in fields if not f.metadata.get("pytree_node", True)]

    def aux(instance):
        return tuple(getattr(instance, name) for name in statics)

    def flatten(instance):
        return tuple(getattr(instance, name) for name in leaves), aux(instance)

    def flatten_with_keys(instance):
        key = jax.tree_util.GetAttrKey
        return tuple((key(n), getattr(instance, n)) for n in leaves), aux(instance)

    def unflatten(aux, children):
        instance = object.__new__(cls)
        values = zip([*statics, *leaves], [*aux, *children], strict=True)
        for name, value in values:
            object.__setattr__(instance, name, value)
        return instance

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls

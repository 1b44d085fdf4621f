"""Frozen dataclasses that JAX can map over, and what it cannot look into."""

import copy
import dataclasses
import inspect
from collections.abc import Hashable
from typing import Any, TypeVar, dataclass_transform

import jax
import numpy as np
from flax import struct
from jax.core import Tracer

T = TypeVar("T")


def static(**kwargs: Any) -> Any:
    """Declares a field that is part of the type (a size, a name, a function), not a leaf.

    Args:
        kwargs: What `dataclasses.field` takes, such as ``default``.

    Example:
        >>> import jsuper as js
        >>> @js.pytree
        ... class Ramp:
        ...     length: int = js.static()
        ...     slope: float = 1.0
        >>> jax.tree.leaves(Ramp(length=3, slope=0.5))
        [0.5]
    """
    return struct.field(pytree_node=False, **kwargs)


@dataclass_transform(frozen_default=True, field_specifiers=(static, struct.field))
def pytree(cls: type[T]) -> type[T]:
    """Turns ``cls`` into a frozen dataclass that is registered as a pytree.

    The decorator for your own models, features and tasks. Annotated fields become
    arguments of the constructor: numbers and arrays, which can be swept, and what
    `static` declares. Subclasses of such a class are pytrees by themselves.

    It differs from `flax.struct.dataclass` in two points. JAX rebuilds instances without
    calling the constructor: a constructor that checks its arguments would otherwise
    reject what JAX legitimately puts into the leaves, such as a gradient in the place of
    a density. And the class is part of what compiled code is looked up by, also outside
    of this library: on JAX 0.10 two classes made by `flax.struct.dataclass`, such as one
    class defined twice in a notebook, can be taken for each other.

    Args:
        cls: A class with annotated fields.

    Returns:
        The same class.

    Example:
        >>> import jsuper as js
        >>> @js.pytree
        ... class Gaussian:
        ...     '''Features that are normal numbers.'''
        ...
        ...     n_features: int = js.static()
        ...     std: float
        ...
        ...     def sample(self, key, batch_size):
        ...         return self.std * jax.random.normal(key, (batch_size, self.n_features))
        >>> task = js.Task(Gaussian(5, std=0.5), js.ToyModel(5, 2))
        >>> jax.tree.leaves(task.features)
        [0.5]
    """
    if "_jsuper_pytree" not in cls.__dict__:
        _make(cls)
        inherited = cls.__dict__.get("__init_subclass__")

        def init_subclass(subclass: type, **kwargs: Any) -> None:
            if inherited is None:
                super(cls, subclass).__init_subclass__(**kwargs)
            else:
                inherited.__get__(None, subclass)(**kwargs)
            if "_jsuper_pytree" not in subclass.__dict__:
                _make(subclass)

        cls.__init_subclass__ = classmethod(init_subclass)  # type: ignore[assignment]
    return cls


def _make(cls: type) -> None:
    """Makes a registered dataclass of a class, in place."""
    own = inspect.get_annotations(cls)
    # A field without default may follow inherited ones that have one.
    inherits = any(dataclasses.is_dataclass(base) for base in cls.__mro__[1:])
    by_keyword = inherits and any(_lacks_default(cls, name) for name in own)
    dataclasses.dataclass(frozen=True, eq=False, kw_only=by_keyword)(cls)
    fields = dataclasses.fields(cls)
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
    if not hasattr(cls, "replace"):
        cls.replace = dataclasses.replace  # type: ignore[attr-defined]
    cls._jsuper_pytree = True  # type: ignore[attr-defined]
    # Whoever decorates a subclass with flax.struct.dataclass gets it back as it is.
    cls._flax_dataclass = True  # type: ignore[attr-defined]


def _lacks_default(cls: type, name: str) -> bool:
    given = cls.__dict__.get(name, dataclasses.MISSING)
    if isinstance(given, dataclasses.Field):
        return given.default is given.default_factory is dataclasses.MISSING
    return given is dataclasses.MISSING


class Opaque:
    """A copy of a part that JAX cannot look into, held as if it were static.

    Two are equal if their class is one and their attributes are. Every other attribute
    is that of the part. The copy stays as it is when the part is changed: what compiled
    code is looked up by must not change.

    Args:
        part: An object that is no pytree.

    Raises:
        TypeError: If an attribute of the part is traced: then it holds a number that JAX
            would have to see.
    """

    def __init__(self, part: Any):
        if any(isinstance(value, Tracer) for value in _attributes(part).values()):
            raise TypeError(cannot_look_into(part))
        try:
            self.part = copy.deepcopy(part)
        except Exception:  # a lock, an open file, …
            raise TypeError(cannot_look_into(part)) from None

    def __getattr__(self, name: str) -> Any:
        if name == "part":  # not set yet, while it is copied or unpickled
            raise AttributeError(name)
        return getattr(self.part, name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Opaque) or type(self.part) is not type(other.part):
            return False
        own, others = _attributes(self.part), _attributes(other.part)
        return self.part is other.part or (
            own.keys() == others.keys() and all(_same(own[n], others[n]) for n in own)
        )

    def __hash__(self) -> int:
        return hash(type(self.part))

    def __repr__(self) -> str:
        return repr(self.part)


jax.tree_util.register_pytree_node(Opaque, lambda o: ((), o), lambda o, _: o)


def visible(part: Any) -> Any:
    """Returns a part as something that JAX can map over: itself, if it is a pytree."""
    if "_jsuper_pytree" in type(part).__dict__:
        return part
    is_leaf = jax.tree.structure(part) == jax.tree.structure(0)
    return Opaque(part) if is_leaf else part


def cannot_look_into(part: Any) -> str:
    """Says which class is no pytree, and what helps."""
    return (
        f"JAX cannot look into {type(part).__name__}: "
        "decorate its class with flax.struct.dataclass or js.pytree"
    )


def node_types(tree: Any) -> tuple[Hashable, ...]:
    """Returns the classes that a pytree, or its structure, and its static parts are of.

    JAX 0.10 does not compare classes when it looks compiled code up: for two that
    `jax.tree_util.register_dataclass` registered, such as one class defined twice in a
    notebook, it may run the code of the other. And 1, 1.0 and True are equal, but may be
    used in different ways. Passed as a static argument beside the tree, these types keep
    them apart.
    """

    def types(definition):
        data = definition.node_data()
        own = () if data is None else (data[0], value_types(data[1]))
        return sum(map(types, definition.children()), own)

    is_structure = isinstance(tree, jax.tree_util.PyTreeDef)
    return types(tree if is_structure else jax.tree.structure(tree))


def value_types(value: Any) -> Hashable:
    """Returns the type of a value and of what is in it."""
    if isinstance(value, Opaque):
        return value_types(_attributes(value.part))
    if isinstance(value, tuple | list):
        return type(value), tuple(map(value_types, value))
    if isinstance(value, dict):
        return dict, tuple((name, value_types(item)) for name, item in value.items())
    return type(value), str(getattr(value, "dtype", ""))


def check_static(tree: Any) -> None:
    """Raises `TypeError` if a static field of a pytree can be changed.

    Compiled code is looked up by static fields: after a change of one, old code would be
    taken for new.
    """

    def check(definition):
        data = definition.node_data()
        if data is not None and not issubclass(data[0], dict | list | tuple | type(None)):
            for value in data[1] if isinstance(data[1], tuple) else (data[1],):
                try:
                    hash(value)
                except TypeError:
                    raise TypeError(
                        f"static fields of {data[0].__name__} must be hashable (a tuple "
                        f"in the place of a list or an array), got {value!r}"
                    ) from None
        for child in definition.children():
            check(child)

    check(jax.tree.structure(tree))


def _attributes(part: Any) -> dict[str, Any]:
    return getattr(part, "__dict__", {"": part})


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return value_types(one) == value_types(other) and bool(np.array_equal(one, other))
    except Exception:  # whatever cannot be compared is not the same
        return False

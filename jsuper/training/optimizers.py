"""Optimizers as functions of swept numbers, and what they get besides the gradient."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax

STEPS = "steps"
"""Name under which a recipe's optimizer may take the number of steps."""


def is_transformation(optimizer: Any) -> bool:
    """Returns whether this is an optax transformation, not a function that returns one."""
    return hasattr(optimizer, "init") and hasattr(optimizer, "update")


def arguments_of(optimizer: Any) -> dict[str, bool]:
    """Returns what an optimizer is a function of, and whether it must be given.

    Args:
        optimizer: An optax transformation, which takes nothing, or a function.
    """
    if is_transformation(optimizer):
        return {}
    parameters = inspect.signature(optimizer).parameters.values()
    named = (p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return {p.name: p.default is p.empty for p in named}


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """A recipe's optimizer and the values of its static arguments.

    Hashable, so that JAX compiles once for the same function and the same choices.

    Args:
        made_by: An optax transformation, or a function that returns one.
        choices: Names and values of the function's static arguments.
        types: Those of the values: 1, 1.0 and True are equal.
    """

    made_by: Any
    choices: tuple[tuple[str, Any], ...] = ()
    types: Hashable = ()

    def __post_init__(self) -> None:
        for name, value in self.choices:
            try:
                hash(value)
            except TypeError:
                raise TypeError(
                    f"{name} must be hashable where the optimizer takes it (a tuple in the "
                    f"place of a list), got {value!r}"
                ) from None

    def at(self, numbers: Mapping[str, Any]) -> optax.GradientTransformation:
        """Returns the transformation of one model.

        Args:
            numbers: The function's other arguments by name; they may be traced.

        Raises:
            TypeError: If the function returns something else.
        """
        made = self.made_by
        if not is_transformation(made):
            made = made(**dict(self.choices), **numbers)
            if not is_transformation(made):
                raise TypeError(
                    "optimizer must return an optax transformation (with init and "
                    f"update), got {made!r}"
                )
        return made


def init(optimizer: optax.GradientTransformation, params: Any, key: jax.Array) -> Any:
    """Returns an optimizer's first state, for one model.

    Transformations that add noise, such as `optax.add_noise`, hold a PRNG key that is
    the same for all models. Each gets one of its own, which follows from both.

    Args:
        optimizer: The transformation.
        params: The model's parameters.
        key: A typed key of this model, used for nothing else.
    """
    state = optimizer.init(params)
    paths, treedef = jax.tree.flatten_with_path(state)
    return jax.tree.unflatten(
        treedef,
        [_own(path, leaf, jax.random.fold_in(key, i)) for i, (path, leaf) in
         enumerate(paths)],
    )  # fmt: skip


def _own(path, leaf, key):
    """A leaf of an optimizer's state; a PRNG key becomes one that follows from ``key``."""
    dtype, name = jnp.result_type(leaf), jax.tree_util.keystr(path[-1:])
    if jnp.issubdtype(dtype, jax.dtypes.prng_key):
        words = jax.random.key_data(leaf)
        return functools.reduce(jax.random.fold_in, words, key)
    # A raw key is two words; those of other generators are known by their name alone.
    is_raw = jnp.shape(leaf) == (2,) or ("key" in name and jnp.ndim(leaf) == 1)
    if dtype == jnp.uint32 and is_raw:
        own = functools.reduce(jax.random.fold_in, leaf, key)
        return jax.random.bits(own, jnp.shape(leaf))
    # A weak type, which the first step makes an ordinary one, would compile twice.
    return lax.convert_element_type(leaf, dtype)


def update(
    optimizer: optax.GradientTransformation,
    gradient: Any,
    state: Any,
    params: Any,
    loss: jax.Array,
    value_fn: Callable[[Any], jax.Array],
) -> tuple[Any, Any]:
    """Takes one step of one model.

    Args:
        optimizer: The transformation. What it takes besides the gradient it gets, under
            the names that optax gives it: ``value``, ``grad``, ``value_fn``, ``obj_fn``
            and ``grad_fn``.
        gradient: Gradient of the loss in the parameters.
        state: The optimizer's state.
        params: The parameters.
        loss: Loss on the step's batch.
        value_fn: The loss on this batch, as a function of the parameters.

    Returns:
        The new parameters and the new state.
    """

    # Line searches refuse arguments that they do not know, unless value_fn takes them.
    def value_of(params, obj_fn=None, grad_fn=None):
        del obj_fn, grad_fn
        return value_fn(params)

    extra = {
        "value": loss,
        "grad": gradient,
        "value_fn": value_of,
        "obj_fn": value_fn,
        "grad_fn": lambda params, _: jax.grad(value_fn)(params),
    }
    taken = inspect.signature(optimizer.update).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        extra = {name: value for name, value in extra.items() if name in taken}
    updates, state = optimizer.update(gradient, state, params, **extra)
    return optax.apply_updates(params, updates), state


def traceable(optimizer: Optimizer, names: Sequence[str], params: Any) -> bool:
    """Returns whether an optimizer can be made from traced numbers.

    Args:
        optimizer: The optimizer with all its arguments but these.
        names: The arguments that would be traced.
        params: Shapes of the parameters of one model.
    """
    number = jax.ShapeDtypeStruct((), jax.dtypes.canonicalize_dtype(float))
    step = functools.partial(_first_step, optimizer)
    try:
        jax.eval_shape(step, dict.fromkeys(names, number), params)
    except Exception:  # whatever it does with a number that has no value yet
        return False
    return True


def ignores(optimizer: Optimizer, name: str, params: Any) -> bool:
    """Returns whether no step of an optimizer depends on a number that it can be made from.

    Args:
        optimizer: The optimizer with all its other arguments.
        name: The argument.
        params: Shapes of the parameters of one model.
    """

    def steps(numbers, params):
        # With out_axes=None, vmap refuses outputs that depend on what it maps over.
        step = functools.partial(_first_step, optimizer)
        return jax.vmap(step, in_axes=(0, None), out_axes=None)({name: numbers}, params)

    numbers = jax.ShapeDtypeStruct((2,), jax.dtypes.canonicalize_dtype(float))
    try:
        jax.eval_shape(steps, numbers, params)
    except ValueError:
        return False
    return True


def _first_step(optimizer, numbers, params):
    made, loss = optimizer.at(numbers), jnp.zeros(())
    return update(made, params, made.init(params), params, loss, lambda _: loss)

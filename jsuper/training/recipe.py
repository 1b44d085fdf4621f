"""The recipe: steps, batches, optimizer and log of every model of a grid."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax
from jax.core import Tracer

from jsuper.pytrees import value_types
from jsuper.training.optimizers import STEPS, Optimizer, arguments_of, is_transformation
from jsuper.validation import as_count, check, check_number


@functools.cache
def notebook_optimizer() -> optax.GradientTransformation:
    """Returns the official notebook's optimizer: AdamW, rate 1e-3, weight decay 1e-2.

    It is one object however often it is asked for, so that JAX compiles for it once.
    """
    return optax.adamw(1e-3, weight_decay=1e-2)


def decaying_adam(
    steps: int, rate: float | jax.Array = 1e-2
) -> optax.GradientTransformation:
    """Returns Adam with a rate that falls along a cosine to 0 at step ``steps``.

    A constant rate leaves models rattling around their solution, at a distance that grows
    with the rate; with this one they converge, in fewer steps. It is one object for
    the same arguments, so that JAX compiles for it once.

    Args:
        steps: Number of steps after which the rate is 0, at least 1.
        rate: Rate of the first step, positive; it may be traced.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        A recipe passes its own number of steps on:

        >>> recipe = Recipe(steps=2_000, optimizer=decaying_adam)
    """
    steps = as_count("steps", steps)
    check_number("rate", rate)
    check("rate", rate, lambda r: (r > 0) & np.isfinite(r), "positive and finite")
    if isinstance(rate, Tracer):
        return _cosine_adam.__wrapped__(steps, rate)
    return _cosine_adam(steps, float(rate))


@functools.cache
def _cosine_adam(steps, rate):
    return optax.adam(optax.cosine_decay_schedule(rate, steps))


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How every model of a grid is trained; the defaults are the official notebook's.

    Args:
        steps: Number of gradient steps, at least 1.
        batch_size: Number of fresh examples in each step, at least 1; None for a task that
            samples none (`jsuper.Population`), which any other number is for it.
        optimizer: Any optax transformation, or a function that returns one. The
            function's arguments are axes of the sweep, by name, and ``steps`` if it takes
            that; see `jsuper.sweep`. A transformation sees one model at a time, so that
            even one that mixes parameters (clipping by global norm, say) keeps models
            apart; it gets the loss where it asks for it (``value``, ``value_fn``), and
            noise of each model's own. JAX compiles once per optimizer object: keep it to
            reuse the compiled code.
        log_every: Steps behind each entry of the history, which is their mean training
            loss; by default a hundredth of ``steps``.
        eval_batches: Batches of fresh data behind the final loss, at least 1, where that
            is not the population loss; None asks for the population loss even where it is
            a series, which takes time where a model has many features.
        independent_cells: Give every cell of a sweep its own initial weights and data,
            instead of the common random numbers that make neighbouring cells comparable.

    Raises:
        ValueError: If a count is not a positive integer.
        TypeError: If ``optimizer`` is neither an optax transformation nor a function.

    Example:
        >>> Recipe(steps=5_000)
        Recipe(steps=5000, batch_size=1024, log_every=None, eval_batches=64, ...)

        With an axis of learning rates, `jsuper.sweep` compiles once for all of them:

        >>> recipe = Recipe(optimizer=lambda learning_rate: optax.adam(learning_rate))
    """

    steps: int = 10_000
    batch_size: int | None = 1024
    optimizer: optax.GradientTransformation | Callable[..., Any] = dataclasses.field(
        default_factory=notebook_optimizer, repr=False
    )
    log_every: int | None = None
    eval_batches: int | None = 64
    independent_cells: bool = False

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "eval_batches", "log_every"):
            value = getattr(self, name)
            if name == "steps" or value is not None:
                object.__setattr__(self, name, as_count(name, value))
        if self.optimizer is notebook_optimizer:
            object.__setattr__(self, "optimizer", notebook_optimizer())
        made = is_transformation(self.optimizer)
        # optax's own makers have arguments enough to sweep; bare, they were meant to be
        # called.
        uncalled = str(getattr(self.optimizer, "__module__", "")).startswith("optax")
        if not made and (uncalled or not callable(self.optimizer)):
            hint = " (lambda learning_rate: optax.adam(learning_rate), say)"
            raise TypeError(
                "optimizer must be an optax transformation (with init and update) or a "
                "function of axes that returns one"
                f"{hint if uncalled else ''}, got {self.optimizer!r}"
            )

    def windows(self) -> tuple[list[int], list[int]]:
        """Returns first step and length of each stretch behind a history entry.

        Example:
            >>> Recipe(steps=10, log_every=4).windows()
            ([0, 4, 8], [4, 4, 2])
        """
        every = self.log_every or max(1, self.steps // 100)
        firsts = list(range(0, self.steps, every))
        return firsts, [min(every, self.steps - first) for first in firsts]

    def optimizer_with(self, **choices: Any) -> Optimizer:
        """Returns the optimizer with its static arguments filled in.

        Args:
            choices: Names and values that are no traced numbers.
        """
        if STEPS in arguments_of(self.optimizer):
            choices = choices | {STEPS: self.steps}
        # Values of choices have no order of their own.
        ordered = tuple((name, choices[name]) for name in sorted(choices))
        return Optimizer(self.optimizer, ordered, value_types(ordered))

    def __getstate__(self) -> dict[str, Any]:
        """All fields; of the default optimizer, which no pickle takes, the maker."""
        default = self.optimizer is notebook_optimizer()
        return self.__dict__ | ({"optimizer": notebook_optimizer} if default else {})

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

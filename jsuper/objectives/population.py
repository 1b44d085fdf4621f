"""The expected loss as a function, and as the loss of a task."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer

from jsuper.features.activity import starts_at_zero
from jsuper.models.toy import Params
from jsuper.objectives import expected
from jsuper.objectives.task import Task
from jsuper.platforms import compiled_for, platform_of
from jsuper.pytrees import pytree, static
from jsuper.validation import as_count


def population_loss(
    task: Task, params: Params, frequencies: int = expected.N_FREQUENCIES
) -> jax.Array:
    r"""Returns the expected loss of one model: what `Task.loss` is on average.

    $$L = \frac1n \sum_i I_i \, E (x_i - x'_i)^2, \qquad
      x' = f(W W^\top x + b)$$

    with $f(z) = z$ where $z \ge t$, else 0. It is exact, to rounding, up to 8 independent
    features (6 where active ones do not start at 0, fewer in sets); beyond, it is a cosine
    series that converges fast ([population](population.md) has a table). The function works
    under `jax.jit`, `jax.vmap`, `jax.grad` and `jax.hessian`.

    Its gradient is that of the expectation, which the mean of gradients of samples is only
    where $f$ does not jump: with a threshold other than 0 it includes what is gained or
    lost by moving examples over the jump (`jsuper.exrelu`).

    Args:
        task: Features that are `jsuper.SparseFeatures`, sets or groups of them, or several
            kinds joined; a `jsuper.ToyModel` with activation exrelu, jumprelu, relu or
            linear; any importance and penalty. The target is the features.
        params: Parameters of the model.
        frequencies: Number of terms of the series, at least 2, where there is one.

    Returns:
        The loss, a scalar.

    Raises:
        TypeError: If the task has something that is not covered.
        ValueError: If parameters have other shapes than the model's, or are not finite.

    Example:
        An antipodal pair in one dimension costs $p^2/6$ for each of its features (Elhage et
        al. 2022, "Superposition as a Phase Change"):

        >>> import jax.numpy as jnp, jsuper as js
        >>> task = js.Task(js.SparseFeatures(2, density=0.3), js.ToyModel(2, 1))
        >>> pair = {"W": jnp.array([[1.0], [-1.0]]), "b": jnp.zeros(2)}
        >>> round(float(js.population_loss(task, pair)), 6), round(0.3**2 / 6, 6)
        (0.015, 0.015)
    """
    check_covered("population_loss", task)
    params = _checked_params(task, params)
    frequencies = as_count("frequencies", frequencies, 2)
    from_zero = starts_at_zero(task.features)
    with compiled_for(platform_of(task, params)):
        return _compiled(task, params, from_zero, frequencies)


# One program, where its operations one by one would each be compiled.
_compiled = jax.jit(expected.expected_loss, static_argnums=(2, 3))


@pytree
class Population:
    """A task with the expected loss in the place of that of a batch.

    It trains wherever a task does, on the gradient of `population_loss`: without samples,
    and so without noise. Batch sizes have no meaning for it.

    Args:
        task: A task that `population_loss` covers.
        frequencies: As in `population_loss`. Static.
        from_zero: Whether active features are uniform from 0 on, which is several times as
            fast; by default what the task says. Static: an axis ``low`` of a sweep
            that holds 0 and other numbers needs False.

    Raises:
        TypeError: If the task has something that is not covered.
        ValueError: If an argument is out of range.

    Example:
        >>> import jax, jsuper as js
        >>> def task(density):
        ...     return js.Population(
        ...         js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 2))
        ...     )
        >>> recipe = js.Recipe(steps=300, batch_size=None, optimizer=js.decaying_adam)
        >>> axes = {"density": [1.0, 0.1], "seed": 3}
        >>> ds = js.sweep(task, axes, recipe, key=jax.random.key(0))
        >>> ds["loss"].attrs["kind"]
        'population'
    """

    task: Any
    frequencies: int = static(default=expected.N_FREQUENCIES)
    from_zero: bool | None = static(default=None)

    is_sampled = False
    has_population_loss = True

    def __post_init__(self) -> None:
        check_covered("Population", self.task)
        as_count("frequencies", self.frequencies, 2)
        starts = starts_at_zero(self.task.features)
        if self.from_zero is None:
            object.__setattr__(self, "from_zero", starts)
        elif self.from_zero and not starts:
            raise ValueError("from_zero must be False where features start elsewhere")

    @property
    def features(self) -> Any:
        """The features of the task."""
        return self.task.features

    @property
    def model(self) -> Any:
        """The model of the task."""
        return self.task.model

    @property
    def importance(self) -> Any:
        """The importance of each feature."""
        return self.task.importance

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the axes of each parameter: the model's."""
        return self.task.dims

    def init(self, key: jax.Array) -> Params:
        """Samples the initial parameters of one model."""
        return self.task.init(key)

    def loss(
        self, params: Params, key: jax.Array | None = None, batch_size: int | None = None
    ) -> jax.Array:
        """Returns the expected loss; key and batch size are those of other tasks."""
        del key, batch_size
        from_zero = bool(self.from_zero)
        return expected.expected_loss(self.task, params, from_zero, self.frequencies)

    def population_loss(self, params: Params) -> jax.Array:
        """Returns the expected loss, as `Task` does."""
        return self.loss(params)

    def models_at_once(self) -> int | None:
        """Returns how many models fit into the memory together; None for all."""
        return expected.models_at_once(self.task, bool(self.from_zero), self.frequencies)

    def grid_value_and_grad(
        self, params: Params, keys: jax.Array, batch_size: int | None
    ) -> tuple[jax.Array, Params] | None:
        """Returns losses and gradients of a grid of models a few at a time, if it must.

        Args:
            params: Parameters with leading axes (n_tasks, n_keys); the task's own leaves
                have the leading axis n_tasks.
            keys: Not used.
            batch_size: Not used.

        Returns:
            Losses, shape (n_tasks, n_keys), and gradients; None if all go at once.
        """
        del keys, batch_size
        block = jax.tree.map(lambda leaf: leaf[0], self).models_at_once()
        if block is None:
            return None
        shape = jax.tree.leaves(params)[0].shape[:2]

        def of_model(place):
            place = jnp.divmod(place, shape[1])
            task = jax.tree.map(lambda leaf: leaf[place[0]], self)
            return jax.value_and_grad(task.loss)(jax.tree.map(lambda x: x[place], params))

        found = lax.map(of_model, jnp.arange(shape[0] * shape[1]), batch_size=block)
        return jax.tree.map(lambda leaf: leaf.reshape(*shape, *leaf.shape[1:]), found)


def check_covered(what: str, task: Any) -> None:
    """Raises `TypeError` unless the expectation covers a task."""
    if not isinstance(task, Task):
        raise TypeError(f"{what} needs a Task, got {type(task).__name__}")
    if (missing := task.not_in_expectation()) is not None:
        raise TypeError(f"{what} does not cover {missing}")


def _checked_params(task: Task, params: Params) -> Params:
    """Parameters as arrays of one type; raises unless they are those of one model."""
    like = jax.eval_shape(task.init, jax.eval_shape(lambda: jax.random.key(0)))
    if not isinstance(params, dict) or params.keys() != like.keys():
        named = sorted(params) if isinstance(params, dict) else type(params).__name__
        raise ValueError(f"params must hold {sorted(like)}, got {named}")
    arrays: dict[str, Any] = {
        name: value if isinstance(value, Tracer) else np.asarray(value)
        for name, value in params.items()
    }
    for name, value in arrays.items():
        wanted, given = like[name].shape, np.shape(value)
        if given != wanted:
            raise ValueError(f"params[{name!r}] must have shape {wanted}, got {given}")
        if not isinstance(value, Tracer) and not np.isfinite(np.asarray(value)).all():
            raise ValueError(f"params[{name!r}] must be finite, got NaN or infinity")
    dtype = jnp.result_type(float, *arrays.values())
    return {name: jnp.asarray(value, dtype) for name, value in arrays.items()}

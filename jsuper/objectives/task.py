r"""What a model learns: features, model, target and importance in one objective."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike

from jsuper.models.toy import Params
from jsuper.objectives import expected, fused, whole
from jsuper.platforms import by_platform
from jsuper.precision import full_precision
from jsuper.pytrees import pytree, static, visible
from jsuper.validation import check, check_number, per_feature


def reconstruction(x: jax.Array) -> jax.Array:
    """The identity: the model is to return the features it was given."""
    return x


@pytree
class Task:
    r"""Features to sample, a model to train, and the loss between them.

    $$L = \frac{1}{n} E \sum_i I_i \, (y_i - x'_i)^2$$

    with target $y$ = ``target(x)``, importance $I_i$ and output $x'$. This is the
    official notebook's mean over batch and features; the paper's loss is the sum over
    features, n times as large (Elhage et al. 2022, "Experiment Setup").

    Anything with the methods `init` and `loss` trains in its place, as long as it is a
    pytree: `jsuper.train` and `jsuper.sweep` know nothing else of a task. Some further
    attributes are used where they exist: ``dims`` (names of the parameters' axes),
    ``importance`` (stored with the result), ``grid_value_and_grad`` (a faster way to the
    same numbers for a whole grid), ``has_population_loss`` and ``population_loss(params)``
    (the expected loss, if it is known), and ``is_sampled`` (False where no batch is).

    Args:
        features: Where inputs come from, such as `jsuper.SparseFeatures`: has
            ``n_features`` and ``sample(key, batch_size)``.
        model: What is trained, such as `jsuper.ToyModel`: has ``n_features``,
            ``init(key)`` and ``apply(params, x)``.
        importance: Weights $I_i \ge 0$ of the squared errors; one number or one per
            feature, shape (n_features,).
        target: What the model is to return, a function of the features; the features
            themselves by default. Static: pass the same function object to compile once.
            What it reads from globals is frozen when it is compiled; to change it, pass
            another function.
        l1: Weight $\lambda \ge 0$ of a penalty on the hidden activations $h$, which adds
            $\frac{\lambda}{n} E \lVert h \rVert_1$ to the loss: divided by $n$ as the
            errors are, so that $\lambda$ stands beside the paper's sum (Elhage et al.
            2022, "The Strategic Picture of Superposition"). Needs a model with
            ``hidden(params, x)``. None, the default, leaves the penalty out.
        interference: Weight $\lambda \ge 0$ of a penalty on interference, which adds
            $\frac{\lambda}{n} \sum_{i \ne j} (W_i \cdot W_j)^2$ to the loss. Needs a model
            with weights ``W``, shape (n_features, n_hidden). None leaves it out.

    Raises:
        ValueError: If sizes do not fit or an importance is out of range.
        TypeError: If ``features`` or ``model`` lacks a method.

    Example:
        >>> import jax, jsuper as js
        >>> task = js.Task(js.SparseFeatures(5, density=0.1), js.ToyModel(5, 2))
        >>> params = task.init(jax.random.key(0))
        >>> task.loss(params, jax.random.key(1), batch_size=1024).shape
        ()
    """

    features: Any
    model: Any
    importance: ArrayLike = 1.0
    target: Callable[[jax.Array], jax.Array] = static(default=reconstruction)
    l1: ArrayLike | None = None
    interference: ArrayLike | None = None

    def __post_init__(self) -> None:
        for name, method in (("features", "sample"), ("model", "init"), ("model", "apply")):
            part = getattr(self, name)
            if not callable(getattr(part, method, None)):
                raise TypeError(
                    f"{name} must have the method {method}, got {type(part).__name__}"
                )
            object.__setattr__(self, name, visible(part))
        n = self.features.n_features
        if self.model.n_features != n:
            raise ValueError(
                f"model.n_features must equal features.n_features = {n}, "
                f"got {self.model.n_features}"
            )
        importance = per_feature("importance", self.importance, n)
        object.__setattr__(self, "importance", importance)
        check(
            "importance",
            self.importance,
            lambda value: (value >= 0) & np.isfinite(value),
            "finite and at least 0",
        )
        for name in ("l1", "interference"):
            weight = getattr(self, name)
            if weight is not None:
                check_number(name, weight)
                check(
                    name,
                    weight,
                    lambda w: (w >= 0) & np.isfinite(w),
                    "finite and at least 0",
                )
        if self.l1 is not None and not callable(getattr(self.model, "hidden", None)):
            raise TypeError(
                f"l1 needs a model with the method hidden, got {type(self.model).__name__}"
            )
        if self.interference is not None and "W" not in self.dims:
            raise TypeError(
                "interference needs a model with weights W, got "
                f"{type(self.model).__name__}"
            )

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the axes of each parameter: the model's."""
        return getattr(self.model, "dims", {})

    def init(self, key: jax.Array) -> Params:
        """Samples the initial parameters of one model."""
        return self.model.init(key)

    @full_precision
    def loss(self, params: Params, key: jax.Array, batch_size: int) -> jax.Array:
        """Returns the loss of one model on one batch.

        Args:
            params: The model's parameters.
            key: A typed PRNG key; it decides the batch.
            batch_size: Number of examples in the batch.

        Returns:
            The loss, a scalar.
        """
        x = self.features.sample(key, batch_size)
        if jnp.ndim(x) != 2 or len(x) != batch_size:
            raise ValueError(
                f"sample of {type(self.features).__name__} must return an array of shape "
                f"(batch_size, n_features), got {jnp.shape(x)}"
            )
        target, output = self.target(x), self.model.apply(params, x)
        if self.target is reconstruction and output.shape != x.shape:
            raise ValueError(
                f"apply of {type(self.model).__name__} must return an array like the "
                f"features, {x.shape}, got {output.shape}"
            )
        if target.shape != output.shape:
            raise ValueError(
                f"target must return an array like the model's output, {output.shape}, "
                f"got {target.shape}"
            )
        error = target - output
        loss = jnp.mean(jnp.asarray(self.importance) * error**2)
        loss = self.penalised(loss, params)
        if self.l1 is None:
            return loss
        activity = jnp.abs(self.model.hidden(params, x)).sum(-1).mean()
        return loss + jnp.asarray(self.l1) * activity / self.features.n_features

    def penalised(self, loss: jax.Array, params: Params) -> jax.Array:
        """Returns a loss with the penalty on interference, if there is one."""
        if self.interference is None:
            return loss
        gram = jnp.matmul(params["W"], params["W"].T, precision=lax.Precision.HIGHEST)
        apart = jnp.where(jnp.eye(len(gram), dtype=bool), 0, gram)
        weight = jnp.asarray(self.interference, gram.dtype) / len(gram)
        return loss + weight * (apart**2).sum()

    def not_in_expectation(self) -> str | None:
        """Says what of the task `jsuper.population_loss` does not cover, if anything."""
        if type(self).loss is not Task.loss:  # a subclass may have another loss
            return f"the loss of {type(self).__name__}"
        if self.target is not reconstruction:
            name = getattr(self.target, "__name__", self.target)
            return f"target {name} (only the features themselves)"
        return expected.uncovered(self)

    @property
    def has_population_loss(self) -> bool:
        """Whether `jsuper.population_loss` covers the task, and in closed form."""
        if self.not_in_expectation() is not None:
            return False
        return expected.is_closed(self.features.activity(), from_zero=False)

    def models_at_once(self) -> int | None:
        """Returns how many models fit into the memory together; None for all."""
        return expected.models_at_once(self, False, expected.N_FREQUENCIES)

    def population_loss(self, params: Params) -> jax.Array:
        """Returns the expected loss of one model: `jsuper.population_loss`, unchecked."""
        return expected.expected_loss(self, params, from_zero=False)

    def grid_value_and_grad(
        self, params: Params, keys: jax.Array, batch_size: int
    ) -> tuple[jax.Array, Params] | None:
        """Returns losses and gradients of a batch of tasks, if a fused form exists.

        Args:
            params: Parameters with leading axes (n_tasks, n_keys).
            keys: Typed keys, shape (n_keys,), or (n_tasks, n_keys).
            batch_size: Number of examples in each batch.

        Returns:
            Losses, shape (n_tasks, n_keys), and gradients shaped like ``params``; None
            where only the general path applies.
        """
        plain = self.target is reconstruction and self.l1 is self.interference is None
        # A subclass may have another loss.
        plain = plain and type(self).loss is Task.loss
        if not plain or not fused.applies(self.features, self.model):
            return None

        def on_cpu(params, keys):
            return fused.value_and_grad(
                self.features, self.model, self.importance, params, keys, batch_size
            )

        def elsewhere(params, keys):
            return whole.value_and_grad(self, params, keys, batch_size)

        return by_platform(params, keys, cpu=on_cpu, default=elsewhere)

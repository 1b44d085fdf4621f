r"""Models that compute with their features instead of only storing them."""

import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jsuper.models.toy import Params
from jsuper.precision import full_precision
from jsuper.pytrees import pytree, static
from jsuper.validation import check, check_count, check_number


def absolute(x: jax.Array) -> jax.Array:
    r"""The target $y = |x|$ of every feature by itself.

    Source: Elhage et al. 2022, "Computation in Superposition". Features must take both
    signs for it to differ from reconstruction: ``SparseFeatures(n, density, low=-1)``.

    Example:
        >>> absolute(jnp.array([-0.5, 0.0, 2.0]))
        Array([0.5, 0. , 2. ], dtype=float32)
    """
    return jnp.abs(x)


@pytree
class ComputationModel:
    r"""One hidden layer of ReLU neurons between features and outputs, weights untied.

    $$h = \mathrm{ReLU}(x W_{in}), \qquad y' = \mathrm{ReLU}(h W_{out} + b)$$

    The hidden layer has no bias. Source: Elhage et al. 2022, "Computation in
    Superposition", whose $W_1$ and $W_2$ are the transposes of ``W_in`` and ``W_out``.

    Args:
        n_features: Number of features $n$, at least 1.
        n_hidden: Number of hidden neurons $m$, at least 1.
        init_bound: Largest initial weight $a$, positive; by default $\sqrt{6 / (nm)}$.
            The usual Xavier-uniform start is $\sqrt{6 / (n + m)}$ with
            ``signed_outputs``.
        signed_outputs: Whether ``W_out`` starts with both signs, as is usual. By default
            it starts positive: an output below 0 passes no gradient, so that where the
            signs of a feature's first weights are wrong for positive or for negative x,
            sparse data never corrects them and half of the feature stays lost.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> import jax, jsuper as js
        >>> task = js.Task(
        ...     js.SparseFeatures(3, density=0.1, low=-1),
        ...     ComputationModel(n_features=3, n_hidden=6),
        ...     target=absolute,
        ... )
        >>> params = task.init(jax.random.key(0))
        >>> {name: array.shape for name, array in params.items()}
        {'W_in': (3, 6), 'W_out': (6, 3), 'b': (3,)}
    """

    n_features: int = static()
    n_hidden: int = static()
    init_bound: ArrayLike | None = None
    signed_outputs: bool = static(default=False)

    def __post_init__(self) -> None:
        check_count("n_features", self.n_features)
        check_count("n_hidden", self.n_hidden)
        if self.init_bound is not None:
            check_number("init_bound", self.init_bound)
            check(
                "init_bound",
                self.init_bound,
                lambda bound: (bound > 0) & np.isfinite(bound),
                "positive and finite",
            )

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the axes of each parameter, as `jsuper.sweep` labels them."""
        return {
            "W_in": ("feature", "hidden"),
            "W_out": ("hidden", "feature"),
            "b": ("feature",),
        }

    def init(self, key: jax.Array) -> Params:
        """Samples uniform weights; biases are 0.

        Args:
            key: A typed PRNG key.

        Returns:
            ``W_in`` of shape (n_features, n_hidden) on [-a, a], ``W_out`` of shape
            (n_hidden, n_features) on [0, a], or [-a, a] with ``signed_outputs``, and
            ``b`` of shape (n_features,); a is ``init_bound``.
        """
        n, m = self.n_features, self.n_hidden
        bound = self.init_bound
        if bound is None:
            bound = math.sqrt(6 / (n * m))
        key_in, key_out = jax.random.split(key)
        lowest = -1.0 if self.signed_outputs else 0.0
        W_in = jax.random.uniform(key_in, (n, m), minval=-1.0)
        W_out = jax.random.uniform(key_out, (m, n), minval=lowest)
        return {"W_in": W_in * bound, "W_out": W_out * bound, "b": jnp.zeros(n)}

    @full_precision
    def hidden(self, params: Params, x: jax.Array) -> jax.Array:
        """Returns the activations of the neurons.

        Args:
            params: As returned by `init`.
            x: Features, shape (..., n_features).

        Returns:
            Activations, shape (..., n_hidden).
        """
        chex.assert_shape(params["W_in"], (self.n_features, self.n_hidden))
        chex.assert_axis_dimension(x, -1, self.n_features)
        return jax.nn.relu(x @ params["W_in"])

    @full_precision
    def apply(self, params: Params, x: jax.Array) -> jax.Array:
        """Returns the outputs.

        Args:
            params: As returned by `init`.
            x: Features, shape (..., n_features).

        Returns:
            Outputs, shape (..., n_features).
        """
        chex.assert_shape(params["W_out"], (self.n_hidden, self.n_features))
        chex.assert_shape(params["b"], (self.n_features,))
        return jax.nn.relu(self.hidden(params, x) @ params["W_out"] + params["b"])

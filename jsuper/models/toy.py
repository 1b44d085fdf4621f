r"""What is trained: toy models with tied weights, linear or rectified within."""

import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jsuper.models.activations import exrelu
from jsuper.pytrees import pytree, static
from jsuper.validation import check, check_count, check_number

Params = dict[str, jax.Array]


@pytree
class ToyModel:
    r"""Compresses features into fewer dimensions and recovers them with tied weights.

    $$h = W^\top x, \qquad x' = \mathrm{ExReLU}_t(W h + b)$$

    With threshold 0 it is the "ReLU output model" of Elhage et al. 2022, with
    $-\infty$ its "linear model", with a finite negative one the model of Murphy and
    Qiao's review, section 3. Rows of ``W`` are features, as in the official notebook;
    the paper's $W$ is the transpose.

    Args:
        n_features: Number of features $n$, at least 1.
        n_hidden: Number of hidden dimensions $m$, at least 1.
        threshold: ExReLU threshold $t$ in $[-\infty, \infty)$.
        init_std: Standard deviation of the initial weights, positive; by default
            `xavier_std`, and `notebook_std` is the official notebook's.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import jax, jax.numpy as jnp, jsuper as js
        >>> model = js.ToyModel(n_features=5, n_hidden=2)
        >>> params = model.init(jax.random.key(0))
        >>> params["W"].shape, params["b"].shape
        ((5, 2), (5,))
        >>> model.apply(params, jnp.zeros((3, 5))).shape
        (3, 5)
    """

    n_features: int = static()
    n_hidden: int = static()
    threshold: ArrayLike = 0.0
    init_std: ArrayLike | None = None

    def __post_init__(self) -> None:
        check_count("n_features", self.n_features)
        check_count("n_hidden", self.n_hidden)
        check_number("threshold", self.threshold)
        check("threshold", self.threshold, lambda t: t < np.inf, "in [-inf, inf)")
        if self.init_std is not None:
            check_number("init_std", self.init_std)
            check(
                "init_std",
                self.init_std,
                lambda std: (std > 0) & np.isfinite(std),
                "positive and finite",
            )

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the axes of each parameter, as `jsuper.sweep` labels them."""
        return {"W": ("feature", "hidden"), "b": ("feature",)}

    def init(self, key: jax.Array) -> Params:
        """Draws normal weights; biases are 0.

        Args:
            key: A typed PRNG key.

        Returns:
            ``W`` of shape (n_features, n_hidden) and ``b`` of shape (n_features,).
        """
        std = self.init_std
        if std is None:
            std = xavier_std(self.n_features, self.n_hidden)
        W = jax.random.normal(key, (self.n_features, self.n_hidden))
        return {"W": W * jnp.asarray(std, W.dtype), "b": jnp.zeros(self.n_features)}

    def apply(self, params: Params, x: jax.Array) -> jax.Array:
        """Reconstructs features.

        Args:
            params: As returned by `init`.
            x: Features, shape (..., n_features).

        Returns:
            Reconstructions, shape (..., n_features).
        """
        h = self.hidden(params, x)
        chex.assert_shape(params["b"], (self.n_features,))
        return exrelu(h @ params["W"].T + params["b"], self.threshold)

    def hidden(self, params: Params, x: jax.Array) -> jax.Array:
        """Returns the hidden activations $h$, shape (..., n_hidden)."""
        chex.assert_shape(params["W"], (self.n_features, self.n_hidden))
        chex.assert_axis_dimension(x, -1, self.n_features)
        return x @ params["W"]


@pytree
class HiddenReLUModel(ToyModel):
    r"""The toy model with a ReLU on its hidden layer, which makes neurons of it.

    $$h = \mathrm{ReLU}(W^\top x), \qquad x' = \mathrm{ExReLU}_t(W h + b)$$

    Rotating the hidden dimensions no longer leaves the model as it was, so that they
    become a privileged basis. Source: Elhage et al. 2022, "Superposition in a Privileged
    Basis". Arguments, parameters and errors are those of `ToyModel`.

    Example:
        >>> import jax, jsuper as js
        >>> model = js.HiddenReLUModel(n_features=10, n_hidden=5)
        >>> params = model.init(jax.random.key(0))
        >>> bool((model.hidden(params, jax.numpy.eye(10)) >= 0).all())
        True
    """

    def hidden(self, params: Params, x: jax.Array) -> jax.Array:
        r"""Returns the hidden activations $h \ge 0$, shape (..., n_hidden)."""
        return jax.nn.relu(super().hidden(params, x))


def xavier_std(n_features: int, n_hidden: int) -> float:
    r"""Returns $\sqrt{2 / (n + m)}$, the Xavier-normal scale of ONE model.

    Example:
        >>> round(xavier_std(5, 2), 3)
        0.535
    """
    return math.sqrt(2 / (n_features + n_hidden))


def notebook_std(n_features: int, n_hidden: int, n_instances: int) -> float:
    r"""Returns $\sqrt{2 / (nm + km)}$, the scale of the official notebook.

    The notebook draws the weights of $k$ = ``n_instances`` models as one tensor of shape
    (k, n, m), whose first axes its framework counts into the fan; so there a model
    starts the smaller the more companions it has (cell 3).

    Example:
        >>> round(notebook_std(5, 2, n_instances=10), 3)
        0.258
    """
    return math.sqrt(2 / (n_features * n_hidden + n_instances * n_hidden))

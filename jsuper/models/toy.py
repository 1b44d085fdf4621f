r"""What is trained: toy models, linear or rectified within, with any activation."""

import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jsuper.models.activations import (
    THRESHOLDED,
    Activation,
    apply_activation,
    check_activation,
)
from jsuper.precision import full_precision
from jsuper.pytrees import pytree, static
from jsuper.validation import check, check_count, check_flag, check_number

Params = dict[str, jax.Array]


@pytree
class ToyModel:
    r"""Compresses features into fewer dimensions and recovers them, with tied weights.

    $$h = W^\top x, \qquad x' = f(W h + b)$$

    $f$ is ExReLU, or any other activation. With threshold 0 it is the "ReLU output
    model" of Elhage et al. 2022, with $-\infty$ its "linear model", with a finite
    negative one the model of Murphy and Qiao's review, section 3. Rows of ``W`` are
    features, as in the official notebook; the paper's $W$ is the transpose.

    ================  ==========================================================
    ``activation``    $f(z)$
    ================  ==========================================================
    exrelu, jumprelu  $z$ where $z \ge t$, else 0: `jsuper.exrelu`
    relu              the same at $t = 0$, with derivative 1 at 0 (`jax.nn.relu`: 0)
    linear            $z$, the same at $t = -\infty$
    gelu              $z \Phi(z)$, $\Phi$ the distribution function of a normal number
    silu              $z \sigma(z)$
    softplus          $\log(1 + e^z)$
    tanh              $\tanh z$
    sigmoid           $\sigma(z) = 1 / (1 + e^{-z})$
    ================  ==========================================================

    A function of your own must be elementwise: its output i may depend on pre-activation
    i alone. Models share compiled code where their activation is the same object, so
    define it once, outside of ``build``; a lambda made anew compiles anew. What it reads
    from globals is frozen when it is compiled. To change such a number, pass another
    function: ``functools.partial``, or what a function that takes the number returns.

    Args:
        n_features: Number of features $n$, at least 1.
        n_hidden: Number of hidden dimensions $m$, at least 1.
        threshold: ExReLU threshold $t$ in $[-\infty, \infty)$; 0 for other activations,
            which have none.
        init_std: Standard deviation of the initial weights, positive; by default
            `xavier_std`, and `notebook_std` is the official notebook's.
        activation: A name of the table, or an elementwise function of one array. Static.
        bias: Whether the outputs have a bias $b$. Static.
        tied: Whether $W$ also recovers the features. Otherwise
            $x' = f(W_{out}^\top h + b)$ with weights of their own. Static.
        bandwidth: Bandwidth of ExReLU's straight-through derivatives (`jsuper.exrelu`),
            positive; by default its jump has no derivative.
        train_threshold: Whether every feature has a trained threshold, which starts at
            ``threshold``, finite. Needs a bandwidth. At 0 there is no jump and no
            gradient, so that a start there stays. Static.

    Raises:
        ValueError: If an argument is out of range or does not fit the activation.

    Example:
        >>> import jax, jax.numpy as jnp, jsuper as js
        >>> model = js.ToyModel(n_features=5, n_hidden=2)
        >>> params = model.init(jax.random.key(0))
        >>> params["W"].shape, params["b"].shape
        ((5, 2), (5,))
        >>> model.apply(params, jnp.zeros((3, 5))).shape
        (3, 5)

        Other activations, and weights that are not tied:

        >>> model = js.ToyModel(5, 2, activation="gelu", bias=False, tied=False)
        >>> params = model.init(jax.random.key(0))
        >>> params["W"].shape, params["W_out"].shape
        ((5, 2), (2, 5))
        >>> model.apply(params, jnp.zeros((3, 5))).shape
        (3, 5)
    """

    n_features: int = static()
    n_hidden: int = static()
    threshold: ArrayLike = 0.0
    init_std: ArrayLike | None = None
    activation: Activation = static(default="exrelu")
    bias: bool = static(default=True)
    tied: bool = static(default=True)
    bandwidth: ArrayLike | None = None
    train_threshold: bool = static(default=False)

    def __post_init__(self) -> None:
        check_count("n_features", self.n_features)
        check_count("n_hidden", self.n_hidden)
        check_number("threshold", self.threshold)
        check("threshold", self.threshold, lambda t: t < np.inf, "in [-inf, inf)")
        for name in ("init_std", "bandwidth"):
            value = getattr(self, name)
            if value is not None:
                check_number(name, value)
                check(
                    name, value, lambda v: (v > 0) & np.isfinite(v), "positive and finite"
                )
        check_activation(self.activation)
        for name in ("bias", "tied", "train_threshold"):
            check_flag(name, getattr(self, name))
        self._check_fit()

    def _check_fit(self) -> None:
        """Raises `ValueError` unless threshold and bandwidth fit the activation."""
        if self.activation not in THRESHOLDED:
            name = getattr(self.activation, "__name__", self.activation)
            only = f"for activation {name} (only {' and '.join(THRESHOLDED)} have one)"
            check("threshold", self.threshold, lambda t: t == 0, f"0 {only}")
            if self.bandwidth is not None:
                raise ValueError(f"bandwidth must be None {only}, got {self.bandwidth}")
            if self.train_threshold:
                raise ValueError(f"train_threshold must be False {only}, got True")
        if self.train_threshold:
            if self.bandwidth is None:
                raise ValueError(
                    "bandwidth must be positive with train_threshold, got None: without "
                    "one the gradient of a threshold is 0"
                )
            check("threshold", self.threshold, np.isfinite, "finite with train_threshold")

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the axes of each parameter, as `jsuper.sweep` labels them."""
        dims: dict[str, tuple[str, ...]] = {"W": ("feature", "hidden")}
        if not self.tied:
            dims["W_out"] = ("hidden", "feature")
        if self.bias:
            dims["b"] = ("feature",)
        if self.train_threshold:
            dims["t"] = ("feature",)
        return dims

    def init(self, key: jax.Array) -> Params:
        """Samples normal weights; biases are 0.

        Args:
            key: A typed PRNG key.

        Returns:
            ``W`` of shape (n_features, n_hidden) and, where the model has them, ``b`` of
            shape (n_features,), ``W_out`` of shape (n_hidden, n_features), and ``t`` of
            shape (n_features,), at ``threshold``. ``W`` does not depend on which.
        """
        n, m = self.n_features, self.n_hidden
        std = self.init_std
        if std is None:
            std = xavier_std(n, m)
        W = jax.random.normal(key, (n, m))
        std = jnp.asarray(std, W.dtype)
        params = {"W": W * std}
        if not self.tied:
            own_key = jax.random.fold_in(key, 1)
            params["W_out"] = jax.random.normal(own_key, (m, n)) * std
        if self.bias:
            params["b"] = jnp.zeros(n)
        if self.train_threshold:
            params["t"] = jnp.full(n, self.threshold, W.dtype)
        return params

    @full_precision
    def apply(self, params: Params, x: jax.Array) -> jax.Array:
        """Reconstructs features.

        Args:
            params: As returned by `init`.
            x: Features, shape (..., n_features).

        Returns:
            Reconstructions, shape (..., n_features).
        """
        h = self.hidden(params, x)
        if self.tied:
            z = h @ params["W"].T
        else:
            chex.assert_shape(params["W_out"], (self.n_hidden, self.n_features))
            z = h @ params["W_out"]
        if self.bias:
            chex.assert_shape(params["b"], (self.n_features,))
            z = z + params["b"]
        threshold = self.threshold
        if self.train_threshold:
            chex.assert_shape(params["t"], (self.n_features,))
            threshold = params["t"]
        return apply_activation(self.activation, z, threshold, self.bandwidth)

    @full_precision
    def hidden(self, params: Params, x: jax.Array) -> jax.Array:
        """Returns the hidden activations $h$, shape (..., n_hidden)."""
        chex.assert_shape(params["W"], (self.n_features, self.n_hidden))
        chex.assert_axis_dimension(x, -1, self.n_features)
        return x @ params["W"]


@pytree
class HiddenReLUModel(ToyModel):
    r"""The toy model with a ReLU on its hidden layer, which makes neurons of it.

    $$h = \mathrm{ReLU}(W^\top x), \qquad x' = f(W h + b)$$

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

    The notebook samples the weights of $k$ = ``n_instances`` models as one tensor of shape
    (k, n, m), whose first axes its framework counts into the fan; so there a model
    starts the smaller the more companions it has (cell 3).

    Example:
        >>> round(notebook_std(5, 2, n_instances=10), 3)
        0.258
    """
    return math.sqrt(2 / (n_features * n_hidden + n_instances * n_hidden))

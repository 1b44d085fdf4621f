r"""A classifier of words by their affixes, with a narrow hidden layer.

Characters are embedded, a convolution detects groups of letters, the best match of each
filter anywhere in the word is kept, and everything passes through ``n_hidden`` neurons
before five labels are read from them. The model of Murphy and Qiao, "Toy Models of
Superposition Review", section 2, has two such neurons; what it does not state is an
argument here.
"""

from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from flax import linen as nn
from flax import traverse_util
from jax import lax
from jax.typing import ArrayLike

from jsuper.affixes.encoding import END, N_CHARACTERS, PAD, START
from jsuper.models.activations import exrelu
from jsuper.precision import full_precision
from jsuper.pytrees import pytree, static
from jsuper.validation import check, check_count, check_number

Params = dict[str, Any]
Readout = Literal["softmax", "toy", "tied"]
Pooling = Literal["max", "mean"]


def shape_only(key: jax.Array, shape: tuple[int, ...], dtype: Any = float) -> jax.Array:
    """An initialiser that says how large a parameter is, and no more: all numbers are NaN.

    `AffixClassifier.init` samples the weights of all layers at once.
    """
    del key
    return jnp.full(shape, jnp.nan, dtype)


class Convolution(nn.Module):
    """Filters over windows of characters, as sums of looked-up rows.

    At each place of the window a filter has one number per character: a match is the sum
    of those of the letters there. On CPUs this is faster than a product with every window,
    and a batch of `nn.Conv`, one for each model, is slower still.
    """

    n_embedding: int
    n_filters: int
    window: int

    def setup(self) -> None:
        """Names the parameters."""
        shape = (self.window * self.n_embedding, self.n_filters)
        self.kernel = self.param("kernel", shape_only, shape)
        self.bias = self.param("bias", shape_only, (self.n_filters,))

    def everywhere(self, table: jax.Array, codes: jax.Array) -> jax.Array:
        """Matches of each filter at each place where it fits, (..., places, n_filters)."""
        rows, n = self._rows(table), codes.shape[-1] - self.window + 1
        letters = [codes[..., i : i + n] for i in range(self.window)]
        return self.bias + sum(rows[i][letter] for i, letter in enumerate(letters))

    def at(self, table: jax.Array, codes: jax.Array, places: jax.Array) -> jax.Array:
        """Matches of each filter at one place of its own, both (..., n_filters)."""
        offsets, filters = np.arange(self.window), np.arange(self.n_filters)
        letters = [jnp.take_along_axis(codes, places + i, -1) for i in offsets]
        rows = self._rows(table)[offsets, jnp.stack(letters, -1), filters[:, None]]
        return self.bias + rows.sum(-1)

    def _rows(self, table):
        return table @ self.kernel.reshape(self.window, -1, self.n_filters)


class Network(nn.Module):
    """The layers of `AffixClassifier`, which samples their weights; its arguments."""

    n_labels: int
    n_hidden: int
    readout: Readout
    pooling: Pooling
    mark_ends: bool
    n_embedding: int
    n_filters: int
    window: int

    def setup(self) -> None:
        """Names the layers."""
        shaped: dict[str, Any] = {"kernel_init": shape_only, "bias_init": shape_only}
        self.embedding = nn.Embed(N_CHARACTERS, self.n_embedding, embedding_init=shape_only)
        self.convolution = Convolution(self.n_embedding, self.n_filters, self.window)
        if self.readout == "tied":
            self.detector = nn.Dense(self.n_labels, **shaped)
        else:
            self.to_hidden = nn.Dense(self.n_hidden, **shaped)
        # Rows are labels, so that plots and measures of toy models can read it.
        shape = (self.n_labels, self.n_hidden)
        self.W = self.param("W", shape_only, shape)
        self.b = self.param("b", shape_only, (self.n_labels,))

    def __call__(self, codes: jax.Array) -> jax.Array:
        """Touches every parameter, for `init`."""
        return self.read(self.preactivations(codes))

    def preactivations(self, codes: jax.Array) -> jax.Array:
        """From characters to the hidden neurons, before their activation."""
        codes = codes.astype(jnp.int32)
        inside = codes != PAD
        if not self.mark_ends:
            inside &= (codes != START) & (codes != END)
        padding = [(0, 0)] * (codes.ndim - 1) + [(0, self.window - 1)]
        codes = jnp.pad(jnp.where(inside, codes, PAD), padding)
        table = self.embedding.embedding
        matches = self.convolution.everywhere(table, codes)
        # Positions behind the word do not count: the result is that of any padding.
        if self.pooling == "max":
            # Only the best match has a gradient. Looked up again at its place, it is the
            # same number, and training need not go back through all others.
            matches = jnp.where(inside[..., None], matches, -jnp.inf)
            places = lax.stop_gradient(matches).argmax(-2)
            pooled = nn.relu(self.convolution.at(table, codes, places))
        else:
            matches = jnp.where(inside[..., None], nn.relu(matches), 0.0)
            pooled = matches.sum(-2) / inside.sum(-1, keepdims=True)
        if self.readout == "tied":
            return nn.relu(self.detector(pooled)) @ self.W
        return self.to_hidden(pooled)

    def read(self, hidden: jax.Array) -> jax.Array:
        """From the hidden neurons to the labels, before an output activation."""
        return hidden @ self.W.T + self.b


@pytree
class AffixClassifier:
    r"""From words to labels, through a hidden layer of ``n_hidden`` neurons.

    $$z = \mathrm{pool}_s\, \mathrm{ReLU}(K x_{s:s+5} + k)\, V + c, \qquad
    h = \mathrm{ExReLU}_t(z), \qquad y = h W^\top + b$$

    with embedded characters $x$. The prediction is the label of the largest $y$.

    Args:
        n_hidden: Number of hidden neurons, at least 1.
        threshold: $t$ of the hidden activation: 0 is ReLU, minus infinity the linear
            layer.
        readout: ``"softmax"`` trains $y$ by cross-entropy. ``"toy"`` passes $y$ through
            an output ExReLU and trains by the squared error to labels of 0 and 1, as toy
            models do. ``"tied"`` does so too, and enters the hidden layer by the same W:
            five detectors $f = \mathrm{ReLU}(\cdot)$ behind the pooling and $z = f W$ are
            a toy model of five features.
        output_threshold: Threshold of the output ExReLU; unused with ``"softmax"``.
        pooling: ``"max"`` or ``"mean"`` over positions.
        mark_ends: Whether the model sees the marks at both ends of a word. Without them
            a prefix looks like the same letters inside, but for the start of the row; the
            end of a word still shows in the zeros behind it.
        n_labels: Number of labels.
        n_embedding: Numbers per character.
        n_filters: Filters of the convolution.
        window: Letters that a filter sees.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import jax
        >>> from jsuper.affixes import encode
        >>> model = AffixClassifier(n_hidden=2)
        >>> params = model.init(jax.random.key(0))
        >>> codes = encode(["unkind", "kindness", "kind"])
        >>> model.apply(params, codes).shape, model.hidden(params, codes).shape
        ((3, 5), (3, 2))
    """

    n_hidden: int = static(default=2)
    threshold: ArrayLike = 0.0
    readout: Readout = static(default="softmax")
    output_threshold: ArrayLike = 0.0
    pooling: Pooling = static(default="max")
    mark_ends: bool = static(default=True)
    n_labels: int = static(default=5)
    n_embedding: int = static(default=8)
    n_filters: int = static(default=16)
    window: int = static(default=5)

    def __post_init__(self) -> None:
        for name in ("n_hidden", "n_labels", "n_embedding", "n_filters", "window"):
            check_count(name, getattr(self, name))
        for name in ("threshold", "output_threshold"):
            if isinstance(getattr(self, name), str):
                raise ValueError(
                    f"{name} must be a number or -inf, got {getattr(self, name)!r}"
                )
            check_number(name, getattr(self, name))
            check(name, getattr(self, name), lambda t: t < np.inf, "a number or -inf")
        if not isinstance(self.mark_ends, bool | np.bool_):
            raise ValueError(f"mark_ends must be True or False, got {self.mark_ends!r}")
        for name, allowed in (("readout", Readout), ("pooling", Pooling)):
            if getattr(self, name) not in get_args(allowed):
                raise ValueError(
                    f"{name} must be one of {', '.join(get_args(allowed))}, "
                    f"got {getattr(self, name)!r}"
                )

    @property
    def network(self) -> Network:
        """The Flax module."""
        return Network(
            n_labels=self.n_labels,
            n_hidden=self.n_hidden,
            readout=self.readout,
            pooling=self.pooling,
            mark_ends=self.mark_ends,
            n_embedding=self.n_embedding,
            n_filters=self.n_filters,
            window=self.window,
        )

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the axes of the readout, as `jsuper.sweep` labels them."""
        return {"W": ("feature", "hidden"), "b": ("feature",)}

    def init(self, key: jax.Array) -> Params:
        """Samples uniform weights of variance 1 / fan-in; biases are 0.

        Flax says which parameters there are. They are sampled at once: one by one they
        take seconds longer to compile.
        """
        network, word = self.network, jnp.full((1, 1), START)
        shapes = jax.eval_shape(network.init, key, word)["params"]
        leaves, structure = jax.tree_util.tree_flatten_with_path(shapes)
        ends = np.cumsum([leaf.size for _, leaf in leaves])
        parts = jnp.split(jax.random.uniform(key, (ends[-1],), minval=-1.0), ends[:-1])
        sampled = []
        for (path, leaf), part in zip(leaves, parts, strict=True):
            # W is applied transposed; an embedding has Flax's scale, that of its columns.
            fan_in = leaf.shape[0 if path[-1].key == "kernel" else -1]
            scale = (3 / fan_in) ** 0.5 if leaf.ndim > 1 else 0.0
            sampled.append(scale * part.reshape(leaf.shape))
        return jax.tree.unflatten(structure, sampled)

    def preactivations(self, params: Params, codes: ArrayLike) -> jax.Array:
        """Returns z, shape (..., n_hidden), of encoded words, shape (..., length)."""
        return self._call(params, jnp.asarray(codes), Network.preactivations)

    def hidden(self, params: Params, codes: ArrayLike) -> jax.Array:
        """Returns h, shape (..., n_hidden), of encoded words, shape (..., length)."""
        return exrelu(self.preactivations(params, codes), self.threshold)

    def read(self, params: Params, z: ArrayLike) -> jax.Array:
        """Returns the outputs at points z of the hidden plane, before their activation.

        Args:
            params: As returned by `init`.
            z: Preactivations, shape (..., n_hidden).

        Returns:
            Outputs, shape (..., n_labels).
        """
        hidden = exrelu(jnp.asarray(z), self.threshold)
        y = self._call(params, hidden, Network.read)
        return y if self.readout == "softmax" else exrelu(y, self.output_threshold)

    def apply(self, params: Params, codes: ArrayLike) -> jax.Array:
        """Returns the outputs, shape (..., n_labels), of encoded words (..., length)."""
        return self.read(params, self.preactivations(params, codes))

    @full_precision
    def _call(self, params, x, method) -> Any:
        return self.network.apply({"params": params}, x, method=method)


def params_of(ds: xr.Dataset) -> Params:
    """Returns the parameters of trained classifiers, as their model takes them.

    Args:
        ds: What `jsuper.sweep` returned of tasks with an `AffixClassifier`, or a part of
            it. Select one threshold first, since a model has one:
            ``ds.sel(threshold=-np.inf)``.

    Returns:
        Arrays with the leading axes of ``ds``.

    Raises:
        ValueError: If these are no trained classifiers.
    """
    if not isinstance(ds, xr.Dataset) or "embedding.embedding" not in ds or "W" not in ds:
        raise ValueError(
            "ds must be a dataset of trained AffixClassifiers, with the variables "
            f"embedding.embedding and W, got {type(ds).__name__} "
            f"{list(ds.data_vars) if isinstance(ds, xr.Dataset) else ''}"
        )
    own = ("W", "b")
    names = [str(name) for name in ds.data_vars if name in own or "." in str(name)]
    return traverse_util.unflatten_dict(
        {tuple(name.split(".")): jnp.asarray(ds[name].values) for name in names}
    )

"""Labelling words, sampled by their weights, as a task for the usual trainer."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import ArrayLike

from jsuper.affixes.classifier import AffixClassifier, Params
from jsuper.affixes.words import AffixDataset
from jsuper.pytrees import pytree
from jsuper.validation import check


@pytree
class AffixTask:
    r"""Learning to label words: trains in `jsuper.sweep` as every other task.

    A batch is sampled with replacement, word i with probability proportional to its weight.
    A weight of 0 keeps a word out, so that the parts of a split and the share of dual
    words are matters of weights, and all tasks of a sweep hold the same words.

    The loss is the cross-entropy, with probability divided equally among a word's
    labels; with the other readouts the mean squared error to labels of 0 and 1.

    Args:
        codes: Encoded words, shape (n_words, length), integers.
        labels: Whether word i has label j, shape (n_words, n_labels).
        cumulative: Weights of the words up to and with word i, shape (n_words,).
        model: The model, such as `AffixClassifier`.

    Example:
        Each model has its own split of the words, by weights:

        >>> import jax, jsuper as js
        >>> from jsuper.affixes import composed_words
        >>> words = composed_words(20).pure
        >>> def build(seed):
        ...     train, _ = words.split(jax.random.fold_in(jax.random.key(1), seed))
        ...     weights = np.isin(words.words, train.words)
        ...     return AffixTask.from_words(words, AffixClassifier(2), weights)
        >>> recipe = js.Recipe(10, 64)
        >>> ds = js.sweep(build, {"seed": 3}, recipe, key=jax.random.key(0))
        >>> dict(ds["W"].sizes)
        {'seed': 3, 'feature': 5, 'hidden': 2}
    """

    codes: ArrayLike
    labels: ArrayLike
    cumulative: ArrayLike
    model: AffixClassifier

    @classmethod
    def from_words(
        cls,
        words: AffixDataset,
        model: AffixClassifier,
        weights: ArrayLike | None = None,
        length: int | None = None,
    ) -> "AffixTask":
        """Makes the task of some words.

        Args:
            words: Words, each with one affix or more.
            model: The model, with as many labels as there are affixes.
            weights: How often to sample each word, shape (n_words,), at least 0; by default
                all the same. Of words with one affix, ``(labels / labels.sum(0)).sum(1)``
                samples all affixes equally often.
            length: Columns of the encoded words, see `jsuper.affixes.encode`.

        Raises:
            ValueError: If shapes do not fit, a weight is negative, an affix has no word of
                positive weight, or a word of positive weight has no affix.
            TypeError: If ``words`` is no `AffixDataset` or ``model`` no `AffixClassifier`.
        """
        for name, value, kind in (
            ("words", words, AffixDataset),
            ("model", model, AffixClassifier),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"{name} must be an {kind.__name__}, got {value!r:.60}")
        if model.n_labels != words.n_affixes:
            raise ValueError(
                f"model.n_labels must be the number of affixes, {words.n_affixes}, "
                f"got {model.n_labels}"
            )
        weights = np.ones(len(words)) if weights is None else np.asarray(weights, float)
        if weights.shape != (len(words),):
            raise ValueError(
                f"weights must have shape ({len(words)},), one per word, "
                f"got {weights.shape}"
            )
        check("weights", weights, lambda w: (w >= 0) & np.isfinite(w), "at least 0")
        weight_of = weights @ words.labels
        if not weight_of.all():
            raise ValueError(
                "words must have one of positive weight for every affix, got none for "
                f"{words.affixes[int(weight_of.argmin())]!r}"
            )
        bare = (weights > 0) & ~words.labels.any(1)
        if bare.any():
            raise ValueError(
                "words of positive weight must have an affix, got "
                f"{words.words[int(bare.argmax())]!r}"
            )
        return cls(
            # A byte for each character: a sweep holds them once for each of its cells.
            codes=words.encode(length).astype(np.int8),
            labels=words.labels,
            cumulative=cumulative(weights),
            model=model,
        )

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the axes of the parameters: the model's."""
        return self.model.dims

    def init(self, key: jax.Array) -> Params:
        """Samples the initial parameters of one model."""
        return self.model.init(key)

    def sample(self, key: jax.Array, batch_size: int) -> tuple[jax.Array, jax.Array]:
        """Samples codes, (batch_size, length), and labels, (batch_size, n_labels)."""
        total = jnp.asarray(self.cumulative)
        u = jax.random.uniform(key, (batch_size,)) * total[-1]
        # Rounding may lift u to the total, behind the last word.
        last = jnp.searchsorted(total, total[-1], side="left")
        rows = jnp.minimum(jnp.searchsorted(total, u, side="right"), last)
        return jnp.asarray(self.codes)[rows], jnp.asarray(self.labels)[rows]

    def loss(self, params: Params, key: jax.Array, batch_size: int) -> jax.Array:
        """Returns the loss of one model on one batch."""
        codes, labels = self.sample(key, batch_size)
        labels = labels.astype(float)
        outputs = self.model.apply(params, codes)
        if self.model.readout == "softmax":
            target = labels / labels.sum(-1, keepdims=True)
            return optax.softmax_cross_entropy(outputs, target).mean()
        return jnp.mean((outputs - labels) ** 2)


def cumulative(weights: ArrayLike) -> np.ndarray:
    """Returns running sums of ``weights`` over their total, summed in double precision."""
    check("weights", weights, lambda w: (w >= 0) & np.isfinite(w), "at least 0")
    sums = np.cumsum(np.asarray(weights, np.float64))
    if not sums[-1:].any():
        raise ValueError("weights must have one above 0, got none")
    return (sums / sums[-1]).astype(np.float32)

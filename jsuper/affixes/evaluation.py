r"""What trained classifiers predict, and when a prediction counts as correct.

All functions take plain arrays with any leading axes, such as one for the models.
"""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike

from jsuper.affixes.classifier import AffixClassifier
from jsuper.affixes.encoding import N_CHARACTERS
from jsuper.validation import check

NO_PREDICTION = -1


@functools.partial(jax.jit, static_argnames="shared")
def _predict(model, params, codes, shared):
    def one(args):
        params, codes_of_model = args
        z = model.preactivations(params, codes if shared else codes_of_model)
        return z, model.read(params, z)

    return lax.map(one, (params, None if shared else codes))


def predict(
    model: AffixClassifier, params: Any, codes: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Returns what models make of words, one model after the other.

    Args:
        model: The model that the parameters belong to, one for all of them: of a sweep
            over thresholds select one before. The shapes are checked; thresholds,
            pooling, marks and the kind of readout leave no trace in them and cannot be.
        params: Its parameters, as `jsuper.affixes.classifier.params_of` returns them, with
            any leading axes for the trained models.
        codes: Encoded words, shape (n_words, length), or (..., n_words, length) with the
            leading axes of the parameters if every model has words of its own.

    Returns:
        Preactivations of the hidden neurons, shape (..., n_words, n_hidden), and outputs,
        shape (..., n_words, n_labels).

    Raises:
        ValueError: If the parameters are those of another model, or shapes do not fit.

    Example:
        >>> import jax
        >>> from jsuper.affixes import encode
        >>> model = AffixClassifier(n_hidden=2)
        >>> params = jax.vmap(model.init)(jax.random.split(jax.random.key(0), 3))
        >>> z, outputs = predict(model, params, encode(["unkind", "kindness"]))
        >>> z.shape, outputs.shape
        ((3, 2, 2), (3, 2, 5))
    """
    if not isinstance(params, Mapping):
        raise ValueError(f"params must be those of {model}, got {params!r:.60}")
    expected = jax.eval_shape(model.init, jax.random.key(0))
    if jax.tree.structure(params) != jax.tree.structure(expected):
        raise ValueError(
            f"params must be those of {model}, {', '.join(sorted(expected))}, got "
            f"{', '.join(sorted(params)) or 'none'}"
        )
    axes = np.shape(params["b"])[:-1]
    leaves = jax.tree_util.tree_leaves_with_path(expected)
    for (path, leaf), found in zip(leaves, jax.tree.leaves(params), strict=True):
        if np.shape(found) != (*axes, *leaf.shape):
            name = ".".join(part.key for part in path)
            raise ValueError(
                f"params must be those of {model}: {name} must have shape "
                f"{(*axes, *leaf.shape)}, with the leading axes of b, got {np.shape(found)}"
            )
    codes = np.asarray(codes)
    if codes.dtype.kind not in "iu" or codes.ndim < 2 or codes.shape[:-2] not in ((), axes):
        raise ValueError(
            "codes must be integers of shape (n_words, length), as encode returns them, or "
            f"with leading axes {axes}, got {codes.dtype} of shape {codes.shape}"
        )
    if codes.size and not (codes.min() >= 0 and codes.max() < N_CHARACTERS):
        raise ValueError(
            f"codes must be from 0 to {N_CHARACTERS - 1}, as encode returns them, got "
            f"{codes.min()} to {codes.max()}"
        )
    n = int(np.prod(axes))
    flat = jax.tree.map(lambda a, leaf: jnp.reshape(a, (n, *leaf.shape)), params, expected)
    shared = codes.ndim == 2
    words = codes if shared else codes.reshape(n, *codes.shape[-2:])
    z, outputs = (np.asarray(x) for x in _predict(model, flat, words, shared))
    return z.reshape(*axes, *z.shape[1:]), outputs.reshape(*axes, *outputs.shape[1:])


def predictions(outputs: ArrayLike) -> np.ndarray:
    """Returns the label of the largest output, `NO_PREDICTION` if there is no single one.

    With an output activation all outputs may be 0, which is no prediction.

    Args:
        outputs: Shape (..., n_labels).

    Example:
        >>> predictions([[0.1, 0.7, 0.2], [0.0, 0.0, 0.0]])
        array([ 1, -1])
    """
    outputs = np.asarray(outputs)
    largest = outputs.max(-1, keepdims=True)
    single = (outputs == largest).sum(-1) == 1
    return np.where(single, outputs.argmax(-1), NO_PREDICTION)


def is_correct(predicted: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Returns whether each prediction is a label of its word: for dual words either counts.

    Args:
        predicted: Integers, shape (...), `NO_PREDICTION` never correct.
        labels: Booleans, broadcast against (..., n_labels).

    Raises:
        ValueError: If ``predicted`` is not of integers or ``labels`` not of booleans.

    Example:
        >>> is_correct([0, 1, 2, -1], [True, False, True]).tolist()
        [True, False, True, False]
    """
    predicted, labels = np.asarray(predicted), _check_labels(labels)
    if predicted.dtype.kind not in "iu":
        raise ValueError(f"predicted must be integers, got {predicted.dtype}")
    one_hot = predicted[..., None] == np.arange(labels.shape[-1])
    return (one_hot & labels).any(-1)


def all_in_top(outputs: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Returns whether all labels of a word are larger than all other outputs.

    For dual words: whether both are among the top two. A tie with another is not enough.

    Args:
        outputs: Shape (..., n_labels).
        labels: Booleans, broadcast against it.

    Raises:
        ValueError: If ``labels`` are not of booleans.

    Example:
        >>> all_in_top([[0.3, 0.1, 0.6], [0.3, 0.4, 0.3]], [True, False, True]).tolist()
        [True, False]
    """
    outputs, labels = np.broadcast_arrays(np.asarray(outputs), _check_labels(labels))
    least = np.where(labels, outputs, np.inf).min(-1)
    return least > np.where(labels, -np.inf, outputs).max(-1)


def chance_corrected(accuracy: ArrayLike, chance: ArrayLike) -> np.ndarray:
    """Returns (accuracy - chance) / (1 - chance): 0 for guessing, 1 for always correct.

    Args:
        accuracy: Share of correct predictions.
        chance: Share of correct predictions by guessing, in [0, 1): number of labels of the
            word over number of labels.

    Example:
        >>> float(chance_corrected(0.625, 0.25))
        0.5
    """
    check("chance", chance, lambda c: (c >= 0) & (c < 1), "in [0, 1)")
    chance = np.asarray(chance)
    return (np.asarray(accuracy) - chance) / (1 - chance)


def class_recall(predicted: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Returns the share of correct predictions among the words of each label.

    Args:
        predicted: Integers, shape (..., n_words).
        labels: One label per word or none, booleans of shape (n_words, n_labels), or with
            the leading axes of ``predicted``.

    Returns:
        Shares, shape (..., n_labels); NaN for a label without words.

    Raises:
        ValueError: If a word has two labels.
    """
    labels = np.asarray(labels, bool)
    if (labels.sum(-1) > 1).any():
        raise ValueError("labels must be one for each word, got a word with two")
    hits = np.asarray(predicted)[..., None] == np.arange(labels.shape[-1])
    with np.errstate(invalid="ignore"):
        return (hits & labels).sum(-2) / labels.sum(-2)


def has_learned(recall: ArrayLike, min_recall: float = 0.9) -> np.ndarray:
    """Returns whether a model has learned the task: mean recall ``min_recall`` or more.

    On unequal classes a model may never learn one of them and have a good accuracy all the
    same; and a model that knows fewer labels confuses fewer.

    Args:
        recall: Recall of each label on the training set, shape (..., n_labels).
        min_recall: Lowest mean that does, in [0, 1].
    """
    check("min_recall", min_recall, lambda x: (x >= 0) & (x <= 1), "in [0, 1]")
    return np.mean(np.asarray(recall), -1) >= min_recall


def interference_counts(
    first_correct: ArrayLike, second_correct: ArrayLike, dual_correct: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Counts P(dual word incorrect | both words of one affix correct), stem by stem.

    A stem that a model cannot read at all is no interference: of a stem whose two words
    with one affix are both correct, is the word with both affixes incorrect?

    Args:
        first_correct: Whether the word with the first affix alone is correct, shape
            (..., n_stems).
        second_correct: The same for the second affix.
        dual_correct: The same for the word with both.

    Returns:
        Number of incorrect dual words, and number of stems with both words correct, of
        shape (...); their ratio is the rate.

    Example:
        >>> incorrect, stems = interference_counts([1, 1, 0], [1, 1, 1], [1, 0, 0])
        >>> int(incorrect), int(stems)
        (1, 2)
    """
    both = np.asarray(first_correct, bool) & np.asarray(second_correct, bool)
    return (both & ~np.asarray(dual_correct, bool)).sum(-1), both.sum(-1)


def active_neurons(hidden: ArrayLike, min_share: float = 0.01) -> np.ndarray:
    """Returns how many hidden neurons are not 0 on ``min_share`` of the words or more.

    Args:
        hidden: Activations, shape (..., n_words, n_hidden).
        min_share: As a share of the words, in [0, 1].

    Example:
        >>> int(active_neurons([[1.0, 0.0], [0.0, 0.0]]))
        1
    """
    check("min_share", min_share, lambda x: (x >= 0) & (x <= 1), "in [0, 1]")
    return ((np.asarray(hidden) != 0).mean(-2) >= max(min_share, 1e-12)).sum(-1)


def _check_labels(labels: ArrayLike) -> np.ndarray:
    array = np.asarray(labels)
    if array.dtype != bool or not array.ndim:
        raise ValueError(
            "labels must be booleans, such as those of AffixDataset.labels, got "
            f"{labels!r:.60}"
        )
    return array

r"""Where words lie in the hidden plane, and what follows for words with two affixes.

Every affix moves a word from the centre of the plane by its mean displacement, learnt from
words with one affix. If displacements add, the review's "additive interference", a word
with two affixes lies at

$$\hat z_{ab} = c + d_a + d_b, \qquad d_a = m_a - c,$$

with the mean $m_a$ of the words with affix a and the centre $c$, the mean of the five. The
class in whose region that point lies is then the geometric prediction.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import root_scalar
from scipy.special import comb

from jsuper.validation import check, check_count


def class_means(z: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Returns the mean position of the words of each label.

    Args:
        z: Positions, shape (..., n_words, n_hidden).
        labels: One label per word or none, booleans, broadcast against
            (..., n_words, n_labels).

    Returns:
        Means, shape (..., n_labels, n_hidden).

    Raises:
        ValueError: If a label has no word, or a word two labels.
    """
    weights = np.asarray(labels, float)
    if (weights.sum(-1) > 1).any():
        raise ValueError("labels must be one for each word, got a word with two")
    counts = weights.sum(-2)
    if not counts.all():
        raise ValueError("labels must each have a word, got one without")
    return np.swapaxes(weights, -1, -2) @ np.asarray(z) / counts[..., None]


def displacements(means: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Returns the centre, shape (..., n_hidden), and each label's displacement from it.

    Args:
        means: Mean positions, shape (..., n_labels, n_hidden).

    Example:
        >>> centre, d = displacements([[2.0, 0.0], [0.0, 2.0]])
        >>> centre.tolist(), d.tolist()
        ([1.0, 1.0], [[1.0, -1.0], [-1.0, 1.0]])
    """
    means = np.asarray(means)
    centre = means.mean(-2)
    return centre, means - centre[..., None, :]


def predicted_positions(means: ArrayLike, pairs: ArrayLike) -> np.ndarray:
    r"""Returns where words with two affixes lie if displacements add.

    $$\hat z_{ab} = m_a + m_b - c$$

    Args:
        means: Mean positions of words with one affix, shape (..., n_labels, n_hidden).
        pairs: Indices of the two affixes of each pair, shape (n_pairs, 2).

    Returns:
        Positions, shape (..., n_pairs, n_hidden).

    Raises:
        ValueError: If a pair is not two of the labels.

    Example:
        >>> predicted_positions([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [(0, 1)]).tolist()
        [[1.0, 1.0]]
    """
    centre, d = displacements(means)
    first, second = _check_pairs(pairs, d.shape[-2]).T
    return centre[..., None, :] + d[..., first, :] + d[..., second, :]


def circle_order(d: ArrayLike) -> np.ndarray:
    """Returns the labels in counterclockwise order of their directions in the plane.

    Args:
        d: Displacements, shape (..., n_labels, 2).

    Returns:
        Labels, shape (..., n_labels). Which comes first has no meaning; a displacement of
        length 0 has no place.

    Raises:
        ValueError: If there are not two hidden dimensions.

    Example:
        >>> circle_order([[1.0, 0.0], [-1.0, 0.1], [0.0, 1.0]]).tolist()
        [0, 2, 1]
    """
    d = _check_plane(d)
    return np.argsort(np.mod(np.arctan2(d[..., 1], d[..., 0]), 2 * np.pi), axis=-1)


def between(order: ArrayLike, pairs: ArrayLike) -> np.ndarray:
    """Returns the label between the two of a pair, -1 if they are neighbours.

    Of five labels on a circle two that are not neighbours have one label between them on
    the shorter way. For other numbers of labels see `likeliest_other` at the
    `predicted_positions`, which also takes account of how far apart they are.

    Args:
        order: Five labels in the order of the circle, shape (..., 5).
        pairs: Indices of labels, shape (n_pairs, 2).

    Returns:
        Labels, shape (..., n_pairs).

    Raises:
        ValueError: If there are not five labels, or a pair is not two of them.

    Example:
        >>> between([0, 2, 4, 1, 3], [(0, 2), (0, 4), (1, 0)]).tolist()
        [-1, 2, 3]
    """
    order = np.asarray(order)
    n = order.shape[-1]
    if n != 5:
        raise ValueError(f"order must hold five labels, got {n}")
    if (np.sort(order, axis=-1) != np.arange(n)).any():
        raise ValueError("order must hold each of the labels 0 to 4 once")
    first, second = _check_pairs(pairs, n).T
    place = np.argsort(order, axis=-1)
    a, b = place[..., first], place[..., second]
    step = np.mod(b - a, n)
    middle = np.where(step == 2, a + 1, b + 1) % n
    found = np.take_along_axis(order, middle, -1)
    return np.where((step == 1) | (step == n - 1), -1, found)


def likeliest_other(outputs: ArrayLike, pairs: ArrayLike) -> np.ndarray:
    """Returns the label of the largest output that is none of the pair's own.

    Args:
        outputs: Shape (..., n_pairs, n_labels), of three labels or more.
        pairs: Indices of labels, shape (n_pairs, 2).

    Returns:
        Labels, shape (..., n_pairs).

    Raises:
        ValueError: If there are fewer than three labels, or a pair is not two of them.

    Example:
        >>> likeliest_other([[0.9, 0.0, 0.2, 0.1]], [(0, 1)]).tolist()
        [2]
    """
    outputs = np.asarray(outputs)
    n = outputs.shape[-1]
    if n < 3:
        raise ValueError(f"outputs must be of three labels or more, got {n}")
    own = (_check_pairs(pairs, n)[..., None] == np.arange(n)).any(-2)
    return np.where(own, -np.inf, outputs).argmax(-1)


def shuffles(n_models: int, n_labels: int, seed: int = 0) -> np.ndarray:
    """Returns one random order of the labels for each model, (n_models, n_labels)."""
    check_count("n_models", n_models)
    check_count("n_labels", n_labels)
    rng = np.random.default_rng(seed)
    return rng.permuted(np.tile(np.arange(n_labels), (n_models, 1)), axis=1)


def largest_gap(d: ArrayLike) -> np.ndarray:
    """Returns the largest angle between neighbours on the circle of directions.

    Args:
        d: Displacements, shape (..., n_labels, 2).

    Returns:
        Degrees, shape (...); 72 for a regular pentagon.

    Raises:
        ValueError: If there are not two hidden dimensions.

    Example:
        >>> float(largest_gap([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
        180.0
    """
    d = _check_plane(d)
    angles = np.sort(np.degrees(np.arctan2(d[..., 1], d[..., 0])), -1)
    return np.diff(angles, append=angles[..., :1] + 360).max(-1)


def random_gap(n: int) -> float:
    r"""Returns the median of the largest angle between n random directions, in degrees.

    $$P(\text{gap} \le 2\pi s) = \sum_k (-1)^k \binom{n}{k} (1 - ks)_+^{n-1}$$

    Source: Stevens (1939), "Solution to a geometrical problem in probability".

    Example:
        >>> round(random_gap(2), 1), round(random_gap(5), 1)
        (270.0, 157.3)
    """
    check_count("n", n, 2)

    def probability(share):
        k = np.arange(n + 1)
        covered = np.maximum(1 - k * share, 0) ** (n - 1)
        return ((-1.0) ** k * comb(n, k) * covered).sum()

    middle = root_scalar(lambda share: probability(share) - 0.5, bracket=(1 / n, 1))
    return 360 * float(middle.root)


def interval(
    statistic: Callable[..., Any],
    counts: Sequence[ArrayLike],
    n_resamples: int = 2_000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Deprecated: use `jsuper.results.statistics.interval`.

    Returns a statistic of totals over models with its percentile bootstrap interval. Models
    are resampled with replacement: models are independent, words of one model are not.

    Args:
        statistic: Function of the totals of ``counts``, a ratio for example.
        counts: Arrays with one number per model, each of shape (n_models,).
        n_resamples: Number of resamples.
        level: Share of the resamples inside the interval, in (0, 1).
        seed: Seed of the resampling.

    Returns:
        The statistic, and the lower and upper end of its percentile interval. NaN where it
        is not defined, and for the ends of a single model.

    Raises:
        ValueError: If ``counts`` differ in length or an argument is out of range.

    Example:
        >>> def share(hits, trials):
        ...     return hits / trials
        >>> with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        ...     value, low, high = interval(share, [[1, 2, 0, 1], [4, 4, 4, 4]])
        >>> value, 0 <= low < 0.25 < high <= 0.5
        (0.25, True)
    """
    warnings.warn(
        "jsuper.affixes.geometry.interval is deprecated, use "
        "jsuper.results.statistics.interval",
        DeprecationWarning,
        stacklevel=2,
    )
    check_count("n_resamples", n_resamples)
    check("level", level, lambda x: (x > 0) & (x < 1), "in (0, 1)")
    arrays = [np.asarray(count, float) for count in counts]
    shapes = {array.shape for array in arrays}
    if len(shapes) != 1 or arrays[0].ndim != 1:
        raise ValueError(f"counts must be rows of one length, got shapes {sorted(shapes)}")
    table = np.stack(arrays)
    n = table.shape[1]
    if n == 0:
        return np.nan, np.nan, np.nan
    rows = np.random.default_rng(seed).integers(n, size=(n_resamples, n))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = statistic(*table.sum(1))
        resampled = np.asarray(statistic(*table[:, rows].sum(-1)))
    resampled = resampled[np.isfinite(resampled)]
    if n == 1 or not len(resampled):
        return float(value), np.nan, np.nan
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(value), float(low), float(high)


def _check_plane(d: ArrayLike) -> np.ndarray:
    d = np.asarray(d)
    if d.shape[-1] != 2:
        raise ValueError(f"d must have two hidden dimensions, got {d.shape[-1]}")
    return d


def _check_pairs(pairs: ArrayLike, n_labels: int) -> np.ndarray:
    table = np.asarray(pairs)
    good = table.ndim == 2 and table.shape[1] == 2 and table.dtype.kind in "iu"
    inside = good and (table >= 0).all() and (table < n_labels).all()
    if not (inside and np.diff(table).all()):
        raise ValueError(
            f"pairs must be pairs of two labels from 0 to {n_labels - 1}, got {pairs!r:.60}"
        )
    return table

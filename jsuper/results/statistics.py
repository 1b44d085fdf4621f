"""Uncertainty of numbers: intervals by resampling what is independent."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from jsuper.renaming import renamed_arguments
from jsuper.validation import check, check_count


class Interval(NamedTuple):
    """A statistic, the ends of its interval, and how many were resampled.

    Args:
        value: The statistic of all entries.
        low: Lower end; NaN where there are fewer than two.
        high: Upper end.
        n: Number of independent entries.
    """

    value: float
    low: float
    high: float
    n: int


@renamed_arguments(level="confidence_level")
def interval(
    statistic: Callable[..., Any],
    *samples: ArrayLike,
    confidence_level: float = 0.95,
    n_resamples: int = 2_000,
) -> Interval:
    """Returns a statistic with its percentile bootstrap interval.

    Resampled are the entries, with replacement and together in all samples: give one for
    each seed, which are independent, and not one for each feature, which are not.

    Args:
        statistic: Function of the samples with the keyword ``axis``, such as `numpy.mean`.
        samples: Arrays of one length, an entry for each seed; those that are NaN in any
            are left out.
        confidence_level: Share of the resampled statistics inside the interval, in (0, 1).
        n_resamples: Number of resamples.

    Returns:
        The `Interval`.

    Raises:
        ValueError: If samples differ in length or an argument is out of range.

    Example:
        >>> found = interval(np.mean, [0.0, 1.0, 0.0, 1.0, 1.0])
        >>> found.value, found.n, 0 < found.low < 0.6 < found.high < 1.01
        (0.6, 5, True)
    """
    check_count("n_resamples", n_resamples)
    check("confidence_level", confidence_level, lambda x: (x > 0) & (x < 1), "in (0, 1)")
    arrays = np.array([np.asarray(sample, float) for sample in _of_one_length(samples)])
    arrays = arrays[:, ~np.isnan(arrays).any(0)]
    n = arrays.shape[1]
    if n == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        # Of resamples in which the statistic is not defined, which are left out below.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        value = float(statistic(*arrays, axis=-1))
        if n == 1:
            return Interval(value, np.nan, np.nan, 1)
        resampled = stats.bootstrap(
            tuple(arrays),
            statistic,
            paired=True,
            vectorized=True,
            n_resamples=n_resamples,
            method="percentile",
            rng=np.random.default_rng(0),
        ).bootstrap_distribution
    # A ratio of totals may be undefined in some resamples.
    resampled = resampled[np.isfinite(resampled)]
    if not len(resampled):
        return Interval(value, np.nan, np.nan, n)
    low, high = np.quantile(
        resampled, [(1 - confidence_level) / 2, (1 + confidence_level) / 2]
    )
    return Interval(value, float(low), float(high), n)


def _of_one_length(samples: Sequence[ArrayLike]) -> Sequence[ArrayLike]:
    shapes = {np.shape(sample) for sample in samples}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f"samples must be rows of one length, got {sorted(shapes)}")
    return samples

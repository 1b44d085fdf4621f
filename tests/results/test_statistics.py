"""Intervals: their coverage, what is resampled, and where there are none."""

import numpy as np
import pytest

from jsuper.results.statistics import interval


def test_intervals_cover_the_truth_as_often_as_they_say():
    # Of 400 means of 40 normal numbers; the count has a deviation of 1.1%, and the
    # percentile interval of 40 numbers covers some 1% less than it says.
    rng = np.random.default_rng(0)
    found = [interval(np.mean, rng.normal(size=40), n_resamples=500) for _ in range(400)]
    covered = np.mean([low <= 0 <= high for _, low, high, _ in found])
    assert abs(covered - 0.94) < 0.03
    widths = [high - low for _, low, high, _ in found]
    # 2 x 1.96 / sqrt(40), and a little less.
    assert np.mean(widths) == pytest.approx(2 * 1.96 / np.sqrt(40), rel=0.05)


def test_samples_are_resampled_together():
    hits, trials = np.array([1.0, 2, 0, 9]), np.array([4.0, 4, 4, 36])

    def share(hits, trials, axis):
        return hits.sum(axis) / trials.sum(axis)

    value, low, high, n = interval(share, hits, trials)
    assert (value, n) == (12 / 48, 4)
    assert 0 <= low < 0.25 < high <= 0.5
    # Where numerator and denominator move together nothing is uncertain.
    assert interval(share, trials / 4, trials)[:3] == (0.25, 0.25, 0.25)


def test_what_is_missing_is_left_out():
    value, low, high, n = interval(np.mean, [1.0, np.nan, 1.0])
    assert (value, low, high, n) == (1, 1, 1, 2)
    value, low, high, n = interval(np.median, [3.0])
    assert (value, n) == (3, 1)
    assert np.isnan([low, high]).all()
    assert interval(np.mean, [np.nan]).n == 0
    assert interval(np.mean, []).n == 0


def test_resamples_without_a_value_are_left_out():
    def ratio(hits, trials, axis):
        return hits.sum(axis) / trials.sum(axis)

    # One of the 27 resamples of three has no trial at all.
    value, low, high, n = interval(ratio, [1.0, 0, 0], [2.0, 2, 0])
    assert (value, n) == (0.25, 3)
    assert 0 <= low < 0.25 < high <= 0.5


def test_the_same_data_give_the_same_interval():
    data = np.random.default_rng(1).normal(size=20)
    assert interval(np.median, data) == interval(np.median, data)
    wide, narrow = (
        interval(np.mean, data, confidence_level=level) for level in (0.99, 0.5)
    )
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(
    ("samples", "options", "message"),
    [
        (([1.0], [1.0, 2.0]), {}, "samples must be rows of one length"),
        (([[1.0]],), {}, "samples must be rows of one length"),
        (
            ([1.0],),
            {"confidence_level": 1.0},
            r"confidence_level must be in \(0, 1\), got 1",
        ),
        (([1.0],), {"n_resamples": 0}, "n_resamples must be an integer of at least 1"),
    ],
)
def test_what_has_no_interval(samples, options, message):
    with pytest.raises(ValueError, match=message):
        interval(np.mean, *samples, **options)

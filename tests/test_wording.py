"""Coordinates in words."""

import datetime

import numpy as np
import pandas as pd
import pytest

from jsuper import wording


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.12345, "0.123"),
        (np.float32(0.1), "0.1"),
        (-np.inf, "-inf"),
        (np.nan, "nan"),
        (1024, "1024"),
        (np.int64(100_000), "100000"),
        (np.array(2), "2"),
        (True, "True"),
        (np.False_, "False"),
        ("relu", "relu"),
        (np.str_("ℝ_x"), "ℝ_x"),
        (b"relu", "relu"),
        (None, "None"),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (np.datetime64("2026-01-02T03:04:05"), "2026-01-02 03:04:05"),
        (datetime.datetime(2026, 1, 2), "2026-01-02"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (np.datetime64("NaT", "s"), "NaT"),
        (np.timedelta64(90, "m"), "0 days 01:30:00"),
    ],
)
def test_a_value_in_words(value, said):
    assert wording.text(value) == said


def test_digits_are_those_asked_for():
    assert wording.text(0.123456, 5) == "0.12346"


@pytest.mark.parametrize(
    ("values", "numbers", "order"),
    [
        ([3.0, -np.inf, 1.0], True, [1, 2, 0]),
        (np.array([3, 1, 2], object), True, [1, 2, 0]),
        (np.array([3, 1], np.uint8), True, [1, 0]),
        (["relu", "gelu"], False, [0, 1]),
        ([True, False], False, [0, 1]),
        (np.array(["relu", 1.0], object), False, [0, 1]),
        (pd.to_datetime(["2026-02-01", "2026-01-01"]).values, False, [1, 0]),
    ],
)
def test_numbers_and_dates_ascend_and_names_stay(values, numbers, order):
    values = np.asarray(values)
    assert wording.are_numbers(values) == numbers
    assert wording.ascending(values).tolist() == order

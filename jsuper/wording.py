"""Coordinates in words: numbers, names, booleans and dates as people write them."""

import datetime
from typing import Any

import numpy as np
import pandas as pd


def text(value: Any, digits: int = 3) -> str:
    """Returns one value of a coordinate as text.

    Args:
        value: A number, a name, a boolean, a date, or any other object.
        digits: Significant digits of numbers that are not integers.

    Example:
        >>> [text(v) for v in (0.12345, 2048, True, "relu", np.datetime64("2026-01-02"))]
        ['0.123', '2048', 'True', 'relu', '2026-01-02']
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if is_number(value):
        return (
            f"{value:d}" if isinstance(value, int | np.integer) else f"{value:.{digits}g}"
        )
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, np.timedelta64):
        return str(pd.Timedelta(value))
    if isinstance(value, np.datetime64 | datetime.datetime):
        return str(pd.Timestamp(value)).removesuffix(" 00:00:00")
    return str(value)


def is_number(value: Any) -> bool:
    """Returns whether a value is a real number: no name, boolean or date."""
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool | np.timedelta64)


def are_numbers(values: np.ndarray) -> bool:
    """Returns whether all values of an axis are real numbers."""
    if values.dtype.kind == "O":
        return all(map(is_number, values.flat))
    return values.dtype.kind in "iuf"


def are_dates(values: np.ndarray) -> bool:
    """Returns whether the values of an axis are dates or spans of time."""
    return values.dtype.kind in "mM"


def ascending(values: np.ndarray) -> np.ndarray:
    """Positions of numbers and dates in ascending order; all else stays in its order."""
    if are_numbers(values):
        return np.argsort(values.astype(float), kind="stable")
    return (
        np.argsort(values, kind="stable") if are_dates(values) else np.arange(len(values))
    )

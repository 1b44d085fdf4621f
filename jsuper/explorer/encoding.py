"""Arrays as text in a page: little-endian bytes in base64, in as few as keep the values.

Whole numbers and NaN take a byte or two each, names a byte or two beside the list of names,
float32 and float64 stay what they are, so that a page shows the file's own digits. Only
curves are rounded: to 65,533 numbers spaced evenly in the logarithm.
"""

import base64
from typing import Any

import numpy as np
import pandas as pd

from jsuper import wording

COUNTS = {"count": np.dtype(np.uint8), "count16": np.dtype("<u2")}
"""Whole numbers in one byte and in two, whose highest number stands for NaN."""

MAX_NAMES = 65_535
"""Names of one variable that a page can tell apart."""


def encoded(values: np.ndarray) -> dict[str, Any]:
    """Returns numbers, booleans, names or dates as JSON can hold them, exactly.

    Args:
        values: An array of any shape; objects must be numbers, booleans or text.

    Returns:
        ``dtype`` (``count`` and ``count16`` are those of `COUNTS`, ``name`` and ``name16``
        positions in ``names``), and ``data`` in base64.

    Example:
        >>> encoded(np.array([3.0, np.nan]))
        {'dtype': 'count', 'data': 'A/8='}
    """
    if values.dtype.kind == "O" and all(
        value is None or isinstance(value, bool | np.bool_) or wording.is_number(value)
        for value in values.flat
    ):
        values = values.astype(float)  # None becomes NaN, as where booleans were joined
    if values.dtype.kind not in "biuf":
        return _names(values)
    for name, dtype in COUNTS.items():
        if _are_counts(values, np.iinfo(dtype).max):
            filled = np.where(np.isnan(values), np.iinfo(dtype).max, values)
            return {"dtype": name, "data": _base64(filled.astype(dtype))}
    if values.dtype.kind == "f" and values.dtype.itemsize <= 4:
        return {"dtype": "float32", "data": _base64(values.astype("<f4"))}
    return {"dtype": "float64", "data": _base64(values.astype("<f8"))}


def encoded_curves(values: np.ndarray) -> dict[str, Any]:
    """Returns positive numbers in two bytes each, rounded evenly in the logarithm.

    Numbers that are not positive and finite are missing.

    Returns:
        ``dtype`` ``log``, ``data`` of which 0 is missing and k is
        ``exp(first + (k - 1) * step)``, and ``first`` and ``step``.
    """
    values = values.astype(float)
    there = (values > 0) & np.isfinite(values)
    logs = np.log(values, where=there, out=np.zeros_like(values))
    first = float(logs[there].min()) if there.any() else 0.0
    last = float(logs[there].max()) if there.any() else 0.0
    step = (last - first) / 65_533 or 1.0
    places = np.where(there, np.round((logs - first) / step) + 1, 0)
    data = _base64(places.astype("<u2"))
    return {"dtype": "log", "data": data, "first": first, "step": step}


def _names(values: np.ndarray) -> dict[str, Any]:
    flat = values.ravel()
    there = ~pd.isnull(flat)  # where datasets were joined, NaN stands among names
    texts = [wording.text(v, 6) if has else "" for v, has in zip(flat, there, strict=True)]
    names, places = np.unique(np.array(texts, str), return_inverse=True)
    if len(names) > MAX_NAMES:
        raise ValueError(
            f"a variable of names must hold at most {MAX_NAMES:,}, got {len(names):,}"
        )
    wide = len(names) > 256
    data = _base64(places.astype("<u2" if wide else np.uint8))
    dtype = "name16" if wide else "name"
    return {"dtype": dtype, "data": data, "names": names.tolist()}


def _are_counts(values: np.ndarray, missing: int) -> bool:
    numbers = values.astype(float)
    there = numbers[~np.isnan(numbers)]
    return bool(((there >= 0) & (there < missing)).all()) and bool((there % 1 == 0).all())


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()

"""Words of the command line as values of an axis: ``density=0.1``, ``activation=relu``."""

import argparse
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from jsuper import wording
from jsuper.padding import SUFFIX
from jsuper.results.models import model_axes

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def selection(text: str) -> tuple[str, str]:
    """Reads ``AXIS=VALUE``, as a type of argparse."""
    name, equals, value = text.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise argparse.ArgumentTypeError(f"must be AXIS=VALUE, got {text!r}")
    return name.strip(), value.strip()


def select(
    ds: xr.Dataset, wanted: Sequence[tuple[str, str]]
) -> tuple[xr.Dataset, dict[str, str]]:
    """Selects values of axes, or of coordinates beside an axis.

    Args:
        ds: A sweep.
        wanted: Names and values; several values of one name stand with commas between
            them, or one after the other. Of numbers and dates the nearest is taken.

    Returns:
        What was selected, and what each value turned out to be.

    Raises:
        ValueError: If a name is none of the axes, or a value none of its kind.
    """
    texts: dict[str, list[str]] = {}
    for name, text in wanted:
        texts.setdefault(name, []).append(text)
    taken = {}
    for name, given in texts.items():
        choices = _choices(ds)
        if name not in choices:
            raise ValueError(f"--select must name one of {choices}, got {name!r}")
        values = ds[name].values
        places = [place for text in given for place in _places(name, values, text)]
        places = list(dict.fromkeys(places))
        taken[name] = ", ".join(wording.text(values[place], 6) for place in places)
        ds = ds.isel({ds[name].dims[0]: places if len(places) > 1 else places[0]})
    return ds, taken


def _choices(ds: xr.Dataset) -> list[str]:
    """Axes that have values, and coordinates beside them."""
    axes = model_axes(ds)
    beside = [
        str(name)
        for name, values in ds.coords.items()
        if values.ndim == 1 and values.dims[0] in axes and not str(name).endswith(SUFFIX)
    ]
    return [*(a for a in axes if a in beside), *(b for b in beside if b not in axes)]


def _places(name: str, values: np.ndarray, text: str) -> list[int]:
    """Positions of the values that a word stands for."""
    if text in map(str, values):  # a name may have a comma
        return [_place(name, values, text)]
    return [_place(name, values, part.strip()) for part in text.split(",")]


def _place(name: str, values: np.ndarray, text: str) -> int:
    if wording.are_numbers(values):
        return _nearest_number(name, values, text)
    if wording.are_dates(values):
        return _nearest_date(name, values, text)
    if all(isinstance(value, bool | np.bool_) for value in values):
        number = TRUTH.get(text.lower())
        found = [] if number is None else np.flatnonzero(values == number)
    else:
        found = [i for i, v in enumerate(values) if text in (str(v), wording.text(v))]
    if not len(found):
        raise _no_value(name, ", ".join(map(wording.text, values[:12])), text)
    return int(found[0])


def _nearest_number(name: str, values: np.ndarray, text: str) -> int:
    try:
        number = -np.inf if (name, text) == ("threshold", "linear") else float(text)
    except ValueError:
        number = np.nan
    whole = values.dtype.kind in "iu"
    if np.isnan(number) or (whole and number % 1):
        raise _no_value(name, "an integer" if whole else "a number", text)
    numbers = values.astype(float)
    equal = np.flatnonzero(numbers == number)
    if len(equal):
        return int(equal[0])
    if name == "seed" or not np.isfinite(number) or not np.isfinite(numbers).any():
        raise _no_value(name, ", ".join(map(wording.text, values[:12])), text)
    distance = np.abs(numbers - number)
    return int(np.where(np.isfinite(distance), distance, np.inf).argmin())


def _nearest_date(name: str, values: np.ndarray, text: str) -> int:
    spans = values.dtype.kind == "m"
    there = np.flatnonzero(~np.isnat(values))
    try:
        # Stricter than pandas and NumPy, which make a date or a span of any number.
        if not len(there) or not re.search(
            r"\d[^\d.]" if spans else r"^\d{4}(-\d\d|$)", text
        ):
            raise ValueError
        wanted = pd.Timedelta(text).to_numpy() if spans else np.datetime64(text)
    except ValueError:
        allowed = "a span of time (3 days)" if spans else "a date (2026-01-31)"
        raise _no_value(name, allowed, text) from None
    return int(there[np.abs(values[there] - wanted).argmin()])


def _no_value(name: str, allowed: str, text: str) -> ValueError:
    some = "one of " if "," in allowed else ""
    return ValueError(f"--select {name} must be {some}{allowed}, got {text!r}")

"""Theory's lines over a map: given by hand, or with the dataset."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr


def as_lines(theory: Any) -> list[dict[str, Any]]:
    """Returns lines as a page holds them.

    Args:
        theory: Points by name of the line and by axis: two axes with as many numbers each,
            or one axis with one number, of a line straight across. A text beside them is
            the value of another axis at which the line is shown. As JSON where a file has
            it, in its attribute ``theory``. None is no lines.

    Raises:
        ValueError: If it is anything else.

    Example:
        >>> as_lines({"no pair": {"threshold": -0.53}})
        [{'name': 'no pair', 'axes': ['threshold'], 'points': [[-0.53]], 'where': {}}]
    """
    if theory is None:
        return []
    if isinstance(theory, str):
        try:
            theory = json.loads(theory)
        except json.JSONDecodeError:
            raise ValueError(f"theory must be lines by name, got {theory!r}") from None
    if not isinstance(theory, Mapping):
        raise ValueError(f"theory must be lines by name, got {theory!r}")
    return [_line(str(name), points) for name, points in theory.items()]


def check_axes(lines: list[dict[str, Any]], ds: xr.Dataset, axes: list[str]) -> None:
    """Raises `ValueError` if a line is along something that is no axis of the models."""
    beside = (str(n) for n, array in ds.coords.items() if {*array.dims} <= {*axes})
    known = list(dict.fromkeys([*axes, *beside]))
    for line in lines:
        for axis in (*line["axes"], *line["where"]):
            if axis not in known:
                raise ValueError(
                    f"theory[{line['name']!r}] must be along axes of ds "
                    f"({', '.join(known)}), got {axis!r}"
                )


def as_attribute(theory: Mapping[str, Any]) -> str:
    """Returns lines as the attribute ``theory`` of a dataset that is to be saved."""
    points = {
        line["name"]: dict(zip(line["axes"], line["points"], strict=True)) | line["where"]
        for line in as_lines(theory)
    }
    return json.dumps(points)


def _line(name: str, points: Any) -> dict[str, Any]:
    allowed = (
        f"theory[{name!r}] must be two axes with as many finite numbers each, or one axis "
        "with one number"
    )
    if not isinstance(points, Mapping):
        raise ValueError(f"{allowed}, got {points!r}")
    where = {str(axis): v for axis, v in points.items() if isinstance(v, str)}
    given = points
    points = {str(axis): v for axis, v in points.items() if not isinstance(v, str)}
    if len(points) not in (1, 2):
        raise ValueError(f"{allowed}, got {dict(given)!r}")
    try:
        values = [np.atleast_1d(np.asarray(given, float)) for given in points.values()]
    except (TypeError, ValueError):
        raise ValueError(f"{allowed}, got {points!r}") from None
    sizes = {array.shape for array in values}
    right = len(sizes) == 1 and values[0].ndim == 1 and values[0].size > 0
    if not right or (len(values) == 1 and values[0].size != 1):
        raise ValueError(f"{allowed}, got shapes {sorted(a.shape for a in values)}")
    if not all(np.isfinite(array).all() for array in values):
        raise ValueError(f"{allowed}, got {points!r}")
    numbers = [array.tolist() for array in values]
    return {"name": name, "axes": list(points), "points": numbers, "where": where}

"""One look for all figures: colours, panels, and what stands on their axes."""

import textwrap
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from jsuper.results.measures import best_seed

# The light end of a map is lost on white paper.
SEQUENTIAL = ListedColormap(colormaps["viridis"](np.linspace(0.92, 0, 256)))

PALETTE = {
    "black": "#000000",
    "orange": "#e69f00",
    "sky": "#56b4e9",
    "green": "#009e73",
    "yellow": "#f0e442",
    "blue": "#0072b2",
    "vermilion": "#d55e00",
    "purple": "#cc79a7",
}
"""Colours that colour-blind readers can tell apart (Okabe and Ito 2008)."""


def one_seed(ds: xr.Dataset) -> xr.Dataset:
    """The model of lowest loss of every cell, if there are several seeds."""
    if "W" not in ds:
        raise ValueError(
            f"ds must have a variable W, got variables {sorted(map(str, ds.data_vars))}"
        )
    if "step" in ds["W"].dims:
        raise ValueError(
            "the figure shows models at one step: select it first, as in ds.isel(step=-1)"
        )
    return best_seed(ds) if "seed" in ds["W"].dims else ds


def grid_axes(ds: xr.Dataset, variable: str, most: int) -> list[str | None]:
    """The axes of the grid, filled up with None to two."""
    inner = {"feature", "hidden", "seed", "step"}
    names = [str(d) for d in ds[variable].dims if d not in inner]
    if len(names) > most:
        raise ValueError(
            f"the figure has room for {most} of the axes {names}: select one value of the "
            f"others first (in Python ds.isel({names[-1]}=0), in a shell --select)"
        )
    return [*names, None, None][:2]


def size(ds: xr.Dataset, name: str | None) -> int:
    """The number of values of an axis, 1 without one."""
    return ds.sizes[name] if name else 1


def importances(ds: xr.Dataset) -> xr.DataArray:
    """The importance of each feature, 1 if the sweep holds none."""
    for name in ("feature_importance", "importance"):
        if name in ds and "feature" in ds[name].dims:
            return ds[name]
    return xr.DataArray(np.ones(ds.sizes["feature"]), dims="feature")


def values_of_cell(array: xr.DataArray, cell: dict[str, int]) -> np.ndarray:
    """The part of ``array`` that belongs to a cell, named by positions along axes."""
    return array.isel({k: v for k, v in cell.items() if k in array.dims}).values


def panel_grid(rows, columns, width, height, **shared) -> tuple[Figure, Any]:
    """A figure of rows x columns panels, each ``width`` x ``height`` inches."""
    size = (width * columns + 0.9, height * rows + 0.4)
    figure = Figure(figsize=size, layout="constrained", dpi=150)
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def wrapped_panels(
    n: int, width: float, height: float, most: int = 4
) -> tuple[Figure, list[Axes]]:
    """A figure of ``n`` panels, at most ``most`` in a row."""
    columns = min(n, most)
    rows = -(-n // columns)
    figure, axes = panel_grid(rows, columns, width, height, sharex=True, sharey=True)
    panels = list(axes.ravel())
    for panel in panels[n:]:
        panel.axis("off")
    return figure, panels[:n]


def colorbar(figure, axes, norm, cmap, label, **kwargs) -> None:
    """Puts one colour bar beside all of ``axes``."""
    axes = np.atleast_2d(axes)
    mappable = ScalarMappable(norm, cmap)
    aspect = 25 * max(1, len(axes))
    bar = figure.colorbar(
        mappable, ax=list(axes.ravel()), pad=0.02, aspect=aspect, **kwargs
    )
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def say_what_is_fixed(figure: Figure, ds: xr.Dataset) -> None:
    """Puts the values of axes that were selected away above the figure."""
    inner = ("seed", "step", "sparsity", "importance")
    fixed = [
        coordinate(str(name), float(value))
        for name, value in ds.coords.items()
        if value.ndim == 0 and name not in inner
    ]
    if fixed:
        figure.suptitle(", ".join(fixed), fontsize=9)


def axis_name(ds: xr.Dataset, axis: str) -> str:
    """What stands along an axis."""
    name = ds[axis].attrs.get("long_name", axis.replace("_", " "))
    return textwrap.fill(name, 30)


def label(ds: xr.Dataset, axis: str, i: int, *, first: bool = True) -> str:
    """The i-th value of an axis; its name stands with the first of a row of labels."""
    value = float(ds[axis].values[i])
    if first or axis == "threshold":
        return textwrap.fill(coordinate(axis, value), 16)
    return number(value)


def coordinate(axis: str, value: float) -> str:
    """A value with the name of its axis, as in ``density 0.1``."""
    if axis == "threshold":
        special = {0.0: "ReLU, ", -np.inf: "linear, "}.get(value, "")
        return f"{special}t = {number(value)}"
    return f"{axis.replace('_', ' ')} {number(value)}"


def number(value: float) -> str:
    """A number with three digits and true minus and infinity signs."""
    return f"{value:.3g}".replace("inf", "∞").replace("-", "−")


def cell_edges(values: np.ndarray) -> tuple[str, np.ndarray]:
    """Cell edges around ascending values, and the scale on which they lie halfway."""
    if not np.isfinite(values).all():
        return "linear", np.arange(len(values) + 1) - 0.5
    log = bool(values[0] > 0 and (len(values) == 1 or values[-1] >= 10 * values[0]))
    points = np.log(values) if log else values
    if len(points) == 1:
        edges = points[0] + np.array([-0.5, 0.5])
    else:
        middle = (points[1:] + points[:-1]) / 2
        first, last = 2 * points[0] - middle[0], 2 * points[-1] - middle[-1]
        edges = np.array([first, *middle, last])
    return ("log", np.exp(edges)) if log else ("linear", edges)

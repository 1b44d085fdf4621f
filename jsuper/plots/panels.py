"""Panels that many figures share: each draws one kind of data on given axes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from mpl_toolkits.mplot3d import Axes3D
from numpy.typing import ArrayLike

from jsuper.plots import style
from jsuper.results.statistics import interval


def embeddings(
    panel: Axes,
    W: np.ndarray,
    colors: Sequence[Any] | np.ndarray | str = style.PALETTE["blue"],
    *,
    extent: float = 1.2,
    groups: np.ndarray | None = None,
    markers: Sequence[str] | str = "o",
    view: tuple[float, float] = (15.0, -60.0),
) -> None:
    """Plots one model: a line from the origin to the embedding of each feature.

    Args:
        panel: Axes to plot on; three-dimensional ones for three hidden dimensions.
        W: Weights, shape (feature, 2) or (feature, 3).
        colors: Colour of each feature, or of all. With ``groups``, the group decides.
        extent: Every axis runs from minus to plus this.
        groups: Group of each feature, integers from 0: one colour, joined by lines.
        markers: Marker of each feature, or of all.
        view: Elevation and azimuth in degrees from which three dimensions are seen.
    """
    if groups is not None:
        colors = [style.PALETTE[_category(group)] for group in groups]
    colors = [colors] * len(W) if isinstance(colors, str) else colors
    markers = [markers] * len(W) if isinstance(markers, str) else markers
    for row, color, marker in zip(W, colors, markers, strict=True):
        panel.plot(*np.stack([0 * row, row], 1), color=color, linewidth=1.4)
        panel.plot(*row[:, None], marker, color=color, markersize=4)
    for group in [] if groups is None else np.unique(groups):
        corners = W[groups == group]
        if W.shape[1] == 2:
            middle = corners.mean(0)
            corners = corners[np.argsort(np.arctan2(*(corners - middle).T[::-1]))]
        outline = np.concatenate([corners, corners[:1]])
        color = style.PALETTE[_category(group)]
        panel.plot(*outline.T, color=color, linewidth=0.8, alpha=0.6)
    limits = (-extent, extent)
    if W.shape[1] == 2:
        panel.set(xlim=limits, ylim=limits, aspect="equal")
        panel.axhline(0, color="0.9", linewidth=0.6, zorder=0)
        panel.axvline(0, color="0.9", linewidth=0.6, zorder=0)
        style.frame(panel)
    else:
        assert isinstance(panel, Axes3D)
        panel.set(xlim=limits, ylim=limits, zlim=limits)
        panel.set(xticklabels=[], yticklabels=[], zticklabels=[])
        panel.set_box_aspect((1, 1, 1))
        panel.view_init(*view)


def over_seeds(
    panel: Axes,
    values: xr.DataArray,
    x: ArrayLike | None = None,
    *,
    statistic: Callable[..., Any] = np.mean,
    bars: bool = False,
    **line: Any,
) -> None:
    """Plots a statistic over seeds as a line, its 95% bootstrap interval as a band.

    Args:
        panel: Axes to plot on.
        values: A number for each model, dimensions ``seed`` and one other.
        x: Places of the other dimension's entries; its coordinate by default.
        statistic: As in `jsuper.results.statistics.interval`, which resamples seeds.
        bars: Draws error bars in place of the band.
        **line: Colour, marker, label and so on, as `Axes.plot` takes them.
    """
    (axis,) = set(values.dims) - {"seed"}
    rows = values.transpose(axis, "seed").astype(float)
    x = rows[axis].values if x is None else np.asarray(x)
    found = [interval(statistic, row) for row in rows.values]
    middle, low, high = np.array([(f.value, f.low, f.high) for f in found]).T
    if bars:
        # A single seed has no interval, and so no bar.
        ends = np.nan_to_num(np.stack([middle - low, high - middle]))
        panel.errorbar(x, middle, ends, **{"linewidth": 1, **line})
        return
    (drawn,) = panel.plot(x, middle, **line)
    panel.fill_between(x, low, high, color=drawn.get_color(), alpha=0.2, linewidth=0)


def each_seed(
    panel: Axes, values: xr.DataArray, x: ArrayLike | None = None, **line
) -> None:
    """Plots every seed as a thin grey line, or as ``line`` says (axis, seed)."""
    (axis,) = set(values.dims) - {"seed"}
    x = values[axis].values if x is None else np.asarray(x)
    label = line.pop("label", None)
    looks = {"color": "0.75", "linewidth": 0.6, **line}
    drawn = panel.plot(x, values.transpose(axis, "seed").values, **looks)
    drawn[0].set_label(label)


def stacked(
    panel: Axes,
    parts: Mapping[str, ArrayLike],
    x: ArrayLike,
    colors: Mapping[str, Any],
    *,
    apart: bool = False,
) -> np.ndarray:
    """Plots the parts of a whole as stacked bars, the first lowest.

    Args:
        panel: Axes to plot on, whose horizontal axis it lays out.
        parts: Heights of each part, an entry for each ``x``.
        x: Values of the axis, ascending.
        colors: Colour of each part.
        apart: Bars of equal width, side by side, named by their value.

    Returns:
        Where the bars' middles lie.
    """
    x = np.asarray(x)
    scale, edges = ("linear", np.arange(len(x) + 1) - 0.5) if apart else style.cell_edges(x)
    gap = 0.1 if apart else 0.0
    base = np.zeros(len(x))
    for name, heights in parts.items():
        panel.bar(
            edges[:-1] + gap,
            heights,
            np.diff(edges) - 2 * gap,
            base,
            align="edge",
            color=colors[name],
            edgecolor="white",
            label=name,
        )
        base = base + np.asarray(heights)
    panel.set(xscale=scale, xlim=(edges[0], edges[-1]))
    if apart:
        panel.set_xticks(range(len(x)), [style.value_text(value) for value in x])
    else:
        style.name_cells(panel.xaxis, x)
    return (
        np.sqrt(edges[:-1] * edges[1:]) if scale == "log" else (edges[:-1] + edges[1:]) / 2
    )


def shares(
    panel: Axes,
    kinds: xr.DataArray,
    colors: Mapping[Any, Any],
    *,
    best: xr.DataArray | None = None,
    apart: bool = False,
) -> None:
    """Plots the share of models of each kind, by the values of an axis.

    Args:
        panel: Axes to plot on.
        kinds: Name or number of each model's kind, dimensions ``seed`` and one other.
        colors: Colour of each kind, the one at the bottom first.
        best: Kind of the best seed by value, drawn as a triangle above the bar.
        apart: As in `stacked`.
    """
    (axis,) = set(kinds.dims) - {"seed"}
    kinds = kinds.sortby(axis)
    parts = {str(kind): (kinds == kind).mean("seed").values for kind in colors}
    named = {str(kind): color for kind, color in colors.items()}
    places = stacked(panel, parts, kinds[axis].values, named, apart=apart)
    panel.set(ylim=(0, 1), ylabel="share of seeds")
    if best is None:
        return
    for place, kind in zip(places, best.sortby(axis).values, strict=True):
        panel.plot(place, 1.05, "v", color=colors[kind], markersize=5, clip_on=False)


def matrix(panel: Axes, values: np.ndarray, limit: float = 1.0) -> AxesImage:
    """Plots a matrix from red (``limit``) through white (0) to blue (minus ``limit``)."""
    looks = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit, "aspect": "auto"}
    return panel.imshow(values, interpolation="none", **looks)


def _category(group: int) -> str:
    return style.CATEGORIES[group % len(style.CATEGORIES)]

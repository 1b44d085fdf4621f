"""Figures of a sweep: pure functions from a dataset to a matplotlib Figure.

None of them trains, saves or changes its input, and none touches pyplot's state: save a
figure with ``figure.savefig(path)``. Colours follow the perceptually uniform maps that
colour-blind readers can tell apart.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jsuper.measures import best_seed, measure

# The light end of a map is lost on white paper.
SEQUENTIAL = ListedColormap(colormaps["viridis"](np.linspace(0.92, 0, 256)))

FRACTIONS = {
    "dedicated": 1,
    "tetrahedron": 3 / 4,
    "triangle": 2 / 3,
    "digon": 1 / 2,
    "pentagon": 2 / 5,
    "square antiprism": 3 / 8,
}
"""Dimensionality of a feature in each polytope (Elhage et al. 2022, "The Geometry of
Superposition")."""


def embeddings(ds: xr.Dataset, *, limit: float | None = None) -> Figure:
    """Draws the embedding of every feature as an arrow, one panel for each cell.

    Columns follow the first axis of the grid, rows the second: with axes density and
    threshold it is Figure 2 of Murphy and Qiao's review.

    Args:
        ds: A sweep with two hidden dimensions and at most two axes besides ``seed``; of
            several seeds the one of lowest loss is drawn.
        limit: Half the width of a panel; by default what the longest arrow needs.

    Returns:
        The figure.

    Raises:
        ValueError: If there are more axes or not two hidden dimensions.
    """
    ds = _one_seed(ds)
    if ds.sizes["hidden"] != 2:
        raise ValueError(f"embeddings needs 2 hidden dimensions, got {ds.sizes['hidden']}")
    columns, rows = _grid_axes(ds, "W", most=2)
    importance = _importance(ds)
    color_of = Normalize(float(importance.min()), float(importance.max()))
    if limit is None:
        limit = 1.15 * float(
            np.nanmax(np.hypot(*np.moveaxis(ds["W"].values, -1, 0)), initial=1)
        )

    figure, axes = _panels(_size(ds, rows), _size(ds, columns), 1.25, 1.25)
    for i, j in np.ndindex(axes.shape):
        panel = axes[i, j]
        cell = {name: k for name, k in ((rows, i), (columns, j)) if name}
        W = ds["W"].isel(cell).transpose("feature", "hidden").values
        shades = _cell(importance, cell)
        for (x, y), value in zip(W, shades, strict=True):
            color = SEQUENTIAL(color_of(value))
            panel.plot([0, x], [0, y], color=color, linewidth=1.6)
            panel.plot(x, y, "o", color=color, markersize=3.5)
        panel.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[])
        panel.set_aspect("equal")
        panel.spines[:].set_color("0.85")
        panel.axhline(0, color="0.9", linewidth=0.6, zorder=0)
        panel.axvline(0, color="0.9", linewidth=0.6, zorder=0)
        if i == 0 and columns:
            panel.set_title(_label(ds, columns, j), fontsize=8)
        if j == 0 and rows:
            panel.set_ylabel(_label(ds, rows, i), fontsize=8)
    if color_of.vmin != color_of.vmax:
        _colorbar(figure, axes, color_of, SEQUENTIAL, "importance")
    return figure


def demonstration(ds: xr.Dataset) -> Figure:
    r"""Draws $W W^\top$ and the norms of the features, one column for each cell.

    Bars are the norms $\lVert W_i \rVert$, coloured by superposition
    $\sum_{j \ne i} (\hat W_i \cdot W_j)^2$ from 0 (dedicated) to 1 and above, as in
    Elhage et al. 2022, "Demonstrating Superposition". The strip beside the matrix is
    the bias.

    Args:
        ds: A sweep with at most one axis besides ``seed``; of several seeds the one of
            lowest loss is drawn.

    Returns:
        The figure.

    Raises:
        ValueError: If there are more axes.
    """
    ds = measure(_one_seed(ds))
    columns, _ = _grid_axes(ds, "W", most=1)
    n = ds.sizes["feature"]
    n_columns = _size(ds, columns)
    figure = Figure(figsize=(1.9 * n_columns + 1.2, 3.6), layout="constrained")
    axes = figure.subplots(
        2,
        2 * n_columns,
        squeeze=False,
        width_ratios=[n, max(1, n / 12)] * n_columns,
        height_ratios=[1.6, 1],
    )
    weight, amount = Normalize(-1, 1), Normalize(0, 1)
    for j in range(n_columns):
        cell = ds.isel({columns: j}) if columns else ds
        W = cell["W"].transpose("feature", "hidden").values
        matrix, strip = axes[0, 2 * j : 2 * j + 2]
        bars, empty = axes[1, 2 * j : 2 * j + 2]
        matrix.imshow(W @ W.T, cmap="RdBu_r", norm=weight, aspect="auto")
        strip.imshow(cell["b"].values[:, None], cmap="RdBu_r", norm=weight, aspect="auto")
        bars.bar(
            np.arange(n),
            cell["norm"].values,
            color=SEQUENTIAL.reversed()(amount(cell["superposition"].values)),
            width=0.85,
        )
        bars.set(xlim=(-0.5, n - 0.5), ylim=(0, 1.05 * max(1.2, float(ds["norm"].max()))))
        bars.spines[["top", "right"]].set_visible(False)
        bars.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        bars.set_xlabel("feature", fontsize=8)
        empty.axis("off")
        for panel in (matrix, strip):
            panel.set(xticks=[], yticks=[])
        strip.set_title("b", fontsize=8)
        matrix.set_title(_label(ds, columns, j) if columns else "$W W^\\top$", fontsize=8)
        bars.tick_params(labelsize=7)
        if j:
            bars.set_yticklabels([])
    axes[0, 0].set_ylabel("$W W^\\top$", fontsize=8)
    axes[1, 0].set_ylabel("norm $\\Vert W_i \\Vert$", fontsize=8)
    _colorbar(figure, axes[0], weight, "RdBu_r", "weight", extend="both")
    _colorbar(figure, axes[1], amount, SEQUENTIAL.reversed(), "superposition", extend="max")
    return figure


def dimensionality(ds: xr.Dataset, *, fractions: dict[str, float] | None = None) -> Figure:
    r"""Draws the dimensionality of every feature against 1 / density.

    Lines mark the fractions at which features gather in the paper's polytopes (Elhage
    et al. 2022, "The Geometry of Superposition"). Features that a model does not
    represent are left out.

    Args:
        ds: A sweep with the axis ``density`` and at most one other besides ``seed``; a
            panel for each value of the other, all seeds in it.
        fractions: Names and heights of the lines; by default `FRACTIONS`.

    Returns:
        The figure.

    Raises:
        ValueError: If there is no axis ``density`` or there are more axes.
    """
    if "density" not in ds["W"].dims:
        raise ValueError("dimensionality needs a sweep with the axis 'density'")
    ds = measure(ds)
    others = [str(d) for d in ds["norm"].dims if d not in ("density", "seed", "feature")]
    if len(others) > 1:
        raise ValueError(f"dimensionality takes one axis besides density, got {others}")
    other = others[0] if others else None
    figure, axes = _panels(1, _size(ds, other), 3.4, 3.2, sharey=True)
    fractions = FRACTIONS if fractions is None else fractions
    for j, panel in enumerate(axes[0]):
        cell = ds.isel({other: j}) if other else ds
        cell = cell.transpose("density", ...)
        D = cell["dimensionality"].where(cell["norm"] > 0.5).values
        D = D.reshape(len(cell["density"]), -1)
        x = np.broadcast_to(1 / cell["density"].values[:, None], D.shape)
        # Spread sideways within a column, in a fixed pattern, so that points stay visible.
        shift = np.exp(0.02 * np.linspace(-1, 1, D.shape[1]))
        panel.plot((x * shift).ravel(), D.ravel(), ".", color="#33638d", alpha=0.35, ms=4)
        for name, height in fractions.items():
            panel.axhline(height, color="0.6", linewidth=0.7, zorder=0)
            if j == len(axes[0]) - 1:
                panel.annotate(
                    f"{name} {_fraction(height)}",
                    (1.02, height),
                    xycoords=("axes fraction", "data"),
                    va="bottom" if name == "pentagon" else "center",
                    fontsize=7,
                )
        panel.set(xscale="log", ylim=(0, 1.06), xlabel="1 / density")
        if other:
            panel.set_title(_label(ds, other, j), fontsize=9)
    axes[0, 0].set_ylabel("dimensionality $D_i$")
    return figure


def phase_map(
    ds: xr.Dataset,
    quantities: str | Sequence[str],
    *,
    x: str = "density",
    y: str = "threshold",
) -> Figure:
    """Draws one number per cell over two axes: best of seeds, mean, and spread.

    Args:
        ds: A sweep; measured if need be.
        quantities: One variable or several, a row for each. Each has one number per
            model, such as ``superposed`` or ``loss``; one with a number per feature is
            averaged over features.
        x: Axis along the figure's x; logarithmic if its values are evenly spaced so.
        y: Axis along the figure's y.

    Returns:
        The figure. With several seeds, columns are the seed of lowest loss, the mean
        over seeds and the standard deviation over seeds.

    Raises:
        ValueError: If a name is unknown or axes remain.
    """
    quantities = [quantities] if isinstance(quantities, str) else list(quantities)
    if not set(quantities) <= set(ds.data_vars):
        ds = measure(ds)
    rows = [_fields(ds, quantity, x, y) for quantity in quantities]
    figure, axes = _panels(len(rows), len(rows[0]), 3.5, 2.9, sharex=True, sharey=True)
    x_scale, x_edges = _edges(ds[x].values)
    y_scale, y_edges = _edges(ds[y].values)
    for i, fields in enumerate(rows):
        values = [f for title, f in fields.items() if title != SPREAD]
        limits = {
            "vmin": min(f.min() for f in values),
            "vmax": max(f.max() for f in values),
        }
        for panel, (title, field) in zip(axes[i], fields.items(), strict=True):
            mesh = panel.pcolormesh(
                x_edges,
                y_edges,
                field.values,
                cmap="cividis" if title == SPREAD else "viridis",
                **({} if title == SPREAD else limits),
            )
            panel.set(xscale=x_scale, yscale=y_scale)
            panel.set_title(title, fontsize=9)
            _mark_values(panel, field, x, y)
            figure.colorbar(mesh, ax=panel, pad=0.02)
        axes[i, 0].set_ylabel(_name(ds, y))
    for panel in axes[-1]:
        panel.set_xlabel(_name(ds, x))
    return figure


SPREAD = "standard deviation over seeds"


def _fields(ds: xr.Dataset, quantity: str, x: str, y: str) -> dict[str, xr.DataArray]:
    """The maps of one quantity by title, dimensions (y, x)."""
    if quantity not in ds.data_vars:
        raise ValueError(
            f"quantity must be one of {sorted(map(str, ds.data_vars))}, got {quantity!r}"
        )
    values = ds[quantity]
    name = values.attrs.get("long_name", quantity)
    if "feature" in values.dims:
        values = values.mean("feature")
    for axis in (x, y):
        if axis not in values.dims:
            raise ValueError(f"{quantity} has no axis {axis!r}, only {list(values.dims)}")
    extra = set(values.dims) - {x, y, "seed"}
    if extra:
        raise ValueError(f"select one value of {sorted(map(str, extra))} first")
    values = values.transpose(..., y, x)
    if "seed" not in values.dims:
        return {name: values}
    best = best_seed(ds.assign(_drawn=values))["_drawn"]
    return {
        f"{name}, best seed": best.transpose(y, x),
        f"{name}, mean over seeds": values.mean("seed"),
        SPREAD: values.std("seed"),
    }


def loss_curves(ds: xr.Dataset, *, band: tuple[float, float] = (0.1, 0.9)) -> Figure:
    """Draws the training loss of every cell: median over seeds, with a band.

    Args:
        ds: A sweep with at most two axes besides ``seed``: a colour for each value of
            the first, a panel for each value of the second.
        band: Quantiles over seeds between which the band lies.

    Returns:
        The figure.

    Raises:
        ValueError: If there are more axes.
    """
    history = ds["history"]
    lines, panels = _grid_axes(ds, "history", most=2)
    figure, axes = _panels(1, _size(ds, panels), 3.6, 3.0, sharey=True)
    n_lines = _size(ds, lines)
    colors = SEQUENTIAL.reversed()(np.linspace(0, 1, n_lines))
    step = ds["step"].values
    for j, panel in enumerate(axes[0]):
        for i in range(n_lines):
            cell = {name: k for name, k in ((lines, i), (panels, j)) if name}
            curve = history.isel(cell)
            label = _label(ds, lines, i) if lines else None
            if "seed" in curve.dims:
                low, high = (curve.quantile(q, "seed").values for q in band)
                panel.fill_between(
                    step, low, high, color=colors[i], alpha=0.25, linewidth=0
                )
                curve = curve.median("seed")
            panel.plot(step, curve.values, color=colors[i], linewidth=1.2, label=label)
        panel.set(yscale="log", xlabel="step")
        if panels:
            panel.set_title(_label(ds, panels, j), fontsize=9)
    axes[0, 0].set_ylabel("training loss")
    if lines:
        axes[0, -1].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _one_seed(ds: xr.Dataset) -> xr.Dataset:
    return best_seed(ds) if "seed" in ds["W"].dims else ds


def _grid_axes(ds: xr.Dataset, variable: str, most: int) -> list[str | None]:
    """The axes of the grid, filled up with None to two."""
    inner = {"feature", "hidden", "seed", "step"}
    names = [str(d) for d in ds[variable].dims if d not in inner]
    if len(names) > most:
        raise ValueError(
            f"at most {most} axes besides seed can be drawn, got {names}: select one "
            f"value of the others first, as in ds.isel({names[-1]}=0)"
        )
    return [*names, None, None][:2]


def _size(ds: xr.Dataset, name: str | None) -> int:
    return ds.sizes[name] if name else 1


def _importance(ds: xr.Dataset) -> xr.DataArray:
    if "importance" in ds:
        return ds["importance"]
    return xr.DataArray(np.ones(ds.sizes["feature"]), dims="feature")


def _cell(array: xr.DataArray, cell: dict[str, int]) -> np.ndarray:
    return array.isel({k: v for k, v in cell.items() if k in array.dims}).values


def _panels(rows, columns, width, height, **shared) -> tuple[Figure, Any]:
    figure = Figure(
        figsize=(width * columns + 0.9, height * rows + 0.4), layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False, **shared)
    return figure, axes


def _colorbar(figure, axes, norm, cmap, label, **kwargs) -> None:
    mappable = ScalarMappable(norm, cmap)
    bar = figure.colorbar(mappable, ax=list(np.ravel(axes)), pad=0.01, aspect=25, **kwargs)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def _name(ds: xr.Dataset, axis: str) -> str:
    return ds[axis].attrs.get("long_name", axis)


def _label(ds: xr.Dataset, axis: str, i: int) -> str:
    value = float(ds[axis].values[i])
    if axis == "threshold":
        if value == 0:
            return "ReLU ($t = 0$)"
        return "linear ($t = -\\infty$)" if value == -math.inf else f"$t = {value:g}$"
    if axis == "density":
        return f"$S = {1 - value:.2g}$" if value > 0.01 else f"$1 - S = {value:.2g}$"
    return f"{axis} {value:.3g}"


def _fraction(value: float) -> str:
    for denominator in range(1, 13):
        numerator = round(value * denominator)
        if abs(value - numerator / denominator) < 1e-9:
            return f"{numerator}/{denominator}" if denominator > 1 else f"{numerator}"
    return f"{value:.3g}"


def _edges(values: np.ndarray) -> tuple[str, np.ndarray]:
    """Cell edges around the values, and the scale on which they lie halfway."""
    if not np.isfinite(values).all():
        return "linear", np.arange(len(values) + 1) - 0.5
    steps = np.diff(np.log(values)) if (values > 0).all() else np.array([])
    log = len(steps) > 1 and np.allclose(steps, steps[0], rtol=1e-3)
    points = np.log(values) if log else values
    if len(points) == 1:
        edges = points[0] + np.array([-0.5, 0.5])
    else:
        middle = (points[1:] + points[:-1]) / 2
        first, last = 2 * points[0] - middle[0], 2 * points[-1] - middle[-1]
        edges = np.array([first, *middle, last])
    return ("log", np.exp(edges)) if log else ("linear", edges)


def _mark_values(panel: Axes, values: xr.DataArray, x: str, y: str) -> None:
    """Ticks by name where the axis holds values that no scale can show."""
    for axis, name in ((panel.xaxis, x), (panel.yaxis, y)):
        numbers = values[name].values
        if not np.isfinite(numbers).all():
            axis.set_ticks(range(len(numbers)), [f"{v:g}" for v in numbers])

"""Figures of a sweep: pure functions from a dataset to a matplotlib Figure.

None of them trains, saves or changes its input, and none touches pyplot's state: save a
figure with ``figure.savefig(path)``. Colours follow the perceptually uniform maps that
colour-blind readers can tell apart. Axes that a figure does not show must be selected
first; the value selected stands above the figure.
"""

import textwrap
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import CenteredNorm, ListedColormap, LogNorm, Normalize
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

COUNTS = ("represented", "dedicated", "superposed")


def embeddings(ds: xr.Dataset, *, limit: float | None = None) -> Figure:
    """Draws the embedding of every feature as an arrow, one panel for each cell.

    Columns follow the first axis of the grid, rows the second: with axes density and
    threshold it is Figure 2 of Murphy and Qiao's review.

    Args:
        ds: A sweep with two hidden dimensions and at most two axes besides ``seed``; of
            several seeds the one of lowest loss is drawn.
        limit: Half the width of a panel; by default what the longest arrow needs.

    Returns:
        The figure. A model that diverged leaves its panel empty and says so.

    Raises:
        ValueError: If there are more axes or not two hidden dimensions.
    """
    ds = _one_seed(ds)
    if ds.sizes["hidden"] != 2:
        raise ValueError(f"embeddings needs 2 hidden dimensions, got {ds.sizes['hidden']}")
    columns, rows = _grid_axes(ds, "W", most=2)
    importance = _importance(ds)
    lowest, highest = float(importance.min()), float(importance.max())
    color_of = Normalize(lowest if lowest < highest else highest - 1, highest)
    weights = ds["W"].transpose(..., "hidden").values
    norms = np.linalg.norm(weights, axis=-1)
    if limit is None:
        limit = 1.15 * float(norms[np.isfinite(norms)].max(initial=1.0))

    extent = (-limit, limit)
    figure, axes = _panels(_size(ds, rows), _size(ds, columns), 1.25, 1.25)
    for i, j in np.ndindex(axes.shape):
        panel = axes[i, j]
        cell = {name: k for name, k in ((rows, i), (columns, j)) if name}
        W = ds["W"].isel(cell).transpose("feature", "hidden").values
        if np.isfinite(W).all():
            shades = _cell(importance, cell)
            for (x, y), value in zip(W, shades, strict=True):
                color = SEQUENTIAL(color_of(value))
                panel.plot([0, x], [0, y], color=color, linewidth=1.6)
                panel.plot(x, y, "o", color=color, markersize=3.5)
        else:
            panel.text(0, 0, "diverged", ha="center", va="center", fontsize=7, color="0.4")
        panel.set(xlim=extent, ylim=extent, xticks=[], yticks=[])
        panel.set_aspect("equal")
        panel.spines[:].set_color("0.85")
        panel.axhline(0, color="0.9", linewidth=0.6, zorder=0)
        panel.axvline(0, color="0.9", linewidth=0.6, zorder=0)
        if i == 0 and columns:
            panel.set_title(_label(ds, columns, j, first=j == 0), fontsize=8)
        if j == 0 and rows:
            panel.set_ylabel(_label(ds, rows, i, first=i == 0), fontsize=8)
    if lowest < highest:
        _colorbar(figure, axes, color_of, SEQUENTIAL, "importance")
    _say_what_is_fixed(figure, ds)
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
    figure = Figure(figsize=(1.9 * n_columns + 1.2, 3.6), layout="constrained", dpi=150)
    axes = figure.subplots(
        2,
        2 * n_columns,
        squeeze=False,
        width_ratios=[n, max(1, n / 12)] * n_columns,
        height_ratios=[1.6, 1],
    )
    weight, amount = Normalize(-1, 1), Normalize(0, 1)
    tallest = 1.05 * max(1.2, float(ds["norm"].max()))
    for j in range(n_columns):
        cell = ds.isel({columns: j}) if columns else ds
        W = cell["W"].transpose("feature", "hidden").values
        matrix, strip = axes[0, 2 * j : 2 * j + 2]
        bars, empty = axes[1, 2 * j : 2 * j + 2]
        matrix.imshow(W @ W.T, cmap="RdBu_r", norm=weight, aspect="auto")
        strip.imshow(cell["b"].values[:, None], cmap="RdBu_r", norm=weight, aspect="auto")
        # Gaps between many bars would come and go with the pixels.
        bars.bar(
            np.arange(n),
            cell["norm"].values,
            color=SEQUENTIAL.reversed()(amount(cell["superposition"].values)),
            width=0.85 if n <= 30 else 1.0,
            antialiased=n <= 30,
        )
        bars.set(xlim=(-0.5, n - 0.5), ylim=(0, tallest))
        bars.spines[["top", "right"]].set_visible(False)
        bars.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        bars.set_xlabel("feature", fontsize=8)
        bars.tick_params(labelsize=7)
        if j:
            bars.set_yticklabels([])
        empty.axis("off")
        for panel in (matrix, strip):
            panel.set(xticks=[], yticks=[])
        strip.set_title("b", fontsize=8)
        if columns:
            matrix.set_title(_label(ds, columns, j, first=j == 0), fontsize=8)
    axes[0, 0].set_ylabel("$W W^\\top$", fontsize=8)
    axes[1, 0].set_ylabel("norm $\\Vert W_i \\Vert$", fontsize=8)
    _colorbar(figure, axes[0], weight, "RdBu_r", "weight", extend="both")
    _colorbar(figure, axes[1], amount, SEQUENTIAL.reversed(), "superposition", extend="max")
    _say_what_is_fixed(figure, ds)
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
    ds = measure(ds)
    if "density" not in ds["W"].dims:
        raise ValueError("dimensionality needs a sweep with the axis 'density'")
    others = [str(d) for d in ds["norm"].dims if d not in ("density", "seed", "feature")]
    if len(others) > 1:
        raise ValueError(f"dimensionality takes one axis besides density, got {others}")
    other = others[0] if others else None
    figure, panels = _wrapped(_size(ds, other), 3.4, 3.2)
    fractions = FRACTIONS if fractions is None else fractions
    inverse = 1 / ds["density"].values
    for j, panel in enumerate(panels):
        cell = ds.isel({other: j}) if other else ds
        cell = cell.transpose("density", ...)
        D = cell["dimensionality"].where(cell["norm"] > 0.5).values
        D = D.reshape(len(inverse), -1)
        x = np.broadcast_to(inverse[:, None], D.shape)
        # Spread sideways within a column, in a fixed pattern, so that points stay visible.
        shift = np.exp(0.02 * np.linspace(-1, 1, D.shape[1]))
        panel.plot((x * shift).ravel(), D.ravel(), ".", color="#33638d", alpha=0.35, ms=4)
        for name, height in fractions.items():
            panel.axhline(height, color="0.6", linewidth=0.7, zorder=0)
            if j == len(panels) - 1:
                panel.annotate(
                    f"{name} {Fraction(height).limit_denominator(12)}",
                    (1.02, height),
                    xycoords=("axes fraction", "data"),
                    va="bottom" if name == "pentagon" else "center",
                    fontsize=7,
                )
        panel.set(
            xscale="log",
            xlim=(inverse.min() / 1.5, inverse.max() * 1.5),
            ylim=(0, 1.06),
            xlabel="1 / density",
            ylabel="dimensionality $D_i$",
        )
        panel.label_outer()
        if other:
            panel.set_title(_label(ds, other, j), fontsize=9)
    _say_what_is_fixed(figure, ds)
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
        x: Axis along the figure's x, or a coordinate along an axis (``sparsity``).
        y: Axis along the figure's y, likewise. Positive values that span a factor of
            ten lie on a logarithmic scale.

    Returns:
        The figure. With several seeds, columns are the seed of lowest loss, the mean
        over seeds and the standard deviation over seeds. Its first axes are the panels,
        row by row; theory can be drawn over them.

    Raises:
        ValueError: If a name is unknown or axes remain.
    """
    quantities = [quantities] if isinstance(quantities, str) else list(quantities)
    if not set(quantities) <= set(ds.data_vars):
        ds = measure(ds)
    for name in (x, y):
        if name in ds.coords and name not in ds.dims and ds[name].ndim == 1:
            ds = ds.swap_dims({ds[name].dims[0]: name})
    rows = [_fields(ds, quantity, x, y) for quantity in quantities]
    figure, axes = _panels(len(rows), len(rows[0]), 3.5, 2.9, sharex=True, sharey=True)
    for i, (quantity, fields) in enumerate(zip(quantities, rows, strict=True)):
        shared_style = _style(quantity, list(fields.values())[:2], ds.sizes.get("feature"))
        for j, (panel, (title, field)) in enumerate(
            zip(axes[i], fields.items(), strict=True)
        ):
            # The third column is the spread, which has a scale of its own.
            style = shared_style if j < 2 else {"cmap": "cividis", "norm": _norm(0, field)}
            x_scale, x_edges = _edges(field[x].values)
            y_scale, y_edges = _edges(field[y].values)
            mesh = panel.pcolormesh(x_edges, y_edges, field.values, **style)
            panel.set(xscale=x_scale, yscale=y_scale)
            panel.set_title(title, fontsize=8)
            for axis, name in ((panel.xaxis, x), (panel.yaxis, y)):
                numbers = field[name].values
                if not np.isfinite(numbers).all():
                    axis.set_ticks(range(len(numbers)), map(_number, numbers))
            ticks = MaxNLocator(integer=True) if j < 2 and quantity in COUNTS else None
            figure.colorbar(mesh, ax=panel, pad=0.02, ticks=ticks)
        axes[i, 0].set_ylabel(_name(ds, y))
    for panel in axes[-1]:
        panel.set_xlabel(_name(ds, x))
    _say_what_is_fixed(figure, ds)
    return figure


def loss_curves(ds: xr.Dataset, *, band: tuple[float, float] = (0.1, 0.9)) -> Figure:
    """Draws the training loss of every cell: median over seeds, with a band.

    Args:
        ds: A sweep with at most two axes besides ``seed``: a colour for each value of
            the first, a panel for each value of the second.
        band: Quantiles over seeds between which the band lies, ascending in [0, 1].

    Returns:
        The figure. Models that diverged are left out.

    Raises:
        ValueError: If there are more axes or the band is not one.
    """
    if not 0 <= band[0] <= band[1] <= 1:
        raise ValueError(f"band must be two ascending numbers in [0, 1], got {band}")
    history = ds["history"].where(ds["finite"])
    lines, panels_axis = _grid_axes(ds, "history", most=2)
    figure, panels = _wrapped(_size(ds, panels_axis), 3.6, 3.0)
    n_lines = _size(ds, lines)
    colors = SEQUENTIAL.reversed()(np.linspace(0, 1, n_lines))
    named = set(np.linspace(0, n_lines - 1, min(n_lines, 10)).round().astype(int))
    step = ds["step"].values
    for j, panel in enumerate(panels):
        for i in range(n_lines):
            cell = {name: k for name, k in ((lines, i), (panels_axis, j)) if name}
            curve = history.isel(cell)
            if "seed" in curve.dims:
                curve = curve.dropna("seed", how="any")
                if curve.sizes["seed"]:
                    low, high = (curve.quantile(q, "seed").values for q in band)
                    panel.fill_between(step, low, high, color=colors[i], alpha=0.25, lw=0)
                    curve = curve.median("seed")
                else:
                    curve = xr.full_like(curve["step"], np.nan, dtype=float)
            label = _label(ds, lines, i) if lines and i in named else None
            panel.plot(step, curve.values, color=colors[i], linewidth=1.2, label=label)
        panel.set(yscale="log", xlabel="step", ylabel="training loss")
        panel.label_outer()
        if panels_axis:
            panel.set_title(_label(ds, panels_axis, j), fontsize=9)
    if lines:
        panels[-1].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    _say_what_is_fixed(figure, ds)
    return figure


def _fields(ds: xr.Dataset, quantity: str, x: str, y: str) -> dict[str, xr.DataArray]:
    """The maps of one quantity by title, dimensions (y, x), ascending."""
    if quantity not in ds.data_vars:
        raise ValueError(
            f"quantity must be one of {sorted(map(str, ds.data_vars))}, got {quantity!r}"
        )
    values = ds[quantity]
    name = values.attrs.get("long_name", quantity)
    if "feature" in values.dims:
        values, name = values.mean("feature"), f"{name}, mean over features"
    for axis in (x, y):
        if axis not in values.dims or axis == "seed":
            axes = [str(d) for d in values.dims if d != "seed"]
            raise ValueError(
                f"{quantity} has no axis {axis!r} to be drawn over, only {axes}"
            )
    extra = set(values.dims) - {x, y, "seed"}
    if extra:
        raise ValueError(f"select one value of {sorted(map(str, extra))} first")
    values = values.transpose(..., y, x).sortby([x, y])
    if "seed" not in values.dims:
        return {name: values}
    best = best_seed(ds.sortby([x, y]).assign(_drawn=values))["_drawn"]
    return {
        f"{name},\nbest seed": best.transpose(y, x),
        f"{name},\nmean over seeds": values.mean("seed"),
        f"{name},\nstandard deviation over seeds": values.std("seed"),
    }


def _style(quantity: str, fields: list[xr.DataArray], n_features: int | None) -> dict:
    """Colours that suit what is shown: counts from 0, losses in the log, signs apart."""
    values = np.concatenate([field.values.ravel() for field in fields])
    values = values[np.isfinite(values)]
    if quantity in COUNTS:
        return {"cmap": "viridis", "norm": Normalize(0, n_features)}
    if values.size and values.min() < 0:
        return {"cmap": "RdBu_r", "norm": CenteredNorm(halfrange=abs(values).max())}
    if quantity == "loss" and values.size and 0 < values.min() < values.max():
        return {"cmap": "viridis", "norm": LogNorm(values.min(), values.max())}
    return {"cmap": "viridis", "norm": _norm(values.min(initial=np.inf), values)}


def _norm(lowest: float, values: Any) -> Normalize:
    """From ``lowest`` to the highest value; from 0 to 1 where there is nothing between."""
    highest = float(np.nanmax(values)) if np.size(values) else lowest
    return Normalize(lowest, highest) if lowest < highest else Normalize(0, 1)


def _one_seed(ds: xr.Dataset) -> xr.Dataset:
    if "W" not in ds:
        raise ValueError(
            f"ds must have a variable W, got variables {sorted(map(str, ds.data_vars))}"
        )
    return best_seed(ds) if "seed" in ds["W"].dims else ds


def _grid_axes(ds: xr.Dataset, variable: str, most: int) -> list[str | None]:
    """The axes of the grid, filled up with None to two."""
    inner = {"feature", "hidden", "seed", "step"}
    names = [str(d) for d in ds[variable].dims if d not in inner]
    if len(names) > most:
        raise ValueError(
            f"the figure has room for {most} of the axes {names}: select one value of the "
            f"others first (in Python ds.isel({names[-1]}=0), in a shell --select)"
        )
    return [*names, None, None][:2]


def _size(ds: xr.Dataset, name: str | None) -> int:
    return ds.sizes[name] if name else 1


def _importance(ds: xr.Dataset) -> xr.DataArray:
    for name in ("feature_importance", "importance"):
        if name in ds and "feature" in ds[name].dims:
            return ds[name]
    return xr.DataArray(np.ones(ds.sizes["feature"]), dims="feature")


def _cell(array: xr.DataArray, cell: dict[str, int]) -> np.ndarray:
    return array.isel({k: v for k, v in cell.items() if k in array.dims}).values


def _panels(rows, columns, width, height, **shared) -> tuple[Figure, Any]:
    size = (width * columns + 0.9, height * rows + 0.4)
    figure = Figure(figsize=size, layout="constrained", dpi=150)
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def _wrapped(
    n: int, width: float, height: float, most: int = 4
) -> tuple[Figure, list[Axes]]:
    """A figure of ``n`` panels, at most ``most`` in a row."""
    columns = min(n, most)
    rows = -(-n // columns)
    figure, axes = _panels(rows, columns, width, height, sharex=True, sharey=True)
    panels = list(axes.ravel())
    for panel in panels[n:]:
        panel.axis("off")
    return figure, panels[:n]


def _colorbar(figure, axes, norm, cmap, label, **kwargs) -> None:
    axes = np.atleast_2d(axes)
    mappable = ScalarMappable(norm, cmap)
    aspect = 25 * max(1, len(axes))
    bar = figure.colorbar(
        mappable, ax=list(axes.ravel()), pad=0.02, aspect=aspect, **kwargs
    )
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def _say_what_is_fixed(figure: Figure, ds: xr.Dataset) -> None:
    """Puts the values of axes that were selected away above the figure."""
    inner = ("seed", "step", "sparsity", "importance")
    fixed = [
        _coordinate(str(name), float(value))
        for name, value in ds.coords.items()
        if value.ndim == 0 and name not in inner
    ]
    if fixed:
        figure.suptitle(", ".join(fixed), fontsize=9)


def _name(ds: xr.Dataset, axis: str) -> str:
    name = ds[axis].attrs.get("long_name", axis.replace("_", " "))
    return textwrap.fill(name, 30)


def _label(ds: xr.Dataset, axis: str, i: int, *, first: bool = True) -> str:
    """The i-th value of an axis; its name stands with the first of a row of labels."""
    value = float(ds[axis].values[i])
    if first or axis == "threshold":
        return textwrap.fill(_coordinate(axis, value), 16)
    return _number(value)


def _coordinate(axis: str, value: float) -> str:
    if axis == "threshold":
        special = {0.0: "ReLU, ", -np.inf: "linear, "}.get(value, "")
        return f"{special}t = {_number(value)}"
    return f"{axis.replace('_', ' ')} {_number(value)}"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("inf", "∞").replace("-", "−")


def _edges(values: np.ndarray) -> tuple[str, np.ndarray]:
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

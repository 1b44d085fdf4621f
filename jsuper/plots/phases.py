"""Numbers over two axes of a sweep."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.colors import CenteredNorm, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jsuper.plots import style
from jsuper.results.measures import best_seed, measure

COUNTS = ("represented", "dedicated", "superposed")


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
    figure, axes = style.panel_grid(
        len(rows), len(rows[0]), 3.5, 2.9, sharex=True, sharey=True
    )
    for i, (quantity, fields) in enumerate(zip(quantities, rows, strict=True)):
        shared_look = _style(quantity, list(fields.values())[:2], ds.sizes.get("feature"))
        for j, (panel, (title, field)) in enumerate(
            zip(axes[i], fields.items(), strict=True)
        ):
            # The third column is the spread, which has a scale of its own.
            look = shared_look if j < 2 else {"cmap": "cividis", "norm": _norm(0, field)}
            x_scale, x_edges = style.cell_edges(field[x].values)
            y_scale, y_edges = style.cell_edges(field[y].values)
            mesh = panel.pcolormesh(x_edges, y_edges, field.values, **look)
            panel.set(xscale=x_scale, yscale=y_scale)
            panel.set_title(title, fontsize=8)
            for axis, name in ((panel.xaxis, x), (panel.yaxis, y)):
                numbers = field[name].values
                if not np.isfinite(numbers).all():
                    axis.set_ticks(range(len(numbers)), map(style.number, numbers))
            ticks = MaxNLocator(integer=True) if j < 2 and quantity in COUNTS else None
            figure.colorbar(mesh, ax=panel, pad=0.02, ticks=ticks)
        axes[i, 0].set_ylabel(style.axis_name(ds, y))
    for panel in axes[-1]:
        panel.set_xlabel(style.axis_name(ds, x))
    style.say_what_is_fixed(figure, ds)
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
                f"{quantity} has no axis {axis!r} to be drawn over, only {axes}: "
                "choose two with x and y"
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

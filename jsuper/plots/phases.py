"""Numbers over two axes of a sweep."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.colors import CenteredNorm, LogNorm, Normalize
from matplotlib.ticker import MaxNLocator

from jsuper import wording
from jsuper.padding import is_padding, trim
from jsuper.plots import style
from jsuper.plots.style import Figure
from jsuper.results.measures import measure
from jsuper.results.models import is_finite
from jsuper.results.seeds import best_seed, has_losses

COUNTS = ("represented", "dedicated", "superposed")

SPREAD = "\nstandard deviation over seeds"


@style.paper
def phase_map(
    ds: xr.Dataset,
    quantities: str | Sequence[str],
    *,
    x: str = "density",
    y: str = "threshold",
) -> Figure:
    """Plots one number per cell over two axes: best of seeds, mean, and spread.

    Args:
        ds: A sweep; measured if need be.
        quantities: One variable or several, a row for each. Each has one number per
            model, such as ``superposed`` or ``loss``; one with a number per feature is
            averaged over features.
        x: Axis along the figure's x, or a coordinate along an axis (``sparsity``).
        y: Axis along the figure's y, likewise. Positive values that span a factor of
            ten lie on a logarithmic scale; names lie side by side in their order.

    Returns:
        The figure. With several seeds, columns are the seed of lowest loss (if there are
        losses), the mean over seeds and the standard deviation over seeds. Its first axes
        are the panels, row by row; theory can be plotted over them.

    Raises:
        ValueError: If a name is unknown or axes remain.
    """
    quantities = [quantities] if isinstance(quantities, str) else list(quantities)
    if x == y:
        raise ValueError(f"x and y must be two axes, got {x!r} twice")
    if "W" in ds and not set(quantities) <= set(ds.data_vars):
        ds = measure(ds)
    ds = trim(ds)
    for name in (x, y):
        if name in ds.coords and name not in ds.dims and ds[name].ndim == 1:
            ds = ds.swap_dims({ds[name].dims[0]: name})
    single = [d for d in ds.dims if ds.sizes[d] == 1 and d not in (x, y, "feature")]
    ds = ds.isel(dict.fromkeys(single, 0))
    rows = [_fields(ds, quantity, x, y) for quantity in quantities]
    figure, axes = style.panel_grid(
        len(rows), len(rows[0]), 3.5, 2.9, sharex=True, sharey=True
    )
    for i, (quantity, fields) in enumerate(zip(quantities, rows, strict=True)):
        shown = [field for title, field in fields.items() if not title.endswith(SPREAD)]
        shared_style = _style(quantity, shown, ds.sizes.get("feature"))
        for panel, (title, field) in zip(axes[i], fields.items(), strict=True):
            spread = title.endswith(SPREAD)  # which has a scale of its own
            own_style = (
                {"cmap": "cividis", "norm": _norm(0, field)} if spread else shared_style
            )
            x_scale, x_edges = style.cell_edges(field[x].values)
            y_scale, y_edges = style.cell_edges(field[y].values)
            mesh = panel.pcolormesh(x_edges, y_edges, field.values, **own_style)
            panel.set(xscale=x_scale, yscale=y_scale)
            panel.set_title(title)
            for axis, name in ((panel.xaxis, x), (panel.yaxis, y)):
                style.name_cells(axis, field[name].values)
            whole = quantity in COUNTS and not spread
            ticks = MaxNLocator(integer=True) if whole else None
            bar = figure.colorbar(mesh, ax=panel, pad=0.02, ticks=ticks)
            if isinstance(mesh.norm, LogNorm):
                style.plain_log(bar.ax.yaxis)
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
    values = is_finite(ds) if quantity == "finite" else ds[quantity]
    if values.dtype.kind not in "biuf":
        raise ValueError(f"quantity must hold numbers, got {quantity!r} of {values.dtype}")
    values = values.astype(float).where(~is_padding(values))
    name = values.attrs.get("long_name", quantity)
    if "feature" in values.dims:
        values, name = values.mean("feature"), f"{name}, mean over features"
    for axis in (x, y):
        if axis not in values.dims or axis == "seed":
            axes = [str(d) for d in values.dims if d != "seed"]
            raise ValueError(
                f"{quantity} has no axis {axis!r} to be plotted over, only {axes}: "
                "choose two with x and y"
            )
    extra = set(values.dims) - {x, y, "seed"}
    if extra:
        raise ValueError(f"select one value of {sorted(map(str, extra))} first")
    order = {axis: wording.ascending(ds[axis].values) for axis in (x, y)}
    ds = ds.assign(_plotted=values).isel(order)
    values = ds["_plotted"].transpose(..., y, x)
    if "seed" not in values.dims:
        return {name: values}
    best = best_seed(ds)["_plotted"].transpose(y, x) if has_losses(ds) else None
    return {
        **({} if best is None else {f"{name},\nbest seed": best}),
        f"{name},\nmean over seeds": values.mean("seed"),
        f"{name},{SPREAD}": values.std("seed"),
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

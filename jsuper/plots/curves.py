"""Losses along training."""

import numpy as np
import xarray as xr

from jsuper import wording
from jsuper.padding import trim
from jsuper.plots import cells, style
from jsuper.plots.style import Figure
from jsuper.results.models import stays_finite


@style.paper
def loss_curves(ds: xr.Dataset, *, band: tuple[float, float] = (0.1, 0.9)) -> Figure:
    """Plots the training loss of every cell: median over seeds, with a band.

    Args:
        ds: A sweep with at most two axes besides ``seed``: a colour for each value of
            the first, a panel for each value of the second. Runs of different length, or
            with other steps logged, are plotted over the steps that each of them has.
        band: Quantiles over seeds between which the band lies, ascending in [0, 1].

    Returns:
        The figure. Models that diverged are left out.

    Raises:
        ValueError: If there are more axes, no ``history``, or the band is not one.
    """
    if not 0 <= band[0] <= band[1] <= 1:
        raise ValueError(f"band must be two ascending numbers in [0, 1], got {band}")
    if "history" not in ds or "step" not in ds["history"].dims:
        raise ValueError(
            "loss_curves needs a variable history along step, got variables "
            f"{sorted(map(str, ds.data_vars))}"
        )
    ds = trim(ds)
    ds = cells.fitted(ds, "history", max_axes=2)
    data = ds[[name for name in ("history", "finite") if name in ds]]
    lines, panels_axis = cells.grid_axes(ds, "history", max_axes=2)
    figure, panels = style.wrapped_panels(cells.size(ds, panels_axis), 3.6, 3.0)
    n_lines = cells.size(ds, lines)
    values = ds[lines].values if lines else np.zeros(1)
    styles = style.line_styles(values)
    # Of many numbers the legend names some: the colours between tell the others.
    n_named = 10 if wording.are_numbers(values) or wording.are_dates(values) else n_lines
    named = set(np.linspace(0, n_lines - 1, min(n_lines, n_named)).round().astype(int))
    for j, panel in enumerate(panels):
        for i, line in enumerate(styles):
            cell = {name: k for name, k in ((lines, i), (panels_axis, j)) if name}
            step, curves = _curves(data.isel(cell))
            median = np.full(len(step), np.nan)
            if len(curves):
                low, median, high = np.nanquantile(curves, (band[0], 0.5, band[1]), axis=0)
                panel.fill_between(step, low, high, color=line["color"], alpha=0.25, lw=0)
            label = style.label(ds, lines, i) if lines and i in named else None
            panel.plot(step, median, linewidth=1.2, label=label, **line)
        panel.set(yscale="log", xlabel="step", ylabel="training loss")
        style.plain_log(panel.yaxis)
        panel.label_outer()
        if panels_axis:
            panel.set_title(style.label(ds, panels_axis, j))
    if lines:
        handles = panels[-1].get_legend_handles_labels()
        figure.legend(*handles, loc="outside right upper")
    style.say_what_is_fixed(figure, ds)
    return figure


def _curves(cell: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Steps of a cell's runs, and the loss at them of each model that did not diverge.

    Where another run of the cell has a step between two of its own, a model's loss lies
    on the line between these; before its first and after its last step it is NaN.
    """
    history = cell["history"].sel(step=cell["step"] > 0)  # nothing is trained at step 0
    step = history["step"].values
    finite = stays_finite(cell).broadcast_like(history.any("step")).values
    curves = history.transpose(..., "step").values.reshape(-1, len(step))[finite.ravel()]
    has = np.isfinite(curves)
    curves, has = curves[has.any(1)], has[has.any(1)]
    if not len(curves):
        return step, curves
    used = has.any(0)
    step, curves, has = step[used], curves[:, used], has[:, used]
    for curve, own in zip(curves, has, strict=True):
        between = np.interp(step, step[own], curve[own], left=np.nan, right=np.nan)
        curve[~own] = between[~own]
    return step, curves

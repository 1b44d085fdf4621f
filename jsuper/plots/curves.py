"""Losses along training."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from jsuper.plots import style


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
    history = history.sel(step=history["step"] > 0)  # nothing is trained at step 0
    lines, panels_axis = style.grid_axes(ds, "history", most=2)
    figure, panels = style.wrapped_panels(style.size(ds, panels_axis), 3.6, 3.0)
    n_lines = style.size(ds, lines)
    colors = style.SEQUENTIAL.reversed()(np.linspace(0, 1, n_lines))
    named = set(np.linspace(0, n_lines - 1, min(n_lines, 10)).round().astype(int))
    step = history["step"].values
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
            label = style.label(ds, lines, i) if lines and i in named else None
            panel.plot(step, curve.values, color=colors[i], linewidth=1.2, label=label)
        panel.set(yscale="log", xlabel="step", ylabel="training loss")
        panel.label_outer()
        if panels_axis:
            panel.set_title(style.label(ds, panels_axis, j), fontsize=9)
    if lines:
        panels[-1].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    style.say_what_is_fixed(figure, ds)
    return figure

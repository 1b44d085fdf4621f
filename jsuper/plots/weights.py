"""The weights of models: embeddings as arrows, Gram matrices and norms."""

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jsuper.plots import style
from jsuper.results.measures import measure


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
    ds = style.one_seed(ds)
    if ds.sizes["hidden"] != 2:
        raise ValueError(f"embeddings needs 2 hidden dimensions, got {ds.sizes['hidden']}")
    columns, rows = style.grid_axes(ds, "W", most=2)
    importance = style.importances(ds)
    lowest, highest = float(importance.min()), float(importance.max())
    color_of = Normalize(lowest if lowest < highest else highest - 1, highest)
    weights = ds["W"].transpose(..., "hidden").values
    norms = np.linalg.norm(weights, axis=-1)
    if limit is None:
        limit = 1.15 * float(norms[np.isfinite(norms)].max(initial=1.0))

    extent = (-limit, limit)
    figure, axes = style.panel_grid(
        style.size(ds, rows), style.size(ds, columns), 1.25, 1.25
    )
    for i, j in np.ndindex(axes.shape):
        panel = axes[i, j]
        cell = {name: k for name, k in ((rows, i), (columns, j)) if name}
        W = ds["W"].isel(cell).transpose("feature", "hidden").values
        if np.isfinite(W).all():
            shades = style.values_of_cell(importance, cell)
            for (x, y), value in zip(W, shades, strict=True):
                color = style.SEQUENTIAL(color_of(value))
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
            panel.set_title(style.label(ds, columns, j, first=j == 0), fontsize=8)
        if j == 0 and rows:
            panel.set_ylabel(style.label(ds, rows, i, first=i == 0), fontsize=8)
    if lowest < highest:
        style.colorbar(figure, axes, color_of, style.SEQUENTIAL, "importance")
    style.say_what_is_fixed(figure, ds)
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
    ds = measure(style.one_seed(ds))
    columns, _ = style.grid_axes(ds, "W", most=1)
    n = ds.sizes["feature"]
    n_columns = style.size(ds, columns)
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
            color=style.SEQUENTIAL.reversed()(amount(cell["superposition"].values)),
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
            matrix.set_title(style.label(ds, columns, j, first=j == 0), fontsize=8)
    axes[0, 0].set_ylabel("$W W^\\top$", fontsize=8)
    axes[1, 0].set_ylabel("norm $\\Vert W_i \\Vert$", fontsize=8)
    style.colorbar(figure, axes[0], weight, "RdBu_r", "weight", extend="both")
    style.colorbar(
        figure, axes[1], amount, style.SEQUENTIAL.reversed(), "superposition", extend="max"
    )
    style.say_what_is_fixed(figure, ds)
    return figure

"""The weights of models: embeddings as arrows, Gram matrices and norms."""

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from jsuper.padding import SUFFIX, own_size
from jsuper.plots import cells, panels, style
from jsuper.plots.style import Figure
from jsuper.results.measures import measure
from jsuper.wording import text


@style.paper
def embeddings(ds: xr.Dataset, *, limit: float | None = None) -> Figure:
    """Plots the embedding of every feature as an arrow, one panel for each cell.

    Columns follow the first axis of the grid, rows the second: with axes density and
    threshold it is Figure 2 of Murphy and Qiao's review.

    Args:
        ds: A sweep with two hidden dimensions and at most two axes besides ``seed``; of
            several seeds the one of lowest loss is plotted. Where an axis changes sizes, a
            model with one hidden dimension lies on a line.
        limit: Half the width of a panel; by default what the longest arrow needs.

    Returns:
        The figure. A model that diverged leaves its panel empty, with a note.

    Raises:
        ValueError: If there are more axes or not two hidden dimensions.
    """
    sizes = f"hidden{SUFFIX}" in ds.coords
    ds = cells.one_seed(ds)
    if ds.sizes["hidden"] != 2 and not (sizes and ds.sizes["hidden"] == 1):
        raise ValueError(_not_two_dimensions(ds))
    ds = cells.fitted(ds, "W", max_axes=2)
    columns, rows = cells.grid_axes(ds, "W", max_axes=2)
    importance = cells.importances(ds)
    lowest, highest = float(importance.min()), float(importance.max())
    color_of = Normalize(lowest if lowest < highest else highest - 1, highest)
    figure, axes = style.panel_grid(
        cells.size(ds, rows), cells.size(ds, columns), 1.25, 1.25
    )
    longest = 1.0
    for i, j in np.ndindex(axes.shape):
        panel = axes[i, j]
        model = cells.one_cell(
            ds, {axis: k for axis, k in ((rows, i), (columns, j)) if axis}
        )
        wrong = cells.what_is_wrong(model)
        if wrong:
            panels.embeddings(panel, np.zeros((0, 2)))
            style.say(panel, wrong)
        else:
            W = cells.weights(model)
            W = np.pad(W, ((0, 0), (0, 2 - W.shape[1])))
            longest = max(longest, float(np.linalg.norm(W, axis=-1).max(initial=0)))
            shades = cells.importances(model).values
            panels.embeddings(panel, W, style.SEQUENTIAL(color_of(shades)))
        if i == 0 and columns:
            panel.set_title(style.label(ds, columns, j, first=j == 0))
        if j == 0 and rows:
            panel.set_ylabel(style.label(ds, rows, i, first=i == 0))
    limit = 1.15 * longest if limit is None else limit
    for panel in axes.flat:
        panel.set(xlim=(-limit, limit), ylim=(-limit, limit))
    if lowest < highest:
        style.colorbar(figure, axes, color_of, style.SEQUENTIAL, "importance")
    style.say_what_is_fixed(figure, ds)
    return figure


def _not_two_dimensions(ds: xr.Dataset) -> str:
    """The error for other models, and how to select those that can be plotted."""
    refused = f"embeddings needs 2 hidden dimensions, got {ds.sizes['hidden']}"
    sizes = own_size(ds["W"], "hidden")
    if sizes.ndim != 1 or not (sizes == 2).any():
        return refused
    axis = str(sizes.dims[0])
    value = ds[axis].values[np.argmax(sizes.values == 2)]
    return (
        f"{refused}: select models that have 2 first (in Python "
        f"ds.sel({axis}={value.item()!r}), in a shell --select {axis}={text(value, 6)})"
    )


@style.paper
def demonstration(ds: xr.Dataset) -> Figure:
    r"""Plots $W W^\top$ and the norms of the features, one column for each cell.

    Bars are the norms $\lVert W_i \rVert$, coloured by superposition
    $\sum_{j \ne i} (\hat W_i \cdot W_j)^2$ from 0 (dedicated) to 1 and above, as in
    Elhage et al. 2022, "Demonstrating Superposition". The strip beside the matrix is
    the bias, if the models have one for each feature.

    Args:
        ds: A sweep with at most one axis besides ``seed``; of several seeds the one of
            lowest loss is plotted.

    Returns:
        The figure.

    Raises:
        ValueError: If there are more axes.
    """
    ds = measure(cells.one_seed(ds))
    ds = cells.fitted(ds, "W", max_axes=1)
    columns, _ = cells.grid_axes(ds, "W", max_axes=1)
    models = [
        cells.one_cell(ds, {columns: j} if columns else {})
        for j in range(cells.size(ds, columns))
    ]
    numbers = [model.sizes["feature"] for model in models]
    strips = [_bias(model) for model in models]
    per_model = 1 if all(strip is None for strip in strips) else 2
    figure = Figure(figsize=(1.9 * len(models) + 1.2, 3.6))
    axes = figure.subplots(
        2,
        per_model * len(models),
        squeeze=False,
        width_ratios=[w for n in numbers for w in (n, max(1, n / 12))[:per_model]],
        height_ratios=[1.6, 1],
    )
    weight, amount = Normalize(-1, 1), Normalize(0, 1)
    tallest = 1.05 * max(1.2, float(ds["norm"].max()))
    for j, (model, n, bias) in enumerate(zip(models, numbers, strips, strict=True)):
        matrix, bars = axes[:, per_model * j]
        wrong = cells.what_is_wrong(model)
        if wrong:
            style.say(matrix, wrong)
        else:
            W = cells.weights(model)
            matrix.imshow(W @ W.T, cmap="RdBu_r", norm=weight, aspect="auto")
        # Gaps between many bars would come and go with the pixels.
        bars.bar(
            np.arange(n),
            model["norm"].values,
            color=style.SEQUENTIAL.reversed()(amount(model["superposition"].values)),
            width=0.85 if n <= 30 else 1.0,
            antialiased=n <= 30,
        )
        bars.set(xlim=(-0.5, n - 0.5), ylim=(0, tallest))
        bars.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        bars.set_xlabel("feature")
        if j:
            bars.set_yticklabels([])
        style.frame(matrix)
        if per_model == 2:
            strip, empty = axes[:, 2 * j + 1]
            empty.axis("off")
            if bias is None:
                strip.axis("off")
            else:
                strip.imshow(bias[:, None], cmap="RdBu_r", norm=weight, aspect="auto")
                style.frame(strip)
                strip.set_title("b")
        if columns:
            matrix.set_title(style.label(ds, columns, j, first=j == 0))
    axes[0, 0].set_ylabel("$W W^\\top$")
    axes[1, 0].set_ylabel("norm $\\Vert W_i \\Vert$")
    style.colorbar(figure, axes[0], weight, "RdBu_r", "weight", extend="both")
    style.colorbar(
        figure, axes[1], amount, style.SEQUENTIAL.reversed(), "superposition", extend="max"
    )
    style.say_what_is_fixed(figure, ds)
    return figure


def _bias(model: xr.Dataset) -> np.ndarray | None:
    """The bias of every feature, if the model has such a parameter."""
    return model["b"].values if "b" in model and model["b"].dims == ("feature",) else None

"""Neurons of models with a ReLU hidden layer: stacks of weights, and matrices."""

import numpy as np
import xarray as xr
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from jsuper.geometry.neurons import monosemanticity
from jsuper.plots import cells, style
from jsuper.plots.style import Figure
from jsuper.renaming import renamed_arguments


@renamed_arguments(most="max_columns")
@style.paper
def neuron_stacks(
    ds: xr.Dataset, *, weights: str = "W", color: str = "feature", max_columns: int = 6
) -> Figure:
    r"""Plots the weights of every neuron as a stacked column, one panel for each cell.

    The height of a piece is $|W_{ij}|$; negative weights hang below the axis. Neurons
    stand in the order of the feature with the largest weight. Source: Elhage et al. 2022,
    "Superposition in a Privileged Basis" and "Computation in Superposition".

    Args:
        ds: A sweep with at most one axis besides ``seed``; of several seeds the one of
            lowest loss is plotted.
        weights: Variable with dimensions feature and hidden.
        color: ``"feature"`` colours pieces by feature and writes the number of the
            feature into large ones; ``"polysemanticity"`` colours columns by the share of
            a neuron's weights that is not its largest (1 - `jsuper.monosemanticity`).
        max_columns: Largest number of panels in a row.

    Returns:
        The figure. A model that diverged leaves its panel empty.

    Raises:
        ValueError: If there are more axes or ``color`` is neither.
    """
    if color not in ("feature", "polysemanticity"):
        raise ValueError(f"color must be feature or polysemanticity, got {color!r}")
    ds, axis = _cells(ds, weights)
    n, m = ds.sizes["feature"], ds.sizes["hidden"]
    norm = Normalize(0, max(1, n - 1)) if color == "feature" else Normalize(0, 1)
    cmap = style.SEQUENTIAL.reversed()
    width = float(np.clip(0.24 * m, 1.5, 2.6))
    figure, panels = style.wrapped_panels(cells.size(ds, axis), width, 1.7, max_columns)
    for k, panel in enumerate(panels):
        W = _weights(ds, weights, axis, k)
        panel.axhline(0, color="0.5", linewidth=0.6, zorder=3)
        own = np.arange(n)[:, None] if color == "feature" else 1 - monosemanticity(W)
        colors = cmap(norm(np.broadcast_to(own, W.shape)))
        bottoms = _plot_pieces(panel, W, colors, 0.4 if m <= 20 else 0.15)
        if color == "feature":
            for i in range(n):
                _number_pieces(panel, i, W[i], bottoms[i], colors[i, 0])
        panel.set_xlim(-0.6, m - 0.4)
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        if axis:
            panel.set_title(style.label(ds, axis, k, first=k == 0))
        if k + max_columns >= len(panels):
            panel.set_xlabel("neuron")
            panel.tick_params(labelbottom=True)
        if k % max_columns == 0:
            panel.set_ylabel("weights, stacked")
    name = "feature" if color == "feature" else "polysemanticity"
    style.colorbar(figure, panels, norm, cmap, name)
    style.say_what_is_fixed(figure, ds)
    return figure


@renamed_arguments(most="max_columns")
@style.paper
def neuron_matrices(ds: xr.Dataset, *, weights: str = "W", max_columns: int = 6) -> Figure:
    """Plots the weights between features and neurons, one panel for each cell.

    Args:
        ds: A sweep with at most one axis besides ``seed``; of several seeds the one of
            lowest loss is plotted.
        weights: Variable with dimensions feature and hidden.
        max_columns: Largest number of panels in a row.

    Returns:
        The figure; neurons stand in the order of `neuron_stacks`.

    Raises:
        ValueError: If there are more axes.
    """
    ds, axis = _cells(ds, weights)
    n, m = ds.sizes["feature"], ds.sizes["hidden"]
    norm = Normalize(-1, 1)
    width = float(np.clip(0.18 * m, 1.1, 2.2))
    height = float(np.clip(width * n / m, 1.1, 3.0))
    figure, panels = style.wrapped_panels(cells.size(ds, axis), width, height, max_columns)
    for k, panel in enumerate(panels):
        W = _weights(ds, weights, axis, k)
        panel.imshow(W, cmap="RdBu_r", norm=norm, aspect="auto", interpolation="none")
        panel.set(xlim=(-0.5, m - 0.5), ylim=(n - 0.5, -0.5))  # alike for all sizes
        for edges in (panel.xaxis, panel.yaxis):
            edges.set_major_locator(MaxNLocator(4, integer=True))
        if axis:
            panel.set_title(style.label(ds, axis, k, first=k == 0))
        if k + max_columns >= len(panels):
            panel.set_xlabel("neuron")
            panel.tick_params(labelbottom=True)
        if k % max_columns == 0:
            panel.set_ylabel("feature")
    style.colorbar(figure, panels, norm, "RdBu_r", "weight", extend="both")
    style.say_what_is_fixed(figure, ds)
    return figure


def neuron_order(W: np.ndarray) -> np.ndarray:
    """Returns the order of the columns of ``W`` (feature, hidden) in these figures.

    Neurons follow the feature of their largest weight; of several with the same one, the
    largest positive weight comes first, the largest negative one last.
    """
    main = np.abs(W).argmax(0)
    return np.lexsort((-W[main, np.arange(W.shape[1])], main))


def _cells(ds: xr.Dataset, weights: str) -> tuple[xr.Dataset, str | None]:
    ds = cells.one_seed(ds, weights)
    ds = cells.fitted(ds, weights, max_axes=1)
    axis, _ = cells.grid_axes(ds, weights, max_axes=1)
    return ds, axis


def _weights(ds: xr.Dataset, weights: str, axis: str | None, k: int) -> np.ndarray:
    """Weights of one model with its neurons in order, NaN if there are none to plot."""
    model = cells.one_cell(ds, {axis: k} if axis else {})
    if cells.what_is_wrong(model, weights):
        return np.full((ds.sizes["feature"], ds.sizes["hidden"]), np.nan)
    W = cells.weights(model, weights)
    return W[:, neuron_order(W)]


def _plot_pieces(panel, W, colors, linewidth: float) -> np.ndarray:
    """Stacks the weights of each neuron, and returns where each piece begins.

    One collection holds all pieces: thousands of single bars take minutes.
    """
    below, above = (
        np.cumsum(part, axis=0) for part in (np.minimum(W, 0), np.maximum(W, 0))
    )
    ends = np.where(W < 0, below, above)
    left, right = np.arange(W.shape[1]) + np.array([[-0.425], [0.425]])
    x = np.broadcast_to(np.stack([left, left, right, right], -1), (*W.shape, 4))
    y = np.stack([ends - W, ends, ends, ends - W], -1)
    there = np.isfinite(W)
    corners, shades = np.stack([x, y], -1)[there], colors[there]
    pieces = PolyCollection(list(corners), facecolors=shades, edgecolors="white")
    pieces.set_linewidth(linewidth)
    panel.add_collection(pieces)
    panel.autoscale_view()
    return ends - W


def _number_pieces(panel, i, row, bottom, color) -> None:
    """Writes the feature's number into its large pieces."""
    dark = np.dot(color[:3], (0.299, 0.587, 0.114)) < 0.5
    for j in np.flatnonzero(np.abs(row) > 0.3):
        panel.text(
            j,
            bottom[j] + row[j] / 2,
            str(i),
            ha="center",
            va="center",
            fontsize=6,
            color="white" if dark else "black",
        )

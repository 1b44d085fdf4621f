"""One feature over two axes of a sweep: how far it is represented, and how far shared."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from numpy.typing import ArrayLike

from jsuper import geometry, wording
from jsuper.padding import own_size
from jsuper.plots import cells, style
from jsuper.plots.style import Figure
from jsuper.results.measures import measure
from jsuper.theory.phases import best_phase, phase_weights

# The colours of Elhage et al. 2022, which also differ in lightness.
ABSENT, DEDICATED, SUPERPOSED = "#dddddd", "#003399", "#dd4444"
# The extra feature is dedicated here too: a lighter blue shows that others are not.
OTHERS_SUPERPOSED = "#6688dd"


@style.paper
def feature_phases(
    ds: xr.Dataset, feature: int = -1, *, x: str = "importance", y: str = "density"
) -> Figure:
    r"""Plots norm and superposition of one feature as one colour for each cell.

    The norm $\lVert W_i \rVert$ leads from grey at 0 to full colour at 1, superposition
    $\sum_{j \ne i} (\hat W_i \cdot W_j)^2$ from blue at 0 (dedicated) to red at 1, as in
    Elhage et al. 2022, "Superposition as a Phase Change". The key stands beside the map.

    Args:
        ds: A sweep over the axes ``x`` and ``y``; of several seeds the one of lowest loss
            is plotted.
        feature: Position of the feature plotted, the last of each model by default.
        x: Axis along the figure's x.
        y: Axis along the figure's y.

    Returns:
        The figure, whose first axes are the map: theory can be plotted over it. A model
        that diverged leaves its cell white.

    Raises:
        ValueError: If an axis is missing, another remains, or no model has the feature.
    """
    one = measure(cells.one_seed(ds))
    axes = {str(d) for d in one["W"].dims} - {"feature", "hidden"}
    single = [name for name in axes - {x, y} if one.sizes[name] == 1]
    one, axes = one.isel(dict.fromkeys(single, 0)), axes - set(single)
    if axes != {x, y}:
        raise ValueError(f"ds must have the axes {x!r} and {y!r}, got {sorted(axes)}")
    norm, shared = (_of_feature(one[name], feature) for name in ("norm", "superposition"))
    figure = Figure(figsize=(5.4, 3.6))
    panel, key = figure.subplots(1, 2, width_ratios=[1, 0.28])
    draw_phases(
        panel,
        one[x].values,
        one[y].values,
        norm.transpose(y, x).values,
        shared.transpose(y, x).values,
    )
    panel.set(xlabel=style.axis_name(one, x), ylabel=style.axis_name(one, y))
    draw_key(key)
    style.say_what_is_fixed(figure, one)
    return figure


def _of_feature(array: xr.DataArray, feature: int) -> xr.DataArray:
    """The numbers of one feature of each model; NaN of models that have fewer."""
    own = own_size(array, "feature")
    at = own + feature if feature < 0 else own * 0 + feature
    there = (at >= 0) & (at < own)
    if not there.any():
        n = array.sizes["feature"]
        raise ValueError(f"feature must be in [-{n}, {n}), got {feature}")
    return array.isel(feature=at.clip(0, array.sizes["feature"] - 1)).where(there)


def phase_color(norm: ArrayLike, superposition: ArrayLike) -> np.ndarray:
    """Returns colours, shape (..., 3), for norms and superpositions of shape (...).

    Both are cut off at 0 and 1; NaN is white.
    """
    norm, superposition = np.broadcast_arrays(
        np.clip(norm, 0, 1)[..., None], np.clip(superposition, 0, 1)[..., None]
    )
    grey, blue, red = map(np.array, map(to_rgb, (ABSENT, DEDICATED, SUPERPOSED)))
    hue = (1 - superposition) * blue + superposition * red
    return np.nan_to_num((1 - norm) * grey + norm * hue, nan=1.0)


def draw_phases(
    panel: Axes, x: np.ndarray, y: np.ndarray, norm: np.ndarray, superposition: np.ndarray
) -> None:
    """Fills a panel with cells, shape (y, x), in the colours of `phase_color`."""
    columns, rows = wording.ascending(x), wording.ascending(y)
    x_scale, x_edges = style.cell_edges(x[columns])
    y_scale, y_edges = style.cell_edges(y[rows])
    colors = phase_color(norm, superposition)[rows][:, columns]
    panel.pcolormesh(x_edges, y_edges, colors, rasterized=True)
    panel.set(xscale=x_scale, yscale=y_scale)
    style.name_cells(panel.xaxis, x[columns])
    style.name_cells(panel.yaxis, y[rows])


def draw_key(panel: Axes) -> None:
    """Plots the key of the two-dimensional colours, a small square."""
    values = np.linspace(0, 1, 50)
    colors = phase_color(values[:, None], values)
    panel.imshow(colors, origin="lower", extent=(0, 1, 0, 1), aspect="equal")
    panel.set(xticks=[0, 1], yticks=[0, 1])
    panel.set_xticklabels(["0", "≥ 1"])
    panel.set_yticklabels(["0", "≥ 1"])
    panel.set_xlabel("superposition\n$\\sum_j (\\hat W_i \\cdot W_j)^2$")
    panel.set_ylabel("norm $\\Vert W_i \\Vert$")


def extra_feature(n_features: int) -> dict[str, tuple[float, float]]:
    """Returns norm and superposition of the extra feature in every candidate solution."""
    return {
        name: (float(geometry.feature_norms(W)[-1]), float(geometry.superposition(W)[-1]))
        for name, W in phase_weights(n_features).items()
    }


def draw_theory(
    panel: Axes, importance: np.ndarray, density: np.ndarray, n_features: int, bias: bool
) -> None:
    """Fills a panel with the best candidate's extra feature, and names the regions."""
    best = best_phase(n_features, density[:, None], importance, bias=bias)
    norm, shared = np.zeros(best.shape), np.zeros(best.shape)
    for name, numbers in extra_feature(n_features).items():
        norm[best == name], shared[best == name] = numbers
    draw_phases(panel, importance, density, norm, shared)
    others = np.ma.masked_where(best != "others superposed", np.ones(best.shape))
    lighter = ListedColormap([OTHERS_SUPERPOSED])
    panel.pcolormesh(importance, density, others, cmap=lighter, rasterized=True)
    texts = {
        "extra ignored": "extra\nignored",
        "other ignored": "extra\ndedicated" if n_features == 2 else "other ignored",
        "extra superposed": "antipodal pair" if n_features == 2 else "extra in\na pair",
        "others superposed": "others in\na pair",
        "confused": "confused",
    }
    for name, text in texts.items():
        rows, columns = np.nonzero(best == name)
        if len(rows):
            # In the middle of the region, but not so near the edge that it is cut off.
            middle = np.clip(np.median(columns) / len(importance), 0.15, 0.85)
            panel.text(
                importance[int(middle * len(importance))],
                density[int(np.median(rows))],
                text,
                color="black" if name == "extra ignored" else "white",
                ha="center",
                va="center",
            )


def draw_boundaries(
    panel: Axes, importance: np.ndarray, density: np.ndarray, n_features: int, bias: bool
) -> None:
    """Plots theory's boundaries over a panel, white with a dark rim."""
    best = best_phase(n_features, density[:, None], importance, bias=bias)
    for color, width in (("black", 2.2), ("white", 1.0)):
        for name in np.unique(best):
            inside = (best == name).astype(float)
            panel.contour(
                importance, density, inside, [0.5], colors=color, linewidths=width
            )

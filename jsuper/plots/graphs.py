"""Features as a graph: who interferes with whom, laid out by polytope."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from jsuper.plots import cells, style
from jsuper.plots.style import Figure
from jsuper.polytopes.naming import Block, identify
from jsuper.renaming import renamed_arguments

POLYTOPE_COLORS = {
    "dedicated": style.PALETTE["black"],
    "tetrahedron": style.PALETTE["purple"],
    "triangle": style.PALETTE["green"],
    "digon": style.PALETTE["blue"],
    "pentagon": style.PALETTE["orange"],
    "square antiprism": style.PALETTE["vermilion"],
    "unknown": "0.55",
    "not represented": "0.88",
}
"""Colour of each polytope of Elhage et al. 2022; `OTHER_COLOR` of any other."""

OTHER_COLOR = style.PALETTE["sky"]


@renamed_arguments(interference="min_cosine", least_norm="min_norm", most="max_columns")
@style.paper
def feature_graphs(
    ds: xr.Dataset,
    *,
    tolerance: float = 0.1,
    min_cosine: float = 0.2,
    leak: float = 0.25,
    min_norm: float = 0.5,
    max_columns: int = 4,
) -> Figure:
    r"""Plots the features of each model as a graph with an edge where two interfere.

    Nodes are the features that the model represents, edges have the opacity
    $|W_i \cdot W_j|$. A connected component is a block, laid out as a ring and coloured by
    the polytope that it forms (Elhage et al. 2022, "The Geometry of Superposition").

    Args:
        ds: A sweep with at most one axis besides ``seed``: a panel for each of its
            values, the seed of lowest loss in it.
        tolerance: As in `jsuper.polytopes.identify`.
        min_cosine: Cosine above which two features have an edge.
        leak: As in `jsuper.polytopes.identify`.
        min_norm: Norm that a feature must exceed to be plotted.
        max_columns: Largest number of panels in a row.

    Returns:
        The figure. A model that diverged leaves its panel empty, with a note.

    Raises:
        ValueError: If ``ds`` has no ``W`` or more axes.
    """
    ds = cells.one_seed(ds)
    ds = cells.fitted(ds, "W", max_axes=1)
    axis, _ = cells.grid_axes(ds, "W", max_axes=1)
    n = cells.size(ds, axis)
    figure, panels = style.wrapped_panels(n, 2.4, 2.7, max_columns, shared=False)
    names: set[str] = set()
    for i, panel in enumerate(panels):
        model = cells.one_cell(ds, {axis: i} if axis else {})
        title = cells.what_is_wrong(model)
        if title:
            style.frame(panel)
        else:
            W = cells.weights(model)
            found = identify(
                W, tolerance, min_cosine=min_cosine, leak=leak, min_norm=min_norm
            )
            _plot(panel, W, found, min_cosine)
            names |= {block.name for block in found}
            represented = sum(len(block.features) for block in found)
            title = f"{represented} of {len(W)} features"
        if axis:
            title = f"{style.label(ds, axis, i)}\n{title}"
        panel.set_title(title)
    order = [name for name in POLYTOPE_COLORS if name in names]
    order[-1:-1] = sorted(names - set(POLYTOPE_COLORS))
    if order:
        figure.legend(
            handles=[
                Line2D([], [], marker="o", linestyle="", color=color(n), label=n, ms=4)
                for n in order
            ],
            loc="outside lower center",
            ncols=min(len(order), 6),
        )
    style.say_what_is_fixed(figure, ds)
    return figure


def color(name: str) -> str:
    """The colour of a polytope."""
    return POLYTOPE_COLORS.get(name, OTHER_COLOR)


def _plot(panel: Axes, W: np.ndarray, found: list[Block], min_cosine: float) -> None:
    """One model: its blocks side by side, the largest first."""
    order = {name: i for i, name in enumerate(POLYTOPE_COLORS)}
    found = sorted(found, key=lambda b: (-len(b.features), order.get(b.name, 9)))
    rings = [_ring(W[list(block.features)]) for block in found]
    places = _places(np.array([1 + np.ptp(ring, axis=0) for ring in rings]))
    for block, ring, place in zip(found, rings, places, strict=True):
        ring = ring + place
        own = W[list(block.features)]
        gram = np.abs(own @ own.T)
        norms = np.sqrt(np.diag(gram))
        pairs = np.argwhere(np.triu(gram / np.outer(norms, norms) > min_cosine, 1))
        panel.add_collection(
            LineCollection(
                [ring[pair] for pair in pairs],
                colors=[(0, 0, 0, min(1.0, gram[i, j])) for i, j in pairs],
                linewidths=0.5,
            )
        )
        panel.plot(*ring.T, "o", color=color(block.name), markersize=2.6, mew=0)
    style.frame(panel)
    panel.margins(0.06)
    panel.set_aspect("equal", adjustable="datalim")


def _ring(W: np.ndarray) -> np.ndarray:
    """Places features on a circle, neighbours by their two main directions."""
    k = len(W)
    if k == 1:
        return np.zeros((1, 2))
    left, sizes, _ = np.linalg.svd(W, full_matrices=False)
    main = np.pad(left[:, :2] * sizes[:2], ((0, 0), (0, max(0, 2 - len(sizes)))))
    order = np.argsort(np.arctan2(main[:, 1], main[:, 0]), kind="stable")
    angles = np.empty(k)
    angles[order] = np.pi / 2 + 2 * np.pi * np.arange(k) / k
    radius = 0.5 / np.sin(np.pi / k)
    ring = radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return ring - (ring.max(axis=0) + ring.min(axis=0)) / 2


def _places(sizes: np.ndarray) -> np.ndarray:
    """Centres of boxes, (width, height) each, in rows of about equal length."""
    if not len(sizes):
        return np.zeros((0, 2))
    longest = max(np.sqrt(np.prod(sizes, axis=1).sum()), sizes[:, 0].max())
    places, x, y, row = [], 0.0, 0.0, 0.0
    for width, height in sizes:
        if x + width > longest * 1.1:
            x, y, row = 0.0, y - row, 0.0
        row = max(row, height)
        places.append((x + width / 2, y - height / 2))
        x += width
    return np.array(places)

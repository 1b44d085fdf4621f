"""Where the dimensionalities of features gather."""

from fractions import Fraction

import numpy as np
import xarray as xr

from jsuper import wording
from jsuper.padding import trim
from jsuper.plots import cells, style
from jsuper.plots.style import Figure
from jsuper.results.measures import measure

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


@style.paper
def dimensionality(ds: xr.Dataset, *, fractions: dict[str, float] | None = None) -> Figure:
    r"""Plots the dimensionality of every feature against 1 / density.

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
    ds = trim(measure(ds))
    if "density" not in ds["W"].dims:
        raise ValueError("dimensionality needs a sweep with the axis 'density'")
    others = [str(d) for d in ds["norm"].dims if d not in ("density", "seed", "feature")]
    if len(others) > 1:
        single = [name for name in others if ds.sizes[name] == 1]
        ds = ds.isel(dict.fromkeys(single, 0))
        others = [name for name in others if name not in single]
    if len(others) > 1:
        raise ValueError(f"dimensionality takes one axis besides density, got {others}")
    other = others[0] if others else None
    figure, panels = style.wrapped_panels(cells.size(ds, other), 3.4, 3.2)
    fractions = FRACTIONS if fractions is None else fractions
    density = ds["density"].values
    is_number = wording.are_numbers(density)
    inverse = 1 / density if is_number else 1.0 + np.arange(len(density))
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
                )
        panel.set(ylim=(0, 1.06), ylabel="dimensionality $D_i$")
        if is_number:
            panel.set(xscale="log", xlim=(inverse.min() / 1.5, inverse.max() * 1.5))
            panel.set_xlabel("1 / density")
            style.plain_log(panel.xaxis)
        else:
            panel.set(xlim=(0.5, len(density) + 0.5), xlabel="density")
            panel.set_xticks(inverse, [style.value_text(name) for name in density])
        panel.label_outer()
        if other:
            panel.set_title(style.label(ds, other, j))
    style.say_what_is_fixed(figure, ds)
    return figure

"""Maps of the extra feature, and losses and overlaps along density."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.phase_change.measures import KINDS, without_worst
from jsuper.explorer import lean
from jsuper.files import datasets
from jsuper.plots import solutions, style
from jsuper.plots.style import Figure
from jsuper.theory.phases import phase_boundary, phase_losses


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    two, three = ds["two_features"], ds["three_features"]
    return {
        "maps": maps({"2 features, 1 dimension": two, "3 features, 2 dimensions": three}),
        "crossing": crossing(ds["section"]),
        "without_bias": maps({"2 features, no bias": ds["without_bias"]}, bias=False),
    }


def explored(models: xr.DataTree) -> xr.Dataset:
    """The map of two features, with the boundaries between theory's phases."""
    ds = datasets(models)["two_features"]
    importance = np.geomspace(
        float(ds["importance"].min()), float(ds["importance"].max()), 201
    )
    boundary = phase_boundary(2, importance)
    top = [float(boundary.max()), float(ds["density"].max())]
    lines = {
        "a pair pays at lower density": {"importance": importance, "density": boundary},
        "the extra feature pays at larger importance": {
            "importance": [1.0, 1.0],
            "density": top,
        },
    }
    return lean(ds.drop_vars("phase"), lines)


def maps(rows: dict[str, xr.Dataset], bias: bool = True) -> Figure:
    """Theory, the best seeds and, with a bias, the paper's average: a row for each set."""
    reads = [js.best_seed, without_worst][: 1 + bias]
    columns = len(reads) + 1
    figure = Figure(figsize=(columns + 4.4, 2.0 * len(rows) + 0.4))
    shared = {"squeeze": False, "sharex": "col", "width_ratios": [*columns * [1], 0.5]}
    axes = figure.subplots(len(rows), columns + 1, **shared)
    for (theory, *trained, key), (name, ds) in zip(axes, rows.items(), strict=True):
        n, x, y = ds.sizes["feature"], ds["importance"].values, ds["density"].values
        fine_x, fine_y = (np.geomspace(v.min(), v.max(), 301) for v in (x, y))
        solutions.draw_theory(theory, fine_x, fine_y, n, bias)
        for panel, read in zip(trained, reads, strict=True):
            extra = read(ds).isel(feature=-1).transpose("density", "importance", ...)
            parts = extra["norm"].values, extra["superposition"].values
            solutions.draw_phases(panel, x, y, *parts)
            solutions.draw_boundaries(panel, fine_x, fine_y, n, bias)
            panel.tick_params(labelleft=False)
        for panel in (theory, *trained):
            panel.set(xlim=fine_x[[0, -1]], ylim=fine_y[[0, -1]])
        theory.set_ylabel(f"{name}\n\ndensity (1 − sparsity)")
        key.axis("off")
    seeds = next(iter(rows.values())).sizes["seed"]
    titles = "theory", f"best of {seeds}", f"mean of {seeds} but the worst"
    for top, bottom, title in zip(axes[0, :-1], axes[-1], titles, strict=False):
        top.set_title(title)
        bottom.set_xlabel("relative importance")
    axes[0, -1].axis("on")
    axes[0, -1].tick_params(labelbottom=True)
    solutions.draw_key(axes[0, -1])
    return figure


def crossing(section: xr.Dataset) -> Figure:
    """Losses of both kinds of solutions along density, and the best model's overlap."""
    importances, density = section["importance"].values, section["density"].values
    figure = Figure(figsize=(7.2, 3.8))
    axes = figure.subplots(2, len(importances), sharex=True, squeeze=False)
    s = np.linspace(density.min(), density.max(), 200)
    dots = {"linestyle": "", "markerfacecolor": "none", "markersize": 2.5}
    for (top, bottom), r in zip(axes.T, importances, strict=True):
        cut = section.sel(importance=r)
        best, losses = js.best_seed(cut), phase_losses(2, s, r)
        overlap = -best["W"].prod(("feature", "hidden"))
        for (name, kinds), looks in zip(KINDS.items(), style.SERIES, strict=False):
            ideal = np.min([losses[kind] for kind in kinds], axis=0)
            top.plot(s, ideal, color=looks["color"], label=f"{name}, theory")
            trained = cut["loss"].where(cut["phase"].isin(kinds)).min("seed")
            top.plot(density, trained, **looks, **dots, label=f"{name}, trained")
            bottom.plot(density, overlap.where(best["phase"].isin(kinds)), **looks, **dots)
        boundary = float(phase_boundary(2, r))
        top.axvline(boundary, **style.GUIDE)
        bottom.plot(s, s < boundary, **style.GUIDE)
        top.set(title=f"importance {r:g}", ylim=(0, 1.4 * losses["extra ignored"].max()))
        bottom.set(ylim=(-0.1, 1.15), xlabel="density (1 − sparsity)")
        bottom.label_outer()
    axes[0, 0].set_ylabel("lowest loss of each kind")
    axes[1, 0].set_ylabel("$-W_1 \\cdot W_2$, best model")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=4)
    return figure

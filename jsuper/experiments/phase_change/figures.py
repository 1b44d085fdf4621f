"""Maps of the extra feature, and losses and overlaps along density."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.phase_change.measures import KINDS, overlap, without_worst
from jsuper.plots import solutions, style
from jsuper.plots.style import Figure
from jsuper.theory.phases import phase_boundary, phase_losses

MARKS = {
    "one feature ignored": ("s", style.PALETTE["blue"]),
    "antipodal pair": ("o", style.PALETTE["vermilion"]),
}


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    two, three, without_bias, section = (
        models[name].to_dataset()
        for name in ("two_features", "three_features", "without_bias", "section")
    )
    both = {"2 features, 1 dimension": two, "3 features, 2 dimensions": three}
    return {
        "maps": maps(both),
        "without_bias": maps({"2 features, no bias": without_bias}, bias=False),
        "crossing": crossing(section),
    }


def maps(rows: dict[str, xr.Dataset], bias: bool = True) -> Figure:
    """Theory, the best of the seeds and the paper's average, a row for each setting."""
    height = 2.5 * len(rows) + 0.5
    figure = Figure(figsize=(9.6, height), layout="constrained", dpi=150)
    axes = figure.subplots(
        len(rows), 4, squeeze=False, width_ratios=[1, 1, 1, 0.36], sharey="col"
    )
    for row, (name, ds) in zip(axes, rows.items(), strict=True):
        n, seeds = ds.sizes["feature"], ds.sizes["seed"]
        r, s = (fine(ds[axis].values) for axis in ("importance", "density"))
        solutions.draw_theory(row[0], r, s, n, bias)
        trained = {
            f"trained, best of {seeds}": js.best_seed(ds),
            f"trained, mean of {seeds} but the worst": without_worst(ds),
        }
        for panel, (title, read) in zip(row[1:3], trained.items(), strict=True):
            last = read.isel(feature=-1).transpose("density", "importance", ...)
            solutions.draw_phases(
                panel,
                ds["importance"].values,
                ds["density"].values,
                last["norm"].values,
                last["superposition"].values,
            )
            solutions.draw_boundaries(panel, r, s, n, bias)
            panel.set_title(title, fontsize=9)
        row[0].set_title("theory", fontsize=9)
        row[0].set_ylabel(f"{name}\n\ndensity (1 − sparsity)", fontsize=8)
        for panel in row[:3]:
            panel.set(xlim=r[[0, -1]], ylim=s[[0, -1]])
            panel.tick_params(labelsize=7)
            panel.set_xlabel("relative importance of the extra feature", fontsize=8)
        for panel in row[1:3]:
            panel.tick_params(labelleft=False)
        row[3].axis("off")
    key = axes[0, 3]
    key.axis("on")
    solutions.draw_key(key)
    return figure


def fine(values: np.ndarray) -> np.ndarray:
    """Ascending log-spaced values, close to each other, over the same range."""
    return np.geomspace(values.min(), values.max(), 301)


def crossing(section: xr.Dataset) -> Figure:
    """Losses of both kinds of solutions along density, and the best model's overlap."""
    importances, density = section["importance"].values, section["density"].values
    figure, panels = style.panel_grid(2, len(importances), 2.2, 2.2, sharex=True)
    s = np.linspace(density.min(), density.max(), 200)
    lowest = float(overlap(js.best_seed(section)).min())
    for (top, bottom), r in zip(panels.T, importances, strict=True):
        cut = section.sel(importance=r)
        best, losses = js.best_seed(cut), phase_losses(2, s, r)
        for name, kinds in KINDS.items():
            marker, color = MARKS[name]
            marks = {"color": color, "markersize": 3, "markerfacecolor": "none"}
            ideal = np.min([losses[kind] for kind in kinds], axis=0)
            top.plot(s, ideal, color=color, linewidth=1, label=f"{name}, theory")
            trained = cut["loss"].where(cut["phase"].isin(kinds)).min("seed")
            top.plot(density, trained, marker, label=f"{name}, trained", **marks)
            own = best["phase"].isin(kinds).values
            bottom.plot(density[own], overlap(best).values[own], marker, **marks)
        boundary = float(phase_boundary(2, r))
        bottom.plot(s, s < boundary, color="0.6", linewidth=1, zorder=0)
        top.axvline(boundary, color="0.8", linewidth=0.8, zorder=0)
        top.set_title(f"relative importance {r:g}", fontsize=9)
        top.set(ylim=(0, 1.4 * losses["extra ignored"].max()))
        bottom.set(ylim=(min(-0.1, 1.1 * lowest), 1.15))
        bottom.set_xlabel("density (1 − sparsity)", fontsize=8)
        for panel in (top, bottom):
            panel.tick_params(labelsize=7)
    panels[0, 0].set_ylabel("lowest loss of each kind", fontsize=8)
    panels[1, 0].set_ylabel("$-W_1 \\cdot W_2$, best model", fontsize=8)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=7, loc="outside lower center", ncols=4)
    return figure

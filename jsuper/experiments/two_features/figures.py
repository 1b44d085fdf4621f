"""Maps of where runs end, the planes they start from, and penalties that end a pair."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jsuper.experiments.two_features import measures
from jsuper.files import datasets
from jsuper.plots import style
from jsuper.plots.style import Figure
from jsuper.theory.phases import phase_boundary

COLORS = {
    "drop": style.PALETTE["sky"],
    "dedicate": style.PALETTE["orange"],
    "pair": style.PALETTE["blue"],
    "other": "0.85",
}
SECTIONS = (0.1, 0.3, 1.0)
"""Importances of the sections along density, and the density of that along the penalty."""
ALONG = 0.1


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    return {
        "shares": shares(ds["shares"]),
        "planes": planes(ds["planes"]),
        "penalty": penalty(ds["penalty"]),
    }


def shares(ds: xr.Dataset) -> Figure:
    """The share of runs that drop, dedicate or pair: a column for each initial scale."""
    ds = ds.sortby("density")
    end, scales = measures.ends(ds), ds["scale"].values
    figure = Figure(figsize=(7.6, 5.6))
    axes = figure.subplots(3, len(scales), sharex=True, sharey=True, squeeze=False)
    for row, name in zip(axes, ("drop", "dedicate", "pair"), strict=True):
        share = (end == name).mean("seed").transpose("scale", "density", "importance")
        for panel, values in zip(row, share.values, strict=True):
            _map(panel, ds, values, style.SEQUENTIAL, Normalize(0, 1))
            draw_theory(panel, ds)
        row[0].set_ylabel(f"{name}\n\ndensity")
    for top, bottom, scale in zip(axes[0], axes[-1], scales, strict=True):
        top.set_title(f"initial scale {style.number(scale)}")
        bottom.set_xlabel("importance")
    style.colorbar(figure, axes, Normalize(0, 1), style.SEQUENTIAL, "share of starts")
    names = {"-": "pair and drop cost the same", "--": "above: a dropped feature is stable"}
    lines = [_handle(linestyle=look) for look in names]
    figure.legend(lines, names.values(), loc="outside upper center", ncols=2)
    return figure


def draw_theory(panel: Axes, ds: xr.Dataset) -> None:
    """Lines where the ideal solutions cost the same, and where a drop becomes stable."""
    limits = panel.get_xlim(), panel.get_ylim()
    importance = np.geomspace(0.05, 1, 300)
    density = np.geomspace(float(ds["density"].min()) / 2, 1, 600)
    stable = measures.leaving_importance(density, measures.cost_of_opposite)
    for color, width in (("white", 2.4), ("black", 1.0)):
        panel.plot(importance, phase_boundary(2, importance), color=color, linewidth=width)
    for color, width in (("white", 2.4), ("black", 1.0)):
        panel.plot(stable, density, color=color, linewidth=width, linestyle="--")
    panel.set(xlim=limits[0], ylim=limits[1])


def _handle(**looks: Any) -> Line2D:
    """A line of a legend that stands for no data."""
    return Line2D([], [], color="black", **looks)


def _map(panel: Axes, ds: xr.Dataset, values, cmap, norm):
    """Cells over importance and density, on logarithmic axes."""
    edges = [style.cell_edges(ds[name].values)[1] for name in ("importance", "density")]
    mesh = panel.pcolormesh(*edges, values, cmap=cmap, norm=norm, rasterized=True)
    panel.set(xscale="log", yscale="log", xlim=edges[0][[0, -1]], ylim=edges[1][[0, -1]])
    style.plain_log(panel.xaxis)
    style.plain_log(panel.yaxis)
    return mesh


def planes(ds: xr.Dataset) -> Figure:
    """Which initial weights end where, for each density and importance."""
    end = measures.ends(ds)
    end = xr.apply_ufunc(np.vectorize(list(COLORS).index), end)
    first, second = (np.unique(ds["start"].isel(feature=i).values) for i in (0, 1))
    looks = {"cmap": ListedColormap(list(COLORS.values())), "norm": Normalize(-0.5, 3.5)}
    cells = list(np.ndindex(ds.sizes["density"], ds.sizes["importance"]))
    figure = Figure(figsize=(1.75 * len(cells) + 0.6, 3.4))
    axes = figure.subplots(1, len(cells), sharex=True, sharey=True, squeeze=False)[0]
    for panel, (i, j) in zip(axes, cells, strict=True):
        ended = end.isel(density=i, importance=j).values.reshape(len(first), -1)
        panel.pcolormesh(
            first, second, ended.T, shading="nearest", rasterized=True, **looks
        )
        panel.set(aspect="equal", xlabel="initial $W_1$")
        said = [style.label(ds, "density", i), style.label(ds, "importance", j)]
        panel.set_title("\n".join(said))
    axes[0].set_ylabel("initial $W_2$")
    patches = [Patch(color=color) for color in COLORS.values()]
    figure.legend(patches, list(COLORS), loc="outside lower center", ncols=4)
    return figure


def penalty(ds: xr.Dataset) -> Figure:
    """The penalty that ends the pair: a map, sections along density, and the overlap."""
    ds = ds.sortby("density")
    critical = measures.critical_penalties(ds)
    figure = Figure(figsize=(9.2, 3.2))
    left, middle, right = figure.subplots(1, 3)
    surface(figure, left, ds, critical["last"])
    sections = ds["importance"].sel(importance=list(SECTIONS), method="nearest").values
    density = np.geomspace(0.01, 1, 400)
    for looks, importance in zip(style.SERIES, sections, strict=False):
        color, unit = looks["color"], importance * density
        of_section = critical.sel(importance=importance) / (importance * ds["density"])
        dots = {"color": color, "linestyle": "", "markersize": 3}
        for name, marker in (("last", "o"), ("best", "_")):
            found = of_section[name].where(of_section[name] > 0)
            middle.plot(ds["density"], found, marker=marker, **dots)
        for form, line in ((measures.stable_penalty, "--"), (measures.ideal_penalty, ":")):
            rule = form(density, importance) / unit
            middle.plot(density, np.where(rule > 0, rule, np.nan), line, color=color)
        along = measures.overlap(ds).sel(importance=importance)
        along = along.sel(density=ALONG, method="nearest")
        label = f"{importance:.2g}"
        right.plot(ds["strength"] / 3, along, ".-", color=color, label=label, markersize=3)
    middle.axhline(1 / 3, **style.GUIDE)
    style.plain_log(middle.xaxis)
    middle.set(
        xlabel="density", ylabel="penalty λ / (importance · density)", ylim=(0, 0.37)
    )
    right.set(xlabel="λ / (importance · density)", ylabel="overlap $-W_1 W_2$")
    near = ds["density"].sel(density=ALONG, method="nearest").item()
    right.set_title(f"density {near:.2g}")
    right.legend(title="importance")
    names = {"o": "pair ends", "_": "pair no longer best"}
    rules = {"--": "dropping becomes stable", ":": "ideal pair no longer best"}
    handles = [_handle(linestyle="", marker=marker, markersize=4) for marker in names]
    handles += [_handle(linestyle=line) for line in rules]
    said = [*names.values(), *rules.values()]
    figure.legend(handles, said, loc="outside upper center", ncols=4)
    return figure


def surface(figure: Figure, panel: Axes, ds: xr.Dataset, last: xr.DataArray) -> None:
    """The penalty at which the pair ends, over importance and density, with contours."""
    values = last.transpose("density", "importance").values
    norm = LogNorm(3e-4, 0.1)
    shown = np.where(values > 0, values, np.nan)
    _map(panel, ds, shown, style.SEQUENTIAL, norm)
    levels = {
        "levels": [3e-4, 1e-3, 3e-3, 1e-2, 3e-2],
        "colors": "white",
        "linewidths": 0.8,
    }
    panel.contour(ds["importance"], ds["density"], shown, **levels)
    panel.set(xlabel="importance", ylabel="density", facecolor="0.85")
    style.colorbar(
        figure, panel, norm, style.SEQUENTIAL, "penalty λ at which the pair ends"
    )

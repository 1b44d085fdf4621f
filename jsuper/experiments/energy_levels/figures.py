"""The energy of every minimum over density, and where random starts end."""

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from jsuper.experiments.energy_levels import measures
from jsuper.explorer import lean
from jsuper.files import datasets
from jsuper.plots import panels, style
from jsuper.plots.style import Figure
from jsuper.results.joining import concat

COLORS = {
    "pentagon": style.PALETTE["blue"],
    "2 digons": style.PALETTE["vermilion"],
    "2 digons, weak fifth": style.PALETTE["orange"],
    "2 digons, silent fifth": style.PALETTE["purple"],
    "dedicated + digon": style.PALETTE["green"],
    "2 dedicated": "black",
    "other": "0.6",
}


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    found = {"equal importance": ds["equal"], "importance $0.9^i$": ds["decreasing"]}
    return {
        "levels": levels(found),
        "shares": shares(found),
        "solutions": solutions(ds["equal"]),
    }


def explored(models: xr.DataTree) -> xr.Dataset:
    """All minima, with the densities at which the pentagon stops being best, and one."""
    ds = datasets(models)
    most = max(part.sizes["minimum"] for part in ds.values())
    kept = ["W", "b", "loss", "finite", "share", "geometry", "level", "importance"]
    parts = {name: part[kept].reindex(minimum=range(most)) for name, part in ds.items()}
    lines = {}
    for name, part in ds.items():
        limits = part.isel(way=0)
        for limit, text in (("crossing", "the best minimum"), ("end", "a minimum")):
            place = {"density": float(limits[limit]), "importances": name}
            lines[f"{name} importance: up to this density the pentagon is {text}"] = place
    joined = concat(parts, "importances")
    joined["loss_by_density"] = joined["loss"] / joined["density"]
    joined["loss_by_density"].attrs["long_name"] = "loss / density"
    return lean(joined, lines)


def levels(found: dict[str, xr.Dataset]) -> Figure:
    """Loss / density of every minimum; where a name has one, a line joins them."""
    figure = Figure(figsize=(8.2, 4.0))
    axes = figure.subplots(1, 2, sharey=True)
    for panel, (name, ds) in zip(axes, found.items(), strict=True):
        energy = ds["loss"] / ds["density"]
        for level, color in COLORS.items():
            own = energy.where(ds["level"] == level)
            if not own.notnull().any():
                continue
            look = {"color": color, "linestyle": "none", "markersize": 2.0}
            panel.plot(ds["density"], own.transpose("density", ...), ".", **look)
            if level != "other" and panel is axes[0]:
                line = measures.lowest(ds, level)
                panel.plot(ds["density"], line, color=color, label=level)
        panel.plot([], [], ".", color=COLORS["other"], label="other")
        draw_limits(panel, ds.isel(way=0))
        panel.set(title=name, xscale="log", xlabel="density")
        style.plain_log(panel.xaxis)
    axes[0].set(ylabel="loss / density", ylim=(0, None))
    axes[0].legend(loc="upper left")
    return figure


def draw_limits(panel: Axes, limits: xr.Dataset) -> None:
    """Where the pentagon stops being the best minimum, and a minimum."""
    for name, dash in (("crossing", "-"), ("end", ":")):
        look: dict[str, Any] = {**style.GUIDE, "linestyle": dash}
        panel.axvline(float(limits[name]), **look)
    words = {"crossing": "pentagon best up to here ", "end": " and a minimum"}
    height = 0.0015
    for name, side in (("crossing", "right"), ("end", "left")):
        panel.annotate(words[name], (float(limits[name]), height), ha=side, color="0.35")


def shares(found: dict[str, xr.Dataset]) -> Figure:
    """Which share of the starts ends at each kind of minimum, over density."""
    figure = Figure(figsize=(8.2, 2.8))
    axes = figure.subplots(1, 2, sharey=True)
    for panel, (name, ds) in zip(axes, found.items(), strict=True):
        ds = ds.sortby("density")
        parts = measures.shares(ds)
        panels.stacked(
            panel,
            {level: share.values for level, share in parts.items()},
            ds["density"].values,
            COLORS,
        )
        panel.set(title=name, xlabel="density", ylim=(0, 1))
        style.plain_log(panel.xaxis)
        panel.yaxis.set_major_formatter(PercentFormatter(1))
    axes[0].set_ylabel("share of starts")
    handles, names = axes[1].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", reverse=True)
    return figure


def solutions(ds: xr.Dataset) -> Figure:
    """One model of each name, at a density where it is a minimum, as near 0.15 as it is."""
    figure = Figure(figsize=(8.2, 1.75))
    shown = [level for level in measures.LEVELS if (ds["level"] == level).any()]
    for panel, level in zip(figure.subplots(1, len(shown)), shown, strict=True):
        cells = ds.isel(density=(ds["level"] == level).any("minimum").values)
        cell = cells.sel(density=0.15, method="nearest")
        model = cell.isel(minimum=int((cell["level"] == level).argmax("minimum")))
        W = model["W"].transpose("feature", "hidden").values
        panels.embeddings(panel, W, COLORS[level], extent=1.35)
        name = level.replace(", ", ",\n")
        panel.set_title(f"{name}\ndensity {style.number(float(cell['density']))}")
    return figure

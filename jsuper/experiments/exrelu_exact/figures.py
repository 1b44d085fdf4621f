"""The map of each way of training, and what each finds at the lowest density."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.patheffects import withStroke

from jsuper import plots, theory
from jsuper.experiments.exrelu.measures import ideal_losses
from jsuper.experiments.exrelu_exact import measures
from jsuper.files import datasets
from jsuper.plots import style
from jsuper.plots.style import Figure


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    return {
        "maps": maps(ds["candidates"]["superposed"], ds["known"]["superposed"]),
        "losses": losses(ds["candidates"]["loss"], ds["known"]["loss"]),
        "embeddings": embeddings(ds["candidates"], ds["known"]),
    }


def maps(superposed: xr.DataArray, known: xr.DataArray) -> Figure:
    """How many features are superposed, a panel for each way and one for the best known."""
    panels = {name: superposed.sel(way=way) for way, name in measures.WAYS.items()}
    panels["best solution known"] = known
    figure, axes = style.panel_grid(2, 3, 2.5, 2.4, sharex=True, sharey=True)
    norm = BoundaryNorm(np.arange(-0.5, 6), style.SEQUENTIAL.N)
    for panel, (name, counts) in zip(axes.ravel(), panels.items(), strict=True):
        counts = counts.transpose("threshold", "density").sortby("threshold")
        scale, x = style.cell_edges(counts["density"].values)
        _, y = style.cell_edges(counts["threshold"].values)
        panel.pcolormesh(x, y, counts.values, cmap=style.SEQUENTIAL, norm=norm)
        panel.set(xscale=scale, xlim=(x.min(), x.max()), ylim=y[[0, -1]], title=name)
        if scale == "log":
            style.plain_log(panel.xaxis)
        draw_theory(panel)
    for panel in axes[-1]:
        panel.set_xlabel("density")
    for panel in axes[:, 0]:
        panel.set_ylabel("ExReLU threshold t")
    handles, names = axes[0, 0].get_legend_handles_labels()
    key = {"labelcolor": "white", "facecolor": "0.2", "frameon": True, "ncols": 2}
    figure.legend(handles, names, loc="outside upper center", **key)
    style.colorbar(
        figure, axes, norm, style.SEQUENTIAL, "features superposed", ticks=range(6)
    )
    return figure


def draw_theory(panel: Axes) -> None:
    """Where ideal pairs pay, and where pairs end that do not see the jump."""
    panel.autoscale(False)
    t = np.linspace(-1, 0, 500)
    rim = {"color": "white", "path_effects": [withStroke(linewidth=2.4, foreground="0.15")]}
    p = theory.pair_boundary(t, (0.9, 0.81))
    panel.plot(p[p > 0], t[p > 0], label="left: an ideal pair pays", **rim)
    limit = theory.PAIR_LIMIT
    panel.axhline(limit, linestyle=":", label="below: no pair at rest on samples", **rim)


def losses(loss: xr.DataArray, known: xr.DataArray) -> Figure:
    """Loss over threshold at the lowest density, of each way and of what is set by hand."""
    loss, known = (x.isel(density=-1).sortby("threshold") for x in (loss, known))
    density = float(known["density"])
    figure = Figure(figsize=(6.4, 4.0))
    panel = figure.subplots()
    t = np.linspace(-1, 0, 300)
    for (name, ideal), dash in zip(
        ideal_losses(density, t).items(), ("--", "-"), strict=True
    ):
        panel.plot(t, ideal / density, dash, color="0.6", label=f"{name}, ideal")
    looks = zip(measures.WAYS.items(), style.SERIES, strict=True)
    for (way, name), look in looks:
        found = loss.sel(way=way) / density
        panel.plot(found["threshold"], found, linestyle="none", label=name, **look)
    as_set = (loss.sel(way="ReLU's") / density).where(loss["threshold"] <= 0)
    panel.plot(as_set["threshold"], as_set, ":", color="black", label="ReLU's, as set")
    panel.plot(known["threshold"], known / density, color="black", label="best known")
    panel.set(xlabel="ExReLU threshold t", ylim=(0, 0.17))
    panel.set_ylabel(f"loss / density, at density {density:.3f}")
    figure.legend(loc="outside right center")
    return figure


def embeddings(candidates: xr.Dataset, known: xr.Dataset) -> Figure:
    """Embeddings at the lowest density: trained on samples, exactly, and the best known."""
    t = [t for t in (-0.9, -0.75, -0.6, -0.5, -0.25, -0.2, 0.0) if t in known["threshold"]]
    rows = {
        "sampled": candidates.sel(way="sampled", drop=True),
        "exact": candidates.sel(way="exact, large", drop=True),
        "best known": known.drop_vars("way"),
    }
    shown = xr.concat(
        [row[["W", "b"]].isel(density=-1).sel(threshold=t) for row in rows.values()],
        xr.Variable("solution", list(rows)),
    )
    shown["importance"] = ("feature", 0.9 ** np.arange(5))
    return plots.embeddings(shown.transpose("threshold", "solution", ...))

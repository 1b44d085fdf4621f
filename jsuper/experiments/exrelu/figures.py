"""The review's figure, the phase map with theory over it, and what training misses."""

import numpy as np
import xarray as xr
from matplotlib.patheffects import withStroke

from jsuper import plots, theory
from jsuper.experiments.exrelu.measures import ideal_losses, products
from jsuper.explorer import lean
from jsuper.files import datasets
from jsuper.plots import panels, style
from jsuper.plots.style import Figure


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    review = ds["map"].sel(threshold=[0, -0.25]).isel(density=slice(10))
    return {
        "embeddings": plots.embeddings(review),
        "dimensionality": plots.dimensionality(review),
        "phase_map": phase_map(ds["map"]),
        "loss": plots.loss_curves(review),
        "runs": runs(ds["runs"]),
        "pairs": pairs(products(ds["pairs"])),
        "optimality": optimality(ds["sparsest"], ds["pentagons"]),
    }


def phase_map(ds: xr.Dataset) -> Figure:
    """The phase map with the closed forms over it."""
    figure = plots.phase_map(ds, ["represented", "dedicated", "superposed"])
    ends = [float(ds["density"].min()), float(ds["density"].max())]
    (one, t), (two, t_two) = boundaries(ds["threshold"])
    rim = {"color": "white", "path_effects": [withStroke(linewidth=2.6, foreground="0.15")]}
    for panel in figure.axes[:9]:
        panel.autoscale(False)
        panel.plot(one, t, label="left: one pair pays", **rim)
        panel.plot(two, t_two, "--", label="left: two pairs pay", **rim)
        panel.plot(
            ends, [theory.PAIR_LIMIT] * 2, ":", label="below: no pair at rest", **rim
        )
    key = {"frameon": True, "labelcolor": "white", "facecolor": "0.2", "framealpha": 0.8}
    figure.axes[0].legend(loc="lower left", **key)
    return figure


def boundaries(thresholds: xr.DataArray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Densities and thresholds where the first and the second ideal pair begin to pay."""
    t = np.linspace(float(thresholds.min()), 0, 500)
    densities = [theory.pair_boundary(t, pair) for pair in ((0.9, 0.81), (1.0, 0.729))]
    return [(density[density > 0], t[density > 0]) for density in densities]


def explored(models: xr.DataTree) -> xr.Dataset:
    """The map, with the closed forms over it."""
    ds = datasets(models)["map"]
    names = "one pair pays at lower density", "two pairs pay at lower density"
    lines = {
        name: {"density": density, "threshold": t}
        for name, (density, t) in zip(names, boundaries(ds["threshold"]), strict=True)
    }
    return lean(ds, {**lines, "no pair at rest below": {"threshold": theory.PAIR_LIMIT}})


def runs(ds: xr.Dataset) -> Figure:
    """How many features single runs hold in superposition, by threshold."""
    figure = Figure(figsize=(5.6, 3.0))
    panel = figure.subplots()
    found = np.unique(ds["superposed"]).astype(int)
    shades = {int(n): style.SEQUENTIAL(n / ds.sizes["feature"]) for n in found}
    panels.shares(panel, ds["superposed"], shades, apart=True)
    panel.set(xlabel="ExReLU threshold t", ylabel="share of runs")
    figure.legend(title="features\nsuperposed", loc="outside right center", reverse=True)
    return figure


def pairs(ends: xr.DataArray) -> Figure:
    """Where trained pairs end, against the fixed point of the gradient they follow."""
    figure = Figure(figsize=(5.6, 3.8))
    panel = figure.subplots()
    t = np.linspace(theory.PAIR_LIMIT, 0, 400)
    panel.plot(t, theory.pair_fixed_point(t), color="0.2", label="fixed point, density → 0")
    for limit, text in ((theory.PAIR_LIMIT, "no fixed point"), (-0.5, "out of reach")):
        panel.axvline(limit, **style.GUIDE)
        panel.annotate(text, (limit, 0.06), rotation=90, ha="right", color="0.35")
    for start, marker in (("the pair", "o"), ("small weights", "x")):
        for density, one in zip(ends["density"].values, style.SERIES, strict=False):
            looks = {"color": one["color"], "markerfacecolor": "none", "markersize": 5}
            looks |= {"fmt": marker, "label": f"from {start}, density {density:g}"}
            cell = ends.sel(start=start, density=density)
            panels.over_seeds(panel, cell, bars=True, **looks)
    panel.set(xlabel="ExReLU threshold t", ylabel="$-W_1 \\cdot W_2$ after training")
    panel.set_ylim(0, 1.08)
    panel.legend(loc="lower right")
    return figure


def optimality(sparsest: xr.Dataset, pentagons: xr.Dataset) -> Figure:
    """What training finds against what it could have found, at the lowest density."""
    figure = Figure(figsize=(5.6, 3.8))
    panel = figure.subplots()
    density = sparsest["density"].item()
    t = np.linspace(-1, 0, 300)
    ideal, dashes = ideal_losses(density, t), ("--", "-")
    for (name, loss), dash in zip(ideal.items(), dashes, strict=True):
        panel.plot(t, loss / density, dash, color="0.6", label=name)
    found = sparsest["loss"].sel(threshold=sparsest["threshold"] <= 0) / density
    red, blue = style.PALETTE["vermilion"], style.PALETTE["blue"]
    panel.plot(found["threshold"], found, "o", color=red, label="trained")
    start = pentagons[["loss_as_set", "loss"]].sortby("threshold") / density
    as_set, name = start["loss_as_set"], "ReLU's pentagon, as set"
    panel.plot(start["threshold"], as_set, "s-", color=blue, label=name)
    after = {"fmt": "x", "color": blue, "markersize": 5, "label": "the same, trained on"}
    panels.over_seeds(panel, start["loss"], bars=True, **after)
    panel.set(xlabel="ExReLU threshold t", ylim=(0, 0.17))
    panel.set_ylabel(f"loss / density, at density {density:.3f}")
    panel.legend()
    return figure

"""Neurons of the best models, and how they and their axes change with density."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

import jsuper as js
from jsuper.files import datasets
from jsuper.plots import neurons, panels, style
from jsuper.plots.style import Figure


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    lowest = js.best_seed(ds["lowest"])
    fine = ds.get("by_density", ds["models"])
    best = js.best_seed(ds.get("by_density_lowest", ds["lowest"]))
    few = ds["models"].isel(seed=slice(ds["linear_hidden"].sizes["seed"]))
    return {
        "stacks": neurons.neuron_stacks(lowest, max_columns=3),
        "regimes": regimes(fine, best),
        "bases": bases(few, ds["linear_hidden"], ds["alignments"]),
    }


def regimes(ds: xr.Dataset, best: xr.Dataset) -> Figure:
    """Features and monosemantic neurons by density: best model, and all of them."""
    figure = Figure(figsize=(5.2, 3.0))
    panel = figure.subplots()
    names = {
        "represented": "features represented",
        "monosemantic": "monosemantic neurons",
    }
    for (name, text), looks in zip(names.items(), style.SERIES, strict=False):
        dashed = {"linestyle": "--", "color": looks["color"]}
        panels.over_seeds(panel, ds[name], **dashed, label=f"{text}, mean")
        panel.plot(ds["density"], best[name], **looks, label=f"{text}, best model")
    n_features, n_neurons = ds.sizes["feature"], ds.sizes["hidden"]
    panel.axhline(n_neurons, **style.GUIDE)
    panel.set(ylim=(-0.3, n_features + 0.3))
    panel.set_ylabel(f"of {n_features} features, {n_neurons} neurons")
    _density_axis(panel)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def bases(rectified: xr.Dataset, linear: xr.Dataset, aligned: xr.Dataset) -> Figure:
    """W of a model with ReLU beside one without, and alignments by density."""
    figure = Figure(figsize=(7.2, 2.5))
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 2.2])
    names = {"ReLU": rectified, "linear": linear}
    for panel, (name, ds) in zip(axes[:2], names.items(), strict=True):
        model = js.best_seed(ds).isel(density=0)
        W = model["W"].transpose("feature", "hidden").values
        panels.matrix(panel, W[:, neurons.neuron_order(W)])
        panel.set(title=f"{name}, density {float(model['density']):g}", xlabel="neuron")
    axes[0].set_ylabel("feature")
    axes[1].set(xlabel="hidden dimension", yticklabels=[])
    style.colorbar(figure, axes[:2], Normalize(-1, 1), "RdBu_r", "weight", extend="both")
    labels = {"ReLU": "ReLU", "linear": "linear", "rotated": "linear, rotated at random"}
    for (name, label), looks in zip(labels.items(), style.SERIES, strict=False):
        panels.over_seeds(axes[2], aligned[name], bars=True, label=label, **looks)
    axes[2].set(ylabel="alignment with hidden axes", ylim=(0, 1.05))
    _density_axis(axes[2])
    axes[2].legend(title="hidden layer")
    return figure


def _density_axis(panel: Axes) -> None:
    style.plain_log(panel.xaxis)
    panel.set_xlabel("density (1 − sparsity)")
    panel.invert_xaxis()

"""Neurons of the best models, and how they and their axes change with density."""

import xarray as xr
from matplotlib.colors import Normalize

import jsuper as js
from jsuper.files import datasets
from jsuper.plots import neurons, panels, style
from jsuper.plots.style import Figure


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    fine = ds.get("by_density", ds["models"])
    best = js.best_seed(ds.get("by_density_lowest", ds["lowest"]))
    few = ds["models"].isel(seed=slice(ds["linear_hidden"].sizes["seed"]))
    return {
        "stacks": neurons.neuron_stacks(js.best_seed(ds["lowest"]), max_columns=3),
        "regimes": regimes(fine, best),
        "bases": bases({"ReLU": few, "linear": ds["linear_hidden"]}, ds["alignments"]),
    }


def regimes(ds: xr.Dataset, best: xr.Dataset) -> Figure:
    """Features and monosemantic neurons by density: best model, and all of them."""
    figure = Figure(figsize=(5.2, 3.0))
    panel = figure.subplots()
    names = {"represented": "features represented", "monosemantic": "monosemantic neurons"}
    for (name, text), looks in zip(names.items(), style.SERIES, strict=False):
        dashed = {"linestyle": "--", "color": looks["color"]}
        panels.over_seeds(panel, ds[name], **dashed, label=f"{text}, mean")
        panel.plot(ds["density"], best[name], **looks, label=f"{text}, best model")
    n_features, n_neurons = ds.sizes["feature"], ds.sizes["hidden"]
    style.plain_log(panel.xaxis)
    panel.invert_xaxis()
    panel.set(xlabel="density (1 − sparsity)", ylim=(-0.3, n_features + 0.3))
    panel.set_ylabel(f"of {n_features} features, {n_neurons} neurons")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def bases(by_layer: dict[str, xr.Dataset], aligned: xr.Dataset) -> Figure:
    """W of a model with ReLU beside one without, and alignments by density."""
    figure = Figure(figsize=(7.2, 2.5))
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 2.2])
    for panel, (name, ds) in zip(axes, by_layer.items(), strict=False):
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
    style.plain_log(axes[2].xaxis)
    axes[2].invert_xaxis()
    axes[2].set(xlabel="density (1 − sparsity)", ylabel="alignment with hidden axes")
    axes[2].set_ylim(0, 1.05)
    axes[2].legend(title="hidden layer")
    return figure

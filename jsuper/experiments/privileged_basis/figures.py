"""Neurons of the best models, and how they and their axes change with density."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

import jsuper as js
from jsuper.plots import neurons, style
from jsuper.plots.style import Figure


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = {name: node.to_dataset() for name, node in models.children.items()}
    best = js.best_seed(ds["lowest"])
    fine = "by_density" if "by_density" in models else "models"
    fine_lowest = "by_density_lowest" if "by_density_lowest" in models else "lowest"
    few = ds["linear_hidden"].sizes["seed"]
    rectified = ds["models"].isel(seed=slice(few))
    return {
        "stacks": neurons.neuron_stacks(best, most=3),
        "weights": neurons.neuron_matrices(best),
        "regimes": regimes(ds[fine], js.best_seed(ds[fine_lowest])),
        "bases": bases(rectified, ds["linear_hidden"], ds["alignments"]),
    }


def regimes(ds: xr.Dataset, best: xr.Dataset) -> Figure:
    """Features and monosemantic neurons by density: best model, and all of them."""
    figure = Figure(figsize=(5.2, 3.2), layout="constrained", dpi=150)
    panel = figure.subplots()
    kinds = {
        "represented": ("features represented", style.PALETTE["blue"], "o"),
        "monosemantic": ("monosemantic neurons", style.PALETTE["vermilion"], "s"),
    }
    for name, (text, color, marker) in kinds.items():
        low, high = ds[name].quantile([0.1, 0.9], "seed").values
        x = ds["density"].values
        panel.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
        panel.plot(x, ds[name].mean("seed"), "--", color=color, linewidth=0.9)
        panel.plot(
            x, best[name], marker + "-", color=color, ms=4, linewidth=1.2, label=text
        )
    n_features, n_neurons = ds.sizes["feature"], ds.sizes["hidden"]
    panel.axhline(n_neurons, color="0.8", linewidth=0.8, zorder=0)
    panel.set_ylim(-0.3, n_features + 0.3)
    panel.set_ylabel(f"of {n_features} features, {n_neurons} neurons", fontsize=8)
    _density_axis(panel)
    figure.legend(fontsize=8, loc="outside upper center", ncols=2, frameon=False)
    return figure


def bases(rectified: xr.Dataset, linear: xr.Dataset, aligned: xr.Dataset) -> Figure:
    """W of a model with ReLU beside one without, and alignments by density."""
    figure = Figure(figsize=(8.4, 2.9), layout="constrained", dpi=150)
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 2.2])
    norm = Normalize(-1, 1)
    names = {"ReLU hidden layer": rectified, "linear hidden layer": linear}
    for panel, (name, ds) in zip(axes[:2], names.items(), strict=True):
        model = js.best_seed(ds).isel(density=0)
        W = model["W"].transpose("feature", "hidden").values
        W = W[:, neurons.neuron_order(W)]
        panel.imshow(W, cmap="RdBu_r", norm=norm, aspect="auto")
        title = f"{name},\n{style.coordinate('density', float(model['density']))}"
        panel.set_title(title, fontsize=8)
        panel.set_xlabel("hidden dimension", fontsize=8)
        panel.tick_params(labelsize=7)
    axes[0].set_ylabel("feature", fontsize=8)
    style.colorbar(figure, axes[:2], norm, "RdBu_r", "weight", extend="both")
    looks = {
        "ReLU": ("ReLU hidden layer", style.PALETTE["blue"], "o-"),
        "linear": ("linear hidden layer", style.PALETTE["vermilion"], "s-"),
        "rotated": ("the same, rotated at random", "0.45", "^--"),
    }
    for name, (text, color, form) in looks.items():
        mean, std = aligned[name].mean("seed"), aligned[name].std("seed")
        axes[2].errorbar(
            aligned["density"],
            mean,
            std,
            fmt=form,
            color=color,
            ms=4,
            linewidth=1,
            capsize=2,
            label=text,
        )
    axes[2].set_ylabel("alignment with hidden axes", fontsize=8)
    axes[2].set_ylim(0, 1.05)
    _density_axis(axes[2])
    axes[2].legend(fontsize=7, frameon=False, loc="lower left")
    return figure


def _density_axis(panel: Axes) -> None:
    """Densities from high to low, with numbers that can be read."""
    panel.set_xscale("log")
    panel.set_xlabel("density (1 − sparsity)", fontsize=8)
    panel.invert_xaxis()
    style.plain_log(panel.xaxis)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)

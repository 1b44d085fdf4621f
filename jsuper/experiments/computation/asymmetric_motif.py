r"""The asymmetric motif: a neuron that stores two features, and others that correct it.

Elhage et al. 2022, "Computation in Superposition": one neuron takes two features with
weights such as 2 and -1/2 and hands them on with 1/2 and 2. When the first activates it,
the second would receive interference, which other neurons take away again. Weights are
those after `jsuper.rescale_neurons`.
"""

import numpy as np
import xarray as xr
from matplotlib.ticker import MaxNLocator

import jsuper as js
from jsuper.experiments.outcome import Finding
from jsuper.plots import neurons, style
from jsuper.plots.style import Figure


def find(W_in: np.ndarray, W_out: np.ndarray) -> list[tuple[int, int, int]]:
    """Finds neurons that store two features asymmetrically, and are corrected for it.

    After rescaling, the neuron has a large input weight for a, a small one (1/10 to 1/2)
    for b, and positive outputs to both, at least twice as large to b. Whenever a
    activates it, b would receive positive interference; other neurons that a activates
    with the same sign take at least half of that away.

    Returns:
        Neuron, feature a and feature b of each.
    """
    found = []
    for j in range(W_in.shape[1]):
        a = int(np.abs(W_in[:, j]).argmax())
        active = np.maximum(np.sign(W_in[a, j]) * W_in[a], 0)
        for b in np.flatnonzero((np.abs(W_in[:, j]) > 0.1) & (np.abs(W_in[:, j]) < 0.5)):
            interference = active[j] * W_out[j, b]
            others = active @ W_out[:, b] - interference
            stored = 0.5 < W_out[j, a] < W_out[j, b] / 2
            if stored and others < -0.5 * interference:
                found.append((j, a, int(b)))
    return found


def motifs_of(ds: xr.Dataset) -> list[list[tuple[int, int, int]]]:
    """The motifs of every seed of one cell."""
    return [
        find(W_in.values, W_out.values)
        for W_in, W_out in zip(ds["W_in"], ds["W_out"], strict=True)
    ]


def finding(ds: xr.Dataset) -> Finding:
    """How often the asymmetric motif appears, and how large its weights are."""
    texts, shares, products = [], [], []
    for k, density in enumerate(ds["density"].values):
        cell = ds.isel(density=k)
        found = motifs_of(cell)
        shares.append(np.mean([len(motifs) > 0 for motifs in found]))
        best = len(found[int(cell["loss"].argmin("seed"))])
        texts.append(f"density {density:g}: {shares[-1]:.0%} (best seed has {best})")
        for s, motifs in enumerate(found):
            W_in, W_out = cell["W_in"].values[s], cell["W_out"].values[s]
            products += [
                abs(W_in[i, j]) * W_out[j, i] for j, a, b in motifs for i in (a, b)
            ]
    middle = np.quantile(products, [0.25, 0.5, 0.75]) if products else np.full(3, np.nan)
    return Finding(
        "10 features, 10 neurons: a neuron stores two features as 2 and −1/2 with outputs "
        "1/2 and 2, and another inhibits the one that it would disturb",
        f"seeds of {ds.sizes['seed']} with such a motif, by density: {'; '.join(texts)}; "
        f"input times output weight {middle[1]:.2f} (quartiles {middle[0]:.2f} to "
        f"{middle[2]:.2f}), 1 if reciprocal",
        bool(max(shares) > 0.1 and abs(middle[1] - 1) < 0.2),
    )


def draw_weights(model: xr.Dataset, limit: float = 1.0, marks=()) -> Figure:
    """Input weights of one model, rescaled, beside its output weights.

    Marks are the neurons and features of `find`: squares for what the neuron
    stores, circles for what inhibits b most strongly when a activates the neuron.
    """
    W_in = model["W_in"].transpose("feature", "hidden").values
    W_out = model["W_out"].transpose("hidden", "feature").values
    order = neurons.neuron_order(W_in)
    figure = Figure(figsize=(6.4, 2.9), layout="constrained", dpi=150)
    axes = figure.subplots(1, 2)
    looks = {"ms": 10, "mfc": "none", "mec": "black", "mew": 1}
    for panel, W, title, largest in (
        (axes[0], W_in[:, order], "input weights, rescaled", 1.0),
        (axes[1], W_out[order].T, "output weights", limit),
    ):
        image = panel.imshow(W, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
        bar = figure.colorbar(image, ax=panel, extend="both" if limit > 1 else "neither")
        bar.ax.tick_params(labelsize=7)
        panel.set_title(title, fontsize=8)
        panel.set_xlabel("neuron", fontsize=8)
        panel.tick_params(labelsize=7)
        for edge in (panel.xaxis, panel.yaxis):
            edge.set_major_locator(MaxNLocator(6, integer=True))
    axes[0].set_ylabel("feature", fontsize=8)
    place = np.argsort(order)
    for j, a, b in marks:
        active = np.maximum(np.sign(W_in[a, j]) * W_in[a], 0)
        k = int((active * W_out[:, b]).argmin())
        for panel, at in zip(axes, (a, b), strict=True):
            panel.plot([place[j]] * 2, [a, b], "s", **looks)
            panel.plot(place[k], at, "o", **looks)
    figure.suptitle(style.coordinate("density", float(model["density"])), fontsize=9)
    return figure


def example(ds: xr.Dataset) -> tuple[xr.Dataset, list[tuple[int, int, int]]]:
    """The model of lowest loss that has a motif, at the highest density that has any."""
    for k in range(ds.sizes["density"]):
        cell = ds.isel(density=k)
        found = motifs_of(cell)
        for s in np.argsort(cell["loss"].values):
            if found[s]:
                return cell.isel(seed=int(s)), found[s]
    return js.best_seed(ds).isel(density=0), []

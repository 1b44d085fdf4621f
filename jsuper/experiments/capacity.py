r"""How is capacity allocated, and when is a neuron polysemantic?

Scherlis et al. 2022, "Polysemanticity and Capacity in Neural Networks" (arXiv 2210.01892):
features compete for capacity, $0 \le C_i \le 1$ and $\sum_i C_i \le m$. A quadratic toy
model, whose loss is known exactly, gives capacity to a feature until its marginal value is
that of the others; with two features and one neuron the neuron is polysemantic where the
kurtosis of the features exceeds $1 + 2 \max(a/b, b/a)$. `jsuper.theory.capacity` has the
closed forms. Here models minimise that exact loss from random weights, by the same
trainer as everything else: a task is any pytree with ``init`` and ``loss``. Grid, number
of seeds, sizes beyond two features and the recipe are ours.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike
from matplotlib.axis import Axis
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import jsuper as js
from jsuper.experiments.outcome import Experiment, Finding, Outcome
from jsuper.plots import style
from jsuper.pytrees import pytree, static
from jsuper.theory.capacity import (
    capacity_loss,
    marginal_value,
    optimal_capacities,
    polysemantic_kurtosis,
    quadratic_loss,
)

RATIOS = (0.1, 10.0)
KURTOSES = (1.5, 50.0)
KURTOSIS_TICKS = [2, 3, 5, 10, 20, 50]
MANY, NEURONS, DECAY = 6, 2, 0.8
"""Six features of coefficients 0.8^i in two neurons."""


@pytree
class QuadraticTask:
    r"""Learns $\sum_i v_i x_i^2$ as $\sum_h (W^\top x)_h^2$, by its exact loss.

    Args:
        n_features: Number of features.
        n_hidden: Number of neurons.
        coefficients: $v$, shape (n_features,).
        kurtosis: Fourth moment of every feature.
    """

    n_features: int = static()
    n_hidden: int = static()
    coefficients: ArrayLike
    kurtosis: ArrayLike

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the axes of each parameter."""
        return {"W": ("feature", "hidden")}

    def init(self, key: jax.Array) -> dict[str, jax.Array]:
        """Draws normal weights."""
        shape = (self.n_features, self.n_hidden)
        return {"W": jax.random.normal(key, shape) / jnp.sqrt(self.n_features)}

    def loss(self, params: dict, key: jax.Array, batch_size: int) -> jax.Array:
        """Returns the loss over the distribution itself: no batch is drawn."""
        del key, batch_size
        return quadratic_loss(params["W"], self.coefficients, self.kurtosis)


def pair(kurtosis, ratio) -> QuadraticTask:
    """Two features in one neuron, the second ``ratio`` times as important."""
    return QuadraticTask(2, 1, jnp.append(1.0, ratio), kurtosis)


def many(kurtosis) -> QuadraticTask:
    """More features than neurons, of falling importance."""
    return QuadraticTask(MANY, NEURONS, js.geometric_importance(MANY, DECAY), kurtosis)


def train(build, axes, steps: int) -> xr.Dataset:
    """Trains a grid; adds the capacity of every feature."""
    # Nothing is sampled, so one "batch" says the loss.
    adam = js.decaying_adam(steps, 3e-2)
    recipe = js.Recipe(steps, 1, adam, log_every=steps // 20, eval_batches=1)
    ds = js.sweep(build, axes, recipe, key=jax.random.key(0))
    ds["kurtosis"].attrs["long_name"] = "kurtosis of the features"
    capacity = np.asarray(js.feature_dimensionality(ds["W"].values))
    return ds.assign(capacity=(ds["W"].dims[:-1], capacity, {"long_name": "capacity"}))


def predicted(ds: xr.Dataset) -> xr.Dataset:
    """Capacities and loss of the best weights there are."""
    if "ratio" in ds.dims:
        k, r = xr.broadcast(ds["kurtosis"], ds["ratio"])
        v = np.stack([np.ones(r.shape), r.values], -1)
    else:
        k, v = ds["kurtosis"], DECAY ** np.arange(MANY)
    capacity = optimal_capacities(v, k.values, ds.sizes["hidden"])
    loss = capacity_loss(capacity, v, k.values[..., None]).sum(-1)
    return xr.Dataset(
        {"capacity": ((*k.dims, "feature"), capacity), "loss": (k.dims, loss)}
    )


def marginal_values(ds: xr.Dataset) -> xr.DataArray:
    """What each feature of a model gains from more capacity, relative to the first."""
    v = DECAY ** np.arange(MANY)
    values = marginal_value(
        np.clip(ds["capacity"].values, 0, 1), v, ds["kurtosis"].values[:, None]
    )
    return ds["capacity"].copy(data=values / values[:, :1])


def phase_diagram(ds: xr.Dataset) -> list[Finding]:
    """Compares two features in one neuron with the closed form."""
    best, theory = js.best_seed(ds), predicted(ds)
    k, r = xr.broadcast(ds["kurtosis"], ds["ratio"])
    boundary = k.copy(data=polysemantic_kurtosis(r.values))
    shared = (best["capacity"] > 1e-3).all("feature")
    right = shared == (k > boundary)
    clear = np.abs(np.log10(k / boundary)) > 0.02
    error = abs(best["capacity"] - theory["capacity"]).max("feature")
    excess = ds["loss"] / theory["loss"] - 1
    reached = (excess < 1e-3).mean("seed")
    total = float(abs(best["capacity"].sum("feature") - 1).max())
    return [
        Finding(
            "two features share a neuron where the kurtosis exceeds 1 + 2 max(a/b, b/a)",
            f"true of the best of {ds.sizes['seed']} seeds in {float(right.mean()):.1%} of "
            f"{right.size} cells, {float(right.where(clear).mean()):.1%} of those further "
            f"than 0.02 decades from the boundary; {float(reached.mean()):.1%} of single "
            f"seeds reach the best loss (least in a cell {float(reached.min()):.0%})",
            float(right.where(clear).mean()) >= 0.99,
        ),
        Finding(
            "capacities follow the closed form, continuous across the boundary",
            f"capacities differ by at most {float(error.max()):.0e}, the loss of the best "
            f"seed by at most {float(excess.min('seed').max()):.0e} of it",
            float(error.max()) < 0.02,
        ),
        Finding(
            "capacities add up to the number of neurons",
            f"to 1, up to {total:.0e}, in the best model of every cell",
            total < 1e-3,
        ),
    ]


def allocation(ds: xr.Dataset) -> Finding:
    """Checks the marginal-value rule with more features and neurons."""
    best, theory = js.best_seed(ds), predicted(ds)
    error = abs(best["capacity"] - theory["capacity"]).max("feature")
    inside = (best["capacity"] > 0.01) & (best["capacity"] < 0.99)
    values = marginal_values(best) * marginal_value(
        np.clip(best["capacity"].values[:, :1], 0, 1), 1.0, best["kurtosis"].values[:, None]
    )
    among = values.where(inside)
    spread = (among.max("feature") / among.min("feature") - 1).fillna(0.0)
    out = values.where(best["capacity"] <= 0.01).max("feature") / among.min("feature")
    excess = float((ds["loss"].min("seed") / theory["loss"] - 1).max())
    several = int((inside.sum("feature") > 1).sum())
    return Finding(
        "marginal values are equal among features with capacity between 0 and 1",
        f"{MANY} features, {NEURONS} neurons, {several} of {best.sizes['kurtosis']} "
        f"kurtoses with several such features: marginal values differ by at most "
        f"{float(spread.max()):.0e} of themselves, those of features left out are at most "
        f"{float(out.max()):.3f} times as large; capacities within "
        f"{float(error.max()):.0e} of the rule's, the loss within {excess:.0e} of it",
        float(spread.max()) < 0.05 and float(error.max()) < 0.02,
    )


def name_ticks(axis: Axis, values: Sequence[float]) -> None:
    """Puts plain numbers along a logarithmic axis."""
    axis.set_ticks(values, [style.number(value) for value in values])
    axis.set_minor_formatter(NullFormatter())


def draw_diagram(ds: xr.Dataset) -> Figure:
    """The second feature's capacity, closed form beside trained models."""
    figure, panels = style.panel_grid(1, 2, 3.4, 3.0, sharex=True, sharey=True)
    maps = {
        "closed form": predicted(ds),
        f"trained, best of {ds.sizes['seed']} seeds": js.best_seed(ds),
    }
    ratio = np.geomspace(*RATIOS, 400)
    for panel, (title, one) in zip(panels[0], maps.items(), strict=True):
        capacity = one["capacity"].isel(feature=1).transpose("kurtosis", "ratio")
        x_scale, x = style.cell_edges(ds["ratio"].values)
        y_scale, y = style.cell_edges(ds["kurtosis"].values)
        panel.pcolormesh(
            x, y, capacity.values, cmap="cividis", norm=Normalize(0, 1), rasterized=True
        )
        for color, width in (("black", 2.6), ("white", 1.2)):
            panel.plot(ratio, polysemantic_kurtosis(ratio), color=color, linewidth=width)
        panel.set(xscale=x_scale, yscale=y_scale, xlim=RATIOS, ylim=KURTOSES)
        name_ticks(panel.xaxis, [0.1, 0.2, 0.5, 1, 2, 5, 10])
        name_ticks(panel.yaxis, KURTOSIS_TICKS)
        panel.set_title(title, fontsize=9)
        panel.set_xlabel("importance of the second feature, b / a", fontsize=8)
        panel.tick_params(labelsize=7)
    names = {"first\nalone": (0.2, 2.8, "white"), "second\nalone": (5.0, 2.8, "black")}
    names["both (polysemantic)"] = (1.0, 15.0, "white")
    for text, (x, y, color) in names.items():
        panels[0, 0].text(x, y, text, color=color, fontsize=7, ha="center", va="center")
    panels[0, 0].set_ylabel("kurtosis of the features", fontsize=8)
    label = "capacity of the second feature"
    style.colorbar(figure, panels, Normalize(0, 1), "cividis", label)
    return figure


def draw_allocation(ds: xr.Dataset) -> Figure:
    """Capacities and marginal values along kurtosis."""
    figure, panels = style.panel_grid(1, 2, 3.6, 3.0, sharex=True)
    left, right = panels[0]
    fine = np.geomspace(*KURTOSES, 400)
    v = DECAY ** np.arange(MANY)
    curves = optimal_capacities(v, fine, NEURONS)
    best = js.best_seed(ds)
    relative = marginal_values(best)
    for i, color in enumerate(style.SEQUENTIAL.reversed()(np.linspace(0, 0.95, MANY))):
        left.plot(fine, curves[:, i], color=color, linewidth=1)
        marks = {"color": color, "markersize": 3.5, "linestyle": "none"}
        label = f"{v[i]:.2g}"
        left.plot(ds["kurtosis"], best["capacity"][:, i], "o", label=label, **marks)
        absolute = marginal_value(curves[:, i], v[i], fine)
        first = marginal_value(curves[:, 0], v[0], fine)
        right.plot(fine, absolute / first, color=color, linewidth=1)
        right.plot(ds["kurtosis"], relative[:, i], "o", **marks)
    left.set(xscale="log", ylabel="capacity", ylim=(-0.04, 1.04))
    right.set(yscale="log", ylabel="marginal value of capacity\nrelative to the first's")
    for panel in (left, right):
        name_ticks(panel.xaxis, KURTOSIS_TICKS)
        panel.set_xlabel("kurtosis of the features", fontsize=8)
        panel.yaxis.label.set_size(8)
        panel.tick_params(labelsize=7)
    figure.legend(
        *left.get_legend_handles_labels(),
        title="importance",
        title_fontsize=7,
        fontsize=7,
        loc="outside right center",
    )
    return figure


def run(quick: bool = False) -> Outcome:
    """Trains the phase diagram and the larger models, and compares."""
    # Even sizes: at equal importance a monosemantic neuron may take either feature.
    size, seeds, steps = (12, 6, 800) if quick else (40, 10, 3_000)
    points = 12 if quick else 40
    two = train(
        pair,
        {
            "kurtosis": np.geomspace(*KURTOSES, size),
            "ratio": np.geomspace(*RATIOS, size),
            "seed": seeds,
        },
        steps,
    )
    six = train(
        many,
        {"kurtosis": np.geomspace(*KURTOSES, points), "seed": 4 * seeds},
        steps,
    )
    return Outcome(
        [*phase_diagram(two), allocation(six)],
        {"phase_diagram": draw_diagram(two), "allocation": draw_allocation(six)},
        {"two_features": two, "six_features": six},
    )


EXPERIMENT = Experiment(
    title="Capacity and polysemantic neurons",
    source="Scherlis et al. 2022, Polysemanticity and Capacity in Neural Networks",
    minutes=0.2,
    run=run,
)

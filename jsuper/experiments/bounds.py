r"""How much superposition pays, and how much of it there can be: four limits.

Elhage et al. 2022, "The Strategic Picture of Superposition", "The Geometry of
Superposition" and the appendix on compressed sensing. (a) An L1 penalty on the hidden
activations is to remove superposition, at a cost in loss. (b) Feature dimensionalities sum
to at most m, and to m when packed efficiently. (c) Interference stays above the bound of
Welch 1974. (d) By compressed sensing the features in m dimensions are at most linear in
m, by a factor that sparsity sets, $-1 / (p \log p)$ up to a constant.

The paper gives no sizes and no numbers for any of these. Ours: for (a) 20 features of
importance $0.7^i$ in 5 dimensions, 13 weights of the penalty; for (b) to (d) models of m =
2, 5 and 10 dimensions with 30 times as many features of importance 1, 9 densities; 4 seeds.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

import jsuper as js
from jsuper.experiments.outcome import Experiment, Finding, Outcome
from jsuper.plots import style
from jsuper.plots.style import Figure
from jsuper.theory import bounds

PENALTIES = [0, 0.003, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0]

FEATURES_PER_DIMENSION = 30
"""n / m of the models held against the bounds: more than any of them represents."""

LOOKS = (("blue", "o"), ("vermilion", "s"), ("green", "^"))


def penalised_task(density, l1) -> js.Task:
    """20 features of importance 0.7^i in 5 dimensions, with an L1 penalty."""
    importance = js.geometric_importance(20, 0.7)
    return js.Task(js.SparseFeatures(20, density), js.ToyModel(20, 5), importance, l1=l1)


def penalised(densities, penalties, seeds: int, steps: int) -> xr.Dataset:
    """Models over densities and penalties, with ``reconstruction_loss`` beside ``loss``.

    The first is measured without the penalty, on data of its own.
    """
    recipe = js.Recipe(steps=steps, optimizer=js.decaying_adam(steps))
    axes = {"density": densities, "l1": penalties, "seed": seeds}
    ds = js.measure(js.sweep(penalised_task, axes, recipe, key=jax.random.key(0)))
    p = np.repeat(ds["density"].values, ds.sizes["l1"])
    tasks = jax.vmap(lambda density: penalised_task(density, None))(jnp.asarray(p))
    shape = ds["loss"].shape
    params = {name: ds[name].values for name in ("W", "b")}
    params = jax.tree.map(lambda a: jnp.reshape(a, (-1, *a.shape[2:])), params)
    keys = jax.random.split(jax.random.key(1), seeds)
    loss = js.evaluate(tasks, keys, params, 1024, 32)
    return ds.assign(reconstruction_loss=(ds["loss"].dims, np.reshape(loss, shape)))


def packed_task(density, n_hidden: int) -> js.Task:
    """30 features of importance 1 for every hidden dimension."""
    n = FEATURES_PER_DIMENSION * n_hidden
    return js.Task(js.SparseFeatures(n, density), js.ToyModel(n, n_hidden))


def packed(n_hidden: int, densities, seeds: int, steps: int) -> xr.Dataset:
    """Models of one size over densities, with what the bounds are about.

    Adds ``packing``, the sum of dimensionalities over m; of the features represented the
    ``largest`` and ``typical`` (root-mean-square) interference of unit vectors and
    Welch's bound ``welch``, NaN where at most m are represented; and their number per
    dimension, ``represented_per_dimension``.
    """
    build = functools.partial(packed_task, n_hidden=n_hidden)
    recipe = js.Recipe(steps=steps, optimizer=js.decaying_adam(steps))
    axes = {"density": densities, "seed": seeds}
    ds = js.measure(js.sweep(build, axes, recipe, key=jax.random.key(2)))
    interference = np.full((3, *ds["loss"].shape), np.nan)
    for cell in np.ndindex(ds["loss"].shape):
        W = ds["W"].values[cell]
        W = W[np.asarray(js.is_represented(W))]
        if len(W) > n_hidden:
            interference[:, *cell] = [
                *bounds.coherence(W),
                bounds.welch_bound(len(W), n_hidden),
            ]
    dims = ds["loss"].dims
    return ds.assign(
        packing=ds["dimensionality"].sum("feature") / n_hidden,
        represented_per_dimension=ds["represented"] / n_hidden,
        largest=(dims, interference[0]),
        typical=(dims, interference[1]),
        welch=(dims, interference[2]),
    )


def together(parts: list[xr.Dataset]) -> xr.Dataset:
    """What there is one of per model, of models of several sizes, along ``n_hidden``."""
    names = [
        *("packing", "represented_per_dimension", "features_per_dimension"),
        *("largest", "typical", "welch"),
    ]
    columns = [ds[names].expand_dims(n_hidden=[ds.sizes["hidden"]]) for ds in parts]
    return xr.concat(columns, "n_hidden", combine_attrs="drop")


def sensing_constant(ds: xr.Dataset) -> float:
    """The largest C for which m >= -C n p log p holds of every trained model.

    With n the number of features represented; the bound leaves C open.
    """
    needed = bounds.recovery_dimensions(
        ds["represented_per_dimension"].transpose(..., "density"), ds["density"]
    )
    return float(1 / needed.max())


def sensing_ratio(ds: xr.Dataset) -> xr.DataArray:
    """-(n/m) p log p over densities below 1, mean over seeds: constant on the curve."""
    ds = ds.sel(density=slice(0.99, None))
    p = ds["density"]
    return (ds["represented_per_dimension"] * -p * np.log(p)).mean("seed")


def free_of_superposition(ds: xr.Dataset) -> xr.DataArray:
    """The smallest penalty from which on no model superposes features; else infinite.

    Along what remains beside ``l1`` and ``seed``.
    """
    dirty = (ds["superposed"] > 0).any("seed")
    # Penalties ascend: dirty anywhere at or above makes a penalty dirty.
    at_or_above = dirty.isel(l1=slice(None, None, -1)).cumsum("l1") > 0
    clean = ~at_or_above.assign_coords(l1=dirty["l1"].values[::-1])
    return xr.where(clean, clean["l1"], np.inf).min("l1")


def draw_penalty(ds: xr.Dataset) -> Figure:
    """What the penalty leaves, and what it costs."""
    figure = Figure(figsize=(7.4, 3.3), layout="constrained")
    left, paid = figure.subplots(1, 2)
    x = ds["l1"].values
    cost = ds["reconstruction_loss"] / ds["reconstruction_loss"].sel(l1=0).mean("seed")
    for density, (name, marker) in zip(ds["density"].values, LOOKS, strict=False):
        color, label = style.PALETTE[name], f"density {style.number(density)}"
        look = {"marker": marker, "ms": 3, "lw": 1.2, "color": color}
        superposed, represented = (
            ds[name].sel(density=density) for name in ("superposed", "represented")
        )
        for panel, y in ((left, superposed), (paid, cost.sel(density=density))):
            low, high = y.min("seed"), y.max("seed")
            panel.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
            panel.plot(x, y.mean("seed"), **look, label=label)
        left.plot(x, represented.mean("seed"), ":", **look)
    left.axhline(ds.sizes["hidden"], color="0.6", linewidth=0.8, linestyle="--")
    left.plot([], [], ":", color="0.3", label="represented")
    left.plot([], [], "-", color="0.3", label="superposed")
    left.legend(fontsize=7, loc="upper right")
    left.set_ylim(top=left.get_ylim()[1] * 1.3)
    left.yaxis.set_major_locator(MaxNLocator(integer=True))
    left.set_ylabel("features", fontsize=8)
    paid.set_yscale("log", base=2)
    paid.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    paid.set_ylabel("loss without the penalty, relative to λ = 0", fontsize=8)
    for panel in (left, paid):
        panel.set_xlabel("weight λ of the L1 penalty", fontsize=8)
        panel.set_xscale("symlog", linthresh=0.003, linscale=0.5)
        panel.set_xlim(left=-3e-4)
        panel.set_xticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
        panel.set_xticks([], minor=True)
        panel.tick_params(labelsize=7)
    return figure


def draw_packing(ds: xr.Dataset) -> Figure:
    """Sum of dimensionalities against m, and interference against Welch's bound."""
    figure = Figure(figsize=(7.4, 3.3), layout="constrained")
    packing, welch = figure.subplots(1, 2)
    x = 1 / ds["density"].values
    for m, (name, marker) in zip(ds["n_hidden"].values, LOOKS, strict=False):
        cell, color = ds.sel(n_hidden=m), style.PALETTE[name]
        y = cell["packing"]
        low, high = y.min("seed"), y.max("seed")
        packing.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
        packing.plot(
            x, y.mean("seed"), marker=marker, ms=3.5, color=color, label=f"m = {m}"
        )
        bound = cell["welch"].values.ravel()
        for what, fill in (("typical", color), ("largest", "none")):
            welch.plot(
                bound, cell[what].values.ravel(), marker, ms=4, color=color,
                markerfacecolor=fill, markeredgewidth=0.8, linestyle="none",
            )  # fmt: skip
    packing.axhline(1, color="0.4", linewidth=1, linestyle="--")
    room = 1 - float(ds["packing"].min())
    packing.set(xscale="log", ylim=(1 - 1.4 * room, 1 + 0.15 * room))
    packing.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    packing.set_xlabel("1 / density", fontsize=8)
    packing.set_ylabel("sum of dimensionalities $\\Sigma_i D_i / m$", fontsize=8)
    packing.legend(fontsize=7, loc="lower left")
    most = float(ds["welch"].max()) * 1.08
    welch.plot([0, most], [0, most], color="0.4", linewidth=1, linestyle="--")
    welch.set(ylim=(0, 1.06), xlim=(0, most))
    welch.plot([], [], "o", ms=4, color="0.3", mfc="none", label="largest")
    welch.plot([], [], "o", ms=4, color="0.3", label="root mean square")
    title = "$|\\hat W_i \\cdot \\hat W_j|$"
    welch.legend(fontsize=7, loc="lower right", title=title, title_fontsize=7)
    welch.set_xlabel("Welch's bound for the features represented", fontsize=8)
    welch.set_ylabel("interference of unit vectors", fontsize=8)
    for panel in (packing, welch):
        panel.tick_params(labelsize=7)
    return figure


def draw_sensing(ds: xr.Dataset) -> Figure:
    """Features per dimension against density, with the bound of compressed sensing."""
    figure = Figure(figsize=(4.6, 3.6), layout="constrained")
    panel = figure.subplots()
    for m, (name, marker) in zip(ds["n_hidden"].values, LOOKS, strict=False):
        y, color = ds["represented_per_dimension"].sel(n_hidden=m), style.PALETTE[name]
        x = 1 / ds["density"].values
        low, high = y.min("seed"), y.max("seed")
        panel.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
        label = f"trained, m = {m}"
        panel.plot(x, y.mean("seed"), marker=marker, ms=3.5, color=color, label=label)
    c = sensing_constant(ds)
    p = np.geomspace(float(ds["density"].min()), np.exp(-1), 200)
    curve = 1 / (c * bounds.recovery_dimensions(1, p))
    panel.plot(
        1 / p, curve, "--", color="0.3", label=f"$-1 / (C\\,p \\log p)$, C = {c:.2f}"
    )
    panel.set(xscale="log", yscale="log")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panel.set_xlabel("1 / density", fontsize=8)
    panel.set_ylabel("features represented per dimension", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.legend(fontsize=7, loc="upper left")
    return figure


def penalty_findings(ds: xr.Dataset) -> list[Finding]:
    """What the penalty does to superposition, and to the loss."""
    penalty = free_of_superposition(ds)
    cost = ds["reconstruction_loss"] / ds["reconstruction_loss"].sel(l1=0).mean("seed")
    removed, paid, useful, risen = [], [], [], []
    for density in ds["density"].values:
        cell, least = ds.sel(density=density), float(penalty.sel(density=density))
        name = f"density {style.number(density)}"
        if not np.isfinite(least):
            removed.append(f"no λ up to {float(ds['l1'].max()):g} ({name})")
            useful.append(False)
            continue
        left, price = cell["represented"].sel(l1=least), cost.sel(density=density, l1=least)
        before = float(cell["superposed"].sel(l1=0).mean())
        removed.append(
            f"λ = {least:g}, where {float(left.mean()):.1f} ± {float(left.std()):.1f} "
            f"features are left and {before:.1f} were superposed without it ({name})"
        )
        useful.append(float(left.min()) >= 1)
        paid.append(f"× {float(price.mean()):.1f} ± {float(price.std()):.1f} ({name})")
        risen.append(float(price.min()) > 1)
    return [
        Finding(
            "an L1 penalty on the hidden activations removes superposition",
            "no seed superposes features from " + "; ".join(removed),
            all(useful),
        ),
        Finding(
            "at a cost in loss",
            "loss there, without the penalty itself, " + "; ".join(paid),
            bool(risen) and all(risen),
        ),
    ]


def bound_findings(ds: xr.Dataset) -> list[Finding]:
    """Trained models against the three bounds."""
    packing = ds["packing"]
    above = ds["typical"] / ds["welch"]
    peak = ds["largest"] / ds["welch"]
    each = ds["represented_per_dimension"].mean("seed")
    # A statement about many dimensions: the two largest sizes decide.
    sparse = each.where(each["density"] <= 0.2, drop=True)
    smallest, large = ds["n_hidden"].values[0], sparse.isel(n_hidden=slice(-2, None))
    spread = float((large.max("n_hidden") / large.min("n_hidden")).max())
    ratio = sensing_ratio(ds)
    below = ratio.where(ratio["density"] <= np.exp(-1), drop=True)
    factor = below.max("density") / below.min("density")
    near = float((above < 1.01).sum() / above.notnull().sum())
    return [
        Finding(
            "dimensionalities sum to at most m",
            f"largest sum of {packing.size} models {float(packing.max()):.5f} m",
            bool(packing.max() < 1 + 1e-4),
        ),
        Finding(
            "and to m when packed efficiently",
            f"median {float(packing.median()):.3f} m, half of the models from "
            f"{float(packing.quantile(0.25)):.3f} to {float(packing.quantile(0.75)):.3f}, "
            f"least {float(packing.min()):.3f}",
            bool(packing.median() > 0.95),
        ),
        Finding(
            "interference is at least Welch's bound (Welch 1974)",
            f"root mean square from {float(above.min()):.4f} times the bound (within 1 % "
            f"of it in {near:.0%} of the models, at most {float(above.max()):.2f} times), "
            f"largest pair from {float(peak.min()):.1f} to {float(peak.max()):.1f} times",
            bool(above.min() > 1 - 1e-5),
        ),
        Finding(
            "the number of features is linear in the dimensions",
            f"at densities of 0.2 and below features per dimension at m = "
            f"{' and '.join(str(m) for m in large['n_hidden'].values)} differ by a factor "
            f"of at most {spread:.2f}; at m = {smallest} they reach "
            f"{float(each.isel(n_hidden=0).max()):.1f}, at m = "
            f"{large['n_hidden'].values[-1]} {float(each.isel(n_hidden=-1).max()):.1f}",
            spread < 1.5,
        ),
        Finding(
            "modulated by sparsity, at most of the order of -1 / (p log p)",
            f"all models obey m ≥ C n p log(1/p) with C = {sensing_constant(ds):.2f}; over "
            f"densities below 1/e, -n p log(p) / m varies by a factor of "
            + ", ".join(
                f"{float(r):.2f} (m = {m})"
                for m, r in zip(ds["n_hidden"].values, factor.values, strict=True)
            ),
            float(factor.isel(n_hidden=-1)) < 2,
        ),
    ]


def run(quick: bool = False) -> Outcome:
    """Trains, measures, draws."""
    if quick:
        l1 = penalised([0.1], [0, 0.05, 0.5], seeds=2, steps=500)
        sizes, densities, seeds, steps = (4, 8), js.log_densities(4, 0.03), 2, 600
    else:
        l1 = penalised([0.3, 0.1, 0.03], PENALTIES, seeds=4, steps=1500)
        sizes, densities, seeds, steps = (2, 5, 10), js.log_densities(9, 0.01), 4, 2500
    parts = [packed(m, densities, seeds, steps) for m in sizes]
    all_sizes = together(parts)
    return Outcome(
        penalty_findings(l1) + bound_findings(all_sizes),
        {
            "l1-penalty": draw_penalty(l1),
            "packing": draw_packing(all_sizes),
            "sensing": draw_sensing(all_sizes),
        },
        {
            "l1-penalty": l1,
            **{f"packing-{m}": ds for m, ds in zip(sizes, parts, strict=True)},
        },
    )


EXPERIMENT = Experiment(
    title="An L1 penalty, and bounds on superposition",
    source='"The Strategic Picture of Superposition"',
    minutes=2.1,
    run=run,
)

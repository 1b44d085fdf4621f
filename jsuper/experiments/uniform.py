r"""At which fractions of a dimension do equal features settle, and as which polytopes?

Elhage et al. 2022, "The Geometry of Superposition", section "Uniform Superposition":
n = 400 features of importance 1 in m = 30 dimensions, the density swept; the paper plots
the hidden dimensions per feature $D^* = m / \lVert W \rVert_F^2$ and the dimensionality of
every feature against 1 / density, and draws features as graphs. It says that n and m do
not matter as long as n is much larger than m; so the official notebook's n = 200, m = 20
is trained besides. Neither training hyperparameters nor densities are stated; they are
ours.

A block counts as a polytope if its Gram matrix is within 0.1 (root mean square) of the
ideal one. Interference below a cosine of 0.2 does not connect features: negative biases
hide a little of it, and among sparse features hardly any two are exactly orthogonal.
"""

from collections import Counter
from collections.abc import Sequence

import jax
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.outcome import Experiment, Finding, Outcome
from jsuper.plots import FRACTIONS, style
from jsuper.plots.graphs import color, feature_graphs
from jsuper.plots.style import Figure
from jsuper.polytopes.naming import count_polytopes, feature_polytopes, identify

BAND = 0.05  # relative distance from a height that counts as on its plateau
NAMED = [name for name in FRACTIONS if name != "dedicated"]
MIDDLE = (1.8, 4.5)  # range of 1 / density where polytopes are the rule
SHOWN = (1.6, 2.8, 4.2, 5.0)  # values of 1 / density whose features are drawn


def sweep(
    n_features: int,
    n_hidden: int,
    densities: Sequence[float] | np.ndarray,
    n_seeds: int,
    steps: int,
    batch_size: int,
) -> xr.Dataset:
    """Trains models of equal features, one for each density and seed, and measures them."""

    def task(density):
        return js.Task(
            js.SparseFeatures(n_features, density), js.ToyModel(n_features, n_hidden)
        )

    recipe = js.Recipe(steps, batch_size, js.decaying_adam(steps, 1e-2), eval_batches=16)
    axes = {"density": densities, "seed": n_seeds}
    ds = js.measure(js.sweep(task, axes, recipe, key=jax.random.key(0)))
    return ds.assign(polytope=feature_polytopes(ds))


def dimensions_per_feature(ds: xr.Dataset) -> xr.DataArray:
    """D* of every model."""
    return 1 / ds["features_per_dimension"]


def stay(ds: xr.Dataset, height: float) -> tuple[float, float, float]:
    """How long D* stays within `BAND` of a height as the density falls.

    Returns:
        The length, in units of ln(1 / density), and the first and last 1 / density of it.
    """
    x = np.log(1 / ds["density"].values)
    y = np.log(dimensions_per_feature(ds).mean("seed").values)
    fine = np.linspace(x[0], x[-1], 4001)
    on = np.abs(np.interp(fine, x, y) - np.log(height)) <= np.log1p(BAND)
    if not on.any():
        return 0.0, np.nan, np.nan
    first, last = np.exp(fine[on][[0, -1]])
    return float(on.mean() * (x[-1] - x[0])), float(first), float(last)


def stay_elsewhere(ds: xr.Dataset) -> float:
    """Median of `stay` over heights away from 1 and 1/2 that D* passes through."""
    lowest = float(dimensions_per_feature(ds).min())
    heights = np.geomspace(lowest * (1 + BAND), 0.85, 60)
    heights = heights[np.abs(np.log(heights / 0.5)) > 3 * BAND]
    return float(np.median([stay(ds, height)[0] for height in heights]))


def unnamed_blocks(ds: xr.Dataset) -> Counter:
    """Counts blocks of no known shape, by number of features and dimensions."""
    W = ds["W"].stack(model=("density", "seed")).transpose("model", "feature", "hidden")
    return Counter(
        (len(block.features), block.n_hidden)
        for model in W.values
        for block in identify(model)
        if block.name == "unknown" and len(block.features) > 3
    )


def block_balance(ds: xr.Dataset) -> tuple[float, int]:
    """Mean distance of ΣD_i from the dimensions of named blocks, and their number."""
    differences = [
        abs(block.dimensionality - block.n_hidden)
        for model in ds["W"].stack(model=("density", "seed")).transpose("model", ...).values
        for block in identify(model)
        if block.name != "unknown"
    ]
    return float(np.mean(differences)), len(differences)


def find(large: xr.Dataset, small: xr.Dataset) -> list[Finding]:
    """The paper's statements beside what the models show."""
    findings = []
    elsewhere = stay_elsewhere(large)
    for height, name in ((1.0, "1"), (0.5, "1/2")):
        length, first, last = stay(large, height)
        other = stay(small, height)[0]
        findings.append(
            Finding(
                f"D* is sticky at {name}",
                f"within {100 * BAND:.0f}% of {name} from 1/density {first:.2f} to "
                f"{last:.2f}, a length of {length:.2f} in ln(1/density) ({other:.2f} in "
                f"the smaller models); other heights hold it for {elsewhere:.2f} (median)",
                length > 2 * elsewhere,
            )
        )

    # Where most features are represented, n is no longer much larger than what is stored.
    few = small["represented"].mean("seed") < small.sizes["feature"] / 2
    shared = np.intersect1d(large["density"], small["density"][few])
    ratio = dimensions_per_feature(small).sel(density=shared).mean("seed")
    ratio = ratio / dimensions_per_feature(large).sel(density=shared).mean("seed")
    differs = abs(ratio - 1)
    worst = float(differs.max())
    findings.append(
        Finding(
            "n and m do not matter as long as n is much larger than m",
            f"D* of n = {small.sizes['feature']}, m = {small.sizes['hidden']} differs by "
            f"{100 * float(differs.median()):.1f}% (median) and at most "
            f"{100 * worst:.0f}% from that of n = {large.sizes['feature']}, "
            f"m = {large.sizes['hidden']}",
            worst < 0.15,
        )
    )

    names, numbers = np.unique(
        np.concatenate([ds["polytope"].values.ravel() for ds in (large, small)]),
        return_counts=True,
    )
    counts = {name: dict(zip(names, numbers, strict=True)).get(name, 0) for name in NAMED}
    (k, d), times = unnamed_blocks(large).most_common(1)[0]
    findings.append(
        Finding(
            "features form tetrahedra, triangles, digons, pentagons and square antiprisms",
            "features found in each, all models together: "
            + ", ".join(f"{name} {count}" for name, count in counts.items())
            + f"; the commonest block of no known shape has {k} features in {d} dimensions "
            f"({times} times)",
            min(counts.values()) > 0,
        )
    )

    lines = large["polytope"].isin(NAMED)
    ideal = xr.apply_ufunc(
        lambda name: FRACTIONS.get(name, np.nan), large["polytope"], vectorize=True
    )
    off = abs(large["dimensionality"] - ideal).where(lines)
    share, inverse = recognised_share(large), 1 / large["density"]
    first, last = MIDDLE
    dense, middle, sparse = (
        float(share[part].mean())
        for part in (
            inverse < first,
            (inverse >= first) & (inverse <= last),
            inverse > last,
        )
    )
    findings.append(
        Finding(
            "their dimensionalities lie on the lines of the polytopes",
            f"of represented features {100 * middle:.0f}% belong to a polytope between "
            f"1/density {first} and {last} ({100 * dense:.0f}% before, {100 * sparse:.0f}% "
            f"beyond), with D within {float(off.median()):.3f} of its fraction (median), "
            f"nine tenths within {float(off.quantile(0.9)):.3f}",
            middle > 0.5 and float(off.median()) < 0.02,
        )
    )

    difference, number = block_balance(large)
    findings.append(
        Finding(
            "the blocks are tegum factors: what happens in one does not concern the others",
            f"in {number} named blocks the sum of D differs from their dimensions by "
            f"{difference:.3f} (mean)",
            difference < 0.1,
        )
    )
    return findings


def recognised_share(ds: xr.Dataset) -> xr.DataArray:
    """Share of the represented features that belong to a polytope, by density."""
    represented = ds["polytope"] != "not represented"
    named = represented & (ds["polytope"] != "unknown")
    dims = ("seed", "feature")
    return named.sum(dims) / np.maximum(represented.sum(dims), 1)


def draw_plateaus(large: xr.Dataset, small: xr.Dataset) -> Figure:
    """D* and the dimensionality of every feature against 1 / density."""
    figure = Figure(figsize=(7.0, 6.4), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.5))
    for height, text in ((1.0, "1"), (0.5, "1/2")):
        top.axhline(height, color="0.7", linewidth=0.8, zorder=0)
        _, first, last = stay(large, height)
        if np.isfinite(first):
            top.axvspan(first, last, color="0.93", zorder=-1)
            middle = np.sqrt(first * last)
            top.annotate(
                f"within {100 * BAND:.0f}%\nof {text}",
                (middle, 0.06),
                fontsize=7,
                ha="center",
                color="0.35",
            )
    for ds, marker, tint in ((large, "o-", "black"), (small, "x", "vermilion")):
        D = dimensions_per_feature(ds).transpose("density", "seed")
        for i, seed in enumerate(D.T.values):
            top.plot(
                1 / ds["density"],
                seed,
                marker,
                color=style.PALETTE[tint],
                markersize=3.5,
                linewidth=0.9,
                label=None if i else f"n = {ds.sizes['feature']}, m = {ds.sizes['hidden']}",
            )
    top.set(xscale="log", ylabel="$D^* = m / ‖W‖_F^2$", ylim=(0, 1.1))
    top.legend(fontsize=7, loc="upper right")

    x = 1 / large["density"].values
    represented = large["norm"] > 0.5
    order = ["unknown", *[n for n in np.unique(large["polytope"]) if n != "unknown"]]
    n = large.sizes["feature"]
    step = np.diff(np.log(x)).min()
    shift = np.exp(0.35 * step * np.linspace(-1, 1, n))
    for name in order:
        chosen = represented & (large["polytope"] == name)
        D = large["dimensionality"].where(chosen).transpose("density", "seed", "feature")
        if not chosen.any():
            continue
        for seed in range(D.sizes["seed"]):
            bottom.plot(
                (x[:, None] * shift).ravel(),
                D.values[:, seed].ravel(),
                ".",
                color=color(name),
                markersize=2.5,
                alpha=0.6,
                zorder=1 if name == "unknown" else 2,
            )
    for name, height in FRACTIONS.items():
        bottom.axhline(height, color="0.8", linewidth=0.7, zorder=0)
        bottom.annotate(
            name,
            (1.01, height),
            xycoords=("axes fraction", "data"),
            va={"pentagon": "bottom", "square antiprism": "top"}.get(name, "center"),
            fontsize=7,
            color=color(name),
        )
    bottom.set(xlabel="1 / density", ylabel="dimensionality $D_i$", ylim=(0, 1.05))
    bottom.set_xlim(x[0] / 1.05, x[-1] * 1.05)
    ticks = [t for t in (1, 2, 3, 5, 10, 20, 50) if t <= x[-1] * 1.01]
    bottom.set_xticks(ticks, [str(t) for t in ticks])
    bottom.minorticks_off()
    bottom.annotate(
        "grey: in no polytope of the list",
        (0.99, 0.97),
        xycoords="axes fraction",
        ha="right",
        va="top",
        fontsize=7,
        color="0.35",
    )
    return figure


def draw_shares(ds: xr.Dataset) -> Figure:
    """Which polytopes the represented features belong to, by density."""
    counts = count_polytopes(ds["polytope"]).sum("seed")
    represented = counts.drop_sel(polytope="not represented")
    shares = represented / np.maximum(represented.sum("polytope"), 1)
    _, edges = style.cell_edges(1 / ds["density"].values)
    figure = Figure(figsize=(6.6, 3.0), layout="constrained")
    panel = figure.subplots()
    floor = np.zeros(ds.sizes["density"])
    for name in shares["polytope"].values:
        share = shares.sel(polytope=name).values
        panel.bar(
            edges[:-1],
            share,
            np.diff(edges),
            floor,
            align="edge",
            color=color(name),
            edgecolor="white",
            linewidth=0.3,
            label=name,
        )
        floor = floor + share
    panel.set(
        xscale="log",
        xlim=(edges[0], edges[-1]),
        ylim=(0, 1),
        xlabel="1 / density",
        ylabel="share of represented features",
    )
    ticks = [t for t in (1, 2, 3, 5, 10, 20, 50) if t <= edges[-1]]
    panel.set_xticks(ticks, [str(t) for t in ticks])
    panel.minorticks_off()
    panel.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), reverse=True)
    return figure


def draw_graphs(ds: xr.Dataset, inverse_densities: Sequence[float]) -> Figure:
    """The feature graphs of a few densities."""
    cells = ds.sel(density=[1 / x for x in inverse_densities], method="nearest")
    return feature_graphs(cells.isel(seed=0), most=2)


def run(quick: bool = False) -> Outcome:
    """Trains, measures, draws and compares."""
    if quick:
        densities = np.geomspace(1, 1 / 10, 17)
        large = sweep(90, 12, densities, n_seeds=1, steps=1_500, batch_size=512)
        small = sweep(50, 8, densities[::2], n_seeds=1, steps=1_500, batch_size=512)
    else:
        densities = np.concatenate(
            [
                np.geomspace(1, 1 / 1.4, 5),
                np.geomspace(1 / 1.4, 1 / 2, 12)[1:],
                np.geomspace(1 / 2, 1 / 6, 15)[1:],
                np.geomspace(1 / 6, 1 / 50, 7)[1:],
            ]
        )
        large = sweep(400, 30, densities, n_seeds=1, steps=4_000, batch_size=512)
        small = sweep(200, 20, densities[::2], n_seeds=2, steps=4_000, batch_size=512)
    return Outcome(
        findings=find(large, small),
        figures={
            "plateaus": draw_plateaus(large, small),
            "shares": draw_shares(large),
            "graphs": draw_graphs(large, SHOWN),
        },
        datasets={"large": large, "small": small},
    )


EXPERIMENT = Experiment(
    title="Uniform superposition: sticky fractions and polytopes",
    source='"The Geometry of Superposition", section "Uniform Superposition"',
    minutes=2.3,
    run=run,
)

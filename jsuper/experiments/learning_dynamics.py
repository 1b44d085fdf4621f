r"""How do models learn: step by step, or in jumps?

Elhage et al. 2022, "Superposition and Learning Dynamics". First, *energy levels*: one
model of uniform features that all end as digons; the dimensionality of every feature and
the loss along training. The paper's model has n = 400, m = 30; neither its sparsity nor
its training is stated. Ours are smaller (60 features in 10 dimensions, density 1/3, where
digons are the rule) and eight, since late jumps are rare. Second, *geometric
transformations*: n = 6, m = 3 with two correlated sets of three. Density, steps and start
are not stated; small initial weights make the first stages visible.

The rate stays constant here. One that decays would freeze what has yet to jump.
"""

import functools
import itertools

import jax
import numpy as np
import optax
import xarray as xr

import jsuper as js
from jsuper.experiments.outcome import Experiment, Finding, Outcome
from jsuper.plots import style
from jsuper.plots.animation import embedding_motion
from jsuper.plots.style import Figure

N_FEATURES, N_HIDDEN, DENSITY = 60, 10, 1 / 3
LEVELS = (0.0, 0.5, 1.0)
NEAR = 0.03
"""Distance of a dimensionality from a level that counts as on it."""

MOVED = 0.05
"""Change of a dimensionality between two looks that counts as a jump under way."""

SETTLED = 0.2
"""Share of the steps after which models have left the initial transient."""

SET_SIZE, SET_DENSITY = 3, 0.05
STAGES = ("A: near 0", "B: two bunches", "C: opening", "D: octahedron")


def digons(density) -> js.Task:
    """Features of equal importance at a density where they form digons."""
    return js.Task(
        js.SparseFeatures(N_FEATURES, density), js.ToyModel(N_FEATURES, N_HIDDEN)
    )


def two_sets(density) -> js.Task:
    """Two correlated sets of three features in three dimensions."""
    model = js.ToyModel(2 * SET_SIZE, SET_SIZE, init_std=0.1)
    return js.Task(js.CorrelatedFeatures(2, SET_SIZE, density), model)


@functools.cache
def constant_adam(rate: float) -> optax.GradientTransformation:
    """Adam whose rate stays as it is."""
    return optax.adam(rate)


def looks(first: int, last: int, count: int) -> list[int]:
    """Steps at which to look: 0, then evenly in the log."""
    return [0, *np.unique(np.geomspace(first, last, count).astype(int)).tolist()]


def train(task, density: float, seeds: int, steps: int, rate: float, count: int):
    """Trains one cell and looks at it along the way."""
    recipe = js.Recipe(steps, 1024, constant_adam(rate), eval_batches=32)
    axes = {"density": [density], "seed": seeds}
    ds = js.snapshots(task, axes, recipe, key=jax.random.key(0), at=looks(3, steps, count))
    return js.measure(ds.isel(density=0))


def jumps(ds: xr.Dataset) -> xr.Dataset:
    """Where dimensionalities move and the loss falls, between looks after the transient.

    Returns:
        For each seed: ``intervals``, the share of intervals in which some feature of
        norm above 1/2 moves by more than `MOVED`; ``fall``, the share of the loss's whole
        fall that happens in them; ``late``, how many features come or go.
    """
    late = ds.sel(step=slice(SETTLED * ds["step"].values[-1], None))
    D = late["dimensionality"].where(late["norm"] > 0.5, 0.0)
    moves = abs(D.diff("step")).max("feature") > MOVED
    falls = -late["loss"].diff("step")
    changes = (late["norm"] > 0.5).astype(int).diff("step")
    return xr.Dataset(
        {
            "intervals": moves.mean("step"),
            "fall": falls.where(moves, 0.0).sum("step") / falls.sum("step"),
            "late": abs(changes).sum(("step", "feature")),
            "total": falls.sum("step"),
        }
    )


def find_levels(ds: xr.Dataset) -> list[Finding]:
    """What the paper says of energy levels."""
    represented = ds["norm"].isel(step=-1) > 0.5
    last = ds["dimensionality"].isel(step=-1)
    worst = float(abs(last - 0.5).where(represented).max())
    count = represented.sum("feature").values
    late = ds.sel(step=slice(SETTLED * ds["step"].values[-1], None))
    D = late["dimensionality"].where(late["norm"] > 0.5, 0.0)
    on = np.min([np.abs(D - level) for level in LEVELS], axis=0) < NEAR
    jump = jumps(ds)
    moving = jump.where(jump["late"] > 0, drop=True)
    seeds = ds.sizes["seed"]
    fall = moving["fall"] if moving.sizes["seed"] else xr.DataArray([np.nan])
    return [
        Finding(
            "all features end with a dimensionality of 1/2",
            f"represented features (norm above 1/2; at least {count.min()} of "
            f"{ds.sizes['feature']}, in {ds.sizes['hidden']} dimensions) differ from 1/2 "
            f"by at most {worst:.3f}, over {seeds} seeds",
            worst < 0.05 and bool((count == 2 * ds.sizes["hidden"]).all()),
        ),
        Finding(
            "dimensionalities jump between discrete values",
            f"after the first {SETTLED:.0%} of steps {float(on.mean()):.1%} of them lie "
            f"within {NEAR:g} of 0, 1/2 or 1; {int(jump['late'].sum())} features of "
            f"{seeds} models still come or go, in {moving.sizes['seed']} of the models",
            float(on.mean()) > 0.9 and int(jump["late"].sum()) > 0,
        ),
        Finding(
            "each jump coincides with a drop of the loss",
            f"in the {moving.sizes['seed']} models with late jumps, "
            f"{float(fall.mean()):.0%} (lowest {float(fall.min()):.0%}) of the fall of the "
            "loss that remains happens while a feature moves, which is in "
            f"{float(moving['intervals'].mean()):.0%} of the intervals between looks",
            bool(fall.mean() > 0.8),
        ),
    ]


def cosines(ds: xr.Dataset) -> xr.Dataset:
    """How the two sets lie, along training.

    Returns:
        ``norm``, the mean norm; ``within``, the mean cosine between features of a set;
        ``opposite``, the weakest over features of the most negative cosine with the other
        set; dimensions (seed, step).
    """
    W = ds["W"].transpose("seed", "step", "feature", "hidden").values
    V = W / np.linalg.norm(W, axis=-1, keepdims=True)
    C = V @ V.mT
    k = SET_SIZE
    pairs = tuple(np.array(list(itertools.combinations(range(k), 2))).T)
    within = np.mean([C[..., :k, :k][..., *pairs], C[..., k:, k:][..., *pairs]], (0, -1))
    spread = np.abs(
        np.concatenate([C[..., :k, :k][..., *pairs], C[..., k:, k:][..., *pairs]], -1)
    )
    dims = ("seed", "step")
    return xr.Dataset(
        {
            "size": (dims, np.linalg.norm(W, axis=-1).mean(-1)),
            "within": (dims, within),
            "oblique": (dims, spread.max(-1)),
            "opposite": (dims, C[..., :k, k:].min(-1).max(-1)),
        },
        {"step": ds["step"]},
    )


def begins(shape: xr.Dataset) -> dict[str, np.ndarray]:
    """The step at which every seed first reaches each stage after A; NaN if never."""
    bunched = (shape["size"] > 0.3) & (shape["within"] > 0.7)
    after = bunched.cumsum("step") > 0
    open_ = after & (shape["within"] < 0.5)
    octahedron = (shape["oblique"] < 0.1) & (shape["opposite"] < -0.9)
    reached = dict(zip(STAGES[1:], (bunched, open_, octahedron), strict=True))
    return {
        name: np.where(where.any("step"), shape["step"][where.argmax("step")], np.nan)
        for name, where in reached.items()
    }


def find_stages(ds: xr.Dataset) -> list[Finding]:
    """What the paper says of the four stages."""
    stages = begins(cosines(ds))
    seeds = ds.sizes["seed"]
    ordered = np.all(np.diff(list(stages.values()), axis=0) > 0, axis=0)
    final = cosines(ds).isel(step=-1)
    octahedra = (final["oblique"] < 0.1) & (final["opposite"] < -0.9)
    orthogonal = final["oblique"] < 0.1
    when = "; ".join(
        f"{name} from step {np.nanmedian(steps):.0f} "
        f"({np.nanmin(steps):.0f} to {np.nanmax(steps):.0f})"
        for name, steps in stages.items()
    )
    spread = [np.nanmax(s) / np.nanmin(s) for s in stages.values()]
    return [
        Finding(
            "the octahedron is a strong attractor",
            f"{int(octahedra.sum())} of {seeds} seeds end as an octahedron (each feature "
            f"orthogonal to its set and opposite to one of the other); in "
            f"{int(orthogonal.sum())} each set is an orthogonal triple",
            float(octahedra.mean()) > 0.5,
        ),
        Finding(
            "four stages: near 0, two bunches, each opens, octahedron",
            f"{int(ordered.sum())} of {seeds} seeds pass all of them in this order",
            float(ordered.mean()) > 0.5,
        ),
        Finding(
            "the steps in between vary from seed to seed",
            f"median (range): {when}",
            max(spread) > 1.5,
        ),
    ]


def draw_levels(ds: xr.Dataset, most: int = 4) -> Figure:
    """Dimensionalities and loss along training, the seeds with most late jumps first."""
    order = np.argsort(-jumps(ds)["late"].values, kind="stable")[:most]
    figure = Figure(figsize=(2.4 * len(order) + 0.6, 4.0), layout="constrained", dpi=150)
    axes = figure.subplots(
        2, len(order), sharex=True, sharey="row", height_ratios=[1.6, 1], squeeze=False
    )
    for (top, bottom), i in zip(axes.T, order, strict=True):
        model = ds.isel(seed=int(i))
        kept = model["norm"].isel(step=-1) > 0.5
        for feature in range(model.sizes["feature"]):
            color = style.PALETTE["blue"] if kept[feature] else "0.75"
            D = model["dimensionality"].isel(feature=feature)
            top.plot(model["step"], D, color=color, linewidth=0.6, zorder=2 + bool(color))
        for level in LEVELS[1:]:
            top.axhline(level, color="0.6", linewidth=0.7, linestyle=":", zorder=1)
        bottom.plot(
            model["step"], model["loss"], color=style.PALETTE["vermilion"], linewidth=1.2
        )
        bottom.set_xscale("symlog", linthresh=10)
        bottom.set_xlabel("training step", fontsize=8)
        top.set_title(f"seed {int(model['seed'])}", fontsize=9)
        for panel in (top, bottom):
            panel.tick_params(labelsize=7)
    axes[0, 0].set_ylabel("dimensionality $D_i$", fontsize=8)
    axes[1, 0].set_ylabel("loss", fontsize=8)
    return figure


def draw_stages(ds: xr.Dataset) -> Figure:
    """Four moments of one model in three dimensions, above loss and cosines of all."""
    shape = cosines(ds)
    seed = chosen(ds)
    model = ds.isel(seed=seed)
    within = shape["within"].isel(seed=seed)
    opening = within.where(within["step"] > within.idxmax("step"))
    opened = abs(opening - 0.35).idxmin("step")
    moments = (0, int(within.idxmax("step")), int(opened), int(ds["step"][-1]))
    figure = Figure(figsize=(8.4, 5.2), layout="constrained", dpi=150)
    grid = figure.add_gridspec(2, 4, height_ratios=[1, 1])
    colors = [style.PALETTE["blue"], style.PALETTE["orange"]]
    for j, (name, step) in enumerate(zip(STAGES, moments, strict=True)):
        panel = figure.add_subplot(grid[0, j], projection="3d")
        W = model["W"].sel(step=step, method="nearest").values
        for i, end in enumerate(W):
            line = np.stack([np.zeros(SET_SIZE), end], axis=-1)
            panel.plot(*line, "-o", color=colors[i // SET_SIZE], markevery=[1], ms=4)
        panel.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1))
        panel.set_box_aspect((1, 1, 1))
        panel.view_init(elev=22, azim=35)
        for axis in (panel.xaxis, panel.yaxis, panel.zaxis):
            axis.set_ticks([-1, 0, 1])
            axis.set_ticklabels([])
        panel.set_title(f"{name}\nstep {step}", fontsize=8)
    curves = {
        "loss": ds["loss"],
        "mean cosine within a set": shape["within"],
        "cosine with the opposite feature": shape["opposite"],
    }
    columns = grid[1, :].subgridspec(1, 3)
    for j, (name, values) in enumerate(curves.items()):
        panel = figure.add_subplot(columns[j])
        lines = values.transpose("step", "seed").values
        panel.plot(ds["step"], lines, color="0.75", linewidth=0.6)
        panel.plot(ds["step"], lines[:, seed], color=style.PALETTE["vermilion"], lw=1.5)
        panel.set_xscale("symlog", linthresh=10)
        panel.set_xlabel("training step", fontsize=8)
        panel.set_ylabel(name, fontsize=8)
        panel.tick_params(labelsize=7)
    return figure


def chosen(ds: xr.Dataset) -> int:
    """The seed of lowest loss among those that pass all stages, or of all."""
    stages = np.array(list(begins(cosines(ds)).values()))
    loss = ds["loss"].isel(step=-1).values
    passed = np.isfinite(stages).all(0)
    return int(np.argmin(np.where(passed | ~passed.any(), loss, np.inf)))


def run(quick: bool = False) -> Outcome:
    """Trains both, and looks at them along the way."""
    seeds, steps, count = (4, 3_000, 60) if quick else (8, 5_000, 150)
    levels = train(digons, DENSITY, seeds, steps, 3e-3, count)
    seeds, steps, count = (8, 3_000, 40) if quick else (32, 6_000, 90)
    sets = train(two_sets, SET_DENSITY, seeds, steps, 3e-3, count)
    model = sets.isel(seed=chosen(sets))
    film = embedding_motion(model, groups=np.repeat([0, 1], SET_SIZE).tolist())
    return Outcome(
        [*find_levels(levels), *find_stages(sets)],
        {"levels": draw_levels(levels), "stages": draw_stages(sets), "film": film},
        {"levels": levels, "stages": sets},
    )


EXPERIMENT = Experiment(
    title="Learning dynamics: energy levels and geometric transformations",
    source="Elhage et al. 2022, Superposition and Learning Dynamics",
    minutes=0.9,
    run=run,
)

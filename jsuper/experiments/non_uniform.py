r"""What becomes of a pentagon when one of its features is denser or sparser than the rest?

Elhage et al. 2022, "The Geometry of Superposition", section "Non-Uniform Superposition":
five features of equal importance in two dimensions, four of density 0.05, the density of
the fifth varied. The paper trains many models, keeps the one of lowest loss, rotates it to
a canonical frame and shows the losses of all fits. It states no training hyperparameters
and no number of fits; both are ours.

Where two geometries have nearly the same loss, the best of many seeds is partly the
luckiest. So the threshold is found by following both: models start as a pentagon and as
two digons, train at every density on the same data, and their losses are measured on the
same fresh examples. The same is done at other densities of the four, which the paper does
not show.
"""

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.typing import ArrayLike
from matplotlib.figure import Figure

import jsuper as js
from jsuper.experiments.experiment import Experiment, Finding, Outcome
from jsuper.plots import style
from jsuper.polytopes import ideal, identify

DENSITY = 0.05
VARIED = 0  # index of the feature whose density varies
LEAST_NORM = 0.5
PAPER_THRESHOLD = 1 / 2.5
OTHER_DENSITIES = (0.02, 0.05, 0.08, 0.1, 0.12, 0.15)
GEOMETRIES = ("pentagon", "two digons", "another dropped", "other")
COLORS = dict(zip(GEOMETRIES, ("blue", "vermilion", "orange", "black"), strict=True))
MARKERS = dict(zip(GEOMETRIES, "os^x", strict=True))
BRANCHES = GEOMETRIES[:2]


def task(ratio: ArrayLike, density: ArrayLike = DENSITY) -> js.Task:
    """Five equal features in two dimensions, one of ``ratio`` times the density."""
    varied = jnp.arange(5) == VARIED
    features = js.SparseFeatures(5, density * jnp.where(varied, ratio, 1.0))
    return js.Task(features, js.ToyModel(5, 2))


def fit(ratios, n_seeds: int, steps: int, batch_size: int, eval_batches: int) -> xr.Dataset:
    """Trains many models at every ratio; all losses are on the same fresh examples."""
    recipe = js.Recipe(steps, batch_size, js.decaying_adam(steps, 1e-2))
    key = jax.random.key(0)
    ds = js.sweep(task, {"ratio": ratios, "seed": n_seeds}, recipe, key=key)
    tasks = jax.vmap(task)(jnp.asarray(ratios, float))
    keys = jnp.broadcast_to(jax.random.key(1), (n_seeds,))
    params = {name: jnp.asarray(ds[name].values) for name in ("W", "b")}
    loss = js.evaluate(tasks, keys, params, 1024, eval_batches)
    ds["loss"] = ds["loss"].copy(data=np.asarray(loss))
    return with_geometry(js.measure(ds))


def follow(
    ratios, densities, n_repeats: int, steps: int, batch_size: int, eval_batches: int
) -> xr.Dataset:
    """Trains from a pentagon and from two digons at every ratio, on the same data."""
    recipe = js.Recipe(steps, batch_size, js.decaying_adam(steps, 3e-3))
    grid = np.meshgrid(ratios, densities, indexing="ij")
    tasks = jax.vmap(task)(*(jnp.asarray(axis.ravel(), float) for axis in grid))
    keys = jax.random.split(jax.random.key(2), n_repeats)
    digons = np.concatenate([np.zeros((1, 2)), ideal("square")])
    starts = {
        "pentagon": {"W": 1.13 * ideal("pentagon"), "b": np.full(5, -0.25)},
        "two digons": {"W": digons, "b": np.zeros(5)},
    }
    dims = ("ratio", "density", "repeat")
    shape = (*grid[0].shape, n_repeats)
    branches = []
    for start in starts.values():
        start = jax.tree.map(
            lambda a: jnp.broadcast_to(
                jnp.asarray(a, float), (grid[0].size, n_repeats, *a.shape)
            ),
            start,
        )
        params, _ = js.train(tasks, keys, recipe, start)
        loss = js.evaluate(tasks, keys, params, 1024, eval_batches)
        W, b = np.asarray(params["W"]), np.asarray(params["b"])
        branches.append(
            xr.Dataset(
                {
                    "W": ((*dims, "feature", "hidden"), W.reshape(*shape, 5, 2)),
                    "b": ((*dims, "feature"), b.reshape(*shape, 5)),
                    "loss": (dims, np.asarray(loss).reshape(shape)),
                },
                {"ratio": np.asarray(ratios), "density": np.asarray(densities)},
            )
        )
    branch = xr.DataArray(list(BRANCHES), dims="branch", name="branch")
    return with_geometry(xr.concat([js.measure(ds) for ds in branches], branch))


def with_geometry(ds: xr.Dataset) -> xr.Dataset:
    """Adds the geometry of each model, as a position in `GEOMETRIES`."""
    W = ds["W"].transpose(..., "feature", "hidden")
    flat = [GEOMETRIES.index(geometry(model)) for model in W.values.reshape(-1, 5, 2)]
    index = np.array(flat).reshape(W.shape[:-2])
    return ds.assign(geometry=(W.dims[:-2], index, {"names": ", ".join(GEOMETRIES)}))


def geometry(W: np.ndarray) -> str:
    """Names what five features form: see `GEOMETRIES`."""
    represented = np.linalg.norm(W, axis=1) > LEAST_NORM
    if represented.all():
        # A regular pentagon has gaps of 72°; two would make 144.
        return "pentagon" if max(gaps(W)) < 120 else "other"
    names = [block.name for block in identify(W, least_norm=LEAST_NORM)]
    if names == ["digon", "digon"]:
        return "another dropped" if represented[VARIED] else "two digons"
    return "other"


def canonical(W: np.ndarray) -> np.ndarray:
    """Rotates, reflects and renumbers a model so that equal geometries look equal.

    The varied feature, or without it the first other one, points upwards; the others
    follow counterclockwise, the closer neighbour first.
    """
    norms = np.linalg.norm(W, axis=1)
    others = np.flatnonzero(np.arange(len(W)) != VARIED)
    up = VARIED if norms[VARIED] > LEAST_NORM else others[np.argmax(norms[others])]
    z = W[:, 0] + 1j * W[:, 1]
    z = z * 1j * np.conj(z[up]) / np.abs(z[up])

    def order(z):
        behind = np.mod(np.angle(z[others]) - np.pi / 2 + 1e-6, 2 * np.pi)
        return z[np.concatenate([[VARIED], others[np.argsort(behind)]])]

    left, right = order(z), order(-np.conj(z))
    z = min(left, right, key=lambda z: np.abs(z[1] / np.abs(z[1]) - z[up] / np.abs(z[up])))
    return np.stack([z.real, z.imag], axis=-1)


def gaps(W: np.ndarray) -> np.ndarray:
    """Angles in degrees from each feature to the next, counterclockwise from the varied."""
    angles = np.degrees(np.arctan2(W[:, 1], W[:, 0]))
    turned = np.sort(np.mod(angles - angles[VARIED], 360))
    return np.diff(turned, append=360)


def crossing(difference: np.ndarray, ratios: np.ndarray) -> float:
    """Ratio at which ``difference`` falls through 0, linear in log ratio; NaN if none.

    Entries that are NaN, where a branch does not exist, are left out.
    """
    known = np.isfinite(difference)
    difference, logs = difference[known], np.log(ratios[known])
    falls = np.flatnonzero((difference[:-1] > 0) & (difference[1:] <= 0))
    if not len(falls):
        return np.nan
    i = falls[-1]
    share = difference[i] / (difference[i] - difference[i + 1])
    return float(np.exp(logs[i] + share * (logs[i + 1] - logs[i])))


def thresholds(branches: xr.Dataset) -> xr.DataArray:
    """Ratio below which two digons are better than the pentagon, for each repeat."""
    own = xr.DataArray(np.arange(2), dims="branch")
    loss = branches["loss"].where(branches["geometry"] == own)
    difference = loss.sel(branch="pentagon") - loss.sel(branch="two digons")
    return xr.apply_ufunc(
        crossing,
        difference,
        difference["ratio"],
        input_core_dims=[["ratio"], ["ratio"]],
        vectorize=True,
    )


def neighbour_gaps(ds: xr.Dataset) -> xr.DataArray:
    """Mean angle between the varied feature and its two neighbours, of pentagons only."""

    def mean_gap(W):
        turns = gaps(W)
        return (turns[0] + turns[-1]) / 2

    gap = xr.apply_ufunc(
        mean_gap, ds["W"], input_core_dims=[["feature", "hidden"]], vectorize=True
    )
    return gap.where(ds["geometry"] == 0)


def total_loss(ds: xr.Dataset, density=DENSITY) -> xr.DataArray:
    """The paper's loss, a sum over features, in units of the four features' density."""
    return 5 * ds["loss"] / density


def find(fits: xr.Dataset, branches: xr.Dataset, elsewhere: xr.DataArray) -> list[Finding]:
    """The paper's statements beside what the models show."""
    here = branches.sel(density=DENSITY)
    ratios = fits["ratio"].values
    gap = neighbour_gaps(here.sel(branch="pentagon"))
    mean, spread = gap.mean("repeat"), gap.std("repeat")

    def angle(ratio):
        at = float(gap["ratio"].sel(ratio=ratio, method="nearest"))
        return at, float(mean.sel(ratio=at)), float(spread.sel(ratio=at))

    equal, denser, sparser = angle(1), angle(ratios.max()), angle(0.5)
    findings = [
        Finding(
            "a denser feature repels the others",
            f"at {denser[0]:.2g} times the density the angle to its neighbours is "
            f"{denser[1]:.1f}° ± {denser[2]:.1f}°, at equal density {equal[1]:.1f}° ± "
            f"{equal[2]:.1f}°",
            denser[1] - equal[1] > 1 + 3 * (denser[2] + equal[2]),
        ),
        Finding(
            "around a sparser feature the others close in",
            f"at {sparser[0]:.2g} times the density the angle to its neighbours is "
            f"{sparser[1]:.1f}° ± {sparser[2]:.1f}°",
            equal[1] - sparser[1] > 1 + 3 * (sparser[2] + equal[2]),
        ),
    ]

    threshold = thresholds(branches).sel(density=DENSITY)
    mean_threshold = float(threshold.mean())
    best = js.best_seed(fits)["geometry"].values
    n = fits.sizes["seed"]
    below, above = ratios < 0.95 * mean_threshold, ratios > 1.05 * mean_threshold
    right = (best[below] == 1).sum() + (best[above] == 0).sum()
    findings.append(
        Finding(
            "below a threshold the pentagon gives way to two digons and a feature at 0",
            f"of {below.sum()} densities below the threshold the best of {n} seeds is two "
            f"digons in {(best[below] == 1).sum()}; of {above.sum()} above, the pentagon "
            f"in {(best[above] == 0).sum()}",
            bool(below.any() and above.any() and right == below.sum() + above.sum()),
        )
    )
    times = 1 / threshold
    nearest = elsewhere.mean("repeat")
    base = float(np.interp(PAPER_THRESHOLD, nearest, nearest["density"]))
    findings.append(
        Finding(
            "the threshold is about 2.5 times less density",
            f"{1 / mean_threshold:.2f} times less (± {float(times.std()):.2f} over "
            f"{threshold.size} repeats); 2.5 times less is where it lies for a density of "
            f"{base:.2f}",
            abs(PAPER_THRESHOLD / mean_threshold - 1) < 0.1,
        )
    )

    at = int(np.argmin(np.abs(np.log(ratios / mean_threshold))))
    norm = here["norm"].isel(feature=VARIED).sel(ratio=ratios[at]).mean("repeat")
    loss = total_loss(here).mean("repeat")
    window = slice(max(at - 1, 0), at + 2)
    slopes = [
        float(np.polyfit(np.log(ratios[window]), loss.sel(branch=b).values[window], 1)[0])
        for b in BRANCHES
    ]
    norms = [float(norm.sel(branch=b)) for b in BRANCHES]
    findings.append(
        Finding(
            "the change is first order: two loss curves cross",
            f"both geometries are minima at {ratios[at]:.2f} times the density, with the "
            f"feature at norm {norms[0]:.2f} and {norms[1]:.2f}; slopes of loss / density "
            f"in ln density: {slopes[0]:.3f} and {slopes[1]:.3f}",
            norms[0] - norms[1] > 0.5 and slopes[1] > 1.5 * slopes[0],
        )
    )

    within, between = spread_of_losses(fits)
    findings.append(
        Finding(
            "the fits lie on one loss curve per geometry",
            f"standard deviation within a geometry {100 * within:.1f}% of the loss, "
            f"median distance between the two curves {100 * between:.0f}%",
            within < between / 3,
        )
    )

    pentagons = here.sel(branch="pentagon").where(
        here["geometry"].sel(branch="pentagon") == 0
    )
    b, size = pentagons["b"], pentagons["norm"]
    printed = float(abs(size * (1 - b) - 1).median())
    unbiased = float(abs(size / np.sqrt(1 - b) - 1).median())
    findings.append(
        Finding(
            "norms are 1 / (1 - b), as printed",
            f"norms of pentagons are off by {100 * printed:.0f}% (median); from "
            f"the square root of 1 - b, for which an active feature of size 1 is returned "
            f"as 1, by {100 * unbiased:.1f}%",
            printed < 0.1,
        )
    )
    return findings


def spread_of_losses(fits: xr.Dataset) -> tuple[float, float]:
    """Relative spread within a geometry, and relative distance between the two."""
    loss = fits["loss"]
    curves = [loss.where(fits["geometry"] == i) for i in (0, 1)]
    within = [float((c.std("seed") / c.mean("seed")).median()) for c in curves]
    first, second = (curve.mean("seed") for curve in curves)
    return max(within), float((abs(first - second) / np.minimum(first, second)).median())


def draw_losses(fits: xr.Dataset, branches: xr.Dataset) -> Figure:
    """Losses of all fits, the two branches through them, and their difference."""
    here = branches.sel(density=DENSITY)
    figure = Figure(figsize=(6.2, 5.4), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    loss = total_loss(fits)
    for i, name in enumerate(GEOMETRIES):
        points = loss.where(fits["geometry"] == i)
        if points.notnull().any():
            top.plot(
                np.broadcast_to(points["ratio"].values[:, None], points.shape).ravel(),
                points.values.ravel(),
                MARKERS[name],
                color=style.PALETTE[COLORS[name]],
                markerfacecolor="none",
                markersize=4,
                markeredgewidth=0.7,
                alpha=0.7,
                label=f"fits: {described(name)}",
            )
    for i, branch in enumerate(BRANCHES):
        cell = here.sel(branch=branch)
        line = total_loss(cell).where(cell["geometry"] == i).mean("repeat")
        top.plot(
            line["ratio"],
            line,
            color=style.PALETTE[COLORS[branch]],
            linestyle=("-", "--")[i],
            linewidth=1.4,
            label=f"started as {('a pentagon', 'two digons')[i]}",
        )
    top.set(ylabel="loss / density of the four features", xscale="log")
    upper = float(loss.where(fits["geometry"] < 3).max())
    top.set_ylim(0, 1.05 * upper)
    top.legend(fontsize=7, loc="lower right")

    own = xr.DataArray(np.arange(2), dims="branch")
    kept = total_loss(here).where(here["geometry"] == own)
    difference = kept.sel(branch="pentagon") - kept.sel(branch="two digons")
    bottom.axhline(0, color="0.5", linewidth=0.8)
    bottom.plot(difference["ratio"], difference, color="0.75", linewidth=0.8)
    bottom.plot(difference["ratio"], difference.mean("repeat"), "k.-", ms=4, linewidth=1.2)
    near = difference.mean("repeat").max() * 1.6
    bottom.set(
        ylim=(-2.5 * near, near),
        xlabel="density of the varied feature / density of the other four",
        ylabel="pentagon − two digons",
    )
    measured = float(thresholds(branches).sel(density=DENSITY).mean())
    for panel in (top, bottom):
        panel.axvline(measured, color="0.2", linewidth=0.9)
        panel.axvline(PAPER_THRESHOLD, color="0.2", linewidth=0.9, linestyle=":")
    for at, y, text, align in (
        (measured, -1.5, f"here 1/{1 / measured:.1f} ", "right"),
        (PAPER_THRESHOLD, 0.55, " the paper, 1/2.5", "left"),
    ):
        bottom.annotate(text, (at, y * near), fontsize=7, ha=align)
    ticks = [t for t in (0.2, 0.5, 1, 2, 4) if t <= fits["ratio"].max() * 1.01]
    bottom.set_xticks(ticks, [f"{t:g}" for t in ticks])
    bottom.minorticks_off()
    return figure


def draw_frames(fits: xr.Dataset, ratios) -> Figure:
    """The models of lowest loss in the canonical frame, all other fits behind them."""
    figure = Figure(figsize=(6.4, 4.8), layout="constrained", dpi=150)
    panels = figure.subplots(2, -(-len(ratios) // 2), squeeze=False).ravel()
    for panel, ratio in zip(panels, ratios, strict=True):
        cell = fits.sel(ratio=ratio, method="nearest")
        best = js.best_seed(cell)
        for model in cell["W"].values[cell["geometry"].values == best["geometry"].values]:
            z = canonical(model)
            panel.plot(*z.T, ".", color="0.75", markersize=3)
        z = canonical(best["W"].values)
        for i, (x, y) in enumerate(z):
            color = style.PALETTE["vermilion" if i == VARIED else "blue"]
            panel.plot([0, x], [0, y], color=color, linewidth=1.4)
            panel.plot([x], [y], "D" if i == VARIED else "o", color=color, markersize=4.5)
        panel.set(
            xlim=(-1.35, 1.35), ylim=(-1.35, 1.35), aspect="equal", xticks=[], yticks=[]
        )
        name = GEOMETRIES[int(best["geometry"])]
        panel.set_title(f"{float(cell['ratio']):.3g} × density\n{name}", fontsize=8)
    return figure


def draw_angles(branches: xr.Dataset, elsewhere: xr.DataArray) -> Figure:
    """Angles and norms of the pentagon by density, and the threshold by density."""
    cell = branches.sel(density=DENSITY, branch="pentagon")
    gap = neighbour_gaps(cell)
    figure = Figure(figsize=(9.6, 3.3), layout="constrained", dpi=150)
    angles, norms, where = figure.subplots(1, 3)

    angles.axhline(72, color="0.6", linewidth=0.8)
    angles.axvline(1, color="0.6", linewidth=0.8)
    angles.errorbar(
        gap["ratio"],
        gap.mean("repeat"),
        gap.std("repeat"),
        fmt=".-",
        color="black",
        linewidth=1,
        markersize=4,
    )
    angles.annotate(
        "regular pentagon",
        (0.98, 72),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="top",
        fontsize=7,
    )
    angles.set(ylabel="angle to both neighbours (°)")

    pentagons = cell.where(cell["geometry"] == 0)
    for feature, name, color, marker in (
        (slice(VARIED, VARIED + 1), "varied feature", "vermilion", "D"),
        (slice(VARIED + 1, None), "the other four", "blue", "o"),
    ):
        part = pentagons.isel(feature=feature).mean(("repeat", "feature"))
        color = style.PALETTE[color]
        norms.plot(part["ratio"], part["norm"], marker, color=color, ms=3.5, label=name)
        norms.plot(part["ratio"], np.sqrt(1 - part["b"]), "-", color=color, linewidth=0.9)
        norms.plot(part["ratio"], 1 / (1 - part["b"]), ":", color=color, linewidth=0.9)
    norms.plot([], [], "-", color="0.4", linewidth=0.9, label=r"$\sqrt{1 - b_i}$")
    norms.plot([], [], ":", color="0.4", linewidth=0.9, label="$1 / (1 - b_i)$")
    norms.set(ylabel="norm $‖W_i‖$", ylim=(0.55, 1.5))
    norms.legend(fontsize=7, loc="upper center", ncols=2)
    for panel in (angles, norms):
        ticks = [t for t in (0.2, 0.5, 1, 2, 4) if t <= gap["ratio"].max() * 1.01]
        panel.set(
            xscale="log", xlabel="density of the varied feature,\nrelative to the others"
        )
        panel.set_xticks(ticks, [f"{t:g}" for t in ticks])
        panel.minorticks_off()

    mean = 1 / elsewhere
    where.errorbar(
        mean["density"],
        mean.mean("repeat"),
        mean.std("repeat"),
        fmt="s-",
        color="black",
        linewidth=1,
        markersize=4,
    )
    where.plot(
        [DENSITY], [1 / PAPER_THRESHOLD], "*", color=style.PALETTE["vermilion"], ms=9
    )
    where.annotate(
        "the paper",
        (DENSITY, 1 / PAPER_THRESHOLD),
        xytext=(0, -7),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=7,
    )
    where.set(
        xlabel="density of the other four features",
        ylabel="times less density at the threshold",
        ylim=(0, None),
        xticks=[0, 0.05, 0.1, 0.15],
    )
    return figure


def described(name: str) -> str:
    """A geometry in words for a legend."""
    return {
        "two digons": "two digons, varied feature at 0",
        "another dropped": "another feature at 0",
    }.get(name, name)


def run(quick: bool = False) -> Outcome:
    """Trains, measures, draws and compares."""
    if quick:
        ratios = np.geomspace(1 / 8, 4, 16)
        fits = fit(ratios, n_seeds=16, steps=1_000, batch_size=512, eval_batches=256)
        options = {"n_repeats": 2, "steps": 500, "batch_size": 512, "eval_batches": 512}
        other_ratios, densities = np.geomspace(0.14, 0.8, 8), (0.05, 0.1)
    else:
        ratios = np.geomspace(1 / 8, 4, 31)
        fits = fit(ratios, n_seeds=48, steps=3_000, batch_size=1024, eval_batches=1024)
        options = {"n_repeats": 8, "steps": 2_000, "batch_size": 1024, "eval_batches": 2048}
        other_ratios, densities = np.geomspace(0.12, 0.8, 11), OTHER_DENSITIES
    branches = follow(ratios, [DENSITY], **options)
    elsewhere = thresholds(follow(other_ratios, densities, **options))
    shown = [1 / 8, 0.2, 0.35, 0.7, 1, 4]
    return Outcome(
        findings=find(fits, branches, elsewhere),
        figures={
            "losses": draw_losses(fits, branches),
            "frames": draw_frames(fits, shown),
            "angles": draw_angles(branches, elsewhere),
        },
        datasets={
            "fits": fits,
            "branches": branches,
            "thresholds": elsewhere.rename("threshold").to_dataset(),
        },
    )


EXPERIMENT = Experiment(
    title="Non-uniform superposition: a pentagon with one feature of another density",
    source='"The Geometry of Superposition", section "Non-Uniform Superposition"',
    minutes=1.2,
    run=run,
)

r"""Which regular polygon does training find, and what does it pass on the way?

Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301) study the toy model with two
hidden dimensions as sparsity goes to 1: of $c$ features exactly one is active. The loss
then has a closed form (`jsuper.theory.one_hot_potential`), whose known stationary points
are polygons: $k$ features at the corners of a regular polygon, the others dead. The
authors report that SGD passes near such points, from few corners to more.

The paper's: c features, two dimensions, x = μ e_i, batches of 100 and momentum 0.9 (from
the code that its authors published later). Ours: gradient descent on the exact loss for
the counts, SGD on samples for the rest, scales of the initial weights, rates, seeds.

A solution is named by its corners and its dead features. Those with a positive bias get a
+, corners of a square that never fire, since their bias is too negative, a −; a dead
feature without a sign never fires either.
"""

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

import jsuper as js
from jsuper.experiments.experiment import Experiment, Finding, Outcome
from jsuper.plots import style
from jsuper.pytree import pytree
from jsuper.theory.one_hot import k_gon, one_hot_potential

N_FEATURES = (5, 6, 7, 8)
SCALES = [0.1, 0.3, 1.0]
"""Standard deviations of the initial weights."""

WATCHED = 6
"""Number of features of the models that are watched along training."""

TOLERANCE = 5e-4
"""How close to the closed form the loss of a trained model has to be to have its name."""

NEAR = 5e-3
"""How close for a model in training, which passes by."""


@pytree
class ExactTask:
    """The exact loss of one-hot features, a sum over features as in the paper.

    Anything with `init` and `loss` trains: this one needs no samples.
    """

    model: js.ToyModel

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the parameters' axes."""
        return self.model.dims

    def init(self, key):
        """Draws the initial parameters of one model."""
        return self.model.init(key)

    def loss(self, params, key, batch_size):
        """The loss; ``key`` and ``batch_size`` make no difference."""
        return exact_loss(params["W"], params["b"])


LABEL_BOX = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}


def exact_loss(W, b):
    """The paper's loss of models, shape (...)."""
    return one_hot_potential(W, b) / (3 * W.shape[-2])


def sampled_task(n_features, scale=0.1):
    """The same task by samples; its loss is the mean over features."""
    features = js.AnticorrelatedFeatures(1, n_features, density=1.0)
    return js.Task(features, js.ToyModel(n_features, 2, init_std=scale))


def level(n_features, corners, positive):
    """The loss in closed form of a polygon with some positive biases.

    Corners of a square do not interfere: one that is missing costs as much as a dead
    feature.
    """
    c = n_features
    potential = k_gon(corners).potential if corners > 4 else 0.0
    return (potential + c - corners - 0.75 * positive / c) / (3 * c)


def identify(ds: xr.Dataset, tolerance: float = TOLERANCE) -> xr.Dataset:
    """Adds the exact loss, the counts of corners and positive biases, and the name."""
    W, b = ds["W"].transpose(..., "feature", "hidden"), ds["b"].transpose(..., "feature")
    c = W.sizes["feature"]
    norms = np.linalg.norm(W.values, axis=-1)
    fires = (norms > 0.5) & (norms**2 + b.values > 0)
    corners = fires.sum(-1)
    positive = (~fires & (b.values > 1 / (4 * c))).sum(-1)
    losses = np.asarray(jax.jit(exact_loss)(W.values, b.values))
    names = np.empty(losses.shape, dtype=object)
    for place, loss in np.ndenumerate(losses):
        k, plus = int(corners[place]), int(positive[place])
        near = abs(loss - level(c, k, plus)) < tolerance
        names[place] = f"{max(k, 4)}{'+' * plus}{'−' * (4 - k)}" if near else "other"
    dims = b.dims[:-1]
    return ds.assign(
        exact_loss=(dims, losses, {"long_name": "exact loss, sum over features"}),
        corners=(dims, corners, {"long_name": "features at corners"}),
        positive=(dims, positive, {"long_name": "dead features of positive bias"}),
        name=(dims, names.astype(str)),
    )


def random_starts(n_features: int, steps: int, seeds: int) -> xr.Dataset:
    """Gradient descent on the exact loss from random weights of several scales."""
    recipe = js.Recipe(
        steps=steps, batch_size=1, eval_batches=1, optimizer=optax.sgd(0.1, momentum=0.9)
    )
    ds = js.sweep(
        lambda scale: ExactTask(js.ToyModel(n_features, 2, init_std=scale)),
        {"scale": SCALES, "seed": seeds},
        recipe,
        key=jax.random.key(0),
        progress=False,
    )
    return identify(ds)


def polygon_starts(n_features: int, steps: int, seeds: int, noise: float) -> xr.Dataset:
    """SGD on samples from every k-gon, with noise on all weights and biases."""
    corners = range(4, n_features + 1)
    ideal = [k_gon(k).params(n_features) for k in corners]
    start_key, train_key = jax.random.split(jax.random.key(1))
    params = {}
    for i, name in enumerate(("W", "b")):
        centre = jnp.stack([jnp.asarray(p[name], jnp.float32) for p in ideal])[:, None]
        shape = (len(ideal), seeds, *centre.shape[2:])
        key = jax.random.fold_in(start_key, i)
        params[name] = centre + noise * jax.random.normal(key, shape)
    tasks = jax.vmap(lambda scale: sampled_task(n_features, scale))(jnp.ones(len(ideal)))
    recipe = js.Recipe(steps=steps, batch_size=100, optimizer=optax.sgd(0.1, momentum=0.9))
    keys = jax.random.split(train_key, seeds)
    params, _ = js.train(tasks, keys, recipe, params)
    ds = xr.Dataset(
        {
            "W": (("start", "seed", "feature", "hidden"), np.asarray(params["W"])),
            "b": (("start", "seed", "feature"), np.asarray(params["b"])),
        },
        {"start": list(corners), "seed": np.arange(seeds)},
    )
    return identify(ds)


def watch(steps: int, seeds: int, looks: int) -> xr.Dataset:
    """SGD on samples from random weights, at times that are even in the logarithm."""
    recipe = js.Recipe(
        steps=steps,
        batch_size=100,
        eval_batches=1,
        optimizer=optax.sgd(0.03, momentum=0.9),
    )
    # Before step 100 models only drift by: slow in the logarithm, but not at rest.
    at = np.unique(np.geomspace(100, steps, looks).astype(int))
    ds = js.snapshots(
        lambda scale: sampled_task(WATCHED, scale),
        {"scale": SCALES, "seed": seeds},
        recipe,
        key=jax.random.key(2),
        at=at.tolist(),
    )
    return identify(ds, NEAR)


def plateaus(run: xr.Dataset) -> dict[str, int]:
    """What one model stays near for a tenth of a decade or more, and at which look."""
    names = run["name"].values
    decades = np.log10(run["step"].values)
    ends = np.flatnonzero(np.r_[names[1:] != names[:-1], True])
    firsts = np.r_[0, ends[:-1] + 1]
    return {
        str(names[i]): int(i + j) // 2
        for i, j in zip(firsts, ends, strict=True)
        if decades[j] - decades[i] >= 0.1 and names[i] != "other"
    }


def draw_losses(trained: dict[int, xr.Dataset]) -> Figure:
    """Final losses by scale of the initial weights, between the levels of the theory."""
    rows = -(-len(trained) // 2)
    figure = Figure(figsize=(7.6, 2.9 * rows), layout="constrained")
    rng = np.random.default_rng(0)
    panels = figure.subplots(rows, 2).ravel()
    for panel, (c, ds) in zip(panels, trained.items(), strict=True):
        losses = ds["exact_loss"].transpose("scale", "seed").values
        for i, row in enumerate(losses):
            x = i + rng.uniform(-0.28, 0.28, row.size)
            panel.plot(x, row, ".", ms=3, color=style.PALETTE["blue"], alpha=0.5, mew=0)
        counts = Counter(ds["name"].values.ravel().tolist())
        kept = [name for name, n in counts.items() if name != "other" and n >= 3]
        levels = {name: level_of_name(c, name) for name in kept}
        low = 0.9 * losses.min()
        high = 1.1 * max([*levels.values(), *np.quantile(losses, [0.98])])
        ordered = sorted(levels.items(), key=lambda item: item[1])
        gap = 0.045 * np.log(high / low)
        places = np.exp(_spread([np.log(value) for _, value in ordered], gap))
        for (name, value), place in zip(ordered, places, strict=True):
            panel.axhline(value, color="0.6", linewidth=0.6, zorder=0)
            panel.plot([2.5, 2.62], [value, place], color="0.6", linewidth=0.6)
            panel.annotate(
                typeset(name), (2.65, place), fontsize=7, va="center", bbox=LABEL_BOX
            )
        panel.set(xlim=(-0.5, 3.15), yscale="log", ylim=(low, high))
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.set_xticks(range(len(SCALES)))
        panel.set_xticklabels([style.number(s) for s in SCALES])
        panel.set_title(f"{c} features", fontsize=9)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xlabel("standard deviation of initial weights", fontsize=8)
        panel.set_ylabel("loss after training", fontsize=8)
    return figure


def draw_plateaus(watched: xr.Dataset, n: int = 5) -> Figure:
    """Losses of the models with the most plateaus, and embeddings of the first."""
    runs = watched.stack(model=("scale", "seed")).transpose("model", ...)
    stays = [plateaus(runs.isel(model=i)) for i in range(runs.sizes["model"])]
    chosen = sorted(range(len(stays)), key=lambda i: -len(stays[i]))[:n]
    first = runs.isel(model=chosen[0])
    looks = sorted({0, *list(stays[chosen[0]].values())[:-1], runs.sizes["step"] - 1})
    names = sorted({name for i in chosen for name in stays[i]}, key=_level_of_watched)
    steps = runs["step"].values

    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    grid = figure.add_gridspec(2, len(looks), height_ratios=[2.4, 1])
    panel = figure.add_subplot(grid[0, :])
    colors = ["black", "vermilion", "blue", "green", "purple", "orange", "sky"]
    for i, color in zip(chosen, colors, strict=False):
        losses = runs["exact_loss"].isel(model=i)
        panel.plot(steps, losses, color=style.PALETTE[color], linewidth=1.3)
    losses = runs["exact_loss"].isel(model=chosen)
    low, high = 0.9 * float(losses.min()), 1.03 * float(losses.max())
    levels = [_level_of_watched(name) for name in names]
    places = _spread(levels, 0.04 * (high - low))
    for name, value, place in zip(names, levels, places, strict=True):
        panel.axhline(value, color="0.7", linewidth=0.6, zorder=0)
        panel.plot([steps[-1], 1.1 * steps[-1]], [value, place], color="0.6", linewidth=0.6)
        panel.annotate(
            typeset(name),
            (1.12 * steps[-1], place),
            fontsize=7,
            va="center",
            bbox=LABEL_BOX,
        )
    panel.set(xscale="log", xlim=(steps[0], 1.9 * steps[-1]), ylim=(low, high))
    panel.set_xlabel("step", fontsize=8)
    panel.set_ylabel("exact loss, sum over features", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)

    panel.plot(steps[looks], first["exact_loss"].values[looks], "o", ms=4, color="black")
    limit = 1.15 * float(np.linalg.norm(first["W"].isel(step=looks), axis=-1).max())
    for j, i in enumerate(looks):
        below = figure.add_subplot(grid[1, j])
        look = first.isel(step=i)
        for (x, y), bias in zip(
            look["W"].transpose("feature", "hidden").values, look["b"].values, strict=True
        ):
            color = style.PALETTE["vermilion" if bias > 0 else "blue"]
            below.plot([0, x], [0, y], color=color, linewidth=1.3)
            below.plot(x, y, "o", color=color, markersize=3)
        below.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[])
        below.set_aspect("equal")
        below.spines[:].set_color("0.85")
        name = look["name"].item()
        title = f"step {steps[i]}" + ("" if name == "other" else f": {typeset(name)}")
        below.set_title(title, fontsize=7)
    return figure


def _level_of_watched(name: str) -> float:
    return level_of_name(WATCHED, name)


def level_of_name(n_features: int, name: str) -> float:
    """The loss in closed form of a solution, by its name."""
    return level(n_features, int(name[0]) - name.count("−"), name.count("+"))


def typeset(name: str) -> str:
    """A name as matplotlib is to set it."""
    signs = name.lstrip("0123456789")
    if name == "other" or not signs:
        return name
    return f"{name[: -len(signs)]}$^{{{signs.replace('−', '-')}}}$"


def _spread(values: list[float], gap: float) -> list[float]:
    """Ascending places for labels near ascending values, at least ``gap`` apart."""
    places = list(values)
    for _ in range(100):
        for i in range(1, len(places)):
            missing = gap - (places[i] - places[i - 1])
            if missing > 0:
                places[i - 1] -= missing / 2
                places[i] += missing / 2
    return places


def findings(trained, starts, watched) -> list[Finding]:
    """The paper's statements beside the numbers."""
    shares, bests, agree = [], [], True
    for c, ds in trained.items():
        small = ds.sel(scale=SCALES[:2]) if ds.sizes["scale"] > 1 else ds
        share = float((small["name"] != "other").mean())
        shares.append((c, share))
        best = ds.isel(ds["exact_loss"].argmin(...))
        theory = min(
            level(c, k, plus) for k in range(4, c + 1) for plus in range(c - k + 1)
        )
        gap = float(best["exact_loss"]) - theory
        bests.append(f"c = {c}: {best['name'].item()} at {float(best['exact_loss']):.4f}")
        agree &= abs(gap) < TOLERANCE
    kept = {
        (c, k): float((ds["corners"].sel(start=k) == k).mean())
        for c, ds in starts.items()
        for k in ds["start"].values
    }
    least = {k: min(v for (_, j), v in kept.items() if j == k) for _, k in kept if k > 4}
    runs = watched.stack(model=("scale", "seed")).transpose("model", ...)
    stays = [list(plateaus(runs.isel(model=i))) for i in range(runs.sizes["model"])]
    passed = Counter(name for run in stays for name in run[:-1])
    ended = Counter(run[-1] for run in stays if run)
    squares = [run for run in stays if any(name[0] == "4" for name in run[:-1])]
    # A square with a silent corner, left for one without, as in 4++− and 4+.
    silent = [run for run in squares if "−" in run[0] and "−" not in run[-1]]
    several = [run for run in stays if len(run) > 1]
    corners = [[int(name[0]) - name.count("−") for name in run] for run in several]
    rising = float(np.mean([min(np.diff(run)) >= 0 for run in corners] or [0.0]))
    gradient_of = jax.jit(jax.grad(lambda p: one_hot_potential(p["W"], p["b"])))
    with jax.enable_x64(True):
        gradients = [gradient_of(k_gon(k).params(k)) for k in (9, 10, 11, 13)]
        slope = max(float(abs(g).max()) for g in jax.tree.leaves(gradients))
    return [
        Finding(
            "the same k-gons determine where training ends",
            "share at a closed form, initial scales 0.1 and 0.3: "
            + ", ".join(f"c = {c}: {100 * share:.0f} %" for c, share in shares),
            min(share for _, share in shares) > 0.9,
        ),
        Finding(
            "the closed form gives the lowest loss",
            "; ".join(bests),
            agree,
        ),
        Finding(
            "k-gons of 5 to 8 corners are stable, also with dead features",
            "least share over c that SGD leaves with their corners: "
            + ", ".join(f"k = {k}: {100 * share:.0f} %" for k, share in least.items()),
            min(least.values()) > 0.9,
        ),
        Finding(
            "SGD with 6 features passes plateaus of 4++−, 4+ and 5 type",
            f"{len(squares)} of {len(stays)} runs rest near a square and leave it; passed: "
            + _counts(passed)
            + "; ends: "
            + _counts(ended),
            len(squares) > 0.1 * len(stays) and bool(silent) and "5" in passed,
        ),
        Finding(
            "the way leads from few corners to more",
            f"{100 * rising:.0f} % of the {len(several)} runs with several plateaus never "
            "lose a corner from one to the next",
            rising > 0.9,
        ),
        Finding(
            "no k-gon is stationary for 9 to 203 corners, unless 4 divides their number",
            "one for each; gradient at 9, 10, 11, 13 corners: below "
            f"{slope:.0e}. Their bias silences some acute neighbours, which the "
            "statement seems to exclude",
            slope > 1e-6,
        ),
    ]


def _counts(names: Counter) -> str:
    return ", ".join(f"{name} ({count})" for name, count in names.most_common(6))


def run(quick: bool = False) -> Outcome:
    """Trains from random weights and from polygons, watches, counts, draws."""
    sizes = (5, 6) if quick else N_FEATURES
    steps, seeds = (2_000, 40) if quick else (8_000, 300)
    trained = {c: random_starts(c, steps, seeds) for c in sizes}
    starts = {
        c: polygon_starts(c, steps // 2, 8 if quick else 50, noise=0.05) for c in sizes
    }
    watched = watch(*((4_000, 20, 40) if quick else (20_000, 60, 70)))
    figures = {
        "final-losses": draw_losses(trained),
        "plateaus": draw_plateaus(watched),
    }
    datasets = {f"random-starts-{c}": ds for c, ds in trained.items()}
    datasets |= {f"polygon-starts-{c}": ds for c, ds in starts.items()}
    return Outcome(
        findings=findings(trained, starts, watched),
        figures=figures,
        datasets={**datasets, "watched": watched},
    )


EXPERIMENT = Experiment(
    title="Regular polygons as stationary points",
    source="Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301)",
    minutes=1.8,
    run=run,
)

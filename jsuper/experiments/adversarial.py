r"""Does superposition make models vulnerable to adversarial examples?

Elhage et al. 2022, "Superposition and Adversarial Vulnerability". ReLU output models
over a sweep of densities, attacked with the paper's analytic attack of 0.1 times the mean
norm of the inputs: for every example the worst of the directions $\pm (W W^\top)_i$. The
rise of the loss is divided by that of a model without superposition on the same inputs,
and compared with the features per dimension $1/D^*$. Then models are trained under
attacks of growing size, until superposition is gone.

The paper states the attack, not the size of the models, the densities, the training or
which inputs the mean norm is taken over. Ours: 100 features in 20 dimensions, importance
1, 12 densities, 4 seeds; the model without superposition is 20 dedicated features, which
the attack costs exactly $\epsilon^2 / n$; and both readings of the attack's size, a tenth
of the mean norm at each density and a tenth of that of dense inputs. Adversarial training:
20 features in 5 dimensions, three densities, 3 seeds, every example attacked.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.ticker import StrMethodFormatter
from scipy import stats

import jsuper as js
from jsuper import adversarial
from jsuper.experiments.outcome import Experiment, Finding, Outcome
from jsuper.plots import style
from jsuper.plots.style import Figure

ATTACK = 0.1
"""Norm of the attack over the mean norm of the inputs (the paper's)."""

SIZES = ("of this density's inputs", "of dense inputs")
"""The two readings of the mean norm."""

TRAINING_SIZES = [0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6]


def task(density, n_features: int, n_hidden: int) -> js.Task:
    """ReLU output model, importance 1."""
    return js.Task(
        js.SparseFeatures(n_features, density), js.ToyModel(n_features, n_hidden)
    )


def trained(n_features: int, n_hidden: int, densities, seeds: int, steps: int):
    """Models trained without attack, over densities and seeds."""
    build = functools.partial(task, n_features=n_features, n_hidden=n_hidden)
    recipe = js.Recipe(steps=steps, optimizer=js.decaying_adam(steps))
    axes = {"density": densities, "seed": seeds}
    return js.measure(js.sweep(build, axes, recipe, key=jax.random.key(0)))


def dedicated_params(n_features: int, n_hidden: int, density) -> dict[str, jax.Array]:
    """No superposition: m features returned exactly, the mean p / 2 for the others."""
    bias = jnp.where(jnp.arange(n_features) < n_hidden, 0.0, density / 2)
    return {"W": jnp.eye(n_features, n_hidden), "b": bias}


def attacked(ds: xr.Dataset, batch_size: int = 1024) -> xr.Dataset:
    """Adds relative vulnerabilities, and what a gradient attack reaches of them.

    Returns:
        The dataset with ``vulnerability`` (density, seed, size), the rise of the loss over
        that of the dedicated model; ``gradient`` (density, seed), the rise under projected
        gradient ascent over that under the analytic attack (first size); ``no_gradient``
        (density, seed), the fraction of clean inputs at which the loss has no slope.
    """
    build = functools.partial(
        task, n_features=ds.sizes["feature"], n_hidden=ds.sizes["hidden"]
    )
    key, gradient_key = jax.random.split(jax.random.key(1))

    @jax.jit
    def mean_norm(density):
        return adversarial.mean_norm(build(density).features.sample(key, batch_size))

    @jax.jit
    def rises(density, params, size):
        return jax.lax.map(
            lambda p: adversarial.vulnerability(build(density), p, key, batch_size, size),
            params,
        )

    @jax.jit
    def gradients(density, params):
        model = build(density)
        x = model.features.sample(key, batch_size)
        norm = ATTACK * adversarial.mean_norm(x)

        def one(params):
            def loss(x_attacked):
                error = x - model.model.apply(params, x_attacked)
                return jnp.mean(error**2)

            found = adversarial.gradient_attack(model, params, x, norm, gradient_key)
            silent = (jax.grad(loss)(x) == 0).all(axis=-1)
            return loss(found) - loss(x), jnp.mean(silent)

        return jax.lax.map(one, params)

    rows = []
    for i, density in enumerate(ds["density"].values):
        params = {name: jnp.asarray(ds[name].values[i]) for name in ("W", "b")}
        plain = dedicated_params(ds.sizes["feature"], ds.sizes["hidden"], density)
        plain = jax.tree.map(lambda a: a[None], plain)
        sizes = (ATTACK, ATTACK * float(mean_norm(1.0) / mean_norm(density)))
        rise = [rises(density, params, size) for size in sizes]
        base = [rises(density, plain, size) for size in sizes]
        gradient, silent = gradients(density, params)
        relative = np.array([r / b for r, b in zip(rise, base, strict=True)])
        rows.append((relative.T, np.asarray(gradient / rise[0]), np.asarray(silent)))
    relative, gradient, silent = (np.array(column) for column in zip(*rows, strict=True))
    return ds.assign(
        vulnerability=(("density", "seed", "size"), relative),
        gradient=(("density", "seed"), gradient),
        no_gradient=(("density", "seed"), silent),
    ).assign_coords(size=list(SIZES))


def correlation(ds: xr.Dataset) -> tuple[float, float, float]:
    """Correlation over densities of vulnerability with 1/D*: mean and 95 % interval.

    One correlation for each seed, averaged on Fisher's scale; Student's t over seeds.
    """
    r = xr.corr(ds["vulnerability"], ds["features_per_dimension"], "density").values
    z = np.arctanh(r)
    half = stats.t.ppf(0.975, len(z) - 1) * z.std(ddof=1) / np.sqrt(len(z))
    mean, low, high = np.tanh([z.mean(), z.mean() - half, z.mean() + half])
    return float(mean), float(low), float(high)


def under_attack(densities, sizes, seeds: int, steps: int) -> xr.Dataset:
    """Models trained under attack: 20 features in 5 dimensions."""

    def build(density, attack):
        return adversarial.AdversarialTask(task(density, 20, 5), attack)

    recipe = js.Recipe(steps=steps, batch_size=512, optimizer=js.decaying_adam(steps))
    axes = {"density": densities, "attack": sizes, "seed": seeds}
    ds = js.measure(js.sweep(build, axes, recipe, key=jax.random.key(2)))
    ds["attack"].attrs["long_name"] = "attack in training / mean norm of inputs"
    return ds


def removal(ds: xr.Dataset) -> xr.DataArray:
    """The smallest attack from which on at most 1.1 features are stored per dimension.

    Infinite where the largest attack of the sweep does not suffice.
    """
    stored = ds["features_per_dimension"] > 1.1
    last = (stored.cumsum("attack") * stored).argmax("attack")
    following = np.append(ds["attack"].values, np.inf)
    first = last.copy(data=following[last.values + 1])
    return first.where(stored.any("attack"), ds["attack"].values[0])


def draw_vulnerability(ds: xr.Dataset) -> Figure:
    """Vulnerability above features per dimension, and one against the other."""
    figure = Figure(figsize=(7.6, 4.4), layout="constrained")
    panels = figure.subplot_mosaic([["over", "against"], ["stored", "against"]])
    over, stored, against = panels["over"], panels["stored"], panels["against"]
    x = 1 / ds["density"].values
    looks = (("blue", "o", "-"), ("vermilion", "s", "--"))
    for size, (color, marker, line) in zip(SIZES, looks, strict=True):
        v, color = ds["vulnerability"].sel(size=size), style.PALETTE[color]
        low, high = v.min("seed"), v.max("seed")
        over.fill_between(x, low, high, color=color, alpha=0.25, linewidth=0)
        label = f"0.1 × mean norm {size}"
        over.plot(x, v.mean("seed"), line, marker=marker, ms=3, color=color, label=label)
        against.plot(
            ds["features_per_dimension"].values.ravel(),
            v.values.ravel(),
            marker,
            ms=3.5,
            color=color,
            markerfacecolor="none",
            markeredgewidth=0.8,
        )
    d = ds["features_per_dimension"]
    stored.fill_between(x, d.min("seed"), d.max("seed"), color="0.8", linewidth=0)
    stored.plot(x, d.mean("seed"), "-", marker="^", ms=3, color="0.2")
    most = float(d.max()) * 1.04
    against.plot([1, most], [1, most], color="0.6", linewidth=0.8)
    against.annotate(
        "equal", (most, most), (0, -14), textcoords="offset points", fontsize=7,
        ha="right", color="0.4",
    )  # fmt: skip
    top = float(ds["vulnerability"].max()) * 1.45
    over.set(ylabel="relative vulnerability\n$(L'-L)\\,/\\,(L'_0-L_0)$", ylim=(0, top))
    over.legend(fontsize=7, loc="upper left", title="norm of the attack", title_fontsize=7)
    stored.set(xlabel="1 / density", ylabel="features per dimension $1/D^*$")
    stored.set_ylim(bottom=0)
    for panel in (over, stored):
        panel.set_xscale("log")
        panel.grid(color="0.92")
        panel.set_axisbelow(True)
    over.sharex(stored)
    over.tick_params(labelbottom=False)
    stored.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    against.set(xlabel="features per dimension $1/D^*$", ylabel="relative vulnerability")
    against.set_ylim(bottom=0)
    for panel in panels.values():
        panel.tick_params(labelsize=7)
        panel.xaxis.label.set_fontsize(8)
        panel.yaxis.label.set_fontsize(8)
    return figure


def draw_training(ds: xr.Dataset) -> Figure:
    """What adversarial training leaves of superposition."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    stored, counts = figure.subplots(1, 2)
    looks = (("blue", "o"), ("vermilion", "s"), ("green", "^"))
    x = ds["attack"].values
    for density, (color, marker) in zip(ds["density"].values, looks, strict=False):
        cell, color = ds.sel(density=density), style.PALETTE[color]
        for panel, name in ((stored, "features_per_dimension"), (counts, "superposed")):
            y = cell[name]
            low, high = y.min("seed"), y.max("seed")
            panel.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
            panel.plot(
                x, y.mean("seed"), marker=marker, ms=3.5, lw=1.2, color=color,
                label=f"density {style.number(density)}",
            )  # fmt: skip
    stored.axhline(1, color="0.5", linewidth=0.8, linestyle="--")
    stored.set_ylabel("features per dimension $1/D^*$", fontsize=8)
    counts.set_ylabel("features superposed (of 20)", fontsize=8)
    counts.legend(fontsize=7, loc="upper right")
    for panel in (stored, counts):
        panel.axvline(0.8, color="0.7", linewidth=0.8, linestyle=":")
        panel.set_xlabel("attack in training / mean norm of inputs", fontsize=8)
        panel.set_ylim(bottom=-0.02 * panel.get_ylim()[1])
        panel.tick_params(labelsize=7)
    stored.annotate(
        "the paper's 80 %", (0.8, 0.98), (3, 0), xycoords=("data", "axes fraction"),
        textcoords="offset points", fontsize=7, va="top", color="0.4",
    )  # fmt: skip
    return figure


def findings(ds: xr.Dataset, training: xr.Dataset) -> list[Finding]:
    """The paper's statements beside the measurements."""
    rise, track, ratio = [], [], []
    for size in SIZES:
        chosen = ds.sel(size=size)
        v = chosen["vulnerability"]
        peak = v.mean("seed").argmax("density").item()
        rise.append((v.isel(density=peak), v.isel(density=-1)))
        track.append(correlation(chosen))
        ratio.append((v / chosen["features_per_dimension"]).mean("seed"))
    texts = [
        f"× {float(best.mean()):.1f} ± {float(best.std()):.1f} at density "
        f"{float(best['density']):.2g} ({float(last.mean()):.1f} at "
        f"{float(last['density']):.2g}) for an attack of a tenth of the mean norm {size}"
        for size, (best, last) in zip(SIZES, rise, strict=True)
    ]
    correlations = [
        f"correlation {mean:.3f} [{low:.3f}, {high:.3f}], ratio to 1/D* from "
        f"{float(r.min()):.2f} to {float(r.max()):.2f} ({size})"
        for size, (mean, low, high), r in zip(SIZES, track, ratio, strict=True)
    ]
    sparsest = ds.isel(density=-1)
    stored = training["features_per_dimension"]
    first, strong = stored.isel(attack=0), stored.sel(attack=0.8)
    gone = removal(training)
    needed = gone.mean("seed")
    each = [
        f"{float(g.mean()):.2f} (from {float(g.min()):.1f} to {float(g.max()):.1f})"
        if np.isfinite(g).all()
        else f"more than {TRAINING_SIZES[-1]}"
        for g in gone.transpose("density", "seed").values
    ]
    densities = training["density"].values
    return [
        Finding(
            "vulnerability rises more than 3 times as superposition forms",
            "; ".join(texts),
            all(float(b.min()) > 3 for b, _ in rise),
        ),
        Finding(
            "it tracks the features per dimension (high correlation)",
            "; ".join(correlations),
            all(low > 0.8 for _, low, _ in track),
        ),
        Finding(
            "attacks along the gradient fail at high sparsity",
            f"projected gradient ascent reaches {float(sparsest['gradient'].mean()):.2f} ± "
            f"{float(sparsest['gradient'].std()):.2f} of the analytic attack at density "
            f"{float(sparsest['density']):.2g}, "
            f"{float(ds['gradient'].isel(density=0).mean()):.2f} at density 1; the loss "
            f"has no slope at {float(sparsest['no_gradient'].mean()):.0%} of the inputs",
            bool(sparsest["gradient"].mean() < 0.5),
        ),
        Finding(
            "adversarial training reduces superposition",
            "1/D* without attack, and at 80 % of the mean norm: "
            + "; ".join(
                f"{float(first.sel(density=p).mean()):.2f} and "
                f"{float(strong.sel(density=p).mean()):.2f} ± "
                f"{float(strong.sel(density=p).std()):.2f} (density {p:g})"
                for p in densities
            ),
            bool((strong.max("seed") < first.min("seed") - 0.1).all()),
        ),
        Finding(
            "an attack of about 80 % of the inputs' norm removes it",
            "1/D* is down to 1 from an attack of "
            + "; ".join(
                f"{text} at density {p:g}" for p, text in zip(densities, each, strict=True)
            ),
            bool((abs(needed - 0.8) <= 0.2).all()),
        ),
    ]


def run(quick: bool = False) -> Outcome:
    """Trains, attacks, draws."""
    if quick:
        ds = trained(30, 6, js.log_densities(4, lowest=0.03), seeds=2, steps=600)
        training = under_attack([0.1], [0, 0.8, 1.2], seeds=2, steps=400)
    else:
        ds = trained(100, 20, js.log_densities(12, lowest=0.01), seeds=4, steps=2500)
        training = under_attack([0.3, 0.1, 0.03], TRAINING_SIZES, seeds=3, steps=1500)
    ds = attacked(ds)
    return Outcome(
        findings(ds, training),
        {
            "vulnerability": draw_vulnerability(ds),
            "adversarial-training": draw_training(training),
        },
        {"adversarial": ds, "adversarial-training": training},
    )


EXPERIMENT = Experiment(
    title="Superposition and adversarial vulnerability",
    source='"Superposition and Adversarial Vulnerability"',
    minutes=1.0,
    run=run,
)

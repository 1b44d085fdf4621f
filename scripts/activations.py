r"""Which activations superpose, and from which density on? One sweep measures it.

Ten activations at ten densities, with two widths and eight seeds, are one call: activation
and width are axes like the density, and each of their combinations compiles once.

A linear map through m dimensions explains at most m of n equal, independent features: the
sum over features of R_i^2 = 1 - E (x_i - x'_i)^2 / Var x_i is at most m. What exceeds m is
superposition, whatever an activation does to the scale of the weights. Run it with

    python scripts/activations.py --out docs/gallery/results/activations
"""

import argparse
import itertools
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from scipy.stats import bootstrap

import jsuper as js
from jsuper.plots import style

N = 10
MARGIN = 1.05  # 5% more than any linear map


def exrelu(z):
    """ExReLU at the threshold of the review's figure."""
    return js.exrelu(z, -0.25)


ACTIVATIONS = {
    "relu": "relu",
    "leaky_relu": jax.nn.leaky_relu,
    "sigmoid": "sigmoid",
    "exrelu": exrelu,
    "gelu": "gelu",
    "softplus": "softplus",
    "silu": "silu",
    "elu": jax.nn.elu,
    "tanh": "tanh",
    "linear": "linear",
}


def task(density, n_hidden, activation):
    """Equal features, to be stored in few dimensions."""
    model = js.ToyModel(N, n_hidden, activation=ACTIVATIONS[activation])
    return js.Task(js.SparseFeatures(N, density), model)


def main() -> None:
    """Trains, measures, plots and reports."""
    parser = argparse.ArgumentParser(description="Superposition by activation.")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder to fill")
    parser.add_argument("--seeds", type=int, default=8, help="seeds of each cell")
    parser.add_argument("--steps", type=int, default=8_000, help="training steps")
    options = parser.parse_args()
    js.use_cpu_cores()

    axes = {
        "activation": list(ACTIVATIONS),
        "n_hidden": [2, 4],
        "density": js.log_densities(10, lowest=0.01),
        "seed": options.seeds,
    }
    recipe = js.Recipe(options.steps, 512, js.decaying_adam)
    ds = js.sweep(task, axes, recipe, key=jax.random.key(0))
    ds["explained"] = explained(ds, key=jax.random.key(1))
    onsets = {
        (name, m): onset(ds["explained"].sel(activation=name, n_hidden=m))
        for name, m in itertools.product(ACTIVATIONS, axes["n_hidden"])
    }
    rows = pd.DataFrame.from_dict(onsets, orient="index").rename_axis(
        ["activation", "n_hidden"]
    )

    # The same with a tenth of the rate and no decay: the official notebook's recipe.
    some = {"activation": ["relu", "sigmoid", "softplus", "tanh"], "n_hidden": [2]}
    slow = js.sweep(task, axes | some, js.Recipe(options.steps), key=jax.random.key(0))
    slow["explained"] = explained(slow, key=jax.random.key(1))

    options.out.mkdir(parents=True, exist_ok=True)
    js.save(ds, options.out / "activations.nc", force=True)
    js.save(slow, options.out / "notebook_recipe.nc", force=True)
    rows.to_csv(options.out / "onsets.csv", float_format="%.4g")
    findings = options.out / "findings.md"
    findings.write_text(table(rows), encoding="utf-8")
    draw_explained(ds["explained"]).savefig(options.out / "explained.png", dpi=150)
    draw_embeddings(ds).savefig(options.out / "embeddings.png", dpi=150)
    both = js.concat({"decaying": ds.sel(some), "notebook": slow}, "recipe")["explained"]
    draw_recipes(both).savefig(options.out / "recipes.png", dpi=150)
    print(findings.read_text(encoding="utf-8"))
    print(both.isel(n_hidden=0).mean("seed").to_series().unstack().round(2).to_string())


def explained(ds: xr.Dataset, key: jax.Array) -> xr.DataArray:
    """The sum of R^2 over features, for each hidden dimension.

    The variance is the loss of models that always return the mean, on the same data.
    """
    mean = 0.5 * ds["density"] * xr.ones_like(ds["importance"])
    constant = xr.Dataset({"W": 0 * mean.expand_dims(hidden=1, axis=-1), "b": mean})
    constant = constant.assign_coords(activation="linear", n_hidden=1)
    loss, variance = (
        js.losses(task, models, key=key, batches=256)["loss"] for models in (ds, constant)
    )
    share = 1 - loss / variance.drop_vars(["activation", "n_hidden"])
    return (N * share / ds["n_hidden"]).assign_attrs(
        long_name="features explained per hidden dimension"
    )


def onset(explained: xr.DataArray) -> dict[str, float]:
    """The density below which the mean over seeds exceeds the margin, and how far it goes.

    The interval holds 95% of resamplings of the seeds; all is NaN if it never does.
    """
    values = explained.transpose("density", "seed").values
    logs = np.log(explained["density"].values)

    def crossing(seeds):
        over = np.flatnonzero(values[:, seeds].mean(1) > MARGIN)
        if not len(over) or over[0] == 0:
            return np.nan
        around = [over[0] - 1, over[0]]
        mean = values[around][:, seeds].mean(1)
        return float(np.exp(np.interp(MARGIN, mean, logs[around])))

    seeds = np.arange(values.shape[1])
    found, low, high = crossing(seeds), np.nan, np.nan
    if np.isfinite(found):
        resampled = bootstrap(
            (seeds,),
            crossing,
            vectorized=False,
            n_resamples=2_000,
            method="percentile",
            rng=np.random.default_rng(0),
        )
        low, high = resampled.confidence_interval
    most = values.mean(1).argmax()
    return {
        "onset": found,
        "low": low,
        "high": high,
        "most": float(values[most].mean()),
        "most_std": float(values[most].std(ddof=1)),
        "at_density": float(np.exp(logs[most])),
    }


def table(rows: pd.DataFrame) -> str:
    """The onsets as a table in Markdown, a row for each activation."""
    lines = [
        "| activation | superposes from density, m = 2 | m = 4 | at most, m = 2 | m = 4 |",
        "|---|---|---|---|---|",
    ]
    for name in ACTIVATIONS:
        of_name = [rows.loc[(name, m)] for m in (2, 4)]
        onsets = [
            f"{r.onset:.2f} ({r.low:.2f} to {r.high:.2f})" if np.isfinite(r.onset) else "no"
            for r in of_name
        ]
        most = [f"{r.most:.2f} ± {r.most_std:.2f}" for r in of_name]
        lines.append(f"| {name} | {' | '.join(onsets + most)} |")
    return "\n".join(lines) + "\n"


LOOK = {
    "relu": ("blue", "-"),
    "leaky_relu": ("blue", ":"),
    "sigmoid": ("vermilion", "-"),
    "exrelu": ("sky", "-"),
    "gelu": ("green", "-"),
    "softplus": ("orange", "-"),
    "silu": ("green", ":"),
    "elu": ("purple", "-"),
    "tanh": ("black", ":"),
    "linear": ("black", "-"),
}


def draw_explained(explained: xr.DataArray) -> Figure:
    """Features explained per dimension along the density: mean and range of the seeds."""
    figure = style.Figure(figsize=(8.5, 3.6), layout="constrained", dpi=150)
    panels = figure.subplots(1, 2, sharey=True)
    density = explained["density"].values
    for panel, m in zip(panels, explained["n_hidden"].values, strict=True):
        for name, (color, line) in LOOK.items():
            curve = explained.sel(activation=name, n_hidden=m)
            color = style.PALETTE[color]
            low, high = curve.min("seed"), curve.max("seed")
            panel.fill_between(density, low, high, color=color, alpha=0.15, lw=0)
            panel.plot(density, curve.mean("seed"), line, color=color, lw=1.6, label=name)
        panel.axhline(1, color="0.6", lw=0.7, zorder=0)
        panel.set(xscale="log", xlim=(1, 0.01), xlabel="density")
        panel.set_title(f"{N} features, {m} dimensions", fontsize=10)
        style.plain_log(panel.xaxis)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("features explained per dimension")
    panels[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def draw_recipes(explained: xr.DataArray) -> Figure:
    """The same activations trained by two recipes, a panel for each."""
    names = explained["activation"].values
    figure = style.Figure(
        figsize=(2.2 * len(names) + 0.4, 2.6), layout="constrained", dpi=150
    )
    panels = figure.subplots(1, len(names), sharey=True)
    density = explained["density"].values
    for panel, name in zip(panels, names, strict=True):
        for recipe, line in (("decaying", "-"), ("notebook", "--")):
            curve = explained.sel(activation=name, recipe=recipe, n_hidden=2)
            color = style.PALETTE["blue" if recipe == "decaying" else "vermilion"]
            low, high = curve.min("seed"), curve.max("seed")
            panel.fill_between(density, low, high, color=color, alpha=0.2, lw=0)
            panel.plot(density, curve.mean("seed"), line, color=color, lw=1.6, label=recipe)
        panel.axhline(1, color="0.6", lw=0.7, zorder=0)
        panel.set(xscale="log", xlim=(1, 0.01), xlabel="density")
        panel.set_title(name, fontsize=10)
        style.plain_log(panel.xaxis)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("features explained\nper dimension")
    panels[0].legend(frameon=False)
    return figure


def draw_embeddings(ds: xr.Dataset) -> Figure:
    """Embeddings of the best model of each activation, scaled to the longest one."""
    ds = js.padding.trim(ds.sel(n_hidden=2)).sel(density=[0.22, 0.05], method="nearest")
    longest = ((ds["W"] ** 2).sum("hidden") ** 0.5).max("feature")
    ds = ds.assign(W=ds["W"] / longest).transpose("activation", "density", ...)
    return js.plots.embeddings(ds.drop_vars("n_hidden"))


if __name__ == "__main__":
    main()

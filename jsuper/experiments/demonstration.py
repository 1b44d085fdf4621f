"""How many features does a model store as they become sparser, and at what price?

Elhage et al. 2022, "Demonstrating Superposition" (arXiv 2209.10652): a small model (20
features, 5 dimensions, importance 0.7^i), a larger one (80 features, 20 dimensions,
importance 0.9^i) at seven densities, and the linear model beside them. Besides, the sweep
of the official notebook (100 features, 20 dimensions, cells 10 to 14).

The paper's: sizes, importances, densities. Ours: optimizer, steps, seeds, and what counts
as a full bar (norm above 0.8) and as a dark one (represented and alone in its dimension,
superposition below 1/4). The notebook's sweep runs with our recipe, not with its own.
"""

import jax
import numpy as np
import xarray as xr

import jsuper as js
from jsuper import plots
from jsuper.experiments.outcome import Experiment, Finding, Outcome

DENSITIES = [1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]
FULL = 0.8
"""Norm from which a bar is full; shorter ones above 0.3 are stubs."""

POSITIVE = 0.1
"""Product of embeddings (of represented features) from which interference is positive."""

STATED = {1.0: (5, 5), 0.3: (7, 3), 0.1: (9, 1), 0.03: (10, 0), 0.01: (11.5, 0)}
"""Full and dark bars that the paper's figure of the small model shows, by density."""


def small(density, threshold=0.0):
    """20 features in 5 dimensions; threshold −inf is the linear model."""
    return _task(density, threshold, 20, 5, js.geometric_importance(20, 0.7))


def large(density):
    """80 features in 20 dimensions."""
    return _task(density, 0.0, 80, 20, js.geometric_importance(80, 0.9))


def notebook(density):
    """100 features in 20 dimensions, importance from 1 to 1/100."""
    return _task(density, 0.0, 100, 20, js.log_importance(100, 1 / 100))


def _task(density, threshold, n_features, n_hidden, importance):
    features = js.SparseFeatures(n_features, density)
    return js.Task(features, js.ToyModel(n_features, n_hidden, threshold), importance)


def train(build, axes, steps: int) -> xr.Dataset:
    """Trains and measures a grid, and counts bars."""
    recipe = js.Recipe(steps=steps, optimizer=js.decaying_adam(steps), eval_batches=256)
    ds = js.sweep(build, axes, recipe, key=jax.random.key(0), progress=False)
    return count(js.measure(ds))


def count(ds: xr.Dataset) -> xr.Dataset:
    """Adds counts of full bars, stubs, positive interference and negative biases."""
    norm = ds["norm"]
    full = norm > FULL
    W = ds["W"].transpose(..., "feature", "hidden").values
    W = np.where(norm.transpose(..., "feature").values[..., None] > 0.5, W, 0.0)
    products = W @ np.swapaxes(W, -1, -2)
    products[..., *np.diag_indices(W.shape[-2])] = 0
    dims = ds["W"].transpose(..., "feature", "hidden").dims[:-2]
    return ds.assign(
        full=full.sum("feature"),
        stubs=((norm > 0.3) & ~full).sum("feature"),
        negative_biases=(full & (ds["b"] < -0.02)).sum("feature"),
        positive_interference=(dims, (products > POSITIVE).sum((-2, -1)) // 2),
    )


def spread(values: xr.DataArray) -> str:
    """The best seed's number is given elsewhere; this is the range over all seeds."""
    low, high = int(values.min()), int(values.max())
    return str(low) if low == high else f"{low} to {high}"


def bars(ds: xr.Dataset, best: xr.Dataset, density: float) -> tuple[int, int, str]:
    """Full and dark bars of the best seed, and a sentence on all seeds."""
    one = best.sel(density=density, method="nearest")
    cell = ds.sel(density=density, method="nearest")
    full, dark, stubs = int(one["full"]), int(one["dedicated"]), int(one["stubs"])
    text = (
        f"best seed: {full} full, {stubs} stubs, {dark} dark; "
        f"seeds: {spread(cell['full'])} full, {spread(cell['dedicated'])} dark"
    )
    return full, dark, text


def findings_small(ds: xr.Dataset) -> list[Finding]:
    """The paper's figure of the small model."""
    best = js.best_seed(ds)
    found = []
    for density, (stated_full, stated_dark) in STATED.items():
        full, dark, text = bars(ds, best, density)
        number = "11 to 12" if density == 0.01 else f"{stated_full:g}"
        note = " and 2 stubs" if density == 0.03 else ""
        found.append(
            Finding(
                f"20 features, 5 dimensions, density {density:g}: {number} full "
                f"bars{note}, {stated_dark} dark",
                text,
                abs(full - stated_full) <= 1 and abs(dark - stated_dark) <= 1,
            )
        )
    sparse = best.sel(density=[0.003, 0.001], method="nearest")
    found.append(
        Finding(
            "20 features, 5 dimensions, densities 0.003 and 0.001: 11 to 12 full bars, "
            "0 dark",
            "; ".join(f"{p:g}: {bars(ds, best, p)[2]}" for p in (0.003, 0.001)),
            bool(
                (abs(sparse["full"] - 11.5) <= 1).all() & (sparse["dedicated"] == 0).all()
            ),
        )
    )
    pairs = best["positive_interference"].values
    biases = best["negative_biases"].values
    numbers = [
        f"{p:g}: {pair}, {bias}"
        for p, pair, bias in zip(DENSITIES, pairs, biases, strict=True)
    ]
    first = DENSITIES.index(0.01)
    found.append(
        Finding(
            "from density 0.01 down: positive interference and negative biases",
            "pairs with positive interference, negative biases by density: "
            + "; ".join(numbers),
            bool((pairs[first:] > 2).all() and (biases[first:] > 2).all()),
        )
    )
    return found


def findings_large(large_ds: xr.Dataset, small_ds: xr.Dataset) -> list[Finding]:
    """The larger model as a copy of the small one."""
    best, small_best = js.best_seed(large_ds), js.best_seed(small_ds)
    dense = best.isel(density=0)
    dark = best["dedicated"].values
    last = [p for p, n in zip(best["density"].values, dark, strict=True) if n > 0][-1]
    ratios = best["full"].values / small_best["full"].values
    return [
        Finding(
            "80 features, 20 dimensions, dense: 20 dedicated",
            f"best seed: {int(dense['dedicated'])} dedicated of "
            f"{int(dense['represented'])} represented; seeds: "
            f"{spread(large_ds.isel(density=0)['dedicated'])} dedicated",
            int(dense["dedicated"]) == int(dense["represented"]) == 20,
        ),
        Finding(
            "80 features, 20 dimensions: the last dark bar at density 0.01 or so",
            "dark bars by density: "
            + ", ".join(
                f"{p:g}: {int(n)}"
                for p, n in zip(best["density"].values, dark, strict=True)
            )
            + f"; last at {last:g}",
            0.003 <= last <= 0.03,
        ),
        Finding(
            "80 features, 20 dimensions: the small model's picture, four times as large",
            "full bars relative to the small model's by density: "
            + ", ".join(
                f"{p:g}: {r:.1f}"
                for p, r in zip(best["density"].values, ratios, strict=True)
            ),
            bool((abs(ratios - 4) < 1).all()),
        ),
    ]


def findings_linear(linear: xr.Dataset, small_ds: xr.Dataset) -> list[Finding]:
    """The linear model beside the one with ReLU."""
    W = linear["W"].transpose(..., "feature", "hidden").values
    ideal = np.diag((np.arange(20) < 5).astype(float))
    gap = abs(W @ np.swapaxes(W, -1, -2) - ideal).max((-2, -1))
    right = gap < 0.15
    by_density = [
        f"{p:g}: {100 * share:.0f} % ({worst:.2f})"
        for p, share, worst in zip(
            linear["density"].values, right.mean(1), gap.min(1), strict=True
        )
    ]
    best = js.best_seed(linear)
    top = (best["norm"].transpose("density", "feature").values > 0.5) == (np.arange(20) < 5)
    relu = js.best_seed(small_ds)["represented"].values
    return [
        Finding(
            "the linear model stores the 5 most important features only, at every density",
            "seeds with W Wᵀ within 0.15 of the identity block, by density (least gap): "
            + ", ".join(by_density),
            bool(top.all() and (gap.min(1) < 0.15).all()),
        ),
        Finding(
            "with ReLU the model stores more than 5 once features are sparse",
            "features represented, linear and ReLU: "
            + ", ".join(
                f"{p:g}: {int(n)} and {int(k)}"
                for p, n, k in zip(
                    best["density"].values, best["represented"].values, relu, strict=True
                )
            ),
            bool((relu[1:] > 5).all() and (best["represented"] == 5).all()),
        ),
    ]


def run(quick: bool = False) -> Outcome:
    """Trains the small model with and without ReLU, the large one, the notebook's."""
    densities = {"density": DENSITIES}
    steps, seeds = (1_000, 4) if quick else (4_000, 24)
    relu = train(small, densities | {"seed": seeds}, steps)
    linear = train(
        lambda density: small(density, -np.inf),
        densities | {"seed": min(8, seeds)},
        steps,
    )
    found = findings_small(relu) + findings_linear(linear, relu)
    figures = {
        "small": plots.demonstration(relu),
        "linear": plots.demonstration(linear.sel(density=[1.0, 0.1, 0.001])),
    }
    datasets = {"small": relu, "linear": linear}
    if not quick:
        big = train(large, densities | {"seed": 4}, steps)
        every_other = js.log_densities(20, lowest=1 / 20)[::2]
        sweep = train(notebook, {"density": every_other, "seed": 2}, steps)
        found += findings_large(big, relu)
        figures |= {
            "large": plots.demonstration(
                big.sel(density=[1.0, 0.3, 0.1, 0.03, 0.01, 0.001])
            ),
            "notebook": plots.demonstration(sweep.isel(density=[0, 2, 4, 6, 9])),
        }
        datasets |= {"large": big, "notebook": sweep}
    return Outcome(findings=found, figures=figures, datasets=datasets)


EXPERIMENT = Experiment(
    title="Demonstrating superposition",
    source="Demonstrating Superposition, basic results",
    minutes=1.5,
    run=run,
)

"""One map trained in five ways, and the best solution known for each of its cells."""

import itertools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments import exrelu
from jsuper.experiments.experiment import setting
from jsuper.experiments.exrelu.train import IMPORTANCE

STARTS = {
    "exact, small": (0.1, 0.0),
    "exact, large": (1.0, 0.0),
    "exact, biases": (1.0, -0.6),
}
"""Of exact training: standard deviation of the initial weights, and the lowest bias."""

FINE = 0.003
"""First learning rate from models that are nearly at rest."""

MARGIN = 1e-3
"""How far below a threshold the biases of silent outputs are set."""


@dataclass(frozen=True)
class Settings:
    """Densities, thresholds and numbers of models."""

    densities: tuple[float, ...] = exrelu.EXPERIMENT.full.densities
    thresholds: tuple[float, ...] = (
        *(-1.0, -0.9, -0.8, -0.78, -0.75, -0.7, -0.65, -0.6, -0.55, -0.5),
        *(-0.45, -0.4, -0.3, -0.25, -0.2, -0.1, 0.0, 0.1),
    )
    seeds: int = setting(8, "on samples: seeds")
    sampled_steps: int = setting(10_000, "on samples: steps")
    bandwidth: float = setting(0.2, "straight-through: bandwidth")
    starts: int = setting(64, "exact: starts")
    steps: int = setting(1_000, "exact: steps")
    rate: float = setting(0.1, "exact: first learning rate")


FULL = Settings()
QUICK = Settings(
    densities=(1.0, 0.2, exrelu.EXPERIMENT.full.densities[-1]),
    thresholds=(-1.0, -0.75, -0.6, -0.25, 0.0),
    seeds=4,
    sampled_steps=2_000,
    starts=16,
    steps=300,
)


def task(density, threshold, bandwidth=None) -> js.Task:
    """Five features of importance 0.9^i in two dimensions, trained on samples."""
    model = js.ToyModel(5, 2, threshold, bandwidth=bandwidth)
    return js.Task(js.SparseFeatures(5, density), model, jnp.asarray(IMPORTANCE))


def exact(density, threshold) -> js.Population:
    """The same on the expected loss, whose gradient sees the jump."""
    return js.Population(task(density, threshold))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the map in five ways and from solutions set by hand, and takes the best."""
    s = settings
    cells = {"density": s.densities, "threshold": s.thresholds}
    on_samples = js.Recipe(s.sampled_steps, log_every=s.sampled_steps)

    def fit(build, recipe, key, **more) -> xr.Dataset:
        start = more.pop("start", None)
        axes = {**cells, **more}
        return js.sweep(build, axes, recipe, key=jax.random.key(key), start=start)

    def without_noise(rate):
        return js.Recipe(s.steps, None, js.decaying_adam(s.steps, rate), log_every=s.steps)

    through = fit(task, on_samples, 1, bandwidth=[s.bandwidth], seed=s.seeds)
    ways = {
        "sampled": fit(task, on_samples, 0, seed=s.seeds),
        "straight-through": through.isel(bandwidth=0, drop=True),
    }
    for name, (std, lowest_bias) in STARTS.items():
        start = random_starts(s.starts, std, lowest_bias)
        ways[name] = fit(exact, without_noise(s.rate), 2, seed=s.starts, start=start)
    best = {name: solution(js.best_seed(ds)) for name, ds in ways.items()}
    # Training seldom lets features pass each other, and the order around a pentagon counts.
    for name, _ in itertools.product(STARTS, range(2)):
        start = swaps(best[name])
        after = fit(exact, without_noise(FINE), 5, seed=start.sizes["seed"], start=start)
        best[name] = solution(js.best_seed(after))
    for name, start in set_by_hand(s, best["exact, small"]).items():
        placed = start.assign_coords({axis: list(values) for axis, values in cells.items()})
        best[name] = solution(js.losses(exact, placed, key=jax.random.key(3)))
        after = fit(exact, without_noise(FINE), 4, seed=1, start=start)
        best[f"{name}, trained on"] = solution(after.isel(seed=0))
    candidates = xr.concat(best.values(), xr.Variable("way", list(best)), join="exact")
    superposed = {name: js.measure(ds)["superposed"] for name, ds in ways.items()}
    return {
        "candidates": js.measure(candidates),
        "known": js.measure(best_known(candidates)),
        "superposed": xr.Dataset(superposed).drop_vars("sparsity", errors="ignore"),
    }


def random_starts(n: int, std: float, lowest_bias: float) -> xr.Dataset:
    """Normal weights, and biases from the lowest to 0, of one size in each start."""
    W = std * np.random.default_rng(0).normal(size=(n, 5, 2))
    b = np.linspace(lowest_bias, 0, n)[:, None].repeat(5, 1)
    dims = "seed", "feature"
    return xr.Dataset({"W": ((*dims, "hidden"), W), "b": (dims, b)}, {"seed": range(n)})


def swaps(models: xr.Dataset) -> xr.Dataset:
    """Models as they are, and with every two features in each other's place."""
    orders = [np.arange(5)]
    for pair in itertools.combinations(range(5), 2):
        orders.append(np.arange(5))
        orders[-1][list(pair)] = pair[::-1]
    swapped = [models[["W", "b"]].isel(feature=order) for order in orders]
    return xr.concat(swapped, xr.Variable("seed", range(len(orders))))


def solution(ds: xr.Dataset) -> xr.Dataset:
    """Weights, biases and losses alone, in one order of axes."""
    ds = ds[["W", "b", "loss"]].reset_coords(drop=True).astype(float)
    return ds.transpose("density", "threshold", "feature", "hidden")


def set_by_hand(settings: Settings, trained: xr.Dataset) -> dict[str, xr.Dataset]:
    """Solutions of unit weights, and what ReLU finds with biases below each threshold."""
    t = xr.DataArray(list(settings.thresholds), dims="threshold")
    p = xr.DataArray(list(settings.densities), dims="density")
    feature = xr.DataArray(np.arange(5), dims="feature")
    weights = {
        "2 dedicated": [(1, 0), (0, 1), (0, 0), (0, 0), (0, 0)],
        "1 dedicated, 1 pair": [(1, 0), (0, 1), (0, -1), (0, 0), (0, 0)],
        "2 pairs": [(1, 0), (0, 1), (0, -1), (-1, 0), (0, 0)],
    }
    found = {}
    for name, rows in weights.items():
        W = xr.DataArray(np.array(rows, float), dims=("feature", "hidden"))
        kept = abs(W).sum("hidden") > 0
        # A dropped feature is best answered by its mean.
        found[name] = xr.Dataset({"W": W, "b": xr.where(kept, 0.0, p / 2) + 0 * t})
    relu = trained.sel(threshold=0.0)[["W", "b"]].reset_coords(drop=True)
    silent = xr.where(relu["b"] < 0, np.minimum(relu["b"], t - MARGIN), relu["b"])
    found["ReLU's"] = relu.assign(b=silent).drop_vars("density")
    return {
        name: ds.broadcast_like(p * t * feature, exclude=["hidden"])
        for name, ds in found.items()
    }


def best_known(candidates: xr.Dataset) -> xr.Dataset:
    """The candidate of lowest loss in every cell, polished where that lowers its loss."""
    # Some may have diverged.
    lowest = candidates["loss"].fillna(np.inf).argmin("way")
    best = candidates.isel(way=lowest)
    polished = js.polish(exact, best.drop_vars("way"), steps=60)
    lower = polished["loss"] < best["loss"]
    return xr.where(lower, polished[["W", "b", "loss"]], best).assign(
        way=best["way"].astype(str)
    )

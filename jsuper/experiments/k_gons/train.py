"""Models trained from random weights and from polygons, and models watched in training."""

from dataclasses import dataclass
from functools import partial

import jax
import numpy as np
import optax
import xarray as xr

import jsuper as js
from jsuper.experiments.experiment import setting
from jsuper.experiments.k_gons.measures import identify, task
from jsuper.theory.one_hot import k_gon

BATCH_SIZE, MOMENTUM = 100, 0.9
"""Those of the code that the paper's authors published later."""


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version, and the initial weights."""

    features: tuple[int, ...] = (5, 6, 7, 8)
    scales: tuple[float, ...] = setting(
        (0.1, 0.3, 1.0), "standard deviations of random starts"
    )
    seeds: int = setting(300, "random starts: seeds")
    steps: int = setting(8_000, "random starts: steps")
    polygon_seeds: int = setting(50, "starts at k-gons: seeds")
    polygon_steps: int = setting(4_000, "starts at k-gons: steps")
    watched_seeds: int = setting(60, "watched: seeds")
    watched_steps: int = setting(20_000, "watched: steps")
    snapshots: int = setting(70, "watched: snapshots")


FULL = Settings()
QUICK = Settings((5, 6), FULL.scales, 40, 2_000, 8, 1_000, 20, 4_000, 40)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains from random weights and from polygons, watches, and names all models."""
    s, found = settings, {}
    for c in s.features:
        found[f"random-starts-{c}"] = identify(random_starts(c, s))
        found[f"polygon-starts-{c}"] = identify(polygon_starts(c, s))
    recipe = js.Recipe(s.watched_steps, BATCH_SIZE, optax.sgd(0.03, MOMENTUM))
    # Earlier, models only drift by: slow in the logarithm, but not at rest.
    at = np.unique(np.geomspace(100, s.watched_steps, s.snapshots).astype(int))
    axes = {"scale": s.scales, "seed": s.watched_seeds}
    build = partial(task, 6)
    watched = js.snapshots(build, axes, recipe, key=jax.random.key(2), at=at)
    return found | {"watched": identify(watched, tolerance=5e-3)}


def random_starts(n_features: int, s: Settings) -> xr.Dataset:
    """Gradient descent on the exact loss from random weights of several scales."""

    def build(scale):
        return js.Population(task(n_features, scale))

    # Of the paper's loss, the sum over features.
    sgd = optax.sgd(0.1 * n_features, MOMENTUM)
    recipe = js.Recipe(s.steps, batch_size=None, optimizer=sgd)
    axes = {"scale": s.scales, "seed": s.seeds}
    return js.sweep(build, axes, recipe, key=jax.random.key(0))


def polygon_starts(n_features: int, s: Settings) -> xr.Dataset:
    """SGD on samples from every k-gon, with noise on all weights and biases."""
    start_key, train_key = jax.random.split(jax.random.key(1))
    noisy = noisy_polygons(n_features, s.polygon_seeds, 0.05, start_key)
    recipe = js.Recipe(s.polygon_steps, BATCH_SIZE, optax.sgd(0.1, MOMENTUM))
    build, axes = partial(task, n_features), {"seed": s.polygon_seeds}
    found = {
        k: js.sweep(build, axes, recipe, key=train_key, start=noisy.sel(start=k, drop=True))
        for k in noisy["start"].values.tolist()
    }
    return js.concat(found, "start")


def noisy_polygons(n_features: int, seeds: int, noise: float, key: jax.Array) -> xr.Dataset:
    """The k-gons of 4 to c corners, with noise of each seed's own."""
    corners = list(range(4, n_features + 1))
    ds = xr.Dataset(coords={"start": corners, "seed": np.arange(seeds)})
    for i, (name, dims) in enumerate(js.ToyModel(n_features, 2).dims.items()):
        ideal = np.stack([k_gon(k).params(n_features)[name] for k in corners], dtype="f4")
        shape = (len(corners), seeds, *ideal.shape[1:])
        normal = np.asarray(jax.random.normal(jax.random.fold_in(key, i), shape))
        ds[name] = (("start", "seed", *dims), ideal[:, None] + noise * normal)
    return ds

"""Models trained from random weights and from polygons, and models watched in training."""

from dataclasses import dataclass

import jax
import numpy as np
import optax
import xarray as xr

import jsuper as js
from jsuper.experiments.experiment import setting
from jsuper.experiments.k_gons.measures import NEAR, exact_loss, identify
from jsuper.pytrees import pytree
from jsuper.theory.one_hot import k_gon

BATCH_SIZE, MOMENTUM = 100, 0.9
"""Those of the code that the paper's authors published later."""

FIRST_SNAPSHOT = 100
"""Before this step models only drift by: slow in the logarithm, but not at rest."""


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version, and other numbers of ours."""

    features: tuple[int, ...] = (5, 6, 7, 8)
    scales: tuple[float, ...] = setting(
        (0.1, 0.3, 1.0), "standard deviations of random starts"
    )
    seeds: int = setting(300, "random starts: seeds")
    steps: int = setting(8_000, "random starts: steps")
    rate: float = setting(0.1, "random starts: rate")
    polygon_seeds: int = setting(50, "starts at k-gons: seeds")
    polygon_steps: int = setting(4_000, "starts at k-gons: steps")
    polygon_rate: float = setting(0.1, "starts at k-gons: rate")
    noise: float = setting(0.05, "starts at k-gons: noise")
    watched_features: int = setting(6, "watched: features")
    watched_seeds: int = setting(60, "watched: seeds")
    watched_steps: int = setting(20_000, "watched: steps")
    watched_rate: float = setting(0.03, "watched: rate")
    snapshots: int = setting(70, "watched: snapshots")


FULL = Settings()
QUICK = Settings(
    features=(5, 6),
    seeds=40,
    steps=2_000,
    polygon_seeds=8,
    polygon_steps=1_000,
    watched_seeds=20,
    watched_steps=4_000,
    snapshots=40,
)


@pytree
class ExactTask:
    """The exact loss of one-hot features, which takes no samples.

    Anything with `init` and `loss` trains.
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


def sampled_task(n_features: int, scale=0.1) -> js.Task:
    """The same task by samples; its loss is the mean over features."""
    features = js.AnticorrelatedFeatures(1, n_features, density=1.0)
    return js.Task(features, js.ToyModel(n_features, 2, init_std=scale))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains from random weights and from polygons, watches, and names all models."""
    s = settings
    starts = {"random-starts": random_starts, "polygon-starts": polygon_starts}
    datasets = {
        f"{n}-{c}": identify(f(c, s)) for n, f in starts.items() for c in s.features
    }
    return datasets | {"watched": identify(watched(s), NEAR)}


def random_starts(n_features: int, s: Settings) -> xr.Dataset:
    """Gradient descent on the exact loss from random weights of several scales."""
    sgd = optax.sgd(s.rate, MOMENTUM)
    recipe = js.Recipe(s.steps, batch_size=1, eval_batches=1, optimizer=sgd)
    axes = {"scale": s.scales, "seed": s.seeds}

    def build(scale):
        return ExactTask(js.ToyModel(n_features, 2, init_std=scale))

    return js.sweep(build, axes, recipe, key=jax.random.key(0))


def polygon_starts(n_features: int, s: Settings) -> xr.Dataset:
    """SGD on samples from every k-gon, with noise on all weights and biases."""
    start_key, train_key = jax.random.split(jax.random.key(1))
    noisy = noisy_polygons(n_features, s.polygon_seeds, s.noise, start_key)
    recipe = js.Recipe(s.polygon_steps, BATCH_SIZE, optax.sgd(s.polygon_rate, MOMENTUM))
    axes = {"seed": s.polygon_seeds}

    def build():
        return sampled_task(n_features)

    found = {
        k: js.sweep(build, axes, recipe, key=train_key, start=noisy.sel(start=k, drop=True))
        for k in noisy["start"].values.tolist()
    }
    return js.concat(found, "start")


def noisy_polygons(n_features: int, seeds: int, noise: float, key: jax.Array) -> xr.Dataset:
    """The k-gons of 4 to c corners, with noise of each seed's own."""
    corners = list(range(4, n_features + 1))
    ideal = [k_gon(k).params(n_features) for k in corners]
    ds = xr.Dataset(coords={"start": corners, "seed": np.arange(seeds)})
    for i, (name, dims) in enumerate(js.ToyModel(n_features, 2).dims.items()):
        centre = np.stack([params[name] for params in ideal])[:, None].astype(np.float32)
        shape = (len(ideal), seeds, *centre.shape[2:])
        normal = jax.random.normal(jax.random.fold_in(key, i), shape)
        ds[name] = (("start", "seed", *dims), centre + noise * np.asarray(normal))
    return ds


def watched(s: Settings) -> xr.Dataset:
    """SGD on samples from random weights, at log-spaced snapshots."""
    sgd = optax.sgd(s.watched_rate, MOMENTUM)
    recipe = js.Recipe(s.watched_steps, BATCH_SIZE, sgd, eval_batches=1)
    at = np.geomspace(FIRST_SNAPSHOT, s.watched_steps, s.snapshots).astype(int)
    axes = {"scale": s.scales, "seed": s.watched_seeds}

    def build(scale):
        return sampled_task(s.watched_features, scale)

    return js.snapshots(build, axes, recipe, key=jax.random.key(2), at=np.unique(at))

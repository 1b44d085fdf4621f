"""Models trained from random weights and from polygons, and models watched in training."""

from dataclasses import dataclass, field

import jax
import numpy as np
import optax
import xarray as xr

import jsuper as js
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
    scales: tuple[float, ...] = field(
        default=(0.1, 0.3, 1.0), metadata={"name": "standard deviations of random starts"}
    )
    seeds: int = field(default=300, metadata={"name": "random starts: seeds"})
    steps: int = field(default=8_000, metadata={"name": "random starts: steps"})
    rate: float = field(default=0.1, metadata={"name": "random starts: rate"})
    polygon_seeds: int = field(default=50, metadata={"name": "starts at k-gons: seeds"})
    polygon_steps: int = field(default=4_000, metadata={"name": "starts at k-gons: steps"})
    polygon_rate: float = field(default=0.1, metadata={"name": "starts at k-gons: rate"})
    noise: float = field(default=0.05, metadata={"name": "starts at k-gons: noise"})
    watched_features: int = field(default=6, metadata={"name": "watched: features"})
    watched_seeds: int = field(default=60, metadata={"name": "watched: seeds"})
    watched_steps: int = field(default=20_000, metadata={"name": "watched: steps"})
    watched_rate: float = field(default=0.03, metadata={"name": "watched: rate"})
    snapshots: int = field(default=70, metadata={"name": "watched: snapshots"})


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


def sampled_task(n_features: int, scale=0.1) -> js.Task:
    """The same task by samples; its loss is the mean over features."""
    features = js.AnticorrelatedFeatures(1, n_features, density=1.0)
    return js.Task(features, js.ToyModel(n_features, 2, init_std=scale))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains from random weights and from polygons, watches, and names all models."""
    datasets = {f"random-starts-{c}": random_starts(c, settings) for c in settings.features}
    datasets |= {
        f"polygon-starts-{c}": polygon_starts(c, settings) for c in settings.features
    }
    return datasets | {"watched": watched(settings)}


def random_starts(n_features: int, settings: Settings) -> xr.Dataset:
    """Gradient descent on the exact loss from random weights of several scales."""
    optimizer = optax.sgd(settings.rate, MOMENTUM)
    recipe = js.Recipe(settings.steps, batch_size=1, eval_batches=1, optimizer=optimizer)
    axes = {"scale": settings.scales, "seed": settings.seeds}

    def build(scale):
        return ExactTask(js.ToyModel(n_features, 2, init_std=scale))

    return identify(js.sweep(build, axes, recipe, key=jax.random.key(0)))


def polygon_starts(n_features: int, settings: Settings) -> xr.Dataset:
    """SGD on samples from every k-gon, with noise on all weights and biases."""
    start_key, train_key = jax.random.split(jax.random.key(1))
    noisy = noisy_polygons(n_features, settings.polygon_seeds, settings.noise, start_key)
    optimizer = optax.sgd(settings.polygon_rate, MOMENTUM)
    recipe = js.Recipe(settings.polygon_steps, BATCH_SIZE, optimizer)
    axes = {"seed": settings.polygon_seeds}

    def build():
        return sampled_task(n_features)

    found = {
        k: js.sweep(build, axes, recipe, key=train_key, start=noisy.sel(start=k, drop=True))
        for k in noisy["start"].values.tolist()
    }
    return identify(js.concat(found, "start"))


def noisy_polygons(n_features: int, seeds: int, noise: float, key: jax.Array) -> xr.Dataset:
    """The k-gons of 4 to c corners, with noise of each seed's own."""
    corners = range(4, n_features + 1)
    ideal = [k_gon(k).params(n_features) for k in corners]
    ds = xr.Dataset(coords={"start": list(corners), "seed": np.arange(seeds)})
    for i, (name, dims) in enumerate(js.ToyModel(n_features, 2).dims.items()):
        centre = np.stack([params[name] for params in ideal])[:, None].astype(np.float32)
        shape = (len(ideal), seeds, *centre.shape[2:])
        drawn = jax.random.normal(jax.random.fold_in(key, i), shape)
        ds[name] = (("start", "seed", *dims), centre + noise * np.asarray(drawn))
    return ds


def watched(settings: Settings) -> xr.Dataset:
    """SGD on samples from random weights, at log-spaced snapshots."""
    optimizer = optax.sgd(settings.watched_rate, MOMENTUM)
    steps = settings.watched_steps
    recipe = js.Recipe(steps, BATCH_SIZE, optimizer, eval_batches=1)
    at = np.geomspace(FIRST_SNAPSHOT, steps, settings.snapshots).astype(int)
    axes = {"scale": settings.scales, "seed": settings.watched_seeds}

    def build(scale):
        return sampled_task(settings.watched_features, scale)

    ds = js.snapshots(build, axes, recipe, key=jax.random.key(2), at=np.unique(at))
    return identify(ds, NEAR)

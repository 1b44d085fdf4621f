"""Models with ten activations, and with some of them by the notebook's recipe."""

from dataclasses import dataclass

import jax
import xarray as xr

import jsuper as js
from jsuper.experiments.experiment import setting

N = 10  # features
FUNCTIONS = {
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "exrelu": lambda z: js.exrelu(z, -0.25),  # at the review's threshold
}


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    activations: tuple[str, ...] = (
        *("relu", "sigmoid", "gelu", "softplus", "elu", "exrelu", "linear"),
        *("leaky_relu", "tanh", "silu"),
    )
    densities: tuple[float, ...] = tuple(js.log_densities(10, lowest=0.01).tolist())
    widths: tuple[int, ...] = setting((2, 4), "hidden dimensions, of ten features")
    notebook: tuple[str, ...] = setting(
        ("relu", "sigmoid", "softplus", "tanh"), "activations by the notebook's recipe"
    )
    seeds: int = 8
    steps: int = 8_000
    batches: int = setting(256, "batches of the loss measured again")


FULL = Settings()
QUICK = Settings(
    densities=(1.0, 0.5, 0.2, 0.05), widths=(2,), notebook=("sigmoid",), seeds=4, steps=900
)


def task(density, n_hidden, activation):
    """Equal features in fewer dimensions."""
    model = js.ToyModel(N, n_hidden, activation=FUNCTIONS.get(activation, activation))
    return js.Task(js.SparseFeatures(N, density), model)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains all models, and measures how many features each explains."""
    axes = {
        "activation": settings.activations,
        "n_hidden": settings.widths,
        "density": settings.densities,
        "seed": settings.seeds,
    }
    some = {"activation": settings.notebook, "n_hidden": settings.widths[:1]}
    decaying = js.Recipe(settings.steps, 512, js.decaying_adam)
    runs = {
        "models": (axes, decaying),
        "notebook": (axes | some, js.Recipe(settings.steps)),
    }
    sweeps = {n: js.sweep(task, *run, key=jax.random.key(0)) for n, run in runs.items()}
    return {n: explained(ds, settings.batches) for n, ds in sweeps.items()}


def explained(ds: xr.Dataset, batches: int) -> xr.Dataset:
    r"""Adds how many features a model explains for each hidden dimension.

    $\sum_i R_i^2 / m$, $R_i^2 = 1 - E (x_i - x'_i)^2 / \mathrm{Var}\, x_i$. The variance is
    the loss of a model that always returns the mean, on the same fresh data.
    """
    mean = 0.5 * ds["density"] * xr.ones_like(ds["importance"])
    constant = xr.Dataset({"W": 0 * mean.expand_dims(hidden=1, axis=-1), "b": mean})
    fresh = {"key": jax.random.key(1), "batches": batches}
    loss = js.losses(task, ds, **fresh)["loss"]
    variance = js.losses(lambda density: task(density, 1, "linear"), constant, **fresh)
    return ds.assign(explained=N * (1 - loss / variance["loss"]) / ds["n_hidden"])

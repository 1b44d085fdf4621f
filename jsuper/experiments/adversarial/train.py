"""Models trained without attack and then attacked, and models trained under attack."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import jsuper as js
from jsuper import adversarial
from jsuper.experiments.adversarial.measures import SIZES, dedicated_params

ATTACK = 0.1
"""Norm of the attack over the mean norm of the inputs (the paper's)."""

UNDER_ATTACK = 20, 5
"""Features and hidden dimensions of the models trained under attack."""


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    features: int = 100
    hidden_dimensions: int = 20
    densities: int = 12
    lowest_density: float = 0.01
    seeds: int = 4
    steps: int = 2_500
    attacked_densities: tuple[float, ...] = field(
        default=(0.3, 0.1, 0.03), metadata={"name": "densities under attack"}
    )
    attacks: tuple[float, ...] = field(
        default=(0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6),
        metadata={"name": "attacks in training / mean norm"},
    )
    attacked_seeds: int = field(default=3, metadata={"name": "seeds under attack"})
    attacked_steps: int = field(default=1_500, metadata={"name": "steps under attack"})


FULL = Settings()
QUICK = Settings(
    features=30,
    hidden_dimensions=6,
    densities=4,
    lowest_density=0.03,
    seeds=2,
    steps=600,
    attacked_densities=(0.1,),
    attacks=(0, 0.8, 1.2),
    attacked_seeds=2,
    attacked_steps=400,
)


def task(density, n_features: int, n_hidden: int) -> js.Task:
    """ReLU output model, importance 1."""
    return js.Task(
        js.SparseFeatures(n_features, density), js.ToyModel(n_features, n_hidden)
    )


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains, measures and attacks both kinds of models."""
    s = settings
    densities = js.log_densities(s.densities, lowest=s.lowest_density)
    build = functools.partial(task, n_features=s.features, n_hidden=s.hidden_dimensions)
    axes = {"density": densities, "seed": s.seeds}
    recipe = js.Recipe(s.steps, optimizer=js.decaying_adam)
    models = js.measure(js.sweep(build, axes, recipe, key=jax.random.key(0)))
    training = under_attack(
        s.attacked_densities, s.attacks, s.attacked_seeds, s.attacked_steps
    )
    return {"models": attacked(models), "training": training}


def under_attack(
    densities: Sequence[float], attacks: Sequence[float], seeds: int, steps: int
) -> xr.Dataset:
    """Models trained under attacks of several sizes."""

    def build(density, attack):
        return adversarial.AdversarialTask(task(density, *UNDER_ATTACK), attack)

    recipe = js.Recipe(steps, batch_size=512, optimizer=js.decaying_adam)
    axes = {"density": densities, "attack": attacks, "seed": seeds}
    return js.measure(js.sweep(build, axes, recipe, key=jax.random.key(2)))


def attacked(ds: xr.Dataset, batch_size: int = 1024) -> xr.Dataset:
    """Adds relative vulnerabilities, and what a gradient attack reaches of them.

    Returns:
        The dataset with ``vulnerability`` (density, seed, size), the rise of the loss over
        that of the dedicated model; ``gradient`` (density, seed), the rise under projected
        gradient ascent over that under the analytic attack (first size); ``no_gradient``
        (density, seed), the fraction of clean inputs at which the loss has no slope.
    """
    n, m = ds.sizes["feature"], ds.sizes["hidden"]
    build = functools.partial(task, n_features=n, n_hidden=m)
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
        plain = jax.tree.map(lambda a: a[None], dedicated_params(n, m, density))
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

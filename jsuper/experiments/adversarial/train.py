"""Models trained without attack and then attacked, and models trained under attack."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import jsuper as js
from jsuper import adversarial
from jsuper.experiments.adversarial.measures import dedicated_params
from jsuper.experiments.experiment import setting

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
    seeds: int = 8
    steps: int = 2_500
    attacked_densities: tuple[float, ...] = setting(
        (0.3, 0.1, 0.03), "densities under attack"
    )
    attacks: tuple[float, ...] = setting(
        (0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6),
        "attacks in training / mean norm",
    )
    attacked_seeds: int = setting(8, "seeds under attack")
    attacked_steps: int = setting(1_500, "steps under attack")


FULL = Settings()
QUICK = Settings(30, 6, 4, 0.03, 2, 600, (0.1,), (0, 0.8, 1.2), 2, 400)


def task(density, n_features: int, n_hidden: int) -> js.Task:
    """ReLU output model, importance 1."""
    features = js.SparseFeatures(n_features, density)
    return js.Task(features, js.ToyModel(n_features, n_hidden))


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains, measures and attacks both kinds of models."""
    s = settings

    def plain(density):
        return task(density, s.features, s.hidden_dimensions)

    def under_attack(density, attack):
        return adversarial.AdversarialTask(task(density, *UNDER_ATTACK), attack)

    densities = js.log_densities(s.densities, lowest=s.lowest_density)
    recipe = js.Recipe(s.steps, optimizer=js.decaying_adam)
    axes = {"density": densities, "seed": s.seeds}
    models = js.measure(js.sweep(plain, axes, recipe, key=jax.random.key(0)))

    recipe = js.Recipe(s.attacked_steps, batch_size=512, optimizer=js.decaying_adam)
    axes = {"density": s.attacked_densities, "attack": s.attacks, "seed": s.attacked_seeds}
    training = js.measure(js.sweep(under_attack, axes, recipe, key=jax.random.key(2)))
    return {"models": attacked(models), "training": training}


def attacked(ds: xr.Dataset, batch_size: int = 1024) -> xr.Dataset:
    """Adds relative vulnerabilities, and what a gradient attack reaches of them.

    Args:
        ds: Models of dimensions (density, seed, feature, hidden).
        batch_size: Number of inputs attacked, the same for all models of a density.

    Returns:
        The dataset with ``vulnerability`` (density, seed, mean_norm), the rise of the loss
        over that of the dedicated model, where the attack's norm is a tenth of the mean
        norm of the density's own inputs or of dense ones; ``gradient`` (density, seed), the
        rise under projected gradient ascent over that under the analytic attack (own mean
        norm); ``no_gradient`` (density, seed), the share of clean inputs at which the loss
        has no slope.
    """
    n, m = ds.sizes["feature"], ds.sizes["hidden"]
    key, ascent_key = jax.random.split(jax.random.key(1))

    @jax.jit
    def under_attack(density, params):
        model = task(density, n, m)
        x, dense = (task(p, n, m).features.sample(key, batch_size) for p in (density, 1.0))
        own = adversarial.mean_norm(x)
        sizes = ATTACK * jnp.stack([jnp.ones(()), adversarial.mean_norm(dense) / own])

        def rises(params):
            def rise(size):
                return adversarial.vulnerability(model, params, key, batch_size, size)

            return jax.lax.map(rise, sizes)

        dedicated = rises(dedicated_params(n, m, density))

        def one(params):
            def loss(inputs):
                return jnp.mean((x - model.model.apply(params, inputs)) ** 2)

            found = adversarial.gradient_attack(model, params, x, ATTACK * own, ascent_key)
            analytic = rises(params)
            ratio = (loss(found) - loss(x)) / analytic[0]
            no_slope = (jax.grad(loss)(x) == 0).all(axis=-1).mean()
            return analytic / dedicated, ratio, no_slope

        return jax.lax.map(one, params)  # one model at a time: memory

    weights = ds[["W", "b"]].transpose("density", "seed", "feature", "hidden")
    rows = [
        under_attack(
            density, {name: jnp.asarray(v.values[i]) for name, v in weights.items()}
        )
        for i, density in enumerate(ds["density"].values)
    ]
    vulnerability, gradient, no_gradient = map(np.stack, zip(*rows, strict=True))
    return ds.assign_coords(mean_norm=["own", "dense"]).assign(
        vulnerability=(("density", "seed", "mean_norm"), vulnerability),
        gradient=(("density", "seed"), gradient),
        no_gradient=(("density", "seed"), no_gradient),
    )

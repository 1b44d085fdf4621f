"""Models trained without attack and then attacked, and models trained under attack."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import jsuper as js
from jsuper import adversarial
from jsuper.experiments.experiment import setting


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
        return adversarial.AdversarialTask(task(density, 20, 5), attack)

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

    Returns:
        The dataset with ``vulnerability`` (density, seed, mean_norm), the rise of the loss
        over that of a model without superposition, where the attack's norm is a tenth of
        the mean norm of the density's own inputs or of dense ones; ``gradient``, the rise
        under projected gradient ascent over that under the analytic attack (own mean
        norm); ``no_gradient``, the share of clean inputs at which the loss has no slope.
    """
    n, m = ds.sizes["feature"], ds.sizes["hidden"]
    key, ascent_key = jax.random.split(jax.random.key(1))

    def at_density(cell):
        density, weights = cell
        model = task(density, n, m)
        x, dense = (task(p, n, m).features.sample(key, batch_size) for p in (density, 1.0))
        own = adversarial.mean_norm(x)
        norms = 0.1 * jnp.stack([own, adversarial.mean_norm(dense)])

        def one(params):
            def rise(size):
                return adversarial.vulnerability(model, params, key, batch_size, size)

            def loss(inputs):
                return jnp.mean((x - model.model.apply(params, inputs)) ** 2)

            analytic = jax.lax.map(rise, norms / own)
            found = adversarial.gradient_attack(model, params, x, norms[0], ascent_key)
            no_slope = (jax.grad(loss)(x) == 0).all(axis=-1).mean()
            # Without superposition the loss rises by ε² / n.
            return analytic * n / norms**2, (loss(found) - loss(x)) / analytic[0], no_slope

        return jax.lax.map(one, weights)  # one model at a time: memory

    models = ds[["W", "b"]].transpose("density", "seed", "feature", "hidden")
    weights = {name: jnp.asarray(models[name].values) for name in ("W", "b")}
    cells = jnp.asarray(ds["density"].values), weights
    found = jax.jit(lambda cells: jax.lax.map(at_density, cells))(cells)
    grid = ("density", "seed")
    dims = {"vulnerability": (*grid, "mean_norm"), "gradient": grid, "no_gradient": grid}
    added = {
        name: (dims[name], np.asarray(values))
        for name, values in zip(dims, found, strict=True)
    }
    return ds.assign_coords(mean_norm=["own", "dense"]).assign(added)

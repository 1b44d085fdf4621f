"""Gradient flow from many starts, and pairs under a rising penalty."""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.optimize
import xarray as xr

import jsuper as js
from jsuper.experiments.experiment import setting
from jsuper.experiments.two_features.measures import PAIRED

PAIR = {"W": np.array([[1.0], [-1.0]]), "b": np.zeros(2)}
"""The ideal antipodal pair."""


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    points: int = setting(40, "densities, and importances")
    scales: tuple[float, ...] = setting((0.01, 0.1, 1.0, 3.0), "scales of initial weights")
    starts: int = setting(24, "starts for each cell and scale")
    steps: int = 1_200
    every: int = setting(4, "half the step, twice the time: one point in")
    plane: int = setting(60, "plane of initial weights: points along each axis")
    penalties: int = setting(57, "values of the penalty")
    steps_of_penalties: int = setting(500, "steps for each of them")
    checked: int = setting(6, "cells whose penalty is found in a second way")


FULL = Settings()
QUICK = Settings(
    points=7,
    starts=8,
    steps=600,
    every=3,
    plane=12,
    penalties=15,
    steps_of_penalties=300,
    checked=1,
)
PLANES: dict[str, Any] = {"density": (0.05, 0.3), "importance": (0.2, 0.7)}
"""Where planes of initial weights are trained."""
CHECKED = ((0.3, 0.2), (0.1, 0.02), (0.3, 0.02), (0.7, 0.1), (0.7, 0.4), (1.0, 0.2))
"""Importance and density at which the penalty is found in a second way."""


def task(density, importance, scale=1.0, strength=0.0) -> js.Population:
    r"""Two features of importances $(1, I)$ in one dimension, and a penalty on their pair.

    The loss is divided by the density: gradient flow takes the same path whatever the
    factor, and this one makes the time that it takes nearly the same at all densities.

    Args:
        density: $p$.
        importance: $I$, at most 1.
        scale: $\sigma$ of the initial weights.
        strength: $\lambda / (I p / 3)$ of the penalty $\lambda \sum_{i \ne j}
            (W_i \cdot W_j)^2$ on the loss summed over features.
    """
    return js.Population(
        js.Task(
            js.SparseFeatures(2, density),
            js.ToyModel(2, 1, init_std=scale),
            jnp.append(1.0, importance) / density,
            interference=strength * importance / 3,
        )
    )


@functools.cache
def gradient_flow(step: float) -> optax.GradientTransformationExtraArgs:
    r"""Returns Euler steps along gradient flow, implicit in the biases.

    A step takes the time ``step`` / (1 + |W|²), which is short where weights are large and
    the loss is steep. At density $p$ biases relax 1 / $p$ times as fast as weights; to be
    implicit in them allows the same steps at all densities.
    """

    def update(updates, state, params=None, **extra):
        assert params is not None
        biases = {"W": jnp.zeros_like(params["W"]), "b": jnp.ones_like(params["b"])}
        # No output depends on another's bias, so that one product gives both curvatures.
        _, along = jax.jvp(jax.grad(extra["value_fn"]), (params,), (biases,))
        time = step / (1 + jnp.sum(params["W"] ** 2))
        # In single precision it is not a number beside a weight below 1e-19.
        curvature = jnp.nan_to_num(along["b"], nan=jnp.inf, posinf=jnp.inf)
        damping = 1 + time * jnp.maximum(curvature, 0)
        return {"W": -time * updates["W"], "b": -time * updates["b"] / damping}, state

    return optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains the map of shares, planes of initial weights, and pairs under a penalty."""
    density = js.log_densities(settings.points, 0.01)
    importance = np.geomspace(0.1, 1, settings.points)
    few = {
        "density": density[:: settings.every],
        "importance": importance[:: settings.every],
    }
    shared = {"scale": settings.scales, "seed": settings.starts}
    start, plane = random_starts(shared), plane_of_starts(settings.plane)
    n, steps = plane.sizes["seed"], settings.steps
    return {
        "shares": flow(start, steps, density=density, importance=importance, **shared),
        "finer": flow(start, 4 * steps, 0.25, **few, **shared),
        "planes": flow(plane, steps, seed=n, **PLANES).assign(start=plane["W"]),
        "penalty": penalized(settings, density, importance),
        "checked": checked(CHECKED[: settings.checked]),
    }


def flow(start, steps: int, step: float = 0.5, **axes: Any) -> xr.Dataset:
    """Follows gradient flow from given weights at every point of some axes."""
    recipe = js.Recipe(steps, None, gradient_flow(step), log_every=steps)
    return js.sweep(task, axes, recipe, key=jax.random.key(0), start=start)


def random_starts(axes) -> xr.Dataset:
    """Weights that are normal in law, spread evenly: half of them have equal signs.

    Angles are equidistant on a half circle (W and −W are the same model), radii are
    quantiles of their law in the order of multiples of the golden ratio.
    """
    n, scales = axes["seed"], axes["scale"]
    angle = np.pi * ((np.arange(n) + 0.5) / n - 0.5)
    quantile = (np.arange(n) * (5**0.5 - 1) / 2 + 0.5) % 1
    radius = np.sqrt(-2 * np.log1p(-quantile))
    W = radius * np.stack([np.cos(angle), np.sin(angle)])
    return models(np.multiply.outer(scales, W.T), scale=list(scales), seed=np.arange(n))


def plane_of_starts(n: int, highest: float = 4.0) -> xr.Dataset:
    """Weights on a grid over half a plane: the second one is of either sign."""
    first, second = (
        np.linspace(0, highest, n + 1)[1:],
        np.linspace(-highest, highest, 2 * n),
    )
    W = np.stack(np.meshgrid(first, second, indexing="ij"), -1).reshape(-1, 2)
    return models(W, seed=np.arange(len(W)))


def models(W: np.ndarray, **axes) -> xr.Dataset:
    """Models of given weights, the features last, and biases 0."""
    dims = (*axes, "feature")
    variables = {"W": ((*dims, "hidden"), W[..., None]), "b": (dims, np.zeros(W.shape))}
    return xr.Dataset(variables, axes)


def penalized(settings: Settings, density, importance) -> xr.Dataset:
    """Follows the pair under a penalty that rises step by step.

    Every strength starts from the models of the one before, which have hardly to move. The
    second weight is made 2% shorter: at equal importances gradient flow would stay
    symmetric, on a saddle in the end.
    """
    followed, start = [], PAIR
    for strength in np.linspace(0, 1.12, settings.penalties):
        axes = {"density": density, "importance": importance, "strength": [strength]}
        ds = flow(start, settings.steps_of_penalties, 1.0, **axes)
        followed.append(ds)
        start = ds.squeeze("strength", drop=True)
        start["W"] = start["W"] * xr.DataArray([1, 0.98], dims="feature")
    return js.concat(followed, "strength")


def checked(cells) -> xr.Dataset:
    """Finds both critical penalties of a few cells by minimization and bisection.

    In double precision and without gradient flow: ``last`` is the largest penalty at
    which Newton's method finds a pair from the one at a smaller penalty, ``best`` the
    largest at which the lowest of the minima from 16 random starts is a pair.
    """

    def loss(flat, density, importance, strength):
        W, b = flat[:2, None], flat[2:]
        return js.population_loss(
            task(density, importance, 1.0, strength).task, {"W": W, "b": b}
        )

    with jax.enable_x64(True):
        value, slope, curvature = map(
            jax.jit, (loss, jax.grad(loss), jax.jacfwd(jax.grad(loss)))
        )

        def lowest(start, cell):
            found = scipy.optimize.minimize(
                lambda x: float(value(x, *cell)),
                start,
                jac=lambda x: np.asarray(slope(x, *cell)),
                hess=lambda x: np.asarray(curvature(x, *cell)),
                method="trust-exact",
                options={"initial_trust_radius": 0.02, "max_trust_radius": 0.05},
            )
            return found.x, found.fun

        def pair_at(strength, cell, pair):
            found, _ = lowest(pair, (*cell, strength))
            return found if found[0] * found[1] < -PAIRED else None

        def best_at(strength, cell, pair):
            del pair
            rng = np.random.default_rng(0)
            starts = np.concatenate([rng.normal(size=(16, 2)), np.zeros((16, 2))], 1)
            found, _ = min(
                (lowest(start, (*cell, strength)) for start in starts), key=lambda x: x[1]
            )
            return found if found[0] * found[1] < -PAIRED else None

        found = [
            _bisected((density, importance), test)
            for importance, density in cells
            for test in (pair_at, best_at)
        ]
    last, best = found[::2], found[1::2]
    W = np.array([pair[:2, None] for _, pair in last]).reshape(-1, 2, 1)
    return xr.Dataset(
        {
            "importance": ("cell", [importance for importance, _ in cells]),
            "density": ("cell", [density for _, density in cells]),
            "last": ("cell", [strength for strength, _ in last]),
            "best": ("cell", [strength for strength, _ in best]),
            "W": (("cell", "feature", "hidden"), W),
        }
    )


def _bisected(cell, pair_at, accuracy: float = 1e-3) -> tuple[float, np.ndarray]:
    """The largest strength at which there is a pair, with it: small steps, then halves."""
    strength, step, pair = 0.0, 0.05, np.array([1.0, -1.0, 0.0, 0.0])
    while step > accuracy:
        found = pair_at(strength + step, cell, pair)
        if found is None:
            step /= 2
        else:
            strength, pair = strength + step, found
    return strength, pair

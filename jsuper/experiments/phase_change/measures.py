"""Exact losses, theory's predictions, the paper's average, and the kink of a section."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax import lax

import jsuper as js
from jsuper.plots import solutions
from jsuper.theory.phases import best_phase, phase_losses

NEAR = 0.1
"""Decades of density or importance within which a boundary counts as near."""

NODES = {2: 32, 3: 16}
"""Quadrature nodes for an active feature, by number of features."""

KINDS = {
    "one feature ignored": ("extra ignored", "other ignored", "confused"),
    "antipodal pair": ("extra superposed",),
}
"""Solutions of two features, by what they are in a section."""


def with_exact_loss(ds: xr.Dataset) -> xr.Dataset:
    """Replaces the sampled ``loss`` (density, importance, seed) by the exact one."""
    s, r, _ = xr.broadcast(ds["density"], ds["importance"], ds["seed"])
    flat = [
        jnp.asarray(a.values, jnp.float32).reshape(s.size, *a.shape[3:])
        for a in (ds["W"], ds["b"], s, r)
    ]
    loss = np.asarray(population_losses(*flat), float).reshape(s.shape)
    attrs = {"long_name": "loss by quadrature, sum over features"}
    return ds.assign(loss=(ds["loss"].dims, loss, attrs))


@jax.jit
def population_losses(W, b, density, importance) -> jax.Array:
    """Losses without sampling noise, by Gauss-Legendre quadrature over active features.

    Args:
        W: Weights, shape (models, n_features, n_hidden).
        b: Biases, shape (models, n_features).
        density: Shape (models,).
        importance: Importance of the last feature, shape (models,).

    Returns:
        Losses summed over features, shape (models,).
    """
    n = b.shape[-1]
    points, masses = np.polynomial.legendre.leggauss(NODES[n])
    nodes = np.append(0.0, (points + 1) / 2)  # a feature is 0, or somewhere on [0, 1]
    x = np.stack([axis.ravel() for axis in np.meshgrid(*[nodes] * n)], -1)
    x = jnp.asarray(x, jnp.float32)

    def loss(model):
        W, b, s, r = model
        mass = jnp.append(1 - s, s * jnp.asarray(masses / 2, jnp.float32))
        masses_of_x = [axis.ravel() for axis in jnp.meshgrid(*[mass] * n)]
        error = x - jax.nn.relu(x @ W @ W.T + b)
        weighted = error**2 @ jnp.append(jnp.ones(n - 1), r)
        return jnp.sum(functools.reduce(jnp.multiply, masses_of_x) * weighted)

    return lax.map(loss, (W, b, density, importance), batch_size=64)


def predicted(ds: xr.Dataset, bias: bool = True) -> tuple[xr.DataArray, xr.DataArray]:
    """The best candidate of each cell, and whether no boundary is near."""
    n = ds.sizes["feature"]
    s, r = xr.broadcast(ds["density"], ds["importance"])
    best = best_phase(n, s.values, r.values, bias=bias)
    same = np.ones(best.shape, bool)
    for angle in 2 * np.pi * np.arange(16) / 16:
        s_there = np.minimum(s.values * 10 ** (NEAR * np.sin(angle)), 1.0)
        r_there = r.values * 10 ** (NEAR * np.cos(angle))
        same &= best_phase(n, s_there, r_there, bias=bias) == best
    return s.copy(data=best), s.copy(data=same)


def without_worst(ds: xr.Dataset) -> xr.Dataset:
    """The paper's rule: drops the model of highest loss and averages the others."""
    kept = ds["seed"] != ds["loss"].idxmax("seed")
    return ds[["norm", "superposition"]].where(kept).mean("seed")


def extra_region(norm, superposition) -> np.ndarray:
    """0 where the extra feature is ignored, 1 where dedicated, 2 where superposed."""
    return np.where(norm < 0.5, 0, np.where(superposition < 0.5, 1, 2))


def extra_is_as_predicted(ds: xr.Dataset, read: xr.Dataset) -> float:
    """Share of cells away from boundaries whose extra feature is of the predicted kind.

    Args:
        ds: All models.
        read: One ``norm`` and ``superposition`` (..., feature) for each cell.
    """
    phase, clear = predicted(ds)
    region = phase.copy(data=np.zeros(phase.shape))
    for name, numbers in solutions.extra_feature(ds.sizes["feature"]).items():
        region = region.where(phase != name, extra_region(*numbers))
    last = read.isel(feature=-1)
    found = xr.apply_ufunc(extra_region, last["norm"], last["superposition"])
    return float((region == found).where(clear).mean())


def relative_loss(ds: xr.Dataset) -> xr.DataArray:
    """Lowest trained loss of each cell over the best candidate's."""
    s, r = xr.broadcast(ds["density"], ds["importance"])
    losses = phase_losses(ds.sizes["feature"], s.values, r.values)
    return ds["loss"].min("seed") / s.copy(data=np.min(list(losses.values()), axis=0))


def overlap(ds: xr.Dataset) -> xr.DataArray:
    r"""Returns $-W_1 W_2$: 1 in the ideal antipodal pair, 0 where one is ignored."""
    return -ds["W"].prod(("feature", "hidden"))


def kink(section: xr.Dataset) -> tuple[float, float, float]:
    """Where the lowest loss changes from pairs to an ignored feature, and how sharply.

    Args:
        section: Models along density, of one importance.

    Returns:
        The density, and the slopes of the lowest loss just below and just above it, by
        parabolas through four densities on either side; NaN without such a change.
    """
    best = js.best_seed(section).sortby("density")
    pair = best["phase"].isin(KINDS["antipodal pair"]).values
    density, loss = best["density"].values, best["loss"].values
    switches = np.flatnonzero(pair[:-1] & ~pair[1:])
    if len(switches) == 0 or not 3 <= switches[-1] < len(density) - 4:
        return np.nan, np.nan, np.nan
    i = switches[-1] + 1
    below, above = (
        np.polynomial.Polynomial.fit(density[part], loss[part], 2)
        for part in (slice(i - 4, i), slice(i, i + 4))
    )
    fine = np.linspace(density[i - 1], density[i], 101)
    at = fine[np.argmin(np.abs(below(fine) - above(fine)))]
    return float(at), float(below.deriv()(at)), float(above.deriv()(at))


def step_of_overlap(section: xr.Dataset) -> float:
    """Largest fall of the best model's overlap from one density to the next."""
    return float(-overlap(js.best_seed(section)).sortby("density").diff("density").min())

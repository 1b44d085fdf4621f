"""Gradient and Hessian of trained models, polishing, and the distinct minima of a cell."""

import functools

import jax
import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper import theory

KEY = jax.random.key(0)


def pair(density, importance=1.0):
    """Two features in one dimension."""
    features, model = js.SparseFeatures(2, density), js.ToyModel(2, 1)
    return js.Population(js.Task(features, model, np.array([1.0, importance])))


def both(density):
    return js.Population(js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 2)))


def three(density):
    features, model = js.SparseFeatures(3, density), js.ToyModel(3, 2)
    return js.Population(js.Task(features, model))


def models(density, W, b):
    """One model for each row."""
    return xr.Dataset(
        {"W": (("seed", "feature", "hidden"), W), "b": (("seed", "feature"), b)},
        {"seed": range(len(W)), "density": density},
    )


def test_the_exact_pair_and_dropping_stand_where_theory_says():
    # At density s an exact pair costs s²/6 a feature and dropping s/3 - s²/4.
    s = 0.3
    W = np.array([[[1.0], [-1.0]], [[1.0], [0.0]], [[0.8], [-0.1]]])
    b = np.array([[0.0, 0.0], [0.0, s / 2], [0.0, 0.0]])
    ds = js.curvature(pair, models(s, W, b))
    assert ds["stands_at"].values[2] == "not at rest"
    polished = js.curvature(pair, js.polish(pair, ds))
    assert (polished["gradient_norm"] < 1e-8).all()
    # From dropping at this density a pair can grow; above the boundary it cannot.
    assert polished["stands_at"].values.tolist() == ["minimum", "saddle", "minimum"]
    # Of equal features the kept one could be any mixture, and some are cut off with profit.
    dropped = models(0.9, W[1:2], np.array([[0.0, 0.45]]))
    assert js.curvature(pair, dropped)["stands_at"].item() == "saddle"
    unequal = functools.partial(pair, importance=0.5)
    assert js.curvature(unequal, dropped)["stands_at"].item() == "minimum"
    # All loss is gone where each feature has its own dimension, at a kink.
    dedicated = js.curvature(both, models(s, np.eye(2)[None], np.zeros((1, 2))))
    assert dedicated["stands_at"].item() == "minimum"
    assert polished["W"].dtype == polished["loss"].dtype == np.float64
    # Free gains and biases do a little better than the exact pair, and dropping is exact.
    loss = polished["loss"].values
    assert 0.9 * s**2 / 6 < loss[0] < s**2 / 6
    np.testing.assert_allclose(loss[1], (s / 3 - s**2 / 4) / 2, rtol=1e-9)
    np.testing.assert_allclose(loss[2], loss[0], rtol=1e-9)


@pytest.mark.slow
def test_eigenvalues_are_those_of_differences_and_rotations_are_flat():
    with jax.enable_x64(True):
        params = three(0.3).init(KEY)
    # At b = t = 0 the loss has no second derivative.
    W, b = np.asarray(params["W"], float)[None], np.full((1, 3), 0.05)
    ds = js.curvature(three, models(0.3, W, b)).isel(seed=0)
    rotation = ds["is_rotation"].values
    assert rotation.sum() == 1  # of two dimensions
    assert (np.diff(ds["eigenvalue"]) >= 0).all()

    def loss(flat):
        with jax.enable_x64(True):
            own = {"W": flat[:6].reshape(3, 2), "b": flat[6:]}
            return float(js.population_loss(three(0.3).task, own))

    flat, step = np.append(W, b), 1e-4 * np.eye(9)
    trace = sum(loss(flat + e) + loss(flat - e) - 2 * loss(flat) for e in step) / 1e-8
    np.testing.assert_allclose(ds["eigenvalue"].sum(), trace, rtol=1e-4)
    at_rest = js.curvature(three, js.polish(three, models(0.3, W, b))).isel(seed=0)
    flat_ones = at_rest["eigenvalue"].where(at_rest["is_rotation"], drop=True)
    assert flat_ones.size == 1
    assert abs(float(flat_ones[0])) < 1e-8


@pytest.mark.slow
def test_minima_are_distinct_and_lowest_first():
    axes = {"density": [0.2, 0.9]}
    found = js.minima(pair, axes, key=KEY, starts=60)
    assert found["W"].dims == ("density", "minimum", "feature", "hidden")
    assert (found["stands_at"].isel(minimum=0) == "minimum").all()
    # Below the boundary the pair is best, above it dropping one of the two.
    assert found["geometry"].sel(density=0.2).values[0] == "digon"
    assert found["geometry"].sel(density=0.9).values[0] != "digon"
    assert 0.2 < theory.phase_boundary(2, 1.0) < 0.9
    loss, share = found["loss"], found["share"]
    assert (loss.diff("minimum").fillna(1) > 0).all()
    assert (share.sum("minimum") <= 1).all()
    assert (share.fillna(1) > 0).all()
    # Whichever of two equal features is dropped, it is the same minimum.
    assert loss.sel(density=0.9).count() <= 2
    again = js.minima(pair, axes, key=jax.random.key(1), starts=60)
    np.testing.assert_allclose(again["loss"][:, 0], loss[:, 0], rtol=1e-9)


def test_what_cannot_be_done_is_said():
    ds = models(0.3, np.ones((1, 2, 1)), np.zeros((1, 2)))

    def sampled(density):
        model = js.ToyModel(2, 1, activation="gelu")
        return js.Task(js.SparseFeatures(2, density), model)

    with pytest.raises(TypeError, match="does not cover activation gelu"):
        js.curvature(sampled, ds)
    with pytest.raises(ValueError, match="axes must not name 'seed'"):
        js.minima(pair, {"seed": 3}, key=KEY)
    with pytest.raises(ValueError, match="tolerance must be positive and finite"):
        js.polish(pair, ds, tolerance=0)

"""Measures of neurons: definitions, invariances, and the function that rescaling keeps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jsuper.geometry.neurons import (
    basis_alignment,
    features_per_neuron,
    monosemanticity,
    rescale_neurons,
)
from jsuper.models.computation import ComputationModel


def weights(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_measures_equal_plain_loops():
    W = weights(2, 7, 4)
    shares, counts, aligned = (
        np.asarray(measure(W))
        for measure in (monosemanticity, features_per_neuron, basis_alignment)
    )
    for model in range(2):
        for j in range(4):
            sizes = sorted(abs(W[model, i, j]) for i in range(7))
            assert shares[model, j] == pytest.approx(sizes[-1] / sum(sizes), rel=1e-6)
            assert counts[model, j] == sum(size > sizes[-1] / 4 for size in sizes)
        for i in range(7):
            squares = [W[model, i, j] ** 2 for j in range(4)]
            assert aligned[model, i] == pytest.approx(max(squares) / sum(squares), rel=1e-6)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_equal_weights_of_k_features(k):
    W = np.zeros((6, 3), np.float32)
    W[:k] = -0.7
    np.testing.assert_allclose(monosemanticity(W), 1 / k, rtol=1e-6)
    np.testing.assert_array_equal(features_per_neuron(W), k)
    # Each represented feature lies along (1, 1, 1).
    np.testing.assert_allclose(basis_alignment(W)[:k], 1 / 3, rtol=1e-6)
    np.testing.assert_array_equal(basis_alignment(W)[k:], 0)


def test_scale_of_a_neuron_does_not_matter():
    W, scale = weights(8, 5), np.array([1e-3, 0.1, 1, 30, 1e4], np.float32)
    for measure in (monosemanticity, features_per_neuron):
        np.testing.assert_allclose(measure(W * scale), measure(W), rtol=1e-5)


def test_rotations_hide_a_basis():
    # A random direction in m dimensions: E max u_j^2 by plain NumPy, to 4 standard errors.
    m, n = 5, 20_000
    directions = np.random.default_rng(1).normal(size=(n, m))
    squares = directions**2
    expected = (squares.max(1) / squares.sum(1)).mean()
    Q = jax.random.orthogonal(jax.random.key(0), m, (n // m,))
    rotated = np.asarray(basis_alignment(jnp.eye(m) @ Q))
    assert np.asarray(basis_alignment(np.eye(m))).tolist() == [1.0] * m
    # The m rows of one rotation are dependent: count rotations, not rows.
    error = rotated.mean(-1).std() / np.sqrt(n // m) + rotated.std() / np.sqrt(n)
    assert abs(rotated.mean() - expected) < 4 * error


def test_rescaling_keeps_the_function():
    model = ComputationModel(6, 9, signed_outputs=True)
    params = model.init(jax.random.key(0)) | {"b": jnp.linspace(-0.2, 0.2, 6)}
    W_in, W_out = rescale_neurons(params["W_in"], params["W_out"])
    np.testing.assert_allclose(np.abs(W_in).max(0), 1, rtol=1e-6)
    x = jax.random.normal(jax.random.key(1), (50, 6))
    before = model.apply(params, x)
    after = model.apply(params | {"W_in": W_in, "W_out": W_out}, x)
    assert float(jnp.abs(before).max()) > 0.1
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rescale_neurons(W_in, W_out)[1], W_out, rtol=1e-6)


def test_neurons_without_weights():
    W = jnp.zeros((3, 2))
    assert monosemanticity(W).tolist() == [0, 0]
    assert features_per_neuron(W).tolist() == [0, 0]
    assert basis_alignment(W).tolist() == [0, 0, 0]
    W_in, W_out = rescale_neurons(W, jnp.ones((2, 3)))
    assert not W_in.any()
    assert (W_out == 1).all()


def test_diverged_models_stay_visible():
    W = jnp.full((3, 2), jnp.nan)
    assert np.isnan(monosemanticity(W)).all()
    assert np.isnan(basis_alignment(W)).all()


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_share_out_of_range(share):
    with pytest.raises(ValueError, match=r"min_share must be in \[0, 1\)"):
        features_per_neuron(np.eye(2), share)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="W must have shape"):
        monosemanticity(np.ones(3))
    with pytest.raises(ValueError, match=r"W_out must have shape \(\.\.\., 2, n_outputs\)"):
        rescale_neurons(np.ones((3, 2)), np.ones((3, 2)))

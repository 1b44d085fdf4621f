"""ExReLU: its limits, its edge, and the derivatives that gradient descent sees."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js

Z = jnp.array([-np.inf, -3.0, -0.5, -0.25, -1e-30, 0.0, 1e-30, 0.25, 0.5, 3.0, np.inf])


def test_threshold_zero_is_relu():
    np.testing.assert_array_equal(js.exrelu(Z, 0.0), jax.nn.relu(Z))
    np.testing.assert_array_equal(js.exrelu(Z), jax.nn.relu(Z))


def test_threshold_minus_infinity_is_the_identity():
    np.testing.assert_array_equal(js.exrelu(Z, -jnp.inf), Z)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (-0.25, [0.0, 0.0, -0.25, -0.1, 0.1, 0.25, 0.5]),
        (0.25, [0.0, 0.0, 0.0, 0.0, 0.0, 0.25, 0.5]),
    ],
)
def test_values_by_hand(threshold, expected):
    # A value at the threshold passes: -0.25 in the first row, 0.25 in the second.
    z = jnp.array([-0.5, -0.3, -0.25, -0.1, 0.1, 0.25, 0.5])
    np.testing.assert_array_equal(js.exrelu(z, threshold), jnp.array(expected))


@pytest.mark.parametrize("threshold", [-0.3, 0.0, 0.1, 0.7])
def test_edge(threshold):
    t = jnp.float32(threshold)
    # The next number below; next to 0, the next that is not flushed to it.
    below = jnp.nextafter(t, jnp.float32(-1)) if threshold else -jnp.finfo(jnp.float32).tiny
    assert float(js.exrelu(t, t)) == float(t)
    assert float(js.exrelu(below, t)) == 0


def test_threshold_broadcasts():
    z = jnp.array([-0.5, -0.1, 0.5])
    thresholds = jnp.array([[-jnp.inf], [-0.25], [0.0], [0.75]])
    expected = [[-0.5, -0.1, 0.5], [0.0, -0.1, 0.5], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]
    np.testing.assert_array_equal(js.exrelu(z, thresholds), jnp.array(expected))


@pytest.mark.parametrize("threshold", [-np.inf, -0.5, 0.0, 0.5])
def test_nan_stays_nan(threshold):
    np.testing.assert_array_equal(
        js.exrelu(jnp.array([np.nan, 1.0]), threshold), jnp.array([np.nan, 1.0])
    )


@pytest.mark.parametrize("threshold", [-np.inf, -0.25, 0.0, 0.25])
def test_derivatives(threshold):
    z = jnp.array([-2.0, -0.3, -0.25, -0.2, 0.0, 0.2, 0.25, 0.3, 2.0])
    in_z, in_t = jax.vmap(jax.grad(js.exrelu, (0, 1)), (0, None))(z, threshold)
    np.testing.assert_array_equal(in_z, np.where(np.asarray(z) >= threshold, 1.0, 0.0))
    np.testing.assert_array_equal(in_t, np.zeros(9))


def test_jumprelu_is_exrelu():
    assert js.jumprelu is js.exrelu

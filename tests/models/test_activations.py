"""ExReLU: its limits, its edge, the derivatives that gradient descent sees; and others."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js
from jsuper.models.activations import ACTIVATIONS, apply_activation

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


STEP = 2.0**-10


@jax.jit
def mean_slopes(f, a, threshold, bandwidth):
    """Derivatives of f(ExReLU(z + a)) in a and t, averaged over z uniform on [-2, 2].

    Jumps lie between the points, so that the sum is exact for quadratic functions f.
    """
    z = -2 + STEP / 2 + STEP * jnp.arange(4 / STEP)

    def output(z, a, threshold):
        return f(js.exrelu(z + a, threshold, bandwidth))

    slopes = jax.vmap(jax.grad(output, (1, 2)), (0, None, None))(z, a, threshold)
    return jax.tree.map(jnp.mean, slopes)


@pytest.mark.parametrize("bandwidth", [0.5, 0.0625])
@pytest.mark.parametrize("threshold", [-0.5, 0.0, 0.25])
def test_with_a_bandwidth_the_slope_of_the_mean_is_seen(threshold, bandwidth):
    a, t, x = 0.125, threshold, 0.75
    with jax.enable_x64(True):
        linear = mean_slopes(jax.tree_util.Partial(lambda y: 3 * y), a, t, bandwidth)
        squared = mean_slopes(
            jax.tree_util.Partial(lambda y: (y - x) ** 2), a, t, bandwidth
        )
    # E f = 1/4 (integral of f from t to 2 + a, and f(0) (2 - a + t)).
    np.testing.assert_allclose(linear, [3 * (2 + a) / 4, -3 * t / 4], rtol=1e-12)
    exact = np.array([(2 + a - x) ** 2 - x**2, x**2 - (t - x) ** 2]) / 4
    excess = np.array([1, -1]) * t * bandwidth / 4 / 4
    np.testing.assert_allclose(squared, exact + excess, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("threshold", [-np.inf, -0.25, 0.0, 0.25])
def test_straight_through_derivatives(threshold):
    # At a distance of exactly half the bandwidth a value is outside.
    z = jnp.array([-np.inf, -2.0, -0.5, -0.375, -0.25, 0.0, 0.125, 0.25, 0.375, 0.5, 3.0])
    slopes = jax.jit(jax.vmap(jax.grad(js.exrelu, (0, 1)), (0, None, None)))
    in_z, in_t = slopes(z, threshold, 0.25)
    inside = np.abs(np.asarray(z, np.float64) - np.nan_to_num(threshold, neginf=-9)) < 0.125
    jump = np.where(inside, threshold, 0) / 0.25
    np.testing.assert_array_equal(in_z, (np.asarray(z) >= threshold) + jump)
    np.testing.assert_array_equal(in_t, -jump)
    assert inside.sum() == (0 if threshold == -np.inf else 1)


def test_a_bandwidth_changes_no_value():
    z = jnp.concatenate([Z, jnp.array([np.nan])])
    t, bandwidths = jnp.array([[-np.inf], [-0.25], [0.0], [0.25]]), jnp.array([1e-3, 1, 9])
    plain = js.exrelu(z, t)
    together = jax.jit(jax.vmap(js.exrelu, (None, None, 0)))(z, t, bandwidths)
    np.testing.assert_array_equal(together, jnp.broadcast_to(plain, (3, *plain.shape)))


@pytest.mark.parametrize("z", ["float32", "float64", "int32"])
@pytest.mark.parametrize("threshold", ["float32", "float64", "int32"])
def test_a_bandwidth_changes_no_type(z, threshold):
    with jax.enable_x64(True):
        z, t = jnp.array([-2, 0, 3], z), jnp.array(1, threshold)
        value, plain = js.exrelu(z, t, 1), js.exrelu(z, t)
        assert value.dtype == plain.dtype
        np.testing.assert_array_equal(value, plain)
        if jnp.issubdtype(z.dtype, jnp.floating):
            slope = jax.grad(lambda z: js.exrelu(z, t, 1).sum())(z)
            assert slope.dtype == z.dtype
            np.testing.assert_array_equal(slope, [0, 0, 1])


@pytest.mark.parametrize("bandwidth", [0.0, -0.5, np.nan, np.inf])
def test_bad_bandwidths(bandwidth):
    message = f"^bandwidth must be positive and finite, got {bandwidth:g}$"
    with pytest.raises(ValueError, match=message):
        js.exrelu(Z, 0.1, bandwidth)


BY_HAND = {
    "exrelu": lambda z: max(z, 0.0),
    "jumprelu": lambda z: max(z, 0.0),
    "relu": lambda z: max(z, 0.0),
    "linear": lambda z: z,
    "gelu": lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2,
    "silu": lambda z: z / (1 + math.exp(-z)),
    "softplus": lambda z: math.log(1 + math.exp(z)),
    "tanh": lambda z: 1 - 2 / (math.exp(2 * z) + 1),
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_by_name(name):
    z = np.linspace(-3, 3, 13)
    with jax.enable_x64(True):
        y = apply_activation(name, jnp.asarray(z))
    np.testing.assert_allclose(y, [BY_HAND[name](value) for value in z], atol=1e-14)


def test_exrelu_alone_heeds_threshold_and_bandwidth():
    slope = jax.grad(apply_activation, argnums=1)
    for name in ACTIVATIONS:
        numbers = jnp.float32(0.45), 0.5, 0.25
        heeded = float(apply_activation(name, *numbers)) == 0
        assert heeded == (name in ("exrelu", "jumprelu"))
        assert (float(slope(name, *numbers)) == 2) == heeded


def test_a_function_may_return_another_type():
    for step in (lambda z: z > 0, lambda z: jnp.where(z > 0, 1, 0)):
        y, slope = jax.value_and_grad(apply_activation, argnums=1)(step, jnp.float32(2))
        assert (float(y), float(slope), y.dtype) == (1, 0, "float32")


def test_a_function_keeps_the_shape():
    message = r"^activation must return .* its argument, \(2, 3\), got \(2,\)$"
    with pytest.raises(ValueError, match=message):
        apply_activation(lambda z: z.sum(-1), jnp.ones((2, 3)))

"""Closed forms against quadrature, sampling, search, and what JAX differentiates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import jsuper as js
from jsuper import theory

PAIRS = [  # density, threshold
    (0.05, 0.0),
    (0.5, 0.0),
    (0.2, -0.25),
    (1.0, -0.25),
    (0.7, -0.6),
    (0.3, -1.0),
    (0.3, -1.7),
    (0.4, -np.inf),
    (0.1, 0.3),
    (0.8, 0.6),
    (0.5, 1.3),
]
GENERAL = [  # density, threshold, gain, bias
    (0.3, 0.0, 0.8, 0.0),
    (0.3, 0.0, 1.2, -0.1),
    (0.6, -0.25, 0.9, 0.1),
    (0.6, -0.25, 1.1, -0.4),  # the bias below the threshold
    (0.2, 0.2, 1.3, 0.1),  # again, above 0
    (0.2, 0.2, 1.3, 0.4),
    (0.9, -0.6, 0.5, -0.2),
    (0.5, -np.inf, 0.7, 0.2),
    (1.0, 0.5, 0.3, 0.0),  # only some differences reach it; no lone value does
    (0.5, 3.0, 1.0, 0.0),  # silent
    (0.0, -0.25, 1.0, 0.3),
]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(6)


def integrate(function, cuts):
    """Integral over [0, 1] of a function that is polynomial between the cuts."""
    ends = np.unique(np.clip([0.0, 1.0, *cuts], 0, 1))
    half = np.diff(ends)[:, None] / 2
    x = ends[:-1, None] + half * (1 + NODES)
    return np.sum(half * WEIGHTS * np.vectorize(function)(x))


def errors(x1, x2, threshold, gain=1.0, bias=0.0):
    """Squared errors of both features of a pair."""

    def output(z):
        return np.where(z >= threshold, z, 0.0)

    first = (x1 - output(gain * (x1 - x2) + bias)) ** 2
    return first, (x2 - output(gain * (x2 - x1) + bias)) ** 2


def quadrature(p, t, importance=(1.0, 1.0), gain=1.0, bias=0.0):
    def cost(x1, x2):
        return np.dot(importance, errors(x1, x2, t, gain, bias))

    c = (t - bias) / gain  # an output crosses t where x1 - x2 = c or -c
    one = integrate(lambda x: cost(x, 0.0), [c, -c])
    other = integrate(lambda x: cost(0.0, x), [c, -c])
    both = integrate(
        lambda x2: integrate(lambda x1: cost(x1, x2), [x2 + c, x2 - c]),
        [c, -c, 1 + c, 1 - c],
    )
    return (1 - p) ** 2 * cost(0.0, 0.0) + p * (1 - p) * (one + other) + p**2 * both


def monte_carlo(p, t, importance=(1.0, 1.0), gain=1.0, bias=0.0, n=1_000_000):
    """Mean and standard error of the loss over samples."""
    rng = np.random.default_rng(0)
    x1, x2 = np.where(rng.random((2, n)) < p, rng.random((2, n)), 0.0)
    losses = np.einsum("i,in->n", importance, errors(x1, x2, t, gain, bias))
    return losses.mean(), losses.std() / np.sqrt(n)


@pytest.mark.parametrize(("p", "t"), PAIRS)
@pytest.mark.parametrize("importance", [(1.0, 1.0), (1.0, 0.3)])
def test_pair_loss(p, t, importance):
    loss = float(theory.pair_loss(p, t, importance))
    assert loss == pytest.approx(quadrature(p, t, importance), rel=1e-12)
    mean, se = monte_carlo(p, t, importance)
    assert abs(loss - mean) < 4 * se  # 99.99%


@pytest.mark.parametrize(("p", "t", "gain", "bias"), GENERAL)
def test_general_pair_loss(p, t, gain, bias):
    loss = float(theory.general_pair_loss(p, t, gain, bias))
    expected = quadrature(p, t, gain=gain, bias=bias)
    assert loss == pytest.approx(expected, rel=1e-12)
    mean, se = monte_carlo(p, t, gain=gain, bias=bias)
    assert abs(loss - mean) <= 4 * se + 1e-12  # 99.99%


@pytest.mark.parametrize(("p", "t"), PAIRS)
def test_general_pair_loss_of_the_ideal_pair(p, t):
    expected = float(theory.pair_loss(p, t))
    assert theory.general_pair_loss(p, t, 1.0, 0.0) == pytest.approx(expected, rel=1e-12)


def test_pair_loss_broadcasts():
    p, t = np.array([[0.1], [0.5]]), np.array([-0.3, 0.0, 0.4])
    expected = [[theory.pair_loss(p_, t_) for t_ in t] for p_ in p[:, 0]]
    np.testing.assert_allclose(theory.pair_loss(p, t), expected, rtol=1e-14)


@jax.jit
def task_losses(task, params, keys):
    return jax.vmap(lambda key: task.loss(params, key, 4096))(keys)


@pytest.mark.parametrize(("p", "t"), [(0.3, 0.0), (0.5, -0.4), (0.2, 0.3), (0.6, -np.inf)])
def test_pair_loss_equals_the_task(p, t):
    importance = (1.0, 0.4)
    task = js.Task(js.SparseFeatures(2, p), js.ToyModel(2, 1, t), jnp.array(importance))
    params = {"W": jnp.array([[1.0], [-1.0]]), "b": jnp.zeros(2)}
    keys = jax.random.split(jax.random.key(0), 200)
    losses = np.asarray(task_losses(task, params, keys), float)
    # The task's loss is the mean over the two features, the theory's their sum.
    se = losses.std(ddof=1) / np.sqrt(len(keys))
    expected = float(theory.pair_loss(p, t, importance)) / 2
    assert abs(losses.mean() - expected) < 4 * se  # 99.98%, by Student's t


@pytest.mark.parametrize("p", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("t", [-np.inf, -0.5, 0.0, 0.02, 0.1, 0.2, 0.4, 0.7, 1.5])
def test_drop_loss_is_the_best_constant(p, t):
    # The best constant may be the threshold itself.
    b = np.append(np.linspace(-2, 2, 40_001), max(t, -2))
    output = np.where(b >= t, b, 0.0)
    best = np.min(p / 3 - p * output + output**2)
    assert float(theory.drop_loss(p, t)) == pytest.approx(best, abs=1e-8)


@pytest.mark.parametrize("p", [0.05, 1.0])
@pytest.mark.parametrize("t", [-np.inf, -0.5, 0.0, 0.2, 0.9, 1.5])
def test_dedicated_loss(p, t):
    expected = p * integrate(lambda x: (x if x < t else 0.0) ** 2, [t])
    assert float(theory.dedicated_loss(p, t)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("r", [0.01, 0.3, 0.5, 1.0])
def test_pair_boundary_of_relu(r):
    boundary = float(theory.pair_boundary(0.0, (1.0, r)))
    assert boundary == pytest.approx(4 * r / (2 + 5 * r), rel=1e-12)


@pytest.mark.parametrize("t", [0.0, -0.1, -0.25, -0.5, -0.6])
@pytest.mark.parametrize("importance", [(1.0, 1.0), (1.0, 0.5), (2.0, 1.7)])
def test_costs_are_equal_at_the_boundary(t, importance):
    def advantage(p):
        apart = importance[0] * theory.dedicated_loss(p, t)
        apart += importance[1] * theory.drop_loss(p, t)
        return float(apart - theory.pair_loss(p, t, importance))

    p = float(theory.pair_boundary(t, importance))
    assert 0 < p < 1
    assert advantage(p) == pytest.approx(0, abs=1e-12)
    assert advantage(0.99 * p) > 1e-6
    assert advantage(1.01 * p) < -1e-6


@pytest.mark.parametrize("importance", [(1.0, 1.0), (1.0, 0.3)])
def test_no_boundary_beyond_the_last_threshold(importance):
    last = (importance[1] / sum(importance)) ** (1 / 3)
    tau = np.array([last - 1e-6, last + 1e-6, 1.0, 2.0, np.inf])
    boundary = theory.pair_boundary(-tau, importance)
    assert 0 < boundary[0] < 1e-4
    np.testing.assert_array_equal(boundary[1:], 0)
    # Just beyond, not even at the lowest density does the pair win.
    p, t = 1e-7, -(last + 1e-3)
    apart = importance[1] * theory.drop_loss(p, t)
    assert theory.pair_loss(p, t, importance) > apart


def test_pair_fixed_point_solves_its_equation():
    t = np.linspace(0, theory.PAIR_LIMIT + 1e-9, 101)
    a = theory.pair_fixed_point(t)
    np.testing.assert_allclose(a**2 * (1 - a), -(t**3), atol=1e-12)
    assert np.all(np.diff(a) < 0)  # the larger root, from 1 down to 2/3
    assert a[0] == 1
    assert a[-1] == pytest.approx(2 / 3, abs=1e-4)


def test_pair_fixed_point_outside_its_range():
    np.testing.assert_array_equal(theory.pair_fixed_point([0.3, 2.0]), [1.0, 1.0])
    beyond = theory.pair_fixed_point([theory.PAIR_LIMIT - 1e-6, -0.6, -1.0])
    np.testing.assert_array_equal(beyond, [np.nan] * 3)
    # a² (1 - a) is at most 4/27: beyond, the equation has no root at all.
    a = np.linspace(0, 1, 100_001)
    assert (a**2 * (1 - a)).max() == pytest.approx(-(theory.PAIR_LIMIT**3), rel=1e-9)


def autodiff(a, t):
    """The derivative by the norm that JAX computes, one feature active at a time."""
    n = 20_000
    x = (jnp.arange(n) + 0.5) / n
    lone = jnp.concatenate([jnp.stack([x, 0 * x], 1), jnp.stack([0 * x, x], 1)])
    task_model = js.ToyModel(2, 1, t)

    def loss(W):
        output = task_model.apply({"W": W, "b": jnp.zeros(2)}, lone)
        return jnp.mean(jnp.sum((lone - output) ** 2, axis=1))

    gradient = jax.grad(loss)(jnp.sqrt(a) * jnp.array([[1.0], [-1.0]]))
    # Both embeddings are pulled outwards or inwards alike.
    assert float(gradient[0, 0]) == pytest.approx(-float(gradient[1, 0]), abs=1e-9)
    return float(gradient[0, 0])


def lone_loss(a, t):
    """The exact loss per active feature, as the density vanishes."""
    p = 1e-9
    return float(theory.general_pair_loss(p, t, a, 0.0)) / (2 * p)


@pytest.mark.parametrize("t", [-0.2, -0.35, -0.5])
def test_pair_fixed_point_is_where_autodiff_rests(t):
    a = float(theory.pair_fixed_point(t))
    with jax.enable_x64(True):
        # The grid of 20,000 points places the threshold to 5e-5.
        assert autodiff(a, t) == pytest.approx(0, abs=1e-4)
        assert autodiff(a + 0.02, t) > 1e-3  # stable: norms are driven back
        assert autodiff(a - 0.02, t) < -1e-3
    # The true loss still falls with the norm: its slope there is a - 1.
    step = 1e-4
    slope = (lone_loss(a + step, t) - lone_loss(a - step, t)) / (2 * step)
    assert slope == pytest.approx(a - 1, rel=1e-4)
    assert slope < -1e-3


@pytest.mark.parametrize("t", [-0.6, -0.75])
def test_autodiff_pulls_the_pair_apart_beyond_the_limit(t):
    with jax.enable_x64(True):
        pulls = [autodiff(a, t) for a in (0.55, 2 / 3, 0.8, 1.0)]
    assert min(pulls) > 1e-3
    # Though the ideal pair is still worth more than a dropped feature at low density.
    assert theory.pair_loss(1e-3, t) < theory.drop_loss(1e-3, t)


@pytest.mark.parametrize("t", [-0.1, -0.3, -0.5, -0.8])
def test_true_optimum_at_low_density(t):
    result = minimize_scalar(lone_loss, (0.9, 2.0), args=(t,), options={"xtol": 1e-10})
    a = result.x
    assert a > 1
    # A minimum is found to about the root of the rounding error.
    assert 2 * (a - 1) * a**2 == pytest.approx(-(t**3), abs=1e-6)


def test_the_fixed_point_exists_at_its_limit():
    assert theory.pair_fixed_point(theory.PAIR_LIMIT) == pytest.approx(2 / 3, abs=1e-6)
    assert np.isnan(theory.pair_boundary(0.4))

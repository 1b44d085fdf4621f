"""The quadratic toy model in closed form, against sampling, search and descent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

import jsuper as js
from jsuper.theory.capacity import (
    capacity_loss,
    marginal_value,
    optimal_capacities,
    polysemantic_density,
    polysemantic_kurtosis,
    quadratic_loss,
    two_feature_optimum,
)

CASES = [  # v, kurtosis, neurons
    ([1.0, 0.7], 6.0, 1),
    ([1.0, 0.2], 6.0, 1),  # the second feature is not worth it
    ([1.0, 0.9, 0.8, 0.3], 8.0, 2),
    ([3.0, 0.5, 0.5, 0.4], 5.0, 2),  # the first has a neuron to itself
    ([1.0, 0.9, 0.8, 0.7, 0.6], 30.0, 3),
    ([1.0, 0.8, 0.6], 2.5, 2),  # concave: all or nothing
]


def bernoulli_gaussian(density, shape, seed=0):
    """Features of mean 0, variance 1 and kurtosis 3 / density."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < density, rng.normal(size=shape), 0.0) / np.sqrt(
        density
    )


@pytest.mark.parametrize("density", [0.25, 1.0])
def test_quadratic_loss_by_sampling(density):
    rng = np.random.default_rng(1)
    W, v = rng.normal(size=(4, 2)), rng.uniform(0.2, 1, 4)
    x = bernoulli_gaussian(density, (2_000_000, 4))
    residual = x**2 @ v - ((x @ W) ** 2).sum(1)
    # The best constant leaves the variance.
    squares = (residual - residual.mean()) ** 2
    se = squares.std() / np.sqrt(len(squares))
    assert abs(quadratic_loss(W, v, 3 / density) - squares.mean()) < 4 * se  # 99.99%
    kurtosis, se = (x**4).mean(), (x**4).std() / np.sqrt(x.size)
    assert abs(kurtosis - 3 / density) < 4 * se


def test_quadratic_loss_in_jax():
    rng = np.random.default_rng(0)
    W, v = rng.normal(size=(5, 3, 4, 2)), rng.uniform(0.2, 1, (3, 4))
    losses = quadratic_loss(W, v, 5.0)
    assert losses.shape == (5, 3)
    np.testing.assert_allclose(
        jax.jit(quadratic_loss)(jnp.asarray(W), v, 5.0), losses, rtol=1e-5
    )
    with jax.enable_x64(True):
        gradient = jax.grad(lambda W: quadratic_loss(W, v[0], 5.0))(jnp.asarray(W[0, 0]))
    step = 1e-6
    for place in np.ndindex(4, 2):
        there = np.zeros((4, 2))
        there[place] = step
        up, down = (quadratic_loss(W[0, 0] + d, v[0], 5.0) for d in (there, -there))
        assert float(gradient[place]) == pytest.approx((up - down) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("shape", [(4, 2), (6, 3)])
def test_capacity_is_the_squared_correlation(shape):
    rng = np.random.default_rng(2)
    W = rng.normal(size=shape)
    n = 1_000_000
    x = bernoulli_gaussian(0.3, (n, shape[0]))
    recovered = x @ W @ W.T
    capacity = np.asarray(js.feature_dimensionality(W))
    for i in range(shape[0]):
        r = np.corrcoef(x[:, i], recovered[:, i])[0, 1]
        # The error of a correlation, by its influence function, so that the heavy tails
        # of sparse features count; 4 of them are 99.99%.
        a = x[:, i] / x[:, i].std()
        c = recovered[:, i] / recovered[:, i].std()
        se = (a * c - r * (a**2 + c**2) / 2).std() / np.sqrt(n)
        assert abs(r - np.sqrt(capacity[i])) < 4 * se


def test_overlap_by_capacity():
    W = np.random.default_rng(3).normal(size=(5, 2))
    gram = W @ W.T
    squared = np.diag(gram)
    overlap = (gram**2).sum(1) - squared**2
    C = np.asarray(js.feature_dimensionality(W), float)
    np.testing.assert_allclose(squared**2 * (1 / C - 1), overlap, rtol=1e-5)


@pytest.mark.parametrize("C", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("k", [2.0, 3.0, 8.0])
def test_capacity_loss_is_least_over_norms(C, k):
    v = 0.7
    squared = np.linspace(0, 2, 200_001)
    losses = (k - 1) * (squared - v) ** 2 + 2 * squared**2 * (1 / C - 1)
    assert capacity_loss(C, v, k) == pytest.approx(losses.min(), rel=1e-8)
    best = (k - 1) * v * C / (2 + (k - 3) * C)
    assert squared[losses.argmin()] == pytest.approx(best, abs=1e-5)
    step = 1e-6
    slope = (capacity_loss(C + step, v, k) - capacity_loss(C - step, v, k)) / (2 * step)
    assert marginal_value(C, v, k) == pytest.approx(-slope, rel=1e-6)


def test_returns_diminish_above_kurtosis_three_only():
    C = np.linspace(0, 1, 11)
    assert (np.diff(marginal_value(C, 1.0, 3.5)) < 0).all()
    np.testing.assert_allclose(marginal_value(C, 1.0, 3.0), 2.0)
    assert (np.diff(marginal_value(C, 1.0, 2.5)) > 0).all()


def descended(v, k, m):
    """The least loss found from many starts, and its weights."""
    rng = np.random.default_rng(0)
    n = len(v)

    def value_and_gradient(flat):
        W = flat.reshape(n, m)
        gram = W @ W.T
        d = np.diag(gram)
        pull = 4 * (k - 1) * (d - v)[:, None] * W + 8 * (gram - np.diag(d)) @ W
        return quadratic_loss(W, v, k), pull.ravel()

    starts = [rng.normal(size=n * m) for _ in range(60)]
    options = {"maxiter": 5000, "gtol": 1e-10}
    runs = [
        minimize(value_and_gradient, s, jac=True, method="BFGS", options=options)
        for s in starts
    ]
    best = min(runs, key=lambda run: run.fun)
    return best.fun, best.x.reshape(n, m)


@pytest.mark.parametrize(("v", "k", "m"), CASES)
def test_optimal_capacities_by_descent(v, k, m):
    v = np.array(v)
    C = optimal_capacities(v, k, m)
    assert C.sum() == pytest.approx(m, rel=1e-12)
    bound = capacity_loss(C, v, k).sum()
    loss, W = descended(v, k, m)
    assert loss == pytest.approx(bound, rel=1e-7)
    found = np.asarray(js.feature_dimensionality(W))
    np.testing.assert_allclose(found, C, atol=1e-3)
    values = marginal_value(C, v, k)
    inside = (C > 1e-9) & (C < 1 - 1e-9)
    if inside.any():
        np.testing.assert_allclose(values[inside], values[inside][0], rtol=1e-9)
        assert (values[C <= 1e-9] < values[inside][0] * (1 + 1e-9)).all()
        assert (values[C >= 1 - 1e-9] > values[inside][0] * (1 - 1e-9)).all()


def test_no_weights_beat_the_bound():
    rng = np.random.default_rng(5)
    for k in (1.5, 3.0, 9.0):
        v = rng.uniform(0.2, 1, 5)
        bound = capacity_loss(optimal_capacities(v, k, 2), v, k).sum()
        W = rng.normal(size=(20_000, 5, 2)) * rng.uniform(0.2, 1.2, (20_000, 1, 1))
        assert quadratic_loss(W, v, k).min() > bound


def test_enough_neurons_for_all():
    np.testing.assert_array_equal(optimal_capacities([1.0, 0.1], 9.0, 2), [1, 1])
    np.testing.assert_array_equal(optimal_capacities([1.0, 0.1], 9.0, 5), [1, 1])


@pytest.mark.parametrize("k", [1.5, 2.9, 3.5, 6.0, 20.0])
@pytest.mark.parametrize("ratio", [0.12, 0.6, 1.7, 8.0])
def test_two_features(k, ratio):
    a, b = 1.3, 1.3 * ratio
    c2, d2 = two_feature_optimum(a, b, k)
    # By search over both squared weights.
    grid = np.linspace(0, 1.05 * max(a, b), 1501)
    c, d = np.meshgrid(np.sqrt(grid), np.sqrt(grid))
    losses = quadratic_loss(np.stack([c, d], -1)[..., None], np.array([a, b]), k)
    spacing = grid[1]
    flat = losses.argmin()
    assert c.ravel()[flat] ** 2 == pytest.approx(float(c2), abs=2 * spacing)
    assert d.ravel()[flat] ** 2 == pytest.approx(float(d2), abs=2 * spacing)
    both = bool((c2 > 0) & (d2 > 0))
    assert both == (k > polysemantic_kurtosis(ratio))
    # The same as the general rule.
    shares = optimal_capacities([a, b], k, 1)
    np.testing.assert_allclose([c2 / (c2 + d2), d2 / (c2 + d2)], shares, atol=1e-12)
    at = quadratic_loss(np.sqrt([[c2], [d2]]), np.array([a, b]), k)
    assert at == pytest.approx(capacity_loss(shares, [a, b], k).sum(), rel=1e-12)


@pytest.mark.parametrize("ratio", [0.3, 0.9, 1.5, 4.0])
def test_two_features_are_continuous_at_the_boundary(ratio):
    k = polysemantic_kurtosis(ratio) * np.array([1 - 1e-9, 1 + 1e-9])
    before, after = np.transpose(two_feature_optimum(1.0, ratio, k))
    np.testing.assert_allclose(before, after, atol=1e-6)


def test_density_boundary_is_that_of_kurtosis():
    ratio = np.geomspace(0.1, 10, 9)
    np.testing.assert_allclose(
        3 / polysemantic_density(ratio), polysemantic_kurtosis(ratio), rtol=1e-14
    )
    # Equal features share a neuron at any density below 1; 1 / (1 + 2 max), which an
    # exercise text prints, would say only below 1/3.
    assert polysemantic_density(1.0) == 1.0
    c2, d2 = two_feature_optimum(1.0, 1.0, 3 / 0.9)
    assert c2 == pytest.approx(float(d2))
    assert d2 > 0


def test_bad_arguments():
    with pytest.raises(ValueError, match="kurtosis must be finite and above 1, got 1"):
        optimal_capacities([1.0, 1.0], 1.0, 1)
    with pytest.raises(ValueError, match="coefficients"):
        optimal_capacities([1.0, 0.0], 4.0, 1)
    with pytest.raises(ValueError, match="capacity"):
        capacity_loss(1.2, 1.0, 4.0)
    with pytest.raises(ValueError, match="n_hidden"):
        optimal_capacities([1.0, 1.0], 4.0, 0)
    with pytest.raises(ValueError, match="ratio"):
        polysemantic_density(-1.0)

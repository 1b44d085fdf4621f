"""The one-hot potential against quadrature, sampling and the published formula; k-gons."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import jsuper as js
from jsuper.theory.one_hot import k_gon, one_hot_potential

NODES, WEIGHTS = np.polynomial.legendre.leggauss(3)  # exact up to degree 5


potential_of = jax.jit(one_hot_potential)


def of_flat(flat):
    """The potential by all parameters of a model with two hidden dimensions."""
    W, b = jnp.split(flat, [2 * (flat.size // 3)])
    return one_hot_potential(W.reshape(-1, 2), b)


gradient_of, hessian_of = jax.jit(jax.grad(of_flat)), jax.jit(jax.hessian(of_flat))


def exact(W, b, importance=1.0):
    with jax.enable_x64(True):
        return float(potential_of(W, b, importance))


def derivative(of, W, b):
    """``gradient_of`` or ``hessian_of`` at a point, in double precision."""
    with jax.enable_x64(True):
        return np.asarray(of(np.concatenate([np.ravel(W), b])))


def random_model(seed, n_features, n_hidden, scale=1.0):
    rng = np.random.default_rng(seed)
    W = scale * rng.normal(size=(n_features, n_hidden))
    b = 0.4 * rng.normal(size=n_features)
    W[0] = 0.0
    return W, b


def quadrature(W, b, importance):
    """The integrals feature by feature, between the points where an output is cut off."""
    total = 0.0
    for i in range(len(b)):
        for j in range(len(b)):
            slope = W[i] @ W[j]
            cut = np.clip(-b[i] / slope, 0, 1) if slope else 0.0
            for low, high in ((0.0, cut), (cut, 1.0)):
                x = low + (high - low) * (1 + NODES) / 2
                error = (i == j) * x - np.maximum(slope * x + b[i], 0)
                total += importance[i] * 3 * (high - low) / 2 * WEIGHTS @ error**2
    return total


def published(W, b):
    """H as Chen et al. 2023 write it, case by case."""
    total, gram = 0.0, W @ W.T
    for i in range(len(b)):
        a, length, bias = np.delete(gram[i], i), gram[i, i], b[i]
        rest = (1 - length) ** 2 - 3 * (1 - length) * bias + 3 * bias**2
        if bias <= 0:
            on = a[(a > 0) & (a + bias >= 0)]
            total += np.sum((on + bias) ** 3 / on)
            if length > 0 and length + bias >= 0:
                total += bias**3 / length**2 + bias**3 / length + rest
            else:
                total += 1
        else:
            cut, whole = a[-a > bias], a[-a <= bias]
            total += np.sum(-(bias**3) / cut) + rest
            total += np.sum(whole**2 + 3 * whole * bias + 3 * bias**2)
    return total


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n_hidden", [1, 2, 4])
def test_the_potential_is_the_integral(seed, n_hidden):
    W, b = random_model(seed, 6, n_hidden)
    importance = 0.8 ** np.arange(6)
    expected = quadrature(W, b, importance)
    assert exact(W, b, importance) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_the_potential_is_the_published_one(seed):
    W, b = random_model(seed, 7, 2, scale=0.8)
    assert exact(W, b) == pytest.approx(published(W, b), rel=1e-12)


@jax.jit
def task_losses(task, params, keys):
    return jax.vmap(lambda key: task.loss(params, key, 4096))(keys)


@pytest.mark.parametrize("seed", range(3))
def test_the_potential_is_the_loss_of_the_task(seed):
    c, importance = 6, 0.9 ** np.arange(6)
    W, b = random_model(seed, c, 2)
    features = js.AnticorrelatedFeatures(1, c, density=1.0)
    task = js.Task(features, js.ToyModel(c, 2), jnp.array(importance))
    params = {"W": jnp.asarray(W, jnp.float32), "b": jnp.asarray(b, jnp.float32)}
    keys = jax.random.split(jax.random.key(seed), 200)
    losses = np.asarray(task_losses(task, params, keys), float)
    se = losses.std(ddof=1) / np.sqrt(len(keys))
    expected = exact(W, b, importance) / (3 * c**2)  # the task's mean over features
    assert abs(losses.mean() - expected) < 4 * se  # 99.99%
    assert se < 0.01 * expected


def test_leading_axes():
    models = [random_model(seed, 5, 2) for seed in range(4)]
    W, b = (np.stack(arrays) for arrays in zip(*models, strict=True))
    together = one_hot_potential(W.reshape(2, 2, 5, 2), b.reshape(2, 2, 5))
    alone = [exact(*model) for model in models]
    np.testing.assert_allclose(np.ravel(together), alone, rtol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_the_gradient(seed):
    W, b = random_model(seed, 5, 2)
    gradient = derivative(gradient_of, W, b)
    step, flat = 1e-5, np.concatenate([W.ravel(), b])
    for i, slope in enumerate(gradient):
        moved = np.zeros_like(flat)
        moved[i] = step
        ends = [exact(v[:10].reshape(5, 2), v[10:]) for v in (flat + moved, flat - moved)]
        assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-7)


def test_the_gradient_where_training_starts():
    W, b = random_model(0, 5, 2)  # its first row is 0
    gradient = derivative(gradient_of, W, 0 * b)
    assert np.isfinite(gradient).all()
    nearby = derivative(gradient_of, W + 1e-7, 0 * b - 1e-7)
    np.testing.assert_allclose(gradient, nearby, atol=1e-5)


K_GONS = [  # k, radius, bias, H at c = k: Chen et al. 2023
    (4, 1.0, 0.0, 0.0),
    (5, 1.17046, -0.28230, 0.23738),
    (6, 1.32053, -0.61814, 0.86746),
    (7, 1.44839, -0.96691, 1.74870),
    (8, 1.55045, -1.29119, 2.77311),
]


@pytest.mark.parametrize(("k", "radius", "bias", "potential"), K_GONS)
def test_published_k_gons(k, radius, bias, potential):
    solution = k_gon(k)
    assert solution.radius == pytest.approx(radius, abs=6e-6)
    assert solution.bias == pytest.approx(bias, abs=6e-6)
    assert solution.potential == pytest.approx(potential, abs=1.1e-5)


@pytest.mark.parametrize(
    ("k", "c", "positive", "loss"),
    [
        (4, 4, 0, 0.0),
        (4, 5, 0, 0.06667),
        (4, 6, 0, 0.11111),
        (4, 5, 1, 0.05667),
        (4, 6, 1, 0.10417),
        (4, 6, 2, 0.09722),
        (5, 5, 0, 0.01583),
        (5, 6, 0, 0.06874),
        (5, 6, 1, 0.06180),
        (6, 6, 0, 0.04819),
    ],
)
def test_published_losses(k, c, positive, loss):
    solution = k_gon(k)
    assert solution.loss(c, positive) == pytest.approx(loss, abs=6e-6)
    params = solution.params(c, positive)
    assert exact(**params) / (3 * c) == pytest.approx(solution.loss(c, positive), abs=1e-12)


def test_what_a_positive_bias_is_worth():
    pentagon = k_gon(5)
    assert pentagon.loss(6) - pentagon.loss(6, 1) == pytest.approx(1 / 144, abs=1e-14)
    for c in (6, 9):
        params = pentagon.params(c)

        def potential(bias, c=c, params=params):
            return exact(params["W"], np.append(params["b"][:-1], bias))

        best = minimize_scalar(potential, (0.01, 0.2), options={"xtol": 1e-9})
        assert best.x == pytest.approx(1 / (2 * c), abs=1e-6)
        assert best.fun == pytest.approx(potential(0.0) - 0.75 / c, abs=1e-12)
        assert potential(-0.3) == pytest.approx(potential(0.0), abs=1e-14)


@pytest.mark.parametrize("k", [*range(4, 14), 40])
def test_k_gons_are_stationary(k):
    solution = k_gon(k)
    gradient = derivative(gradient_of, **solution.params(k))
    assert abs(gradient).max() < 1e-11
    assert exact(**solution.params(k)) == pytest.approx(solution.potential, rel=1e-12)


@pytest.mark.parametrize(
    ("k", "c", "positive"), [(4, 6, 0), (4, 6, 2), (5, 6, 0), (5, 6, 1), (6, 8, 1)]
)
def test_k_gons_with_dead_features_are_stationary(k, c, positive):
    gradient = derivative(gradient_of, **k_gon(k).params(c, positive))
    assert abs(gradient).max() < 1e-11


@pytest.mark.parametrize(
    ("k", "c", "positive", "learning_coefficient"),
    [(5, 5, 0, 7), (6, 6, 0, 8.5), (7, 7, 0, 10), (8, 8, 0, 11.5), (5, 6, 1, 8.5)],
)
def test_minima_up_to_rotation(k, c, positive, learning_coefficient):
    hessian = derivative(hessian_of, **k_gon(k).params(c, positive))
    values = np.linalg.eigvalsh(hessian)
    assert abs(values[0]) < 1e-10  # the rotation of the plane
    assert values[1] > 0.05
    # Half the number of directions in which a quadratic minimum rises.
    assert np.sum(values > 0.05) / 2 == learning_coefficient


def test_dead_features_without_a_positive_bias_are_free():
    hessian = derivative(hessian_of, **k_gon(5).params(6))
    values = np.linalg.eigvalsh(hessian)
    # The rotation, and the dead feature's weights and bias.
    assert np.sum(abs(values) < 1e-10) == 4
    assert values[4] > 0.05


def test_the_square_is_not_twice_differentiable():
    square = k_gon(4).params(4)

    def curvature(step):
        W, b = square["W"].copy(), square["b"]
        W[1, 0] += step  # towards feature 0, away from feature 2
        b = b + np.array([step, 0, 0, 0])
        return exact(W, b) / step**2

    ahead, back = curvature(1e-4), curvature(-1e-4)
    assert ahead > 2 * back > 0.1


def test_polygons_of_more_than_eight_corners():
    def interfering(solution):
        d = np.arange(1, (solution.k - 1) // 4 + 1)  # neighbours at an acute angle
        a = solution.radius**2 * np.cos(2 * np.pi * d / solution.k)
        return (a + solution.bias > 0).sum(), len(d)

    solutions = {k: k_gon(k) for k in range(4, 204)}
    # All acute neighbours interfere at 12 corners only: what Chen et al. 2023 count.
    found = {k: interfering(solution) for k, solution in solutions.items()}
    assert [k for k, (on, acute) in found.items() if on == acute] == [4, 5, 6, 7, 8, 12]
    assert solutions[12].radius == pytest.approx(1.03322, abs=6e-6)
    assert solutions[12].bias == pytest.approx(-0.46654, abs=6e-6)
    assert all(solution.bias <= 0 < solution.radius for solution in solutions.values())


def test_which_larger_polygons_are_minima():
    lowest = {}
    for k in range(8, 13):
        hessian = derivative(hessian_of, **k_gon(k).params(k))
        values = np.linalg.eigvalsh(hessian)
        lowest[k] = values[abs(values) > 1e-9].min()
    assert lowest[8] > 0.05
    assert lowest[9] > 0.02
    assert max(lowest[k] for k in range(10, 13)) < -0.005
    # A minimum, but not the best: fewer corners cost less.
    assert k_gon(9).loss(9) > k_gon(8).loss(9) > k_gon(8).loss(9, 1) > k_gon(7).loss(9, 2)


def test_there_is_one_k_gon():
    """A scan of the reduced potential, which k_gon differentiates by hand."""
    t = np.linspace(0, 1, 20_001)[1:-1]
    for k in (5, 8, 9, 12, 16, 30):
        cosines = np.cos(2 * np.pi * np.arange(k) / k)
        acute = cosines[cosines > 1e-9]
        B = np.sum(np.maximum(acute - t[:, None], 0) ** 3 / acute, axis=1)
        gain = ((1 - t) ** 2 * (2 + t)) ** 2 / (4 * B)
        turns = np.flatnonzero(np.diff(np.sign(np.diff(gain))))
        assert len(turns) == 1
        assert k * (1 - gain.max()) == pytest.approx(k_gon(k).potential, abs=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: k_gon(3), "k must be an integer of at least 4, got 3"),
        (lambda: k_gon(5).loss(4), "n_features must be an integer of at least 5, got 4"),
        (lambda: k_gon(5).params(6, 2), "positive_biases must be at most n_features - k"),
        (lambda: k_gon(5).loss(6, -1), "positive_biases must be an integer of at least 0"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()

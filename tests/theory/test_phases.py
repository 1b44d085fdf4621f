"""The paper's candidate solutions against exact integrals, sampling and the task itself."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

import jsuper as js
from jsuper.theory.pairs import general_pair_loss
from jsuper.theory.phases import (
    best_phase,
    nearest_phase,
    phase_boundary,
    phase_losses,
    phase_weights,
)

SETTINGS = [(1.0, 1.0), (0.6, 0.3), (0.3, 4.0), (0.05, 10.0), (0.9, 0.1)]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)


def biases(W, density, bias):
    """The best constants of features without weights, 0 for the others."""
    return np.where(np.any(W, axis=1), 0.0, density / 2 if bias else 0.0)


def errors(x, W, b, importance):
    output = np.maximum(x @ W @ W.T + b, 0)
    return (x - output) ** 2 @ importance


def simplex_rule(n):
    """Nodes and weights that integrate over 0 < x_1 < ... < x_n < 1 by nested Gauss."""
    points, masses = np.ones((1, n + 1)), np.ones(1)
    for i in reversed(range(n)):  # x_i lies between 0 and x_{i+1}
        top = points[:, None, i + 1]
        x = top * (NODES + 1) / 2
        new = np.repeat(points[:, None], len(NODES), axis=1)
        new[:, :, i] = x
        masses = (masses[:, None] * top * WEIGHTS / 2).ravel()
        points = new.reshape(-1, n + 1)
    return points[:, :n], masses


def exact(W, b, density, importance):
    """The loss as a sum over patterns of active features and orders of their values.

    With weights of zeros and ones an output bends only where two features are equal, so
    that the error is a polynomial on each simplex of ordered values.
    """
    n, total = len(W), 0.0
    for active in itertools.product([False, True], repeat=n):
        k = sum(active)
        chance = density**k * (1 - density) ** (n - k)
        points, masses = simplex_rule(k)
        for order in itertools.permutations(np.flatnonzero(active)):
            x = np.zeros((len(points), n))
            x[:, list(order)] = points
            total += chance * masses @ errors(x, W, b, importance)
    return total


def monte_carlo(W, b, density, importance, n=400_000):
    rng = np.random.default_rng(0)
    x = np.where(rng.random((n, len(W))) < density, rng.random((n, len(W))), 0.0)
    losses = errors(x, W, b, importance)
    return losses.mean(), losses.std() / np.sqrt(n)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("s", "r"), SETTINGS)
def test_losses(n, bias, s, r):
    importance = np.append(np.ones(n - 1), r)
    losses = phase_losses(n, s, r, bias=bias)
    assert losses.keys() == phase_weights(n).keys()
    for name, W in phase_weights(n).items():
        b = biases(W, s, bias)
        assert losses[name] == pytest.approx(exact(W, b, s, importance), rel=1e-12), name
        mean, se = monte_carlo(W, b, s, importance)
        assert abs(losses[name] - mean) < 4.5 * se, name  # 99.999%


@pytest.mark.parametrize("n", [2, 3])
def test_losses_are_those_of_the_task(n):
    s, r = 0.4, 2.0
    importance = jnp.append(jnp.ones(n - 1), r)
    task = js.Task(js.SparseFeatures(n, s), js.ToyModel(n, n - 1), importance)
    keys = jax.random.split(jax.random.key(0), 100)
    for name, W in phase_weights(n).items():
        params = {"W": jnp.asarray(W), "b": jnp.asarray(biases(W, s, True))}
        loss = jax.jit(jax.vmap(lambda key, p=params: task.loss(p, key, 4096)))(keys)
        loss = n * np.asarray(loss, float)  # the task's loss is a mean over features
        se = loss.std(ddof=1) / np.sqrt(len(keys))
        assert abs(loss.mean() - phase_losses(n, s, r)[name]) < 4.5 * se, name


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize(("s", "r"), SETTINGS)
def test_biases_are_the_best(n, s, r):
    importance = np.append(np.ones(n - 1), r)
    rng = np.random.default_rng(1)
    for name in ("extra ignored", "other ignored"):
        W = phase_weights(n)[name]
        b = biases(W, s, True)
        ignored = ~np.any(W, axis=1)
        for change in rng.normal(scale=0.05, size=(5, n)):
            moved = exact(W, b + change * ignored, s, importance)
            assert moved > phase_losses(n, s, r)[name]


def test_triple_points():
    at = {k: float(v) for k, v in phase_losses(2, 4 / 7, 1.0).items()}
    # In two features all four candidates meet, McGrath's included.
    np.testing.assert_allclose(list(at.values()), 16 / 147, rtol=1e-12)
    at = phase_losses(3, 4 / 7, 1.0)
    np.testing.assert_allclose(list(at.values()), 16 / 147, rtol=1e-12)


def test_triple_points_without_bias():
    # Ignored, pair and confused meet where 3 s = 12 / 7 and r = 2 / 5, and mirrored.
    at = phase_losses(2, 4 / 7, 0.4, bias=False)
    values = [at[k] for k in ("extra ignored", "extra superposed", "confused")]
    np.testing.assert_allclose(values, values[0], rtol=1e-12)
    at = phase_losses(2, 4 / 7, 2.5, bias=False)
    values = [at[k] for k in ("other ignored", "extra superposed", "confused")]
    np.testing.assert_allclose(values, values[0], rtol=1e-12)


@pytest.mark.parametrize("r", [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0])
def test_boundary_of_two_features(r):
    published = 4 * r / (2 + 5 * r) if r <= 1 else 4 / (5 + 2 * r)
    s = float(phase_boundary(2, r))
    assert s == pytest.approx(published, rel=1e-12)
    apart = {"extra ignored" if r <= 1 else "other ignored"}
    assert {str(best_phase(2, 1.001 * s, r))} == apart
    assert best_phase(2, 0.999 * s, r) == "extra superposed"


@pytest.mark.parametrize("r", [0.1, 0.5, 0.999, 1.001, 2.0, 10.0])
def test_boundary_of_three_features(r):
    s = float(phase_boundary(3, r))
    assert s == pytest.approx(4 * r / (2 + 5 * r) if r < 1 else 4 / 7, rel=1e-12)
    above, below = best_phase(3, [1.001 * s, 0.999 * s], r)
    assert above == ("extra ignored" if r < 1 else "other ignored")
    assert below == ("extra superposed" if r < 1 else "others superposed")


def test_stated_values_of_the_boundary():
    found = phase_boundary(2, [0.1, 0.2, 0.5, 1, 2, 5, 10])
    expected = [0.16, 0.267, 0.444, 0.571, 0.444, 0.267, 0.16]
    np.testing.assert_allclose(found, expected, atol=5e-4)


def test_exchanging_two_features_mirrors_the_map():
    s, r = np.meshgrid(np.linspace(0.02, 1, 30), np.geomspace(0.05, 20, 40))
    here, mirrored = phase_losses(2, s, r), phase_losses(2, s, 1 / r)
    for name, other in (
        ("extra ignored", "other ignored"),
        ("extra superposed", "extra superposed"),
        ("confused", "confused"),
    ):
        np.testing.assert_allclose(here[name], r * mirrored[other], rtol=1e-12)


def test_confusion_pays_only_without_bias():
    s, r = np.meshgrid(np.linspace(0.02, 1, 60), np.geomspace(0.05, 20, 81))
    assert "confused" not in best_phase(2, s, r)
    best = best_phase(2, s, r, bias=False)
    # At density 1 between 1/7 and 7, at 4/7 between 2/5 and 5/2.
    np.testing.assert_array_equal(
        best_phase(2, 1.0, [0.14, 0.145, 6.9, 7.1], bias=False),
        ["extra ignored", "confused", "confused", "other ignored"],
    )
    assert not (best[s < 4 / 7 - 1e-9] == "confused").any()
    assert (best[(s > 0.6) & (abs(np.log(r)) < np.log(2))] == "confused").all()


@pytest.mark.parametrize("s", [0.1, 0.3, 4 / 7])
def test_a_free_pair_does_better(s):
    def loss(p):
        return general_pair_loss(s, 0.0, *p)

    free = minimize(loss, [1.0, 0.0], method="Nelder-Mead").fun
    bound = float(phase_losses(2, s, 1.0)["extra superposed"])
    assert loss([1.0, 0.0]) == pytest.approx(bound, rel=1e-12)
    assert free < 0.9999 * bound
    assert free > 0.8 * bound


@pytest.mark.parametrize("n", [2, 3])
def test_nearest_phase(n):
    rng = np.random.default_rng(0)
    for name, W in phase_weights(n).items():
        noisy = W + rng.normal(scale=0.1, size=(20, *W.shape))
        rotation = np.linalg.qr(rng.normal(size=(20, n - 1, n - 1)))[0]
        assert (nearest_phase(noisy) == name).all()
        assert (nearest_phase(noisy @ rotation) == name).all()
    if n == 3:
        swapped = phase_weights(3)["other ignored"][[1, 0, 2]]
        assert nearest_phase(swapped) == "other ignored"


@pytest.mark.parametrize("n", [2, 3])
def test_candidates_have_the_dimensionalities_of_their_names(n):
    for name, W in phase_weights(n).items():
        norm, D = js.feature_norms(W), js.feature_dimensionality(W)
        assert float(D.sum()) == pytest.approx(n - 1, rel=1e-6)  # nothing is wasted
        if name == "extra ignored":
            assert norm[-1] == 0
        if name == "extra superposed":
            assert D[-1] == pytest.approx(0.5)
        if name in ("other ignored", "others superposed"):
            assert D[-1] == pytest.approx(1.0)


def test_bad_arguments():
    with pytest.raises(ValueError, match="n_features must be 2 or 3, got 4"):
        phase_weights(4)
    with pytest.raises(ValueError, match="density"):
        phase_losses(2, 1.2, 1.0)
    with pytest.raises(ValueError, match="importance"):
        phase_boundary(2, 0.0)
    with pytest.raises(ValueError, match="W must have shape"):
        nearest_phase(np.zeros((3, 1)))

"""Geometry: exact polytopes, and the symmetries that every set of embeddings has."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jsuper as js

MEASURES = [
    js.feature_norms,
    js.interference,
    js.superposition,
    js.feature_dimensionality,
    js.dimensions_per_feature,
    js.is_represented,
    js.is_dedicated,
]


@jax.jit
def measured(W):
    """All of them, compiled once per shape."""
    return [measure(W) for measure in MEASURES]


def polygon(k, phase=0.0):
    angles = phase + 2 * np.pi * np.arange(k) / k
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def tegum(*parts):
    """Polytopes in orthogonal subspaces, all about the origin."""
    widths = [part.shape[1] for part in parts]
    W = np.zeros((sum(map(len, parts)), sum(widths)))
    row = column = 0
    for part, width in zip(parts, widths, strict=True):
        W[row : row + len(part), column : column + width] = part
        row, column = row + len(part), column + width
    return W


def antiprism(z):
    """Square antiprism with unit vertices at heights z and -z."""
    squares = [
        np.c_[np.sqrt(1 - z**2) * polygon(4, phase), np.full(4, height)]
        for phase, height in [(0, z), (np.pi / 4, -z)]
    ]
    return np.concatenate(squares)


PAIR = np.array([[1.0], [-1.0]])
TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
POLYTOPES = {
    "orthonormal": (np.eye(4), [1.0] * 4),
    "pair": (PAIR, [1 / 2] * 2),
    "triangle": (polygon(3), [2 / 3] * 3),
    "tetrahedron": (TETRAHEDRON, [3 / 4] * 4),
    **{f"{k}-gon": (polygon(k, 0.3), [2 / k] * k) for k in (4, 5, 6, 7, 12)},
    "octahedron": (tegum(PAIR, PAIR, PAIR), [1 / 2] * 6),
    "triangular bipyramid": (tegum(polygon(3), PAIR), [2 / 3] * 3 + [1 / 2] * 2),
    "pentagonal bipyramid": (tegum(polygon(5), PAIR), [2 / 5] * 5 + [1 / 2] * 2),
    "triangle x tetrahedron": (tegum(polygon(3), TETRAHEDRON), [2 / 3] * 3 + [3 / 4] * 4),
    "square antiprism": (antiprism(1 / np.sqrt(3)), [3 / 8] * 8),
    # Projections squared onto one vertex: 4 (1 - z²)² + 8 z⁴ in all.
    **{
        f"antiprism {z}": (antiprism(z), [1 / (4 * (1 - z**2) ** 2 + 8 * z**4)] * 8)
        for z in (0.0, 0.2, 0.8)
    },
}


@pytest.mark.parametrize(("W", "expected"), POLYTOPES.values(), ids=POLYTOPES.keys())
def test_polytopes(W, expected):
    with jax.enable_x64(True):
        norms, _, superposition, D, dimensions, *_ = measured(W)
    assert D.dtype == jnp.float64
    np.testing.assert_allclose(D, expected, atol=1e-12)
    # Unit vectors: what the others project is what is missing to 1 / D.
    np.testing.assert_allclose(superposition, 1 / np.array(expected) - 1, atol=1e-12)
    np.testing.assert_allclose(norms, 1, atol=1e-12)
    np.testing.assert_allclose(dimensions, W.shape[1] / len(W), atol=1e-12)


@pytest.mark.parametrize("name", ["pair", "triangle", "tetrahedron", "square antiprism"])
def test_polytopes_in_single_precision(name):
    W, expected = POLYTOPES[name]
    D = js.feature_dimensionality(W.astype(np.float32))
    assert D.dtype == jnp.float32
    np.testing.assert_allclose(D, expected, atol=1e-6)


def test_norms_of_a_polytope_may_differ():
    # A pair of norms 2 and 1: D = |W_i|² / (|W_i|² + |W_j|²).
    W = jnp.array([[2.0], [-1.0]])
    np.testing.assert_allclose(js.feature_dimensionality(W), [0.8, 0.2], rtol=1e-6)
    np.testing.assert_allclose(js.superposition(W), [1.0, 4.0], rtol=1e-6)


def test_interference_by_its_definition():
    W = np.random.default_rng(0).normal(size=(5, 3))
    expected = np.zeros((5, 5))
    for i in range(5):
        for j in range(5):
            if i != j:
                expected[i, j] = W[i] @ W[j] / np.linalg.norm(W[i])
    with jax.enable_x64(True):
        _, interference, superposition, *_ = measured(W)
    np.testing.assert_allclose(interference, expected, atol=1e-14)
    np.testing.assert_allclose(superposition, (expected**2).sum(1), atol=1e-14)


@st.composite
def weights(draw):
    """Weights on a lattice: zeros, copies and opposites turn up often."""
    n, m = draw(st.sampled_from([(1, 1), (2, 1), (3, 2), (5, 2), (4, 5), (7, 3)]))
    entries = draw(st.lists(st.integers(-8, 8), min_size=n * m, max_size=n * m))
    return np.array(entries, float).reshape(n, m) / 4


def searched(test):
    # The same examples at every run.
    return settings(max_examples=50, deadline=None, derandomize=True)(test)


@searched
@given(weights(), st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_rotation_and_scale(W, seed, scale):
    m = W.shape[1]
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(m, m)))
    with jax.enable_x64(True):
        norms, _, superposition, D, *_ = measured(W)
        new_norms, _, new_superposition, new_D, *_ = measured(scale * W @ rotation)
        np.testing.assert_allclose(new_D, D, atol=1e-9)
        np.testing.assert_allclose(new_norms / scale, norms, atol=1e-9)
        np.testing.assert_allclose(new_superposition / scale**2, superposition, atol=1e-9)


@searched
@given(weights(), st.randoms(use_true_random=False))
def test_permutation_of_features(W, random):
    order = random.sample(range(len(W)), len(W))
    with jax.enable_x64(True):
        before, after = ([np.asarray(a) for a in measured(V)[:4]] for V in (W, W[order]))
    before[1] = before[1][:, order]  # interference has features on both axes
    for ours, theirs in zip(after, before, strict=True):
        np.testing.assert_allclose(ours, theirs[order], atol=1e-12)


@searched
@given(weights())
def test_bounds(W):
    with jax.enable_x64(True):
        D = np.asarray(measured(W)[3])
    assert D.min() >= 0
    assert D.max() <= 1 + 1e-12
    # By Cauchy and Schwarz no feature has more than its leverage, and those sum to the
    # rank, which is at most n_hidden.
    leverage = np.diag(W @ np.linalg.pinv(W))
    assert np.max(D - leverage) <= 1e-9
    assert D.sum() <= W.shape[1] + 1e-9
    assert np.all((D == 0) == (W == 0).all(1))


def test_leading_axes():
    W = np.random.default_rng(1).normal(size=(2, 3, 5, 2)).astype(np.float32)
    W[0, 1, 2] = 0
    models = [measured(W[i]) for i in np.ndindex(2, 3)]
    for k, together in enumerate(measured(W)):
        looped = np.reshape([model[k] for model in models], together.shape)
        np.testing.assert_allclose(together, looped, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
def test_jit(measure):
    W = jnp.array([[1.0, 0.5], [0.0, 0.0], [-0.25, 1.0]])
    compiled = jax.jit(measure)(W)
    np.testing.assert_allclose(compiled, measure(W), rtol=1e-6, atol=1e-7)


def test_absent_feature():
    W = jnp.array([[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]])
    np.testing.assert_array_equal(js.feature_dimensionality(W), [0.5, 0.0, 0.5])
    np.testing.assert_array_equal(js.superposition(W), [1.0, 0.0, 1.0])
    np.testing.assert_array_equal(js.feature_norms(W), [1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    "measure", [js.feature_norms, js.feature_dimensionality, js.superposition]
)
def test_gradients_with_an_absent_feature(measure):
    W = jnp.array([[1.0, 0.5], [0.0, 0.0], [-1.0, 0.25]])
    grad = jax.jit(jax.grad(lambda W: measure(W).sum()))
    gradient = grad(W)
    assert bool(jnp.isfinite(gradient).all())
    assert float(jnp.abs(gradient[jnp.array([0, 2])]).max()) > 0.01
    assert bool(jnp.isfinite(grad(0 * W)).all())


def test_gradient_of_dimensionality():
    # A pair of norms u and v: D_1 = u² / (u² + v²), so dD_1/du = 2 u v² / (u² + v²)².
    grad = jax.jit(jax.grad(lambda W: js.feature_dimensionality(W)[0]))
    gradient = grad(jnp.array([[2.0], [-1.0]]))
    np.testing.assert_allclose(gradient[:, 0], [4 / 25, 8 / 25], rtol=1e-5)


@pytest.mark.parametrize("measure", MEASURES[:5])
def test_nan_stays_visible(measure):
    W = jnp.full((2, 3, 2), 0.5).at[1].set(jnp.nan)
    values = np.asarray(measure(W))
    assert np.isfinite(values[0]).all()
    off_diagonal = ~np.eye(3, dtype=bool) if measure is js.interference else ...
    assert np.isnan(values[1][off_diagonal]).all()


def test_dimensions_per_feature():
    W = np.stack([np.eye(3, 2), 2 * np.eye(3, 2), np.zeros((3, 2))])
    np.testing.assert_allclose(js.dimensions_per_feature(W), [1.0, 0.25, np.inf], rtol=1e-6)


def test_is_represented():
    W = jnp.array([[0.5, 0.0], [0.3, 0.41], [0.0, 0.0], [-2.0, 0.0], [jnp.nan, 0.0]])
    expected = [False, True, False, True, False]
    np.testing.assert_array_equal(js.is_represented(W), expected)
    np.testing.assert_array_equal(js.is_represented(W, min_norm=1.0), [0, 0, 0, 1, 0])


def test_is_dedicated():
    # A dedicated feature, a pair, and a feature too short to count.
    W = jnp.diag(jnp.array([1.0, 1.0, 0.4]))
    W = jnp.concatenate([W, jnp.array([[0.0, -0.45, 0.0]])])
    # Feature 1 suffers 0.45² = 0.2025 from a short partner, which suffers 1 from it.
    np.testing.assert_array_equal(js.is_dedicated(W), [True, True, False, False])
    np.testing.assert_array_equal(js.is_dedicated(W, 0.2), [True, False, False, False])
    pair = jnp.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(js.is_dedicated(pair), [False, False, True])


@pytest.mark.parametrize("measure", MEASURES)
def test_weights_need_two_axes(measure):
    with pytest.raises(ValueError, match=r"^W must have shape .* got shape \(3,\)$"):
        measure(jnp.ones(3))


def test_cosines_by_their_definition():
    W = np.random.default_rng(0).normal(size=(2, 5, 3))
    W[0, 3] = 0
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(js.cosines)(W))
    for model, i, j in np.ndindex(2, 5, 5):
        v, w = W[model, i], W[model, j]
        lengths = np.linalg.norm(v) * np.linalg.norm(w)
        expected = v @ w / lengths if lengths else 0
        assert found[model, i, j] == pytest.approx(expected, abs=1e-14)
    assert np.abs(found).max() <= 1 + 1e-14


def test_cosines_are_interference_without_norms():
    W = jnp.asarray(np.random.default_rng(1).normal(size=(6, 4)))
    off_diagonal = ~np.eye(6, dtype=bool)
    scaled = np.asarray(js.cosines(W) * js.feature_norms(W))
    np.testing.assert_allclose(
        scaled[off_diagonal], js.interference(W)[off_diagonal], rtol=1e-5, atol=1e-6
    )
    gradient = jax.grad(lambda W: js.cosines(W).sum())(W.at[2].set(0.0))
    assert bool(jnp.isfinite(gradient).all())
    assert bool(jnp.isnan(js.cosines(W.at[2].set(jnp.nan))[2]).all())


def test_a_dedicated_feature_has_no_superposition_at_all():
    # The square of its own norm is not subtracted from a sum that holds it.
    W = jnp.diag(jnp.linspace(0.1, 3.0, 50)) @ jnp.eye(50, 60)
    np.testing.assert_array_equal(js.superposition(W), 0)
    np.testing.assert_allclose(js.feature_dimensionality(W), 1, rtol=1e-6)


@pytest.mark.parametrize("measure", [js.superposition, js.feature_dimensionality])
def test_one_matrix_of_pairs_is_held_at_once(measure):
    n = 512
    compiled = jax.jit(measure).lower(jnp.ones((n, 8))).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 2 * 4 * n**2

"""Sparse features: the law they follow, the curves of densities and importances."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jsuper as js

pytestmark = pytest.mark.optimized  # samples of 200,000

LAWS = [  # density, low, high
    (1.0, 0.0, 1.0),
    (0.1, 0.0, 1.0),
    (0.3, -1.0, 1.0),
    (0.5, 0.5, 2.0),
    (0.2, -3.0, -1.0),
    (np.array([1.0, 0.5, 0.05, 0.2]), -0.5, 2.0),
]
N, BATCH = 4, 200_000  # one shape for most tests, compiled once


@jax.jit(static_argnames="batch")
def sample(features, key, batch=BATCH):
    return features.sample(key, batch)


def power_moment(p, low, high, k):
    """E x^k of one feature, k >= 1: p times that of a uniform number."""
    return p * (high ** (k + 1) - low ** (k + 1)) / ((k + 1) * (high - low))


@pytest.mark.parametrize(("density", "low", "high"), LAWS)
def test_moments_of_samples(density, low, high):
    p = np.broadcast_to(density, N)
    first, second, fourth = (power_moment(p, low, high, k) for k in (1, 2, 4))
    moments = np.outer(first, first)
    variances = np.outer(second, second) - moments**2
    np.fill_diagonal(moments, second)
    np.fill_diagonal(variances, fourth - second**2)

    features = js.SparseFeatures(N, density, low, high)
    np.testing.assert_allclose(features.mean(), first, rtol=1e-6)
    np.testing.assert_allclose(features.second_moment(), moments, rtol=1e-6)

    # 14 distinct numbers, each within 4 standard errors: 99.9% in all.
    x = np.asarray(sample(features, jax.random.key(1)), np.float64)
    errors = np.abs(x.mean(0) - first) / np.sqrt((second - first**2) / BATCH)
    assert errors.max() < 4
    errors = np.abs(x.T @ x / BATCH - moments) / np.sqrt(variances / BATCH)
    assert errors.max() < 4


@pytest.mark.parametrize(("density", "low", "high"), LAWS)
def test_active_features_are_uniform(density, low, high):
    x = np.asarray(sample(js.SparseFeatures(N, density, low, high), jax.random.key(2)))
    for column in x.T:
        active = column[column != 0]
        # Kolmogorov-Smirnov: a true uniform passes with 99.99%.
        assert stats.kstest(active, stats.uniform(low, high - low).cdf).pvalue > 1e-4


def test_activity_is_independent_across_features_and_examples():
    p = 0.3
    active = np.asarray(sample(js.SparseFeatures(N, p), jax.random.key(3))) != 0
    z = (active - p) / np.sqrt(p * (1 - p))
    # Each product of two independent standardised numbers has variance 1; 6 pairs of
    # features and 3 x 16 lagged ones within 4 standard errors: 99.6% in all.
    between = (z.T @ z / BATCH)[np.triu_indices(N, 1)]
    assert np.abs(between).max() < 4 / np.sqrt(BATCH)
    for lag in (1, 2, 128):
        lagged = z[:-lag].T @ z[lag:] / (BATCH - lag)
        assert np.abs(lagged).max() < 4 / np.sqrt(BATCH - lag)


def test_activity_is_not_all_or_nothing():
    # One mask for the whole batch would give counts of 0 and 64: 64 times the variance.
    p, batch = 0.3, 64
    keys = jax.random.split(jax.random.key(4), 1000)
    features = js.SparseFeatures(N, p)
    x = jax.vmap(lambda key: sample(features, key, batch))(keys)
    counts = np.asarray(x != 0).sum(1).astype(float)
    variance = batch * p * (1 - p)
    # Variance of a sample variance, Gaussian to within 1% here; 4 standard errors.
    se = variance * np.sqrt(2 / (counts.size - 1))
    assert abs(np.var(counts, ddof=1) - variance) < 4.1 * se


@pytest.mark.parametrize(("density", "batch"), [(1e-4, 300_000), (1e-5, 700_000)])
def test_rare_features_take_many_values(density, batch):
    # 23 random bits leave 839 and 84 values at these densities.
    features = js.SparseFeatures(10, density)
    x = np.asarray(sample(features, jax.random.key(5), batch))
    active = x[x != 0].astype(np.float64)
    expected = x.size * density
    assert abs(active.size - expected) < 4 * np.sqrt(expected)
    assert np.unique(active).size > 0.98 * active.size
    assert abs(active.mean() - 0.5) < 4 / np.sqrt(12 * active.size)
    assert active.max() <= 1


def test_density_one_is_never_zero():
    x = np.asarray(sample(js.SparseFeatures(N, 1.0), jax.random.key(6)))
    assert float(x.min()) > 0
    assert float(x.max()) <= 1


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_supports_are_nested_across_densities(low):
    key = jax.random.key(7)
    active = [
        np.asarray(sample(js.SparseFeatures(N, p, low), key)) != 0
        for p in js.log_densities(6, lowest=0.01)
    ]
    for more, fewer in itertools.pairwise(active):
        assert not np.any(fewer & ~more)
        assert fewer.sum() < more.sum()


def test_samples_follow_the_key():
    features = js.SparseFeatures(N, 0.5)
    x = [sample(features, jax.random.key(seed)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(x[0], x[1])
    assert np.mean(np.asarray(x[0]) == np.asarray(x[2])) < 0.5  # only shared zeros


@jax.jit(static_argnames=("batch", "feature_axis"))
def uniforms(features, key, batch=BATCH, feature_axis=1):
    return features.uniforms(key, batch, feature_axis)


@pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize(("n", "batch"), [(1, 1), (1, 9), (4, 1), (5, 64), (37, 101)])
def test_feature_axis_0_is_the_transpose(double, n, batch):
    with jax.enable_x64(double):
        features, key = js.SparseFeatures(n, 0.3), jax.random.key(9)
        by_example = uniforms(features, key, batch, 1)
        by_feature = uniforms(features, key, batch, 0)
        assert (
            by_example.dtype == by_feature.dtype == (np.float64 if double else np.float32)
        )
        assert by_example.shape == (batch, n)
        assert by_feature.shape == (n, batch)
        np.testing.assert_array_equal(by_feature, by_example.T)


def test_uniform_numbers_are_31_random_bits():
    key = jax.random.key(10)
    bits = np.asarray(jax.random.bits(key, (101, 5))) >> 1
    expected = (bits * 2.0**-31).astype(np.float32)
    np.testing.assert_array_equal(uniforms(js.SparseFeatures(5, 0.3), key, 101), expected)


@pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
def test_uniform_numbers_are_uniform(double):
    with jax.enable_x64(double):
        u = np.asarray(uniforms(js.SparseFeatures(N, 0.3), jax.random.key(11)), float)
    assert u.min() >= 0
    assert u.max() <= 1
    # Four Kolmogorov-Smirnov tests: true uniforms pass with 99.96% in all.
    for column in u.T:
        assert stats.kstest(column, stats.uniform.cdf).pvalue > 1e-4
    # Squares of 8 x 8, for each of 6 pairs, have a chi-square law of 63 degrees of freedom
    # if features are independent: 99.94% in all.
    for one, other in itertools.combinations(u.T, 2):
        counts, *_ = np.histogram2d(one, other, bins=8, range=[[0, 1], [0, 1]])
        assert stats.chisquare(counts.ravel()).pvalue > 1e-4


@pytest.mark.parametrize(("density", "low", "high"), LAWS)
def test_samples_are_made_of_the_uniform_numbers(density, low, high):
    features, key = js.SparseFeatures(N, density, low, high), jax.random.key(12)
    u = np.asarray(uniforms(features, key))
    x = np.asarray(sample(features, key))
    active = u <= np.float32(density)
    np.testing.assert_array_equal(x != 0, active)
    expected = np.where(active, low + (high - low) * (u / np.asarray(density)), 0)
    np.testing.assert_allclose(x, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("feature_axis", [0, 1])
def test_keys_of_another_implementation(feature_axis):
    key = jax.random.key(13, impl="rbg")
    u = np.asarray(uniforms(js.SparseFeatures(N, 0.3), key, BATCH, feature_axis))
    assert u.shape == ((N, BATCH) if feature_axis == 0 else (BATCH, N))
    assert stats.kstest(u.ravel(), stats.uniform.cdf).pvalue > 1e-4


def test_samples_in_double_precision():
    with jax.enable_x64(True):
        x = js.SparseFeatures(4, [1.0, 0.5, 0.1, 0.1]).sample(jax.random.key(8), 5000)
        assert x.dtype == jnp.float64
        assert not np.any(
            np.asarray(x, np.float32) == np.asarray(x), where=np.asarray(x) > 0
        )
        for column, p in zip(np.asarray(x).T, [1.0, 0.5, 0.1, 0.1], strict=True):
            active = column[column != 0]
            assert abs(active.size - 5000 * p) <= 4 * np.sqrt(5000 * p * (1 - p))
            assert stats.kstest(active, stats.uniform.cdf).pvalue > 1e-4


def test_gradients_pass_the_constructor_checks():
    # The derivative by the density is 5 * 1/2, no density itself; nor is -1 or NaN.
    gradient = jax.grad(lambda features: features.mean().sum())(js.SparseFeatures(5, 0.1))
    assert isinstance(gradient, js.SparseFeatures)
    assert float(gradient.density) == pytest.approx(2.5)
    assert float(gradient.low) == pytest.approx(0.25)
    slope = jax.grad(lambda p: js.SparseFeatures(5, p).second_moment().trace())(0.1)
    assert float(slope) == pytest.approx(5 / 3)
    odd = jax.tree.map(lambda _: -7.0, js.SparseFeatures(5, 0.1))
    assert (odd.n_features, odd.density, odd.low, odd.high) == (5, -7.0, -7.0, -7.0)


def test_transformations_keep_static_fields():
    features = jax.jit(lambda f: f)(js.SparseFeatures(5, 0.1))
    assert features.n_features == 5
    assert float(features.density) == pytest.approx(0.1)
    densities = jnp.array([0.1, 0.4, 1.0])
    batch = jax.vmap(lambda p: js.SparseFeatures(2, p))(densities)
    assert batch.n_features == 2
    np.testing.assert_array_equal(batch.density, densities)
    means = jax.jit(jax.vmap(lambda f: f.mean()))(batch)
    np.testing.assert_allclose(means, [[0.05] * 2, [0.2] * 2, [0.5] * 2], rtol=1e-6)


@pytest.mark.parametrize(
    ("n", "lowest", "highest"), [(10, 0.05, 1.0), (2, 0.3, 0.4), (7, 1e-6, 0.5)]
)
def test_log_densities(n, lowest, highest):
    densities = js.log_densities(n, lowest, highest)
    assert densities.shape == (n,)
    assert (densities[0], densities[-1]) == (highest, lowest)
    ratios = densities[1:] / densities[:-1]
    np.testing.assert_allclose(ratios, (lowest / highest) ** (1 / (n - 1)), rtol=1e-12)


def test_notebook_densities():
    # The official notebook writes its curve as 20 ** -linspace(0, 1, 10).
    expected = 20 ** -np.linspace(0, 1, 10)
    np.testing.assert_allclose(js.log_densities(10, lowest=1 / 20), expected, rtol=1e-12)


def test_importance_curves():
    expected = [0.9**i for i in range(5)]
    np.testing.assert_allclose(js.geometric_importance(5, 0.9), expected, rtol=1e-6)
    expected = [100 ** (-i / 99) for i in range(100)]
    np.testing.assert_allclose(js.log_importance(100, 1 / 100), expected, rtol=1e-5)
    np.testing.assert_array_equal(js.log_importance(1, 0.5), [1.0])
    np.testing.assert_array_equal(js.uniform_importance(3), [1.0, 1.0, 1.0])


COUNT = "must be an integer of at least 1, got "


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"density": 0.0}, r"density must be in \(0, 1\], got 0$"),
        ({"density": 1.2}, r"density must be in \(0, 1\], got 1\.2$"),
        ({"density": -0.1}, r"density must be in \(0, 1\], got -0\.1$"),
        ({"density": np.nan}, r"density must be in \(0, 1\], got nan$"),
        ({"density": [0.1, 0.2, 3.0]}, r"density must be in \(0, 1\], got 3$"),
        ({"density": "dense"}, r"density must be in \(0, 1\], got 'dense'$"),
        ({"density": [0.1, 0.2]}, r"density must be one number or 3 .*, got \[.*\]$"),
        ({"density": [[0.1] * 3]}, r"density must be one number or 3 .*, got \[\[.*\]\]$"),
        ({"n_features": 0}, f"n_features {COUNT}0$"),
        ({"n_features": 2.5}, rf"n_features {COUNT}2\.5$"),
        ({"n_features": True}, f"n_features {COUNT}True$"),
        ({"low": np.nan}, r"low must be a finite number, got nan$"),
        ({"low": -np.inf}, r"low must be a finite number, got -inf$"),
        ({"low": 1.0}, r"high must be a finite number above low = 1, got 1$"),
        ({"high": -2.0}, r"high must be a finite number above low = 0, got -2$"),
        ({"high": np.inf}, r"high must be a finite number above low = 0, got inf$"),
    ],
)
def test_bad_features(kwargs, message):
    with pytest.raises(ValueError, match="^" + message):
        js.SparseFeatures(**{"n_features": 3, "density": 0.1} | kwargs)


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        (lambda: js.log_densities(0, 0.1), f"n {COUNT}0$"),
        (lambda: js.log_densities(2.5, 0.1), rf"n {COUNT}2\.5$"),
        (
            lambda: js.log_densities(3, 0.5, highest=0.1),
            r"lowest must be in \(0, highest = 0\.1\], got 0\.5$",
        ),
        (
            lambda: js.log_densities(3, 0.0),
            r"lowest must be in \(0, highest = 1\], got 0$",
        ),
        (
            lambda: js.log_densities(3, np.nan),
            r"lowest must be in \(0, highest = 1\], got nan$",
        ),
        (lambda: js.log_densities(3, 0.1, 1.5), r"highest must be in \(0, 1\], got 1\.5$"),
        (
            lambda: js.geometric_importance(3, 0.0),
            r"ratio must be positive and finite, got 0$",
        ),
        (lambda: js.geometric_importance(0, 0.9), f"n_features {COUNT}0$"),
        (
            lambda: js.log_importance(3, np.inf),
            r"lowest must be positive and finite, got inf$",
        ),
        (
            lambda: js.log_importance(3, -0.5),
            r"lowest must be positive and finite, got -0\.5$",
        ),
        (lambda: js.uniform_importance(-1), f"n_features {COUNT}-1$"),
    ],
)
def test_bad_curves(curve, message):
    with pytest.raises(ValueError, match="^" + message):
        curve()


def test_a_list_counts_as_one_number_per_feature():
    features = js.SparseFeatures(2, [0.5, 0.25])
    np.testing.assert_allclose(features.mean(), [0.25, 0.125])
    with pytest.raises(ValueError, match="low must be one number, got an array"):
        js.SparseFeatures(2, 0.1, low=np.zeros(2))

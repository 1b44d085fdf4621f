"""Features in sets: exact moments, who is active with whom, nested supports, errors."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jsuper as js

pytestmark = pytest.mark.optimized  # samples of 200,000

KINDS = [js.CorrelatedFeatures, js.AnticorrelatedFeatures]
LAWS = [(1.0, 0.0, 1.0), (0.1, 0.0, 1.0), (0.3, -1.0, 1.0), (0.6, -3.0, -1.0)]
SETS, SIZE, BATCH = 3, 4, 200_000
each_kind = pytest.mark.parametrize("kind", KINDS)


@jax.jit(static_argnames="batch")
def sample(features, key, batch=BATCH):
    return features.sample(key, batch)


def active_sets(x):
    """Number of active features of each set, shape (batch, sets)."""
    return (np.asarray(x) != 0).reshape(len(x), SETS, SIZE).sum(2)


@each_kind
@pytest.mark.parametrize(("density", "low", "high"), LAWS)
def test_samples_have_the_exact_moments(kind, density, low, high):
    features = kind(SETS, SIZE, density, low, high)
    x = np.asarray(sample(features, jax.random.key(1)), np.float64)
    assert x.shape == (BATCH, SETS * SIZE)

    # 12 means and 78 moments, each within 4.5 sample standard errors: 99.9% in all.
    def errors(samples, expected):
        spread = samples.std(0) / np.sqrt(BATCH)
        return np.abs(samples.mean(0) - expected) / np.maximum(spread, 1e-12)

    assert errors(x, features.mean()).max() < 4.5
    first, second = np.triu_indices(SETS * SIZE)
    expected = np.asarray(features.second_moment(), np.float64)
    np.testing.assert_array_equal(expected, expected.T)
    assert errors(x[:, first] * x[:, second], expected[first, second]).max() < 4.5


def test_moments_by_hand():
    # 2 sets of 2, p = 1/2 on [0, 1]: E x = 1/4, E x² = 1/6, within 1/8, across 1/16.
    features = js.CorrelatedFeatures(2, 2, 0.5)
    np.testing.assert_allclose(features.mean(), 4 * [1 / 4], rtol=1e-6)
    row = [1 / 6, 1 / 8, 1 / 16, 1 / 16]
    np.testing.assert_allclose(features.second_moment()[0], row, rtol=1e-6)
    # Every feature has half that density: E x² = 1/12, within 0, across 1/64.
    features = js.AnticorrelatedFeatures(2, 2, 0.5)
    np.testing.assert_allclose(features.mean(), 4 * [1 / 8], rtol=1e-6)
    row = [1 / 12, 0, 1 / 64, 1 / 64]
    np.testing.assert_allclose(features.second_moment()[0], row, rtol=1e-6)


def test_correlated_features_are_active_together():
    p = 0.3
    counts = active_sets(sample(js.CorrelatedFeatures(SETS, SIZE, p), jax.random.key(2)))
    assert set(np.unique(counts)) == {0, SIZE}
    # Patterns of three independent sets: a chi-square law, passed with 99.99%.
    patterns = (counts > 0) @ [1, 2, 4]
    n_active = np.array([0, 1, 1, 2, 1, 2, 2, 3])
    expected = BATCH * p**n_active * (1 - p) ** (3 - n_active)
    assert stats.chisquare(np.bincount(patterns), expected).pvalue > 1e-4


def test_magnitudes_of_a_set_are_independent():
    x = np.asarray(sample(js.CorrelatedFeatures(SETS, SIZE, 0.4, -1), jax.random.key(3)))
    active = x[x[:, 0] != 0, :SIZE].astype(np.float64)
    for column in active.T:
        # Kolmogorov-Smirnov: a true uniform passes with 99.99%.
        assert stats.kstest(column, stats.uniform(-1, 2).cdf).pvalue > 1e-4
    # Squares of 8 x 8 for each of 6 pairs: chi-square, 99.94% in all.
    for one, other in itertools.combinations(active.T, 2):
        counts, *_ = np.histogram2d(one, other, bins=8, range=[[-1, 1], [-1, 1]])
        assert stats.chisquare(counts.ravel()).pvalue > 1e-4


def test_anticorrelated_features_exclude_each_other():
    p = 0.3
    features = js.AnticorrelatedFeatures(SETS, SIZE, p)
    x = np.asarray(sample(features, jax.random.key(4)))
    counts = active_sets(x)
    assert set(np.unique(counts)) == {0, 1}
    # Nothing or one of four members in each of three sets, all independent: 125 cells.
    state = np.where(counts > 0, 1 + x.reshape(BATCH, SETS, SIZE).argmax(2), 0)
    law = np.array([1 - p, *4 * [p / 4]])
    expected = BATCH * np.einsum("i,j,k->ijk", law, law, law).ravel()
    seen = np.bincount(state @ [25, 5, 1], minlength=125)
    assert stats.chisquare(seen, expected).pvalue > 1e-4
    for column in x.T:
        assert stats.kstest(column[column != 0], stats.uniform.cdf).pvalue > 1e-4


def test_one_active_feature_in_each_example():
    x = np.asarray(sample(js.AnticorrelatedFeatures(1, 5, 1.0), jax.random.key(5)))
    assert ((x != 0).sum(1) == 1).all()


@each_kind
@pytest.mark.parametrize("low", [0.0, -1.0])
def test_supports_are_nested_across_densities(kind, low):
    active = [
        np.asarray(sample(kind(SETS, SIZE, p, low), jax.random.key(6))) != 0
        for p in js.log_densities(6, lowest=0.01)
    ]
    for more, fewer in itertools.pairwise(active):
        assert not np.any(fewer & ~more)
        assert fewer.sum() < more.sum()


def test_magnitudes_do_not_depend_on_the_density():
    dense, sparse = (
        np.asarray(sample(js.CorrelatedFeatures(SETS, SIZE, p), jax.random.key(7)))
        for p in (0.9, 0.2)
    )
    np.testing.assert_array_equal(sparse[sparse != 0], dense[sparse != 0])


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_sets_of_one_are_independent_features(low):
    independent = js.SparseFeatures(5, 0.2, low)
    for kind in KINDS:
        features = kind(5, 1, 0.2, low)
        np.testing.assert_allclose(features.mean(), independent.mean(), rtol=1e-6)
        moment = independent.second_moment()
        np.testing.assert_allclose(features.second_moment(), moment, rtol=1e-6)
    # One number decides both activity and magnitude, as in SparseFeatures; the law agrees.
    x = np.asarray(sample(js.AnticorrelatedFeatures(5, 1, 0.2, low), jax.random.key(8)))
    y = np.asarray(sample(independent, jax.random.key(9)))
    _, pvalue = stats.ks_2samp(x[x != 0], y[y != 0])
    assert float(np.asarray(pvalue)) > 1e-4


@each_kind
def test_rare_features_take_many_values(kind):
    x = np.asarray(sample(kind(10, 2, 1e-4), jax.random.key(10), 300_000))
    active = x[x != 0].astype(np.float64)
    assert np.unique(active).size > 0.98 * active.size
    assert abs(active.mean() - 0.5) < 4 / np.sqrt(12 * active.size)


@each_kind
def test_samples_in_double_precision(kind):
    with jax.enable_x64(True):
        x = kind(2, 2, 0.3).sample(jax.random.key(11), 1000)
        assert x.dtype == jnp.float64
        seen = np.asarray(x)[np.asarray(x) != 0]
        assert not np.any(seen.astype(np.float32) == seen)


@each_kind
def test_jax_maps_over_densities(kind):
    batch = jax.vmap(lambda p: kind(2, 3, p))(jnp.array([0.1, 0.4]))
    assert (batch.n_sets, batch.set_size, batch.n_features) == (2, 3, 6)
    means = jax.jit(jax.vmap(lambda f: f.mean()))(batch)
    single = [kind(2, 3, p).mean() for p in (0.1, 0.4)]
    np.testing.assert_allclose(means, single, rtol=1e-6)
    gradient = jax.grad(lambda f: f.second_moment().sum())(kind(2, 3, 0.2))
    moment = [float(kind(2, 3, p).second_moment().sum()) for p in (0.19, 0.21)]
    assert float(gradient.density) == pytest.approx(
        (moment[1] - moment[0]) / 0.02, rel=1e-3
    )


COUNT = "must be an integer of at least 1, got "


@each_kind
@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"n_sets": 0}, f"n_sets {COUNT}0$"),
        ({"n_sets": 2.0}, rf"n_sets {COUNT}2\.0$"),
        ({"set_size": -1}, f"set_size {COUNT}-1$"),
        ({"set_size": True}, f"set_size {COUNT}True$"),
        ({"density": 0.0}, r"density must be in \(0, 1\], got 0$"),
        ({"density": 1.5}, r"density must be in \(0, 1\], got 1\.5$"),
        ({"density": [0.1, 0.2]}, r"density must be one number, got an array .*\(2,\)$"),
        ({"density": "dense"}, r"density must be in \(0, 1\], got 'dense'$"),
        ({"low": np.nan}, "low must be a finite number, got nan$"),
        ({"low": 2.0}, "high must be a finite number above low = 2, got 1$"),
        ({"high": [1.0, 2.0]}, "high must be one number, got an array of shape"),
    ],
)
def test_bad_sets(kind, kwargs, message):
    with pytest.raises(ValueError, match="^" + message):
        kind(**{"n_sets": 2, "set_size": 3, "density": 0.1} | kwargs)

"""What all features with structure promise: exact moments, and supports that are nested."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js

pytestmark = pytest.mark.optimized  # samples of 200,000

BATCH = 200_000
GROUPS = [(5, 0, 3), (6, 1)]  # of 8 features: 2, 4 and 7 are in none
PARENTS = [3, None, 5, 5, 1, None, 3, 0]  # 5 → 3 → 0 → 7, and 5 → 2, 3 → 6, 1 → 4
LADDER = np.linspace(0.1, 0.45, 8)


def grouped(p, *correlation_and_range):
    return js.GroupedFeatures(8, GROUPS, p, *correlation_and_range)


def exclusive(p, *range_):
    return js.ExclusiveFeatures(8, GROUPS, p, *range_)


def hierarchical(p, *range_):
    return js.HierarchicalFeatures(PARENTS, p, *range_)


def joined(p, *range_):
    parts = [
        js.ExclusiveFeatures(4, [(3, 0, 1)], p, *range_),
        js.SparseFeatures(1, p, *range_),
        js.GroupedFeatures(3, [(2, 0)], p, 0.5, *range_),
    ]
    return js.JoinedFeatures(parts, [(7, 0, 2, 5), (3,), (1, 6, 4)])


KINDS = [grouped, exclusive, hierarchical, joined]
each_kind = pytest.mark.parametrize("kind", KINDS)

LAWS = {
    "grouped, independent": grouped(LADDER, 0.0),
    "grouped, correlated": grouped(LADDER, 0.3),
    "grouped, inseparable": grouped(LADDER, 1.0, 0.5, 2.0),
    "grouped, one correlation per group": grouped(0.2, np.array([0.1, 0.7]), -1.0, 3.0),
    "exclusive": exclusive(0.3),
    "exclusive, density per feature": exclusive(LADDER, 0.5, 2.0),
    "hierarchical": hierarchical(0.6),
    "hierarchical, density per feature": hierarchical(1.2 - 2 * LADDER, -1.0, 3.0),
    "joined": joined(0.3, -3.0, -1.0),
}


@jax.jit(static_argnames="batch")
def sample(features, key, batch=BATCH):
    return features.sample(key, batch)


@jax.jit
def moments(features):
    return features.mean(), features.second_moment()


@pytest.mark.parametrize("features", LAWS.values(), ids=LAWS)
def test_samples_have_the_exact_moments(features):
    x = np.asarray(sample(features, jax.random.key(1)), np.float64)
    assert x.shape == (BATCH, 8)

    # 8 means and 36 moments, each within 4.5 sample standard errors: 99.97% in all.
    def errors(samples, expected):
        spread = samples.std(0) / np.sqrt(BATCH)
        return np.abs(samples.mean(0) - expected) / np.maximum(spread, 1e-12)

    mean, moment = (np.asarray(array, np.float64) for array in moments(features))
    assert errors(x, mean).max() < 4.5
    np.testing.assert_allclose(moment, moment.T, rtol=1e-6)
    one, other = np.triu_indices(8)
    assert errors(x[:, one] * x[:, other], moment[one, other]).max() < 4.5


@each_kind
def test_supports_are_nested_across_densities(kind):
    key = jax.random.key(2)
    x = [np.asarray(sample(kind(p), key)) for p in (0.33, 0.1, 0.09, 0.01)]
    for more, fewer in itertools.pairwise(x):
        assert not np.any((fewer != 0) & (more == 0))
        assert (fewer != 0).sum() < (more != 0).sum()
        # SparseFeatures alone has one number for activity and magnitude.
        kept = (fewer != 0) & (np.arange(8) != 3 if kind is joined else True)
        np.testing.assert_array_equal(fewer[kept], more[kept])


@each_kind
def test_jax_maps_over_densities(kind):
    densities = jnp.array([0.05, 0.2, 0.3])
    batch = jax.vmap(kind)(densities)
    assert batch.n_features == 8
    key = jax.random.key(3)
    x, *both = jax.jit(jax.vmap(lambda f: (sample(f, key), *moments(f))))(batch)
    for i, p in enumerate(densities):
        np.testing.assert_allclose(x[i], sample(kind(p), key), atol=1e-6)
        for ours, one in zip(both, moments(kind(p)), strict=True):
            np.testing.assert_allclose(ours[i], one, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_in_double_precision(kind):
    with jax.enable_x64(True):
        x = np.asarray(sample(kind(0.3), jax.random.key(4), 1000))
        assert x.dtype == np.float64
        active = x[x != 0]
        assert active.size > 500
        assert not np.any(active.astype(np.float32) == active)

        # The derivative by every number that can be swept, against finite differences.
        @jax.jit
        def total(*numbers):
            mean, moment = moments(kind(*numbers))
            return (moment * jnp.arange(1, 9)).sum() + mean.sum()

        numbers = (0.2, 0.4, 0.3, 0.9) if kind is grouped else (0.2, 0.3, 0.9)
        gradient = jax.jit(jax.grad(total, argnums=range(len(numbers))))(*numbers)
        for step, slope in zip(1e-5 * np.eye(len(numbers)), gradient, strict=True):
            up, down = np.add(numbers, step), np.subtract(numbers, step)
            difference = float(total(*up) - total(*down)) / 2e-5
            assert float(slope) == pytest.approx(difference, rel=1e-6)


@each_kind
def test_draws_have_31_random_bits(kind):
    # With 23 bits all numbers would be multiples of 2**-23; with 31, 1 in 256 is.
    x = np.asarray(sample(kind(0.3), jax.random.key(5)), np.float64)
    small = x[(x > 0) & (x < 0.5**7)]
    assert small.size > 1000
    assert np.mean(small * 2**23 % 1 == 0) < 0.02


@each_kind
def test_rare_features_are_as_rare_as_they_should_be(kind):
    features = kind(1e-4)
    active = np.asarray(sample(features, jax.random.key(6))) != 0
    # Up to 3 features of a group come together, which may triple the variance.
    expected = 2 * float(features.mean().sum()) * BATCH
    assert abs(active.sum() - expected) < 4 * np.sqrt(3 * expected)


def test_a_sweep_takes_them():
    def task(density, correlation):
        parts = [
            js.GroupedFeatures(4, [(0, 2)], density, correlation),
            js.ExclusiveFeatures(2, [(0, 1)], density),
            js.HierarchicalFeatures([None, 0], density),
        ]
        return js.Task(js.JoinedFeatures(parts), js.ToyModel(8, 2))

    axes = {"density": [0.5, 0.1], "correlation": [0.0, 1.0], "seed": 2}
    recipe = js.Recipe(steps=30, batch_size=64, eval_batches=1)
    ds = js.sweep(task, axes, recipe, key=jax.random.key(6))
    assert dict(ds["W"].sizes) == {
        "density": 2,
        "correlation": 2,
        "seed": 2,
        "feature": 8,
        "hidden": 2,
    }
    assert bool(ds["finite"].all())
    # The history knows the data: cells of another correlation saw other batches.
    assert not np.allclose(ds["history"][:, 0], ds["history"][:, 1])
    assert np.ptp(ds["loss"].values, axis=(0, 1)).min() > 0

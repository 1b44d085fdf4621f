"""Features in groups: who is active with whom, limits, invariances, errors."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jsuper as js

N, BATCH = 7, 200_000
GROUPS = ((4, 0, 2), (1, 6))  # 3 and 5 are in none
DENSITIES = np.array([0.2, 0.5, 0.3, 0.25, 0.2, 0.6, 0.4])
KINDS = [js.GroupedFeatures, js.ExclusiveFeatures]
each_kind = pytest.mark.parametrize("kind", KINDS)


@jax.jit
def sample(features, key):
    return features.sample(key, BATCH)


@jax.jit
def moments(features):
    return features.mean(), features.second_moment()


def both_active(features):
    """Probability that two features are active together, from the second moment."""
    middle = (features.low + features.high) / 2
    return np.asarray(moments(features)[1], np.float64) / middle**2


@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0])
def test_pairs_of_a_group_have_the_correlation(rho):
    p = 0.3
    features = js.GroupedFeatures(N, GROUPS, p, rho)
    active = np.asarray(sample(features, jax.random.key(1))) != 0
    z = (active - p) / np.sqrt(p * (1 - p))
    for i, j in itertools.combinations(range(N), 2):
        same = any({i, j} <= set(group) for group in GROUPS)
        product = z[:, i] * z[:, j]
        # 21 pairs within 4.5 standard errors: 99.98% in all.
        error = abs(product.mean() - rho * same)
        assert error < 4.5 * product.std() / np.sqrt(BATCH)


def joint(densities, rho):
    """Probability that all are active: a sum over who follows the number of the group."""
    total, follow = 0, math.sqrt(rho)
    for followers in itertools.product([True, False], repeat=len(densities)):
        own = [p for p, f in zip(densities, followers, strict=True) if not f]
        common = [p for p, f in zip(densities, followers, strict=True) if f]
        weight = follow ** len(common) * (1 - follow) ** len(own)
        total += weight * min(common, default=1) * math.prod(own)
    return total


def test_moments_agree_with_a_sum_over_followers():
    rho = np.array([0.3, 0.8])
    features = js.GroupedFeatures(N, GROUPS, DENSITIES, rho)
    together = both_active(features)
    for i, j in itertools.combinations(range(N), 2):
        p = DENSITIES[[i, j]]
        of_pair = [r for r, group in zip(rho, GROUPS, strict=True) if {i, j} <= {*group}]
        expected = joint(p, of_pair[0]) if of_pair else math.prod(p)
        assert together[i, j] == pytest.approx(expected, rel=1e-5)
    # Three at a time, which moments do not show: within 4.5 standard errors.
    active = np.asarray(sample(features, jax.random.key(2))) != 0
    expected = joint(DENSITIES[list(GROUPS[0])], rho[0])
    seen = active[:, GROUPS[0]].all(1).mean()
    assert abs(seen - expected) < 4.5 * np.sqrt(expected / BATCH)


def test_features_of_correlation_one_are_inseparable():
    active = np.asarray(sample(js.GroupedFeatures(N, GROUPS, 0.3), jax.random.key(3))) != 0
    for group in GROUPS:
        members = active[:, group]
        assert (members.all(1) == members.any(1)).all()
        assert 0 < members.all(1).mean() < 1
    # Of other densities: the rarer one only where the other is.
    features = js.GroupedFeatures(N, GROUPS, DENSITIES)
    active = np.asarray(sample(features, jax.random.key(3))) != 0
    assert (active[:, 6] <= active[:, 1]).all()
    assert (active[:, 4] == active[:, 0]).all()
    assert (active[:, 4] <= active[:, 2]).all()


def test_another_correlation_changes_followers_only():
    # A feature changes where it ceases to follow and its own number decides otherwise.
    p, loose, tight = 0.3, 0.2, 0.7
    x, y = (
        np.asarray(sample(js.GroupedFeatures(N, GROUPS, p, rho), jax.random.key(4)))
        for rho in (loose, tight)
    )
    changed = (x != 0) != (y != 0)
    np.testing.assert_array_equal(x[~changed], y[~changed])
    share = (math.sqrt(tight) - math.sqrt(loose)) * 2 * p * (1 - p)
    grouped = [i for group in GROUPS for i in group]
    error = np.abs(changed[:, grouped].mean(0) - share)
    assert error.max() < 4.5 * math.sqrt(share * (1 - share) / BATCH)
    assert not changed[:, [3, 5]].any()


def test_limits_are_the_features_of_equal_sets():
    def same_moments(features, others):
        for ours, theirs in zip(moments(features), moments(others), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)

    low = -0.5
    sets = [(0, 1, 2), (3, 4, 5)]
    correlated = js.CorrelatedFeatures(2, 3, 0.3, low)
    same_moments(js.GroupedFeatures(6, sets, 0.3, 1.0, low), correlated)
    anticorrelated = js.AnticorrelatedFeatures(2, 3, 0.3, low)
    same_moments(js.ExclusiveFeatures(6, sets, 0.1, low), anticorrelated)
    p = DENSITIES[:6]
    independent = js.SparseFeatures(6, p, low)
    same_moments(js.GroupedFeatures(6, sets, p, 0.0, low), independent)
    for groups in ([], [(4,)]):
        same_moments(js.GroupedFeatures(6, groups, p, 0.7, low), independent)
        same_moments(js.ExclusiveFeatures(6, groups, p, low), independent)


@each_kind
def test_other_names_for_the_same_groups(kind):
    def moment(groups, densities, correlation):
        extra = (correlation,) if kind is js.GroupedFeatures else ()
        return np.asarray(moments(kind(N, groups, densities, *extra))[1])

    expected = moment(GROUPS, DENSITIES, [0.2, 0.9])
    place = np.array([3, 6, 0, 5, 1, 4, 2])  # where each feature stands now
    groups = [tuple(place[list(group)]) for group in GROUPS]
    renamed = moment(groups, DENSITIES[np.argsort(place)], [0.2, 0.9])
    np.testing.assert_allclose(renamed[place][:, place], expected, rtol=1e-6)
    reordered = [group[::-1] for group in GROUPS[::-1]]
    other = moment(reordered, DENSITIES, [0.9, 0.2])
    np.testing.assert_allclose(other, expected, rtol=1e-6)


def test_groups_of_any_kind_of_sequence():
    given = [GROUPS, [[4, 0, 2], range(1, 7, 5)], tuple(map(np.array, GROUPS))]
    features = [js.GroupedFeatures(N, groups, 0.1) for groups in given]
    assert len({f.groups for f in features}) == 1
    assert len({jax.tree.structure(f) for f in features}) == 1
    table = js.ExclusiveFeatures(4, np.arange(4).reshape(2, 2), 0.1)
    assert table.groups == ((0, 1), (2, 3))


def test_exclusive_features_never_meet():
    densities = DENSITIES * [1, 1, 1, 1, 1, 1, 0.5]
    features = js.ExclusiveFeatures(N, GROUPS, densities)
    active = np.asarray(sample(features, jax.random.key(5))) != 0
    cells, law = np.zeros(BATCH, int), np.ones(1)
    for group in (*GROUPS, (3,), (5,)):
        assert active[:, group].sum(1).max() == 1
        # Nothing, or one member: all groups at once have 4 x 3 x 2 x 2 outcomes.
        which = active[:, group] @ np.arange(1, len(group) + 1)
        cells = cells * (len(group) + 1) + which
        p = densities[list(group)]
        law = np.outer(law, [1 - p.sum(), *p]).ravel()
    # A true law passes with 99.99%.
    seen = np.bincount(cells, minlength=48)
    assert stats.chisquare(seen, BATCH * law).pvalue > 1e-4


def test_exclusive_densities_of_sum_one_leave_no_example_out():
    thirds = js.ExclusiveFeatures(3, [(0, 1, 2)], 1 / 3)
    assert ((sample(thirds, jax.random.key(6)) != 0).sum(1) == 1).all()
    tenths = js.ExclusiveFeatures(10, [range(10)], jnp.full(10, 0.1))
    x = np.asarray(sample(tenths, jax.random.key(6)))
    assert (x != 0).sum(1).max() == 1
    assert (x != 0).any(1).mean() > 1 - 1e-5


def test_exclusive_features_scaled_by_one_factor_are_nested():
    dense, sparse = (
        np.asarray(sample(js.ExclusiveFeatures(N, GROUPS, p), jax.random.key(7)))
        for p in (DENSITIES, DENSITIES / 4)
    )
    kept = sparse != 0
    assert 0.24 < kept.sum() / (dense != 0).sum() < 0.26
    np.testing.assert_array_equal(sparse[kept], dense[kept])


@each_kind
def test_magnitudes_are_uniform(kind):
    x = np.asarray(sample(kind(N, GROUPS, 0.3, low=-1.0), jax.random.key(8)))
    for column in x.T:
        # Kolmogorov-Smirnov: a true uniform passes with 99.99%.
        active = column[column != 0]
        assert stats.kstest(active, stats.uniform(-1, 2).cdf).pvalue > 1e-4
    if kind is js.GroupedFeatures:
        # Squares of 8 x 8 for three pairs of an inseparable group: 99.97% in all.
        members = x[x[:, 0] != 0][:, GROUPS[0]].astype(float)
        for one, other in itertools.combinations(members.T, 2):
            counts, *_ = np.histogram2d(one, other, bins=8, range=[[-1, 1], [-1, 1]])
            assert stats.chisquare(counts.ravel()).pvalue > 1e-4


@each_kind
@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"n_features": 0}, "n_features must be an integer of at least 1, got 0$"),
        ({"groups": [(0, 5)]}, "groups must hold indices from 0 to 4, got 5$"),
        ({"groups": [(0, -1)]}, "groups must hold indices from 0 to 4, got -1$"),
        ({"groups": [(0, 1.0)]}, r"groups must hold indices from 0 to 4, got 1\.0$"),
        ({"groups": [(True, False)]}, "groups must hold indices from 0 to 4, got True$"),
        ({"groups": ["ab"]}, "groups must hold indices from 0 to 4, got 'a'$"),
        ({"groups": [(0, 1), (2, 1)]}, "groups must hold an index once, got 1 twice$"),
        ({"groups": [(3, 3)]}, "groups must hold an index once, got 3 twice$"),
        ({"groups": [(0,), ()]}, "groups must hold no empty group, got one at position 1$"),
        ({"groups": [0, 1]}, r"groups must be a sequence of sequences .*, got \[0, 1\]$"),
        ({"groups": 3}, "groups must be a sequence of sequences of indices, got 3$"),
        ({"density": 0.0}, r"density must be in \(0, 1\], got 0$"),
        ({"density": [0.1, 0.2]}, r"density must be one number or 5 .* per feature\), got"),
        ({"low": np.nan}, "low must be a finite number, got nan$"),
        ({"high": -1.0}, "high must be a finite number above low = 0, got -1$"),
    ],
)
def test_bad_groups(kind, kwargs, message):
    with pytest.raises(ValueError, match="^" + message):
        kind(**{"n_features": 5, "groups": [(0, 2)], "density": 0.1} | kwargs)


@pytest.mark.parametrize(
    ("correlation", "message"),
    [
        (-0.1, r"in \[0, 1\], got -0\.1$"),
        (1.5, r"in \[0, 1\], got 1\.5$"),
        ([0.5, np.nan], r"in \[0, 1\], got nan$"),
        ([0.5], r"one number or 2 numbers \(one per group\), got \[0\.5\]$"),
        (np.zeros(5), r"one number or 2 .* group\), got an array of shape \(5,\)$"),
    ],
)
def test_bad_correlation(correlation, message):
    with pytest.raises(ValueError, match="^correlation must be " + message):
        js.GroupedFeatures(5, [(0, 2), (1, 4)], 0.1, correlation)


@pytest.mark.parametrize(
    ("groups", "density", "message"),
    [
        ([(3, 0, 1)], 0.4, r"got 1\.2 in group \(3, 0, 1\)$"),
        ([(0,), (1, 2)], np.array([1.0, 0.9, 0.2, 1.0]), r"got 1\.1 in group \(1, 2\)$"),
    ],
)
def test_exclusive_densities_that_sum_to_more_than_one(groups, density, message):
    with pytest.raises(ValueError, match="^density must sum to at most 1 .*" + message):
        js.ExclusiveFeatures(4, groups, density)

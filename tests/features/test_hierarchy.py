"""Features in hierarchies: no child without its parent, exact moments, errors."""

import itertools
import math

import jax
import numpy as np
import pytest

import jsuper as js

BATCH = 200_000
PARENTS = (3, None, 5, 5, 1, None, 3)  # 5 → 3 → 0, 5 → 2, 3 → 6, 1 → 4
DENSITIES = np.array([0.5, 0.9, 0.4, 0.7, 0.2, 0.6, 0.3])


@jax.jit(static_argnames="batch")
def sample(features, key, batch=BATCH):
    return features.sample(key, batch)


@jax.jit
def moments(features):
    return features.mean(), features.second_moment()


def test_no_child_without_its_parent():
    features = js.HierarchicalFeatures(PARENTS, DENSITIES)
    active = np.asarray(sample(features, jax.random.key(1))) != 0
    for child, parent in enumerate(PARENTS):
        if parent is None:
            given = active
        else:
            assert not np.any(active[:, child] & ~active[:, parent])
            given = active[active[:, parent]]
        # Given its parent, a child has its density: 7 shares within 4.5 standard errors.
        p = DENSITIES[child]
        error = abs(given[:, child].mean() - p)
        assert error < 4.5 * math.sqrt(p * (1 - p) / len(given))
    # Given their parent, siblings are independent.
    one, other = active[active[:, 3]][:, [0, 6]].T
    both = np.mean(one & other)
    assert abs(both - 0.5 * 0.3) < 4.5 * math.sqrt(0.15 / one.size)


def by_enumeration(parents, densities):
    """Probability that two features are active, over every outcome of every number."""
    n = len(parents)
    together = np.zeros((n, n))
    for outcome in itertools.product([False, True], repeat=n):
        active = np.array(outcome)
        for _ in range(n):
            active = np.array(
                [
                    a and (k is None or active[k])
                    for a, k in zip(active, parents, strict=True)
                ]
            )
        weight = math.prod(np.where(outcome, densities, 1 - densities))
        together += weight * np.outer(active, active)
    return together


@pytest.mark.parametrize(
    "parents",
    [PARENTS, (None, 0, 1, 2, 3, 4, 5), (6, 6, 6, 6, 6, 6, None), 7 * (None,)],
    ids=["forest", "chain", "star", "roots"],
)
def test_moments_agree_with_an_enumeration(parents):
    features = js.HierarchicalFeatures(parents, DENSITIES, low=0.5, high=2.0)
    together = by_enumeration(parents, DENSITIES)
    mean, moment = moments(features)
    np.testing.assert_allclose(mean, 1.25 * together.diagonal(), rtol=1e-5)
    expected = 1.25**2 * together
    np.fill_diagonal(expected, 1.75 * together.diagonal())  # E u² = (¼ + 1 + 4) / 3
    np.testing.assert_allclose(moment, expected, rtol=1e-5)


def test_a_child_of_density_one_is_inseparable_from_its_parent():
    features = js.HierarchicalFeatures([None, 0, None], [0.3, 1.0, 0.3])
    correlated = js.GroupedFeatures(3, [(0, 1)], 0.3)
    for ours, theirs in zip(moments(features), moments(correlated), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    active = np.asarray(sample(features, jax.random.key(2), 1000)) != 0
    assert (active[:, 0] == active[:, 1]).all()


def test_roots_alone_are_independent_features():
    features = js.HierarchicalFeatures(5 * [None], 0.3, low=-0.5)
    independent = js.SparseFeatures(5, 0.3, low=-0.5)
    for ours, theirs in zip(moments(features), moments(independent), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_a_deep_chain():
    # Feature i is active where the first i + 1 numbers all succeed.
    n, p = 30, 0.95
    features = js.HierarchicalFeatures([None, *range(n - 1)], p)
    law = p ** np.arange(1, n + 1)
    np.testing.assert_allclose(features.mean(), law / 2, rtol=1e-5)
    active = np.asarray(sample(features, jax.random.key(3), 2000)) != 0
    assert (np.diff(active.astype(int), axis=1) <= 0).all()
    # How many are active is geometric, cut off at n: within 4.5 standard errors.
    count = active.sum(1)
    assert abs(count.mean() - law.sum()) < 4.5 * count.std() / np.sqrt(count.size)


def test_roots_are_none_or_minus_one():
    given = [[None, 0, 0], (-1, 0, 0), np.array([-1, 0, 0])]
    features = [js.HierarchicalFeatures(parents, 0.1) for parents in given]
    assert {f.parents for f in features} == {(None, 0, 0)}
    assert len({jax.tree.structure(f) for f in features}) == 1


INDICES = "parents must hold None, -1 or indices from 0 to 2, got "


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"parents": [None, 3, 0]}, INDICES + "3$"),
        ({"parents": [None, -2, 0]}, INDICES + "-2$"),
        ({"parents": [None, 0.0, 0]}, INDICES + r"0\.0$"),
        ({"parents": [None, False, 0]}, INDICES + "False$"),
        ({"parents": "abc"}, INDICES + "'a'$"),
        ({"parents": 3}, "parents must be a sequence of indices and None, got 3$"),
        ({"parents": []}, "parents must hold at least one feature, got none$"),
        ({"parents": [None, 1, 0]}, "parents must form no circle, got 1 → 1$"),
        (
            {"parents": [2, None, 0]},
            "parents must form no circle, got (0 → 2 → 0|2 → 0 → 2)$",
        ),
        ({"density": 0.0}, r"density must be in \(0, 1\], got 0$"),
        ({"density": [0.1, 0.2]}, r"density must be one number or 3 .*, got \[0.1, 0.2\]$"),
        ({"low": np.inf}, "low must be a finite number, got inf$"),
        ({"low": 1.0}, "high must be a finite number above low = 1, got 1$"),
    ],
)
def test_bad_hierarchies(kwargs, message):
    with pytest.raises(ValueError, match="^" + message):
        js.HierarchicalFeatures(**{"parents": [None, 0, 0], "density": 0.1} | kwargs)

"""Features of several kinds in one input: what each part keeps, where it stands, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js
from jsuper.pytrees import pytree, static

PAIR = js.CorrelatedFeatures(1, 2, 0.3)
REST = js.SparseFeatures(3, [0.1, 0.5, 1.0], low=-1.0, high=3.0)
TREE = js.HierarchicalFeatures([None, 0], 0.5)
KEY = jax.random.key(0)


@jax.jit
def sample(features, key):
    return features.sample(key, 64)


@jax.jit
def moments(features):
    return features.mean(), features.second_moment()


@pytree
class OnesAndZeros:
    """Features of somebody else, with nothing but what must be there."""

    n_features: int = static()
    density: float

    def sample(self, key, batch_size):
        u = jax.random.uniform(key, (batch_size, self.n_features))
        return jnp.where(u < self.density, 1.0, 0.0)


def test_each_part_draws_from_a_stream_of_its_own():
    parts = [PAIR, REST, OnesAndZeros(2, 0.5), REST]
    x = np.asarray(sample(js.JoinedFeatures(parts), KEY))
    assert x.shape == (64, 10)
    for k, (part, own) in enumerate(zip(parts, np.split(x, [2, 5, 7], 1), strict=True)):
        expected = sample(part, jax.random.fold_in(KEY, k))
        np.testing.assert_allclose(own, expected, atol=1e-6)
    # The same part twice: other samples.
    assert np.mean(x[:, 2:5] == x[:, 7:]) < 0.5
    # Fewer parts, other numbers in another part: the rest stays as it was.
    fewer = js.JoinedFeatures([js.CorrelatedFeatures(1, 2, 0.9), REST])
    np.testing.assert_allclose(sample(fewer, KEY)[:, 2:], x[:, 2:5], atol=1e-6)


def test_moments_and_indices_by_hand():
    # E x: 0.15 for the pair, p for the rest; E x²: 0.1, and 7/3 p; the pair meets itself.
    p = np.array([0.1, 0.5, 1.0])
    mean = np.array([0.15, 0.15, *p])
    moment = np.outer(mean, mean)
    np.fill_diagonal(moment, [0.1, 0.1, *(7 / 3 * p)])
    moment[0, 1] = moment[1, 0] = 0.3 / 4
    plain = js.JoinedFeatures([PAIR, REST])
    for ours, expected in zip(moments(plain), (mean, moment), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-6)

    placed = js.JoinedFeatures([PAIR, REST], indices=[(4, 0), (1, 3, 2)])
    order = [1, 2, 4, 3, 0]  # which feature of the plain ones stands where
    x = np.asarray(sample(plain, KEY))
    np.testing.assert_allclose(sample(placed, KEY), x[:, order], atol=1e-6)
    for ours, expected in zip(
        moments(placed), (mean[order], moment[order][:, order]), strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_parts_within_parts():
    flat = js.JoinedFeatures([PAIR, TREE, REST])
    nested = js.JoinedFeatures([js.JoinedFeatures([PAIR, TREE]), js.JoinedFeatures([REST])])
    assert nested.n_features == flat.n_features == 7
    for ours, expected in zip(moments(nested), moments(flat), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_features_of_ones_own():
    def task(density):
        features = js.JoinedFeatures([OnesAndZeros(3, density), PAIR])
        return js.Task(features, js.ToyModel(5, 2))

    params = {"W": jnp.zeros((5, 2)), "b": jnp.zeros(5)}
    loss = jax.jit(jax.vmap(lambda p: task(p).loss(params, KEY, 256)))(
        jnp.array([0.1, 0.9])
    )
    assert 0 < float(loss[0]) < float(loss[1])

    features = js.JoinedFeatures([PAIR, OnesAndZeros(3, 0.5)])
    for method in ("mean", "second_moment"):
        message = f"^{method} needs parts .* {method}, got OnesAndZeros in parts.1.$"
        with pytest.raises(TypeError, match=message):
            getattr(features, method)()


class Wrong:
    n_features = 2

    def sample(self, key, batch_size):
        return jnp.zeros((self.n_features, batch_size))


class Sizeless:
    def sample(self, key, batch_size):
        return jnp.zeros((batch_size, 2))


class Floating(Wrong):
    n_features = 2.0


@pytest.mark.parametrize(
    ("parts", "indices", "error", "message"),
    [
        ([], None, ValueError, "parts must hold at least one, got none"),
        (PAIR, None, ValueError, "parts must be a sequence .*, got CorrelatedFeatures"),
        ([PAIR, 3], None, TypeError, r"parts\[1\] must have the method sample, got int"),
        (
            [Sizeless()],
            None,
            TypeError,
            r"parts\[0\] must have .* n_features, got Sizeless",
        ),
        ([Floating()], None, ValueError, r"parts\[0\].n_features must be .*, got 2\.0"),
        ([PAIR, REST], [(0, 1)], ValueError, r"indices must hold \[2, 3\] .*, got \[2\]"),
        (
            [PAIR, REST],
            [(0, 1, 2), (3, 4)],
            ValueError,
            r"indices must hold \[2, 3\] indices, as many as .*, got \[3, 2\]",
        ),
        (
            [PAIR, REST],
            [(0, 1), (2, 3, 5)],
            ValueError,
            "indices must hold indices from 0 to 4, got 5",
        ),
        (
            [PAIR, REST],
            [(0, 1), (2, 3, 1)],
            ValueError,
            "indices must hold an index once, got 1 twice",
        ),
        ([PAIR, REST], 5, ValueError, "indices must be a sequence of .*, got 5"),
    ],
)
def test_bad_parts(parts, indices, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        js.JoinedFeatures(parts, indices)


def test_a_sample_of_the_wrong_shape():
    features = js.JoinedFeatures([PAIR, Wrong()])
    with pytest.raises(
        ValueError, match=r"^sample of parts\[1\] .* \(8, 2\), got \(2, 8\)"
    ):
        jax.eval_shape(lambda key: features.sample(key, 8), KEY)

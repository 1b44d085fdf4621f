"""Bounds: attained by the frames that are known to, obeyed by all others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jsuper as js
from jsuper.theory import bounds


def simplex(m):
    """m + 1 unit vectors in m dimensions with all products -1/m."""
    centred = np.eye(m + 1) - 1 / (m + 1)
    vectors = np.linalg.svd(centred)[0][:, :m]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def polygon(k):
    angles = 2 * np.pi * np.arange(k) / k
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


GOLDEN = (1 + np.sqrt(5)) / 2
# One vertex of each of the icosahedron's six pairs: equiangular lines in 3 dimensions.
HALF = [[0, 1, GOLDEN], [0, 1, -GOLDEN]]
ICOSAHEDRON = np.concatenate([np.roll(HALF, shift, axis=1) for shift in range(3)])


class TestWelch:
    @pytest.mark.parametrize("m", [1, 2, 3, 7])
    def test_simplex_attains_both(self, m):
        largest, rms = bounds.coherence(simplex(m))
        assert bounds.welch_bound(m + 1, m) == pytest.approx(1 / m, rel=1e-12)
        assert largest == pytest.approx(1 / m, rel=1e-9)
        assert rms == pytest.approx(1 / m, rel=1e-9)

    def test_equiangular_lines_attain_both(self):
        assert bounds.coherence(polygon(3)) == pytest.approx([1 / 2, 1 / 2])  # Mercedes
        assert bounds.coherence(ICOSAHEDRON) == pytest.approx([5**-0.5, 5**-0.5])
        assert bounds.welch_bound(6, 3) == pytest.approx(5**-0.5)

    @pytest.mark.parametrize("k", [4, 5, 8])
    def test_polygons_are_tight_but_not_equiangular(self, k):
        largest, rms = bounds.coherence(polygon(k))
        assert rms == pytest.approx(bounds.welch_bound(k, 2), rel=1e-9)
        assert largest > 1.3 * rms

    def test_orthonormal_features_do_not_interfere(self):
        assert bounds.coherence(np.eye(4)) == (0, 0)
        assert (bounds.welch_bound([1, 3, 4], 4) == 0).all()

    def test_tends_to_one_over_the_root_of_m(self):
        assert bounds.welch_bound(1e9, 16) == pytest.approx(1 / 4, rel=1e-6)

    @settings(max_examples=60, deadline=None)
    @given(n=st.integers(2, 12), m=st.integers(1, 8), seed=st.integers(0, 2**32 - 1))
    def test_random_frames_obey(self, n, m, seed):
        W = np.random.default_rng(seed).normal(size=(n, m))
        largest, rms = bounds.coherence(W)
        assert largest + 1e-12 >= rms >= bounds.welch_bound(n, m) - 1e-9

    def test_agrees_with_the_interference_of_geometry(self):
        W = np.random.default_rng(1).normal(size=(6, 3))
        unit = W / np.linalg.norm(W, axis=1, keepdims=True)
        pairs = np.abs(np.asarray(js.interference(unit)))
        largest, rms = bounds.coherence(W)
        assert largest == pytest.approx(pairs.max(), rel=1e-5)
        assert rms == pytest.approx(np.sqrt((pairs**2).sum() / 30), rel=1e-5)

    def test_errors(self):
        with pytest.raises(ValueError, match="n_hidden must be at least 1, got 0"):
            bounds.welch_bound(3, 0)
        with pytest.raises(ValueError, match="at least two features"):
            bounds.coherence([[1.0, 0.0]])
        with pytest.raises(ValueError, match="positive norm, got 0"):
            bounds.coherence([[1.0, 0.0], [0.0, 0.0]])


class TestPacking:
    @pytest.mark.parametrize("shape", [(3, 5), (5, 5), (12, 4), (2, 3, 9, 4)])
    def test_dimensionalities_stay_below_their_limits(self, shape):
        W = np.random.default_rng(0).normal(size=shape)
        D = np.asarray(js.feature_dimensionality(W))
        limit = bounds.packing_limit(W)
        assert (limit + 1e-6 >= D).all()
        assert (limit <= 1 + 1e-9).all()
        np.testing.assert_allclose(limit.sum(-1), min(shape[-2:]), rtol=1e-9)
        assert (D.sum(-1) < min(shape[-2:])).all()  # random frames are not tight

    def test_limits_sum_to_the_rank(self):
        W = np.random.default_rng(0).normal(size=(9, 2)) @ [[1, 2, 0, 1], [0, 1, 1, 3]]
        assert bounds.packing_limit(W).sum() == pytest.approx(2, rel=1e-9)
        assert bounds.packing_limit(np.zeros((3, 2))).sum() == 0

    def test_limits_do_not_depend_on_the_coordinates(self):
        rng = np.random.default_rng(2)
        W, A = rng.normal(size=(7, 3)), rng.normal(size=(3, 3))
        np.testing.assert_allclose(bounds.packing_limit(W @ A), bounds.packing_limit(W))

    def test_tight_frames_in_orthogonal_subspaces_pack_fully(self):
        # A triangle of radius 2 beside a pentagon and a dedicated feature.
        W = np.zeros((9, 5))
        W[:3, :2], W[3:8, 2:4], W[8, 4] = 2 * polygon(3), polygon(5), 0.7
        D = np.asarray(js.feature_dimensionality(W))
        np.testing.assert_allclose(bounds.packing_limit(W), D, rtol=1e-5)
        assert D.sum() == pytest.approx(5, rel=1e-5)

    def test_mixed_norms_within_a_subspace_waste_room(self):
        W = polygon(5) * np.array([[1.0], [1.0], [1.0], [1.0], [0.3]])
        assert np.asarray(js.feature_dimensionality(W)).sum() < 1.99
        assert bounds.packing_limit(W).sum() == pytest.approx(2)


class TestRecovery:
    def test_is_k_log_n_over_k(self):
        n, p = 400.0, np.array([0.5, 0.1, 0.001])
        k = p * n
        np.testing.assert_allclose(bounds.recovery_dimensions(n, p), k * np.log(n / k))

    def test_is_linear_in_the_features_and_largest_at_one_over_e(self):
        p = np.linspace(0.01, 1, 1000)
        assert p[bounds.recovery_dimensions(1, p).argmax()] == pytest.approx(
            np.exp(-1), abs=1e-3
        )
        assert bounds.recovery_dimensions(1, np.exp(-1)) == pytest.approx(np.exp(-1))
        assert bounds.recovery_dimensions(6, 0.1) == pytest.approx(
            3 * bounds.recovery_dimensions(2, 0.1)
        )
        assert bounds.recovery_dimensions(10, 1.0) == 0

    @pytest.mark.parametrize("density", [0.0, 1.1, [0.5, -1]])
    def test_rejects_a_density_out_of_range(self, density):
        with pytest.raises(ValueError, match=r"density must be in \(0, 1\]"):
            bounds.recovery_dimensions(10, density)

"""Correlated features: geometries by hand, PCA against closed forms, and the outcome."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import ortho_group

import jsuper as js
from jsuper.experiments import correlated
from jsuper.experiments.correlated import solutions as shapes


def polar(*degrees, norm=1.0):
    angles = np.radians(degrees)
    return norm * np.stack([np.cos(angles), np.sin(angles)], axis=-1)


@pytest.mark.parametrize(
    ("W", "name"),
    [
        (polar(0, 90, 180, 270), "antipodal across"),
        (polar(0, 90, 270, 180), "antipodal across"),
        (polar(0, 180, 90, 270), "antipodal within"),
        (polar(0, 0, 90, 180), "collapsed"),
        (polar(0, 10, 180, 190), "collapsed"),
        (polar(0, 60, 180, 240), "other"),
        (polar(0, 90, 180, 270, norm=0.4), "other"),
    ],
)
def test_arrangements_of_two_pairs(W, name):
    turn = ortho_group.rvs(2, random_state=np.random.default_rng(0))
    assert shapes.arrangement(W) == name
    assert shapes.arrangement(W @ turn) == name
    assert shapes.arrangement(W[[2, 3, 0, 1]]) == name  # sets have no order
    assert shapes.arrangement(W[[1, 0, 2, 3]]) == name  # nor features of a pair


def test_hexagons():
    hexagon = polar(0, 60, 120, 180, 240, 300)
    assert shapes.is_hexagon(hexagon)
    assert shapes.side_by_side(hexagon)
    assert shapes.side_by_side(hexagon[[1, 0, 3, 2, 4, 5]])
    shuffled = hexagon[[0, 2, 1, 3, 4, 5]]
    assert shapes.is_hexagon(shuffled)
    assert not shapes.side_by_side(shuffled)
    assert not shapes.is_hexagon(polar(0, 1, 120, 180, 240, 300))  # a collapsed pair
    assert not shapes.is_hexagon(polar(0, 30, 60, 90, 120, 240))  # a gap of 120 degrees
    absent = hexagon * np.array([1, 1, 1, 1, 1, 0])[:, None]
    assert not shapes.is_hexagon(absent)


def test_collapsed_pairs_are_counted():
    W = np.stack([polar(0, 60, 120, 180, 240, 300), polar(0, 1, 120, 180, 200, 199)])
    np.testing.assert_array_equal(shapes.collapsed(W), [0, 2])


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_pca_loss_of_correlated_pairs_is_the_closed_form(p):
    # The covariance has three eigenvalues d + c (sums of pairs) and three d - c.
    d, c = p / 3 - p**2 / 4, p / 4 - p**2 / 4
    expected = ((d + c) + 3 * (d - c)) / 6
    assert shapes.pca_loss(js.CorrelatedFeatures(3, 2, p), 2) == pytest.approx(expected)


def test_pca_loss_is_that_of_the_best_linear_model():
    # A linear model (threshold -inf) with principal directions and the exact bias.
    features = js.CorrelatedFeatures(3, 2, 0.4)
    mean = np.asarray(features.mean())
    moment = np.asarray(features.second_moment())
    _, vectors = np.linalg.eigh(moment - np.outer(mean, mean))
    P = vectors[:, -2:] @ vectors[:, -2:].T
    error = np.eye(6) - P
    # E |x - P x - b|² with b = (1 - P) mean, from the exact moments.
    b = error @ mean
    loss = np.trace(error @ moment @ error.T) - 2 * b @ error @ mean + b @ b
    assert shapes.pca_loss(features, 2) == pytest.approx(loss / 6, rel=1e-5)


def test_block_sizes():
    rng = np.random.default_rng(1)
    bases = np.concatenate([ortho_group.rvs(10, random_state=rng) for _ in range(2)])
    random = rng.normal(size=(20, 10)) / np.sqrt(10)
    dims = ("density", "seed", "feature", "hidden")
    ds = shapes.block_sizes(xr.Dataset({"W": (dims, np.stack([bases, random])[None])}))
    np.testing.assert_allclose(ds["within"][0, 0], 0, atol=1e-12)
    # Rows of an orthogonal matrix: squares add up to 1.
    np.testing.assert_allclose(ds["across"][0, 0], np.sqrt(1 / 10))
    np.testing.assert_allclose(ds["diagonal"][0, 0], 0, atol=1e-12)
    assert float(ds["within"][0, 1]) > 0.2


@pytest.fixture(scope="module")
def outcome():
    return correlated.run(quick=True)


def lowest(ds):
    return ds.isel(seed=ds["loss"].argmin("seed"))


@pytest.mark.slow
def test_correlated_pairs_are_orthogonal_within_and_antipodal_across(outcome):
    ds = outcome.datasets["pairs"]
    W = lowest(ds)["W"].transpose("density", "feature", "hidden").values
    assert np.abs(shapes.pair_cosines(W)).max() < 0.25
    assert shapes.cosines(W)[:, :2, 2:].min(-1).max() < -0.9
    sparse = shapes.arrangements(ds).sel(density=[0.1, 0.05])
    assert float((sparse == 0).mean()) > 0.6


@pytest.mark.slow
def test_anticorrelated_pairs_are_antipodal_and_lose_nothing(outcome):
    best = lowest(outcome.datasets["anticorrelated"])
    W = best["W"].transpose("density", "feature", "hidden").values
    assert shapes.pair_cosines(W).max() < -0.99
    assert float(best["loss"].max()) < 1e-8
    assert float(lowest(outcome.datasets["pairs"])["loss"].min()) > 1e-4


@pytest.mark.slow
def test_sets_of_ten_are_local_orthogonal_bases(outcome):
    ds = outcome.datasets["bases"].sel(density=0.05)
    W = ds["W"].transpose("seed", "feature", "hidden").values
    G = W @ np.swapaxes(W, -1, -2)
    for k in (0, 10):
        block = G[:, k : k + 10, k : k + 10]
        np.testing.assert_allclose(block, np.stack([np.eye(10)] * len(G)), atol=0.15)
    assert float(ds["across"].min()) > 0.25
    # Independent features of the same density form antipodal pairs instead.
    alone = outcome.datasets["independent_20"].sel(density=0.05)
    np.testing.assert_allclose(alone["dimensionality"], 0.5, atol=0.03)


@pytest.mark.slow
def test_pairs_collapse_one_after_the_other(outcome):
    ds = outcome.datasets["three_pairs"]
    best = lowest(ds)["collapsed"]
    assert bool(lowest(ds)["hexagon"].sel(density=0.02))
    assert bool(lowest(ds)["beside"].sel(density=0.02))
    assert best.sel(density=[0.02, 0.1, 0.17, 0.7]).values.tolist() == [0, 1, 2, 3]
    relative = lowest(ds)["relative"].values
    assert (np.diff(relative) > 0).all()
    assert 0.97 < relative[-1] < 1.01


@pytest.mark.slow
def test_figures_and_findings(outcome):
    assert set(outcome.figures) == {"geometries", "shares", "blocks", "collapse"}
    assert all("|" not in f.stated + f.measured for f in outcome.findings)
    assert sum(f.agrees for f in outcome.findings) >= len(outcome.findings) - 3

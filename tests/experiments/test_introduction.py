"""The paper's three panels, in a small version of the experiment."""

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments import introduction


@pytest.fixture(scope="module")
def outcome():
    return introduction.run(quick=True)


def best(outcome, sparsity):
    ds = outcome.datasets["introduction"].sel(density=1 - sparsity, method="nearest")
    return js.best_seed(ds)


@pytest.mark.slow
def test_the_papers_panels(outcome):
    shapes = [best(outcome, s)["shape"].item() for s in introduction.SPARSITIES]
    assert shapes == ["2 dedicated", "2 pairs", "pentagon"]
    dense = best(outcome, 0.0)
    assert set(np.argsort(dense["norm"].values)[-2:]) == {0, 1}  # the most important
    np.testing.assert_allclose(best(outcome, 0.8)["norm"][:4], 1.0, atol=0.06)
    # D_i of a regular pentagon is 2/5.
    np.testing.assert_allclose(best(outcome, 0.9)["dimensionality"], 0.4, atol=0.02)
    assert all(finding.agrees for finding in outcome.findings)


@pytest.mark.slow
def test_shares_over_seeds(outcome):
    ds = outcome.datasets["introduction"]
    assert introduction.shares(ds, 0.2)["2 pairs"] > 0.5
    assert introduction.shares(ds, 0.1)["pentagon"] > 0.3
    for density in (1.0, 0.2, 0.1):
        assert sum(introduction.shares(ds, density).values()) == pytest.approx(1)
    assert set(outcome.figures) == {"embeddings", "shares"}


def polygon(k, n=5):
    angles = 2 * np.pi * np.arange(k) / k + 0.3
    W = np.zeros((n, 2))
    W[:k] = np.stack([np.cos(angles), np.sin(angles)], -1)
    return W


@pytest.mark.parametrize(
    ("W", "name"),
    [
        (polygon(5), "pentagon"),
        (1.2 * polygon(5)[[2, 0, 4, 1, 3]], "pentagon"),
        (polygon(4), "2 pairs"),
        (polygon(4)[[4, 0, 2, 1, 3]] * [[1.1], [1], [0.9], [1], [1]], "2 pairs"),
        (polygon(4) * [[1], [1], [0], [0], [0]], "2 dedicated"),
        (polygon(4) * [[1], [1], [1], [0], [0]], "1 dedicated, 1 pair"),
        (polygon(3), "other"),
        (polygon(2), "other"),
        (polygon(5) * [[1], [1], [1], [1], [0]], "other"),
    ],
)
def test_names_of_shapes(W, name):
    ds = xr.Dataset({"W": (("feature", "hidden"), W)})
    assert introduction.shapes(ds)["shape"].item() == name

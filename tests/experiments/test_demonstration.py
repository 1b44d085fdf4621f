"""The small model's counts, linear and ReLU, in a small version of the experiment."""

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments import demonstration


@pytest.fixture(scope="module")
def outcome():
    return demonstration.run(quick=True)


@pytest.mark.slow
def test_more_features_as_they_become_sparser(outcome):
    ds = outcome.datasets["small"]
    mean = ds["represented"].mean("seed").values
    assert mean[0] == 5
    assert (mean[1:] > [6, 8, 9, 10.5, 11, 11]).all()
    assert (np.diff(mean) > -0.5).all()
    dark = ds["dedicated"].mean("seed").values
    assert dark[0] == 5
    assert 1.5 < dark[1] < 3.5
    assert 0.4 < dark[2] < 2.1
    assert (dark[3:] < 0.5).all()


@pytest.mark.slow
def test_positive_interference_and_negative_biases(outcome):
    best = js.best_seed(outcome.datasets["small"])
    assert (best["positive_interference"][:3] == 0).all()
    assert (best["positive_interference"][4:] > 4).all()
    assert (best["negative_biases"][4:] > 4).all()


@pytest.mark.slow
def test_the_linear_model_stores_the_most_important(outcome):
    ds = outcome.datasets["linear"]
    norms = ds["norm"].transpose("density", "seed", "feature").values
    assert (norms[..., :4] > 0.9).all()
    assert (norms[..., 6:] < 0.3).all()
    # From density 0.3 down a short training is enough for the identity block.
    np.testing.assert_allclose(norms[1:, :, :5], 1, atol=0.02)
    np.testing.assert_allclose(norms[1:, :, 5:], 0, atol=0.02)


@pytest.mark.slow
def test_the_stated_counts(outcome):
    agree = [finding.agrees for finding in outcome.findings]
    assert np.mean(agree) > 0.7
    assert all(finding.measured for finding in outcome.findings)
    assert set(outcome.figures) == {"small", "linear"}


def test_count():
    W = np.array([[1.0, 0.0], [-0.9, 0.0], [0.6, 0.6], [0.0, 0.2]])
    ds = xr.Dataset(
        {"W": (("feature", "hidden"), W), "b": ("feature", [0.0, -0.1, -0.2, -0.3])}
    )
    counted = demonstration.count(js.measure(ds))
    assert int(counted["full"]) == 3  # the third has norm 0.85
    assert int(counted["stubs"]) == 0
    assert int(counted["negative_biases"]) == 2
    # Features 0 and 2; the last one is not represented.
    assert int(counted["positive_interference"]) == 1

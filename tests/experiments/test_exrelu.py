"""ExReLU: judged and drawn on made models, and trained in a small version."""

import dataclasses

import jax
import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper import theory
from jsuper.experiments.exrelu import EXPERIMENT, findings, measures, train


@pytest.fixture(scope="module")
def models():
    small = dataclasses.replace(EXPERIMENT.quick, runs_seeds=8)
    return EXPERIMENT.models(small)


@pytest.mark.slow
def test_what_training_finds(models):
    products = measures.products(models["pairs"].to_dataset()).isel(density=0)
    for start in ("the pair", "small weights"):
        ends = products.sel(start=start, threshold=-0.4)
        assert abs(float(ends.mean()) - theory.pair_fixed_point(-0.4)) < findings.NEAR
    # Without a fixed point the pair falls apart, from wherever it comes.
    assert (products.sel(threshold=-0.58) < 0.6).all()
    best = js.best_seed(models["map"].to_dataset())["superposed"]
    assert best.sel(density=0.05, threshold=0.0) == 5
    assert best.sel(density=0.05, threshold=-0.25) in (2, 4)


@pytest.mark.slow
def test_losses_are_those_of_the_same_data(models):
    sparsest, pentagons = (models[n].to_dataset() for n in ("sparsest", "pentagons"))
    # ReLU's pentagon set into ReLU is the model that it was.
    np.testing.assert_allclose(
        pentagons["loss_as_set"].sel(threshold=0.0),
        sparsest["loss"].sel(threshold=0.0),
        rtol=1e-5,
    )
    found = EXPERIMENT.findings(models)
    assert [finding.agrees for finding in found[2:]] == [True, True, True]
    assert not found[0].agrees  # the review's claim
    assert set(EXPERIMENT.figures(models)) == {
        *("embeddings", "dimensionality", "phase_map", "loss", "runs"),
        *("pairs", "optimality"),
    }


def test_solutions_set_by_hand_cost_what_samples_say():
    models = {
        "2 dedicated": np.eye(5)[:, :2],
        "2 antipodal pairs": [[1, 0], [-1, 0], [0, 1], [0, -1], [0, 0]],
    }
    ideal = measures.ideal_losses(0.2, -0.3)
    task = train.task(0.2, -0.3)
    x = np.asarray(task.features.sample(jax.random.key(0), 400_000))
    for name, W in models.items():
        # Without a bias, but for features that are dropped, whose output is their mean.
        W = np.array(W, float)
        b = np.where(np.abs(W).sum(1) == 0, 0.1, 0.0)
        params = {"W": W, "b": b}
        error = (np.asarray(task.model.apply(params, x)) - x) ** 2 @ train.IMPORTANCE / 5
        sem = error.std() / np.sqrt(len(error))
        assert abs(error.mean() - ideal[name]) < 4 * sem


def test_the_end_of_superposition_is_that_of_every_run():
    counts = xr.DataArray(
        [[5, 5, 4], [0, 2, 4], [0, 0, 0]],
        {"threshold": [0.0, -0.25, -0.6]},
        ("threshold", "seed"),
    )
    found = findings.end(counts > 0)
    assert found.agrees
    share = {case.where: case.value for case in found.cases}
    assert share == {"t = −0.6": 0, "t = −0.25": pytest.approx(2 / 3), "t = 0": 1}
    counts[2, 1] = 2
    assert not findings.end(counts > 0).agrees

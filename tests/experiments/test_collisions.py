"""Colliding features: counted and judged on made models, and trained in a small version."""

import jax
import numpy as np
import pytest
import xarray as xr

from jsuper.experiments.collisions import EXPERIMENT, measures
from jsuper.experiments.collisions import train as training


def snapshots(*models):
    """Models along two steps; at first, features have their predecessor's weights."""
    W = np.stack(models)
    dims = ("seed", "feature", "hidden")
    last = xr.DataArray(W, dims=dims)
    return xr.Dataset({"W": xr.concat([last.roll(feature=1), last], "step")})


def test_pairs_are_counted_with_their_signs():
    collided = np.zeros((5, 4))
    collided[[0, 1, 2, 3, 4], [0, 0, 1, 1, 1]] = 1, -1, 1, 0.9, -0.9
    spread = np.diag([1.0, 0.7, 0.04, -1.0, 0.0])[:, :4]
    spread[1, 2], spread[4, 3] = 0.6, 0.04
    missing = np.diag([1.0, 0, 0, 0, 0])[:, :4]
    missing[:, 1:] = np.nan  # a smaller model
    found = measures.collisions(snapshots(collided, spread, missing))
    assert found["pairs"].values.tolist() == [4, 0, 0]
    assert found["opposite"].values.tolist() == [3, 0, 0]
    np.testing.assert_allclose(found["alone"], [1, 0.4, 0.2])
    # Features 1, 3 and 4 of the first have their predecessor's neuron.
    np.testing.assert_allclose(found["initial"], [0.6, 0, 0.2])


def made(scale=0.25, n_power=2.0, m_power=-1.0, alone=1.0, opposite=1.0, spread=0.02):
    """Counts of eight groups of models that follow a power law, around a known mean."""
    n = xr.DataArray([16.0, 32.0, 64.0], dims="n_features")
    ratio = xr.DataArray([1.0, 2.0, 8.0], dims="neurons_per_feature")
    around = 1 + spread * xr.DataArray(np.linspace(-1, 1, 8), dims="seed")
    pairs = scale * n**n_power * (n * ratio) ** m_power * around
    counts = xr.Dataset({"pairs": pairs, "opposite": opposite * pairs})
    one = xr.ones_like(pairs)
    counts = counts.assign(alone=alone * one, initial=0.5 * one)
    counts = counts.assign_coords(n_features=n, neurons_per_feature=ratio.astype(int))
    collided = np.zeros((3, 3))
    collided[[0, 1, 2], [2, 0, 2]] = 1, 0.9, -0.95
    tree = {"counts": counts, "model": snapshots(collided).assign_coords(step=[0, 10])}
    return xr.DataTree.from_dict(tree)


def test_exponents_of_a_power_law():
    pairs = made(n_power=1.7, m_power=-0.6)["counts"].to_dataset()["pairs"]
    n, m = measures.exponents(pairs)
    assert (n.value, m.value) == (pytest.approx(1.7), pytest.approx(-0.6))
    # All cells rise and fall together, which a constant takes up.
    assert (n.low, n.high) == (pytest.approx(1.7), pytest.approx(1.7))


@pytest.mark.parametrize(
    ("change", "agrees"),
    [
        ({}, [True, True, True, True]),
        ({"alone": 0.98}, [False, True, True, True]),
        ({"opposite": 0.9}, [True, False, True, True]),
        ({"n_power": 2.15, "scale": 0.15}, [True, True, False, True]),
        ({"m_power": -1.15, "scale": 0.5}, [True, True, False, True]),
        ({"scale": 0.28}, [True, True, True, False]),
    ],
)
def test_judged_without_training(change, agrees):
    found = EXPERIMENT.findings(made(**change))
    assert [finding.agrees for finding in found] == agrees
    ratio, *sizes = found[3].cases
    assert [case.where for case in sizes] == [f"n features {n}" for n in (16, 32, 64)]
    np.testing.assert_allclose(ratio.value, np.mean([case.value for case in sizes]))
    assert ratio.low < ratio.value < ratio.high
    assert {case.n for case in found[3].cases} == {8}


def test_drawn_without_training():
    models = made()
    figures = EXPERIMENT.figures(models)
    left, right = figures["collisions"].axes
    counts = models["counts"].to_dataset()
    for i, bars in enumerate(left.containers):
        x, y = bars.lines[0].get_data()
        np.testing.assert_allclose(x, counts["n_features"].values[i] / np.array([1, 2, 8]))
        np.testing.assert_allclose(y, x / 4)
    assert len(left.containers) == len(right.containers) == 3
    for bars in right.containers:
        np.testing.assert_allclose(bars.lines[0].get_ydata(), 0.25)
    left, right = figures["winners"].axes
    shown = np.asarray(right.images[0].get_array())
    # Sorted by neuron: feature 1 on neuron 0, then 0 and 2, which share neuron 2.
    np.testing.assert_allclose(shown, [[0.9, 0, 0], [0, 0, 1], [0, 0, -0.95]])
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert labels == ["feature 1", "feature 2"]
    ends = {line.get_label(): line.get_ydata()[-1] for line in left.lines}
    assert (ends["feature 1"], ends["feature 2"]) == (1, -0.95)


def test_the_loss_is_that_of_the_model_on_every_input():
    task = training.task(5, 2)
    params = task.init(jax.random.key(1))
    assert params["W"].shape == (5, 10)
    expected = 0.0
    for x in np.eye(5):
        expected += ((x - task.apply(params, x)) ** 2).sum()
        expected += training.PENALTY * abs(x @ params["W"]).sum()
    np.testing.assert_allclose(task.loss(params, jax.random.key(0), 1), expected, rtol=1e-5)


@pytest.mark.slow
def test_features_collide_although_there_is_room():
    settings = training.Settings(sizes=(16,), ratios=(2,), seeds=64, steps=800)
    models = EXPERIMENT.models(settings)
    counts = models["counts"].to_dataset().squeeze()
    # 0.5% of the features have not decided yet.
    assert counts["alone"].mean() > 0.98
    assert counts["opposite"].sum() > 0.99 * counts["pairs"].sum()
    # n² / (4m) is 2; the mean of 64 models has a deviation of 0.13.
    assert 1.2 < counts["pairs"].mean() < 2.4
    # Of the features' largest initial weights, far more win than one of 32.
    assert counts["initial"].mean() > 0.4
    # A feature's only weight balances 4 w (1 - w²) and the penalty.
    W = models["model"]["W"].isel(step=-1).squeeze().values
    w = abs(W).max(-1)
    np.testing.assert_allclose(4 * w * (1 - w**2), training.PENALTY, rtol=1e-3)

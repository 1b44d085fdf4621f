"""Models that minimise the quadratic toy loss share out capacity as theory says."""

import jax
import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.capacity import EXPERIMENT, measures
from jsuper.experiments.capacity import train as training
from jsuper.theory.capacity import capacity_loss, quadratic_loss, two_feature_optimum

SHARED, FORM, TOTAL, EQUAL = range(4)


def optimal(**coordinates):
    """Models of four seeds that all are where theory says, along some coordinates."""
    one: dict = {name: (name, values) for name, values in coordinates.items()}
    if "ratio" in one:
        v = np.stack([np.ones(len(coordinates["ratio"])), coordinates["ratio"]], -1)
        one["coefficients"], n_hidden = (("ratio", "feature"), v), 1
    else:
        one["coefficients"], n_hidden = ("feature", 0.8 ** np.arange(6)), 2
    ds = xr.Dataset(one | {"W": ("hidden", np.zeros(n_hidden))})
    ds = ds.set_coords(list(coordinates))
    found = measures.predicted(ds).expand_dims(seed=np.arange(4))
    return ds.assign(found.transpose(..., "seed", "feature").copy(deep=True))


@pytest.fixture
def two():
    return optimal(kurtosis=np.geomspace(1.5, 50, 7), ratio=np.geomspace(0.1, 10, 6))


@pytest.fixture
def six():
    return optimal(kurtosis=np.geomspace(1.5, 50, 9))


def agrees(two, six):
    tree = xr.DataTree.from_dict({"two_features": two, "six_features": six})
    return [finding.agrees for finding in EXPERIMENT.findings(tree)]


def test_predictions_are_the_published_form(two):
    found = measures.predicted(two)["capacity"].transpose("kurtosis", "ratio", "feature")
    c2, d2 = two_feature_optimum(1.0, two["ratio"].values, two["kurtosis"].values[:, None])
    np.testing.assert_allclose(found[..., 1], d2 / (c2 + d2), atol=1e-12)


def test_marginal_values_follow_the_loss(six):
    C, h = six["capacity"].isel(seed=0).clip(0.1, 0.9), 1e-6
    v, k = six["coefficients"], six["kurtosis"]
    found = measures.marginal_values(six.assign(capacity=C))
    below, above = (
        capacity_loss(C.values + step, v.values, k.values[:, None]) for step in (-h, h)
    )
    np.testing.assert_allclose(found, (below - above) / (2 * h), rtol=1e-6)


def test_verdicts_numbers_and_figures(two, six):
    assert agrees(two, six) == [True] * 4
    tree = xr.DataTree.from_dict({"two_features": two, "six_features": six})
    cases = EXPERIMENT.findings(tree)[SHARED].cases
    reached = next(case for case in cases if case.quantity == "reach the best loss")
    assert (reached.value, reached.low, reached.high, reached.n) == (1, 1, 1, 4)
    drawn = EXPERIMENT.figures(tree)
    assert drawn.keys() == {"phase_diagram", "allocation"}
    boundary = drawn["phase_diagram"].axes[0].lines[0]
    lowest = np.argmin(boundary.get_ydata())
    assert boundary.get_xydata()[lowest] == pytest.approx([1, 3])
    for panel in drawn["allocation"].axes:
        for curve, marks in zip(panel.lines[::2], panel.lines[1::2], strict=True):
            near = np.interp(np.log(marks.get_xdata()), *log_x(curve))
            np.testing.assert_allclose(marks.get_ydata(), near, atol=0.01)


def log_x(line):
    return np.log(line.get_xdata()), line.get_ydata()


def test_findings_differ_where_models_do(two, six):
    moved = two.assign(capacity=two["capacity"] * 0.95 + 0.025)
    assert agrees(moved, six) == [False, False, True, True]
    larger = two.assign(capacity=two["capacity"] * 1.01)
    assert agrees(larger, six) == [True, True, False, True]
    traded = six.copy(deep=True)
    traded["capacity"][-1, :, 0] += 0.1
    traded["capacity"][-1, :, 1] -= 0.1
    assert agrees(two, traded) == [True, True, True, False]


def test_the_task_samples_nothing():
    task = training.pair(4.0, 0.5)
    params = task.init(jax.random.key(0))
    losses = [task.loss(params, jax.random.key(i), 7 + i) for i in range(2)]
    assert losses[0] == losses[1]


@pytest.fixture(scope="module")
def models():
    return EXPERIMENT.models(EXPERIMENT.quick)


@pytest.mark.slow
def test_trained_models_are_where_theory_says(models):
    found = EXPERIMENT.findings(models)
    assert all(finding.agrees for finding in found)
    assert found[SHARED].cases[0].value == 1
    assert found[FORM].cases[0].value < 1e-4
    assert found[TOTAL].cases[0].value < 1e-5
    assert found[EQUAL].cases[0].value < 1e-4


@pytest.mark.slow
def test_two_features_are_those_of_the_published_form(models):
    ds = models["two_features"].to_dataset().transpose("kurtosis", "ratio", "seed", ...)
    k, b = ds["kurtosis"].values[:, None], ds["ratio"].values
    loss = quadratic_loss(
        ds["W"].values.astype(float), ds["coefficients"].values[:, None], k[..., None]
    )
    np.testing.assert_allclose(ds["loss"], loss, rtol=1e-4, atol=1e-9)
    # c² of the published form, where the neuron is shared.
    c2 = (k - 1) * (k - 1 - 2 * b) / ((k - 3) * (k + 1))
    both = k > 1.03 * (1 + 2 * np.maximum(b, 1 / b))
    assert both.any()
    W = js.best_seed(ds)["W"].isel(feature=0, hidden=0).values
    np.testing.assert_allclose(W[both] ** 2, c2[both], rtol=5e-3)


@pytest.mark.slow
def test_efficient_weights_consist_of_tight_frames(models):
    # Capacities add up to m exactly where every embedding is an eigenvector of WᵀW.
    best = js.best_seed(models["six_features"].to_dataset())
    np.testing.assert_allclose(best["capacity"].sum("feature"), 2, rtol=1e-3)
    for W in best["W"].transpose("kurtosis", ...).values.astype(float):
        moved = W @ (W.T @ W)
        lengths = np.linalg.norm(W, axis=1)
        seen = lengths > 0.05
        along = (moved * W).sum(1) / np.where(seen, lengths**2, 1)
        rest = np.linalg.norm(moved - along[:, None] * W, axis=1)
        assert (rest[seen] < 0.02 * along[seen] * lengths[seen]).all()

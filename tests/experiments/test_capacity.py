"""Models that minimise the quadratic toy loss share out capacity as theory says."""

import jax
import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.capacity import EXPERIMENT, figures, measures
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


def test_judged_and_drawn_without_training(two, six):
    assert agrees(two, six) == [True] * 4
    tree = xr.DataTree.from_dict({"two_features": two, "six_features": six})
    assert EXPERIMENT.figures(tree).keys() == {"phase_diagram", "allocation"}
    titles = [axes.get_title() for axes in figures.phase_diagram(two).axes[:2]]
    assert titles == ["closed form", "trained, best of 4 seeds"]
    cases = EXPERIMENT.findings(tree)[SHARED].cases
    reached = next(case for case in cases if case.quantity == "reach the best loss")
    assert (reached.value, reached.low, reached.high, reached.n) == (1, 1, 1, 4)


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
def test_all_findings_agree_on_trained_models(models):
    found = EXPERIMENT.findings(models)
    assert len(found) == 4
    assert all(finding.agrees for finding in found)
    assert found[SHARED].cases[0].value == 1
    assert found[FORM].cases[0].value < 1e-4
    assert found[TOTAL].cases[0].value < 1e-5
    assert found[EQUAL].cases[0].value < 1e-4


@pytest.mark.slow
def test_datasets_are_of_the_task(models):
    ds = models["two_features"].to_dataset()
    loss = quadratic_loss(
        ds["W"].values.astype(float),
        ds["coefficients"].values[:, None],
        ds["kurtosis"].values[:, None, None],
    )
    np.testing.assert_allclose(ds["loss"], loss, rtol=1e-4, atol=1e-9)


@pytest.mark.slow
def test_polysemantic_above_the_boundary_only(models):
    best = js.best_seed(models["two_features"].to_dataset())
    k = best["kurtosis"].values[:, None]
    r = best["ratio"].values
    boundary = 1 + 2 * np.maximum(r, 1 / r)
    least = best["capacity"].min("feature").transpose("kurtosis", "ratio").values
    assert (least[k < 0.97 * boundary] < 1e-3).all()
    assert (least[k > 1.03 * boundary] > 1e-3).all()
    assert (k > 1.03 * boundary).any()
    # c² and d² of the published form.
    a, b = 1.0, r
    c2 = (k - 1) * (a * k - a - 2 * b) / ((k - 3) * (k + 1))
    found = (best["W"].isel(feature=0, hidden=0) ** 2).transpose("kurtosis", "ratio")
    both = k > 1.03 * boundary
    np.testing.assert_allclose(found.values[both], c2[both], rtol=5e-3)


@pytest.mark.slow
def test_the_diagram_is_symmetric(models):
    best = js.best_seed(models["two_features"].to_dataset())
    C = best["capacity"].transpose("kurtosis", "ratio", "feature").values
    np.testing.assert_allclose(C[:, ::-1, ::-1], C, atol=2e-2)


@pytest.mark.slow
def test_marginal_values_are_equal(models):
    best = js.best_seed(models["six_features"].to_dataset())
    C = best["capacity"].values
    v = training.DECAY ** np.arange(training.MANY)
    k = best["kurtosis"].values[:, None]
    values = 2 * ((k - 1) * v / (2 + (k - 3) * C)) ** 2
    several = 0
    for row, value in zip(C, values, strict=True):
        inside = (row > 0.01) & (row < 0.99)
        if inside.sum() > 1:
            several += 1
            np.testing.assert_allclose(value[inside], value[inside].mean(), rtol=0.02)
            assert (value[row <= 0.01] < 1.02 * value[inside].mean()).all()
    assert several >= 5
    np.testing.assert_allclose(C.sum(1), training.NEURONS, rtol=1e-3)


@pytest.mark.slow
def test_efficient_weights_consist_of_tight_frames(models):
    # Capacities add up to m exactly where every embedding is an eigenvector of WᵀW.
    best = js.best_seed(models["six_features"].to_dataset())
    for W in best["W"].transpose("kurtosis", ...).values.astype(float):
        moved = W @ (W.T @ W)
        lengths = np.linalg.norm(W, axis=1)
        seen = lengths > 0.05
        along = (moved * W).sum(1) / np.where(seen, lengths**2, 1)
        rest = np.linalg.norm(moved - along[:, None] * W, axis=1)
        assert (rest[seen] < 0.02 * along[seen] * lengths[seen]).all()

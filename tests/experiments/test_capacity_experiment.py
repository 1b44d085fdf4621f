"""Models that minimise the quadratic toy loss share out capacity as theory says."""

import jax
import numpy as np
import pytest

import jsuper as js
from jsuper.experiments import capacity
from jsuper.theory.capacity import quadratic_loss

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcome():
    return capacity.run(quick=True)


def test_findings_agree(outcome):
    assert len(outcome.findings) == 4
    for finding in outcome.findings:
        assert finding.agrees, finding
        assert "|" not in finding.stated + finding.measured


def test_datasets_are_of_the_task(outcome):
    ds = outcome.datasets["two_features"]
    loss = quadratic_loss(
        ds["W"].values.astype(float),
        np.stack(np.broadcast_arrays(1.0, ds["ratio"].values), -1)[:, None],
        ds["kurtosis"].values[:, None, None],
    )
    np.testing.assert_allclose(ds["loss"], loss, rtol=1e-4, atol=1e-9)


def test_polysemantic_above_the_boundary_only(outcome):
    best = js.best_seed(outcome.datasets["two_features"])
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


def test_the_diagram_is_symmetric(outcome):
    best = js.best_seed(outcome.datasets["two_features"])
    C = best["capacity"].transpose("kurtosis", "ratio", "feature").values
    np.testing.assert_allclose(C[:, ::-1, ::-1], C, atol=2e-2)


def test_marginal_values_are_equal(outcome):
    best = js.best_seed(outcome.datasets["six_features"])
    C = best["capacity"].values
    v = capacity.DECAY ** np.arange(capacity.MANY)
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
    np.testing.assert_allclose(C.sum(1), capacity.NEURONS, rtol=1e-3)


def test_efficient_weights_consist_of_tight_frames(outcome):
    # Capacities add up to m exactly where every embedding is an eigenvector of WᵀW.
    best = js.best_seed(outcome.datasets["six_features"])
    for W in best["W"].transpose("kurtosis", ...).values.astype(float):
        moved = W @ (W.T @ W)
        lengths = np.linalg.norm(W, axis=1)
        seen = lengths > 0.05
        along = (moved * W).sum(1) / np.where(seen, lengths**2, 1)
        rest = np.linalg.norm(moved - along[:, None] * W, axis=1)
        assert (rest[seen] < 0.02 * along[seen] * lengths[seen]).all()


def test_the_task_draws_nothing():
    task = capacity.pair(4.0, 0.5)
    params = task.init(jax.random.key(0))
    losses = [task.loss(params, jax.random.key(i), 7 + i) for i in range(2)]
    assert losses[0] == losses[1]


def test_figures(outcome):
    assert outcome.figures.keys() == {"phase_diagram", "allocation"}
    titles = [axes.get_title() for axes in outcome.figures["phase_diagram"].axes[:2]]
    assert titles == ["closed form", "trained, best of 6 seeds"]

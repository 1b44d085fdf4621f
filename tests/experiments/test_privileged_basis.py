"""Neurons of the best models at each density, and the classes that the paper describes."""

import jax
import numpy as np
import pytest

from jsuper.experiments import privileged_basis
from jsuper.experiments.privileged_basis import solutions as privileged_solutions


@pytest.fixture(scope="module")
def outcome():
    return privileged_basis.run(quick=True)


@pytest.mark.slow
def test_dense_features_have_neurons_of_their_own(outcome):
    ds, best = outcome.datasets["models"], outcome.datasets["best"]
    assert best.sel(density=0.75)["monosemantic"] == 5
    # Not the luck of one seed: a third of them at least.
    assert (ds.sel(density=0.75)["monosemantic"] == 5).mean() > 0.33
    main = np.abs(best.sel(density=0.75)["W"].values).argmax(0)
    assert sorted(main.tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_sparse_features_share_all_neurons(outcome):
    ds = outcome.datasets["models"]
    sparse = ds.sel(density=[0.06, 0.02])
    assert (sparse["monosemantic"] == 0).mean() > 0.9
    mean = ds["represented"].mean("seed").values
    assert mean[0] < 5.5
    assert mean[-1] > 9
    assert (np.diff(mean) > 0).all()


@pytest.mark.slow
def test_paper_s_mixture_of_both(outcome):
    best = outcome.datasets["best"].sel(density=0.35)
    W = best["W"].values
    assert privileged_solutions.counts(W) == (3, 6)
    assert privileged_solutions.is_both_and_antipodal(W)


@pytest.mark.slow
def test_only_the_rectified_models_know_their_axes(outcome):
    rectified = outcome.datasets["models"].isel(seed=slice(4))
    linear = outcome.datasets["linear_hidden"]
    aligned = privileged_basis.alignments(rectified, linear).sel(density=0.75)
    assert aligned["ReLU"].min() > aligned["rotated"].max() + 0.1
    assert abs(aligned["linear"].mean() - aligned["rotated"].mean()) < 0.15


@pytest.mark.slow
def test_hidden_biases_become_positive(outcome):
    c = outcome.datasets["hidden_bias"]["c"]
    assert (c > 0).mean() > 0.9


@pytest.mark.slow
def test_best_models_have_the_loss_that_they_state(outcome):
    best, ds = outcome.datasets["best"], outcome.datasets["models"]
    for k, density in enumerate(best["density"].values):
        params = {name: best[name].values[k] for name in ("W", "b")}
        task = privileged_basis.task(float(density))
        loss = float(task.loss(params, jax.random.key(9), 100_000))
        # Fresh examples: the loss of a model whose active inputs number thousands.
        assert loss == pytest.approx(float(best["loss"][k]), rel=0.1)
        assert loss < float(ds["loss"].isel(density=k).median())


def solution(*rows):
    W = np.zeros((10, 5), np.float32)
    W[: len(rows)] = rows
    return W


DEDICATED = [np.eye(5)[i] for i in range(5)]


def test_classes_of_weights_set_by_hand():
    both = solution(*DEDICATED[:3], [0, 0, 0, 1, 1], [0, 0, 0, 1, -1], [0, 0, 0, -1, 1])
    assert privileged_solutions.counts(both) == (3, 6)
    assert privileged_solutions.is_both_and_antipodal(both)
    assert not privileged_solutions.is_both_and_antipodal(both[:, ::-1] * [1, -1, 1, 1, 1])
    assert privileged_solutions.counts(solution(*DEDICATED)) == (5, 5)

    separated = solution(
        [1, 0, 0, 0, 0],
        [0, -0.7, 0.7, 0.7, -1.5],
        [0, -0.7, 0.7, -1.5, 0.7],
        [0, -0.7, -1.5, 0.7, 0.7],
        [0, 0.8, 0.8, 0, 0],
        [0, 0.8, 0, 0.8, 0],
        [0, 0.8, 0, 0, 0.8],
    )
    assert privileged_solutions.counts(separated) == (1, 7)
    assert privileged_solutions.is_separated(separated)
    assert not privileged_solutions.is_separated(both)

    pairs = [(i, j) for i in range(5) for j in range(i)]
    W = np.full((10, 5), -0.5, np.float32)
    for row, pair in zip(W, pairs, strict=True):
        row[list(pair)] = 0.7
    assert privileged_solutions.are_pairs(W)
    W[0] = W[1]
    assert not privileged_solutions.are_pairs(W)


def test_features_of_neurons_are_written_with_their_signs():
    W = solution([0, 1, 0, 0, 0], [1, 0, 0.2, 0, 0], [-0.5, 0, 1, 0, 0])
    assert privileged_solutions.signed_sets(W[:, :3]) == "0 / 1 −2 / 2"


def test_a_feature_of_negative_weights_is_not_represented():
    W = solution([1, 0, 0, 0, 0], [-2, 0, 0, 0, 0])
    assert privileged_solutions.is_represented(W).tolist() == [True] + [False] * 9

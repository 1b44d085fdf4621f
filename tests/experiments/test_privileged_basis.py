"""Neurons of the best models at each density, and the classes that the paper describes."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.privileged_basis import EXPERIMENT, measures, train


def solution(*rows):
    W = np.zeros((10, 5), np.float32)
    W[: len(rows)] = rows
    return W


def paired():
    W = np.full((10, 5), -0.5, np.float32)
    for row, pair in zip(W, [(i, j) for i in range(5) for j in range(i)], strict=True):
        row[list(pair)] = 0.7
    return W


DEDICATED = [np.eye(5)[i] for i in range(5)]
ALONE = solution(*DEDICATED)
BOTH = solution(*DEDICATED[:3], [0, 0, 0, 1, 1], [0, 0, 0, 1, -1], [0, 0, 0, -1, 1])
TWO_ALONE = solution(
    *DEDICATED[:2],
    *([0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]),
    *([0, 0, 1, 0, -1], [0, 0, -1, 1, 1]),
)
SEPARATED = solution(
    [1, 0, 0, 0, 0],
    [0, -0.7, 0.7, 0.7, -1.5],
    [0, -0.7, 0.7, -1.5, 0.7],
    [0, -0.7, -1.5, 0.7, 0.7],
    [0, 0.8, 0.8, 0, 0],
    [0, 0.8, 0, 0.8, 0],
    [0, 0.8, 0, 0, 0.8],
)
THREES = solution(*(np.roll([1, 1, 1, 0, 0], i) for i in range(5)), *DEDICATED[:3])
PAIRS = paired()
STATED = [ALONE, BOTH, TWO_ALONE, SEPARATED, THREES, PAIRS]


def test_models_are_of_one_class_each():
    W = xr.Dataset({"W": (("seed", "feature", "hidden"), np.stack(STATED))})
    ds = measures.described(W)
    # The axes in another order are the same models.
    for same in (ds, ds.transpose("hidden", "seed", "feature")):
        found = [solution.holds(same) for solution in measures.SOLUTIONS.values()]
        np.testing.assert_array_equal(found, np.eye(6, dtype=bool))


def test_classes_ask_for_more_than_numbers():
    flipped = BOTH[:, ::-1] * [1, -1, 1, 1, 1]
    assert not measures.is_both_and_antipodal(flipped)
    assert not measures.is_separated(BOTH)
    W = PAIRS.copy()
    W[0] = W[1]
    assert not measures.are_pairs(W)


def test_a_feature_of_negative_weights_is_not_represented():
    W = solution([1, 0, 0, 0, 0], [-2, 0, 0, 0, 0])
    assert measures.is_represented(W).tolist() == [True] + [False] * 9


def made(best, other):
    """Two seeds at each of the paper's densities, the first of lower loss."""
    densities = list(measures.SOLUTIONS)[: len(best)]
    W = np.stack([np.stack(pair) for pair in zip(best, other, strict=True)])
    ds = xr.Dataset(
        {
            "W": (("density", "seed", "feature", "hidden"), W),
            "loss": (("density", "seed"), np.tile([1.0, 1.5], (len(best), 1))),
        },
        {"density": densities, "seed": [0, 1]},
    )
    return measures.described(ds)


def made_models(best, other):
    """Models of those weights with a ReLU; without it, equal weights everywhere."""
    ds = made(best, other)
    flat = made([np.full((10, 5), 0.5, np.float32)] * 6, [ALONE * 0 + 0.5] * 6)
    biased = made(best[::2], other[::2])
    c = np.linspace(0.1, 0.5, 5) * np.ones((3, 2, 1))
    return xr.DataTree.from_dict(
        {
            "models": ds,
            "lowest": ds.copy(),
            "linear_hidden": flat,
            "hidden_bias": biased.assign(c=(("density", "seed", "hidden"), c)),
            "alignments": train.alignments(ds["W"], flat["W"]),
        }
    )


def test_alignment_is_that_of_the_axes_only_without_rotation():
    ds = made([ALONE] * 6, [ALONE] * 6)
    found = train.alignments(ds["W"], ds["W"])
    assert (found["ReLU"] == 1).all()
    # A random direction in five dimensions: between 1/5 and 1, far from either.
    assert 0.5 < found["rotated"].mean() < 0.6


def test_judged_and_drawn_without_training():
    models = made_models(STATED, [ALONE * 0.6] * 6)
    found = EXPERIMENT.findings(models)
    # What linear models do is no matter of these weights.
    assert [f.agrees for f in (*found[:7], found[8])] == [True] * 8
    cases = {(c.where, c.quantity): c for c in found[1].cases}
    assert cases["best model", "monosemantic neurons"].value == 3
    share = cases["all models", "as stated"]
    assert (share.value, share.n, share.unit) == (0.5, 2, "%")
    assert cases["best one as stated", "loss / lowest"].value == 1
    assert [(c.quantity, c.value) for c in found[6].cases] == [
        ("features of 1 neuron", 3),
        ("features of 3 neurons", 5),
    ]
    assert found[8].cases[0].value == 1
    figures = EXPERIMENT.figures(models)
    assert figures.keys() == {"stacks", "regimes", "bases"}
    lines = {line.get_label(): line for line in figures["regimes"].axes[0].lines}
    best = lines["features represented, best model"].get_ydata()
    assert list(best) == [5, 6, 7, 7, 8, 10]
    mean = lines["monosemantic neurons, mean"].get_ydata()
    assert list(mean) == [5, 4, 3.5, 3, 2.5, 2.5]


def test_the_best_model_decides():
    found = EXPERIMENT.findings(made_models(STATED[1:] + STATED[:1], STATED))
    assert not any(finding.agrees for finding in found[:7])
    behind = {c.where: c.value for c in found[0].cases}["best one as stated"]
    assert behind == 1.5


def test_a_bias_below_zero_decides():
    models = made_models(STATED, STATED)
    models["hidden_bias"]["c"][2, 1, 0] = -1
    found = EXPERIMENT.findings(models)[8]
    assert not found.agrees  # one of ten at the last density
    assert [case.value for case in found.cases] == [1, 1, pytest.approx(0.9)]


@pytest.mark.slow
def test_dense_features_have_neurons_of_their_own_and_sparse_ones_share_them():
    settings = dataclasses.replace(
        EXPERIMENT.quick, densities=(0.75, 0.06), seeds=12, batches=16
    )
    models = EXPERIMENT.models(settings)
    ds = models["models"].to_dataset()
    best = js.best_seed(models["lowest"].to_dataset())
    # Not the luck of one seed: half of 1,000 models are so at density 0.75.
    assert (ds["monosemantic"] == 5).sel(density=0.75).sum() >= 2
    main = abs(best["W"].sel(density=0.75)).argmax("feature")
    assert sorted(main.values.tolist()) == [0, 1, 2, 3, 4]
    assert ds["monosemantic"].sel(density=0.06).mean() < 1
    assert ds["represented"].sel(density=0.06).mean() > 7
    aligned = models["alignments"].to_dataset().sel(density=0.75)
    assert aligned["ReLU"].mean() > aligned["rotated"].mean() + 0.15
    assert abs(aligned["linear"].mean() - aligned["rotated"].mean()) < 0.15
    assert (models["hidden_bias"]["c"] > 0).mean() > 0.9
    # Measured again on other data, the best one is what it was to within noise.
    again = models["lowest"]["loss"].isel(seed=0)
    np.testing.assert_allclose(again, ds["loss"].min("seed"), rtol=0.1)

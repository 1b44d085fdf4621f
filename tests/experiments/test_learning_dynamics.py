"""Learning dynamics: the small version shows what the paper states."""

import numpy as np
import pytest
import xarray as xr

from jsuper.experiments import learning_dynamics as dynamics


@pytest.fixture(scope="module")
def outcome():
    return dynamics.run(quick=True)


@pytest.mark.slow
def test_all_features_end_as_digons(outcome):
    last = outcome.datasets["levels"].isel(step=-1)
    represented = last["norm"] > 0.5
    assert (represented.sum("feature") == 20).all()
    D = last["dimensionality"].values[represented.values]
    np.testing.assert_allclose(D, 0.5, atol=0.04)


@pytest.mark.slow
def test_the_loss_falls_while_features_move(outcome):
    jump = dynamics.jumps(outcome.datasets["levels"])
    late = jump["late"] > 0
    assert late.any()
    assert (jump["fall"] > 1.5 * jump["intervals"])[late].all()


@pytest.mark.slow
def test_sets_become_orthogonal_triples_and_mostly_an_octahedron(outcome):
    ds = outcome.datasets["stages"]
    W = ds["W"].isel(step=-1).transpose("seed", "feature", "hidden").values
    gram = W @ W.mT
    for k in (0, 3):
        triples = gram[:, k : k + 3, k : k + 3]
        np.testing.assert_allclose(triples, np.stack([np.eye(3)] * 8), atol=0.12)
    octahedral = gram[:, :3, 3:].min(-1).max(-1) < -0.9
    assert octahedral.sum() >= 4  # of 8 seeds


@pytest.mark.slow
def test_stages_come_in_their_order(outcome):
    stages = np.array(
        list(dynamics.begins(dynamics.cosines(outcome.datasets["stages"])).values())
    )
    passed = np.isfinite(stages).all(0)
    assert passed.sum() >= 4
    assert (np.diff(stages[:, passed], axis=0) > 0).all()


def model_of(frames):
    """Snapshots of one seed from a list of weights."""
    W = np.array(frames, float)[None]
    return xr.Dataset(
        {"W": (("seed", "step", "feature", "hidden"), W)},
        {"step": 10 * np.arange(W.shape[1])},
    )


def test_cosines_of_an_octahedron():
    octahedron = np.concatenate([np.eye(3), -np.eye(3)])
    bunches = np.concatenate([np.tile([1, 0, 0], (3, 1)), np.tile([-1, 0, 0], (3, 1))])
    shape = dynamics.cosines(model_of([0.01 * bunches, bunches, octahedron]))
    np.testing.assert_allclose(shape["size"][0], [0.01, 1, 1])
    np.testing.assert_allclose(shape["within"][0], [1, 1, 0])
    np.testing.assert_allclose(shape["oblique"][0], [1, 1, 0])
    np.testing.assert_allclose(shape["opposite"][0], [-1, -1, -1])
    begun = dynamics.begins(shape)
    assert [steps.tolist() for steps in begun.values()] == [[10], [20], [20]]


def test_jumps_of_a_model_that_jumps_once():
    D = np.full((1, 11, 2), 0.5)
    D[0, :8, 1] = 0.0
    loss = np.where(np.arange(11) < 8, 1.0, 0.4)[None]
    norm = np.where(D > 0, 1.0, 0.0)
    dims = ("seed", "step", "feature")
    ds = xr.Dataset(
        {"dimensionality": (dims, D), "norm": (dims, norm), "loss": (dims[:2], loss)},
        {"step": np.arange(11)},
    )
    jump = dynamics.jumps(ds)
    assert float(jump["fall"][0]) == pytest.approx(1)
    assert float(jump["intervals"][0]) == pytest.approx(1 / 8)
    assert int(jump["late"][0]) == 1

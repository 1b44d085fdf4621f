"""Learning dynamics: judged and drawn on made models, and trained in a small version."""

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.learning_dynamics import EXPERIMENT, measures
from jsuper.plots.style import PALETTE, Figure

OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)])
BUNCHES = np.concatenate([np.tile([1, 0, 0], (3, 1)), np.tile([-1, 0, 0], (3, 1))])


@pytest.fixture(scope="module")
def models():
    return EXPERIMENT.models(EXPERIMENT.quick)


@pytest.mark.slow
def test_all_features_end_as_digons(models):
    last = models["levels"].to_dataset().isel(step=-1)
    assert (last["represented"] == 20).all()
    D = last["dimensionality"].values[last["is_represented"].values]
    np.testing.assert_allclose(D, 0.5, atol=0.04)


@pytest.mark.slow
def test_dimensionalities_are_discrete_after_the_transient_and_only_then(models):
    ds = models["levels"].to_dataset()
    assert (measures.on_level(ds) > 0.95).all()
    # Of those that end in a digon, none begins there.
    kept = ds["is_represented"].isel(step=-1)
    assert float(ds["dimensionality"].isel(step=0).where(kept).max()) < 0.45


@pytest.mark.slow
def test_the_loss_falls_while_features_move(models):
    jump = measures.jumps(models["levels"].to_dataset())
    late = (jump["late"] > 0).values
    assert (jump["fall"] > 1.5 * jump["intervals"])[late].all()
    # Without jumps nothing is left to be gained.
    assert (abs(jump["fall"][~late]) < 0.1).all()


@pytest.mark.slow
def test_sets_become_orthogonal_triples_on_their_way_to_an_octahedron(models):
    ds = models["stages"].to_dataset()
    W = ds["W"].isel(step=-1).transpose("seed", "feature", "hidden").values
    gram = W @ W.mT
    for k in (0, 3):
        triples = gram[:, k : k + 3, k : k + 3]
        np.testing.assert_allclose(triples, np.stack([np.eye(3)] * 8), atol=0.12)
    opposite = measures.set_geometry(ds)["opposite"]
    final = opposite.isel(step=-1)
    # How many have arrived is for the full run; all are under way.
    assert (final < opposite.sel(step=500, method="nearest") - 0.15).all()
    assert (final < -0.6).all()
    assert float(final.median()) < -0.9


@pytest.mark.slow
def test_stages_come_in_their_order(models):
    steps = measures.first_steps(measures.set_geometry(models["stages"].to_dataset()))
    bunches, opening, octahedron = steps.values
    assert (bunches < 100).all()
    assert ((opening > 200) & (opening < 1_000)).all()
    reached = np.isfinite(octahedron)
    assert reached.sum() >= 4
    assert (octahedron > opening)[reached].all()


@pytest.mark.slow
def test_findings_of_trained_models(models):
    found = EXPERIMENT.findings(models)
    assert all(finding.agrees for finding in found)
    discrete, order = found[1].cases[0], found[4].cases[0]
    assert discrete.value > 0.97
    assert (discrete.n, order.n) == (4, 8)


def model_of(*seeds):
    """Snapshots of models from a list of weights for each seed."""
    W = np.array(seeds, float)
    loss = np.geomspace(1, 0.1, W.shape[1]) + 0.01 * np.arange(len(W))[:, None]
    ds = xr.Dataset(
        {
            "W": (("seed", "step", "feature", "hidden"), W),
            "loss": (("seed", "step"), loss),
        },
        {"seed": np.arange(len(W)), "step": 10 * np.arange(W.shape[1])},
    )
    return js.measure(ds)


def test_how_sets_lie_in_an_octahedron():
    shape = measures.set_geometry(model_of([0.01 * BUNCHES, BUNCHES, OCTAHEDRON]))
    np.testing.assert_allclose(shape["norm"][0], [0.01, 1, 1])
    np.testing.assert_allclose(shape["within"][0], [1, 1, 0])
    np.testing.assert_allclose(shape["oblique"][0], [1, 1, 0])
    np.testing.assert_allclose(shape["opposite"][0], [-1, -1, -1])
    assert measures.first_steps(shape).values.tolist() == [[10], [20], [20]]


def test_the_model_shown_has_passed_all_stages():
    passes = [0.01 * BUNCHES, BUNCHES, OCTAHEDRON]
    stays = [0.01 * BUNCHES, BUNCHES, BUNCHES]
    # The loss rises with the seed.
    assert measures.chosen(model_of(stays, passes, passes))["seed"] == 1
    assert measures.chosen(model_of(stays, stays))["seed"] == 0


def test_jumps_of_a_model_that_jumps_once():
    D = np.full((1, 11, 2), 0.5)
    D[0, :8, 1] = 0.0
    loss = np.where(np.arange(11) < 8, 1.0, 0.4)[None]
    dims = ("seed", "step", "feature")
    ds = xr.Dataset(
        {
            "dimensionality": (dims, D),
            "is_represented": (dims, D > 0),
            "loss": (dims[:2], loss),
        },
        {"step": np.arange(11)},
    )
    jump = measures.jumps(ds)
    assert float(jump["fall"][0]) == pytest.approx(1)
    assert float(jump["intervals"][0]) == pytest.approx(1 / 8)
    assert int(jump["late"][0]) == 1
    assert float(measures.on_level(ds)[0]) == 1
    off = measures.on_level(ds.assign(dimensionality=0.9 * ds["dimensionality"]))
    assert float(off[0]) == pytest.approx(1 / 3)  # the absent one, at 6 of 9 snapshots


def made(jumps=True):
    """Two seeds of four features in two dimensions, of which one jumps, and two of sets."""
    digons = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [0, 0]])
    steady, late = np.stack([digons] * 11), np.stack([digons] * 11)
    late[:8, 3] = 0
    levels = model_of(steady, late if jumps else steady)
    loss = np.where(np.arange(11) < 8, 1.0, 0.4)
    levels["loss"] = levels["loss"].copy(data=np.stack([loss, loss]))
    end = 3 if jumps else 2
    opening = BUNCHES + 2 * OCTAHEDRON
    quick = [0.01 * BUNCHES, BUNCHES, opening, OCTAHEDRON, OCTAHEDRON, OCTAHEDRON]
    slow = [0.01 * BUNCHES, BUNCHES, opening, opening, opening, OCTAHEDRON][: end + 3]
    stages = model_of(quick[: len(slow)], slow)
    return xr.DataTree.from_dict({"levels": levels, "stages": stages})


def test_judged_and_drawn_without_training():
    models = made()
    found = EXPERIMENT.findings(models)
    assert all(finding.agrees for finding in found)
    digons, discrete, drops, attractor, order, steps = (f.cases for f in found)
    assert [case.value for case in digons] == pytest.approx([0, 4, 4])
    assert [case.value for case in discrete] == pytest.approx([1, 1, 0.5])
    assert [case.value for case in drops] == pytest.approx([1, 1 / 8, 1])
    assert drops[0].n == 1
    assert [case.value for case in attractor] == [1, 1]
    assert [case.value for case in order] == [1]
    # The octahedron comes at step 30 and 50.
    last = (steps[0].value, steps[1].value, steps[1].low, steps[1].high)
    assert last == pytest.approx((5 / 3, 40, 30, 50))
    drawn = EXPERIMENT.figures(models)
    assert set(drawn) == {"levels", "stages", "film"}
    assert isinstance(drawn["levels"], Figure)
    assert isinstance(drawn["stages"], Figure)
    # Features that are represented at the end lie above those that are not.
    heights = {line.get_color(): line.zorder for line in drawn["levels"].axes[0].lines}
    assert heights[PALETTE["blue"]] > heights["0.75"] > heights["0.6"]
    drawn["stages"].draw_without_rendering()


def test_without_late_jumps_and_with_half_of_the_octahedra():
    found = EXPERIMENT.findings(made(jumps=False))
    assert [f.agrees for f in found] == [True, False, False, False, False, False]
    fall = found[2].cases[0]
    assert fall.n == 0
    assert np.isnan(fall.value)
    assert found[3].cases[0].value == 0.5
    assert all("|" not in finding.measured() for finding in found)

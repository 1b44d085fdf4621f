"""Learning dynamics: judged and drawn on made models, and trained in a small version."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.learning_dynamics import EXPERIMENT, measures
from jsuper.plots.style import PALETTE, Figure

OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)])
BUNCHES = np.concatenate([np.tile([1, 0, 0], (3, 1)), np.tile([-1, 0, 0], (3, 1))])


@pytest.mark.slow
def test_features_settle_as_digons_and_bunches_open():
    small = dataclasses.replace(
        EXPERIMENT.quick,
        **{"level_seeds": 2, "level_steps": 1_500, "level_snapshots": 15},
        **{"stage_seeds": 4, "stage_steps": 1_500, "stage_snapshots": 15},
    )
    models = EXPERIMENT.models(small)
    levels = models["levels"].to_dataset()
    assert (abs(levels["represented"].isel(step=-1) - 20) <= 1).all()
    kept = levels["is_represented"].isel(step=-1)
    D = levels["dimensionality"].where(kept)
    assert float((abs(D.isel(step=-1) - 0.5) < 0.05).sum() / kept.sum()) > 0.85
    assert float(D.isel(step=0).max()) < 0.45  # none begins there
    assert (measures.jumps(levels)["on_level"] > 0.7).all()
    stages = models["stages"].to_dataset()
    bunches, opening, _ = measures.first_steps(measures.set_geometry(stages)).values
    assert (bunches < 200).all()
    assert ((opening > 150) & (opening < 1_500)).all()


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
    assert shape["triples"][0].values.tolist() == [False, False, True]
    assert shape["octahedron"][0].values.tolist() == [False, False, True]
    np.testing.assert_allclose(shape["opposite"][0], [-1, -1, -1])
    assert measures.first_steps(shape).values.tolist() == [[10], [20], [20]]


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
    assert float(jump["on_level"][0]) == 1
    off = measures.jumps(ds.assign(dimensionality=0.9 * ds["dimensionality"]))["on_level"]
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
    assert [case.value for case in digons] == pytest.approx([0, 4])
    assert [case.value for case in discrete] == pytest.approx([1, 1, 0.5])
    assert [case.value for case in drops] == pytest.approx([1, 1 / 8])
    assert drops[0].n == 1
    assert [case.value for case in attractor] == [1, 1]
    assert [case.value for case in order] == [1]
    # The octahedron comes at step 30 and 50.
    assert (steps[0].value, steps[0].low, steps[0].high) == (40, 30, 50)
    drawn = EXPERIMENT.figures(models)
    assert set(drawn) == {"levels", "stages", "film"}
    # The seed with a late jump comes first; what is represented at the end lies on top.
    levels, stages = drawn["levels"], drawn["stages"]
    assert isinstance(levels, Figure)
    assert isinstance(stages, Figure)
    panel = levels.axes[0]
    assert panel.get_title() == "seed 1"
    heights = {line.get_color(): line.zorder for line in panel.lines}
    assert heights[PALETTE["blue"]] > heights["0.75"] > heights["0.6"]
    titles = [panel.get_title() for panel in stages.axes[:4]]
    steps = [int(title.split("step ")[1]) for title in titles]
    assert steps == [0, 10, 20, 30]


def test_without_late_jumps_and_with_half_of_the_octahedra():
    models = made(jumps=False)
    found = EXPERIMENT.findings(models)
    assert [f.agrees for f in found] == [True, False, False, False, False, False]
    fall = found[2].cases[0]
    assert fall.n == 0
    assert np.isnan(fall.value)
    assert found[3].cases[0].value == 0.5
    # The model shown passes all stages, though the other one has a lower loss.
    models["stages"]["loss"] = models["stages"]["loss"] * [[1], [0.5]]
    stages = EXPERIMENT.figures(models)["stages"]
    assert isinstance(stages, Figure)
    assert stages.axes[3].get_title() == "D, octahedron\nstep 30"

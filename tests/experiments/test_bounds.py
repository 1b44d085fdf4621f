"""Trained models obey the bounds; a penalty removes superposition at a cost."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.bounds import EXPERIMENT, measures, train
from jsuper.polytopes import ideal, tegum_product


def made_penalised(superposed):
    """Models whose loss grows with the penalty, with so many features superposed."""
    superposed = np.asarray(superposed, float)
    l1 = np.arange(len(superposed)) / 10
    loss = (1 + l1)[:, None] + np.zeros(superposed.shape)
    ds = xr.Dataset(
        {
            "superposed": (("l1", "seed"), superposed),
            "represented": (("l1", "seed"), superposed + 1),
            "reconstruction_loss": (("l1", "seed"), loss),
        },
        {"l1": l1, "seed": range(superposed.shape[1])},
    )
    return ds.expand_dims(density=[0.1]).assign_coords(hidden=range(5))


def made_packed():
    """Pentagons in two and four dimensions, and dense models of one feature in each two."""
    W = np.zeros((2, 3, 2, 10, 4))
    for of_size, n in zip(W, (1, 2), strict=True):
        whole = tegum_product(*[ideal("pentagon")] * n)
        of_size[1:, :, : 5 * n, : 2 * n] = whole
        of_size[0, :, : 5 * n, : 2 * n] = whole * (np.arange(5 * n) % 5 == 0)[:, None]
    dims = ("n_hidden", "density", "seed")
    ds = xr.Dataset(
        {
            "W": ((*dims, "feature", "hidden"), W),
            "loss": (dims, np.ones(W.shape[:3])),
        },
        {"n_hidden": [2, 4], "density": [1.0, 0.2, 0.1], "seed": [0, 1]},
    )
    return measures.packing(js.measure(ds))


CLEAN = [[2, 2], [1, 0], [0, 0], [0, 0]]


def judged(penalised=None, packed=None):
    penalised = made_penalised(CLEAN) if penalised is None else penalised
    packed = made_packed() if packed is None else packed
    tree = xr.DataTree.from_dict({"l1-penalty": penalised, "packing": packed})
    return EXPERIMENT.findings(tree), tree


def test_what_the_bounds_are_about():
    ds = made_packed()
    assert ds["largest"].isnull().all(("n_hidden", "seed")).values.tolist() == [1, 0, 0]
    sparse = ds.sel(density=0.1).isel(seed=0)
    # A pentagon is a tight frame, and not equiangular. Of two of them n is 10 and m is 4.
    np.testing.assert_allclose(sparse["rms"], [np.sqrt(3 / 8), np.sqrt(1 / 6)])
    np.testing.assert_allclose(sparse["welch"], sparse["rms"])
    np.testing.assert_allclose(sparse["largest"], np.cos(np.pi / 5))
    np.testing.assert_allclose(sparse["represented_per_dimension"], 2.5)
    np.testing.assert_allclose(sparse["packing"], 1)


def test_the_constant_is_what_every_model_obeys_and_one_meets():
    ds = made_packed()
    products = measures.sensing_constant(ds) * measures.needed(ds)
    assert (products <= 1 + 1e-9).all()
    assert products.max() == pytest.approx(1)
    # -2.5 p log p is largest at 0.2, of these densities.
    assert measures.sensing_constant(ds) == pytest.approx(1 / (2.5 * 0.2 * np.log(5)))


def test_free_of_superposition_needs_all_seeds_from_there_on():
    ds = made_penalised([[2, 2], [0, 0], [0, 1], [0, 0], [0, 0]])
    assert measures.free_of_superposition(ds).item() == pytest.approx(0.3)
    assert np.isnan(measures.free_of_superposition(ds.isel(l1=slice(3))).item())


def test_judged_without_training():
    found, _ = judged()
    assert [finding.agrees for finding in found] == [True] * 7
    cases = {case.quantity: case for case in found[0].cases}
    assert cases["gone from λ"].value == pytest.approx(0.2)
    assert (cases["features left"].value, cases["superposed without it"].value) == (1, 2)
    assert found[1].cases[0].value == pytest.approx(1.2)
    assert found[5].cases[0].value == pytest.approx(1)
    varies = 0.2 * np.log(5) / (0.1 * np.log(10))
    assert found[6].cases[1].value == pytest.approx(varies)


def test_a_penalty_must_leave_a_feature_in_every_seed():
    ds = made_penalised(CLEAN)
    lost = ds["represented"].where((ds["seed"] == 0) | (ds["l1"] < 0.15), 0)
    (removed, paid, *_), _ = judged(ds.assign(represented=lost))
    assert (removed.agrees, paid.agrees) == (False, True)
    assert removed.cases[1].value == 0.5  # of the seeds have none left


def test_superposition_that_stays_has_no_cost():
    (removed, paid, *_), _ = judged(made_penalised([[2, 2], [0, 0], [0, 1]]))
    assert not removed.agrees
    assert np.isnan(removed.cases[0].value)
    assert (paid.agrees, paid.cases) == (False, [])


@pytest.mark.parametrize(
    ("name", "change", "flipped"),
    [
        ("packing", 1.001, {2}),
        ("packing", 0.94, {3}),
        ("rms", 0.999, {4}),
        # Half as many per dimension at the larger size, or at the lowest density.
        ("represented_per_dimension", [[[1]], [[0.6]]], {5}),
        ("represented_per_dimension", [[1], [1], [0.6]], {6}),
    ],
)
def test_each_verdict_can_be_no(name, change, flipped):
    packed = made_packed()
    found, _ = judged(packed=packed.assign({name: packed[name] * np.array(change)}))
    assert {i for i, finding in enumerate(found) if not finding.agrees} == flipped


def test_drawn_without_training():
    _, tree = judged()
    drawn = EXPERIMENT.figures(tree)
    sums, interference = drawn["packing"].axes
    np.testing.assert_allclose(sums.lines[0].get_xdata(), [1, 5, 10])
    np.testing.assert_allclose(sums.lines[0].get_ydata(), [0.5, 1, 1])
    largest = interference.lines[0].get_ydata()
    np.testing.assert_allclose(largest[2:], np.cos(np.pi / 5))
    (panel,) = drawn["sensing"].axes
    # The bound is the curve that no model exceeds and one reaches, at density 0.2.
    x, bound = panel.lines[-1].get_data()
    assert np.interp(-5, -x, bound) == pytest.approx(2.5, rel=1e-3)
    kept, paid = drawn["l1-penalty"].axes
    np.testing.assert_allclose(kept.lines[0].get_ydata(), [2, 0.5, 0, 0])
    np.testing.assert_allclose(kept.lines[1].get_ydata(), [3, 1.5, 1, 1])
    np.testing.assert_allclose(paid.lines[0].get_ydata(), [1, 1.1, 1.2, 1.3])
    named = [text.get_text() for text in kept.get_legend().get_texts()]
    assert named == ["density 0.1", "superposed", "represented"]


def test_the_tasks():
    task = train.penalised_task(0.1, 0.5)
    assert task.l1 == 0.5
    np.testing.assert_allclose(task.importance[:3], [1, 0.7, 0.49])
    sizes = train.packed_task(0.1, 4).model
    assert (sizes.n_features, sizes.n_hidden) == (120, 4)


@pytest.mark.slow
def test_trained_models():
    # One size, to compile once: that the numbers are linear in it needs the full run.
    sizes = {"sizes": (4,), "densities": 2, "lowest_density": 0.05, "steps": 500}
    settings = dataclasses.replace(EXPERIMENT.quick, penalty_steps=300, **sizes)
    models = EXPERIMENT.models(settings)
    ds = models["l1-penalty"].to_dataset().isel(density=0)
    superposed, loss = ds["superposed"], ds["reconstruction_loss"]
    assert float(superposed.sel(l1=0).min()) > 5
    assert float(superposed.sel(l1=0.5).max()) == 0
    # Fewer at an intermediate weight, and each weight costs, in every seed.
    assert float(superposed.sel(l1=0.05).max()) < float(superposed.sel(l1=0).min())
    assert (loss.diff("l1") > 0).all()
    assert float((loss.sel(l1=0.5) / loss.sel(l1=0)).min()) > 2
    # The least important features go first.
    norms = ds["norm"].sel(l1=0.05)
    assert (norms.isel(feature=slice(0, 4)) > 0.5).all()
    assert (norms.isel(feature=slice(12, None)) < 0.1).all()
    # Without a penalty the loss is the reconstruction's; with one it is more.
    np.testing.assert_allclose(loss.sel(l1=0), ds["loss"].sel(l1=0), rtol=0.1)
    assert (ds["loss"] > loss).sel(l1=0.5).all()

    ds = models["packing"].to_dataset()
    assert float(ds["packing"].max()) < 1 + 1e-4
    assert float(ds["packing"].min()) > 0.97
    sparse = ds.isel(density=-1)
    ratio = sparse["rms"] / sparse["welch"]
    assert float(ratio.min()) > 1 - 1e-5
    # Tight frames, but not equiangular ones.
    assert float(ratio.max()) < 1.02
    assert float((sparse["largest"] / sparse["welch"]).min()) > 1.1
    assert (sparse["represented_per_dimension"] > 3).all()
    found = EXPERIMENT.findings(models)
    assert all(finding.agrees for finding in found)
    gone, *_ = found[0].cases
    assert (gone.where, gone.quantity, gone.value) == ("density 0.1", "gone from λ", 0.5)

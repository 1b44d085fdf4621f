"""Trained models obey the bounds; a penalty removes superposition at a cost."""

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.bounds import EXPERIMENT, measures, train


@pytest.fixture(scope="module")
def models():
    return EXPERIMENT.models(EXPERIMENT.quick)


@pytest.fixture(scope="module")
def penalised(models):
    return models["l1-penalty"].to_dataset()


@pytest.fixture(scope="module")
def packed(models):
    return models["packing"].to_dataset()


@pytest.mark.slow
def test_the_penalty_removes_superposition_at_a_cost(penalised):
    ds = penalised.isel(density=0)
    superposed, loss = ds["superposed"], ds["reconstruction_loss"]
    assert float(superposed.sel(l1=0).min()) > 5
    assert float(superposed.sel(l1=0.5).max()) == 0
    # Half as many at an intermediate weight, and each weight costs, in every seed.
    assert float(superposed.sel(l1=0.05).max()) < float(superposed.sel(l1=0).min())
    assert (loss.diff("l1") > 0).all()
    assert float((loss.sel(l1=0.5) / loss.sel(l1=0)).min()) > 2


@pytest.mark.slow
def test_the_penalty_drops_the_least_important_features(penalised):
    norms = penalised.isel(density=0)["norm"].sel(l1=0.05)
    assert (norms.isel(feature=slice(0, 4)) > 0.5).all()
    assert (norms.isel(feature=slice(12, None)) < 0.1).all()


@pytest.mark.slow
def test_the_loss_without_penalty_is_the_loss_at_weight_zero(penalised):
    ds = penalised.sel(l1=0)
    np.testing.assert_allclose(ds["reconstruction_loss"], ds["loss"], rtol=0.1)
    ds = penalised.sel(l1=0.5)
    assert (ds["loss"] > ds["reconstruction_loss"]).all()


@pytest.mark.slow
def test_dimensionalities_fill_the_hidden_space_and_no_more(packed):
    assert float(packed["packing"].max()) < 1 + 1e-4
    assert float(packed["packing"].min()) > 0.97


@pytest.mark.slow
def test_interference_lies_on_welchs_bound(packed):
    ratio = packed["rms"] / packed["welch"]
    finite = ratio.values[np.isfinite(ratio.values)]
    assert len(finite) >= 8
    assert finite.min() > 1 - 1e-5
    # Tight frames where features are sparse; nearly dense models have graded norms.
    assert float(ratio.sel(density=slice(0.2, None)).max()) < 1.02
    assert float((packed["largest"] / packed["welch"]).min()) > 1.1  # not equiangular


@pytest.mark.slow
def test_more_features_fit_as_they_become_sparse(packed):
    number = packed["represented_per_dimension"].isel(density=slice(1, None))
    assert (number.isel(density=-1) > 1.5 * number.isel(density=0)).all()
    # Linear in m: the same per dimension in 4 dimensions and in 8.
    mean = number.mean("seed").isel(density=slice(1, None))
    assert float((mean.max("n_hidden") / mean.min("n_hidden")).max()) < 1.5


@pytest.mark.slow
def test_the_whole_agrees(models):
    found = EXPERIMENT.findings(models)
    assert len(found) == 7
    assert all(finding.agrees for finding in found)
    gone, *_ = found[0].cases
    assert (gone.where, gone.quantity, gone.value) == ("density 0.1", "gone from λ", 0.5)
    cost = found[1].cases[0]
    assert 2 < cost.low < cost.value < cost.high < 20


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
    """Sparse models of two dimensions: a pentagon, and one of two features only."""
    angles = 2 * np.pi * np.arange(5) / 5
    pentagon = np.stack([np.cos(angles), np.sin(angles)], -1)
    two = pentagon * [[1], [1], [0], [0], [0]]
    W = np.stack([[two, two], [pentagon, pentagon], [pentagon, pentagon]])[None]
    ds = xr.Dataset(
        {
            "W": (("n_hidden", "density", "seed", "feature", "hidden"), W),
            "loss": (("n_hidden", "density", "seed"), np.ones((1, 3, 2))),
        },
        {"n_hidden": [2], "density": [1.0, 0.2, 0.1], "seed": [0, 1]},
    )
    return measures.packing(js.measure(ds))


def test_what_the_bounds_are_about():
    ds = made_packed().isel(n_hidden=0)
    assert ds["largest"].isnull().values.tolist() == [[True] * 2, [False] * 2, [False] * 2]
    pentagon = ds.sel(density=0.1, seed=0)
    # A pentagon is a tight frame, and not equiangular.
    assert float(pentagon["rms"]) == pytest.approx(np.sqrt(3 / 8))
    assert float(pentagon["welch"]) == pytest.approx(np.sqrt(3 / 8))
    assert float(pentagon["largest"]) == pytest.approx(np.cos(np.pi / 5))
    np.testing.assert_allclose(ds["represented_per_dimension"][:, 0], [1, 2.5, 2.5])
    assert float(pentagon["packing"]) == pytest.approx(1)


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


def test_judged_and_drawn_without_training():
    clean = made_penalised([[2, 2], [1, 0], [0, 0], [0, 0]])
    tree = xr.DataTree.from_dict({"l1-penalty": clean, "packing": made_packed()})
    found = EXPERIMENT.findings(tree)
    assert [finding.agrees for finding in found] == [True] * 7
    cases = {case.quantity: case for case in found[0].cases}
    assert cases["gone from λ"].value == pytest.approx(0.2)
    assert (cases["features left"].value, cases["superposed without it"].value) == (1, 2)
    assert found[1].cases[0].value == pytest.approx(1.2)
    assert set(EXPERIMENT.figures(tree)) == {"l1-penalty", "packing", "sensing"}

    dirty = made_penalised([[2, 2], [0, 0], [0, 1]])
    removed, paid, *_ = EXPERIMENT.findings(
        xr.DataTree.from_dict({"l1-penalty": dirty, "packing": made_packed()})
    )
    assert not removed.agrees
    assert removed.cases[0].quantity == "not gone up to λ"
    assert not paid.agrees
    assert paid.cases == []


def test_the_tasks_differ_in_the_penalty_alone():
    assert train.penalised_task(0.1, 0.5).l1 == 0.5
    assert train.unpenalised_task(0.1).l1 is None
    sizes = train.packed_task(0.1, 4).model
    assert (sizes.n_features, sizes.n_hidden) == (120, 4)

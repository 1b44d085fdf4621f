"""Trained models obey the bounds; a penalty removes superposition at a cost."""

import numpy as np
import pytest
import xarray as xr

from jsuper.experiments.bounds import (
    EXPERIMENT,
    free_of_superposition,
    sensing_constant,
    together,
)
from jsuper.theory import bounds

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcome():
    return EXPERIMENT.run(True)


@pytest.fixture(scope="module")
def packing(outcome):
    return together([ds for n, ds in outcome.datasets.items() if n.startswith("packing")])


def test_the_penalty_removes_superposition_at_a_cost(outcome):
    ds = outcome.datasets["l1-penalty"].isel(density=0)
    superposed, loss = ds["superposed"], ds["reconstruction_loss"]
    assert float(superposed.sel(l1=0).min()) > 5
    assert float(superposed.sel(l1=0.5).max()) == 0
    # Half as many at an intermediate weight, and each weight costs, in every seed.
    assert float(superposed.sel(l1=0.05).max()) < float(superposed.sel(l1=0).min())
    assert (loss.diff("l1") > 0).all()
    assert float((loss.sel(l1=0.5) / loss.sel(l1=0)).min()) > 2


def test_the_penalty_drops_the_least_important_features(outcome):
    norms = outcome.datasets["l1-penalty"].isel(density=0)["norm"].sel(l1=0.05)
    assert (norms.isel(feature=slice(0, 4)) > 0.5).all()
    assert (norms.isel(feature=slice(12, None)) < 0.1).all()


def test_the_loss_without_penalty_is_the_loss_at_weight_zero(outcome):
    ds = outcome.datasets["l1-penalty"].sel(l1=0)
    np.testing.assert_allclose(ds["reconstruction_loss"], ds["loss"], rtol=0.1)
    penalised = outcome.datasets["l1-penalty"].sel(l1=0.5)
    assert (penalised["loss"] > penalised["reconstruction_loss"]).all()


def test_dimensionalities_fill_the_hidden_space_and_no_more(packing):
    packing = packing["packing"]
    assert float(packing.max()) < 1 + 1e-4
    assert float(packing.min()) > 0.97


def test_interference_lies_on_welchs_bound(packing):
    ds = packing
    ratio = (ds["typical"] / ds["welch"]).values
    ratio = ratio[np.isfinite(ratio)]
    assert len(ratio) >= 8
    assert ratio.min() > 1 - 1e-5
    # Tight frames where features are sparse; nearly dense models have graded norms.
    sparse = (ds["typical"] / ds["welch"]).sel(density=slice(0.2, None))
    assert float(sparse.max()) < 1.02
    assert float((ds["largest"] / ds["welch"]).min()) > 1.1  # not equiangular


def test_more_features_fit_as_they_become_sparse(packing):
    ds = packing
    number = ds["represented_per_dimension"].isel(density=slice(1, None))
    assert (number.isel(density=-1) > 1.5 * number.isel(density=0)).all()
    # Linear in m: the same per dimension in 4 dimensions and in 8.
    mean = number.mean("seed").isel(density=slice(1, None))
    assert float((mean.max("n_hidden") / mean.min("n_hidden")).max()) < 1.5
    # The constant is what every model obeys, and one meets.
    constant = sensing_constant(ds)
    needed = bounds.recovery_dimensions(
        ds["represented_per_dimension"].transpose(..., "density"), ds["density"]
    )
    assert (constant * needed <= 1 + 1e-9).all()
    assert np.isclose(constant * needed.max(), 1)


def test_free_of_superposition_needs_all_seeds_from_there_on():
    superposed = xr.DataArray(
        [[2, 2], [0, 0], [0, 1], [0, 0], [0, 0]],
        dims=("l1", "seed"),
        coords={"l1": [0, 0.1, 0.2, 0.3, 0.4]},
    )
    ds = superposed.to_dataset(name="superposed")
    assert free_of_superposition(ds).item() == 0.3
    assert free_of_superposition(ds.isel(l1=slice(3))).item() == np.inf


def test_outcome_is_complete(outcome):
    assert set(outcome.figures) == {"l1-penalty", "packing", "sensing"}
    assert all(f.agrees for f in outcome.findings[:5])
    assert "|" not in "".join(f.stated + f.measured for f in outcome.findings)

"""Vulnerability rises with superposition, and training under attack undoes both."""

import numpy as np
import pytest

from jsuper.experiments.adversarial import EXPERIMENT, correlation, removal

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcome():
    return EXPERIMENT.run(True)


def test_models_without_superposition_are_as_vulnerable_as_dedicated_features(outcome):
    dense = outcome.datasets["adversarial"].isel(density=0)
    assert float(dense["features_per_dimension"].mean()) == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(dense["vulnerability"], 1, atol=0.15)


def test_vulnerability_more_than_triples(outcome):
    ds = outcome.datasets["adversarial"]
    rise = ds["vulnerability"].isel(density=-1)
    assert float(rise.min()) > 3
    # Both readings of the attack's size, all seeds: a seed's noise is far smaller.
    assert float(rise.std("seed").max()) < 0.1 * float(rise.min())


def test_vulnerability_follows_features_per_dimension(outcome):
    ds = outcome.datasets["adversarial"]
    for size in ds["size"].values:
        _, low, high = correlation(ds.sel(size=size))
        assert 0.8 < low < high <= 1
        # Models that store more features are more vulnerable, seed by seed.
        steps = ds["vulnerability"].sel(size=size).diff("density")
        assert (steps > 0).all()


def test_gradient_ascent_is_no_weaker_than_the_analytic_attack(outcome):
    ds = outcome.datasets["adversarial"]
    assert (abs(ds["gradient"] - 1) < 0.25).all()
    assert float(ds["no_gradient"].isel(density=0).max()) == 0
    assert float(ds["no_gradient"].isel(density=-1).min()) > 0.2


def test_a_large_attack_in_training_removes_superposition(outcome):
    training = outcome.datasets["adversarial-training"]
    stored = training["features_per_dimension"].isel(density=0)
    assert float(stored.sel(attack=0).min()) > 3
    assert float(stored.sel(attack=1.2).max()) < 1.1
    before, after = (training["superposed"].sel(attack=a) for a in (0, 1.2))
    assert float(before.min()) > 10 > 5 > float(after.max())
    assert (removal(training) <= 1.2).all()


def test_removal_is_the_first_attack_from_which_on_little_is_stored(outcome):
    training = outcome.datasets["adversarial-training"]
    stored = training["features_per_dimension"].isel(density=[0], seed=[0])
    for values, expected in (
        ([4, 1.0, 0.5], 0.8),
        ([4, 3, 0.5], 1.2),
        ([4, 1.0, 2.0], np.inf),
        ([1.0, 0.5, 0.5], 0),
    ):
        made = stored.copy(data=np.reshape(values, stored.shape))
        assert removal(made.to_dataset(name="features_per_dimension")).item() == expected


def test_outcome_is_complete(outcome):
    assert set(outcome.figures) == {"vulnerability", "adversarial-training"}
    assert [f.agrees for f in outcome.findings[:2]] == [True, True]
    assert "|" not in "".join(f.stated + f.measured for f in outcome.findings)

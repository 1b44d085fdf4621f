"""Vulnerability rises with superposition, and training under attack undoes both."""

import numpy as np
import pytest
import xarray as xr

from jsuper.experiments.adversarial import EXPERIMENT
from jsuper.experiments.adversarial.measures import SIZES, correlation, removal


@pytest.fixture(scope="module")
def models():
    return EXPERIMENT.models(EXPERIMENT.quick)


@pytest.mark.slow
def test_models_without_superposition_are_as_vulnerable_as_dedicated_features(models):
    dense = models["models"].to_dataset().isel(density=0)
    assert float(dense["features_per_dimension"].mean()) == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(dense["vulnerability"], 1, atol=0.15)


@pytest.mark.slow
def test_vulnerability_more_than_triples(models):
    rise = models["models"].to_dataset()["vulnerability"].isel(density=-1)
    assert float(rise.min()) > 3
    # Both readings of the attack's size, all seeds: a seed's noise is far smaller.
    assert float(rise.std("seed").max()) < 0.1 * float(rise.min())


@pytest.mark.slow
def test_vulnerability_follows_features_per_dimension(models):
    ds = models["models"].to_dataset()
    for size in ds["size"].values:
        found = correlation(ds.sel(size=size))
        assert 0.8 < found.low <= found.value <= found.high <= 1
        # Models that store more features are more vulnerable, seed by seed.
        steps = ds["vulnerability"].sel(size=size).diff("density")
        assert (steps > 0).all()


@pytest.mark.slow
def test_gradient_ascent_is_no_weaker_than_the_analytic_attack(models):
    ds = models["models"].to_dataset()
    assert (abs(ds["gradient"] - 1) < 0.25).all()
    assert float(ds["no_gradient"].isel(density=0).max()) == 0
    assert float(ds["no_gradient"].isel(density=-1).min()) > 0.2


@pytest.mark.slow
def test_a_large_attack_in_training_removes_superposition(models):
    training = models["training"].to_dataset()
    stored = training["features_per_dimension"].isel(density=0)
    assert float(stored.sel(attack=0).min()) > 3
    assert float(stored.sel(attack=1.2).max()) < 1.1
    before, after = (training["superposed"].sel(attack=a) for a in (0, 1.2))
    assert float(before.min()) > 10 > 5 > float(after.max())
    assert (removal(training) <= 1.2).all()


@pytest.mark.slow
def test_verdicts_of_trained_models(models):
    found = EXPERIMENT.findings(models)
    assert [f.agrees for f in found[:3]] == [True, True, False]
    rise = found[0].cases[0]
    assert rise.value > 3
    assert rise.n == 2
    assert set(EXPERIMENT.figures(models)) == {"vulnerability", "adversarial-training"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([4, 1.0, 0.5], 0.8),
        ([4, 3, 0.5], 1.2),
        ([4, 1.0, 2.0], np.inf),
        ([1.0, 0.5, 0.5], 0),
    ],
)
def test_removal_is_the_first_attack_from_which_on_little_is_stored(values, expected):
    stored = xr.DataArray(values, {"attack": [0, 0.8, 1.2]})
    assert removal(stored.to_dataset(name="features_per_dimension")).item() == expected


def made(exponent=1.5, gradient=1.0, stored=((4.0, 0.5, 0.4), (4.0, 2.0, 1.0))):
    """Models whose vulnerability is a power of what they store, without training."""
    density, scale = np.array([1, 0.3, 0.1]), np.array([0.9, 1.0, 1.1])
    d = np.array([1.0, 2.0, 5.0])[:, None] * scale
    grid = ("density", "seed")
    ds = xr.Dataset(
        {
            "features_per_dimension": (grid, d),
            "vulnerability": ((*grid, "size"), np.stack([d**exponent, d**1.2], -1)),
            "gradient": (grid, np.full(d.shape, gradient)),
            "no_gradient": (grid, np.full(d.shape, 0.5)),
        },
        {"density": density, "seed": range(3), "size": list(SIZES)},
    )
    training = np.array(stored)[..., None] * np.ones(3)
    axes = ("density", "attack", "seed")
    under = xr.Dataset(
        {"features_per_dimension": (axes, training), "superposed": (axes, 4 * training)},
        {"density": [0.3, 0.1], "attack": [0, 0.8, 1.2], "seed": range(3)},
    ).assign(W=(("feature",), np.zeros(20)))
    return xr.DataTree.from_dict({"models": ds, "training": under})


def test_judged_and_drawn_without_training():
    rise, track, gradient, less, gone = EXPERIMENT.findings(made())
    assert (rise.agrees, track.agrees, gradient.agrees) == (True, True, False)
    assert (less.agrees, gone.agrees) == (True, False)
    assert [case.value for case in rise.cases] == pytest.approx([11.16, 6.89] * 2, rel=0.01)
    assert rise.cases[0].where == "density 0.1, own mean norm"
    low, high = rise.cases[0].low, rise.cases[0].high
    assert low is not None
    assert high is not None
    assert low < 11 < high
    assert 0.9 < track.cases[0].value < track.cases[1].value < 1  # closer to a line
    assert track.cases[3].high == pytest.approx(5**0.2, rel=0.01)
    assert [case.value for case in gone.cases] == pytest.approx([0.8, 1.2])
    assert set(EXPERIMENT.figures(made())) == {"vulnerability", "adversarial-training"}


def test_other_models_are_judged_otherwise():
    tree = made(-1.0, 0.3, ((4.0, 1.0, 1.0), (4.0, 3.95, 2.0)))
    rise, track, gradient, less, gone = EXPERIMENT.findings(tree)
    assert (rise.agrees, track.agrees, gradient.agrees) == (False, False, True)
    assert track.cases[0].value < 0
    assert (less.agrees, gone.agrees) == (False, False)
    assert gone.cases[1].quantity == "not removed by"
    assert gone.cases[1].value == 1.2
    tree = made(stored=((4.0, 1.0, 1.0), (4.0, 1.0, 1.0)))
    assert EXPERIMENT.findings(tree)[-1].agrees

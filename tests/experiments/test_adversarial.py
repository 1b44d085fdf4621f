"""Vulnerability rises with superposition, and training under attack undoes both."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from jsuper.experiments.adversarial import EXPERIMENT, train
from jsuper.experiments.adversarial.findings import fisher_mean
from jsuper.plots.style import Figure


@pytest.mark.slow
def test_vulnerability_rises_with_superposition_and_attacks_remove_it():
    small = dataclasses.replace(
        EXPERIMENT.quick,
        **{"features": 20, "hidden_dimensions": 5, "densities": 3, "lowest_density": 0.05},
        **{"steps": 500, "attacks": (0, 1.4), "attacked_steps": 300},
    )
    models = EXPERIMENT.models(small)
    ds = models["models"].to_dataset()
    dense, sparse = ds.isel(density=0), ds.isel(density=-1)
    assert float(dense["features_per_dimension"].mean()) == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(dense["vulnerability"], 1, atol=0.3)
    assert (sparse["vulnerability"] > 2.5).all()
    # Gradient ascent is no weaker than the analytic attack, where there is a slope.
    assert (ds["gradient"] > 0.75).all()
    assert float(dense["no_gradient"].max()) == 0 < float(sparse["no_gradient"].min())
    stored = models["training"]["features_per_dimension"].isel(density=0)
    assert (stored.sel(attack=0) > stored.sel(attack=1.4) + 1).all()


def test_a_model_without_superposition_is_as_vulnerable_as_itself():
    density = np.array([1.0, 0.1])
    W, b = np.eye(6, 2), np.where(np.arange(6) < 2, 0, density[:, None] / 2)
    ds = xr.Dataset(
        {
            "W": (("density", "seed", "feature", "hidden"), np.stack([W, W])[:, None]),
            "b": (("density", "seed", "feature"), b[:, None]),
        },
        {"density": density},
    )
    found = train.attacked(ds, batch_size=64)
    assert found["vulnerability"].dims == ("density", "seed", "mean_norm")
    np.testing.assert_allclose(found["vulnerability"], 1, rtol=1e-3)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([4, 1.0, 0.5], 0.8),
        ([4, 3, 0.5], 1.2),
        ([4, 1.0, 2.0], None),
        ([1.0, 0.5, 0.5], 0),
    ],
)
def test_removal_is_the_first_attack_from_which_on_little_is_stored(values, expected):
    end = EXPERIMENT.findings(made(stored=(values, values)))[-1].cases
    removed = [] if expected is None else [expected] * 2
    assert [case.value for case in end] == pytest.approx([*removed, values[-1], values[-1]])


def made(exponent=1.5, gradient=1.0, stored=((4.0, 0.5, 0.4), (4.0, 2.0, 1.0))):
    """Models whose vulnerability is a power of what they store, without training."""
    density, scale = np.array([1, 0.3, 0.1]), np.array([0.9, 1.0, 1.1])
    d = np.array([1.0, 2.0, 5.0])[:, None] * scale
    grid = ("density", "seed")
    ds = xr.Dataset(
        {
            "features_per_dimension": (grid, d),
            "vulnerability": ((*grid, "mean_norm"), np.stack([d**exponent, d**1.2], -1)),
            "gradient": (grid, np.full(d.shape, gradient)),
            "no_gradient": (grid, np.full(d.shape, 0.5)),
        },
        {"density": density, "seed": range(3), "mean_norm": ["own", "dense"]},
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
    assert rise.cases[0].where == "mean norm own"
    low, high = rise.cases[0].low, rise.cases[0].high
    assert low is not None
    assert high is not None
    assert low < 11 < high
    assert 0.9 < track.cases[0].value < track.cases[1].value < 1  # closer to a line
    assert [case.value for case in less.cases] == pytest.approx([4, 0.5, 4, 2])
    assert [case.value for case in gone.cases] == pytest.approx([0.8, 1.2, 0.4, 1])
    drawn = EXPERIMENT.figures(made())
    assert set(drawn) == {"vulnerability", "adversarial-training"}
    figure = drawn["vulnerability"]
    assert isinstance(figure, Figure)
    lines = [panel.lines[0] for panel in figure.axes]
    x, y = (np.array([line.get_data()[i] for line in lines], object) for i in (0, 1))
    np.testing.assert_allclose(list(x[0]), [1, 1 / 0.3, 10])
    np.testing.assert_allclose(list(y[1]), [1, 2, 5])
    np.testing.assert_allclose(list(y[2]), np.array(list(x[2])) ** 1.5)


def test_other_models_are_judged_otherwise():
    tree = made(-1.0, 0.3, ((4.0, 1.0, 1.0), (4.0, 3.95, 2.0)))
    rise, track, gradient, less, gone = EXPERIMENT.findings(tree)
    assert (rise.agrees, track.agrees, gradient.agrees) == (False, False, True)
    assert track.cases[0].value < 0
    assert (less.agrees, gone.agrees) == (False, False)
    # At the second density no attack suffices.
    assert [case.value for case in gone.cases] == pytest.approx([0.8, 1, 2])
    tree = made(stored=((4.0, 1.0, 1.0), (4.0, 1.0, 1.0)))
    assert EXPERIMENT.findings(tree)[-1].agrees


def test_correlations_are_averaged_on_fishers_scale():
    assert fisher_mean(np.array([0.5, 0.5]), axis=-1) == pytest.approx(0.5)
    assert fisher_mean(np.array([0.0, 0.8]), axis=-1) == pytest.approx(0.5)

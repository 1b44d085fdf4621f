"""Polygons that training ends at, in a small version of the experiment."""

import numpy as np
import pytest
import xarray as xr

from jsuper.experiments import k_gons
from jsuper.experiments.k_gons import figures as k_gons_figures
from jsuper.experiments.k_gons import measures
from jsuper.theory.one_hot import k_gon


@pytest.fixture(scope="module")
def outcome():
    return k_gons.run(quick=True)


@pytest.mark.slow
def test_training_ends_at_closed_forms(outcome):
    for c in (5, 6):
        ds = outcome.datasets[f"random-starts-{c}"]
        assert (ds["name"].sel(scale=[0.1, 0.3]) != "other").mean() > 0.9
        lowest = min(k_gon(k).loss(c, plus) for k in (4, 5, c) for plus in range(c - k + 1))
        assert float(ds["exact_loss"].min()) == pytest.approx(lowest, abs=1e-4)
    names = outcome.datasets["random-starts-6"]["name"].sel(scale=0.1).values
    assert np.mean(names == "5+") > 0.4
    assert np.mean(names == "6") > 0.02


@pytest.mark.slow
def test_large_weights_leave_corners_silent(outcome):
    names = outcome.datasets["random-starts-6"]["name"]
    silent = xr.apply_ufunc(np.char.count, names, "−") > 0
    assert float(silent.sel(scale=1.0).mean()) > 0.3
    assert float(silent.sel(scale=0.1).mean()) < 0.1


@pytest.mark.slow
def test_polygons_keep_their_corners(outcome):
    for c in (5, 6):
        ds = outcome.datasets[f"polygon-starts-{c}"]
        kept = (ds["corners"] == ds["start"]).mean("seed")
        assert (kept.sel(start=slice(5, None)) > 0.9).all()


@pytest.mark.slow
def test_squares_are_left_for_pentagons(outcome):
    watched = outcome.datasets["watched"].stack(model=("scale", "seed"))
    runs = [
        list(measures.plateaus(watched.isel(model=i)))
        for i in range(watched.sizes["model"])
    ]
    left = [run for run in runs if any(name[0] == "4" for name in run[:-1])]
    assert len(left) > 0.05 * len(runs)
    assert sum(run[-1][0] in "56" for run in left) > 0.5 * len(left)


@pytest.mark.slow
def test_what_is_written(outcome):
    assert set(outcome.figures) == {"final-losses", "plateaus"}
    assert [finding.agrees for finding in outcome.findings][:3] == [True] * 3
    assert not outcome.findings[-1].agrees  # more polygons than stated, see k_gon


def named(W, b):
    ds = xr.Dataset({"W": (("feature", "hidden"), W), "b": ("feature", b)})
    return measures.identify(ds)


@pytest.mark.parametrize(
    ("k", "c", "positive", "name"),
    [(4, 6, 0, "4"), (4, 6, 2, "4++"), (5, 6, 1, "5+"), (6, 6, 0, "6"), (8, 8, 0, "8")],
)
def test_names_of_k_gons(k, c, positive, name):
    solution = k_gon(k)
    found = named(**solution.params(c, positive))
    assert found["name"].item() == name
    assert int(found["corners"]) == k
    assert int(found["positive"]) == positive
    loss = solution.loss(c, positive)
    assert float(found["exact_loss"]) == pytest.approx(loss, abs=1e-6)
    assert measures.level_of_name(c, name) == pytest.approx(loss, abs=1e-12)


def test_a_silent_corner_costs_as_much_as_a_dead_feature():
    params = k_gon(4).params(6, 2)
    params["b"][0] = -1.2
    found = named(**params)
    assert found["name"].item() == "4++−"
    assert float(found["exact_loss"]) == pytest.approx(2.75 / 18, abs=1e-6)
    assert named(params["W"], params["b"] - 0.05)["name"].item() == "other"


def test_plateaus():
    names = ["other", "4", "4", "4", "4", "5", "4", "5+", "5+", "5+", "5+"]
    run = xr.Dataset({"name": ("step", names)}, {"step": np.geomspace(10, 100, len(names))})
    assert measures.plateaus(run) == {"4": 2, "5+": 8}


def test_typeset():
    assert k_gons_figures.typeset("4++−") == "4$^{++-}$"
    assert k_gons_figures.typeset("6") == "6"
    assert k_gons_figures.typeset("other") == "other"

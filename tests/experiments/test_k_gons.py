"""Polygons that training ends at, in a small version of the experiment."""

import jax
import numpy as np
import pytest
import xarray as xr

from jsuper.experiments.k_gons import EXPERIMENT, measures, train
from jsuper.experiments.k_gons import figures as k_gons_figures
from jsuper.experiments.k_gons import findings as k_gons_findings
from jsuper.theory.one_hot import k_gon


@pytest.fixture(scope="module")
def models():
    return EXPERIMENT.models(EXPERIMENT.quick)


@pytest.mark.slow
def test_training_ends_at_closed_forms(models):
    for c, lowest in ((5, k_gon(5).loss(5)), (6, k_gon(6).loss(6))):
        ds = models[f"random-starts-{c}"].to_dataset()
        assert (ds["name"].sel(scale=[0.1, 0.3]) != "other").mean() > 0.9
        # No k-gon with dead features is lower.
        assert measures.lowest_level(c) == pytest.approx(lowest, abs=1e-9)
        assert float(ds["exact_loss"].min()) == pytest.approx(lowest, abs=1e-4)
    names = models["random-starts-6"]["name"].sel(scale=0.1).values
    assert np.mean(names == "5+") > 0.4
    assert np.mean(names == "6") > 0.02


@pytest.mark.slow
def test_large_weights_leave_corners_silent(models):
    names = models["random-starts-6"]["name"]
    silent = xr.apply_ufunc(np.char.count, names, "−") > 0
    assert float(silent.sel(scale=1.0).mean()) > 0.3
    assert float(silent.sel(scale=0.1).mean()) < 0.1


@pytest.mark.slow
def test_polygons_keep_their_corners(models):
    for c in (5, 6):
        ds = models[f"polygon-starts-{c}"].to_dataset()
        assert ds["start"].values.tolist() == list(range(4, c + 1))
        kept = (ds["corners"] == ds["start"]).mean("seed")
        assert (kept.sel(start=slice(5, None)) > 0.9).all()
        assert "start" in ds.attrs["made_by"]


@pytest.mark.slow
def test_squares_are_left_for_pentagons(models):
    rows = k_gons_findings.names_of_plateaus(models["watched"].to_dataset())
    runs = [run for row in rows for run in row]
    left = [run for run in runs if any(name[0] == "4" for name in run[:-1])]
    assert len(left) > 0.05 * len(runs)
    # No run ends with fewer corners than it had, and most with more.
    assert all(run[-1][0] >= run[0][0] for run in left)
    assert sum(run[-1][0] in "56" for run in left) > 0.5 * len(left)


@pytest.mark.slow
def test_what_is_found_and_drawn(models):
    found = EXPERIMENT.findings(models)
    assert [finding.agrees for finding in found][:3] == [True] * 3
    assert not found[-1].agrees  # more polygons than stated, see k_gon
    assert set(EXPERIMENT.figures(models)) == {"final-losses", "plateaus"}


def test_starts_are_polygons_with_noise():
    ds = train.noisy_polygons(6, seeds=200, noise=0.05, key=jax.random.key(0))
    assert dict(ds["W"].sizes) == {"start": 3, "seed": 200, "feature": 6, "hidden": 2}
    pentagon = ds.sel(start=5)
    ideal = k_gon(5).params(6)
    for name in ("W", "b"):
        off = pentagon[name] - ideal[name]
        assert float(off.std()) == pytest.approx(0.05, rel=0.1)
        np.testing.assert_allclose(off.mean("seed"), 0, atol=0.02)


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


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # A square again, but too shortly; and then for long: what comes last is the end.
        ("o 4 4 4 4 5 4 5+ 5+ 5+ 5+", [("4", 2), ("5+", 8)]),
        ("4 4 4 4 5 5 5 5 4 4 4 4", [("4", 1), ("5", 5), ("4", 9)]),
        # A short absence is no end.
        ("4 4 4 4 o 4 4 4 4 5 5 5 5", [("4", 1), ("5", 10)]),
        ("o o o o 4 5", []),
    ],
)
def test_plateaus(names, expected):
    names = ["other" if name == "o" else name for name in names.split()]
    steps = 10 ** (1 + 0.04 * np.arange(len(names)))
    run = xr.Dataset({"name": ("step", names)}, {"step": steps})
    assert measures.plateaus(run) == expected


def watched(*runs):
    """Models along training that stay near the solutions named, half a decade each."""
    length = max(map(len, runs))
    names = [np.repeat([*run, *[run[-1]] * (length - len(run))], 5) for run in runs]
    steps = np.geomspace(100, 10 ** (2 + length / 2), 5 * length).astype(int)
    params = {name: k_gon(5).params(6)[name] for name in ("W", "b")}
    loss = [[measures.level_of_name(6, name) for name in run] for run in names]
    grid = ("scale", "seed", "step")
    ds = xr.Dataset(
        {"name": (grid, [names]), "exact_loss": (grid, [loss])},
        {"scale": [0.1], "seed": range(len(runs)), "step": steps},
    )
    W = xr.DataArray(params["W"], dims=("feature", "hidden"))
    b = xr.DataArray(params["b"], dims="feature")
    return ds.assign(W=W.broadcast_like(ds["name"]), b=b.broadcast_like(ds["name"]))


def test_runs_are_judged_by_the_order_of_their_plateaus():
    ds = watched(["4++−", "4+", "5"], ["4", "5", "4"], ["5", "5+"], ["6"])
    passed = k_gons_findings.passed(ds)
    counts = {case.where: case.value for case in passed.cases[1:]}
    assert passed.cases[0].value == 0.5  # a run 4, 5, 4 leaves its square, too
    assert counts["ended at 4"] == 1
    assert counts["passed 4"] == 1
    assert counts["passed 5"] == 2
    assert passed.agrees
    rising = k_gons_findings.rising(ds)
    # Of three with several plateaus, the one that returns to its square loses a corner.
    assert [case.value for case in rising.cases] == [pytest.approx(2 / 3), 3]
    assert not rising.agrees
    assert k_gons_findings.rising(watched(["4", "5"], ["5", "6"])).agrees


def made():
    """Solutions in closed form in the place of trained models."""
    tree = {"watched": watched(["4++−", "4+", "5"], ["5", "6"])}
    for c in (5, 6):
        chosen = [(4, 1), (5, 0), (c, 0)] * 2
        params = [k_gon(k).params(c, plus) for k, plus in chosen]
        arrays = {name: np.stack([p[name] for p in params]) for name in ("W", "b")}
        ds = xr.Dataset(
            {
                "W": (("scale", "seed", "feature", "hidden"), arrays["W"][None]),
                "b": (("scale", "seed", "feature"), arrays["b"][None]),
            },
            {"scale": [0.1], "seed": range(6)},
        )
        tree[f"random-starts-{c}"] = measures.identify(ds)
        starts = measures.identify(train_starts(c))
        tree[f"polygon-starts-{c}"] = starts
    return xr.DataTree.from_dict(tree)


def train_starts(c):
    ideal = [k_gon(k).params(c) for k in range(4, c + 1)]
    arrays = {name: np.stack([p[name] for p in ideal])[:, None] for name in ("W", "b")}
    return xr.Dataset(
        {
            "W": (("start", "seed", "feature", "hidden"), arrays["W"].repeat(3, 1)),
            "b": (("start", "seed", "feature"), arrays["b"].repeat(3, 1)),
        },
        {"start": range(4, c + 1), "seed": range(3)},
    )


def test_judged_and_drawn_without_training():
    tree = made()
    found = EXPERIMENT.findings(tree)
    assert [finding.agrees for finding in found] == [True, True, True, True, True, False]
    ends, lowest, stable = found[:3]
    assert all((case.value, case.n) == (1, 6) for case in ends.cases)
    assert lowest.cases[0].quantity == "best, 5,"
    assert lowest.cases[1].value == pytest.approx(k_gon(6).loss(6), abs=1e-6)
    assert [case.where for case in stable.cases] == ["k = 5", "k = 6"]
    assert max(case.value for case in found[-1].cases) < 1e-9
    assert set(EXPERIMENT.figures(tree)) == {"final-losses", "plateaus"}
    tree["polygon-starts-6"]["corners"] -= 1
    assert not EXPERIMENT.findings(tree)[2].agrees


def test_typeset():
    assert k_gons_figures.typeset("4++−") == "4$^{++-}$"
    assert k_gons_figures.typeset("6") == "6"
    assert k_gons_figures.typeset("other") == "other"

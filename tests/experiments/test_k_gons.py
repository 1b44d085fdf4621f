"""Polygons: named, judged and drawn on made models, and trained in a small version."""

import dataclasses

import jax
import numpy as np
import pytest
import xarray as xr

from jsuper.experiments.k_gons import EXPERIMENT, measures, train
from jsuper.experiments.k_gons import findings as judged
from jsuper.experiments.k_gons.figures import typeset
from jsuper.plots.style import Figure
from jsuper.theory.one_hot import k_gon


@pytest.mark.slow
def test_training_ends_at_closed_forms_and_keeps_polygons():
    small = dataclasses.replace(
        EXPERIMENT.quick,
        **{"features": (5,), "scales": (0.3, 1.0), "seeds": 30, "polygon_seeds": 4},
        **{"polygon_steps": 300, "watched_seeds": 2},
        **{"watched_steps": 300, "snapshots": 6},
    )
    models = EXPERIMENT.models(small)
    ds = models["random-starts-5"].to_dataset()
    named = (ds["name"] != "other").mean("seed")
    assert float(named.sel(scale=0.3)) > 0.8
    assert float(ds["exact_loss"].min()) == pytest.approx(k_gon(5).loss(5), abs=1e-4)
    # Large weights leave corners silent, small ones do not.
    silent = xr.apply_ufunc(np.char.count, ds["name"], "−") > 0
    assert float(silent.sel(scale=1.0).mean()) > 0.2 + float(silent.sel(scale=0.3).mean())
    starts = models["polygon-starts-5"].to_dataset()
    assert starts["corners"].sel(start=5).values.tolist() == [5] * 4
    assert "start" in starts.attrs["made_by"]
    assert dict(models["watched"]["name"].sizes) == {"scale": 2, "seed": 2, "step": 6}


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
    assert measures.level(c, name) == pytest.approx(loss, abs=1e-12)


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
    ds = xr.Dataset({"name": ("step", names)}, {"step": steps})
    assert measures.plateaus(ds).item() == expected


def watched(*runs):
    """Models along training that stay near the solutions named, half a decade each."""
    length = max(map(len, runs))
    names = [np.repeat([*run, *[run[-1]] * (length - len(run))], 5) for run in runs]
    steps = np.geomspace(100, 10 ** (2 + length / 2), 5 * length).astype(int)
    params = {name: k_gon(5).params(6)[name] for name in ("W", "b")}
    loss = [[measures.level(6, name) for name in run] for run in names]
    grid = ("scale", "seed", "step")
    ds = xr.Dataset(
        {"name": (grid, [names]), "exact_loss": (grid, [loss])},
        {"scale": [0.1], "seed": range(len(runs)), "step": steps},
    )
    W = xr.DataArray(params["W"], dims=("feature", "hidden"))
    b = xr.DataArray(params["b"], dims="feature")
    return ds.assign(W=W.broadcast_like(ds["name"]), b=b.broadcast_like(ds["name"]))


def test_runs_are_judged_by_the_order_of_their_plateaus():
    def on_the_way(*named):
        return judged.on_the_way(measures.plateaus(watched(*named)))

    runs = ["4++−", "4+", "5"], ["4", "5", "4"], ["5", "5+"], ["6"]
    passed, rising = on_the_way(*runs)
    counts = {case.where: case.value for case in passed.cases[1:]}
    assert passed.cases[0].value == 0.5  # a run 4, 5, 4 leaves its square, too
    assert counts == {"passed 4++−": 1, "passed 4+": 1, "passed 4": 1, "passed 5": 2}
    assert passed.agrees
    # Of three with several plateaus, the one that returns to its square loses a corner.
    assert [case.value for case in rising.cases] == [pytest.approx(2 / 3), 3]
    assert not rising.agrees
    passed, rising = on_the_way(["4", "4+", "5"], ["5", "6"])
    assert (passed.agrees, rising.agrees) == (False, True)  # no corner is silent


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
        starts = train.noisy_polygons(c, seeds=3, noise=0.0, key=jax.random.key(0))
        tree[f"polygon-starts-{c}"] = measures.identify(starts)
    return xr.DataTree.from_dict(tree)


def test_judged_and_drawn_without_training():
    tree = made()
    found = EXPERIMENT.findings(tree)
    assert [finding.agrees for finding in found] == [True, True, True, True, True, False]
    ends, lowest, stable = found[:3]
    assert all((case.value, case.n) == (1, 6) for case in ends.cases)
    assert lowest.cases[0].quantity == "best, 5,"
    assert lowest.cases[2].value == pytest.approx(k_gon(6).loss(6), abs=1e-6)
    assert lowest.cases[3].value == pytest.approx(k_gon(6).loss(6), abs=1e-12)
    assert [case.where for case in stable.cases] == ["k 5", "k 6"]
    assert max(case.value for case in found[-1].cases) < 1e-9

    figures = EXPERIMENT.figures(tree)
    assert set(figures) == {"final-losses", "plateaus"}
    final, along = figures["final-losses"], figures["plateaus"]
    assert isinstance(final, Figure)
    assert isinstance(along, Figure)
    values = tree["random-starts-5"].to_dataset()["exact_loss"].values.ravel()
    drawn = np.asarray(final.axes[0].lines[0].get_ydata())
    np.testing.assert_allclose(np.sort(drawn), np.sort(values))
    top, *pictures = along.axes
    assert {text.get_text() for text in top.texts} == {"4$^{++-}$", "4$^{+}$", "5", "6"}
    assert len(pictures) == 4  # the first snapshot, two plateaus, the last snapshot

    for name in ("polygon-starts-6", "random-starts-6"):
        ds = tree[name].to_dataset()
        other = ds["name"].copy(data=np.full(ds["name"].shape, "other"))
        worse = {"corners": ds["corners"] - 1, "exact_loss": ds["exact_loss"] - 0.01}
        tree[name] = xr.DataTree(ds.assign({**worse, "name": other}))
    assert [finding.agrees for finding in EXPERIMENT.findings(tree)[:3]] == [False] * 3


def test_typeset():
    names, said = ("4++−", "6", "5+++"), ["4$^{++-}$", "6", "5$^{3+}$"]
    assert [typeset(name) for name in names] == said

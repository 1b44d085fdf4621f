"""Uniform superposition: measures, judged and drawn on made models, and trained."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.uniform import EXPERIMENT, measures
from jsuper.experiments.uniform.train import log_spaced
from jsuper.plots.graphs import feature_graphs
from jsuper.polytopes import feature_polytopes, ideal, tegum_product


def dataset(inverse_density, D):
    """Only what `stay` reads, of one seed for each row of D."""
    return xr.Dataset(
        {"features_per_dimension": (("seed", "density"), 1 / np.atleast_2d(D))},
        {"density": 1 / np.asarray(inverse_density)},
    )


def test_stay_on_a_power_law():
    """D* = 1 / x**a crosses a band of ±5% in a length of 2 ln(1.05) / a, at any height."""
    x, heights = np.geomspace(1, 20, 200), np.array([0.5, 0.3])
    ds = dataset(x, [x**-0.5, 1 / x])
    found = measures.stay(ds, heights).transpose("seed", "height")
    for a, one in zip((0.5, 1.0), found.transpose("seed", ...).length, strict=True):
        np.testing.assert_allclose(one, 2 * np.log(1.05) / a, rtol=0.02)
        middle = heights ** (-1 / a)
        ends = found.isel(seed=int(a))
        assert ((ends["first"] < middle) & (middle < ends["last"])).all()
        np.testing.assert_allclose(ends["first"] * ends["last"], middle**2, rtol=0.02)


def test_stay_on_a_plateau():
    x = np.array([1, 2, 4, 8])
    found = measures.stay(dataset(x, [[1, 0.5, 0.5, 0.25], [1, 0.9, 0.8, 0.7]]), 0.5)
    # From 2 to 4, and ln(1.05) / 1 on both sides, where D* halves as x doubles.
    expected = [np.log(2) + 2 * np.log(1.05), 0]
    np.testing.assert_allclose(found["length"], expected, rtol=0.01)
    np.testing.assert_allclose(found["first"], [2 / 1.05, np.nan], rtol=0.01)
    np.testing.assert_allclose(found["last"], [4 * 1.05, np.nan], rtol=0.01)


def test_log_spaced():
    found = log_spaced(1, 1 / 4, 1 / 100, counts=(2, 1))
    np.testing.assert_allclose(found, [1, 1 / 2, 1 / 4, 1 / 100])


def test_off_balance():
    """A feature of norm 0.3 on the digon's line takes 0.09 / 2.09 of its dimension."""
    W = tegum_product(ideal("pentagon"), ideal("digon"), [[0.3]])
    disturbed = W.copy()
    disturbed[-1] = 0.3 * W[5]
    ds = xr.Dataset({"W": (("seed", "feature", "hidden"), [W, disturbed, 0 * W])})
    expected = [0, 0.09 / 2.09 / 2, np.nan]  # the mean over digon and pentagon
    np.testing.assert_allclose(measures.off_balance(ds), expected, atol=1e-6)


def test_feature_graph_has_an_edge_for_every_interfering_pair():
    W = tegum_product(ideal("pentagon"), ideal("digon"), ideal("dedicated"), [[0.01]])
    figure = feature_graphs(xr.Dataset({"W": (("feature", "hidden"), W)}))
    (panel,) = figure.axes
    assert [len(c.get_segments()) for c in panel.collections] == [10, 1, 0]
    assert [len(line.get_xdata()) for line in panel.lines] == [5, 2, 1]
    assert panel.get_title() == "8 of 9 features"
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["dedicated", "digon", "pentagon"]


def test_feature_graph_of_features_that_are_not_represented():
    ds = xr.Dataset({"W": (("density", "feature", "hidden"), np.zeros((2, 3, 2)))})
    figure = feature_graphs(ds.assign_coords(density=[1.0, 0.5]))
    assert [panel.get_title()[-13:] for panel in figure.axes] == ["of 3 features"] * 2


MADE = {
    1.0: {"dedicated": 10},
    1.3: {"dedicated": 10},
    1.9: {"tetrahedron": 2, "triangle": 2},
    2.4: {"digon": 10},
    3.2: {"digon": 10},
    5.0: {"pentagon": 5},
    8.0: {"square antiprism": 3, "dedicated": 1},
}
"""By 1 / density, the blocks of models in ten dimensions."""


def made(blocks=MADE, n=60, m=10, scale=1.0):
    """Models of two seeds with these blocks; features of a block of one come last."""
    W = np.zeros((len(blocks), 2, n, m))
    for models, numbers in zip(W, blocks.values(), strict=True):
        parts = [ideal(name) for name, times in numbers.items() for _ in range(times)]
        block = tegum_product(*parts)
        models[:, : len(block), : block.shape[1]] = scale * block
    ds = xr.Dataset(
        {"W": (("density", "seed", "feature", "hidden"), W)},
        {"density": 1 / np.array(list(blocks)), "seed": [0, 1]},
    )
    return named(ds.assign(loss=ds["W"].sum(("feature", "hidden"))))


def named(ds):
    polytopes, off = feature_polytopes(ds), measures.off_balance(ds)
    return js.measure(ds).assign(polytope=polytopes, off_balance=off)


def judged(large, small):
    tree = xr.DataTree.from_dict({"large": large, "small": small})
    return EXPERIMENT.findings(tree), tree


def no(found):
    """Numbers of the findings that differ."""
    return {i for i, finding in enumerate(found) if not finding.agrees}


def test_judged_and_drawn_without_training():
    found, tree = judged(made(), made(n=80))
    assert no(found) == set()
    one, half, _, kinds, lines, _ = (
        {case.quantity: case.value for case in finding.cases[::-1]} for finding in found
    )
    # ln 1.3 and ln(3.2 / 2.4), and what is within 5% on both sides.
    assert 0.26 < one["plateau length"] < 0.4
    assert 0.29 < half["plateau length"] < 0.5
    assert half["from 1/density"] < 2.4 < 3.2 < half["to"]
    np.testing.assert_allclose([case.value for case in found[2].cases], 0, atol=1e-6)
    assert set(kinds.values()) == {1.0}
    assert lines["90th percentile"] == pytest.approx(0, abs=1e-3)
    assert {case.n for finding in found for case in finding.cases} == {2}

    drawn = EXPERIMENT.figures(tree)
    top, bottom = drawn["plateaus"].axes
    heights = [c.lines[0].get_ydata() for c in top.containers]
    D = measures.dimensions_per_feature(tree["large"].to_dataset()).mean("seed")
    np.testing.assert_allclose(heights[0], D)
    plotted = np.concatenate([line.get_ydata() for line in bottom.lines[:7]])
    # Each feature of both seeds, at the fraction of its polytope.
    ends, counts = np.unique(plotted[np.isfinite(plotted)].round(3), return_counts=True)
    np.testing.assert_allclose(ends, [3 / 8, 2 / 5, 1 / 2, 2 / 3, 3 / 4, 1], atol=1e-3)
    assert counts.tolist() == [48, 50, 80, 12, 16, 42]
    (bars,) = drawn["shares"].axes
    stacks = np.array([[bar.get_height() for bar in c] for c in bars.containers])
    np.testing.assert_allclose(stacks.sum(0), 1)


def test_each_verdict_can_be_no():
    large, small = made(), made(n=80)
    # D* falls through 1 and 1/2 as fast as through other heights.
    falls = 1 / large["density"] * xr.ones_like(large["features_per_dimension"])
    steep = [part.assign(features_per_dimension=falls) for part in (large, small)]
    assert no(judged(*steep)[0]) == {0, 1}
    wider = small.assign(features_per_dimension=1.2 * small["features_per_dimension"])
    assert no(judged(large, wider)[0]) == {2}
    flat = MADE | {1.9: {"triangle": 5}}
    assert no(judged(made(flat), made(flat, n=80))[0]) == {3}
    unlike = large["polytope"].where(large["polytope"] != "digon", "unknown")
    assert no(judged(large.assign(polytope=unlike), small)[0]) == {4}
    leaking = large.assign(off_balance=0 * large["off_balance"] + 0.2)
    assert no(judged(leaking, small)[0]) == {5}


@pytest.mark.slow
def test_trained_models():
    densities = tuple(1 / x for x in (1, 1.15, 1.3, 1.6, 2.4, 2.8, 3.2, 5.0))
    settings = dataclasses.replace(
        EXPERIMENT.quick, large_model=(60, 8), densities=densities, steps=1_000
    )
    models = EXPERIMENT.models(settings)
    ds = models["large"].to_dataset()
    D = measures.dimensions_per_feature(ds)
    assert float(abs(D[:2] - 1).max()) < 0.05
    plateau = ds.isel(density=slice(5, 7))
    assert float(abs(D[5:7] - 0.5).max()) < 0.02
    assert set(np.unique(plateau["polytope"])) == {"digon", "not represented"}
    digons = plateau["dimensionality"].where(plateau["polytope"] == "digon")
    assert float(abs(digons - 0.5).max()) < 0.02
    # All hidden dimensions are in use.
    np.testing.assert_allclose(ds["dimensionality"].sum("feature"), 8, rtol=0.02)
    half = EXPERIMENT.findings(models)[1]
    assert half.agrees
    assert half.cases[0].value > 0.25

"""Uniform superposition: plateaus, polytopes, and the measures behind the findings."""

import numpy as np
import pytest
import xarray as xr

from jsuper.experiments import uniform
from jsuper.plots.graphs import feature_graphs
from jsuper.polytopes import ideal, tegum_product


def dataset(inverse_density, D):
    """Only what `stay` reads."""
    return xr.Dataset(
        {"features_per_dimension": (("density", "seed"), 1 / np.asarray(D)[:, None])},
        {"density": 1 / np.asarray(inverse_density)},
    )


def test_stay_on_a_power_law():
    """D* = 1 / x**a crosses a band of ±5% in a length of 2 ln(1.05) / a, at any height."""
    x = np.geomspace(1, 20, 200)
    for a in (0.5, 1.0):
        for height in (0.5, 0.3):
            length, first, last = uniform.stay(dataset(x, x**-a), height)
            assert length == pytest.approx(2 * np.log(1.05) / a, rel=0.02)
            middle = height ** (-1 / a)
            assert first < middle < last
            np.testing.assert_allclose(first * last, middle**2, rtol=0.02)


def test_stay_on_a_plateau():
    x = np.array([1, 2, 4, 8])
    length, first, last = uniform.stay(dataset(x, [1, 0.5, 0.5, 0.25]), 0.5)
    # From 2 to 4, and ln(1.05) / 1 on both sides, where D* halves as x doubles.
    assert length == pytest.approx(np.log(2) + 2 * np.log(1.05), rel=0.01)
    np.testing.assert_allclose([first, last], [2 / 1.05, 4 * 1.05], rtol=0.01)
    assert uniform.stay(dataset(x, [1, 0.9, 0.8, 0.7]), 0.2)[0] == 0


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
    assert len(figure.axes) == 2
    figure.draw_without_rendering()


@pytest.fixture(scope="module")
def outcome():
    return uniform.run(quick=True)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["large", "small"])
def test_plateaus(outcome, size):
    ds = outcome.datasets[size]
    D = uniform.dimensions_per_feature(ds).mean("seed")
    inverse = 1 / ds["density"]
    # Two densities on each plateau, and none between: D* falls by half from 1.3 to 2.3.
    assert np.abs(D[inverse < 1.1] - 1).max() < 0.05
    assert np.abs(D[(inverse > 2.3) & (inverse < 3.3)] - 0.5).max() < 0.03
    elsewhere = uniform.stay_elsewhere(ds)
    for height in (0.5, 1.0):
        assert uniform.stay(ds, height)[0] > 1.5 * elsewhere


@pytest.mark.slow
@pytest.mark.parametrize("size", ["large", "small"])
def test_polytopes_by_density(outcome, size):
    ds = outcome.datasets[size]
    named = ds["polytope"].where(ds["polytope"] != "not represented")
    inverse = 1 / ds["density"]
    plateau = named.isel(density=np.flatnonzero((inverse > 2.3) & (inverse < 3.3)))
    assert set(plateau.values.ravel()) - {np.nan} <= {"digon"} | {np.nan, "nan"}
    D = ds["dimensionality"].where(named == "digon").sel(density=plateau["density"])
    assert np.abs(D - 0.5).max() < 0.02
    # All hidden dimensions are in use wherever features are not spread out.
    np.testing.assert_allclose(
        ds["dimensionality"].sum("feature"), ds.sizes["hidden"], rtol=0.02
    )
    assert set(np.unique(ds["polytope"])) >= {"digon", "pentagon"}


@pytest.mark.slow
def test_findings(outcome):
    agrees = [finding.agrees for finding in outcome.findings]
    assert len(agrees) == 6
    # Few features make few tetrahedra: which polytopes occur is for the full run.
    assert all(agrees[:3] + agrees[4:])
    assert set(outcome.figures) == {"plateaus", "shares", "graphs"}
    for figure in outcome.figures.values():
        figure.draw_without_rendering()

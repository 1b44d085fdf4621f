"""Uniform superposition: measures, judged and drawn on made models, and trained."""

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.uniform import EXPERIMENT, measures
from jsuper.plots.graphs import feature_graphs
from jsuper.plots.style import Figure
from jsuper.polytopes import feature_polytopes, ideal, tegum_product


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
            length, first, last = measures.stay(dataset(x, x**-a), height)
            assert length == pytest.approx(2 * np.log(1.05) / a, rel=0.02)
            middle = height ** (-1 / a)
            assert first < middle < last
            np.testing.assert_allclose(first * last, middle**2, rtol=0.02)


def test_stay_on_a_plateau():
    x = np.array([1, 2, 4, 8])
    length, first, last = measures.stay(dataset(x, [1, 0.5, 0.5, 0.25]), 0.5)
    # From 2 to 4, and ln(1.05) / 1 on both sides, where D* halves as x doubles.
    assert length == pytest.approx(np.log(2) + 2 * np.log(1.05), rel=0.01)
    np.testing.assert_allclose([first, last], [2 / 1.05, 4 * 1.05], rtol=0.01)
    assert measures.stay(dataset(x, [1, 0.9, 0.8, 0.7]), 0.2)[0] == 0


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
    """Models of one seed with these blocks."""
    W = np.zeros((len(blocks), 1, n, m))
    for model, numbers in zip(W[:, 0], blocks.values(), strict=True):
        parts = [ideal(name) for name, times in numbers.items() for _ in range(times)]
        block = tegum_product(*parts)
        model[: len(block), : block.shape[1]] = scale * block
    ds = xr.Dataset(
        {"W": (("density", "seed", "feature", "hidden"), W)},
        {"density": 1 / np.array(list(blocks)), "seed": [0]},
    )
    ds = js.measure(ds.assign(loss=ds["W"].sum(("feature", "hidden"))))
    return ds.assign(polytope=feature_polytopes(ds))


def tree(large, small):
    blocks = measures.polytope_blocks(large)
    return xr.DataTree.from_dict({"large": large, "small": small, "blocks": blocks})


def test_judged_and_drawn_without_training(tmp_path):
    models = tree(made(), made(n=80))
    path = js.save(models, tmp_path / "models.nc")
    for read in (models, js.load(path)):
        found = EXPERIMENT.findings(read)
        assert all(finding.agrees for finding in found)
        one, half, sizes, polytopes, lines, factors = (
            {case.quantity: case.value for case in finding.cases} for finding in found
        )
        # ln 1.3 and ln(3.2 / 2.4), and what is within 5% on both sides.
        assert 0.26 < one["plateau length"] < 0.4
        assert 0.29 < half["plateau length"] < 0.5
        assert sizes["D* differs at most by"] == pytest.approx(0, abs=1e-6)
        # In both sizes; square antiprisms have eight vertices.
        numbers = {"tetrahedron": 16, "triangle": 12, "digon": 80, "pentagon": 50}
        assert polytopes == numbers | {"square antiprism": 48}
        assert lines["90th percentile"] == pytest.approx(0, abs=1e-3)
        assert factors["number"] == 10 + 10 + 4 + 10 + 10 + 5 + 4
        assert {case.n for case in found[0].cases} == {1}
        assert set(EXPERIMENT.figures(read)) == {"plateaus", "shares", "graphs"}


def test_findings_that_differ():
    # No tetrahedra, sizes that disagree, and features in no polytope.
    blocks = MADE | {1.9: {"triangle": 5}}
    large = made(blocks)
    W = large["W"].copy()
    middle = (1 / W["density"] > 1.5) & (1 / W["density"] < 4)
    rng = np.random.default_rng(0)
    W[middle.values, :, 30:] = rng.normal(0, 0.3, W[middle.values, :, 30:].shape)
    large = js.measure(large.assign(W=W))
    large = large.assign(polytope=feature_polytopes(large))
    found = EXPERIMENT.findings(tree(large, made(blocks, scale=1.2)))
    assert [finding.agrees for finding in found[2:5]] == [False, False, False]
    assert not found[1].agrees
    cases = {(case.where, case.quantity): case.value for case in found[3].cases}
    assert cases["features in each", "tetrahedron"] == 0
    assert cases["most frequent block of no known shape", "features"] > 3


def test_blocks_of_all_models():
    W = tegum_product(ideal("pentagon"), ideal("digon"), ideal("dedicated"))
    ds = xr.Dataset(
        {"W": (("seed", "density", "feature", "hidden"), np.stack([[W, W], [W, 0 * W]]))},
        {"density": [0.5, 0.1], "seed": [3, 4]},
    )
    blocks = measures.polytope_blocks(ds)
    assert blocks["density"].values.tolist() == [0.5] * 6 + [0.1] * 3
    assert blocks["seed"].values.tolist() == [3] * 3 + [4] * 3 + [3] * 3
    assert blocks["polytope"].values[:3].tolist() == ["pentagon", "digon", "dedicated"]
    assert blocks["n_features"].values[:3].tolist() == [5, 2, 1]
    np.testing.assert_allclose(measures.off_balance(blocks), 0, atol=1e-6)
    assert not measures.unnamed_blocks(blocks)


@pytest.fixture(scope="module")
def models():
    return EXPERIMENT.models(EXPERIMENT.quick)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["large", "small"])
def test_plateaus(models, size):
    ds = models[size].to_dataset()
    D = measures.dimensions_per_feature(ds).mean("seed")
    inverse = 1 / ds["density"]
    # Two densities on each plateau, and none between: D* falls by half from 1.3 to 2.3.
    assert np.abs(D[inverse < 1.1] - 1).max() < 0.05
    assert np.abs(D[(inverse > 2.3) & (inverse < 3.3)] - 0.5).max() < 0.03
    elsewhere = measures.stay_elsewhere(ds)
    for height in (0.5, 1.0):
        assert measures.stay(ds, height)[0] > 1.5 * elsewhere


@pytest.mark.slow
@pytest.mark.parametrize("size", ["large", "small"])
def test_polytopes_by_density(models, size):
    ds = models[size].to_dataset()
    inverse = 1 / ds["density"]
    plateau = ds.isel(density=np.flatnonzero((inverse > 2.3) & (inverse < 3.3)))
    assert set(np.unique(plateau["polytope"])) == {"digon", "not represented"}
    D = plateau["dimensionality"].where(plateau["polytope"] == "digon")
    assert np.abs(D - 0.5).max() < 0.02
    # All hidden dimensions are in use wherever features are not spread out.
    np.testing.assert_allclose(
        ds["dimensionality"].sum("feature"), ds.sizes["hidden"], rtol=0.02
    )
    assert set(np.unique(ds["polytope"])) >= {"digon", "pentagon"}


@pytest.mark.slow
def test_findings_of_trained_models(models):
    found = EXPERIMENT.findings(models)
    agrees = [finding.agrees for finding in found]
    assert len(agrees) == 6
    # Few features make few tetrahedra: which polytopes occur is for the full run.
    assert all(agrees[:3] + agrees[4:])
    assert found[1].cases[0].value > 0.35
    assert found[4].cases[0].value > 0.9
    drawn = EXPERIMENT.figures(models)
    assert set(drawn) == {"plateaus", "shares", "graphs"}
    for figure in drawn.values():
        assert isinstance(figure, Figure)
        figure.draw_without_rendering()

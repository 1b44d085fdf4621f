"""Correlated features: geometries by hand, PCA against closed forms, trained models."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import ortho_group

import jsuper as js
from jsuper.experiments.correlated import EXPERIMENT, measures, train


def polar(*degrees, norm=1.0):
    angles = np.radians(degrees)
    return norm * np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def weights(models):
    return xr.Dataset({"W": (("seed", "feature", "hidden"), models)})


@pytest.mark.parametrize(
    ("W", "name"),
    [
        (polar(0, 90, 180, 270), "antipodal across"),
        (polar(0, 90, 270, 180), "antipodal across"),
        (polar(0, 180, 90, 270), "antipodal within"),
        (polar(0, 0, 90, 180), "collapsed"),
        (polar(0, 10, 180, 190), "collapsed"),
        (polar(0, 60, 180, 240), "other"),
        (polar(0, 90, 180, 270, norm=0.4), "other"),
    ],
)
def test_arrangements_of_two_pairs(W, name):
    turn = ortho_group.rvs(2, random_state=np.random.default_rng(0))
    # Neither sets have an order nor the features of a pair.
    models = np.stack([W, W @ turn, W[[2, 3, 0, 1]], W[[1, 0, 2, 3]]])
    assert measures.arranged(weights(models))["arrangement"].values.tolist() == [name] * 4


def test_hexagons_and_collapsed_pairs():
    hexagon = polar(0, 60, 120, 180, 240, 300)
    swapped, shuffled = hexagon[[1, 0, 3, 2, 4, 5]], hexagon[[0, 2, 1, 3, 4, 5]]
    collapsed, gap = polar(0, 1, 120, 180, 240, 300), polar(0, 30, 60, 90, 120, 240)
    absent = hexagon * np.array([1, 1, 1, 1, 1, 0])[:, None]
    two = polar(0, 1, 120, 180, 200, 199)
    models = np.stack([hexagon, swapped, shuffled, collapsed, gap, absent, two])
    found = measures.shapes(weights(models))
    assert found["hexagon"].values.tolist() == [True] * 3 + [False] * 4
    assert found["beside"].values[:3].tolist() == [True, True, False]
    assert found["collapsed"].values.tolist() == [0, 0, 0, 1, 0, 0, 2]


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_pca_loss_of_correlated_pairs_is_the_closed_form(p):
    # The covariance has three eigenvalues d + c (sums of pairs) and three d - c.
    d, c = p / 3 - p**2 / 4, p / 4 - p**2 / 4
    expected = ((d + c) + 3 * (d - c)) / 6
    assert measures.pca_loss(js.CorrelatedFeatures(3, 2, p), 2) == pytest.approx(expected)


def test_pca_loss_is_that_of_the_best_linear_model():
    # A linear model (threshold -inf) with principal directions and the exact bias.
    features = js.CorrelatedFeatures(3, 2, 0.4)
    mean = np.asarray(features.mean())
    moment = np.asarray(features.second_moment())
    _, vectors = np.linalg.eigh(moment - np.outer(mean, mean))
    P = vectors[:, -2:] @ vectors[:, -2:].T
    error = np.eye(6) - P
    # E |x - P x - b|² with b = (1 - P) mean, from the exact moments.
    b = error @ mean
    loss = np.trace(error @ moment @ error.T) - 2 * b @ error @ mean + b @ b
    assert measures.pca_loss(features, 2) == pytest.approx(loss / 6, rel=1e-5)


def test_block_sizes():
    rng = np.random.default_rng(1)
    bases = np.concatenate([ortho_group.rvs(10, random_state=rng) for _ in range(2)])
    random = rng.normal(size=(20, 10)) / np.sqrt(10)
    ds = measures.block_sizes(weights(np.stack([bases, random])))
    np.testing.assert_allclose(ds["within"][0], 0, atol=1e-12)
    # Rows of an orthogonal matrix: squares add up to 1.
    np.testing.assert_allclose(ds["across"][0], np.sqrt(1 / 10))
    np.testing.assert_allclose(ds["diagonal"][0], 0, atol=1e-12)
    assert float(ds["within"][1]) > 0.2


HEXAGON = polar(0, 60, 120, 180, 240, 300)
ONE = np.concatenate([polar(0, 60, 216, 288), polar(138, 138, norm=np.sqrt(0.5))])
TWO = np.concatenate([polar(0, 90), polar(210, 210, 240, 240, norm=np.sqrt(0.5))])
THREE = polar(0, 0, 120, 120, 240, 240, norm=np.sqrt(0.5))


def made(densities, best, other, losses=(0.1, 0.2)):
    """Two seeds at each density, a model each, with these losses."""
    W = np.stack([np.stack([a, b]) for a, b in zip(best, other, strict=True)])
    loss = np.tile(losses, (len(densities), 1))
    ds = xr.Dataset(
        {"W": (("density", "seed", "feature", "hidden"), W)},
        {"density": list(densities), "seed": [0, 1]},
    )
    norm = np.sqrt((ds["W"] ** 2).sum("hidden"))
    return ds.assign(loss=(("density", "seed"), loss), norm=norm)


def made_models(losses=(0.1, 0.2)):
    """Models as the paper states them, the others the seeds of higher loss."""
    across, within = polar(0, 90, 180, 270), polar(0, 180, 90, 270)
    of_pairs, of_triples = [0.1, 0.05], [0.02, 0.1, 0.17, 0.4, 0.7]
    stated = [HEXAGON, ONE, TWO, THREE, THREE]
    triples = made(of_triples, stated, [ONE, TWO, THREE, TWO, TWO], losses)
    relative = triples["loss"] / 0.1 * [[0.2], [0.3], [0.5], [0.8], [0.98]]
    eye = np.concatenate([np.eye(10), np.eye(10)[::-1]])
    rough = eye + 0.3
    pentagon = np.concatenate([polar(*range(0, 360, 72)), np.zeros((1, 2))])
    antipodal = np.concatenate([np.eye(10), -np.eye(10)])
    exclusive = made(of_pairs, [within] * 2, [across] * 2, losses)
    small = exclusive["loss"] * [1e-9 if losses[0] < losses[1] else 1, 1]
    return xr.DataTree.from_dict(
        {
            "pairs": measures.arranged(made(of_pairs, [across] * 2, [within] * 2, losses)),
            "anticorrelated": measures.arranged(exclusive.assign(loss=small)),
            "independent_4": measures.arranged(made(of_pairs, [within] * 2, [across] * 2)),
            "three_pairs": measures.shapes(triples).assign(relative=relative),
            "independent_6": measures.shapes(
                made(of_triples[:1], [pentagon], [HEXAGON], losses)
            ),
            "bases": measures.block_sizes(
                made([0.2, 0.05], [eye] * 2, [rough] * 2, losses)
            ),
            "independent_20": made([0.2, 0.05], [antipodal] * 2, [antipodal] * 2),
        }
    )


def test_verdicts_and_numbers():
    found = EXPERIMENT.findings(made_models())
    assert [f.stated for f in found if not f.agrees] == []
    assert (found[0].cases[0].value, found[0].cases[0].unit) == (2, "of 2 densities")
    shares = [c for c in found[0].cases if c.quantity == "seeds that are so"]
    assert [(c.where, c.value, c.n) for c in shares] == [
        ("density 0.05", 0.5, 2),
        ("density 0.1", 0.5, 2),
    ]
    # One pair collapsed, at twice the loss of the hexagon.
    excess = next(c for c in found[4].cases if c.quantity.startswith("excess"))
    assert (excess.value, excess.unit) == (pytest.approx(1), "%")
    assert found[-1].cases[0].value == pytest.approx(np.sqrt(0.5))


def test_the_other_seeds_are_not_as_stated():
    found = EXPERIMENT.findings(made_models(losses=(0.2, 0.1)))
    assert not any(finding.agrees for finding in found[:11])


def test_the_last_verdicts_rest_on_loss_and_norm():
    models = made_models()
    three = models["three_pairs"]
    three["relative"] = three["relative"] * [[1], [1], [1], [1], [0.8]]
    assert not EXPERIMENT.findings(models)[-2].agrees
    three["norm"] = three["norm"] * 1.1
    assert not EXPERIMENT.findings(models)[-1].agrees


def test_figures_show_the_models():
    drawn = EXPERIMENT.figures(made_models())
    assert set(drawn) == {"geometries", "shares", "blocks", "collapse"}
    bars, *_ = drawn["shares"].axes
    heights = [[bar.get_height() for bar in part] for part in bars.containers]
    assert heights == [[0.5, 0.5], [0.5, 0.5], [0, 0], [0, 0]]
    first, _, curve, _ = drawn["blocks"].axes
    np.testing.assert_allclose(np.diag(first.images[0].get_array()), 1)
    across, within = curve.lines
    assert (across.get_label(), within.get_label()) == ("across sets", "within a set")
    assert (np.asarray(within.get_ydata()) < across.get_ydata()).all()
    right = drawn["collapse"].axes[-1]
    (best,) = (line for line in right.lines if line.get_label() == "lowest loss")
    np.testing.assert_allclose(best.get_ydata(), [0.2, 0.3, 0.5, 0.8, 0.98])


def test_what_is_trained_can_be_judged_and_drawn(monkeypatch):
    def fit(name, densities, seeds, settings, n_hidden=2):
        n = train.FEATURES[name](0.1).n_features
        sizes = {"density": len(densities), "seed": seeds, "feature": n, "hidden": n_hidden}
        rng = np.random.default_rng(0)
        loss = (("density", "seed"), rng.uniform(size=(len(densities), seeds)))
        W = xr.DataArray(rng.normal(size=tuple(sizes.values())), dims=tuple(sizes))
        norm = np.sqrt((W**2).sum("hidden"))
        data = {"W": W, "loss": loss, "norm": norm}
        return xr.Dataset(data, {"density": list(densities)})

    monkeypatch.setattr(train, "fit", fit)
    models = EXPERIMENT.models(EXPERIMENT.quick)
    assert len(EXPERIMENT.findings(models)) == 13
    assert len(EXPERIMENT.figures(models)) == 4
    three = models["three_pairs"].to_dataset().sel(density=0.4)
    bound = measures.pca_loss(js.CorrelatedFeatures(3, 2, 0.4), 2)
    np.testing.assert_allclose(three["relative"] * bound, three["loss"])


@pytest.mark.slow
def test_anticorrelated_pairs_lose_nothing_only_if_paired_within():
    ds = train.fit("anticorrelated", [0.1], 8, EXPERIMENT.quick)
    ds = measures.arranged(ds).isel(density=0)
    best = js.best_seed(ds)
    assert best["arrangement"] == "antipodal within"
    # Opposite features of a pair are never active together; those of two pairs are.
    assert best["loss"] < 1e-8
    across = ds["loss"].where(ds["arrangement"] == "antipodal across")
    assert across.min() > 1e-5

"""The perturbed pentagon: angles and crossings by hand, losses against closed forms."""

import itertools

import numpy as np
import pytest
import scipy.stats
import xarray as xr

import jsuper as js
from jsuper.experiments.non_uniform import EXPERIMENT, measures, train
from jsuper.polytopes import ideal

DIGONS = np.concatenate([np.zeros((1, 2)), ideal("square")])


def pair_loss(p):
    """Sum over two antipodal features of equal importance and density p."""
    return p**2 / 3


def drop_loss(p):
    """A feature that is not represented, its output the mean p / 2."""
    return p / 3 - p**2 / 4


def squeezed_pentagon(degrees=8.0, right=None):
    """The neighbours of feature 0 that much closer to it, by default not quite alike."""
    right = degrees / 2 if right is None else right
    angles = np.radians([0, 72 - degrees, 144, 216, 288 + right])
    return 1.1 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)


@pytest.mark.parametrize(
    ("W", "name"),
    [
        (1.1 * ideal("pentagon"), "pentagon"),
        (squeezed_pentagon(), "pentagon"),
        (DIGONS, "two digons"),
        (DIGONS[[1, 0, 2, 3, 4]], "another dropped"),
        (np.abs(ideal("pentagon")) + 0.3, "other"),
        (np.zeros((5, 2)), "other"),
    ],
)
def test_geometries(W, name):
    both = np.stack([W, 1.1 * ideal("pentagon")])
    ds = js.measure(xr.Dataset({"W": (("seed", "feature", "hidden"), both)}))
    assert measures.with_geometry(ds)["geometry"].values.tolist() == [name, "pentagon"]


def test_gaps():
    np.testing.assert_allclose(measures.gaps(ideal("pentagon")), 72)
    np.testing.assert_allclose(
        measures.gaps(squeezed_pentagon()), [64, 80, 72, 76, 68], atol=1e-9
    )


def test_crossing():
    ratios = np.geomspace(0.1, 1, 30)
    difference = 0.3 * np.log(0.27 / ratios)
    assert measures.crossing(difference, ratios) == pytest.approx(0.27)
    difference[:5] = np.nan
    assert measures.crossing(difference, ratios) == pytest.approx(0.27)
    assert np.isnan(measures.crossing(np.ones(30), ratios))
    assert np.isnan(measures.crossing(np.full(30, np.nan), ratios))
    curved = np.cosh(np.log(0.27)) - np.cosh(np.log(ratios))
    assert measures.crossing(-curved, ratios) == pytest.approx(0.27, rel=1e-6)


def test_branches_that_are_no_minimum_do_not_count():
    branches = made(0.3)["branches"]
    assert measures.exists(branches).all()
    branches["stands_at"][0] = "saddle"
    assert np.isnan(measures.thresholds(branches)).all()
    assert np.isnan(measures.density_of(0.4, branches))


def curves(ratios, threshold):
    """Losses over the four's density, of a pentagon and of two digons, that cross there."""
    beyond = np.log(ratios / threshold)
    return {"pentagon": 0.3 + 0.04 * beyond, "two digons": 0.3 + 0.1 * beyond}


def models_of(name, ratios, loss):
    """Models of one geometry along ratios."""
    W = [
        squeezed_pentagon(-3 * np.log(ratio), -3 * np.log(ratio))
        if name == "pentagon"
        else DIGONS
        for ratio in ratios
    ]
    b = 1 - np.linalg.norm(W, axis=-1) ** 2  # so that an active feature is returned as 1
    ds = xr.Dataset(
        {
            "W": (("ratio", "feature", "hidden"), W),
            "b": (("ratio", "feature"), b),
            "loss": ("ratio", 0.05 / 5 * loss),
        },
        {"ratio": ratios},
    )
    return measures.with_geometry(js.measure(ds))


def made(threshold):
    """Fits and branches whose threshold is given, and rises with the four's density."""
    ratios = np.geomspace(1 / 8, 4, 21)

    def branches(threshold):
        found = curves(ratios, threshold)
        parts = [models_of(name, ratios, found[name]) for name in measures.BRANCHES]
        names = xr.DataArray(list(measures.BRANCHES), dims="branch", name="branch")
        return xr.concat(parts, names)

    densities = xr.DataArray([0.05, 0.075, 0.1], dims="density", name="density")
    parts = [branches(threshold * s / 0.05) for s in densities.values]
    along = xr.concat(parts, densities).transpose("branch", "ratio", "density", ...)
    stands_at = xr.full_like(along["geometry"], "minimum")
    along = along.assign(stands_at=stands_at, loss_by_boxes=along["loss"] * 1)

    # Fits of both geometries, whose losses differ by seeds a little.
    seeds = xr.DataArray(np.arange(3), dims="seed", name="seed")
    parts = []
    for i, name in enumerate(measures.BRANCHES):
        fits = along.sel(branch=name, density=0.05, drop=True)
        fits = xr.concat([fits] * 3, seeds).transpose("ratio", "seed", ...)
        fits["loss"] = fits["loss"] * (1 + 0.001 * fits["seed"])
        parts.append(fits.assign_coords(seed=3 * i + seeds.values))

    near = along.sel(density=0.05).sel(ratio=threshold, method="nearest")
    noise = xr.DataArray([-1e-6, 0, 1e-6], dims="batch")
    noise = noise * xr.DataArray([1, 0], dims="branch")
    return {
        "fits": xr.concat(parts, "seed"),
        "branches": along,
        "sampled": near[["loss"]].assign(loss=near["loss"] + noise),
    }


def test_verdicts_and_numbers():
    found = EXPERIMENT.findings(xr.DataTree.from_dict(made(0.3)))
    assert [finding.agrees for finding in found] == [True] * 3 + [False, True, True, False]
    denser, equal = found[0].cases
    assert denser.value == pytest.approx(72 + 3 * np.log(4))
    assert equal.value == pytest.approx(72)
    below, above = found[2].cases
    assert below.value + above.value == 20  # of 21 ratios, one is within 5%
    here, error, by_samples, of_the_paper, *others = found[3].cases
    assert here.value == pytest.approx(1 / 0.3)
    assert error.value < 1e-9
    assert by_samples.value == pytest.approx(1 / 0.3)
    assert by_samples.low < 1 / 0.3 < by_samples.high
    assert of_the_paper.value == pytest.approx(0.05 + 0.05 / 3)
    factors = [1 / 0.3, 1 / 0.45, 1 / 0.6]
    assert [case.value for case in others] == pytest.approx(factors)
    slopes = [case.value for case in found[4].cases[2:]]
    assert slopes == pytest.approx([0.04, 0.1])
    assert found[6].cases[1].value == pytest.approx(0, abs=1e-6)


def test_errors_are_told():
    models = made(0.3)
    pentagon = xr.DataArray([1, 0], dims="branch")
    # The difference falls by 0.06 times the unit in a decade of e.
    off = 0.06 * measures.UNIT * pentagon
    models["branches"]["loss_by_boxes"] += 0.01 * off
    models["sampled"]["loss"] += 0.02 * off
    _, error, by_samples, *_ = EXPERIMENT.findings(xr.DataTree.from_dict(models))[3].cases
    assert error.value == pytest.approx(0.01, rel=0.02)
    assert by_samples.value * 0.3 == pytest.approx(np.exp(-0.02))


def test_figures_show_the_models():
    drawn = EXPERIMENT.figures(xr.DataTree.from_dict(made(0.3)))
    assert drawn.keys() == {"losses", "frames", "angles"}
    top, _ = drawn["losses"].axes
    lines = {line.get_label(): line for line in top.lines}
    pentagon = lines["pentagon, followed"]
    expected = curves(pentagon.get_xdata(), 0.3)["pentagon"]
    np.testing.assert_allclose(pentagon.get_ydata(), expected)
    titles = [panel.get_title() for panel in drawn["frames"].axes]
    assert titles[0] == "density × 0.12\ntwo digons"
    assert titles[-1] == "density × 4\npentagon"
    for panel, first in zip(drawn["frames"].axes, (1, 1, 0, 0, 0, 0), strict=True):
        # A line and a marker for each feature; without the first another is upright.
        x, y = panel.lines[1 + 2 * first].get_xydata()[0]
        assert x == pytest.approx(0, abs=1e-6)
        assert y > 0.9
    where = drawn["angles"].axes[-1]
    np.testing.assert_allclose(where.lines[0].get_ydata(), 1 / np.array([0.3, 0.45, 0.6]))


def test_findings_differ_where_models_do():
    def agrees(models):
        found = EXPERIMENT.findings(xr.DataTree.from_dict(models))
        return [finding.agrees for finding in found]

    models = made(0.4)  # the paper's
    assert agrees(models) == [True] * 6 + [False]
    fits = models["fits"]
    fits["loss"][:, :3] *= np.linspace(1, 2, 3)
    assert agrees(models) == [True] * 5 + [False, False]
    fits["loss"][0, :3] = 0  # a pentagon is best where two digons should be
    assert not agrees(models)[2]
    branches = models["branches"]
    regular = branches["W"].sel(ratio=1, method="nearest", drop=True)
    branches["W"] = regular.expand_dims(ratio=branches["ratio"])
    assert agrees(models)[:2] == [False, False]


def by_quadrature(ratio, W, b, points=2**13):
    """The loss of one model: over all sets of active features, by quasi-Monte Carlo."""
    density = measures.DENSITY * np.array([ratio, 1, 1, 1, 1])
    uniform = scipy.stats.qmc.Sobol(5, rng=np.random.default_rng(0)).random(points)
    loss = 0
    for active in itertools.product([False, True], repeat=5):
        x = uniform * active
        output = np.maximum(x @ W @ W.T + b, 0)
        chance = np.where(active, density, 1 - density).prod()
        loss += chance * ((x - output) ** 2).mean()
    return loss


@pytest.fixture(scope="module")
def followed():
    ratios = np.array([0.2, 0.235, 0.268, 0.27, 0.31, 0.36, 0.45, 1.0, 4.0])
    return train.branches(ratios, [0.05, 0.1])


@pytest.mark.slow
def test_branches_follow_their_geometry_through_the_threshold(followed):
    p = measures.DENSITY
    assert (followed["gradient_norm"] < 1e-8).all()
    pentagons = measures.exists(followed.sel(branch="pentagon"))
    assert pentagons.sel(density=p).all()
    assert not pentagons.sel(density=0.1, ratio=0.2)  # too sparse to hold its place
    digons = followed.sel(branch="two digons", ratio=slice(0, 0.5))
    assert measures.exists(digons).all()
    np.testing.assert_allclose(digons["norm"].isel(feature=0), 0, atol=1e-6)
    # Pairs with biases do a little better than ideal ones.
    closed = 2 * pair_loss(p) + drop_loss(p * digons["ratio"])
    gain = 1 - 5 * digons["loss"].sel(density=p) / closed
    assert ((gain > 0) & (gain < 1e-3)).all()
    np.testing.assert_allclose(followed["loss_by_boxes"], followed["loss"], rtol=1e-12)

    gap = measures.neighbour_gaps(followed.sel(density=p, branch="pentagon"))
    assert (gap.diff("ratio") > 0).all()
    assert float(gap.sel(ratio=1.0)) == pytest.approx(72)
    # Four denser features have more to lose from a fifth.
    threshold = measures.thresholds(followed)
    assert threshold.sel(density=0.1) > threshold.sel(density=p) + 0.1


@pytest.mark.slow
def test_the_threshold_by_quadrature(followed):
    here = followed.sel(density=measures.DENSITY, ratio=[0.268, 0.27])
    loss = xr.apply_ufunc(
        by_quadrature,
        *(here["ratio"], here["W"], here["b"]),
        input_core_dims=[[], ["feature", "hidden"], ["feature"]],
        vectorize=True,
    )
    np.testing.assert_allclose(loss, here["loss"], rtol=3e-5)
    pentagon, digons = (loss.sel(branch=branch).values for branch in measures.BRANCHES)
    # Between ratios so close the difference is linear.
    found = np.interp(0, digons - pentagon, here["ratio"])
    assert 0.268 < found < 0.27
    threshold = measures.thresholds(followed.sel(density=measures.DENSITY))
    assert float(threshold) == pytest.approx(found, rel=3e-4)


@pytest.mark.slow
def test_samples_agree(followed):
    here = followed.sel(density=measures.DENSITY)
    found = measures.factor_by_samples(here, train.sampled(here, batches=16))
    threshold = 1 / float(measures.thresholds(here))
    assert found.low - 0.01 < threshold < found.high + 0.01
    assert found.value == pytest.approx(threshold, rel=0.02)

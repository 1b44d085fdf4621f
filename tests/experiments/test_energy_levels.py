"""Energy levels: names and findings of made minima, limits, and a small version."""

import jax
import numpy as np
import pytest
import scipy.optimize
import xarray as xr

import jsuper as js
from jsuper import polytopes
from jsuper.experiments.energy_levels import EXPERIMENT, findings, limits, measures


def square_and(fifth, bias):
    """Two digons, and weights and bias of the feature that they leave over."""
    W = np.concatenate([polytopes.ideal("square"), [fifth]])
    return W, np.array([0, 0, 0, 0, bias])


@pytest.fixture
def made():
    """Minima at three densities, of every name, as `jsuper.minima` returns them."""
    pentagon = 1.1 * polytopes.ideal("pentagon"), np.full(5, -0.2)
    dropped, silent = square_and([0, 0], 0.1), square_and([0, 0], -0.3)
    weak = square_and([0.3, 0], 0.02)
    dedicated = np.eye(5)[:, :2], np.full(5, 0.5)
    rows = [
        [(dedicated, 0.3, 1.0)],
        [(dropped, 0.02, 0.9), (weak, 0.03, 0.1)],
        [(pentagon, 0.001, 0.7), (silent, 0.002, 0.3)],
    ]
    W, b = np.full((3, 2, 5, 2), np.nan), np.full((3, 2, 5), np.nan)
    loss, share, geometry = *np.full((2, 3, 2), np.nan), np.full((3, 2), "", object)
    for i, row in enumerate(rows):
        for j, (model, own_loss, own_share) in enumerate(row):
            (W[i, j], b[i, j]), loss[i, j], share[i, j] = model, own_loss, own_share
            names = [block.name for block in polytopes.identify(W[i, j])]
            both = {"digon": "2 digons", "dedicated": "2 dedicated"}
            geometry[i, j] = both.get(names[0], names[0])
    cells = "density", "minimum"
    ds = xr.Dataset(
        {
            "W": ((*cells, "feature", "hidden"), W),
            "b": ((*cells, "feature"), b),
            "loss": (cells, loss),
            "share": (cells, share),
            "geometry": (cells, geometry.astype(str)),
        },
        {"density": [1.0, 0.2, 0.02], "minimum": [0, 1]},
    )
    return measures.with_levels(ds)


def test_minima_have_names(made):
    assert made["level"].values.tolist() == [
        ["2 dedicated", ""],
        ["2 digons", "2 digons, weak fifth"],
        ["pentagon", "2 digons, silent fifth"],
    ]
    assert measures.best(made) == ["2 dedicated", "2 digons", "pentagon"]
    np.testing.assert_allclose(measures.lowest(made, "pentagon"), [np.nan, np.nan, 0.05])
    shares = measures.shares(made)
    assert "other" not in shares
    np.testing.assert_allclose(sum(shares.values()), 1)


def test_findings_can_go_either_way(made):
    assert findings.order(measures.best(made)).agrees
    assert findings.order(["2 dedicated", "other", "2 digons", "pentagon"]).agrees
    assert not findings.order(["2 digons", "2 dedicated", "pentagon"]).agrees
    assert not findings.arrangements(made).agrees  # one pentagon, not 12
    assert findings.luck(made).agrees
    assert not findings.luck(made.assign(share=made["share"] / 2)).agrees
    both = xr.Dataset(
        {"end": (("importance", "way"), [[0.3, 0.3001], [0.2, 0.2]])},
        {"importance": ["equal", "0.9^i"]},
    )
    assert findings.limit(both, "end", "").agrees
    both["end"][0, 1] = 0.302
    assert not findings.limit(both, "end", "").agrees


@pytest.mark.slow
@pytest.mark.optimized
def test_a_small_version():
    models = EXPERIMENT.models(EXPERIMENT.quick)
    found = EXPERIMENT.findings(models)
    assert found[1].agrees
    assert found[2].agrees
    equal = models["equal"].to_dataset()
    assert 0.2 < float(equal["crossing"][0]) < float(equal["end"][0]) < 0.35
    assert (equal["loss"].min("minimum") > 0).all()
    drawn = EXPERIMENT.figures(models)
    assert set(drawn) == {"levels", "shares", "solutions"}


@pytest.mark.slow
def test_the_crossing_is_where_samples_say():
    importance = np.ones(5)
    start = {
        "pentagon": (1.02 * polytopes.ideal("pentagon"), np.full(5, -0.12)),
        "2 digons": square_and([0, 0], 0.11),
    }
    with jax.enable_x64(True):
        surface = limits.Surface(importance, by_differences=True)
        branches = {
            name: limits.Branch(surface, np.concatenate([W.ravel(), b]), 0.215, 0.01)
            for name, (W, b) in start.items()
        }

        def excess(density):
            pentagon, digons = (branch.loss(density) for branch in branches.values())
            return pentagon - digons

        crossing = float(scipy.optimize.brentq(excess, 0.215, 0.24, xtol=1e-9))
        flat = {name: branch.known[crossing] for name, branch in branches.items()}
    # The same examples for both: their difference has little noise.
    task = js.Task(js.SparseFeatures(5, crossing), js.ToyModel(5, 2))
    x = np.asarray(task.features.sample(jax.random.key(0), 2_000_000))
    errors = []
    for own in flat.values():
        W, b = own[:10].reshape(5, 2), own[10:]
        output = np.maximum(x @ W @ W.T + b, 0)
        errors.append(((output - x) ** 2).mean(1))
    difference = errors[0] - errors[1]
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(len(x))

"""The paper's three panels: judged on made models, and trained in a small version."""

import json

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.introduction import EXPERIMENT, measures


@pytest.fixture(scope="module")
def models():
    return EXPERIMENT.models(EXPERIMENT.quick)


@pytest.mark.slow
def test_the_papers_panels(models):
    ds = models["models"].to_dataset()
    best = {s: js.best_seed(measures.at_sparsity(ds, s)) for s in (0.0, 0.8, 0.9)}
    shapes = [one["shape"].item() for one in best.values()]
    assert shapes == ["2 dedicated", "2 pairs", "pentagon"]
    assert set(np.argsort(best[0.0]["norm"].values)[-2:]) == {0, 1}  # the most important
    np.testing.assert_allclose(best[0.8]["norm"][:4], 1.0, atol=0.06)
    # D_i of a regular pentagon is 2/5.
    np.testing.assert_allclose(best[0.9]["dimensionality"], 0.4, atol=0.02)
    found = EXPERIMENT.findings(models)
    assert all(finding.agrees for finding in found)
    # Most seeds at sparsity 0.8 are two pairs; 16 seeds, so that the end is far from 0.
    pairs = found[1].cases[0]
    assert (pairs.quantity, pairs.n) == ("2 pairs", 16)
    assert pairs.value > 0.5
    assert pairs.low <= pairs.value <= pairs.high
    assert found[2].cases[0].value > 0.3
    assert json.loads(models.attrs["settings"])["seeds"] == 16


def test_judged_and_drawn_without_training():
    W = np.stack([polygon(4), polygon(5), polygon(4)])
    ds = xr.Dataset(
        {
            "W": (("seed", "feature", "hidden"), W),
            "loss": ("seed", [0.2, 0.1, 0.3]),
        }
    )
    ds = measures.shapes(js.measure(ds)).expand_dims(density=[1.0, 0.2, 0.1])
    tree = xr.DataTree.from_dict({"models": ds.assign(W=ds["W"].copy())})
    found = EXPERIMENT.findings(tree)
    assert [finding.agrees for finding in found] == [False, False, True]
    for finding in found:
        shares = {c.quantity: c.value for c in finding.cases if c.where == "all seeds"}
        assert shares == {"2 pairs": pytest.approx(2 / 3), "pentagon": pytest.approx(1 / 3)}
        lowest = {c.quantity: c.value for c in finding.cases if c.where == "lowest loss"}
        assert lowest == {"2 pairs": 0.2, "pentagon": 0.1}
    assert set(EXPERIMENT.figures(tree)) == {"embeddings", "shares"}


def polygon(k, n=5):
    angles = 2 * np.pi * np.arange(k) / k + 0.3
    W = np.zeros((n, 2))
    W[:k] = np.stack([np.cos(angles), np.sin(angles)], -1)
    return W


@pytest.mark.parametrize(
    ("W", "name"),
    [
        (polygon(5), "pentagon"),
        (1.2 * polygon(5)[[2, 0, 4, 1, 3]], "pentagon"),
        (polygon(4), "2 pairs"),
        (polygon(4)[[4, 0, 2, 1, 3]] * [[1.1], [1], [0.9], [1], [1]], "2 pairs"),
        (polygon(4) * [[1], [1], [0], [0], [0]], "2 dedicated"),
        (polygon(4) * [[1], [1], [1], [0], [0]], "1 dedicated, 1 pair"),
        (polygon(3), "other"),
        (polygon(2), "other"),
        (polygon(5) * [[1], [1], [1], [1], [0]], "other"),
    ],
)
def test_names_of_shapes(W, name):
    ds = xr.Dataset({"W": (("feature", "hidden"), W)})
    assert measures.shapes(ds)["shape"].item() == name

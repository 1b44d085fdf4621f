"""Counts of bars, linear and ReLU: judged and drawn on made models, and trained."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.experiments.demonstration import EXPERIMENT, measures
from jsuper.plots.style import Figure

BARS = {1: (5, 5), 0.3: (7, 3), 0.1: (9, 1), 0.03: (10, 0), 0.01: (12, 0)}
BARS |= {0.003: (12, 0), 0.001: (12, 0)}
"""Full and dark bars that the paper's figure shows, by density."""


@pytest.mark.slow
def test_relu_stores_more_features_as_they_become_sparser_and_linear_ones_do_not():
    densities = (1.0, 0.3, 0.03)
    small = dataclasses.replace(
        EXPERIMENT.quick, densities=densities, small_seeds=4, linear_seeds=2, steps=800
    )
    models = EXPERIMENT.models(small)
    assert set(models.children) == {"small", "linear"}
    ds = models["small"].to_dataset()
    mean = ds["represented"].mean("seed").values
    assert mean[0] == 5
    assert (mean[1:] > [6, 9]).all()
    dark = ds["dedicated"].mean("seed").values
    assert dark[0] == 5
    assert dark[1] < 4 > 1 > dark[2]
    # A short training leaves the linear model a mixture where features are dense.
    sparser = models["linear"].to_dataset().isel(density=slice(1, None))
    assert (sparser["represented"] == 5).all()
    assert (measures.identity_gap(sparser) < 0.1).all()


def with_bars(n, m, full, dark, positive):
    """Weights of a model: dark bars with a dimension each, the others in the rest."""
    W = np.zeros((n, m))
    for i in range(full):
        turn, axis = divmod(i - dark, max(m - dark, 1))
        W[i, i if i < dark else dark + axis] = 1 if positive or turn % 2 == 0 else -1
    return W


def made(n, m, bars):
    """Models of two seeds, the worse of which has a full bar fewer."""
    best = [with_bars(n, m, full, dark, p < 0.02) for p, (full, dark) in bars.items()]
    worse = [
        with_bars(n, m, full - 1, min(dark, full - 1), p < 0.02)
        for p, (full, dark) in bars.items()
    ]
    densities = np.array(list(bars))
    bias = np.where(densities < 0.02, -0.1, 0)
    ds = xr.Dataset(
        {
            "W": (("density", "seed", "feature", "hidden"), np.stack([best, worse], 1)),
            "b": (("density", "feature"), np.broadcast_to(bias[:, None], (len(bars), n))),
            "loss": (("density", "seed"), np.broadcast_to([0.1, 0.2], (len(bars), 2))),
        },
        {"density": densities, "seed": [0, 1]},
    )
    ds["b"] = ds["b"].broadcast_like(ds["W"].isel(hidden=0))
    return measures.count(js.measure(ds))


def tree():
    """All models, in which everything is as the paper's figures have it."""
    four_times = {p: (4 * full, 4 * dark) for p, (full, dark) in BARS.items()}
    four_times[0.03] = (40, 4)
    every_other = js.log_densities(20, lowest=1 / 20)[::2]
    return xr.DataTree.from_dict(
        {
            "small": made(20, 5, BARS),
            "linear": made(20, 5, dict.fromkeys(BARS, (5, 5))),
            "large": made(80, 20, four_times),
            "notebook": made(100, 20, {float(p): (20, 20) for p in every_other}),
        }
    )


def test_judged_and_drawn_without_training():
    models = tree()
    found = EXPERIMENT.findings(models)
    assert len(found) == 12
    assert all(finding.agrees for finding in found)
    cases = {(case.where, case.quantity): case for case in found[1].cases}
    assert cases["best seed", "full bars"].value == 7
    assert cases["best seed", "dark bars"].value == 3
    mean = cases["mean of seeds", "full bars"]
    assert (mean.value, mean.low, mean.high, mean.n) == (6.5, 6, 7, 2)
    # Of the two linear models one lacks a feature.
    assert (found[7].cases[0].value, found[7].cases[1].value) == (0.5, 0)
    stores = {(case.where, case.quantity): case.value for case in found[8].cases}
    assert (stores["density 0.3", "linear"], stores["density 0.3", "ReLU"]) == (5, 7)
    assert [case.value for case in found[9].cases] == [20, 20, 19.5, 19.5]
    assert found[10].cases[0].value == 0.03
    assert {case.value for case in found[11].cases[:7]} == {4}
    assert found[11].cases[7].value == pytest.approx(19.5 / 4.5)
    drawn = EXPERIMENT.figures(models)
    assert set(drawn) == {"counts", "small", "linear", "large", "notebook"}
    counts = drawn["counts"]
    assert isinstance(counts, Figure)
    stored, dark = counts.axes
    _, small, linear = stored.lines[:3]
    np.testing.assert_allclose(np.asarray(small.get_xdata()), [1 / p for p in BARS])
    # The mean of two seeds, the worse of which has a feature fewer, over 5 dimensions.
    full = np.array([full for full, _ in BARS.values()])
    np.testing.assert_allclose(np.asarray(small.get_ydata()), (full - 0.5) / 5)
    np.testing.assert_allclose(np.asarray(linear.get_ydata()), 0.9)
    assert dark.get_ylabel() == "features dedicated / dimension"


def test_findings_that_differ():
    models = tree()
    models["small"] = xr.DataTree(made(20, 5, dict.fromkeys(BARS, (5, 5))))
    models["linear"] = xr.DataTree(made(20, 5, dict.fromkeys(BARS, (4, 4))))
    models["large"] = xr.DataTree(made(80, 20, dict.fromkeys(BARS, (19, 19))))
    agrees = [finding.agrees for finding in EXPERIMENT.findings(models)]
    # Those of dense features agree; 19 is about four times 5.
    assert agrees == [True] + [False] * 10 + [True]


def test_count():
    W = np.array([[1.0, 0.0], [-0.9, 0.0], [0.6, 0.6], [0.0, 0.2]])
    ds = xr.Dataset(
        {"W": (("feature", "hidden"), W), "b": ("feature", [0.0, -0.1, -0.2, -0.3])}
    )
    counted = measures.count(js.measure(ds))
    assert int(counted["full"]) == 3  # the third has norm 0.85
    assert int(counted["stubs"]) == 0
    assert int(counted["negative_biases"]) == 2
    # Features 0 and 2; the last one is not represented.
    assert int(counted["positive_interference"]) == 1
    # The most important ones are the first two, of which the second should be (0, 1).
    assert float(measures.identity_gap(ds)) == pytest.approx(0.9)

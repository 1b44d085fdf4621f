"""Activations: judged and drawn on made models, and trained in a small version."""

import dataclasses

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

from jsuper.experiments.activations import EXPERIMENT, measures
from jsuper.plots import style

DENSITIES = [1.0, 0.25, 0.0625]


def curve(*means):
    """Features explained at the three densities, by three seeds around a mean."""
    values = np.array(means)[:, None] + [-0.01, 0, 0.01]
    return xr.DataArray(values, {"density": DENSITIES}, ("density", "seed"))


def test_the_onset_lies_between_two_densities():
    # 1.05 is half of the way from 1 to 1.1, and so is 1/2 from 1 to 1/4, in logarithms.
    found = measures.onset(curve(1.0, 1.1, 2.0))
    assert found.value == pytest.approx(0.5)
    assert found.n == 3
    # With all seeds 0.01 lower it is 0.6 of the way, 0.01 higher 0.4; each is a resample in
    # 27, more than the interval leaves out.
    assert (found.low, found.high) == pytest.approx((0.25**0.6, 0.25**0.4))
    assert measures.onset(curve(1.0, 1.0, 1.1)).value == pytest.approx(0.125)
    assert np.isnan(measures.onset(curve(1.0, 1.0, 1.04)).value)
    # It is the first crossing, also of models that superpose at some densities only.
    assert measures.onset(curve(1.0, 1.1, 0.5)).value == pytest.approx(0.5)


def made(**curves):
    """Models of which only what they explain matters, with two and three dimensions."""
    explained = xr.concat(curves.values(), "activation").assign_coords(
        activation=list(curves), seed=range(3)
    )
    explained = xr.concat([explained, explained + 0.1], "n_hidden")
    ds = explained.assign_coords(n_hidden=[2, 3]).to_dataset(name="explained")
    W = np.random.default_rng(0).normal(size=(*ds["explained"].shape, 4, 3))
    dims = ("n_hidden", "activation", "density", "seed", "feature", "hidden")
    ds["W"] = (dims, W)
    ds["W"] = ds["W"].where(
        (ds["n_hidden"] == 3) | xr.DataArray([True, True, False], dims="hidden")
    )
    ds = ds.assign_coords(hidden_padding=~ds["W"].notnull().any(dims[1:5]))
    return ds.assign(loss=1 / ds["explained"], importance=("feature", np.ones(4)))


@pytest.fixture(scope="module")
def models():
    tanh, low = curve(1.0, 1.0, 0.99), curve(1.0, 1.1, 0.5)
    some = made(relu=curve(1.0, 1.1, 2.0), tanh=tanh - 0.1, sigmoid=tanh - 0.1)
    slow = made(relu=low, sigmoid=tanh).isel(n_hidden=[0])
    return xr.DataTree.from_dict({"models": some, "notebook": slow})


def test_judged_without_training(models):
    found = {finding.stated: finding for finding in EXPERIMENT.findings(models)}
    other = " by the official notebook's recipe"
    assert {stated: finding.agrees for stated, finding in found.items()} == {
        "relu superposes": True,
        "tanh does not superpose": True,
        "sigmoid superposes": False,
        f"relu superposes{other}": True,
        f"sigmoid superposes{other}": False,
    }
    relu = {(c.where, c.quantity): c for c in found["relu superposes"].cases}
    assert relu["m 2", "onset"].value == pytest.approx(0.5)
    assert np.isnan(relu["m 3", "onset"].value)  # superposes at all densities
    assert relu["m 2", "at most"].value == pytest.approx(2.0)
    assert relu["m 3", "at most"].value == pytest.approx(2.1)
    slow = {c.quantity: c for c in found[f"relu superposes{other}"].cases}
    assert slow["at most"].value == pytest.approx(1.1)
    assert slow["where sparsest"].value == pytest.approx(0.5)
    assert slow["at most"].low < 1.1 < slow["at most"].high


def test_one_width_without_superposition_is_enough_to_disagree(models):
    ds = models["models"].to_dataset()
    lower = ds["explained"].where(ds["n_hidden"] == 3, 1.0)
    tree = xr.DataTree.from_dict(
        {"models": ds.assign(explained=lower), "notebook": models["notebook"].to_dataset()}
    )
    relu, tanh, _ = EXPERIMENT.findings(tree)[:3]
    assert not relu.agrees
    assert tanh.agrees
    above = ds["explained"].where(ds["n_hidden"] == 3, 1.06)
    tree["models"] = xr.DataTree(ds.assign(explained=above))
    assert not EXPERIMENT.findings(tree)[1].agrees


def test_figures_show_the_means_over_seeds(models):
    figures = EXPERIMENT.figures(models)
    assert list(figures) == ["explained", "embeddings", "recipes"]
    two, three = figures["explained"].axes
    lines = {line.get_label(): line for line in two.get_lines()}
    np.testing.assert_allclose(lines["relu"].get_xdata(), DENSITIES)
    np.testing.assert_allclose(lines["relu"].get_ydata(), [1.0, 1.1, 2.0])
    assert three.get_title() == "hidden dimensions 3"
    by_recipe = figures["recipes"].axes[0].get_lines()
    np.testing.assert_allclose(by_recipe[1].get_ydata(), [1.0, 1.1, 0.5])
    assert [line.get_label() for line in by_recipe[:2]] == ["decaying", "notebook"]
    assert to_hex(by_recipe[1].get_color()) == style.PALETTE["vermilion"]
    # Every embedding is relative to the longest of its model.
    panel = figures["embeddings"].axes[0]
    ends = np.array([line.get_xydata()[-1] for line in panel.get_lines()[:8]])
    assert np.linalg.norm(ends, axis=1).max() == pytest.approx(1)


@pytest.mark.slow
def test_relu_superposes_and_linear_models_explain_what_they_can():
    small = dataclasses.replace(
        EXPERIMENT.quick,
        activations=("relu", "linear"),
        densities=(1.0, 0.1),
        notebook=("relu",),
        seeds=3,
        steps=400,
        batches=32,
    )
    models = EXPERIMENT.models(small)
    explained = models["models"]["explained"].squeeze("n_hidden")
    # Of 16 seeds linear models lie within 0.04, those with ReLU above 1.96.
    np.testing.assert_allclose(explained.sel(activation="linear"), 1, atol=0.06)
    assert (explained.sel(activation="relu", density=0.1) > 1.7).all()
    assert [finding.agrees for finding in EXPERIMENT.findings(models)[:2]] == [True, True]

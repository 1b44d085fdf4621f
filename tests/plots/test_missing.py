"""Figures without what they do not need, and of joined runs that lack something."""

import jax
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import jsuper as js
from jsuper import plots

OF_WEIGHTS = {
    "embeddings": plots.embeddings,
    "demonstration": plots.demonstration,
    "dimensionality": plots.dimensionality,
    "feature_graphs": plots.feature_graphs,
    "neuron_stacks": plots.neuron_stacks,
    "neuron_matrices": plots.neuron_matrices,
    "feature_phases": lambda ds: plots.feature_phases(ds, x="rate"),
    "phase_map": lambda ds: plots.phase_map(ds, "superposed", x="density", y="rate"),
}
AXES_OF = {"feature_phases": ["rate", "density"], "phase_map": ["rate", "density"]}


def data_of(made, name, **axes):
    axes = {axis: [1.0, 0.1] for axis in AXES_OF.get(name, ["density"])}
    return made(axes)


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_weights_alone_are_enough(made, name):
    ds = data_of(made, name)
    for enough in (ds[["W"]].isel(seed=0), ds[["W"]].isel(seed=[0])):
        OF_WEIGHTS[name](enough).draw_without_rendering()
    bare = ds[["W"]].isel(seed=0, drop=True)
    OF_WEIGHTS[name](bare.drop_vars(["step", "feature"], errors="ignore"))


@pytest.mark.parametrize("name", OF_WEIGHTS)
@pytest.mark.parametrize("missing", ["b", "loss", "finite", "history", "importance"])
def test_no_figure_of_weights_needs_more_than_a_loss_to_choose_by(made, name, missing):
    OF_WEIGHTS[name](data_of(made, name).drop_vars(missing)).draw_without_rendering()


@pytest.mark.parametrize("name", sorted(set(OF_WEIGHTS) - {"dimensionality", "phase_map"}))
def test_without_any_loss_a_seed_must_be_selected(made, name):
    ds = data_of(made, name)[["W"]]
    with pytest.raises(ValueError, match=r"neither loss nor history: select a seed first"):
        OF_WEIGHTS[name](ds)


def test_phase_map_without_any_loss_has_no_best_seed(made):
    ds = made({"density": [1.0, 0.1], "rate": [1.0, 0.1]})
    titles = [
        p.get_title() for p in plots.phase_map(ds[["W"]], "superposed", y="rate").axes
    ]
    assert [title.split("\n")[-1] for title in titles if title] == [
        "mean over seeds",
        "standard deviation over seeds",
    ]
    reduced = js.measure(ds)[["superposed"]].mean("seed")
    assert len(plots.phase_map(reduced, "superposed", y="rate").axes) == 2  # and its bar


@pytest.mark.parametrize("change", ["none", "scalar"])
def test_demonstration_without_a_bias_of_features_has_no_strip(made, change):
    ds = made({"density": [1.0, 0.1]})
    ds = ds.drop_vars("b") if change == "none" else ds.assign(b=ds["loss"])
    figure = plots.demonstration(ds)
    panels = [panel for panel in figure.axes if panel.get_label() != "<colorbar>"]
    assert len(panels) == 4
    W = js.best_seed(ds)["W"].values
    for panel, w in zip(panels, W, strict=False):
        np.testing.assert_allclose(panel.images[0].get_array(), w @ w.T)


def test_a_model_without_bias_from_the_readers_hands():
    W = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]], np.float32)
    plots.demonstration(xr.Dataset({"W": (("feature", "hidden"), W)}))


@pytest.mark.parametrize("name", sorted(set(OF_WEIGHTS) - {"phase_map", "dimensionality"}))
@pytest.mark.parametrize("dtype", [bool, "int8", float, object])
def test_models_that_diverged_are_told_from_the_others(made, name, dtype):
    ds = data_of(made, name)
    ds["W"][{"density": 0}] = np.nan
    ds["finite"][{"density": 0}] = False
    ds["finite"] = ds["finite"].astype(dtype)
    OF_WEIGHTS[name](ds).draw_without_rendering()


def run(steps, log_every=None, seeds=2):
    def task(density):
        return js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 2))

    recipe = js.Recipe(steps, 16, log_every=log_every, eval_batches=1)
    axes = {"density": [0.5], "seed": seeds}
    return js.sweep(task, axes, recipe, key=jax.random.key(0)).isel(density=0)


def test_joined_runs_are_drawn_over_the_steps_that_each_has():
    runs = {"20": run(20, 5), "40": run(40, 5), "40, others": run(40, 4)}
    index = pd.Index(list(runs), name="run")
    ds = xr.concat(list(runs.values()), index, join="outer")
    lines = plots.loss_curves(ds).axes[0].lines
    for line, one in zip(lines, runs.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), one["step"])
        np.testing.assert_allclose(line.get_ydata(), one["history"].median("seed"))


def test_seeds_of_runs_with_other_steps_share_a_median():
    steps, others = np.arange(4, 41, 4), np.arange(5, 21, 5)
    first = xr.DataArray(100.0 - steps, {"step": steps}, dims="step")
    second = xr.DataArray(90.0 - others, {"step": others}, dims="step")
    history = xr.concat([first, second], "seed", join="outer")
    (line,) = plots.loss_curves(xr.Dataset({"history": history})).axes[0].lines
    x, y = line.get_data()
    np.testing.assert_array_equal(x, np.union1d(steps, others))
    # Losses that fall along lines stay on them; the second run ends at step 20.
    both = (x >= 5) & (x <= 20)
    np.testing.assert_allclose(y[both], 95 - x[both])
    np.testing.assert_allclose(y[~both], 100 - x[~both])


@pytest.mark.parametrize("dtype", ["int8", float, object])
def test_loss_curves_leave_out_what_diverged_whatever_finite_has_become(made, dtype):
    ds = made({"activation": ["relu", "gelu"]})
    ds["finite"][1, :] = False
    expected = plots.loss_curves(ds).axes[0].lines
    ds["finite"] = ds["finite"].astype(dtype)
    lines = plots.loss_curves(ds).axes[0].lines
    for line, other in zip(lines, expected, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), other.get_ydata())
    assert np.isnan(lines[1].get_ydata()).all()
    alone = plots.loss_curves(ds[["history"]]).axes[0].lines
    assert np.isfinite(alone[1].get_ydata()).all()


def test_loss_curves_along_snapshots(made):
    """There finite has steps too, and history none at step 0."""
    ds = made({"density": [1.0, 0.1]}).assign_coords(step=[0, 10, 20, 30])
    ds["history"][..., 0] = np.nan
    finite = np.ones((2, 3, 4), bool)
    finite[0, 0, 2:] = False
    ds["finite"] = ("density", "seed", "step"), finite
    lines = plots.loss_curves(ds).axes[0].lines
    kept = ds["history"].isel(density=0, seed=[1, 2], step=slice(1, None))
    np.testing.assert_allclose(lines[0].get_ydata(), kept.median("seed"))
    np.testing.assert_array_equal(lines[0].get_xdata(), [10, 20, 30])


def test_loss_curves_need_a_history(made):
    ds = made({"density": [1.0, 0.1]})
    for lacks in (ds.drop_vars("history"), ds.isel(step=-1)):
        with pytest.raises(
            ValueError, match=r"^loss_curves needs a variable history along"
        ):
            plots.loss_curves(lacks)


def test_a_cell_that_no_run_had_is_told_from_one_that_diverged(made):
    ds = made({"density": [1.0, 0.1]})
    ds["W"][1] = np.nan
    ds["finite"][1] = False
    joined = ds.reindex(density=[1.0, 0.3, 0.1])
    panels = plots.embeddings(joined).axes[:3]
    said = [[text.get_text() for text in panel.texts] for panel in panels]
    assert said == [[], ["no model"], ["diverged"]]

"""Figures: they show the numbers of the dataset, and leave it as it was."""

import jax
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import jsuper as js
from jsuper import plots
from jsuper.plots import style


@pytest.fixture(scope="module")
def ds():
    def task(density, threshold):
        return js.Task(
            js.SparseFeatures(5, density),
            js.ToyModel(5, 2, threshold),
            js.geometric_importance(5, 0.9),
        )

    axes = {"density": [1.0, 0.3, 0.09], "threshold": [0.0, -0.25], "seed": 3}
    recipe = js.Recipe(steps=30, batch_size=64, eval_batches=2)
    return js.sweep(task, axes, recipe, key=jax.random.key(0))


DRAWINGS = {
    "embeddings": plots.embeddings,
    "demonstration": lambda ds: plots.demonstration(ds.isel(threshold=0)),
    "dimensionality": plots.dimensionality,
    "phase_map": lambda ds: plots.phase_map(ds, ["represented", "loss"]),
    "loss_curves": plots.loss_curves,
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_drawing_makes_a_figure_and_leaves_the_data_alone(ds, draw, tmp_path):
    before = ds.copy(deep=True)
    figure = draw(ds)
    assert isinstance(figure, Figure)
    figure.savefig(tmp_path / "figure.png")
    xr.testing.assert_identical(ds, before)


def test_embeddings_draws_the_best_seed_of_each_cell(ds):
    figure = plots.embeddings(ds)
    best = js.best_seed(ds)
    # Rows are thresholds, columns densities; each feature is a line and a dot.
    for i, j in np.ndindex(2, 3):
        panel = figure.axes[3 * i + j]
        dots = [line.get_xydata()[0] for line in panel.lines if line.get_marker() == "o"]
        W = best["W"].isel(threshold=i, density=j).values
        np.testing.assert_allclose(dots, W, rtol=1e-6)
    assert figure.axes[3].get_ylabel() == "t = −0.25"
    assert [figure.axes[j].get_title() for j in range(3)] == ["density 1", "0.3", "0.09"]


def test_phase_map_shows_best_mean_and_spread(ds):
    figure = plots.phase_map(ds, "loss")
    best, mean, spread = (
        axes.collections[0].get_array()
        for axes in figure.axes
        if axes.get_label() != "<colorbar>"
    )
    # Axes are plotted ascending, whatever the order of the sweep.
    loss = ds["loss"].sortby(["density", "threshold"])
    loss = loss.transpose("threshold", "density", "seed").values
    np.testing.assert_allclose(best, loss.min(-1), rtol=1e-6)
    np.testing.assert_allclose(mean, loss.mean(-1), rtol=1e-6)
    np.testing.assert_allclose(spread, loss.std(-1), rtol=1e-5)


def test_phase_map_names_a_threshold_of_minus_infinity(ds):
    linear = ds.assign_coords(threshold=[0.0, -np.inf])
    labels = plots.phase_map(linear, "loss").axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == ["−∞", "0"]


def test_cells_of_a_logarithmic_axis_meet_halfway_in_the_log():
    scale, edges = style.cell_edges(np.array([0.01, 0.1, 1.0]))
    assert scale == "log"
    np.testing.assert_allclose(edges, 10.0 ** np.array([-2.5, -1.5, -0.5, 0.5]))
    scale, edges = style.cell_edges(np.array([-1.0, 0.0, 0.5]))
    assert scale == "linear"
    np.testing.assert_allclose(edges, [-1.5, -0.5, 0.25, 0.75])


def test_dimensionality_draws_represented_features_only(ds):
    measured = js.measure(ds)
    figure = plots.dimensionality(measured)
    plotted = np.concatenate([axes.lines[0].get_ydata() for axes in figure.axes])
    represented = measured["norm"].values > 0.5
    assert np.isfinite(plotted).sum() == represented.sum()
    np.testing.assert_allclose(
        np.sort(plotted[np.isfinite(plotted)]),
        np.sort(measured["dimensionality"].values[represented]),
    )


def test_loss_curves_draw_the_median_over_seeds(ds):
    figure = plots.loss_curves(ds)
    line = figure.axes[1].lines[2]
    median = ds["history"].isel(density=2, threshold=1).median("seed")
    np.testing.assert_allclose(line.get_ydata(), median)
    np.testing.assert_allclose(line.get_xdata(), ds["step"])


def test_what_cannot_be_drawn_is_refused(ds):
    with pytest.raises(ValueError, match="embeddings needs 2 hidden dimensions, got 1"):
        plots.embeddings(ds.isel(hidden=[0]))
    with pytest.raises(ValueError, match=r"room for 1 of the axes .*threshold"):
        plots.demonstration(ds)
    with pytest.raises(ValueError, match="axis 'density'"):
        plots.dimensionality(ds.isel(density=0))
    with pytest.raises(ValueError, match=r"quantity must be one of .*, got 'beauty'"):
        plots.phase_map(ds, "beauty")
    with pytest.raises(ValueError, match="loss has no axis 'depth'"):
        plots.phase_map(ds, "loss", x="depth")


def test_the_value_of_a_selected_axis_stands_above_the_figure(ds):
    figure = plots.phase_map(ds.assign_coords(rate=0.5), "loss")
    assert figure.get_suptitle() == "rate 0.5"
    figure = plots.embeddings(ds.sel(threshold=-0.25))
    assert figure.get_suptitle() == "t = −0.25"


def test_sparsity_can_stand_for_density(ds):
    figure = plots.phase_map(ds, "loss", x="sparsity")
    assert figure.axes[0].get_xlabel() == "sparsity S"
    best = figure.axes[0].collections[0].get_array()
    expected = ds["loss"].min("seed").transpose("threshold", "density").values[::-1]
    np.testing.assert_allclose(best, expected, rtol=1e-6)


def test_diverged_models_are_named_and_left_out(ds):
    bad = ds.copy(deep=True)
    bad["W"].loc[{"density": 0.3}] = np.nan
    bad["finite"].loc[{"density": 0.3}] = False
    bad["history"].loc[{"density": 0.3}] = np.inf
    panels = plots.embeddings(bad).axes[:6]
    said = [[text.get_text() for text in panel.texts] for panel in panels]
    assert said == [[], ["diverged"], []] * 2
    lines = plots.loss_curves(bad).axes[0].lines
    assert [bool(np.isfinite(line.get_ydata()).all()) for line in lines] == [
        True,
        False,
        True,
    ]


def test_a_snapshot_can_be_drawn_before_there_is_a_final_loss(ds):
    snapshot = ds.drop_vars("loss")
    best = js.best_seed(snapshot)
    last = ds["history"].isel(step=-1)
    np.testing.assert_array_equal(best["seed"], last.argmin("seed"))
    plots.embeddings(snapshot)

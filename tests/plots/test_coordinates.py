"""Axes of names, booleans, dates and sizes; notes; models of several sizes."""

import numpy as np
import pandas as pd
import pytest

import jsuper as js
from jsuper import plots

NAMES = ["relu", "gelu", "tanh"]
DATES = pd.to_datetime(["2026-03-01", "2026-01-01", "2026-02-01"])
AXES = {
    "names": NAMES,
    "objects": np.array(NAMES, object),
    "booleans": [True, False],
    "dates": DATES,
    "sizes": [1, 2, 1024],
    "mixed": np.array(["relu", None, 1.5], object),
}
DRAWINGS = {
    "embeddings": plots.embeddings,
    "demonstration": lambda ds: plots.demonstration(ds.isel(density=0)),
    "dimensionality": plots.dimensionality,
    "phase_map": lambda ds: plots.phase_map(
        ds, ["loss", "superposed"], x="axis", y="density"
    ),
    "loss_curves": plots.loss_curves,
    "feature_graphs": lambda ds: plots.feature_graphs(ds.isel(density=0)),
    "feature_phases": lambda ds: plots.feature_phases(ds, x="density", y="axis"),
    "neuron_stacks": lambda ds: plots.neuron_stacks(ds.isel(density=0)),
    "neuron_matrices": lambda ds: plots.neuron_matrices(ds.isel(density=0)),
}


def texts(figure):
    """Everything that is written in a figure."""
    figure.draw_without_rendering()
    return [text.get_text().replace("\n", " ") for text in figure.findobj(match=is_text)]


def is_text(artist):
    return hasattr(artist, "get_text") and bool(artist.get_text())


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
@pytest.mark.parametrize("axis", AXES)
def test_every_figure_takes_axes_of_any_kind(made, draw, axis):
    ds = made({"axis": AXES[axis], "density": [1.0, 0.1]})
    ds = ds.assign_coords(note="first try", when=np.datetime64("2026-01-02"), tied=True)
    said = texts(draw(ds))
    if axis == "names":
        assert all(any(name in text for text in said) for name in NAMES)
    if axis == "dates":
        assert any("2026-01-01" in text for text in said)
    assert any("note first try, when 2026-01-02, tied True" in text for text in said)


def test_one_name_that_was_selected_stands_above_the_figure(made):
    ds = made({"activation": NAMES, "density": [1.0, 0.1]})
    figure = plots.embeddings(ds.sel(activation="gelu"))
    assert figure.get_suptitle() == "activation gelu"


def test_phase_map_keeps_names_in_order_and_puts_dates_in_theirs(made):
    ds = made({"axis": NAMES, "density": [1.0, 0.1]})
    panel = plots.phase_map(ds, "loss", x="axis", y="density").axes[0]
    assert [label.get_text() for label in panel.get_xticklabels()] == NAMES
    best = ds["loss"].min("seed").transpose("density", "axis").values[::-1]
    np.testing.assert_allclose(panel.collections[0].get_array(), best)
    dated = ds.assign_coords(axis=DATES)
    panel = plots.phase_map(dated, "loss", x="density", y="axis").axes[0]
    labels = [label.get_text() for label in panel.get_yticklabels()]
    assert labels == ["2026-01-01", "2026-02-01", "2026-03-01"]
    np.testing.assert_allclose(panel.collections[0].get_array(), best.T[[1, 2, 0], :])


def test_feature_phases_puts_every_cell_at_its_name(made):
    ds = made({"axis": NAMES, "density": [0.1, 1.0]})
    panel = plots.feature_phases(ds, x="axis", y="density").axes[0]
    assert [label.get_text() for label in panel.get_xticklabels()] == NAMES
    last = js.measure(js.best_seed(ds)).isel(feature=-1)
    expected = plots.solutions.phase_color(*values(last))
    colors = panel.collections[0].get_array().reshape(2, 3, 3)
    np.testing.assert_allclose(colors, expected.transpose(1, 0, 2))


def test_names_have_a_line_and_a_legend_each(made):
    ds = made({"activation": [f"_{i}" for i in range(12)]})
    panel = plots.loss_curves(ds).axes[0]
    looks = {(line.get_color(), line.get_linestyle()) for line in panel.lines}
    assert len(looks) == 12
    (legend,) = panel.figure.legends
    named = [text.get_text() for text in legend.get_texts()]
    assert named == [f"activation _{i}" for i in range(12)]


def test_densities_may_have_names(made):
    panel = plots.dimensionality(made({"density": ["dense", "sparse"]})).axes[0]
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["dense", "sparse"]


def test_a_matrix_of_tests_has_no_best_seed(made):
    ds = made({"density": [1.0, 0.1]})
    ds["loss"] = ds["loss"].expand_dims(test_density=[1.0, 0.1], axis=-1)
    with pytest.raises(ValueError, match=r"choose the seed before js\.losses"):
        plots.embeddings(ds)


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_an_axis_of_one_value_takes_no_room(made, draw):
    axes = {"axis": NAMES, "density": [1.0, 0.1]}
    single = made({"rate": [0.1]} | axes)
    assert texts(draw(single)) == texts(draw(single.isel(rate=0)))


def test_a_few_whole_numbers_lie_side_by_side(made):
    ds = made({"n_hidden": [2, 3, 20], "density": [0.1, 1.0]})
    panel = plots.phase_map(ds, "loss", x="n_hidden", y="density").axes[0]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["2", "3", "20"]


def test_a_coordinate_beside_an_axis_can_be_drawn_over(made):
    ds = made({"rate": [0.1, 0.3], "density": [1.0, 0.1]})
    ds = ds.assign_coords(optimizer=("rate", ["slow", "fast"]))
    panel = plots.phase_map(ds, "loss", x="optimizer", y="density").axes[0]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["slow", "fast"]
    with pytest.raises(ValueError, match="x and y must be two axes, got 'rate' twice"):
        plots.phase_map(ds, "loss", x="rate", y="rate")
    with pytest.raises(ValueError, match="quantity must hold numbers, got 'names'"):
        plots.phase_map(ds.assign(names=ds["optimizer"]), "names", x="rate", y="density")


def values(ds):
    return ds["norm"].values, ds["superposition"].values


def arrows(panel):
    lines = [line for line in panel.lines if line.get_marker() == "o"]
    return np.array([line.get_xydata()[0] for line in lines])


def test_embeddings_of_several_sizes_show_each_model_its_own(of_sizes):
    ds = of_sizes([1, 2], [3, 5])
    figure = plots.embeddings(ds)
    best = js.best_seed(ds)
    for i, j in np.ndindex(2, 2):  # columns are n_hidden, rows n_features
        plotted = arrows(figure.axes[2 * j + i])
        n = [3, 5][j]
        own = best["W"].isel(n_hidden=i, n_features=j).values[:n, : i + 1]
        np.testing.assert_allclose(plotted[:, : i + 1], own)
        assert plotted.shape == (n, 2)
        if i == 0:
            np.testing.assert_array_equal(plotted[:, 1], 0)  # on a line
    assert not any("diverged" in text for text in texts(figure))
    one = plots.embeddings(ds.sel(n_hidden=2, n_features=3))
    np.testing.assert_array_equal(arrows(one.axes[0]), arrows(figure.axes[1]))
    line = plots.embeddings(ds.sel(n_hidden=1))
    np.testing.assert_array_equal(arrows(line.axes[0]), arrows(figure.axes[0]))


def test_embeddings_says_how_to_select_two_dimensions(of_sizes, made):
    message = (
        r"^embeddings needs 2 hidden dimensions, got 4: select models that have 2 first "
        r"\(in Python ds.sel\(n_hidden=2\), in a shell --select n_hidden=2\)$"
    )
    with pytest.raises(ValueError, match=message):
        plots.embeddings(of_sizes([1, 2, 4]))
    plots.embeddings(of_sizes([1, 2, 4]).sel(n_hidden=2))
    with pytest.raises(ValueError, match=r"^embeddings needs 2 hidden dimensions, got 4$"):
        plots.embeddings(of_sizes([3, 4]))
    with pytest.raises(ValueError, match=r"^embeddings needs 2 hidden dimensions, got 1$"):
        plots.embeddings(made({"density": [1.0]}, n_hidden=1))


def test_demonstration_of_several_sizes(of_sizes):
    ds = of_sizes([2], [3, 5])
    ds = ds.assign_coords(b_padding=("n_features", [True, False]))
    figure = plots.demonstration(ds)
    best = js.best_seed(ds)
    shown = [panel.images[0].get_array() for panel in figure.axes[:4] if panel.images]
    assert [image.shape for image in shown] == [(3, 3), (5, 5), (5, 1)]
    small = best["W"].isel(n_features=0).values[:3]
    np.testing.assert_allclose(shown[0], small @ small.T)
    np.testing.assert_allclose(shown[2][:, 0], best["b"].isel(n_features=1))


def test_features_of_small_models_are_counted_alone(of_sizes):
    ds = of_sizes([2], [3, 5])
    for n, panel in zip([3, 5], plots.feature_graphs(ds, min_norm=1e-3).axes, strict=False):
        assert panel.get_title().endswith(f"{n} of {n} features")
    with_density = of_sizes([2], [3, 5], {"density": [1.0, 0.1]})
    measured = js.measure(with_density)
    plotted = [
        panel.lines[0].get_ydata() for panel in plots.dimensionality(with_density).axes
    ]
    n_represented = int(measured["represented"].sum())
    assert sum(np.isfinite(points).sum() for points in plotted) == n_represented


def test_the_last_feature_is_the_last_of_each_model(of_sizes):
    ds = of_sizes([2], [3, 5], {"density": [1.0, 0.1]})
    measured = js.measure(js.best_seed(ds))
    for feature, own in ((-1, [2, 4]), (0, [0, 0]), (3, [None, 3]), (-4, [None, 1])):
        figure = plots.feature_phases(ds, feature, x="n_features", y="density")
        colors = figure.axes[0].collections[0].get_array().reshape(2, 2, 3)
        for j, at in enumerate(own):
            one = measured.isel(n_features=j).transpose("density", ...).isel(density=[1, 0])
            expected = np.ones((2, 3))
            if at is not None:
                one = one.isel(feature=at)
                expected = plots.solutions.phase_color(*values(one))
            np.testing.assert_allclose(colors[:, j], expected)
    with pytest.raises(ValueError, match=r"^feature must be in \[-5, 5\), got 5$"):
        plots.feature_phases(ds, 5, x="n_features", y="density")


def test_neurons_of_several_sizes(of_sizes):
    ds = of_sizes([2, 4])
    best = js.best_seed(ds)
    figure = plots.neuron_matrices(ds)
    for i, (panel, m) in enumerate(zip(figure.axes, [2, 4], strict=False)):
        own = best["W"].isel(n_hidden=i).values[:, :m]
        shown = panel.images[0].get_array()
        np.testing.assert_allclose(shown, own[:, plots.neurons.neuron_order(own)])
        assert panel.get_xlim() == (-0.5, 3.5)
    for panel, m in zip(plots.neuron_stacks(ds).axes, [2, 4], strict=False):
        paths = panel.collections[0].get_paths()
        assert len({path.vertices[0, 0].round(6) for path in paths}) == m


def test_phase_map_of_sizes(of_sizes):
    ds = of_sizes([1, 2, 4], axes={"density": [0.1, 1.0]})
    panel = plots.phase_map(ds, "features_per_dimension", x="n_hidden", y="density").axes[1]
    W = ds["W"].values
    expected = np.nansum(W**2, axis=(-1, -2)).mean(-1) / np.array([[1], [2], [4]])
    np.testing.assert_allclose(panel.collections[0].get_array(), expected.T, rtol=1e-5)


def test_motion_of_one_size(of_sizes):
    ds = of_sizes([2, 4])[["W", "loss"]].isel(seed=0).expand_dims(step=[0, 10, 20])
    html = plots.embedding_motion(ds.sel(n_hidden=2))._repr_html_()
    assert html.count("data:image/png;base64") == 3
    with pytest.raises(ValueError, match="2 or 3 hidden dimensions, got 4"):
        plots.embedding_motion(ds.sel(n_hidden=4))


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_sizes_that_no_model_needs_change_nothing(made, draw):
    """A selection of one size is plotted as if the others had never been there."""
    alone = made({"axis": NAMES, "density": [1.0, 0.1]})
    wide = alone.pad(hidden=(0, 2), feature=(0, 1)).assign_coords(
        hidden_padding=("hidden", [False, False, True, True]),
        feature_padding=("feature", [False] * 5 + [True]),
    )
    assert texts(draw(wide)) == texts(draw(alone))


def test_means_over_features_leave_padding_out(of_sizes):
    ds = of_sizes([2], [2, 5], {"density": [0.1, 1.0]})
    panel = plots.phase_map(ds, "is_represented", x="n_features", y="density").axes[1]
    counted = js.measure(ds)["represented"].mean("seed") / np.array([[2], [5]])
    np.testing.assert_allclose(panel.collections[0].get_array(), counted.T, rtol=1e-6)


def test_a_map_of_finite_is_that_of_booleans(made):
    ds = made({"axis": NAMES, "density": [0.1, 1.0]})
    ds["finite"][0, 0, 0] = False
    maps = [
        plots.phase_map(
            ds.assign(finite=ds["finite"].astype(dtype)), "finite", x="axis", y="density"
        )
        .axes[1]
        .collections[0]
        .get_array()
        for dtype in (bool, "int8", object)
    ]
    assert maps[0].min() == 2 / 3
    np.testing.assert_array_equal(maps[0], maps[1])
    np.testing.assert_array_equal(maps[0], maps[2])

"""What shared panels draw, and that all figures have one look."""

import matplotlib
import numpy as np
import pytest
import xarray as xr

from jsuper.plots import panels, style
from jsuper.results.statistics import interval


@pytest.fixture
def panel():
    return style.Figure(figsize=(3, 2)).subplots()


@pytest.fixture
def counts():
    values = np.random.default_rng(0).poisson(3, (3, 20)).astype(float)
    return xr.DataArray(values, {"density": [0.1, 0.3, 1.0]}, ("density", "seed"))


def test_a_band_is_the_interval_over_seeds(panel, counts):
    panels.over_seeds(panel, counts.T, color="red", label="mean")
    (line,), (band,) = panel.lines, panel.collections
    np.testing.assert_array_equal(line.get_xdata(), [0.1, 0.3, 1.0])
    np.testing.assert_allclose(line.get_ydata(), counts.mean("seed"))
    found = [interval(np.mean, row) for row in counts.values]
    heights = band.get_paths()[0].vertices
    for x, one in zip((0.1, 0.3, 1.0), found, strict=True):
        ends = heights[heights[:, 0] == x, 1]
        assert (ends.min(), ends.max()) == pytest.approx((one.low, one.high))
        assert one.low < one.value < one.high


def test_bars_are_the_same_interval_and_a_single_seed_has_none(panel, counts):
    panels.over_seeds(panel, counts, x=[1, 2, 3], statistic=np.median, bars=True, fmt="o")
    (bars,) = panel.collections
    for row, (low, high) in zip(counts.values, bars.get_segments(), strict=True):
        found = interval(np.median, row)
        assert (low[1], high[1]) == pytest.approx((found.low, found.high))
    panels.over_seeds(panel, counts.isel(seed=[0]), bars=True)
    lengths = [np.ptp(segment[:, 1]) for segment in panel.collections[1].get_segments()]
    assert lengths == [0, 0, 0]


def test_every_seed_is_a_line_under_one_label(panel, counts):
    panels.each_seed(panel, counts, label="a seed")
    assert len(panel.lines) == 20
    np.testing.assert_array_equal(panel.lines[7].get_ydata(), counts.isel(seed=7))
    assert panel.get_legend_handles_labels()[1] == ["a seed"]


@pytest.mark.parametrize("apart", [False, True])
def test_shares_of_seeds_add_up(panel, apart):
    kinds = xr.DataArray(
        [list("aaab"), list("bbcc")], {"density": [0.5, 0.05]}, ("density", "seed")
    )
    colors = {"a": "blue", "b": "orange", "c": "0.7"}
    best = kinds.isel(seed=-1)
    panels.shares(panel, kinds, colors, best=best, apart=apart)
    a, b, c = panel.containers
    # Ascending: the bars at density 0.05 come first.
    assert [bar.get_height() for bar in a] == [0, 0.75]
    assert [(bar.get_y(), bar.get_height()) for bar in b] == [(0, 0.5), (0.75, 0.25)]
    assert [bar.get_y() + bar.get_height() for bar in c] == [1, 1]
    assert [line.get_color() for line in panel.lines] == ["0.7", "orange"]
    places = [line.get_xdata()[0] for line in panel.lines]
    assert places == pytest.approx([0, 1] if apart else [0.05, 0.5])
    assert panel.get_xscale() == ("linear" if apart else "log")


def test_stacked_bars_fill_the_axis(panel):
    x = np.array([0.01, 0.1, 1.0])
    panels.stacked(panel, {"one": [1, 2, 3]}, x, {"one": "red"})
    bars = panel.containers[0]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    np.testing.assert_allclose(ends[0][1], ends[1][0])
    np.testing.assert_allclose(ends[1], [10**-1.5, 10**-0.5])


@pytest.mark.parametrize("n_hidden", [2, 3])
def test_embeddings_end_where_the_weights_say(n_hidden):
    kind = {"projection": "3d"} if n_hidden == 3 else {}
    panel = style.Figure(figsize=(2, 2)).add_subplot(**kind)
    W = np.random.default_rng(0).normal(size=(4, n_hidden))
    panels.embeddings(
        panel, W, ["red", "blue", "red", "0.5"], extent=3, markers=list("osD^")
    )
    ends = [line for line in panel.lines if line.get_marker() in ("o", "s", "D", "^")]
    get = "get_data_3d" if n_hidden == 3 else "get_data"
    np.testing.assert_allclose([np.ravel(getattr(line, get)()) for line in ends], W)
    assert [line.get_color() for line in ends] == ["red", "blue", "red", "0.5"]
    assert panel.get_xlim() == (-3, 3)


def test_a_group_is_joined_around_its_middle(panel):
    W = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]]) / 2
    panels.embeddings(panel, W, groups=np.zeros(4, int))
    outline = panel.lines[8].get_xydata()
    assert np.linalg.norm(np.diff(outline, axis=0), axis=1) == pytest.approx([1] * 4)


def test_a_matrix_has_white_at_zero(panel):
    image = panels.matrix(panel, np.array([[0.0, 2.0], [-2.0, 1.0]]), limit=2.0)
    red, green, blue, _ = image.to_rgba(image.get_array())[0, 0]
    assert min(red, green, blue) > 0.95
    assert image.get_clim() == (-2, 2)


def test_the_look_is_set_while_drawing_and_not_after():
    before = dict(matplotlib.rcParams)

    @style.paper
    def drawn():
        figure = style.Figure(figsize=(2, 2))
        figure.subplots().set(xlabel="x", title="a title")
        return figure

    figure = drawn()
    figure.draw_without_rendering()
    (panel,) = figure.axes
    assert panel.xaxis.label.get_size() == panel.title.get_size() == 8
    assert {tick.get_size() for tick in panel.get_xticklabels()} == {7}
    assert not panel.spines["top"].get_visible()
    assert dict(matplotlib.rcParams) == before

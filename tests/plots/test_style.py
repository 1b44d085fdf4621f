"""What stands on the axes, and what a notebook shows."""

import io
import subprocess
import sys
from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest
import xarray as xr
from PIL import Image

from jsuper import plots
from jsuper.plots import style

PACKAGE = Path(style.__file__).parent.parent


def ticks(low, high, scale="log"):
    """Labels that lie inside an axis from low to high."""
    figure = style.Figure()
    axis = figure.subplots().xaxis
    axis.axes.set(xscale=scale, xlim=(low, high))
    style.plain_log(axis)
    figure.draw_without_rendering()
    places = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
    low, high = sorted((low, high))
    return [label.get_text() for place, label in places if low <= place <= high]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.009, 1.1, ["0.01", "0.03", "0.1", "0.3", "1"]),
        (1.1, 0.009, ["0.01", "0.03", "0.1", "0.3", "1"]),
        (0.01, 1, ["0.01", "0.03", "0.1", "0.3", "1"]),
        (0.9, 6, ["1", "2", "3", "5"]),
        (1e-4, 10, ["0.0001", "0.001", "0.01", "0.1", "1", "10"]),
        (1, 1e5, ["1", "10", "100", "1000", "10000", "100000"]),
        (0.49, 0.61, ["0.5", "0.55", "0.6"]),
        (0.9999, 1.00031, ["1", "1.0002"]),
        (1e-9, 1e-3, ["1e−09", "1e−08", "1e−07", "1e−06", "0.00001", "0.0001", "0.001"]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_plain_numbers(low, high, expected):
    assert ticks(low, high) == expected


def test_many_decades_have_few_ticks():
    assert 3 <= len(ticks(1e-30, 1)) <= 8


def test_names_and_numbers_on_labels():
    axes = {"activation": ["relu", "a$b$c"], "density": [0.1, 1e-4], "n_hidden": [2, 2048]}
    ds = xr.Dataset(coords=axes | {"threshold": ["low", "high"], "tied": [True, False]})
    said = {
        axis: [style.label(ds, axis, i, first=i == 0) for i in (0, 1)] for axis in ds.coords
    }
    assert said["activation"] == ["activation relu", r"a\$b\$c"]
    assert said["density"] == ["density 0.1", "0.0001"]
    assert said["n_hidden"] == ["n hidden 2", "2048"]
    assert said["tied"] == ["tied True", "False"]
    assert said["threshold"] == ["threshold low", "high"]
    dated = xr.Dataset(coords={"activation": np.array(["2026-01-02"], "M8[D]")})
    assert style.label(dated, "activation", 0) == "activation\n2026-01-02"
    assert style.coordinate("threshold", -np.inf) == "linear, t = −∞"


def test_names_have_colours_of_their_own():
    styles = style.line_styles(np.array([f"name {i}" for i in range(15)]))
    assert len({(style_["color"], style_["linestyle"]) for style_ in styles}) == 15
    assert {style_["color"] for style_ in styles} <= set(style.PALETTE.values())
    assert (
        len({style_["color"] for style_ in style.line_styles(np.array([True, False]))}) == 2
    )
    light = [style.SEQUENTIAL.reversed()(x)[1] for x in (0.0, 0.5, 1.0)]
    numbers = style.line_styles(np.array([1.0, 0.5, 0.1]))
    assert [style_["color"][1] for style_ in numbers] == light


def test_names_lie_side_by_side():
    for values in (["relu", "gelu", "relu6"], [True, False, None], [1.0, np.inf, -np.inf]):
        scale, edges = style.cell_edges(np.array(values, object))
        assert scale == "linear"
        np.testing.assert_array_equal(edges, [-0.5, 0.5, 1.5, 2.5])
    objects = np.array([0.01, 0.1, 1.0], object)
    np.testing.assert_allclose(style.cell_edges(objects)[1], 10.0 ** np.arange(-2.5, 1, 1))


def test_what_is_fixed_stands_above_the_figure():
    ds = xr.Dataset(
        coords={
            "density": 0.1,
            "activation": "relu",
            "when": np.datetime64("2026-01-02"),
            "note": "first try",
            "tied": True,
            "nothing": None,
            "seed": 3,
            "b_padding": True,
        }
    )
    figure = style.Figure()
    style.say_what_is_fixed(figure, ds)
    said = figure.get_suptitle().replace("\n", " ")
    for part in (
        "density 0.1",
        "activation relu",
        "when 2026-01-02",
        "note first try",
        "tied True",
        "nothing None",
    ):
        assert part in said
    assert "seed" not in said
    assert "padding" not in said


def test_a_threshold_is_not_broken_into_two_lines(made):
    one = made({"density": [0.1], "threshold": [0.0]}).isel(density=0, threshold=0)
    assert plots.embeddings(one).get_suptitle() == "density 0.1, ReLU, t = 0"
    long = one.assign_coords(density=0.0973)
    assert plots.embeddings(long).get_suptitle() == "density 0.0973, ReLU,\nt = 0"


def test_a_threshold_is_relus_only_where_that_is_the_activation(made):
    ds = made({"threshold": [0.0, -np.inf]})
    said = [style.label(ds, "threshold", i) for i in (0, 1)]
    assert said == ["ReLU, t = 0", "linear, t = −∞"]
    ds["threshold"].attrs["long_name"] = "threshold t"  # of another activation
    assert [style.label(ds, "threshold", i) for i in (0, 1)] == ["t = 0", "t = −∞"]
    mixed = made({"activation": ["relu", "tanh"]}).assign_coords(threshold=-0.1)
    assert plots.embeddings(mixed).get_suptitle() == "t = −0.1"
    # No activation has one.
    assert plots.embeddings(mixed.assign_coords(threshold=0.0)).get_suptitle() == ""


def test_a_figure_shows_itself_in_a_notebook(made):
    ds = made({"density": [1.0, 0.1]})
    for draw in (plots.embeddings, plots.feature_graphs):
        figure = draw(ds)
        assert isinstance(figure, matplotlib.figure.Figure)
        with Image.open(io.BytesIO(figure._repr_png_())) as picture:
            width, height = figure.get_size_inches() * figure.dpi
            assert picture.format == "PNG"
            assert abs(picture.width - width) <= 1
            assert abs(picture.height - height) <= 1


def test_drawing_leaves_pyplot_alone():
    program = """
import sys, numpy as np, xarray as xr, jsuper as js
ds = xr.Dataset({"W": (("feature", "hidden"), np.eye(3, 2))})
assert js.plots.embeddings(ds)._repr_png_().startswith(b"\\x89PNG")
print("matplotlib.pyplot" in sys.modules)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize(
    "path",
    [p for p in PACKAGE.rglob("*.py") if "Figure(" in p.read_text(encoding="utf-8")],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_every_figure_made_is_one_that_shows_itself(path):
    source = path.read_text(encoding="utf-8")
    assert "from matplotlib.figure import" not in source

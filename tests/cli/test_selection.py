"""Words as values of an axis: numbers, names, booleans, dates, and what is none of them."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from jsuper.cli.selection import select, selection

AXES = {
    "density": [1.0, 0.3, 0.1],
    "threshold": [0.0, -0.25, -np.inf],
    "activation": ["relu", "gelu", "a, b"],
    "tied": [True, False],
    "n_hidden": [1, 2, 64],
    "day": pd.to_datetime(["2026-01-01", "2026-02-01"]).values,
    "wait": np.array([1, 5], "m8[h]"),
    "seed": [3, 4, 8],
}


@pytest.fixture
def ds():
    shape = tuple(map(len, AXES.values()))
    loss = np.arange(np.prod(shape), dtype=float).reshape(shape)
    coords = {**AXES, "sparsity": ("density", [0.0, 0.7, 0.9])}
    coords["single"] = ("density", np.array([1.0, 0.3, 0.1], np.float32))
    coords["mixed"] = ("activation", np.array(["none", 0.5, None], object))
    hidden = np.arange(64) >= np.array(AXES["n_hidden"])[:, None]
    coords["hidden_padding"] = (("n_hidden", "hidden"), hidden)
    W = (("n_hidden", "hidden"), np.where(hidden, np.nan, 1.0))
    return xr.Dataset({"loss": (tuple(AXES), loss), "W": W}, coords)


def chosen(ds, *words):
    return select(ds, [selection(word) for word in words])


@pytest.mark.parametrize(
    ("word", "place", "said"),
    [
        ("density=0.1", {"density": 2}, "0.1"),
        ("density=0.09", {"density": 2}, "0.1"),
        ("density=1e9", {"density": 0}, "1"),
        ("sparsity=0.9", {"density": 2}, "0.9"),
        ("single=0.1", {"density": 2}, "0.1"),
        ("threshold=linear", {"threshold": 2}, "-inf"),
        ("threshold=-inf", {"threshold": 2}, "-inf"),
        ("threshold=-0.2", {"threshold": 1}, "-0.25"),
        ("activation=gelu", {"activation": 1}, "gelu"),
        ("activation=a, b", {"activation": 2}, "a, b"),
        ("mixed=0.5", {"activation": 1}, "0.5"),
        ("mixed=None", {"activation": 2}, "None"),
        ("tied=true", {"tied": 0}, "True"),
        ("tied=False", {"tied": 1}, "False"),
        ("tied=0", {"tied": 1}, "False"),
        ("n_hidden=2", {"n_hidden": 1}, "2"),
        ("n_hidden=50", {"n_hidden": 2}, "64"),
        ("day=2026-02-01", {"day": 1}, "2026-02-01"),
        ("day=2026-01", {"day": 0}, "2026-01-01"),
        ("day=2026-01-31T12:00", {"day": 1}, "2026-02-01"),
        ("wait=5h", {"wait": 1}, "0 days 05:00:00"),
        ("seed=8", {"seed": 2}, "8"),
        ("density=1,0.1", {"density": [0, 2]}, "1, 0.1"),
        ("density=0.1, 1, 0.1", {"density": [2, 0]}, "0.1, 1"),
        ("activation=relu,gelu", {"activation": [0, 1]}, "relu, gelu"),
        ("tied=yes,no", {"tied": [0, 1]}, "True, False"),
    ],
)
def test_a_word_selects_a_value(ds, word, place, said):
    part, taken = chosen(ds, word)
    assert taken == {word.partition("=")[0]: said}
    xr.testing.assert_identical(part["loss"], ds["loss"].isel(place))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("density=nan", "--select density must be a number, got 'nan'"),
        ("density=relu", "--select density must be a number, got 'relu'"),
        ("density=linear", "--select density must be a number, got 'linear'"),
        ("density=1,", "--select density must be a number, got ''"),
        ("density=inf", "--select density must be one of 1, 0.3, 0.1, got 'inf'"),
        ("n_hidden=1.5", "--select n_hidden must be an integer, got '1.5'"),
        ("n_hidden=true", "--select n_hidden must be an integer, got 'true'"),
        ("seed=5", "--select seed must be one of 3, 4, 8, got '5'"),
        (
            "activation=Relu",
            "--select activation must be one of relu, gelu, a, b, got 'Relu'",
        ),
        (
            "activation=nan",
            "--select activation must be one of relu, gelu, a, b, got 'nan'",
        ),
        ("tied=2", "--select tied must be one of True, False, got '2'"),
        ("tied=nan", "--select tied must be one of True, False, got 'nan'"),
        ("day=nan", "--select day must be a date (2026-01-31), got 'nan'"),
        ("day=NaT", "--select day must be a date (2026-01-31), got 'NaT'"),
        ("day=5", "--select day must be a date (2026-01-31), got '5'"),
        ("day=2026-13-01", "--select day must be a date (2026-01-31), got '2026-13-01'"),
        ("wait=5", "--select wait must be a span of time (3 days), got '5'"),
        ("wait=long", "--select wait must be a span of time (3 days), got 'long'"),
        ("depth=1", "--select must name one of ['density', 'threshold', 'activation', "),
        ("hidden=1", "--select must name one of ["),
        ("hidden_padding=1", "--select must name one of ["),
    ],
)
def test_what_is_no_value_is_refused(ds, word, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        chosen(ds, word)
    assert str(error.value).startswith(message)


def test_coordinates_beside_an_axis_are_offered(ds):
    with pytest.raises(
        ValueError, match=r"'seed', 'sparsity', 'single', 'mixed'\], got 'x'$"
    ):
        chosen(ds, "x=1")


def test_several_axes_and_the_same_one_twice(ds):
    part, taken = chosen(ds, "density=1", "activation=gelu", "density=0.1")
    assert part["density"].values.tolist() == [1.0, 0.1]
    assert taken == {"density": "1, 0.1", "activation": "gelu"}
    with pytest.raises(ValueError, match="got 'sparsity'"):
        chosen(ds, "density=1", "sparsity=0.9")


def test_an_axis_with_gaps_has_nearest_values_still(ds):
    gaps = ds.assign_coords(density=[1.0, np.nan, 0.1])
    assert chosen(gaps, "density=0.2")[1] == {"density": "0.1"}
    days = ds.assign_coords(day=np.array(["NaT", "2026-02-01"], "M8[D]"))
    assert chosen(days, "day=2020-01-01")[1] == {"day": "2026-02-01"}
    linear = ds.assign_coords(threshold=[-np.inf] * 3).isel(threshold=[0])
    with pytest.raises(ValueError, match="--select threshold must be -inf, got '0'"):
        chosen(linear, "threshold=0")

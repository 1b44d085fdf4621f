"""What netCDF cannot hold is converted or named; what is damaged is refused in a line."""

import datetime
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import jsuper as js
from jsuper import netcdf


def back(ds, tmp_path):
    """The dataset after it has been saved and read."""
    return js.load(js.save(ds.assign(loss=0.0), tmp_path / "sweep.nc")).drop_vars("loss")


def test_dates_with_a_time_zone_become_text(tmp_path):
    days = pd.DatetimeIndex(["2026-01-02", "2026-01-03"], tz="UTC")
    ds = xr.Dataset({"W": ("day", [1.0, 2.0])}, {"when": days[0]})
    ds = ds.assign_coords(day=("day", np.array(list(days), object)))
    read = back(ds, tmp_path)
    assert str(read["when"].values) == "2026-01-02 00:00:00+00:00"
    assert read["day"].values.tolist() == [str(day) for day in days]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, 1),
        (np.False_, 0),
        (None, "None"),
        (3, 3),
        (2**70, str(2**70)),
        (0.5, 0.5),
        ("", ""),
        ("ü", "ü"),
        (b"text", "text"),
        (datetime.datetime(2026, 1, 2, 3), "2026-01-02 03:00:00"),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (pd.Timestamp("2026-01-02"), "2026-01-02 00:00:00"),
        (Path("a/b"), "a/b"),
        (
            {"rate": 0.1, "when": datetime.date(2026, 1, 2)},
            '{"rate": 0.1, "when": "2026-01-02"}',
        ),
        ([1, 2], [1, 2]),
        ([True, 2], [1, 2]),
        (["a", "b"], ["a", "b"]),
        (("a", None), '["a", null]'),
        ([[1, 2], [3, 4]], "[[1, 2], [3, 4]]"),
        ([], "[]"),
        (np.array([True, False]), [1, 0]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array(["a", None], object), '["a", null]'),
        (np.array(["2026-01-02"], "M8[D]"), ["2026-01-02"]),
        (jnp.arange(3), [0, 1, 2]),
        (np.float32(0.5), 0.5),
    ],
)
def test_attributes_of_any_kind_are_kept_or_become_text(value, expected, tmp_path):
    ds = xr.Dataset({"W": ("feature", [1.0], {"note": value})}, attrs={"note": value})
    read = back(ds, tmp_path)
    for attrs in (read.attrs, read["W"].attrs):
        got = attrs["note"]
        if isinstance(expected, list):
            assert list(np.atleast_1d(got)) == expected
        else:
            assert got == expected
    if isinstance(value, dict):
        assert json.loads(read.attrs["note"])["rate"] == 0.1
    assert ds.attrs["note"] is value  # the input stays as it was


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([True, False], object), [True, False]),
        (np.array([True, np.nan], object), [1.0, np.nan]),
        (np.array(["relu", None], object), ["relu", ""]),
        (np.array(["relu", 0.5], object), ["relu", "0.5"]),
        (np.array([{"a": 1}, None], object), ["{'a': 1}", "None"]),
        (np.array([1, 2.5], object), [1, 2.5]),
        (pd.Categorical(["relu", "gelu"]), ["relu", "gelu"]),
        (pd.array([1, None], dtype="Int64"), [1, np.nan]),
        (pd.array([True, None], dtype="boolean"), [1, np.nan]),
        (pd.to_datetime(["2026-01-01", "2026-01-02"]), None),
        (np.array([datetime.datetime(2026, 1, 1)] * 2, object), None),
        (np.asarray(jnp.array([0.5, 2], jnp.bfloat16)), [0.5, 2]),
        (jnp.array([0.5, 2]), [0.5, 2]),
    ],
    ids=lambda values: str(getattr(values, "dtype", "")),
)
@pytest.mark.parametrize("place", ["variable", "axis"])
def test_columns_of_any_kind_are_kept_or_become_text(values, expected, place, tmp_path):
    dim = "i" if place == "variable" else "a"
    ds = xr.Dataset({"a": (dim, values)})
    read = back(ds, tmp_path)["a"].values
    if expected is None:
        assert read.astype("M8[D]").astype(str)[0] == "2026-01-01"
    elif isinstance(expected[0], str):
        assert read.tolist() == expected
    else:
        np.testing.assert_array_equal(read.astype(float), np.array(expected, float))


@pytest.mark.parametrize(
    ("ds", "message"),
    [
        (xr.Dataset({1: ("i", [1.0])}), "Invalid name 1"),
        (xr.Dataset({"a/b": ("i", [1.0])}), "'a/b'"),
        (xr.Dataset(attrs={"": 1}), "Invalid name for attr ''"),
        (xr.Dataset(attrs={"a": "nul \0"}), "NULL"),
        (
            xr.Dataset({"W": (("a", "b"), np.eye(2))}, {"a": [1, 2], "b": [1, 2]}).stack(
                model=("a", "b")
            ),
            "'model' is a MultiIndex",
        ),
        (xr.DataArray([1.0]), "must be an xarray Dataset or DataTree, got DataArray"),
    ],
)
def test_what_cannot_be_held_is_named_in_a_line(ds, message, tmp_path):
    with pytest.raises(ValueError, match=r"^ds must ") as error:
        js.save(ds, tmp_path / "sweep.nc")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_damaged_files_are_refused_or_read(engine, tmp_path):
    rng = np.random.default_rng(0)
    ds = xr.Dataset(
        {"loss": (("density", "seed"), rng.random((3, 2)))},
        {"density": [1.0, 0.3, 0.1], "name": ("density", ["a", "b", "c"])},
    )
    path = tmp_path / "damaged.nc"
    ds.to_netcdf(path, engine=engine)
    whole, refused = path.read_bytes(), 0
    for i in range(60):
        if i % 3:
            data = np.frombuffer(whole, np.uint8).copy()
            at = rng.integers(0, len(data), 20)
            data[at] ^= rng.integers(1, 256, 20, np.uint8)
        else:
            data = np.frombuffer(whole[: rng.integers(1, len(whole))], np.uint8)
        path.write_bytes(data.tobytes())
        said = refusal(path)
        if said:
            assert said.startswith("file must be the netCDF file of a sweep, got ")
            assert "\n" not in said
            refused += 1
    assert refused > 30


def refusal(path):
    try:
        js.load(path)
    except ValueError as error:
        return str(error)
    return ""


def test_bytes_are_those_of_a_file(tmp_path):
    ds = xr.Dataset({"loss": ("seed", [0.5])}, {"seed": [3]})
    path = tmp_path / "sweep.nc"
    path.write_bytes(netcdf.to_bytes(ds))
    xr.testing.assert_identical(netcdf.read(path), ds)
    xr.testing.assert_identical(xr.load_dataset(path, engine="h5netcdf"), ds)

"""What has converged, and from where on something holds."""

import numpy as np
import pytest
import xarray as xr

import jsuper as js

NAN = np.nan


def histories(*rows, finite=None):
    ds = xr.Dataset({"history": (("seed", "step"), np.array(rows, np.float32))})
    return ds if finite is None else ds.assign(finite=("seed", finite))


def falling(n, tenth):
    """A loss of n entries that falls by a fraction in the last ``tenth`` of them."""
    return lambda fall: np.r_[np.ones(n - tenth), np.full(tenth, 1 - fall)]


@pytest.mark.parametrize(("n", "tenth"), [(2, 1), (10, 1), (19, 1), (20, 2), (100, 10)])
def test_a_fall_below_five_percent_is_none(n, tenth):
    row = falling(n, tenth)
    found = js.converged(histories(row(0.049), row(0.051), row(-0.1)))
    assert found.dims == ("seed",)
    assert found.values.tolist() == [True, False, True]
    assert js.converged(histories(row(0.051)), max_fall=0.06).all()


def test_each_model_is_judged_by_its_own_entries():
    falls, rests = np.geomspace(1, 0.01, 20), np.r_[np.geomspace(1, 0.1, 10), [0.1] * 10]
    expected = js.converged(histories(falls, rests)).values.tolist()
    assert expected == [False, True]
    # Joined with a run of twice the length, and with one that logs between these steps.
    gap = np.full(20, NAN)
    longer = [np.r_[row, gap] for row in (falls, rests)]
    between = [np.stack([gap, row], -1).ravel() for row in (falls, rests)]
    for rows in (longer, between):
        assert js.converged(histories(*rows)).values.tolist() == expected


@pytest.mark.parametrize("dtype", [bool, "int8", object])
def test_what_diverged_or_has_one_entry_has_not_converged(dtype):
    rows = [[1, 1, 1, 1], [1, 1, NAN, NAN], [1, NAN, NAN, NAN], [NAN] * 4]
    finite = np.array([True, False, True, True], dtype)
    found = js.converged(histories(*rows, finite=finite))
    assert found.values.tolist() == [True, False, False, False]
    assert not js.converged(histories([np.inf, np.inf])).any()


def test_converged_needs_a_history():
    with pytest.raises(ValueError, match=r"^ds must have a variable history along step"):
        js.converged(histories([1, 1]).isel(step=-1))
    with pytest.raises(ValueError, match=r"^max_fall must be in \(0, 1\), got 5$"):
        js.converged(histories([1, 1]), max_fall=5)


def first(condition, values):
    array = xr.DataArray(np.array(condition, bool), {"density": values}, dims="density")
    return js.holds_from(array, "density").item()


def test_the_first_value_from_which_a_condition_holds_to_the_end():
    values = [1.0, 0.3, 0.1, 0.05]
    assert first([0, 1, 1, 1], values) == 0.3
    assert first([1, 1, 1, 1], values) == 1.0
    assert first([1, 0, 1, 1], values) == 0.1
    assert first([1, 1, 0, 1], values) == 0.05
    assert np.isnan(first([1, 1, 1, 0], values))
    assert np.isnan(first([0, 0, 0, 0], values))


def test_every_row_is_searched_by_itself():
    rng = np.random.default_rng(0)
    condition = xr.DataArray(
        rng.random((4, 6, 5)) > 0.4,
        {"density": [3, 1, 2, 5, 4, 9]},
        dims=("a", "density", "b"),
    )
    found = js.holds_from(condition, "density")
    assert found.dims == ("a", "b")
    for a, b in np.ndindex(4, 5):
        held = [
            condition["density"].values[i]
            for i in range(6)
            if condition.isel(a=a, b=b).values[i:].all()
        ]
        np.testing.assert_equal(float(found[a, b]), held[0] if held else NAN)


def test_an_axis_of_names():
    assert first([0, 1], ["relu", "gelu"]) == "gelu"
    assert np.isnan(first([1, 0], ["relu", "gelu"]))


def test_holds_from_needs_booleans_along_the_axis():
    array = xr.DataArray([1.0, NAN], dims="density")
    with pytest.raises(ValueError, match=r"^condition must hold booleans, got float64$"):
        js.holds_from(array, "density")
    with pytest.raises(ValueError, match=r"^dim must be one of \['density'\], got 'seed'$"):
        js.holds_from(array > 0, "seed")

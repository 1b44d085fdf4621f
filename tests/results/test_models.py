"""Models of a dataset: which are finite, whatever tools have made of that."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from jsuper.results.models import at_last_step, is_finite, last_of, model_axes

TRUE_FALSE = np.array([True, False, True])


@pytest.mark.parametrize(
    "values",
    [
        TRUE_FALSE,
        TRUE_FALSE.astype("int8"),
        TRUE_FALSE.astype("uint8"),
        TRUE_FALSE.astype(np.float32),
        TRUE_FALSE.astype(object),
        np.array([True, None, 1], object),
        np.array([1.0, np.nan, 1.0]),
        np.array([True, np.nan, True], object),
        np.array([True, pd.NA, True], object),
        # Means over models, of which some or all are finite.
        np.array([1.0, 0.5, 1.0]),
        np.array([1.0, 1 - 2**-53, 1.0]),
    ],
    ids=lambda values: f"{values.dtype} {values.tolist()}",
)
def test_finite_is_read_from_any_dtype(values):
    found = is_finite(xr.Dataset({"finite": ("seed", values)}, {"seed": [3, 4, 5]}))
    assert found.dtype == bool
    assert found.values.tolist() == [True, False, True]
    assert found.dims == ("seed",)


def test_a_mean_of_many_models_is_finite_where_all_are():
    finite = xr.Dataset({"finite": (("density", "seed"), np.ones((2, 7), bool))})
    finite["finite"][1, 3] = False
    for dtype in (bool, "int8", np.float32, np.float16):
        mean = finite.assign(finite=finite["finite"].astype(dtype)).mean("seed")
        assert is_finite(mean).values.tolist() == [True, False]


def test_models_without_finite_are_taken_as_finite():
    assert bool(is_finite(xr.Dataset()))


@pytest.mark.parametrize("values", [["yes", "no"], [object(), None]])
def test_what_says_neither_is_refused(values):
    with pytest.raises(ValueError, match=r"^finite must hold booleans or numbers, got .*$"):
        is_finite(xr.Dataset({"finite": ("seed", np.array(values, object))}))


def test_axes_are_those_of_the_models():
    W = (("activation", "seed", "feature", "hidden"), np.zeros((2, 3, 5, 2)))
    history = (("activation", "seed", "step"), np.zeros((2, 3, 4)))
    grid = xr.Dataset({"W": W, "history": history})
    assert model_axes(grid) == ["activation", "seed"]
    assert model_axes(grid[["W"]]) == ["activation", "seed"]
    assert model_axes(grid.mean("seed")) == ["activation"]
    finite = ("activation", "seed", "step"), np.ones((2, 3, 4), bool)
    assert model_axes(grid.assign(finite=finite)) == ["activation", "seed", "step"]
    assert model_axes(xr.Dataset({"count": ("density", [1, 2])})) == ["density"]
    assert model_axes(xr.Dataset()) == []


def test_the_last_entry_of_each_model():
    nan = np.nan
    history = xr.DataArray(
        [[1, 2, nan, nan], [nan, 1, nan, 2], [1, 2, 3, 4], [nan] * 4],
        dims=("seed", "step"),
    )
    assert last_of(history).values.tolist() == [1, 3, 3, 0]


def test_each_model_at_the_last_step_of_its_run():
    nan = np.nan
    finite = np.array([[True, True, nan], [True, True, False], [True, False, nan]], object)
    loss = [[3.0, 2.0, nan], [3.0, 2.0, nan], [3.0, nan, nan]]
    dims = ("seed", "step")
    ds = xr.Dataset({"loss": (dims, loss), "finite": (dims, finite)}, {"step": [1, 2, 3]})
    last = at_last_step(ds)
    assert last["step"].values.tolist() == [2, 3, 2]
    assert is_finite(last).values.tolist() == [True, False, False]
    np.testing.assert_array_equal(last["loss"], [2.0, nan, nan])
    assert at_last_step(ds[["loss"]])["step"].values.tolist() == [2, 2, 1]
    plain = ds.isel(step=0)
    assert at_last_step(plain) is plain

"""The models of lowest loss: by the last loss that each of them has."""

import numpy as np
import pytest
import xarray as xr

import jsuper as js

NAN = np.nan


@pytest.fixture
def ds():
    """Losses of (2 cells, 4 seeds); W tells which model it is."""
    loss = np.array([[0.3, 0.1, NAN, 0.2], [0.5, NAN, NAN, 0.6]])
    return xr.Dataset(
        {
            "W": (
                ("feature", "seed", "hidden", "cell"),
                np.arange(16.0).reshape(1, 4, 2, 2),
            ),
            "loss": (("cell", "seed"), loss),
            "importance": ("feature", [1.0]),
        },
        {"cell": ["a", "b"], "seed": [4, 5, 6, 7]},
    )


def test_lowest_ranks_the_seeds_of_each_cell(ds):
    found = js.lowest(ds, 3)
    assert found["seed"].dims == ("cell", "rank")
    assert found["seed"].values.tolist() == [[5, 7, 4], [4, 7, 5]]
    assert found["rank"].values.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(found["loss"], [[0.1, 0.2, 0.3], [0.5, 0.6, NAN]])
    for cell, rank in np.ndindex(2, 3):
        one = found.isel(cell=cell, rank=rank)
        same = ds.isel(cell=cell).sel(seed=int(one["seed"]))
        np.testing.assert_array_equal(one["W"], same["W"])
    assert found["importance"].dims == ("feature",)


def test_the_lowest_one_is_the_best(ds):
    xr.testing.assert_identical(
        js.lowest(ds, 1).isel(rank=0).drop_vars("rank"), js.best_seed(ds)
    )
    assert js.best_seed(ds)["seed"].values.tolist() == [5, 4]


def test_all_seeds_are_there_once(ds):
    every = js.lowest(ds, 4)["seed"].values
    np.testing.assert_array_equal(np.sort(every, -1), np.broadcast_to([4, 5, 6, 7], (2, 4)))


def test_seeds_without_numbers_count_from_0(ds):
    assert js.best_seed(ds.drop_vars("seed"))["seed"].values.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("n", "message"), [(5, "at most 4"), (0, "at least 1"), (1.0, "int")]
)
def test_as_many_as_there_are(ds, n, message):
    with pytest.raises(ValueError, match=f"^n must be .*{message}.*, got {n}$"):
        js.lowest(ds, n)


def test_only_a_history_is_judged_by_its_last_entries():
    # Runs of 3 and of 5 steps, joined; the second cell's step 4 is from another log_every.
    history = [
        [[9, 8, 1, NAN, NAN], [9, 1, 2, NAN, NAN]],
        [[9, 8, 7, NAN, 3], [9, 1, 1, NAN, 4]],
    ]
    dims = ("length", "seed", "step")
    ds = xr.Dataset({"history": (dims, history)}, {"length": [3, 5], "step": range(1, 6)})
    assert js.best_seed(ds)["seed"].values.tolist() == [0, 0]


def test_a_model_that_diverged_is_not_judged_by_what_it_was_before():
    history = [[9.0, 1.0, NAN], [9.0, 8.0, 7.0]]
    dims = ("seed", "step")
    ds = xr.Dataset({"history": (dims, history), "finite": ("seed", [False, True])})
    assert int(js.best_seed(ds)["seed"]) == 1
    # Along training, finite says so at every step that the run has.
    finite = np.array([[True, True, False, np.nan], [True, True, True, np.nan]], object)
    loss = [[9.0, 1.0, NAN, NAN], [9.0, 8.0, 7.0, NAN]]
    along = xr.Dataset({"loss": (dims, loss), "finite": (dims, finite)})
    assert int(js.best_seed(along)["seed"]) == 1


@pytest.mark.parametrize("dtype", ["int8", float, object])
def test_a_model_that_is_not_finite_is_not_the_best(ds, dtype):
    finite = ds["loss"].notnull()
    finite[0, 1] = False  # an infinite weight that plays no part in the loss
    best = js.best_seed(ds.assign(finite=finite.astype(dtype)))
    assert best["seed"].values.tolist() == [7, 4]


def test_models_of_several_sizes_and_names_keep_their_marks():
    dims = ("activation", "n_hidden", "seed")
    loss = np.random.default_rng(0).random((2, 2, 3))
    W = np.arange(48.0).reshape(2, 2, 3, 2, 2)
    W[:, 0, :, :, 1] = NAN
    coords = {
        "activation": ["relu", "gelu"],
        "n_hidden": [1, 2],
        "hidden_padding": (("n_hidden", "hidden"), [[False, True], [False, False]]),
        "b_padding": ("activation", [True, False]),
        "note": "first try",
    }
    ds = xr.Dataset({"W": ((*dims, "feature", "hidden"), W), "loss": (dims, loss)}, coords)
    best = js.best_seed(ds)
    np.testing.assert_array_equal(best["seed"], loss.argmin(-1))
    for name in coords:
        xr.testing.assert_identical(best.coords[name].variable, ds.coords[name].variable)
    one = best.sel(activation="gelu", n_hidden=2)
    np.testing.assert_array_equal(one["W"], W[1, 1, loss[1, 1].argmin()])

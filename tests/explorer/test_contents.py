import json

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.explorer.contents import as_json, contents, summary


def held(ds, **given):
    return contents(ds, **({"max_megabytes": 10} | given))


def of(ds, name, read, **given):
    return read(held(ds, **given)["variables"][name])


def test_models_are_those_of_the_dataset_best_first(made, read):
    ds = made({"density": [0.1, 0.3, 1.0], "threshold": [-0.5, 0.0]})
    found = held(ds)
    assert [axis["name"] for axis in found["axes"]] == ["density", "threshold", "seed"]
    expected = js.measure(js.lowest(ds, 3))
    for name in ("W", "b", "loss", "norm", "dimensionality", "superposed"):
        values = read(found["variables"][name])
        np.testing.assert_array_equal(values, expected[name].values, err_msg=name)
    order = read(found["variables"]["order"]).astype(int)
    np.testing.assert_array_equal(ds["seed"].values[order], expected["seed"].values)


def test_axes_are_in_the_order_of_the_page_whatever_that_of_the_file(made, read):
    ds = made({"density": [0.1, 0.3], "threshold": [-0.5, 0.0, 0.1]}, seeds=2)
    turned = ds.transpose("hidden", "seed", "feature", ...)
    np.testing.assert_array_equal(
        of(turned, "norm", read), of(ds, "norm", read).transpose(0, 1, 2, 3)
    )
    assert held(turned)["variables"]["W"]["own"] == ["hidden", "feature"]


def test_without_losses_seeds_keep_their_order(made, read):
    ds = made({"density": [0.1, 0.3]}).drop_vars(["loss", "history"])
    found = held(ds)
    assert not found["judged"]
    assert found["curve"] is None
    np.testing.assert_array_equal(read(found["variables"]["order"]), [0, 1, 2])
    np.testing.assert_array_equal(read(found["variables"]["W"]), ds["W"].values)


def test_states_of_models(made, read):
    ds = made({"density": [0.1, 0.3, 1.0]}, seeds=None)
    ds["W"][0] = np.nan
    ds["finite"][0] = False
    ds = ds.assign(done=("density", [True, True, False]))
    assert of(ds, "status", read).tolist() == ["diverged", "", "not trained"]
    assert of(ds, "geometry", read)[0] == ""


def test_a_page_begins_with_a_model_that_is_trained(made):
    ds = made({"density": [0.1, 0.3, 1.0], "threshold": [0.0, -0.1]}, seeds=None)
    done = [[False, False], [False, True], [True, True]]
    held = contents(ds.assign(done=(("density", "threshold"), done)), max_megabytes=10)
    assert held["start"] == {"density": 1, "threshold": 1}
    assert summary(held).endswith("; 3 of them not trained yet")
    held = contents(ds, max_megabytes=10)
    assert held["start"] == {}
    assert summary(held).endswith("2 values of threshold")


def test_cells_with_fewer_minima_have_no_model(read):
    ds = xr.Dataset(
        {
            "W": (("density", "minimum", "feature", "hidden"), np.ones((1, 2, 2, 1))),
            "loss": (("density", "minimum"), [[0.1, np.nan]]),
            "finite": (("density", "minimum"), [[True, False]]),
            "geometry": (("density", "minimum"), [["digon", ""]]),
        },
        {"density": [0.1], "minimum": [0, 1]},
    )
    assert of(ds, "status", read).tolist() == [["", "no model"]]
    assert of(ds, "geometry", read).tolist() == [["digon", ""]]


def test_polytopes_are_named_with_their_features(read):
    W = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [0, 0]], float)
    ds = xr.Dataset({"W": (("feature", "hidden"), W)})
    assert of(ds, "geometry", read) == "2 digons"
    assert of(ds, "blocks", read) == "digon (0, 2), digon (1, 3)"


def test_many_models_are_not_named(made, monkeypatch):
    monkeypatch.setattr("jsuper.explorer.contents.MAX_NAMED", 10)
    found = held(made({"density": [0.1, 0.3]}))
    assert "geometry" not in found["variables"]
    assert "Polytopes are not named: 30 features are more than 10." in found["notes"]


def test_axes_of_every_kind(made):
    axes = {
        "density": np.array([0.1, 0.3, 1.0]),
        "activation": ["relu", "gelu"],
        "n_hidden": [2, 3],
        "threshold": [-np.inf, 0.0],
        "day": np.array(["2026-01-02", "2026-01-03"], "datetime64[ns]"),
    }
    ds = made(axes).assign_coords(sparsity=("density", [0.9, 0.7, 0.0]))
    ds["density"].attrs |= {"long_name": "density (1 − sparsity)", "units": "1"}
    density, activation, n_hidden, threshold, day, seed = held(ds)["axes"]
    assert density["scaled"]
    assert (density["long_name"], density["units"]) == ("density (1 − sparsity)", "1")
    assert [beside["name"] for beside in density["beside"]] == ["sparsity"]
    assert activation["values"] is None
    assert activation["texts"] == ["relu", "gelu"]
    assert not n_hidden["scaled"]
    assert threshold["values"] == ["-inf", 0.0]
    assert not threshold["scaled"]
    assert day["texts"] == ["2026-01-02", "2026-01-03"]
    assert seed["texts"] == ["5", "6", "7"]


def test_close_values_have_the_digits_that_tell_them_apart(made):
    axis = held(made({"density": [0.12341, 0.12342]}))["axes"][0]
    assert axis["texts"] == ["0.12341", "0.12342"]


def test_variables_of_every_shape(made, read):
    ds = made({"density": [0.1, 0.3]}).assign(
        per_cell=("density", [1.5, 2.5]),
        eigenvalues=(("density", "seed", "k"), np.arange(12.0).reshape(2, 3, 2) / 3),
        huge=(("density", "seed", "pixel"), np.zeros((2, 3, 100))),
        constant=((), 3.5),
    )
    found = held(ds)
    np.testing.assert_array_equal(read(found["variables"]["per_cell"]), [1.5, 2.5])
    assert found["variables"]["eigenvalues"]["own"] == ["k"]
    assert "huge" not in found["variables"]
    assert "Not on the page, for its size: huge." in found["notes"]
    assert found["variables"]["constant"]["axes"] == []
    json.loads(as_json(found))


def test_snapshots_have_an_axis_of_steps(made, read):
    ds = made({"density": [0.1, 0.3]}, steps=4)
    steps = xr.DataArray(np.linspace(0.1, 1, 4).astype(np.float32), dims="step")
    ds = ds.assign(W=ds["W"] * steps, loss=ds["loss"] / steps)
    ds = ds.assign(finite=ds["finite"].broadcast_like(ds["loss"]))
    found = held(ds)
    assert [axis["name"] for axis in found["axes"]] == ["density", "step", "seed"]
    assert found["variables"]["W"]["axes"] == ["density", "step", "seed"]
    last = js.lowest(ds, 3).isel(step=-1)["W"].values
    np.testing.assert_array_equal(read(found["variables"]["W"])[:, -1], last)
    assert found["curve"]["steps"] == [10, 20, 30, 40]


def test_curves_are_close_and_thinned(made, read):
    ds = made({"density": [0.1]}, steps=500)
    curve = held(ds)["curve"]
    assert len(curve["steps"]) <= 48
    assert (curve["steps"][0], curve["steps"][-1]) == (10, 5_000)
    expected = js.lowest(ds, 3)["history"].sel(step=curve["steps"]).values
    np.testing.assert_allclose(read(curve), expected, rtol=1e-3)


def test_json_has_no_markup_and_no_nan(made):
    ds = made({"activation": ["</script><b>", "relu"]})
    ds["loss"][:] = np.nan
    text = as_json(held(ds))
    assert "<" not in text
    assert json.loads(text)["axes"][0]["texts"][0] == "</script><b>"


@pytest.mark.parametrize(
    ("ds", "error", "message"),
    [
        (3, TypeError, "ds must be an xarray.Dataset, got int"),
        (xr.Dataset(), ValueError, "ds must hold a variable of models, got none"),
        (
            xr.Dataset({"loss": (("density", "seed"), np.zeros((0, 2)))}),
            ValueError,
            "ds must hold models, got none along 'density'",
        ),
    ],
)
def test_what_has_no_models_is_refused(ds, error, message):
    with pytest.raises(error, match=message):
        held(ds)

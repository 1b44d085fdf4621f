"""Joined sweeps: values, types, sizes and provenance of the parts."""

import json
import re

import jax
import numpy as np
import optax
import pandas as pd
import pytest
import xarray as xr

import jsuper as js

DENSITIES = [1.0, 0.1]


def run(size=2, seeds=(0, 1), steps=4, densities=DENSITIES, key=0, names=("W", "b")):
    """A dataset as of a sweep, of made numbers."""
    rng = np.random.default_rng(key)
    shape = len(densities), len(seeds)
    axes = ("density", "seed")
    data = {
        "W": ((*axes, "feature", "hidden"), rng.normal(size=(*shape, 3, size))),
        "b": ((*axes, "feature"), rng.normal(size=(*shape, 3))),
    }
    ds = xr.Dataset(
        {name: data[name] for name in names}
        | {
            "loss": (axes, rng.uniform(size=shape), {"long_name": "loss on fresh data"}),
            "history": ((*axes, "step"), rng.uniform(size=(*shape, steps))),
            "finite": (axes, np.arange(4)[: np.prod(shape)].reshape(shape) != 1),
            "importance": ("feature", np.ones(3)),
        },
        {
            "density": list(densities),
            "seed": list(seeds),
            "step": np.arange(1, steps + 1),
            "sparsity": ("density", 1 - np.array(densities)),
        },
        {"made_by": json.dumps({"recipe": key, "axes": {"density": 2, "seed": 2}})},
    )
    return ds.assign({name: ds[name].astype(np.float32) for name in names})


def test_along_a_new_axis():
    parts = {"relu": run(key=1), "gelu": run(key=2)}
    ds = js.concat(parts, "activation")
    assert ds["loss"].dims == ("activation", "density", "seed")
    for name, part in parts.items():
        xr.testing.assert_equal(ds.sel(activation=name, drop=True), part)
    assert ds["finite"].dtype == bool
    assert ds["W"].dtype == np.float32
    assert ds["importance"].dims == ("feature",)
    assert ds["sparsity"].dims == ("density",)
    assert ds["loss"].attrs == {"long_name": "loss on fresh data"}
    told = json.loads(ds.attrs["made_by"])
    assert [part["recipe"] for part in told["parts"]] == [1, 2]
    assert told["dim"] == "activation"
    by_index = js.concat(parts.values(), pd.Index(["relu", "gelu"], name="activation"))
    xr.testing.assert_identical(by_index, ds)


def test_along_an_old_axis_and_again():
    first, second, third = (run(seeds=s, key=s[0]) for s in ((0, 1), (2, 3), (4, 5)))
    ds = js.concat([js.concat([first, second], "seed"), third], "seed")
    assert ds["seed"].values.tolist() == list(range(6))
    for part in (first, second, third):
        xr.testing.assert_equal(ds.sel(seed=part["seed"]), part)
    told = json.loads(ds.attrs["made_by"])
    assert [part["recipe"] for part in told["parts"]] == [0, 2, 4]


def test_along_a_scalar_coordinate():
    parts = [run(densities=[p], key=i).isel(density=0) for i, p in enumerate((0.5, 0.2))]
    ds = js.concat(parts, "density")
    assert ds["density"].values.tolist() == [0.5, 0.2]
    assert ds["sparsity"].dims == ("density",)
    np.testing.assert_array_equal(ds["loss"].sel(density=0.2), parts[1]["loss"])


def test_other_scalar_coordinates_go_along():
    parts = {1: run().assign_coords(note="first"), 2: run().assign_coords(note="second")}
    assert js.concat(parts, "run")["note"].values.tolist() == ["first", "second"]


def test_a_scalar_coordinate_that_only_one_part_has_is_not_that_of_all():
    parts = [run().assign_coords(rate=0.1, note="first"), run()]
    for order in (1, -1):
        ds = js.concat(dict(zip("ab", parts[::order], strict=True)), "run")
        np.testing.assert_array_equal(ds["rate"].values[::order], [0.1, np.nan])
        assert ds["note"].values[::order].tolist() == ["first", ""]


def test_runs_of_other_length():
    short, long = run(steps=2, key=1), run(steps=4, key=2)
    ds = js.concat({2: short, 4: long}, "steps")
    assert ds["step"].values.tolist() == [1, 2, 3, 4]
    history = ds["history"].sel(steps=2)
    np.testing.assert_array_equal(history.isel(step=slice(2)), short["history"])
    assert history.isel(step=slice(2, None)).isnull().all()
    assert ds["finite"].dtype == bool
    curves = js.plots.loss_curves(ds.isel(density=0)).axes[0].lines
    assert [int(np.isfinite(line.get_ydata()).sum()) for line in curves] == [2, 4]


def test_models_of_several_sizes_are_padded_and_marked():
    small, large = run(size=1, key=1), run(size=3, key=2)
    ds = js.concat({1: small, 3: large}, "n_hidden")
    assert ds["hidden_padding"].dims == ("n_hidden", "hidden")
    assert ds["hidden_padding"].values.tolist() == [[False, True, True], [False] * 3]
    W = ds["W"].sel(n_hidden=1)
    np.testing.assert_array_equal(W.isel(hidden=[0]), small["W"])
    assert W.isel(hidden=[1, 2]).isnull().all()
    xr.testing.assert_equal(
        js.concat([ds.sel(n_hidden=[1]), ds.sel(n_hidden=[3])], "n_hidden")[[*ds]],
        ds[[*ds]],
    )


def test_joined_sizes_are_those_of_one_sweep():
    def task(n_hidden):
        return js.Task(js.SparseFeatures(3, 0.5), js.ToyModel(3, n_hidden))

    def sweep(sizes):
        recipe = js.Recipe(1, 4, optax.set_to_zero(), eval_batches=1)
        return js.sweep(task, {"n_hidden": sizes}, recipe, key=jax.random.key(0))

    together, apart = sweep([1, 2]), js.concat([sweep([1]), sweep([2])], "n_hidden")
    xr.testing.assert_equal(apart, together)


def test_a_parameter_that_only_some_have():
    ds = js.concat({True: run(), False: run(names=("W",))}, "bias")
    assert ds["b_padding"].dims == ("bias",)
    assert ds["b_padding"].values.tolist() == [False, True]
    assert ds["b"].sel(bias=False).isnull().all()
    assert ds["b"].dtype == np.float32


def test_values_of_other_axes_stand_in_the_order_of_the_first():
    first, second = run(key=1), run(key=2).isel(density=[1, 0], seed=[1, 0])
    ds = js.concat({1: first, 2: second}, "run")
    assert ds["density"].values.tolist() == DENSITIES
    xr.testing.assert_equal(ds.sel(run=2, drop=True), run(key=2))


def test_an_axis_called_importance_leaves_that_of_features():
    ds = js.concat({0.5: run(key=1), 1.0: run(key=2)}, "importance")
    assert ds["importance"].values.tolist() == [0.5, 1.0]
    assert (ds["feature_importance"] == 1).all()


def test_models_not_said_to_be_otherwise_are_finite():
    ds = js.concat({1: run(), 2: run().drop_vars("finite")}, "run")
    assert ds["finite"].dtype == bool
    assert ds["finite"].sel(run=2).all()
    np.testing.assert_array_equal(ds["finite"].sel(run=1), run()["finite"])
    ds = js.concat({1: run(), 2: run().drop_vars("loss")}, "run")
    assert ds["loss"].sel(run=2).isnull().all()
    assert "loss_padding" not in ds.coords


def test_each_part_says_which_values_are_its_own():
    told = json.loads(js.concat([run(seeds=(0, 1)), run(seeds=(4, 2))], "seed").made_by)
    assert told["values"] == [["0", "1"], ["4", "2"]]
    told = json.loads(js.concat({"relu": run(), "gelu": run()}, "activation").made_by)
    assert told["values"] == [["relu"], ["gelu"]]
    bare = run().drop_attrs(deep=False)
    assert json.loads(js.concat({1: bare, 2: run()}, "run").made_by)["parts"][0] is None


@pytest.mark.parametrize(
    ("parts", "dim", "message"),
    [
        ([], "seed", "parts must be datasets, at least one, got []"),
        ([1], "seed", "parts must be datasets, at least one, got ['int']"),
        ([run(), run()], "seed", "distinct values along 'seed', got 0 twice"),
        ([run(), run()], "rate", "for a new axis give the parts as a mapping"),
        ({0: run()}, "seed", "dim must be new to the parts, which have an axis 'seed'"),
        ({0: run(), 1: run(seeds=[0, 2])}, "rate", "the same values along 'seed'"),
        ({0: run(), 1: run().isel(seed=0)}, "rate", "parts must have the same axes"),
        ([run(), run()], pd.Index([1], name="rate"), "dim must have 2 values, got [1]"),
        ([run()], pd.Index([1]), "dim must be a name or values with a name, got"),
        (
            {0: run(), 1: run()},
            "loss",
            "dim must not be the name of a variable, got 'loss'",
        ),
        (
            {0: js.measure(run()), 1: run()},
            "run",
            "parts must be measured alike: 'norm' is not in all of them",
        ),
    ],
)
def test_what_cannot_be_joined_is_named(parts, dim, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        js.concat(parts, dim)


def test_snapshots_are_joined_at_the_same_steps_only():
    part = run().drop_dims("step").expand_dims(step=[1, 2])
    other = part.assign_coords(step=[1, 3])
    with pytest.raises(ValueError, match="parts must have the same steps, as 'W' goes"):
        js.concat({0: part, 1: other}, "rate")

"""Loss again, at the models' own cells and at others."""

import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jsuper as js

KEY, FRESH = jax.random.key(0), jax.random.key(1)
STILL = js.Recipe(1, 64, optax.set_to_zero(), eval_batches=1)


def task(density, n_hidden=1):
    """A task whose loss is sampled: there is no closed form for this activation."""
    model = js.ToyModel(3, n_hidden, activation="gelu")
    return js.Task(js.SparseFeatures(3, density), model, 0.9)


@pytest.fixture(scope="module")
def ds():
    axes = {"density": [1.0, 0.2], "n_hidden": [1, 2], "seed": 3}
    return js.sweep(task, axes, STILL, key=KEY)


def by_hand(ds, density, n_hidden, seed, batches):
    """The mean loss of one model over batches of the evaluation stream of FRESH."""
    cell = ds.sel(n_hidden=n_hidden, seed=seed)
    params = {"W": jnp.asarray(cell["W"].values[..., :n_hidden]), "b": jnp.zeros(3)}
    stream = jax.random.fold_in(FRESH, 2)
    keys = [jax.random.fold_in(stream, i) for i in range(batches)]
    return np.mean([task(density, n_hidden).loss(params, k, 32) for k in keys])


def test_all_models_see_the_same_fresh_data(ds):
    again = js.losses(task, ds, key=FRESH, batch_size=32, batches=2)
    assert again["loss"].dims == ds["loss"].dims
    for density, n_hidden, seed in ((1.0, 2, 0), (0.2, 1, 2)):
        expected = by_hand(ds.sel(density=density), density, n_hidden, seed, 2)
        got = again["loss"].sel(density=density, n_hidden=n_hidden, seed=seed)
        np.testing.assert_allclose(got, expected, rtol=1e-5)
    # All else is as it was.
    np.testing.assert_array_equal(again["W"], ds["W"])


def test_trained_at_one_density_tested_at_all(ds):
    options = {"key": FRESH, "batch_size": 32, "batches": 2}
    matrix = js.losses(task, ds, {"density": [0.2, 0.5, 1.0]}, **options)["loss"]
    assert matrix.dims == ("density", "n_hidden", "seed", "test_density")
    own = js.losses(task, ds, **options)["loss"]
    for density in (1.0, 0.2):
        np.testing.assert_allclose(
            matrix.sel(density=density, test_density=density),
            own.sel(density=density),
            rtol=1e-5,
        )
    expected = by_hand(ds.sel(density=1.0), 0.5, 2, 1, 2)
    got = matrix.sel(density=1.0, n_hidden=2, seed=1, test_density=0.5)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_provenance_tells_how_it_was_measured(ds, tmp_path):
    js.save(ds, tmp_path / "ds.nc")
    again = js.losses(task, tmp_path / "ds.nc", {"density": [0.5]}, key=FRESH, batches=3)
    told = json.loads(again.attrs["made_by"])
    assert told["recipe"] == json.loads(ds.attrs["made_by"])["recipe"]
    assert told["losses"]["at"] == {"density": [0.5]}
    assert told["losses"]["key"]["data"] == [0, 1]
    assert (told["losses"]["batches"], told["losses"]["batch_size"]) == (3, 1024)


def test_where_the_expected_loss_is_known_it_is_that(tmp_path):
    def exact(density):
        return js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 2, -0.1))

    axes = {"density": [1.0, 0.2], "seed": 2}
    ds = js.sweep(exact, axes, STILL, key=KEY)
    assert ds["loss"].attrs == {"long_name": "population loss", "kind": "population"}
    told = json.loads(ds.attrs["made_by"])
    assert (told["recipe"]["batch_size"], told["recipe"]["eval_batches"]) == (64, None)
    again = js.losses(exact, ds, {"density": [0.2, 0.7]}, key=FRESH)
    assert again["loss"].attrs["kind"] == "population"
    assert json.loads(again.attrs["made_by"])["losses"]["batches"] is None
    own = again["loss"].sel(density=0.2, test_density=0.2)
    np.testing.assert_allclose(own, ds["loss"].sel(density=0.2), rtol=1e-6)
    for density, seed, tested in ((1.0, 1, 0.7), (0.2, 0, 0.2)):
        model = ds.sel(density=density, seed=seed)
        params = {name: jnp.asarray(model[name].values) for name in ("W", "b")}
        expected = js.population_loss(exact(tested), params)
        got = again["loss"].sel(density=density, seed=seed, test_density=tested)
        np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_further_axes_steps_and_scalar_coordinates():
    recipe = js.Recipe(10, 64, lambda rate: optax.sgd(rate), eval_batches=1)
    axes = {"rate": [0.1, 0.2], "density": [0.5, 0.2], "seed": 2}
    along = js.snapshots(task, axes, recipe, key=KEY, at=[0, 10])
    again = js.losses(task, along, key=FRESH, batches=1)["loss"]
    assert again.dims == along["loss"].dims
    last = along.isel(step=-1, rate=1, density=0)
    alone = js.losses(task, last, key=FRESH, batches=1)["loss"]
    np.testing.assert_allclose(again.isel(step=-1, rate=1, density=0), alone, rtol=1e-5)
    assert alone.dims == ("seed",)


def test_tasks_of_each_seed():
    def seeded(threshold, seed):
        features = js.SparseFeatures(2, 0.3 + 0.2 * seed)
        return js.Task(features, js.ToyModel(2, 1, threshold))

    axes = {"threshold": [0.0, -0.2], "seed": [0, 3]}
    along = js.snapshots(seeded, axes, STILL, key=KEY, at=[0, 1])
    again = js.losses(seeded, along, key=FRESH, batches=2)["loss"].isel(step=0)
    for seed in (0, 3):
        alone = js.losses(
            lambda threshold, seed=seed: seeded(threshold, seed),
            along.isel(step=0).sel(seed=seed),
            key=FRESH,
            batches=2,
        )
        np.testing.assert_allclose(again.sel(seed=seed), alone["loss"], rtol=1e-5)


def test_one_model_and_one_for_each_entry_of_an_axis(ds):
    one = ds.sel(density=0.2, n_hidden=2, seed=1)
    options = {"key": FRESH, "batch_size": 32, "batches": 2}
    again = js.losses(task, one, **options)["loss"]
    assert again.dims == ()
    np.testing.assert_allclose(again, by_hand(ds.sel(density=0.2), 0.2, 2, 1, 2), rtol=1e-5)
    axis = js.losses(task, one, {"density": [0.2]}, **options)["loss"]
    assert axis.dims == ("test_density",)
    np.testing.assert_allclose(axis[0], again, rtol=1e-6)


def test_functions_are_given_again_by_what_they_are_called():
    def scaled(kind):
        return js.Task(js.SparseFeatures(3, 0.5), js.ToyModel(3, 1), kind(2.0))

    kinds = {"square": lambda x: x**2, "half": lambda x: x / 2}
    ds = js.sweep(scaled, {"kind": kinds, "seed": 2}, STILL, key=KEY)
    assert ds["kind"].values.tolist() == ["square", "half"]
    ds = ds.isel(kind=[1, 0])
    again = js.losses(scaled, ds, key=FRESH, values={"kind": kinds})["loss"]
    # The loss is proportional to importance: 1 to 4, of the same models and data.
    np.testing.assert_allclose(again.sel(kind="square"), 4 * again.sel(kind="half"), 1e-5)
    one = ds.isel(kind=0)
    alone = js.losses(scaled, one, key=FRESH, values={"kind": kinds})["loss"]
    np.testing.assert_allclose(alone, again.sel(kind="half"), rtol=1e-5)
    with pytest.raises(
        ValueError, match=r"'kind' holds names of values \(function\): pass"
    ):
        js.losses(scaled, ds, key=FRESH)
    with pytest.raises(ValueError, match="values must say what kind=half stands for"):
        js.losses(scaled, ds, key=FRESH, values={"kind": {"square": kinds["square"]}})


def test_data_without_an_active_feature_are_told_of(ds):
    one = ds.isel(seed=[0])
    with pytest.warns(RuntimeWarning, match="4 of 4 models have a loss of exactly 0"):
        js.losses(task, one, {"density": [1e-6]}, key=FRESH, batches=1)


@pytest.mark.parametrize(
    ("build", "change", "options", "message"),
    [
        (
            lambda width: task(0.5),
            None,
            {},
            "ds must have an axis or a scalar coordinate 'w",
        ),
        (task, lambda ds: ds.drop_vars("b"), {}, "a variable 'b' of dimensions"),
        (task, None, {"batches": 0}, "batches must be an integer of at least 1, got 0"),
        (task, None, {"at": {"density": [2.0]}}, "density must be in (0, 1], got 2"),
        (task, None, {"at": {"seed": [0]}}, "at must not name 'seed'"),
        (
            task,
            None,
            {"at": {"rate": [0.1]}},
            "which takes (density, n_hidden), got 'rate'",
        ),
        (lambda **p: task(**p), None, {}, "build must name all arguments that it takes"),
        (
            task,
            lambda ds: ds.drop_vars("n_hidden").assign_coords(n_hidden=("seed", [1, 1, 2])),
            {},
            "a scalar coordinate 'n_hidden', which build takes, got density ('density',)",
        ),
    ],
)
def test_what_does_not_fit_is_named(ds, build, change, options, message):
    ds = change(ds) if change else ds
    with pytest.raises(ValueError, match=re.escape(message)):
        js.losses(build, ds, **{"key": FRESH, **options})

"""A run from outside: interruption, surroundings, and what is checked before it."""

import dataclasses
import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
import xarray as xr

import jsuper as js
from jsuper.sweeps.devices import checked_devices
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.provenance import made_by

KEY = jax.random.key(0)
STILL = js.Recipe(4, 4, optax.set_to_zero(), eval_batches=1)


@js.pytree
class Own:
    """A task with any parameters and any attributes."""

    level: float
    params: dict = js.static(default=None)
    names: tuple = js.static(default=())
    dtype: str = js.static(default="float32")

    @property
    def dims(self):
        return dict(self.names)

    def init(self, key):
        sizes = {"w": (5, 2)} if self.params is None else dict(self.params)
        return {name: jnp.ones(shape) for name, shape in sizes.items()}

    def loss(self, params, key, batch_size):
        total = sum(leaf.sum() for leaf in jax.tree.leaves(params))
        return (self.level * total).astype(self.dtype)


AXES = {"level": [1.0, 2.0], "seed": 3}


# Interruption


def interrupting(at):
    def callback(step, ds):
        if step == at:
            raise KeyboardInterrupt

    return callback


def test_an_interruption_says_how_far_the_run_was():
    message = r"^interrupted at step 3 of 4; nothing is returned, a callback keeps"
    with pytest.raises(KeyboardInterrupt, match=message):
        js.sweep(Own, AXES, STILL, key=KEY, callback=interrupting(3))
    with pytest.raises(KeyboardInterrupt, match=r"^interrupted at step 2 of 3; "):
        js.snapshots(Own, AXES, STILL, key=KEY, at=[0, 2, 3], callback=interrupting(2))


def test_what_a_callback_keeps_is_a_file_like_any_other(tmp_path):
    path = tmp_path / "part.nc"

    def keep(step, ds):
        js.save(ds, path, force=True)
        interrupting(2)(step, ds)

    with pytest.raises(KeyboardInterrupt):
        js.sweep(Own, AXES, STILL, key=KEY, callback=keep)
    part = js.load(path)
    assert part["step"].values.tolist() == [1, 2]
    ds = js.sweep(Own, AXES, STILL, key=KEY, start=part)
    np.testing.assert_array_equal(ds["w"], part["w"])


def test_snapshots_have_progress_and_callback(capsys):
    taken = {}
    ds = js.snapshots(
        Own, AXES, STILL, key=KEY, at=[0, 1, 4], progress=True, callback=taken.__setitem__
    )
    assert list(taken) == [0, 1, 4]
    np.testing.assert_array_equal(taken[4]["w"], ds["w"].isel(step=-1))
    assert taken[1]["step"] == 1
    assert "6 models: 100%" in capsys.readouterr().err


# Surroundings


@pytest.mark.parametrize("progress", [None, True])
def test_no_standard_error_is_no_hindrance(monkeypatch, progress):
    monkeypatch.setattr(sys, "stderr", None)
    assert js.sweep(Own, AXES, STILL, key=KEY, progress=progress)["finite"].all()


def test_a_closed_standard_error_is_no_hindrance(monkeypatch, tmp_path):
    with open(tmp_path / "closed", "w") as closed:
        pass
    monkeypatch.setattr(sys, "stderr", closed)
    assert js.sweep(Own, AXES, STILL, key=KEY)["finite"].all()


class Broken:
    """A terminal whose reader is gone."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def write(self, text):
        raise BrokenPipeError

    def flush(self):
        raise BrokenPipeError


@pytest.mark.parametrize("progress", [None, True])
def test_a_broken_standard_error_is_no_hindrance(monkeypatch, progress):
    monkeypatch.setattr(sys, "stderr", Broken())
    assert js.sweep(Own, AXES, STILL, key=KEY, progress=progress)["finite"].all()


def test_a_mesh_that_is_set_changes_nothing():
    expected = js.sweep(Own, AXES, STILL, key=KEY)
    with jax.set_mesh(jax.make_mesh((1,), ("x",))):
        ds = js.sweep(Own, AXES, STILL, key=jax.random.key(0))
        again = js.losses(Own, ds, key=jax.random.key(1))
    xr.testing.assert_identical(ds, expected)
    assert again["loss"].shape == (2, 3)


@pytest.mark.parametrize("impl", ["rbg", "unsafe_rbg"])
def test_keys_of_any_generator_keep_models_independent(impl):
    @js.pytree
    class Draws:
        level: float

        def init(self, key):
            return {"w": jax.random.uniform(key, (3,))}

        def loss(self, params, key, batch_size):
            return jax.random.uniform(key) + 0 * self.level * params["w"].sum()

    key = jax.random.key(0, impl=impl)

    def draws(seeds, **options):
        ds = js.sweep(Draws, {"level": [1.0], "seed": seeds}, STILL, key=key, **options)
        return ds["w"].squeeze("level"), ds["history"].squeeze("level")

    few, more, one = draws([3]), draws([0, 3, 5]), draws([3], devices=1)
    for alone, company, device in zip(few, more, one, strict=True):
        np.testing.assert_array_equal(alone, company.sel(seed=[3]))
        np.testing.assert_array_equal(alone, device)
        assert len(np.unique(company)) == company.size
    other = js.sweep(
        Draws, {"level": [1.0], "seed": [3]}, STILL, key=jax.random.key(1, impl=impl)
    )
    assert not np.isin(other["w"], few[0]).any()


def test_devices_as_they_come():
    devices = jax.devices()
    for given in (iter(devices), np.array(devices), set(devices), "cpu", devices * 2):
        assert set(checked_devices(given)) == set(devices)
    assert checked_devices([devices[0]] * 2) == [devices[0]]
    assert checked_devices(devices[1]) == [devices[1]]
    assert checked_devices(np.int8(1)) == devices[:1]
    with pytest.raises(ValueError, match=r"^devices must hold devices of JAX, got 'cpu:0'"):
        checked_devices(["cpu:0"])
    with pytest.raises(ValueError, match=r"^devices must be a platform of JAX: "):
        checked_devices("abacus")


# What is checked before anything trains

F = type("F", (), {"n_features": 5})


@js.pytree
class Important(Own):
    importance: object = js.static(default=1.0)
    features: object = js.static(default=F)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda level: Own(
                level,
                params=(("W", (5, 2)), ("V", (5, 3))),
                names=(("W", ("feature", "hidden")), ("V", ("feature", "hidden"))),
            ),
            "dims of parameter 'W' must name another axis than 'hidden', which has size 3",
        ),
        *(
            (
                lambda level, name=name: Own(level, names=(("w", (name, "hidden")),)),
                "dims of parameter 'w' must be distinct names other than an axis",
            )
            for name in ("level", "seed", "step", "hidden", "loss", "w", 3)
        ),
        (
            lambda level: Important(level, importance=(1.0, 2.0, 3.0)),
            "importance must be one number or 5 numbers (one per feature), got (1.0, 2.0",
        ),
        (lambda level: Important(level, importance="high"), "importance must be one num"),
        (
            lambda level: Important(level, names=(("w", ("hidden", "feature")),)),
            "the parameters have 2 features, features.n_features is 5",
        ),
        (lambda level: Own(level, dtype="int32"), "loss must return a floating-point num"),
        (lambda level: Own(level, dtype="complex64"), "loss must return a floating-point"),
        (lambda level: Own(level, params=()), "init must return parameters, got {}"),
    ],
)
def test_labels_and_losses_are_checked_before_training(build, message, assert_rejected):
    assert_rejected(ValueError, message, build, {"level": [1.0, 2.0]})


def test_importance_that_all_share_is_no_hindrance():
    ds = js.sweep(
        lambda level: Important(level, importance=(0.5,), names=(("w", ("feature", "h")),)),
        AXES,
        STILL,
        key=KEY,
    )
    assert ds["importance"].values.tolist() == [0.5] * 5


def test_parameters_must_be_real_numbers(assert_rejected):
    @js.pytree
    class Counts:
        level: float

        def init(self, key):
            return {"n": jnp.zeros(2, int)}

        def loss(self, params, key, batch_size):
            return self.level * params["n"].sum()

    message = "parameter 'n' must hold floating-point numbers, got int32"
    assert_rejected(ValueError, message, Counts, {"level": [1.0, 2.0]})


def test_the_loss_is_tried_with_the_batch_of_the_recipe():
    @js.pytree
    class Groups:
        level: float

        def init(self, key):
            return {"w": jnp.ones(4)}

        def loss(self, params, key, batch_size):
            x = jax.random.normal(key, (batch_size,)).reshape(-1, 4)
            return jnp.mean((self.level * x - params["w"]) ** 2)

    ds = js.sweep(Groups, AXES, dataclasses.replace(STILL, batch_size=8), key=KEY)
    assert ds["finite"].all()


# What is said of a run


def test_fresh_data_without_an_active_feature_are_told_of():
    def task(density):
        model = js.ToyModel(2, 1, activation="gelu")  # whose loss is sampled
        return js.Task(js.SparseFeatures(2, density), model)

    recipe = js.Recipe(2, 64, eval_batches=2)
    message = r"^\d of 4 models have a loss of exactly 0: their 128 fresh examples held no"
    with pytest.warns(RuntimeWarning, match=message):
        ds = js.sweep(task, {"density": [0.5, 1e-6], "seed": 2}, recipe, key=KEY)
    assert (ds["loss"].sel(density=0.5) > 0).all()


def test_made_by_holds_numbers_whatever_they_come_in():
    importance = pd.Series([1.0, 0.5])

    def task(density):
        return js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 1), importance)

    grid = Grid(task, {"density": [0.5], "seed": [4, 5]}, js.Recipe(1, 4))
    told = json.loads(made_by(grid, KEY, jax.devices()))
    assert told["first_task"]["importance"] == [1.0, 0.5]
    assert told["axes"] == {"density": 1, "seed": 2}


def test_made_by_tells_what_an_optimizer_is_a_function_of():
    recipe = dataclasses.replace(STILL, optimizer=lambda rate, steps: optax.sgd(rate))
    axes = {"level": [1.0], "rate": [0.25, 0.5]}
    told = json.loads(made_by(Grid(Own, axes, recipe), KEY, jax.devices()))
    optimizer = told["recipe"]["optimizer"]
    assert optimizer["of"] == ["rate"]
    assert '"step_size": -0.25' in json.dumps(optimizer["first"])

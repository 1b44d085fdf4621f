"""Starting from given parameters: matched by name and value, with their provenance."""

import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import xarray as xr

import jsuper as js

KEY = jax.random.key(0)
STILL = js.Recipe(1, 4, optax.set_to_zero(), eval_batches=1)


@js.pytree
class Sized:
    """Weights of some size that nothing changes."""

    level: float
    size: int = js.static(default=2)

    @property
    def dims(self):
        return {"w": ("hidden",)}

    def init(self, key):
        return {"w": jax.random.normal(key, (self.size,)), "v": jnp.zeros(())}

    def loss(self, params, key, batch_size):
        return self.level * jnp.sum(params["w"] ** 2)


def sized(level, size=2):
    return Sized(level, size)


def still(start, axes, build=sized):
    return js.sweep(build, axes, STILL, key=KEY, start=start)


@pytest.fixture(scope="module")
def trained():
    axes = {"level": [1.0, 0.5, 0.1], "seed": 4}
    return js.sweep(sized, axes, js.Recipe(5, 4), key=KEY)


def test_values_decide_and_not_positions(trained):
    ds = still(trained, {"seed": [3, 1], "level": [0.1, 1.0]})
    expected = trained.sel(level=[0.1, 1.0], seed=[3, 1]).transpose("seed", "level", ...)
    np.testing.assert_array_equal(ds["w"], expected["w"])
    np.testing.assert_array_equal(ds["v"], expected["v"])


def test_what_the_start_lacks_is_broadcast(trained):
    one = trained.isel(level=1)  # its level stays as a scalar coordinate
    ds = still(one, {"level": [7.0, 8.0], "seed": 4})
    np.testing.assert_array_equal(ds["w"], np.stack([one["w"]] * 2))
    single = trained.isel(level=0, seed=2)
    ds = still(single, {"level": [7.0], "seed": [0, 9]})
    np.testing.assert_array_equal(ds["w"][0], np.stack([single["w"]] * 2))
    ds = still(single, {"level": [7.0]})
    np.testing.assert_array_equal(ds["w"], single["w"].values[None])


def test_a_file_and_what_made_it(trained, tmp_path):
    js.save(trained, tmp_path / "trained.nc")
    axes = {"level": [1.0, 0.5, 0.1], "seed": 4}
    ds = still(tmp_path / "trained.nc", axes)
    np.testing.assert_array_equal(ds["w"], trained["w"])
    told = json.loads(ds.attrs["made_by"])
    assert told["start"]["file"] == "trained.nc"
    assert told["start"]["made_by"] == json.loads(trained.attrs["made_by"])
    # Of a longer chain, the last link and a digest of the others.
    again = json.loads(still(ds, axes).attrs["made_by"])["start"]["made_by"]
    assert again["recipe"]["steps"] == 1
    assert set(again["start"]) == {"sha256"}


def test_large_seeds_are_told_apart():
    # In single precision the two are one number.
    axes = {"level": [1.0], "seed": [2**24, 2**24 + 1]}
    first = js.sweep(sized, axes, STILL, key=KEY)
    ds = still(first, axes | {"seed": [2**24 + 1, 2**24]})
    np.testing.assert_array_equal(ds["w"], first["w"].isel(seed=[1, 0]))
    with pytest.raises(ValueError, match="start must have a model at seed=16777218, got"):
        still(first, axes | {"seed": [2**24 + 2]})


def test_parameters_of_one_model_start_all():
    params = {"w": [1.0, 2.0], "v": 3.0}
    params = jax.tree.map(np.asarray, params, is_leaf=lambda x: isinstance(x, list))
    ds = still(params, {"level": [1.0, 2.0], "seed": 2})
    np.testing.assert_array_equal(ds["w"], np.broadcast_to([1.0, 2.0], (2, 2, 2)))
    assert (ds["v"] == 3).all()
    told = json.loads(ds.attrs["made_by"])["start"]["params"]
    assert told == {"w": [1.0, 2.0], "v": 3.0}


def test_every_group_gets_models_of_its_size():
    axes = {"size": [2, 3], "level": [1.0, 2.0], "seed": 2}
    first = js.sweep(sized, axes, STILL, key=jax.random.key(1))
    ds = still(first, axes)
    xr.testing.assert_equal(ds["w"], first["w"])
    xr.testing.assert_equal(ds["hidden_padding"], first["hidden_padding"])
    assert ds["finite"].all()
    ds = still(first.sel(size=2), {"level": [1.0, 2.0], "seed": 2})
    np.testing.assert_array_equal(ds["w"], first["w"].sel(size=2).isel(hidden=slice(2)))
    message = "start must have 'w' of shape (3,) at size=3 level=1, got a model of another"
    with pytest.raises(ValueError, match=re.escape(message)):
        still(first.sel(size=2), axes)
    with pytest.raises(ValueError, match=re.escape("'w' of shape (2,) at level=1, got")):
        still(first.sel(size=3), {"level": [1.0, 2.0], "seed": 2})


def test_the_optimizer_and_the_data_are_those_of_the_run():
    # Started where the sweep would have started, it is the same run.
    axes = {"level": [1.0, 2.0], "seed": 2}
    recipe = js.Recipe(10, 4)
    fresh = js.snapshots(sized, axes, recipe, key=KEY, at=[0, 10])
    ds = js.sweep(sized, axes, recipe, key=KEY, start=fresh.isel(step=0))
    np.testing.assert_array_equal(ds["w"], fresh["w"].isel(step=-1))
    along = js.snapshots(sized, axes, recipe, key=KEY, at=[10], start=fresh.isel(step=0))
    np.testing.assert_array_equal(along["w"].isel(step=0), ds["w"])


def test_hysteresis_is_a_few_lines():
    @js.pytree
    class Follow:
        level: float

        def init(self, key):
            return {"w": jax.random.normal(key)}

        def loss(self, params, key, batch_size):
            # Two minima; which one depends on where training starts.
            return (params["w"] ** 2 - 1) ** 2 + self.level * params["w"]

    recipe = js.Recipe(200, 1, optax.sgd(0.05))
    parts, start = [], {"w": np.float32(1.0)}
    for level in (-0.5, 0.0, 0.5):
        axes = {"level": [level], "seed": 3}
        parts.append(js.sweep(Follow, axes, recipe, key=KEY, start=start))
        start = parts[-1].isel(level=0)
    ds = js.concat(parts, "level")
    # All seeds follow the minimum that the first one found.
    assert (ds["w"] > 0.5).all()
    assert ds["level"].values.tolist() == [-0.5, 0.0, 0.5]
    assert len(json.loads(ds.attrs["made_by"])["parts"]) == 3


@pytest.mark.parametrize(
    ("change", "axes", "message"),
    [
        (lambda ds: ds.drop_vars("v"), {}, "start must have a variable 'v' of dimensions"),
        (
            lambda ds: ds,
            {"level": [0.3]},
            "a model at level=0.3, got 1, 0.5, 0.1; start.is",
        ),
        (lambda ds: ds, {"seed": 5}, "start must have a model at seed=4, got 0, 1, 2, 3"),
        (
            lambda ds: ds.expand_dims(rate=[1, 2]),
            {},
            "no axis that the sweep lacks, got 'rate': select one value, as in start.isel(",
        ),
        (
            lambda ds: ds.drop_dims("step").expand_dims(step=[1, 2]),
            {},
            "got 'step': select one value, as in start.isel(step=-1)",
        ),
        (lambda ds: ds.isel(hidden=[0]), {}, "'w' of shape (2,) at level=1, got a model"),
        (lambda ds: {"w": np.ones(3)}, {}, "or the parameters of one model, {"),
        (lambda ds: np.ones(3), {}, "start must be a dataset, its file, or the parameters"),
    ],
)
def test_a_start_that_does_not_fit_is_named(trained, change, axes, message):
    axes = {"level": [1.0, 0.5], "seed": 4} | axes
    with pytest.raises(ValueError, match=re.escape(message)):
        still(change(trained), axes)

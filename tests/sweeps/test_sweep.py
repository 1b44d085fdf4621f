"""The sweep: labels, independence of the cells, random streams, and what is rejected."""

import dataclasses
import json

import jax
import jax.monitoring
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import xarray as xr

import jsuper as js
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.provenance import made_by

KEY = jax.random.key(0)
RECIPE = js.Recipe(steps=200, batch_size=64, eval_batches=8)
TINY = js.Recipe(steps=1, batch_size=2, eval_batches=1)
SHORT = js.Recipe(steps=20, batch_size=64, eval_batches=8)
AXES = {"density": [1.0, 0.3, 0.05], "threshold": [0.0, -0.25], "seed": 4}


def pair(density, threshold):
    features, model = js.SparseFeatures(2, density), js.ToyModel(2, 1, threshold)
    return js.Task(features, model, jnp.array([1.0, 0.9]))


def weighted(weight):
    """A task whose gradients are as large as one likes."""
    return js.Task(js.SparseFeatures(2, 0.5), js.ToyModel(2, 1), weight)


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Draws:
    """A user's task that shows its random numbers: parameters and loss are samples."""

    level: jax.Array

    def init(self, key):
        return {"layer": {"w": jax.random.uniform(key, (3,))}, "s": jnp.zeros(())}

    def loss(self, params, key, batch_size):
        nothing = 0.0 * (params["s"] + self.level)
        return jax.random.uniform(key) + nothing


DRAW_RECIPE = js.Recipe(steps=2, batch_size=1, log_every=1, optimizer=optax.set_to_zero())


@pytest.fixture(scope="module")
def grid():
    return js.sweep(pair, AXES, RECIPE, key=KEY)


def told_of(build, axes, recipe):
    """What a sweep would say of itself, without the training."""
    return made_by(Grid(build, axes, recipe), KEY, jax.devices())


def assert_same_cells(grid, other, **tolerances):
    """Compares the cells that two sweeps have in common."""
    grid, other = xr.align(grid, other, join="inner")
    assert grid["loss"].size > 0
    variables = ["W", "b", "loss", "history"]
    xr.testing.assert_allclose(
        other[variables].transpose(*grid.dims), grid[variables], **tolerances
    )


# Labels


def test_the_example_of_the_design():
    def task(density, threshold):
        return js.Task(
            features=js.SparseFeatures(5, density),
            model=js.ToyModel(5, 2, threshold),
            importance=0.9 ** jnp.arange(5),
        )

    densities = js.log_densities(10, lowest=0.05)
    ds = js.sweep(
        task,
        {"density": densities, "threshold": [0.0, -0.25], "seed": 8},
        js.Recipe(steps=50, batch_size=64, log_every=20),
        key=jax.random.key(0),
    )
    cell = ("density", "threshold", "seed")
    assert ds["W"].dims == (*cell, "feature", "hidden")
    assert ds["b"].dims == (*cell, "feature")
    assert ds["loss"].dims == ds["finite"].dims == cell
    assert ds["history"].dims == (*cell, "step")
    assert ds["W"].shape == (10, 2, 8, 5, 2)
    np.testing.assert_array_equal(ds["density"], densities)
    np.testing.assert_array_equal(ds["sparsity"], 1 - densities)
    assert ds["sparsity"].dims == ("density",)
    assert ds["threshold"].values.tolist() == [0.0, -0.25]
    assert ds["seed"].values.tolist() == list(range(8))
    assert ds["step"].values.tolist() == [20, 40, 50]
    assert ds["importance"].dims == ("feature",)
    np.testing.assert_allclose(ds["importance"], 0.9 ** np.arange(5), rtol=1e-6)
    assert ds["finite"].all()
    assert (ds["history"][..., -1].mean() < ds["history"][..., 0].mean()).item()
    assert ds["W"].dtype == np.float32


def test_history_is_thinned():
    recipe = dataclasses.replace(RECIPE, steps=1050, log_every=None)
    ds = js.sweep(pair, AXES, recipe, key=KEY)
    assert ds["history"].shape == (3, 2, 4, 105)
    assert ds["step"].values.tolist() == list(range(10, 1051, 10))
    assert ds["history"].nbytes == 4 * 24 * 105


@pytest.mark.parametrize(
    ("seed", "values"), [(np.int64(4), [0, 1, 2, 3]), ([7, 0, 3, 1], [7, 0, 3, 1])]
)
def test_seeds_as_count_or_list(grid, seed, values):
    ds = js.sweep(pair, {**AXES, "seed": seed}, RECIPE, key=KEY)
    assert ds["seed"].values.tolist() == values
    assert_same_cells(grid, ds, rtol=1e-4, atol=1e-6)


def test_without_seeds_each_cell_has_one_model(grid):
    ds = js.sweep(pair, {"threshold": [-0.25], "density": [0.3]}, RECIPE, key=KEY)
    assert ds["W"].dims == ("threshold", "density", "feature", "hidden")
    assert "seed" not in ds.coords
    assert_same_cells(grid, ds.expand_dims(seed=[0]), rtol=1e-4, atol=1e-6)


def test_swept_importance_keeps_its_axis():
    def task(density, threshold, ratio):
        features, model = js.SparseFeatures(2, density), js.ToyModel(2, 1, threshold)
        return js.Task(features, model, js.geometric_importance(2, ratio))

    axes = {"threshold": [0.0], "ratio": [0.9, 0.5], "density": [1.0, 0.3, 0.1], "seed": 4}
    ds = js.sweep(task, axes, SHORT, key=KEY)
    assert ds["importance"].dims == ("ratio", "feature")
    np.testing.assert_allclose(ds["importance"], [[1, 0.9], [1, 0.5]], rtol=1e-6)


def test_a_task_of_a_user_gets_automatic_dims():
    ds = js.sweep(Draws, {"seed": 2, "level": [1.0, 2.0, 3.0]}, DRAW_RECIPE, key=KEY)
    assert ds["layer.w"].dims == ("seed", "level", "layer.w_0")
    assert ds["layer.w"].shape == (2, 3, 3)
    assert ds["s"].dims == ("seed", "level")
    assert "importance" not in ds
    # The documented derivation: key, seed, purpose (0 is initialisation).
    for seed in range(2):
        key = jax.random.fold_in(jax.random.fold_in(KEY, seed), 0)
        expected = np.broadcast_to(jax.random.uniform(key, (3,)), (3, 3))
        np.testing.assert_array_equal(ds["layer.w"][seed], expected)


def test_netcdf_round_trip(grid, tmp_path):
    grid.to_netcdf(tmp_path / "grid.nc")
    with xr.open_dataset(tmp_path / "grid.nc", engine="h5netcdf") as loaded:
        xr.testing.assert_identical(loaded.load(), grid)
        assert loaded["finite"].dtype == bool


def test_made_by_says_how(grid):
    told = json.loads(grid.attrs["made_by"])
    recipe = told["recipe"]
    assert (recipe["steps"], recipe["batch_size"], recipe["log_every"]) == (200, 64, None)
    assert recipe["independent_cells"] is False
    optimizer = json.dumps(recipe["optimizer"])
    assert '"weight_decay": 0.01' in optimizer
    assert '"step_size": -0.001' in optimizer
    assert '"b2": 0.999' in optimizer
    assert told["key"] == {"implementation": "threefry2x32", "data": [0, 0]}
    assert (told["jax"], told["jsuper"]) == (jax.__version__, "0.1.0")
    assert told["devices"] == ["cpu"] * len(jax.devices())
    assert told["float"] == "float32"
    task = told["first_task"]
    assert task["features"]["density"] == 1.0
    assert task["model"]["n_hidden"] == 1


# A cell does not depend on its company


@pytest.mark.parametrize(
    ("axes", "options"),
    [
        ({"density": [0.3], "threshold": [-0.25], "seed": [2]}, {}),
        (
            {
                "seed": [3, 9, 0, 5, 1],
                "threshold": [-0.25, 0.0],
                "density": [0.05, 0.7, 0.3, 0.2, 1.0],
            },
            {},
        ),
        (AXES, {"devices": 1}),
        # 3 cells and 3 seeds: neither divides between two devices.
        ({"density": [1.0, 0.3, 0.05], "threshold": [0.0], "seed": 3}, {}),
    ],
    ids=["alone", "more cells and seeds in other order", "one device", "padded"],
)
def test_a_cell_is_the_same_in_any_company(grid, axes, options):
    ds = js.sweep(pair, axes, RECIPE, key=KEY, **options)
    assert_same_cells(grid, ds, rtol=1e-4, atol=1e-6)
    # Before rounding errors had time to grow.
    alone, company = (d["history"].sel(step=slice(20)) for d in (grid, ds))
    alone, company = xr.align(alone, company, join="inner")
    assert alone.size > 0
    xr.testing.assert_allclose(company.transpose(*alone.dims), alone, rtol=1e-6)


@pytest.mark.parametrize("chunks", [1, 8, 10_000])
def test_chunks_change_nothing(grid, chunks):
    # 8 does not divide the 100 windows.
    ds = js.sweep(pair, AXES, RECIPE, key=KEY, chunks=chunks)
    xr.testing.assert_identical(ds, grid)


def test_another_key_is_another_run(grid):
    other = js.sweep(pair, AXES, RECIPE, key=jax.random.key(1))
    assert (other["W"] != grid["W"]).all()


def test_models_that_differ_in_a_swept_number_share_their_draws():
    recipe = dataclasses.replace(SHORT, steps=1, optimizer=optax.set_to_zero())
    ds = js.sweep(pair, AXES, recipe, key=KEY)
    first = ds.isel(density=0, threshold=0)
    np.testing.assert_array_equal(ds["W"], ds["W"] * 0 + first["W"])
    assert (ds["b"] == 0).all()
    assert len(np.unique(first["W"])) == 2 * 4  # features x seeds
    # The loss is that of the same uniform numbers in every cell.
    for seed in (0, 3):
        key = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(KEY, seed), 1), 0)
        for density in AXES["density"]:
            task, cell = pair(density, -0.25), ds.sel(density=density, seed=seed)
            params = {"W": jnp.array(first["W"][seed]), "b": jnp.zeros(2)}
            expected = task.loss(params, key, 64)
            got = cell["history"].sel(threshold=-0.25).item()
            np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_seeds_share_no_stream():
    axes = {"level": [1.0, 2.0], "seed": 200}
    ds = js.sweep(Draws, axes, DRAW_RECIPE, key=KEY)
    one = ds.isel(level=0)
    xr.testing.assert_equal(one.drop_vars("level"), ds.isel(level=1).drop_vars("level"))
    # Initial weights, and the uniform numbers of the first two batches.
    numbers = np.concatenate([one["layer.w"].values, one["history"].values], axis=1)
    assert numbers.shape == (200, 5)
    assert len(np.unique(numbers)) == numbers.size


def test_independent_cells_draw_their_own_numbers():
    recipe = dataclasses.replace(DRAW_RECIPE, independent_cells=True)

    def build(level, other):
        return Draws(level + other)

    few = {"level": [1.0, 2.0], "other": [0.5, -0.5, 3.0], "seed": 2}
    more = {"seed": 3, "other": [3.0, 7.0, 0.5, -0.5], "level": [0.1, 2.0, 1.0]}
    ds, larger = (js.sweep(build, axes, recipe, key=KEY) for axes in (few, more))
    numbers = np.concatenate([ds["layer.w"].values, ds["history"].values], axis=-1)
    assert len(np.unique(numbers)) == numbers.size == 2 * 3 * 2 * 5
    common = larger.sel({name: ds[name] for name in few}).transpose(*ds.dims)
    np.testing.assert_array_equal(common["layer.w"], ds["layer.w"])
    np.testing.assert_array_equal(common["history"], ds["history"])


# Divergence


SGD = js.Recipe(steps=40, batch_size=64, optimizer=optax.sgd(0.1), eval_batches=8)


def test_a_diverged_model_is_named_and_leaves_its_neighbours_alone():
    expected = js.sweep(weighted, {"weight": [1.0, 2.0, 3.0], "seed": 2}, SGD, key=KEY)
    assert expected["finite"].all()
    message = r"^2 of 6 models diverged: weight=1e\+12 seed=0; weight=1e\+12 seed=1$"
    with pytest.warns(RuntimeWarning, match=message) as caught:
        ds = js.sweep(weighted, {"weight": [1.0, 1e12, 3.0], "seed": 2}, SGD, key=KEY)
    assert caught[0].filename == __file__
    assert ds["finite"].values.tolist() == [[True] * 2, [False] * 2, [True] * 2]
    kept = ["W", "b", "loss", "history"]
    xr.testing.assert_identical(
        ds[kept].isel(weight=[0, 2]), expected[kept].isel(weight=[0, 2])
    )


def test_a_long_list_of_diverged_models_is_cut():
    axes = {"weight": [1e12, 2e12, 3e12], "seed": 2}
    with pytest.warns(RuntimeWarning, match=r"^6 of 6 models diverged: (weight.*; ){5}…$"):
        ds = js.sweep(weighted, axes, SGD, key=KEY)
    assert not ds["finite"].any()


# Compilation


def test_a_second_sweep_compiles_nothing(grid, compilations):
    other_axes = {
        "density": [0.9, 0.5, 0.1],
        "threshold": [-0.1, -np.inf],
        "seed": [5, 6, 7, 8],
    }
    second_runs = [
        (AXES, RECIPE, KEY),
        (other_axes, RECIPE, KEY),
        (AXES, dataclasses.replace(RECIPE, steps=30, log_every=7), KEY),
        (AXES, RECIPE, jax.random.key(7)),
    ]
    with compilations() as compiled:
        for axes, recipe, key in second_runs:
            js.sweep(pair, axes, recipe, key=key)
    assert compiled == []
    with compilations() as compiled:
        jax.jit(lambda x: x + 1)(1.0)
    assert compiled == ["jit(<lambda>)"]  # the counter does count
    with compilations() as compiled:
        # A shape that no other test has.
        js.sweep(pair, {"density": [0.5], "threshold": [0.0], "seed": 11}, TINY, key=KEY)
    assert {"jit(_start)", "jit(_advance)", "jit(_evaluate)"} <= set(compiled)


# Progress


@pytest.mark.parametrize("devices", [1, 2])
def test_callback_gets_snapshots(devices):
    recipe = dataclasses.replace(RECIPE, steps=40, log_every=10)
    steps, snapshots = [], []

    def callback(step, snapshot):
        steps.append(step)
        snapshots.append(snapshot)

    options = {"key": KEY, "devices": devices}
    ds = js.sweep(pair, AXES, recipe, callback=callback, **options)
    assert steps == [10, 20, 30, 40]
    for step, snapshot in zip(steps, snapshots, strict=True):
        assert snapshot["step"].values.tolist() == list(range(10, step + 1, 10))
        xr.testing.assert_identical(
            snapshot["history"], ds["history"].sel(step=slice(step))
        )
    xr.testing.assert_identical(snapshots[-1]["W"], ds["W"])
    # The chunks that follow did not write over an earlier snapshot.
    stopped = js.sweep(pair, AXES, dataclasses.replace(recipe, steps=10), **options)
    xr.testing.assert_identical(snapshots[0]["W"], stopped["W"])
    assert (snapshots[0]["W"] != ds["W"]).all()


def test_progress_bar(grid, capsys):
    js.sweep(pair, AXES, RECIPE, key=KEY, progress=False)
    js.sweep(pair, AXES, RECIPE, key=KEY)  # not a terminal
    assert capsys.readouterr() == ("", "")
    js.sweep(pair, AXES, RECIPE, key=KEY, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "24 models: 100%" in err
    assert "200/200" in err
    assert "median loss" in err


# What is rejected


def ignores_level(density, level):
    return pair(density, 0.0)


def ranged(low, high):
    return js.Task(js.SparseFeatures(2, 0.5, low, high), js.ToyModel(2, 1))


def named_as_a_parameter(W):
    return pair(W, 0.0)


def sized(density, n_hidden):
    return js.Task(js.SparseFeatures(2, density), js.ToyModel(2, n_hidden))


def grows(density):
    model = js.ToyModel(2, 1 if density > 0.2 else 2)
    return js.Task(js.SparseFeatures(2, density), model)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ({"density": [0.5, 0.0]}, "density must be in (0, 1], got 0"),
        ({"density": [0.5, 1.2]}, "density must be in (0, 1], got 1.2"),
        ({"density": [0.5, np.nan]}, "'density' must not contain NaN, got [0.5, nan]"),
        ({"density": []}, "'density' must be a non-empty list of numbers, got []"),
        ({"density": 0.5}, "'density' must be a non-empty list of numbers, got 0.5"),
        (
            {"density": [[0.5]]},
            "'density' must be a non-empty list of numbers, got [[0.5]]",
        ),
        (
            {"density": [0.5, 0.1, 0.5]},
            "'density' must hold distinct values, got 0.5 twice",
        ),
        ({"density": "low"}, "'density' must hold numbers, got 'low'"),
        ({"density": ["0.5"]}, "'density' must hold numbers, got ['0.5']"),
        ({"step": [1.0]}, "'step' must have another name than the result's own"),
        ({"W": [1.0]}, "'W' is not an argument of build"),
        ({"threshold": [0.0, np.nan]}, "'threshold' must not contain NaN, got [0.0, nan]"),
        ({"threshold": [0.0, np.inf]}, "threshold must be in [-inf, inf), got inf"),
        ({"speed": [1.0]}, "'speed' is not an argument of build"),
        ({"n_hidden": [1, 2]}, "'n_hidden' is not an argument of build"),
        ({"seed": 0}, "'seed' must be an integer of at least 1, got 0"),
        ({"seed": -3}, "'seed' must be an integer of at least 1, got -3"),
        ({"seed": 1.5}, "'seed' must be an integer of at least 1, got 1.5"),
        ({"seed": np.array(0)}, "'seed' must be an integer of at least 1, got array(0)"),
        ({"seed": []}, "'seed' must be a count or a non-empty list, got []"),
        ({"seed": [0, -1]}, "'seed' must be an integer of at least 0, got -1"),
        ({"seed": [4, 4]}, "'seed' must hold distinct values, got 4 twice"),
        ({"seed": [2**32]}, "'seed' must stay below 2**32, got 4294967296"),
    ],
)
def test_axes_are_checked_before_anything_compiles(axis, message, assert_rejected):
    axes = {"density": [0.5, 0.1], "threshold": [0.0], **axis}
    assert_rejected(ValueError, message, pair, axes)


@pytest.mark.parametrize(
    ("build", "axes", "message"),
    [
        (pair, {"density": [0.5]}, "'threshold' is missing"),
        (ignores_level, {"density": [0.5], "level": [1.0, 2.0]}, "build ignores it"),
        (ignores_level, {"density": [0.5], "level": [1.0]}, "axis 'level' must change"),
        (sized, {"density": [0.5], "n_hidden": [1.5]}, "n_hidden must be an integer"),
        (grows, {"density": [0.5, 0.1]}, "density=0.1 changes a size"),
        (ranged, {"low": [0, 0.5], "high": [1, 0.4]}, "above low = 0.5, got 0.4"),
        (named_as_a_parameter, {"W": [0.5]}, "'W' must have another name"),
    ],
    ids=[
        "missing",
        "unused",
        "unused single",
        "size",
        "size by value",
        "cell",
        "parameter",
    ],
)
def test_axes_must_fit_what_build_takes(build, axes, message, assert_rejected):
    assert_rejected(ValueError, message, build, axes)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"devices": 0}, ValueError, "devices must be an integer of at least 1, got 0"),
        ({"devices": 99}, ValueError, "devices must be at most 2"),
        ({"devices": []}, ValueError, "devices must not be empty"),
        ({"chunks": 0}, ValueError, "chunks must be an integer of at least 1, got 0"),
        ({"key": 0}, TypeError, "key must be a typed key such as jax.random.key(0), got 0"),
        ({"key": jax.random.PRNGKey(3)}, TypeError, "got Array([0, 3], dtype=uint32)"),
        ({"key": jax.random.split(KEY)}, TypeError, "key must be a single key"),
    ],
)
def test_options_are_checked_before_anything_compiles(
    options, error, message, assert_rejected
):
    axes = {"density": [0.5], "threshold": [0.0]}
    assert_rejected(error, message, pair, axes, **options)


@pytest.mark.parametrize("made", [None, 3.0, js.ToyModel(2, 1)], ids=["None", "3", "model"])
def test_build_must_make_a_task(made, assert_rejected):
    message = f"methods init and loss, got {type(made).__name__} without"
    assert_rejected(TypeError, message, lambda density: made, {"density": [0.5]})


def test_a_swept_importance_stays_a_coordinate():
    def build(importance):
        return js.Task(js.SparseFeatures(2, 0.5), js.ToyModel(2, 1), importance)

    ds = js.sweep(build, {"importance": [1.0, 0.5]}, TINY, key=KEY)
    np.testing.assert_array_equal(ds["importance"], [1.0, 0.5])
    assert ds["loss"].sel(importance=0.5).shape == ()


def test_a_bar_survives_the_divergence_of_every_model():
    recipe = dataclasses.replace(SHORT, optimizer=optax.sgd(1e9))
    with pytest.warns(RuntimeWarning, match="1 of 1 models diverged: density=0.5$"):
        js.sweep(lambda density: pair(density, 0.0), {"density": [0.5]}, recipe, key=KEY,
                 progress=True)  # fmt: skip


def test_made_by_is_strict_json_even_of_the_linear_model():
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    text = told_of(pair, {"density": [0.5], "threshold": [-np.inf]}, TINY)
    told = json.loads(text, parse_constant=refuse)
    assert told["first_task"]["model"]["threshold"] == "-inf"


def test_independent_cells_take_minus_zero_for_zero():
    recipe = dataclasses.replace(TINY, independent_cells=True)
    one, other, another = (
        jax.random.key_data(
            Grid(pair, {"density": [0.5], "threshold": [t]}, recipe).keys(KEY)
        )
        for t in (0.0, -0.0, 0.1)
    )
    np.testing.assert_array_equal(one, other)
    assert (one != another).any()


def test_a_list_of_swept_numbers_is_an_array():
    def build(r):
        return js.Task(js.SparseFeatures(2, [0.5, r]), js.ToyModel(2, 1), [1.0, r])

    def as_array(r):
        both = jnp.array([0.5, r]), jnp.array([1.0, r])
        return js.Task(js.SparseFeatures(2, both[0]), js.ToyModel(2, 1), both[1])

    listed, stacked = (
        js.sweep(make, {"r": [0.2, 0.9]}, SHORT, key=KEY) for make in (build, as_array)
    )
    np.testing.assert_array_equal(listed["W"], stacked["W"])
    np.testing.assert_allclose(listed["importance"].sel(r=0.9), [1.0, 0.9], rtol=1e-6)


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Named:
    """A user's task whose parameter has any name, and whose loss has any shape."""

    level: jax.Array
    name: str = dataclasses.field(metadata={"static": True})
    shape: tuple = dataclasses.field(default=(), metadata={"static": True})

    def init(self, key):
        return {self.name: jnp.zeros(())}

    def loss(self, params, key, batch_size):
        return jnp.zeros(self.shape) + self.level * params[self.name]


@pytest.mark.parametrize("name", ["loss", "history", "seed", "level", "step", "a/b"])
def test_a_parameter_needs_a_name_of_its_own(name, assert_rejected):
    message = f"parameter {name!r} must have another name"
    assert_rejected(
        ValueError, message, lambda level: Named(level, name), {"level": [1.0, 2.0]}
    )


def test_what_is_no_task_is_refused_before_training(assert_rejected):
    axes = {"level": [1.0]}
    vector = "loss must return one number, got"
    assert_rejected(ValueError, vector, lambda level: Named(level, "w", (2,)), axes)

    class Opaque:
        def __init__(self, level):
            self.level = level

        def init(self, key):
            return {"w": jnp.zeros(())}

        def loss(self, params, key, batch_size):
            return self.level * params["w"]

    assert_rejected(TypeError, "decorate its class with flax.struct", Opaque, axes)
    made = pair(0.5, 0.0)
    assert_rejected(TypeError, "returns a task (lambda: task), got Task", made, axes)
    with pytest.raises(TypeError, match="recipe must be a Recipe, got 100"):
        js.sweep(pair, AXES, 100, key=KEY)


def test_made_by_is_the_same_in_every_process():
    transforms = {"fast": optax.sgd(0.5), "slow": optax.sgd(0.25)}
    optimizer = optax.multi_transform(transforms, {"W": "fast", "b": "slow"})
    recipe = dataclasses.replace(TINY, optimizer=optimizer)
    ds = js.sweep(pair, {"density": [0.5], "threshold": [0.0]}, recipe, key=KEY)
    text = ds.attrs["made_by"]
    assert "0x" not in text  # no addresses
    assert '"step_size": -0.5' in text
    assert '"step_size": -0.25' in text


def test_made_by_describes_an_optimizer_of_several_parts():
    parts = {"a": optax.adam(1e-3), "b": optax.set_to_zero()}
    optimizer = optax.partition(parts, {"W": "a", "b": "b"})
    recipe = js.Recipe(steps=2, batch_size=4, optimizer=optimizer)
    text = told_of(lambda: pair(0.5, 0.0), {}, recipe)
    described = json.loads(text)["recipe"]["optimizer"]
    assert "0.001" in json.dumps(described)

"""Axes of every kind: numbers, sizes, names, functions, and what an optimizer takes."""

import dataclasses
import re

import jax
import jax.monitoring
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
import xarray as xr

import jsuper as js
from jsuper.sweeps.axes import read_axes, read_seeds
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.labels import Labels

KEY = jax.random.key(0)
RECIPE = js.Recipe(steps=20, batch_size=64, eval_batches=4)


@js.pytree
class Small:
    """A task that compiles in no time: reconstruction of four dense features."""

    density: float
    n_hidden: int = js.static(default=2)
    activation: object = js.static(default="relu")

    @property
    def dims(self):
        return {"W": ("feature", "hidden"), "b": ("feature",)}

    def init(self, key):
        return {"W": jax.random.normal(key, (4, self.n_hidden)), "b": jnp.zeros(4)}

    def loss(self, params, key, batch_size):
        x = self.density * jax.random.uniform(key, (batch_size, 4))
        z = x @ params["W"] @ params["W"].T + params["b"]
        function = getattr(jnp, self.activation) if self.activation == "tanh" else abs
        return jnp.mean((function(z) - x) ** 2)


def task(density, n_hidden=2, activation="relu"):
    return Small(density, n_hidden, activation)


def toy(n_hidden=2, activation="exrelu", threshold=0.0):
    model = js.ToyModel(4, n_hidden, threshold, activation=activation)
    return js.Task(js.SparseFeatures(4, 0.5), model)


def adam(learning_rate):
    return optax.adam(learning_rate)


MIXED = {
    "density": [1.0, 0.3],
    "n_hidden": [2, 3],
    "activation": ["relu", "tanh"],
    "learning_rate": [1e-3, 1e-2],
    "seed": 3,
}


@pytest.fixture(scope="module")
def mixed(compilations):
    recipe = dataclasses.replace(RECIPE, optimizer=adam)
    with compilations() as compiled:
        ds = js.sweep(task, MIXED, recipe, key=KEY)
    return ds, compiled


def test_every_combination_of_static_choices_compiles_once(mixed):
    ds, compiled = mixed
    assert compiled.count("jit(_advance)") == 4
    assert ds["W"].dims == (*MIXED, "feature", "hidden")
    assert ds["n_hidden"].values.tolist() == [2, 3]
    assert ds["activation"].values.tolist() == ["relu", "tanh"]
    assert ds["finite"].all()


@pytest.mark.slow
def test_a_cell_of_a_mixed_grid_is_the_cell_alone(mixed):
    ds, _ = mixed
    for n_hidden, activation, rate in ((2, "tanh", 1e-2), (3, "relu", 1e-3)):
        alone = js.sweep(
            lambda density, n=n_hidden, f=activation: task(density, n, f),
            {"density": [0.3], "seed": [2]},
            dataclasses.replace(RECIPE, optimizer=optax.adam(rate)),
            key=KEY,
        )
        cell = ds.sel(
            density=[0.3], n_hidden=n_hidden, activation=activation, learning_rate=rate
        ).sel(seed=[2])
        W = cell["W"].isel(hidden=slice(n_hidden))
        np.testing.assert_allclose(W, alone["W"], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(cell["loss"], alone["loss"], rtol=1e-4)


def test_smaller_models_are_padded_and_marked(mixed):
    ds, _ = mixed
    mark = ds["hidden_padding"]
    assert mark.dims == ("n_hidden", "hidden")
    assert mark.values.tolist() == [[False, False, True], [False] * 3]
    # Nothing but what is marked is missing.
    np.testing.assert_array_equal(
        ds["W"].isnull().transpose("n_hidden", "hidden", ...),
        mark.broadcast_like(ds["W"]).transpose("n_hidden", "hidden", ...),
    )
    assert ds["b"].notnull().all()


@pytest.mark.slow
def test_seeds_share_nothing_across_groups_and_cells_share_all():
    recipe = dataclasses.replace(RECIPE, steps=1, optimizer=optax.set_to_zero())
    axes = {"n_hidden": [2, 3], "activation": ["relu", "tanh"], "seed": 50}
    start = js.sweep(lambda n_hidden, activation: task(0.5, n_hidden, activation), axes,
                     recipe, key=KEY)["W"]  # fmt: skip
    for n_hidden in (2, 3):
        W = start.sel(n_hidden=n_hidden).isel(hidden=slice(n_hidden))
        np.testing.assert_array_equal(W.sel(activation="relu"), W.sel(activation="tanh"))
        one = W.sel(activation="relu").values
        assert len(np.unique(one)) == one.size


def test_independent_cells_have_keys_of_their_own_for_names_too():
    recipe = dataclasses.replace(RECIPE, independent_cells=True)

    def keys(axes):
        grid = Grid(
            lambda n_hidden, activation: task(0.5, n_hidden, activation), axes, recipe
        )
        shape = (*grid.shape, len(grid.seeds), 2)
        return np.asarray(jax.random.key_data(grid.keys(KEY))).reshape(shape)

    few = keys({"n_hidden": [2], "activation": ["relu", "tanh"], "seed": 2})
    more = keys({"activation": ["gelu", "tanh"], "n_hidden": [3, 2], "seed": 3})
    assert len(np.unique(more.reshape(-1, 2), axis=0)) == 12
    # The cell (n_hidden=2, activation=tanh), whatever stands beside it.
    np.testing.assert_array_equal(more[1, 1, :2], few[0, 1])


def test_names_that_change_numbers_only_are_one_program():
    densities = {"dense": 1.0, "sparse": 0.1}
    axes = {"kind": list(densities), "seed": 2}
    grid = Grid(lambda kind: task(densities[kind]), axes, RECIPE)
    (group,) = grid.groups
    np.testing.assert_allclose(group.grid.tasks.density.ravel(), [1.0, 0.1])


def test_booleans_none_and_functions_are_choices():
    def build(bias, init_std, activation):
        model = js.ToyModel(3, 1, 0.0, init_std, activation, bias)
        return js.Task(js.SparseFeatures(3, 0.5), model)

    axes = {
        "bias": [True, False],
        "init_std": [None, 0.1],
        "activation": [jnp.tanh, jax.nn.silu],
    }
    grid = Grid(build, axes, RECIPE)
    assert len(grid.groups) == 8
    labels = Labels(grid)
    shape = grid.n_cells, 1
    params = [
        jax.tree.map(lambda leaf: np.ones((1, 1, *leaf.shape)), group.params)
        for group in grid.groups
    ]
    ds = labels.dataset(params, np.ones((*shape, 1)))
    assert ds["bias"].dtype == bool
    assert ds["init_std"].values.tolist() == ["None", "0.1"]
    assert ds["activation"].values.tolist() == ["tanh", "silu"]
    assert ds["b_padding"].dims == ("bias",)
    assert ds["b_padding"].values.tolist() == [False, True]
    assert ds["b"].sel(bias=False).isnull().all()
    assert ds["b"].sel(bias=True).notnull().all()
    assert ds["finite"].all()


def test_a_mapping_names_functions():
    def build(target):
        return js.Task(js.SparseFeatures(3, 0.5), js.ToyModel(3, 1), target=target)

    targets = {"itself": lambda x: x, "square": lambda x: x**2}
    ds = js.sweep(build, {"target": targets, "seed": 2}, RECIPE, key=KEY)
    assert ds["target"].values.tolist() == ["itself", "square"]
    assert ds["target"].attrs["stands_for"] == "function"
    alone = js.sweep(build, {"target": {"square": targets["square"]}}, RECIPE, key=KEY)
    np.testing.assert_allclose(
        ds["W"].sel(target="square", seed=0), alone["W"].sel(target="square"), rtol=1e-5
    )
    with pytest.raises(ValueError, match="axis 'target' must have names for keys"):
        read_axes({"target": {None: abs}})


def test_importance_of_each_seed():
    def build(density, seed):
        importance = np.arange(1, 4.0) if seed == 7 else np.ones(3)
        return js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 1), importance)

    def labelled(seeds):
        grid = Grid(build, {"density": [0.5, 0.2], "seed": seeds}, RECIPE)
        (group,) = grid.groups
        shape = 2, len(seeds)
        params = jax.tree.map(lambda leaf: np.ones((*shape, *leaf.shape)), group.params)
        return Labels(grid).dataset([params], np.ones((*shape, 1)))["importance"]

    each = labelled([0, 7])
    assert each.dims == ("seed", "feature")
    np.testing.assert_array_equal(each, [[1, 1, 1], [1, 2, 3]])
    assert labelled([0, 1]).dims == ("feature",)


def test_whole_numbers_are_sizes_only_where_they_change_one():
    def sized(n):
        return js.Task(js.SparseFeatures(n, 0.5), js.ToyModel(n, 1))

    grid = Grid(sized, {"n": [2, 4]}, RECIPE)
    assert [group.first_task.model.n_features for group in grid.groups] == [2, 4]
    assert Grid(sized, {"n": [3]}, RECIPE).axes["n"].values == (3,)

    def scaled(importance):
        return js.Task(js.SparseFeatures(2, 0.5), js.ToyModel(2, 1), importance)

    # As integers in single precision the second would be another number.
    (group,) = Grid(scaled, {"importance": [1, 10**12]}, RECIPE).groups
    np.testing.assert_allclose(group.grid.tasks.importance.ravel(), [1, 1e12])

    # Indices are told apart exactly, numbers as the task has them.
    large = [2**24, 2**24 + 1]
    table = [0.1, 0.5]
    (group,) = Grid(lambda i: task(table[i - large[0]]), {"i": large}, RECIPE).groups
    np.testing.assert_allclose(group.grid.tasks.density.ravel(), table)
    with pytest.raises(ValueError, match="'importance' must hold distinct values, got"):
        Grid(scaled, {"importance": large}, RECIPE)

    (group,) = Grid(lambda i: task(table[i]), {"i": [0, 1]}, RECIPE).groups
    np.testing.assert_allclose(group.grid.tasks.density.ravel(), table)


def test_models_of_several_feature_counts():
    def sized(n):
        importance = js.geometric_importance(n, 0.5)
        return js.Task(js.SparseFeatures(n, 0.5), js.ToyModel(n, 1), importance)

    grid = Grid(sized, {"n": [2, 4]}, RECIPE)
    params = [
        jax.tree.map(lambda leaf: np.ones((1, 1, *leaf.shape)), group.params)
        for group in grid.groups
    ]
    ds = Labels(grid).dataset(params, np.ones((2, 1, 1)))
    assert ds["feature_padding"].dims == ("n", "feature")
    np.testing.assert_array_equal(ds["importance"].sel(n=2)[:2], [1, 0.5])
    assert ds["importance"].sel(n=2)[2:].isnull().all()
    assert ds["W"].sel(n=2).isnull().sum() == 2
    assert ds["finite"].all()


@pytest.mark.slow
def test_a_model_that_diverges_is_told_from_padding():
    axes = {"density": [0.1, 1e12], "n_hidden": [1, 2]}
    message = (
        r"^2 of 4 models diverged: density=1e\+12 n_hidden=1; density=1e\+12 n_hidden=2$"
    )
    with pytest.warns(RuntimeWarning, match=message):
        ds = js.sweep(
            lambda density, n_hidden: task(density, n_hidden),
            axes,
            dataclasses.replace(RECIPE, optimizer=optax.sgd(0.1)),
            key=KEY,
        )
    assert ds["finite"].values.tolist() == [[True] * 2, [False] * 2]


# What axes may be given as


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (np.float32([1.0, 0.3, 0.1]), [1.0, 0.3, 0.1]),
        (jnp.array([1.0, 0.3], jnp.bfloat16), [1.0, 0.3]),
        (np.float16([0.1, -np.inf]), [0.1, -np.inf]),
        (pd.Series([0.5, 0.1], index=[3, 4]), [0.5, 0.1]),
        (xr.DataArray([0.5, 0.1], dims="x"), [0.5, 0.1]),
        ({"a": 1.0, "b": 0.5}.values(), [1.0, 0.5]),
        ((x / 4 for x in (1, 2)), [0.25, 0.5]),
        ({0.5, 0.25}, [0.25, 0.5]),
        ([1, 0.5], [1.0, 0.5]),
        ([1, 0.5, np.float32(0.1)], [1.0, 0.5, 0.1]),
        (range(2, 4), [2, 3]),
        (["b", "a"], ["b", "a"]),
        (np.array(["b", "a"], object), ["b", "a"]),
        ([True, False], [True, False]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_as_they_come(given, values):
    axis = read_axes({"x": given})["x"]
    assert list(axis.values) == values
    assert axis.coordinate.tolist() == values
    assert all(type(one) is type(two) for one, two in zip(axis.values, values, strict=True))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["0.5", "1e-3"], "must hold numbers, got ['0.5', '1e-3']"),
        ("relu", "must hold numbers, got 'relu' (a name stands in a list)"),
        (["relu", "relu"], "must hold distinct values, got relu twice"),
        ([lambda x: x, lambda x: -x], "must hold distinct values, got <lambda> twice"),
        ([1 + 2j], "must hold numbers, names, booleans, functions or None"),
        ([[1, 2], [3]], "must hold numbers, names, booleans, functions or None"),
        (np.array(["2026-01-01"], "datetime64[D]"), "must hold numbers, names, booleans"),
        (np.float32([0.1, np.nan]), "must not contain NaN"),
        ([0.1, 0.1 + 1e-12], "must hold distinct values, got 0.1 twice"),
        ({}, "must be a non-empty list of numbers, got {}"),
    ],
)
def test_values_that_no_axis_has(given, message):
    with pytest.raises(ValueError, match=re.escape(f"axis 'x' {message}")):
        read_axes({"x": given})


@pytest.mark.parametrize(
    "given",
    [
        jnp.arange(2),
        xr.DataArray([0, 1], dims="seed"),
        pd.Index([0, 1]),
        range(2),
        {0, 1},
        (i for i in (0, 1)),
        xr.DataArray(2),
        jnp.array(2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_seeds_as_they_come(given):
    assert read_seeds({"seed": given}) == [0, 1]


def test_a_seed_of_another_result_is_no_count():
    seeds = xr.DataArray([2, 5], {"seed": [2, 5]}, name="seed")
    assert read_seeds({"seed": seeds}) == [2, 5]
    with pytest.raises(ValueError, match=r"must be a count or a list, as \[5\]$"):
        read_seeds({"seed": seeds[1]})


def test_names_may_stand_for_what_has_no_hash():
    def build(importance):
        return js.Task(js.SparseFeatures(3, 0.5), js.ToyModel(3, 1), importance)

    flat = {"flat": np.ones(3), "steep": [1.0, 0.5, 0.25]}
    (group,) = Grid(build, {"importance": flat}, RECIPE).groups
    np.testing.assert_allclose(group.grid.tasks.importance[:, 0], [*flat.values()])
    recipe = dataclasses.replace(RECIPE, optimizer=lambda at: optax.sgd(at[0]))
    with pytest.raises(TypeError, match="at must be hashable where the optimizer takes it"):
        Grid(task, {"density": [0.5], "at": {"a": [0.1], "b": [0.2]}}, recipe)


def test_a_name_may_not_be_that_of_a_mark():
    for name in ("hidden_padding", "test_density"):
        with pytest.raises(
            ValueError, match=r"name without test_ .* and _padding at its en"
        ):
            read_axes({name: [1.0]})


def test_a_count_of_seeds_is_refused_before_it_is_written_out():
    with pytest.raises(ValueError, match=r"^axis 'seed' must stay below 2\*\*32, got"):
        read_seeds({"seed": 2**40})


@pytest.mark.parametrize(
    ("build", "axes", "message"),
    [
        (toy, {"n_hidden": [2, 2.5]}, "n_hidden must be an integer"),
        (toy, {"activation": ["relu", "rellu"]}, "got 'rellu'"),
        (
            lambda density, name: task(density),
            {"density": [0.5], "name": ["a", "b"]},
            "axis 'name' must change the task, but build ignores it",
        ),
        (
            lambda density, n: task(density),
            {"density": [0.5], "n": [1, 2]},
            "axis 'n' must change the task, but build ignores it",
        ),
        (
            lambda density, f: task(density, activation=lambda: f),
            {"density": [0.5, 0.1], "f": ["a", "b"]},
            "density=0.1 f=a changes a size or another static part",
        ),
        (lambda density, /: task(density), {"density": [0.5]}, "its arguments by name"),
        (
            toy,
            {"threshold": ["low", "high"]},
            "threshold must be in [-inf, inf), got 'low'",
        ),
    ],
)
def test_axes_that_do_not_fit(build, axes, message, assert_rejected):
    assert_rejected(ValueError, message, build, axes)


def test_axes_may_not_be_names_where_the_task_needs_numbers(assert_rejected):
    message = "axis 'density' must hold numbers, got ['low', 'high']"
    assert_rejected(ValueError, message, task, {"density": ["low", "high"]})


# build may look values up, and may take the seed


def test_build_may_look_its_values_up(tmp_path):
    (tmp_path / "0.5").write_text("0.25")
    table = pd.Series([0.1, 0.5], index=[0.0, 1.0])
    lookups = {
        "a dictionary of strings": lambda x: {"0.5": 0.25}[str(x)],
        "a file": lambda x: float((tmp_path / str(x)).read_text()),
        "a method of floats": lambda x: 0.25 if x.is_integer() else 0.5,
    }
    for density in lookups.values():
        grid = Grid(lambda x, f=density: task(f(x)), {"x": [0.5]}, RECIPE)
        assert grid.n_cells == 1
    grid = Grid(lambda x: task(table[x]), {"x": [0.0, 1.0]}, RECIPE)
    np.testing.assert_allclose(grid.groups[0].grid.tasks.density.ravel(), table)


@js.pytree
class Fit:
    """Least squares on given data."""

    x: jax.Array
    y: jax.Array
    scale: float

    def init(self, key):
        return {"slope": jnp.zeros(())}

    def loss(self, params, key, batch_size):
        rows = jax.random.randint(key, (batch_size,), 0, len(self.x))
        return jnp.mean((self.scale * self.y[rows] - params["slope"] * self.x[rows]) ** 2)


X = np.random.default_rng(0).normal(size=5_000).astype(np.float32)


def with_split(scale, seed):
    """Data that all share, targets of each seed."""
    slopes = np.random.default_rng(seed).normal(size=1).astype(np.float32)
    return Fit(jnp.asarray(X), jnp.asarray(slopes * X), scale)


@pytest.mark.slow
def test_build_may_take_the_seed_and_shared_data_are_held_once():
    axes = {"scale": [1.0, 2.0, -1.0], "seed": [0, 5]}
    grid = Grid(with_split, axes, RECIPE)
    tasks = grid.groups[0].grid.tasks
    assert tasks.x.shape == (1, 1, 5_000)  # of all models
    assert tasks.y.shape == (1, 2, 5_000)  # of each seed
    assert tasks.scale.shape == (3, 2)
    recipe = js.Recipe(300, 64, optax.sgd(0.1), eval_batches=1)
    ds = js.sweep(with_split, axes, recipe, key=KEY)
    slopes = [np.random.default_rng(seed).normal() for seed in (0, 5)]
    np.testing.assert_allclose(ds["slope"], np.outer([1, 2, -1], slopes), rtol=1e-4)
    for devices in (1, 2):
        one = {"scale": [2.0], "seed": [5]}
        alone = js.sweep(with_split, one, recipe, key=KEY, devices=devices)
        np.testing.assert_allclose(
            ds["slope"].sel(scale=[2.0], seed=[5]), alone["slope"], rtol=1e-5
        )


@pytest.mark.slow
def test_the_fused_form_serves_tasks_of_each_seed():
    def seeded(threshold, seed):
        density = 0.2 + 0.1 * seed
        return js.Task(js.SparseFeatures(4, density), js.ToyModel(4, 2, threshold))

    ds = js.sweep(seeded, {"threshold": [0.0, -0.2], "seed": 3}, RECIPE, key=KEY)
    for seed in range(3):
        alone = js.sweep(
            lambda threshold, seed=seed: seeded(threshold, seed),
            {"threshold": [0.0, -0.2], "seed": [seed]},
            RECIPE,
            key=KEY,
        )
        np.testing.assert_allclose(
            ds["W"].sel(seed=[seed]), alone["W"], rtol=1e-4, atol=1e-6
        )


# Optimizers


@pytest.mark.slow
def test_twenty_learning_rates_cost_one_compilation(compilations):
    rates = np.geomspace(1e-4, 1e-1, 20)
    recipe = dataclasses.replace(RECIPE, optimizer=adam)
    axes = {"density": [0.5], "learning_rate": rates, "seed": 2}
    with compilations() as compiled:
        ds = js.sweep(task, axes, recipe, key=KEY)
    assert compiled.count("jit(_advance)") == 1
    with compilations() as compiled:
        js.sweep(task, axes | {"learning_rate": 2 * rates}, recipe, key=KEY)
    assert compiled == []
    for rate in rates[[0, 13]]:
        alone = js.sweep(
            task,
            {"density": [0.5], "seed": 2},
            dataclasses.replace(RECIPE, optimizer=optax.adam(rate)),
            key=KEY,
        )
        np.testing.assert_allclose(
            ds["W"].sel(learning_rate=rate), alone["W"], rtol=1e-4, atol=1e-6
        )


@pytest.mark.slow
def test_an_optimizer_that_cannot_be_traced_is_one_for_each_value(compilations):
    def warm(warmup, steps, kind):
        assert steps == 20
        if warmup > 5:  # a traced number has no answer
            warmup = 5
        schedule = optax.linear_schedule(0.0, 1e-2, warmup)
        return getattr(optax, kind)(schedule)

    recipe = dataclasses.replace(RECIPE, optimizer=warm)
    axes = {"density": [0.5], "warmup": [2, 4], "kind": ["adam", "sgd"]}
    with compilations() as compiled:
        ds = js.sweep(task, axes, recipe, key=KEY)
    assert compiled.count("jit(_advance)") == 4
    alone = js.sweep(
        task,
        {"density": [0.5]},
        dataclasses.replace(RECIPE, optimizer=optax.sgd(optax.linear_schedule(0, 1e-2, 4))),
        key=KEY,
    )
    np.testing.assert_allclose(
        ds["W"].sel(warmup=4, kind="sgd"), alone["W"], rtol=1e-5, atol=1e-7
    )


def test_the_number_of_steps_is_passed_on():
    function = dataclasses.replace(RECIPE, optimizer=js.decaying_adam)
    plain = dataclasses.replace(RECIPE, optimizer=js.decaying_adam(20))
    one, two = (js.sweep(task, {"density": [0.5]}, r, key=KEY) for r in (function, plain))
    np.testing.assert_array_equal(one["W"], two["W"])


@pytest.mark.parametrize(
    ("optimizer", "axes", "message"),
    [
        (adam, {"density": [0.5]}, "recipe.optimizer: 'learning_rate' is missing"),
        (
            adam,
            {"density": [0.5], "rate": [1.0]},
            "which takes (density, n_hidden, activation), nor of recipe.optimizer "
            "(learning_rate)",
        ),
        (
            lambda rate: optax.adam(1e-3),
            {"density": [0.5], "rate": [1.0, 2.0]},
            "axis 'rate' must change the optimizer, but recipe.optimizer ignores it",
        ),
        (
            lambda steps: optax.adam(1e-3),
            {"density": [0.5], "steps": [1.0, 2.0]},
            "axis 'steps' must have another name",
        ),
        (
            lambda seed: optax.adam(1e-3),
            {"density": [0.5], "seed": 2},
            "recipe.optimizer must not take 'seed', which only build may",
        ),
    ],
)
def test_optimizers_that_do_not_fit(optimizer, axes, message):
    recipe = dataclasses.replace(RECIPE, optimizer=optimizer)
    with pytest.raises(ValueError, match=re.escape(message)):
        js.sweep(task, axes, recipe, key=KEY)


def test_an_optimizer_function_must_return_an_optimizer():
    recipe = dataclasses.replace(RECIPE, optimizer=lambda: 3)
    with pytest.raises(TypeError, match=r"optimizer must return an optax .* got 3"):
        js.sweep(task, {"density": [0.5]}, recipe, key=KEY)

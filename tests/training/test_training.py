"""Training a grid against a plain Python loop that trains one model at a time."""

import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jsuper as js
from jsuper.training import DATA, EVALUATION, INIT, evaluate, notebook_optimizer

DENSITIES = [0.9, 0.2]
RECIPE = js.Recipe(steps=25, batch_size=32, log_every=10)


def identity(x):
    """The same target as the default, but another object: no fused form applies."""
    return x


def toy_task(target, density, importance=(1.0, 0.9, 0.5)):
    features, model = js.SparseFeatures(3, density), js.ToyModel(3, 2, threshold=-0.1)
    if target is None:
        return js.Task(features, model, jnp.asarray(importance))
    return js.Task(features, model, jnp.asarray(importance), target)


def toy_tasks(target):
    return jax.vmap(lambda density: toy_task(target, density))(jnp.array(DENSITIES))


@functools.partial(jax.jit, static_argnames="recipe")
def one_step(task, key, params, state, recipe):
    gradient = jax.value_and_grad(task.loss)
    loss, grads = gradient(params, key, recipe.batch_size)
    updates, state = recipe.optimizer.update(grads, state, params)
    return optax.apply_updates(params, updates), state, loss


def by_hand(task, key, recipe, params=None):
    """Trains one model step by step: parameters, and the loss of every step."""
    params = task.init(jax.random.fold_in(key, INIT)) if params is None else params
    state, losses = recipe.optimizer.init(params), []
    for i in range(recipe.steps):
        step_key = jax.random.fold_in(jax.random.fold_in(key, DATA), i)
        params, state, loss = one_step(task, step_key, params, state, recipe)
        losses.append(float(loss))
    return params, np.array(losses)


START = {
    "W": np.array([[1.0, 0.2], [-0.9, 0.1], [0.0, 0.8]], np.float32),
    "b": np.array([0.1, 0.0, -0.1], np.float32),
}


def over_grid(params, *shape):
    return jax.tree.map(lambda leaf: np.broadcast_to(leaf, (*shape, *leaf.shape)), params)


def assert_same(got, expected, **tolerances):
    chex.assert_trees_all_close(got, expected, **tolerances)


paths = pytest.mark.parametrize("target", [None, identity], ids=["fused", "general"])


@paths
def test_train_equals_a_loop_over_steps_of_each_model(target):
    keys = jax.random.split(jax.random.key(1), 2)
    params, history = js.train(toy_tasks(target), keys, RECIPE)
    assert history.shape == (2, 2, 3)
    for i, density in enumerate(DENSITIES):
        for j, key in enumerate(keys):
            expected, losses = by_hand(toy_task(identity, density), key, RECIPE)
            got = jax.tree.map(lambda leaf, i=i, j=j: leaf[i, j], params)
            assert_same(got, expected, rtol=1e-4, atol=1e-6)
            # 25 steps, one entry for every 10: the last window is shorter.
            windows = [losses[:10].mean(), losses[10:20].mean(), losses[20:].mean()]
            np.testing.assert_allclose(history[i, j], windows, rtol=1e-5)


@paths
def test_given_params_and_a_key_for_each_task(target):
    keys = jax.random.split(jax.random.key(2), (2, 1))
    params, history = js.train(toy_tasks(target), keys, RECIPE, over_grid(START, 2, 1))
    for i, density in enumerate(DENSITIES):
        task = toy_task(identity, density)
        expected, losses = by_hand(task, keys[i, 0], RECIPE, START)
        got = jax.tree.map(lambda leaf, i=i: leaf[i, 0], params)
        assert_same(got, expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(history[i, 0, 0], losses[:10].mean(), rtol=1e-5)


@pytest.mark.parametrize(
    ("steps", "log_every", "firsts", "lengths"),
    [
        (25, 10, [0, 10, 20], [10, 10, 5]),
        (20, 10, [0, 10], [10, 10]),
        (3, 10, [0], [3]),
        (250, None, list(range(0, 250, 2)), [2] * 125),
        (7, None, list(range(7)), [1] * 7),
    ],
)
def test_windows_cover_every_step_once(steps, log_every, firsts, lengths):
    assert js.Recipe(steps=steps, log_every=log_every).windows() == (firsts, lengths)


def test_the_optimizer_sees_one_model_at_a_time():
    # Rate 1 after clipping: every model moves by the clipped norm, whatever its gradient.
    optimizer = optax.chain(optax.clip_by_global_norm(1e-3), optax.sgd(1.0))
    recipe = js.Recipe(steps=1, batch_size=32, optimizer=optimizer)
    keys = jax.random.split(jax.random.key(4), 1)

    def trained(importances):
        def build(importance):
            return toy_task(None, 0.5, importance * jnp.ones(3))

        return js.train(jax.vmap(build)(jnp.array(importances)), keys, recipe)[0]

    start = toy_task(None, 0.5).init(jax.random.fold_in(keys[0], INIT))
    beside_huge, beside_equal = trained([1.0, 1e6]), trained([1.0, 1.0])
    moved = jax.tree.map(lambda leaf, first: leaf[:, 0] - first, beside_huge, start)
    norms = [optax.tree.norm(jax.tree.map(lambda d, i=i: d[i], moved)) for i in (0, 1)]
    np.testing.assert_allclose(norms, 1e-3, rtol=1e-3)
    first_model = jax.tree.map(lambda leaf: leaf[0], (beside_huge, beside_equal))
    chex.assert_trees_all_equal(*first_model)


@functools.partial(jax.tree_util.register_dataclass, data_fields=["slope"], meta_fields=[])
@dataclasses.dataclass
class Regression:
    """A task of a user's own: nothing but init and loss."""

    slope: jax.Array

    def init(self, key):
        return {"w": jax.random.normal(key)}

    def loss(self, params, key, batch_size):
        x = jax.random.normal(key, (batch_size,))
        return jnp.mean((params["w"] * x - self.slope * x) ** 2)


def test_a_task_made_by_a_user_trains_in_the_same_call():
    slopes = jnp.array([3.0, -1.0, 0.5])
    keys = jax.random.split(jax.random.key(6), 4)
    recipe = js.Recipe(steps=100, batch_size=64, optimizer=optax.sgd(0.1))
    params, history = js.train(Regression(slopes), keys, recipe)
    expected = np.broadcast_to(slopes[:, None], (3, 4))
    np.testing.assert_allclose(params["w"], expected, atol=1e-5)
    assert (history[..., -1] < 1e-9).all()
    assert (history[..., 0] > 1e-3).all()


def test_train_works_inside_jit():
    slopes, keys = jnp.array([3.0, -1.0]), jax.random.split(jax.random.key(5), 2)
    recipe = js.Recipe(steps=10, batch_size=64, optimizer=optax.sgd(0.01))
    params, history = js.train(Regression(slopes), keys, recipe)

    @jax.jit
    def error_and_history(slopes, keys):
        params, history = js.train(Regression(slopes), keys, recipe)
        return params["w"] - slopes[:, None], history

    expected = params["w"] - slopes[:, None], history
    assert_same(error_and_history(slopes, keys), expected, rtol=1e-5)


@jax.tree_util.register_static
class Draws:
    """A task without leaves whose loss is the number that its key samples."""

    def init(self, key):
        return jax.random.uniform(key)

    def loss(self, params, key, batch_size):
        return jax.random.uniform(key) + 0.0 * params


def test_a_task_without_leaves_is_a_grid_of_one():
    keys = jax.random.split(jax.random.key(7), 3)
    recipe = js.Recipe(steps=5, batch_size=1, log_every=1, optimizer=optax.sgd(0.1))
    params, history = js.train(Draws(), keys, recipe)
    fold = jax.random.fold_in
    starts = [jax.random.uniform(fold(key, INIT)) for key in keys]
    np.testing.assert_array_equal(params, [starts])
    samples = [
        [jax.random.uniform(fold(fold(key, DATA), i)) for i in range(5)] for key in keys
    ]
    np.testing.assert_array_equal(history, [samples])


def test_evaluation_uses_data_that_training_never_saw():
    keys = jax.random.split(jax.random.key(8), 2)
    recipe = js.Recipe(steps=50, batch_size=1, log_every=1, optimizer=optax.sgd(0.1))
    params, history = js.train(Draws(), keys, recipe)
    losses = evaluate(Draws(), keys, params, batch_size=1, batches=50)
    for j, key in enumerate(keys):
        stream = jax.random.fold_in(key, EVALUATION)
        fresh = [
            float(jax.random.uniform(jax.random.fold_in(stream, i))) for i in range(50)
        ]
        np.testing.assert_allclose(losses[0, j], np.mean(fresh), rtol=1e-6)
        assert not set(fresh) & set(history[0, j].tolist())


@paths
def test_evaluation_is_the_mean_loss_over_batches(target):
    keys = jax.random.split(jax.random.key(9), 1)
    params = over_grid(START, 2, 1)
    losses = evaluate(toy_tasks(target), keys, params, batch_size=32, batches=4)
    stream = jax.random.fold_in(keys[0], EVALUATION)
    for i, density in enumerate(DENSITIES):
        task = toy_task(identity, density)
        batches = [task.loss(START, jax.random.fold_in(stream, k), 32) for k in range(4)]
        np.testing.assert_allclose(losses[i, 0], np.mean(batches), rtol=1e-5)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("steps", 0),
        ("steps", 2.5),
        ("steps", True),
        ("batch_size", 0),
        ("log_every", -1),
        ("log_every", 0),
        ("eval_batches", 0),
    ],
)
def test_a_recipe_names_what_is_wrong(argument, value):
    with pytest.raises(ValueError, match=f"^{argument} must be .* got {value}$"):
        js.Recipe(**{argument: value})


@pytest.mark.parametrize("optimizer", ["adam", optax.adam, None])
def test_a_recipe_takes_optax_transformations_only(optimizer):
    with pytest.raises(TypeError, match="optimizer must be an optax") as error:
        js.Recipe(optimizer=optimizer)
    assert repr(optimizer) in str(error.value)


def test_the_notebook_optimizer_is_one_object():
    assert notebook_optimizer() is notebook_optimizer()
    assert js.Recipe().optimizer is js.Recipe(steps=3).optimizer is notebook_optimizer()


def test_the_notebook_optimizer_is_torchs_adamw():
    # First step by hand: decay by 1 - 1e-3 * 1e-2, then move 1e-3 against the sign.
    p, moment, square = np.array([2.0, -1.0, 0.0]), 0.0, 0.0
    gradients = np.array([[0.5, -30.0, 1e-3], [-0.1, 2.0, 5e-3]])
    params, state = jnp.array(p), notebook_optimizer().init(jnp.array(p))
    for i, g in enumerate(gradients, start=1):
        updates, state = notebook_optimizer().update(jnp.array(g), state, params)
        params = optax.apply_updates(params, updates)
        moment, square = 0.9 * moment + 0.1 * g, 0.999 * square + 0.001 * g**2
        corrected = moment / (1 - 0.9**i), square / (1 - 0.999**i)
        p = p * (1 - 1e-3 * 1e-2) - 1e-3 * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
        if i == 1:
            by_sign = [2 - 2e-5 - 1e-3, -1 + 1e-5 + 1e-3, -1e-3]
            np.testing.assert_allclose(params, by_sign, rtol=1e-6, atol=3e-8)
        np.testing.assert_allclose(params, p, rtol=1e-6, atol=3e-8)


def test_decaying_adam_falls_along_a_cosine_to_rest():
    optimizer = js.decaying_adam(8, rate=0.1)
    assert optimizer is js.decaying_adam(8, rate=0.1)
    params, state = jnp.zeros(()), optimizer.init(jnp.zeros(()))
    sizes = []
    for _ in range(10):
        update, state = optimizer.update(jnp.ones(()), state, params)
        sizes.append(-float(update))
    # Adam's step for a constant gradient is the rate itself.
    expected = [0.05 * (1 + np.cos(np.pi * min(i, 8) / 8)) for i in range(10)]
    np.testing.assert_allclose(sizes, expected, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("rate", [0, -1, np.nan, np.inf])
def test_bad_rate(rate):
    with pytest.raises(ValueError, match=r"^rate must be positive and finite, got"):
        js.decaying_adam(10, rate)


def test_train_names_what_is_no_grid():
    keys = jax.random.split(jax.random.key(0), 3)
    recipe = js.Recipe(steps=2)
    with pytest.raises(
        ValueError, match=r"^tasks must be a batch, .* shapes \[\(\), \(3,\)"
    ):
        js.train(toy_task(None, 0.1), keys, recipe)
    with pytest.raises(ValueError, match=r"^keys must have shape .* got \(\)"):
        js.train(toy_tasks(None), keys[0], recipe)
    with pytest.raises(ValueError, match=r"^keys must have shape .* got \(3, 3\)"):
        js.train(toy_tasks(None), jnp.stack([keys] * 3), recipe)
    with pytest.raises(TypeError, match=r"^keys must be typed PRNG keys"):
        js.train(toy_tasks(None), jax.random.key_data(keys), recipe)

"""The loss of a task and its gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jsuper as js


def example(n=5, m=2, threshold=-0.1, density=0.4, seed=0, **kwargs):
    low = kwargs.pop("low", 0.0)
    task = js.Task(
        js.SparseFeatures(n, density, low), js.ToyModel(n, m, threshold), **kwargs
    )
    rng = np.random.default_rng(seed)
    params = {"W": jnp.array(rng.normal(size=(n, m))), "b": jnp.array(rng.normal(size=n))}
    return task, params


@jax.jit(static_argnames="batch")
def batch_and_loss(task, params, key, batch):
    return task.features.sample(key, batch), task.loss(params, key, batch)


def loss_in_loops(task, params, x, target):
    """Mean over examples and features of the weighted squared errors."""
    W, b, x = (np.asarray(a, np.float64) for a in (params["W"], params["b"], x))
    batch, n = x.shape
    importance = np.broadcast_to(task.importance, n)
    total = 0.0
    for row in x:
        z = W @ (W.T @ row) + b
        for i in range(n):
            output = z[i] if z[i] >= task.model.threshold else 0.0
            total += importance[i] * (target(row[i]) - output) ** 2
    return total / (batch * n)


@pytest.mark.parametrize("threshold", [-np.inf, -0.25, 0.0, 0.25])
@pytest.mark.parametrize("importance", [1.0, 2.5, (1.0, 0.5, 0.25, 0.1, 0.0)])
def test_loss_equals_numpy(threshold, importance):
    with jax.enable_x64(True):
        task, params = example(threshold=threshold, importance=np.asarray(importance))
        x, loss = batch_and_loss(task, params, jax.random.key(0), batch=67)
    expected = loss_in_loops(task, params, x, lambda value: value)
    assert float(loss) == pytest.approx(expected, rel=1e-12)


def test_target():
    with jax.enable_x64(True):
        task, params = example(low=-1.0, importance=0.7 ** np.arange(5), target=jnp.abs)
        x, loss = batch_and_loss(task, params, jax.random.key(1), batch=67)
    assert np.any(np.asarray(x) < 0)
    assert float(loss) == pytest.approx(loss_in_loops(task, params, x, abs), rel=1e-12)
    identity = loss_in_loops(task, params, x, lambda value: value)
    assert abs(float(loss) / identity - 1) > 1e-3


def test_perfect_model_costs_nothing():
    task, _ = example(3, 3, 0.0)
    params = {"W": jnp.eye(3), "b": jnp.zeros(3)}
    x, loss = batch_and_loss(task, params, jax.random.key(0), batch=100)
    assert float(x.max()) > 0
    assert float(loss) == 0


def test_init_is_the_models():
    task, _ = example()
    params, expected = task.init(jax.random.key(3)), task.model.init(jax.random.key(3))
    np.testing.assert_array_equal(params["W"], expected["W"])
    np.testing.assert_array_equal(params["b"], expected["b"])
    assert task.dims == {"W": ("feature", "hidden"), "b": ("feature",)}


STEP = 1e-6


@jax.jit
def gradient_and_differences(task, params, key):
    """Also how close an output comes to the threshold."""
    flat, unravel = jax.flatten_util.ravel_pytree(params)
    x = task.features.sample(key, 50)
    z = x @ params["W"] @ params["W"].T + params["b"]

    def loss(flat):
        return task.loss(unravel(flat), key, 50)

    steps = STEP * jnp.eye(len(flat))
    differences = (jax.vmap(loss)(flat + steps) - jax.vmap(loss)(flat - steps)) / (2 * STEP)
    return jax.grad(loss)(flat), differences, jnp.abs(z - task.model.threshold).min()


@pytest.mark.parametrize(
    ("threshold", "kwargs"),
    [
        (-np.inf, {}),
        (-0.25, {}),
        (0.0, {"importance": 0.8 ** np.arange(5)}),
        (0.25, {}),
        (0.0, {"low": -1.0, "target": jnp.abs}),
    ],
)
def test_gradient_equals_finite_differences(threshold, kwargs):
    with jax.enable_x64(True):
        task, params = example(threshold=threshold, **kwargs)
        gradient, differences, margin = gradient_and_differences(
            task, params, jax.random.key(4)
        )
    # No output may cross the threshold: the jump there is no part of the gradient.
    assert float(margin) > 50 * STEP
    assert np.abs(gradient).max() > 0.01
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("n_model", "importance", "message"),
    [
        (4, 1.0, r"model\.n_features must equal features\.n_features = 5, got 4$"),
        (5, -1.0, "importance must be finite and at least 0, got -1$"),
        (5, np.nan, "importance must be finite and at least 0, got nan$"),
        (5, np.inf, "importance must be finite and at least 0, got inf$"),
        (5, [1, 1, 1, -0.5, 1], r"importance must be finite .* at least 0, got -0\.5$"),
        (5, [1.0, 1.0], r"importance must be one number or 5 .*, got \[.*\]$"),
        (5, np.ones((5, 1)), r"importance must be one number or 5 .* shape \(5, 1\)$"),
    ],
)
def test_bad_tasks(n_model, importance, message):
    with pytest.raises(ValueError, match="^" + message):
        js.Task(js.SparseFeatures(5, 0.1), js.ToyModel(n_model, 2), importance)


def test_transformations_keep_the_target():
    tasks = jax.vmap(lambda p: example(density=p, target=jnp.abs)[0])(jnp.array([0.1, 0.2]))
    assert tasks.target is jnp.abs
    assert (tasks.features.n_features, tasks.model.n_hidden) == (5, 2)
    odd = jax.tree.map(lambda leaf: -leaf, tasks)
    np.testing.assert_allclose(odd.features.density, [-0.1, -0.2], rtol=1e-6)


def test_a_target_of_another_shape_is_refused():
    features, model = js.SparseFeatures(3, 0.5), js.ToyModel(3, 2)
    task = js.Task(features, model, target=jnp.sum)
    params = task.init(jax.random.key(0))
    with pytest.raises(ValueError, match=r"target must return .* \(4, 3\), got \(\)"):
        task.loss(params, jax.random.key(1), 4)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            "features",
            r"sample of \w+ must return .* \(batch_size, n_features\), got \(1, 3",
        ),
        (
            "model",
            r"apply of \w+ must return an array like the features, \(4, 3\), got \(4,",
        ),
    ],
)
def test_parts_that_return_another_shape_are_named(part, message):
    @js.pytree
    class Other:
        n_features: int = js.static(default=3)

        def init(self, key):
            return {"w": jnp.zeros(2)}

        def sample(self, key, batch_size):
            return jnp.zeros((1, 3))  # which would broadcast

        def apply(self, params, x):
            return x[:, :2] + params["w"]

    parts = {"features": js.SparseFeatures(3, 0.5), "model": js.ToyModel(3, 2)}
    task = js.Task(**(parts | {part: Other()}))
    params = task.init(jax.random.key(0))
    with pytest.raises(ValueError, match=message):
        task.loss(params, jax.random.key(1), 4)


def test_features_and_model_cannot_be_exchanged():
    features, model = js.SparseFeatures(3, 0.5), js.ToyModel(3, 2)
    with pytest.raises(
        TypeError, match="features must have the method sample, got ToyModel"
    ):
        js.Task(model, features)


def test_l1_adds_the_mean_hidden_activity():
    with jax.enable_x64(True):
        task, params = example(density=0.7, l1=0.3)
        plain, _ = example(density=0.7)
        x, loss = batch_and_loss(task, params, jax.random.key(3), batch=67)
        _, reconstruction = batch_and_loss(plain, params, jax.random.key(3), batch=67)
    activity = np.abs(np.asarray(x) @ np.asarray(params["W"])).sum(1).mean()
    assert float(loss - reconstruction) == pytest.approx(0.3 * activity / 5, rel=1e-10)


@pytest.mark.parametrize("l1", [-1.0, np.nan, np.inf])
def test_bad_l1(l1):
    with pytest.raises(ValueError, match=f"^l1 must be finite and at least 0, got {l1:g}$"):
        example(l1=l1)


def test_l1_is_one_number():
    with pytest.raises(ValueError, match=r"^l1 must be one number, got .* \(2,\)$"):
        example(l1=np.zeros(2))


def test_l1_needs_a_model_that_shows_its_hidden_layer():
    class Opaque:
        n_features = 5

        def init(self, key):
            return {}

        def apply(self, params, x):
            return x

    with pytest.raises(TypeError, match=r"^l1 needs a model with the method hidden"):
        js.Task(js.SparseFeatures(5, 0.5), Opaque(), l1=0.1)


@pytest.mark.slow
def test_the_penalty_on_interference_is_added_to_both_losses():
    features, model = js.SparseFeatures(3, 0.3), js.ToyModel(3, 2)
    plain = js.Task(features, model)
    own = plain.replace(interference=0.5)
    params, key = plain.init(jax.random.key(0)), jax.random.key(1)
    gram = np.asarray(params["W"] @ params["W"].T)
    penalty = 0.5 / 3 * sum(gram[i, j] ** 2 for i in range(3) for j in range(3) if i != j)
    for loss in (
        lambda task: task.loss(params, key, 64),
        lambda task: js.population_loss(task, params),
    ):
        np.testing.assert_allclose(loss(own) - loss(plain), penalty, rtol=1e-4)
    # In a grid, by the fused form or the general path, and exactly.
    for kind in (lambda task: task, js.Population):
        ds = js.sweep(
            lambda interference, kind=kind: kind(
                js.Task(features, model, interference=interference)
            ),
            {"interference": [0.0, 0.5]},
            js.Recipe(1, 32, optax.set_to_zero()),
            key=jax.random.key(2),
        )
        gram = ds["W"].values @ ds["W"].values.swapaxes(1, 2)
        apart = (gram**2).sum((1, 2)) - (np.einsum("kii->ki", gram) ** 2).sum(1)
        added = float(ds["loss"][1] - ds["loss"][0])
        np.testing.assert_allclose(added, 0.5 / 3 * apart[0], rtol=1e-4)
    with pytest.raises(ValueError, match="interference must be finite and at least 0"):
        plain.replace(interference=-1.0)

"""The computation model: what it computes, how it starts, and what it can express."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js
from jsuper.models.computation import ComputationModel, absolute


def outputs(W_in, W_out, b, x):
    """One example in plain loops."""
    (n, m), relu = W_in.shape, lambda z: max(z, 0.0)
    h = [relu(sum(x[i] * W_in[i, j] for i in range(n))) for j in range(m)]
    return [relu(sum(h[j] * W_out[j, k] for j in range(m)) + b[k]) for k in range(n)]


@pytest.mark.parametrize(("n", "m"), [(1, 1), (5, 3), (3, 6)])
def test_apply_equals_plain_loops(n, m):
    rng = np.random.default_rng(0)
    W_in, W_out, b = rng.normal(size=(n, m)), rng.normal(size=(m, n)), rng.normal(size=n)
    x = rng.normal(size=(2, 3, n))
    expected = [[outputs(W_in, W_out, b, example) for example in row] for row in x]
    with jax.enable_x64(True):
        params = {"W_in": jnp.asarray(W_in), "W_out": jnp.asarray(W_out), "b": b}
        y = ComputationModel(n, m).apply(params, jnp.asarray(x))
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


def by_hand(n):
    """ReLU(x) + ReLU(-x) for every feature, with reciprocal weights."""
    eye = jnp.eye(n)
    W_in = jnp.concatenate([2 * eye, -eye / 4], axis=1)
    W_out = jnp.concatenate([eye / 2, 4 * eye])
    return {"W_in": W_in, "W_out": W_out, "b": jnp.zeros(n)}


def test_two_neurons_a_feature_compute_the_absolute_value():
    task = js.Task(
        js.SparseFeatures(3, 0.5, low=-1), ComputationModel(3, 6), target=absolute
    )
    assert float(task.loss(by_hand(3), jax.random.key(0), 10_000)) < 1e-12
    # Without the neurons for x < 0 that half is lost: E x^2 / 2 = p / 6.
    half = by_hand(3) | {"W_out": by_hand(3)["W_out"].at[3:].set(0)}
    loss = float(task.loss(half, jax.random.key(0), 100_000))
    # A squared error is x^2 where x < 0: variance p/10 - (p/6)^2, over 300,000 of them.
    assert abs(loss - 0.5 / 6) < 4 * np.sqrt((0.5 / 10 - (0.5 / 6) ** 2) / 300_000)


def test_gradient_equals_finite_differences():
    with jax.enable_x64(True):
        task = js.Task(
            js.SparseFeatures(4, 0.6, low=-1),
            ComputationModel(4, 3, 0.8),
            jnp.array([1.0, 0.8, 0.5, 0.1]),
            target=absolute,
        )
        params = jax.tree.map(lambda a: a.astype(float), task.init(jax.random.key(0)))
        # With b = 0, examples that activate no neuron would sit on the kink of the output.
        params["b"] = jnp.array([0.1, -0.1, 0.05, 0.2])
        key, step = jax.random.key(1), 1e-6
        gradient = jax.grad(task.loss)(params, key, 500)
        for name, array in params.items():
            for place in np.ndindex(array.shape):
                up, down = (
                    task.loss(params | {name: array.at[place].add(s)}, key, 500)
                    for s in (step, -step)
                )
                # A kink within the step moves the difference by about 1e-6.
                assert gradient[name][place] == pytest.approx(
                    float(up - down) / (2 * step), abs=1e-5
                )


@pytest.mark.parametrize(
    ("settings", "bound", "lowest"),
    [
        ({}, np.sqrt(6 / 4000), 0.0),
        ({"signed_outputs": True}, np.sqrt(6 / 4000), -1.0),
        ({"init_bound": 0.3}, 0.3, 0.0),
    ],
)
def test_start(settings, bound, lowest):
    params = ComputationModel(100, 40, **settings).init(jax.random.key(0))
    for W, low in ((params["W_in"], -1.0), (params["W_out"], lowest)):
        W = np.asarray(W, np.float64) / bound
        # The extremes of 4,000 uniform numbers lie within 0.5% of the ends, 1 - 4e-5.
        assert low <= W.min() < low + 0.005 * (1 - low)
        assert 1 - 0.005 * (1 - low) < W.max() <= 1
        deviation = (1 - low) / np.sqrt(12)
        assert abs(W.mean() - (1 + low) / 2) < 4 * deviation / np.sqrt(W.size)
    assert not params["b"].any()
    correlation = np.corrcoef(
        np.asarray(params["W_in"]).ravel(), np.asarray(params["W_out"]).T.ravel()
    )
    assert abs(correlation[0, 1]) < 4 / np.sqrt(4000)


def test_silent_outputs_pass_no_gradient():
    # Why W_out starts positive: for x > 0 the output is below 0 and cannot learn.
    model = ComputationModel(1, 2)
    params = {
        "W_in": jnp.array([[1.0, -1.0]]),
        "W_out": jnp.array([[-0.1], [0.1]]),
        "b": jnp.zeros(1),
    }

    def loss(params, x):
        return jnp.sum((absolute(x) - model.apply(params, x)) ** 2)

    positive = jax.grad(loss)(params, jnp.array([0.5]))
    assert all(not leaf.any() for leaf in jax.tree.leaves(positive))
    negative = jax.grad(loss)(params, jnp.array([-0.5]))
    # d/dW_out of (0.5 - 0.5 W_out)^2 at 0.1 is -0.45.
    assert float(negative["W_out"][1, 0]) == pytest.approx(-2 * 0.45 * 0.5)


def test_a_sweep_labels_the_weights():
    def task(density):
        features = js.SparseFeatures(3, density, low=-1)
        return js.Task(features, ComputationModel(3, 6), target=absolute)

    ds = js.sweep(
        task, {"density": [1.0, 0.1], "seed": 2}, js.Recipe(20, 32), key=jax.random.key(0)
    )
    assert ds["W_in"].dims == ("density", "seed", "feature", "hidden")
    assert ds["W_out"].dims == ("density", "seed", "hidden", "feature")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), "n_features must be an integer of at least 1"),
        ((1, 1.5), "n_hidden must be an integer of at least 1"),
        ((1, 1, 0.0), "init_bound must be positive and finite"),
        ((1, 1, [1.0, 2.0]), "init_bound must be one number"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        ComputationModel(*arguments)

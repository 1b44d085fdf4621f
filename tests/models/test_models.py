"""The toy model: what it computes and how it starts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js


def reconstruct(W, b, x, threshold):
    """One example in plain loops."""
    n, m = W.shape
    h = [sum(W[i, k] * x[i] for i in range(n)) for k in range(m)]
    z = [sum(W[i, k] * h[k] for k in range(m)) + b[i] for i in range(n)]
    return [value if value >= threshold else 0.0 for value in z]


@pytest.mark.parametrize("threshold", [-np.inf, -0.25, 0.0, 0.25])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (5, 2), (3, 4)])
def test_apply_equals_plain_loops(n, m, threshold):
    rng = np.random.default_rng(0)
    W, b, x = rng.normal(size=(n, m)), rng.normal(size=n), rng.normal(size=(2, 3, n))
    expected = [[reconstruct(W, b, example, threshold) for example in row] for row in x]
    with jax.enable_x64(True):
        model = js.ToyModel(n, m, threshold)
        output = model.apply({"W": jnp.asarray(W), "b": jnp.asarray(b)}, jnp.asarray(x))
    np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-12)


def test_batched_models_apply_one_by_one():
    thresholds = jnp.array([-jnp.inf, -0.25, 0.0])
    models = jax.vmap(lambda t: js.ToyModel(4, 2, t))(thresholds)
    params = jax.vmap(models.init)(jax.random.split(jax.random.key(0), 3))
    x = jax.random.normal(jax.random.key(1), (6, 4))
    output = jax.vmap(lambda model, params: model.apply(params, x))(models, params)
    for i, threshold in enumerate(thresholds):
        own = {name: values[i] for name, values in params.items()}
        alone = js.ToyModel(4, 2, threshold).apply(own, x)
        np.testing.assert_allclose(output[i], alone, rtol=1e-5, atol=1e-6)


def draw(model, n_keys, seed=0):
    return jax.vmap(model.init)(jax.random.split(jax.random.key(seed), n_keys))


def assert_std(W, std):
    # The sample deviation of N normal numbers has standard error std / sqrt(2 N), the
    # mean std / sqrt(N): each within 4 of them, 99.99 %.
    W = np.asarray(W, np.float64)
    assert abs(W.std() / std - 1) < 4 / np.sqrt(2 * W.size)
    assert abs(W.mean() / std) < 4 / np.sqrt(W.size)


@pytest.mark.parametrize(
    ("n", "m", "std"), [(5, 2, 0.5345), (2, 1, 0.8165), (200, 20, 0.09535)]
)
def test_init_is_xavier(n, m, std):
    params = draw(js.ToyModel(n, m), n_keys=1_000_000 // (n * m))
    assert js.xavier_std(n, m) == pytest.approx(std, rel=1e-4)
    assert_std(params["W"], np.sqrt(2 / (n + m)))
    assert not np.any(params["b"])


@pytest.mark.parametrize("std", [0.258, 0.01, 3.0])
def test_init_std_as_given(std):
    params = draw(js.ToyModel(5, 2, init_std=std), n_keys=50_000)
    assert_std(params["W"], std)
    assert not np.any(params["b"])


def test_init_std_can_be_swept():
    stds = jnp.array([0.1, 0.2, 0.4])
    models = jax.vmap(lambda std: js.ToyModel(5, 2, init_std=std))(stds)
    W = np.asarray(jax.vmap(lambda model: model.init(jax.random.key(0)))(models)["W"])
    # The same draws, stretched.
    np.testing.assert_allclose(W, [W[0], 2 * W[0], 4 * W[0]], rtol=1e-6)
    assert np.abs(W[0]).max() > 0.05


@pytest.mark.parametrize(("n", "m"), [(5, 2), (2, 1)])
def test_init_does_not_depend_on_companions(n, m):
    # Were the axis of models counted as fan, 5 x 2 would start 11 times smaller in 320.
    model, keys = js.ToyModel(n, m), jax.random.split(jax.random.key(2), 320)
    together = np.asarray(jax.vmap(model.init)(keys)["W"])
    seven = jax.vmap(model.init)(keys[:7])["W"]
    np.testing.assert_array_equal(seven, together[:7])
    np.testing.assert_array_equal(model.init(keys[3])["W"], together[3])
    assert_std(together, js.xavier_std(n, m))


@pytest.mark.parametrize(
    ("n", "m", "k", "std"),
    [(5, 2, 10, 0.25820), (200, 20, 20, 0.021320), (2, 1, 1, 0.81650)],
)
def test_notebook_std(n, m, k, std):
    assert js.notebook_std(n, m, n_instances=k) == pytest.approx(std, rel=1e-4)


@pytest.mark.parametrize(
    ("W", "b", "x"),
    [
        ((2, 5), (5,), (3, 5)),  # the paper's W, the transpose
        ((5, 3), (5,), (3, 5)),
        ((1, 5, 2), (5,), (3, 5)),
        ((5, 2), (), (3, 5)),
        ((5, 2), (1,), (3, 5)),
        ((5, 2), (5,), (3, 4)),
    ],
)
def test_wrong_shapes(W, b, x):
    params = {"W": jnp.ones(W), "b": jnp.ones(b)}
    with pytest.raises(AssertionError, match=r"expected|dimension"):
        js.ToyModel(5, 2).apply(params, jnp.ones(x))


COUNT = "must be an integer of at least 1, got "


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"n_features": 0}, f"n_features {COUNT}0$"),
        ({"n_hidden": 0}, f"n_hidden {COUNT}0$"),
        ({"n_hidden": 1.5}, rf"n_hidden {COUNT}1\.5$"),
        ({"threshold": np.nan}, r"threshold must be in \[-inf, inf\), got nan$"),
        ({"threshold": np.inf}, r"threshold must be in \[-inf, inf\), got inf$"),
        ({"init_std": 0.0}, "init_std must be positive and finite, got 0$"),
        ({"init_std": -0.1}, r"init_std must be positive and finite, got -0\.1$"),
        ({"init_std": np.nan}, "init_std must be positive and finite, got nan$"),
        ({"init_std": np.inf}, "init_std must be positive and finite, got inf$"),
    ],
)
def test_bad_models(kwargs, message):
    with pytest.raises(ValueError, match="^" + message):
        js.ToyModel(**{"n_features": 5, "n_hidden": 2} | kwargs)


def test_threshold_and_scale_are_single_numbers():
    with pytest.raises(ValueError, match="threshold must be one number"):
        js.ToyModel(2, 1, threshold=np.zeros(2))
    with pytest.raises(ValueError, match="init_std must be one number"):
        js.ToyModel(2, 1, init_std=np.ones(7))


@pytest.mark.parametrize("threshold", [-np.inf, 0.0, 0.2])
def test_hidden_relu_in_loops(threshold):
    rng = np.random.default_rng(0)
    W, b, x = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=(50, 4))
    expected = np.zeros((50, 4))
    for row, example in zip(expected, x, strict=True):
        h = [max(0.0, sum(W[i, k] * example[i] for i in range(4))) for k in range(3)]
        z = [sum(W[i, k] * h[k] for k in range(3)) + b[i] for i in range(4)]
        row[:] = [value if value >= threshold else 0.0 for value in z]
    with jax.enable_x64(True):
        model = js.HiddenReLUModel(4, 3, threshold)
        output = model.apply({"W": jnp.array(W), "b": jnp.array(b)}, jnp.array(x))
    np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-12)


def test_rotating_the_hidden_layer_leaves_only_the_linear_one_as_it_was():
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    W, x = rng.normal(size=(5, 3)), jnp.array(rng.uniform(size=(20, 5)))

    def change(model):
        before, after = (
            model.apply({"W": jnp.array(V), "b": jnp.zeros(5)}, x) for V in (W, W @ turn)
        )
        return float(jnp.abs(after - before).max())

    assert change(js.ToyModel(5, 3)) < 1e-5
    assert change(js.HiddenReLUModel(5, 3)) > 0.1

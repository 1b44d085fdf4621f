"""The toy model: what it computes and how it starts."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
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
    # mean std / sqrt(N): each within 4 of them, 99.99%.
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
    # The same samples, stretched.
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


def cubed(z):
    return z**3


SETTINGS = [
    {"activation": "gelu", "bias": False},
    {"activation": "tanh", "tied": False},
    {"activation": cubed, "bias": False, "tied": False},
    {"threshold": -0.2, "bandwidth": 0.1, "tied": False, "train_threshold": True},
]


@pytest.mark.parametrize("kind", [js.ToyModel, js.HiddenReLUModel])
@pytest.mark.parametrize("settings", SETTINGS)
def test_other_settings_in_loops(kind, settings):
    n, m = 4, 3
    model = kind(n, m, **settings)
    rng = np.random.default_rng(0)
    params = jax.tree.map(lambda p: rng.normal(size=p.shape), model.init(jax.random.key(0)))
    W, b = params["W"], params.get("b", np.zeros(n))
    W_out, x = params.get("W_out", W.T), rng.normal(size=(20, n))

    def output(z, i):
        if "threshold" in settings:
            return z if z >= params["t"][i] else 0.0
        gelu = lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2  # noqa: E731
        return {"gelu": gelu, "tanh": math.tanh, cubed: cubed}[settings["activation"]](z)

    expected = np.zeros((20, n))
    for row, example in zip(expected, x, strict=True):
        h = [sum(W[i, k] * example[i] for i in range(n)) for k in range(m)]
        h = [max(0.0, value) for value in h] if kind is js.HiddenReLUModel else h
        z = [sum(W_out[k, i] * h[k] for k in range(m)) + b[i] for i in range(n)]
        row[:] = [output(value, i) for i, value in enumerate(z)]
    with jax.enable_x64(True):
        y = model.apply(jax.tree.map(jnp.asarray, params), jnp.asarray(x))
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("train_threshold", [True, False])
def test_dims_name_the_parameters(bias, tied, train_threshold):
    settings = {"bias": bias, "tied": tied, "train_threshold": train_threshold}
    model = js.ToyModel(5, 2, 0.25, bandwidth=0.1, **settings)
    params = model.init(jax.random.key(1))
    sizes = {"feature": 5, "hidden": 2}
    named = {name: tuple(sizes[d] for d in dims) for name, dims in model.dims.items()}
    assert named == {name: array.shape for name, array in params.items()}
    assert ("b" in params, "W_out" not in params) == (bias, tied)
    assert ("t" in params) == train_threshold
    np.testing.assert_array_equal(params.get("t", jnp.full(5, 0.25)), np.full(5, 0.25))
    # The embedding starts where that of the plain model does.
    plain = js.ToyModel(5, 2).init(jax.random.key(1))
    np.testing.assert_array_equal(params["W"], plain["W"])


def test_untied_weights_are_two_draws_of_one_scale():
    params = draw(js.ToyModel(5, 2, tied=False, init_std=0.3), n_keys=50_000)
    assert_std(params["W_out"], 0.3)
    inwards, outwards = (
        np.asarray(params[name]).reshape(-1, 10) for name in ("W", "W_out")
    )
    # Correlations of N pairs of independent numbers have standard error 1 / sqrt(N): a
    # hundred of them, all within 4.5 of it, 99.9%.
    correlations = inwards.T @ outwards / len(inwards) / 0.3**2
    assert np.abs(correlations).max() < 4.5 / np.sqrt(len(inwards))


def test_thresholds_and_bandwidths_can_be_swept():
    def slope(threshold, bandwidth):
        model = js.ToyModel(3, 2, threshold, bandwidth=bandwidth, train_threshold=True)
        params = model.init(jax.random.key(0))
        x = jax.random.normal(jax.random.key(1), (50, 3))
        return jax.grad(lambda params: (model.apply(params, x) - x).sum())(params)["t"]

    together = jax.vmap(slope)(jnp.array([-0.3, 0.2]), jnp.array([0.1, 0.4]))
    alone = [slope(-0.3, 0.1), slope(0.2, 0.4)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    assert np.abs(alone).max(1).min() > 1


def test_settings_are_static():
    def structure(**settings):
        return jax.tree.structure(js.ToyModel(3, 2, **settings))

    assert structure(activation=cubed) == structure(activation=cubed, threshold=0)
    different = [{}, {"activation": "gelu"}, {"activation": cubed}, {"bias": False}]
    different += [{"tied": False}, {"bandwidth": 0.1}]
    assert len({structure(**settings) for settings in different}) == len(different)


NAMES = "exrelu, jumprelu, relu, linear, gelu, silu, softplus, tanh, sigmoid"
ONE_OF = rf"activation must be one of {NAMES} or a hashable function of one JAX array, got "
ONLY = r"\(only exrelu and jumprelu have one\), got "


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"activation": "swish"}, rf"{ONE_OF}'swish'$"),
        ({"activation": None}, rf"{ONE_OF}None$"),
        ({"activation": 0.5}, rf"{ONE_OF}0\.5$"),
        ({"activation": np.tanh}, rf"{ONE_OF}<ufunc 'tanh'>$"),
        (
            {"activation": "gelu", "threshold": 0.1},
            f"threshold must be 0 .* gelu {ONLY}0.1$",
        ),
        ({"activation": cubed, "threshold": -np.inf}, f"threshold .* cubed {ONLY}-inf$"),
        ({"activation": "relu", "bandwidth": 0.1}, f"bandwidth must be None .* {ONLY}0.1$"),
        (
            {"activation": "silu", "train_threshold": True},
            f"train_threshold must be False .* silu {ONLY}True$",
        ),
        ({"bandwidth": 0.0}, "bandwidth must be positive and finite, got 0$"),
        ({"bandwidth": np.ones(2)}, r"bandwidth must be one number, got .* \(2,\)$"),
        ({"train_threshold": True}, "bandwidth must be positive .*, got None: .* is 0$"),
        (
            {"train_threshold": True, "bandwidth": 0.1, "threshold": -np.inf},
            "threshold must be finite with train_threshold, got -inf$",
        ),
        ({"bias": 0}, "bias must be True or False, got 0$"),
        ({"tied": "no"}, "tied must be True or False, got 'no'$"),
        ({"train_threshold": None}, "train_threshold must be True or False, got None$"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match="^" + message):
        js.ToyModel(5, 2, **settings)


def test_a_traced_threshold_passes():
    models = jax.vmap(lambda t: js.ToyModel(2, 1, t, activation="gelu"))(jnp.ones(3))
    assert models.threshold.shape == (3,)


@pytest.mark.parametrize("name", ["W_out", "t"])
def test_wrong_shapes_of_further_parameters(name):
    model = js.ToyModel(5, 2, 0.1, tied=False, bandwidth=0.1, train_threshold=True)
    params = model.init(jax.random.key(0))
    with pytest.raises(AssertionError, match="expected"):
        model.apply({**params, name: params[name].T[:1]}, jnp.ones((3, 5)))


def test_gradient_sees_the_jump_of_the_expected_loss():
    # One feature x, uniform on [0, 1], recovered where w² x + b >= t, from x = c on.
    w, b, t = 0.9, -0.1, 0.25
    c = (t - b) / w**2

    def expected_loss(w, b):
        c = (t - b) / w**2
        cubes = ((w**2 - 1) * jnp.array([c, 1.0]) + b) ** 3
        return (cubes[1] - cubes[0]) / (3 * (w**2 - 1)) + c**3 / 3

    def gradient(bandwidth, n=2**16):
        model = js.ToyModel(1, 1, t, bandwidth=bandwidth)
        x = (jnp.arange(n)[:, None] + 0.5) / n
        params = {"W": jnp.array([[w]]), "b": jnp.array([b])}
        loss = jax.grad(lambda params: jnp.mean((model.apply(params, x) - x) ** 2))
        slopes = loss(params)
        return np.array([slopes["W"].item(), slopes["b"].item()])

    with jax.enable_x64(True):
        exact = np.array(jax.grad(expected_loss, (0, 1))(w, b))
        errors = [np.abs(gradient(width) - exact).max() for width in (None, 0.1, 0.01)]
    # A bandwidth of ε is off by some t ε / 4.
    assert errors[0] > 0.05
    assert errors[1] < 0.02
    assert errors[2] < 0.002
    assert c < 1


def test_a_sweep_labels_all_parameters_and_trains_thresholds():
    def task(threshold):
        model = js.ToyModel(
            3, 2, threshold, bias=False, tied=False, bandwidth=0.2, train_threshold=True
        )
        return js.Task(js.SparseFeatures(3, 0.5), model)

    recipe = js.Recipe(20, 64, optax.adam(1e-2))
    axes = {"threshold": [-0.1, 0.1], "seed": 2}
    ds = js.sweep(task, axes, recipe, key=jax.random.key(0), progress=False)
    assert ds["W_out"].dims == ("threshold", "seed", "hidden", "feature")
    assert ds["t"].dims == ("threshold", "seed", "feature")
    assert "b" not in ds
    assert float(np.abs(ds["t"] - ds["threshold"]).min()) > 1e-4

"""The population loss: a referee in 140 digits, samples, closed forms, what it refuses."""

import functools
import importlib.util
import itertools
import json
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import optax
import pytest
import xarray as xr

import jsuper as js
from jsuper import theory
from jsuper.objectives import expected
from jsuper.platforms import compiled_for

spec = importlib.util.spec_from_file_location(
    "referee", Path(__file__).with_name("referee.py")
)
referee = importlib.util.module_from_spec(spec)
spec.loader.exec_module(referee)


def single(x):
    """Numbers that single precision has: both precisions face the same referee."""
    return np.asarray(x, np.float32).astype(float)


DENSITIES = tuple(single([1.0, 0.3, 0.026, 0.001]).tolist())
THRESHOLDS = tuple(single([-np.inf, -0.6, -0.25, 0.0, 0.1]).tolist())


def importance(n):
    return single(0.9 ** np.arange(n))


def task(n, density, threshold=0.0, m=2):
    model = js.ToyModel(n, m, threshold)
    return js.Task(js.SparseFeatures(n, density), model, jnp.asarray(importance(n)))


def models(n, m=2):
    """Random weights and structured ones, which are the hard cases."""
    rng = np.random.default_rng(n)
    angles = 2 * np.pi * np.arange(n) / n
    pairs, dedicated = np.zeros((2, n, m))
    for k in range(min(m, n // 2)):
        pairs[2 * k, k], pairs[2 * k + 1, k] = 1, -1
    dedicated[range(min(n, m)), range(min(n, m))] = 1
    tiny = rng.normal(size=(n, m))
    tiny[-1] *= 1e-3
    rest = np.where((pairs**2).sum(1) > 0, 0, 0.02)
    polygon = 1.05 * np.stack([np.cos(angles), np.sin(angles)], 1)[:, :m]
    found = {
        "random": (rng.normal(size=(n, m)) * 0.6, rng.normal(size=n) * 0.15),
        "polygon": (polygon, np.full(n, -0.2)),
        "two exact pairs, bias 0": (pairs, rest),
        "two pairs, slightly off": (
            pairs + rng.normal(size=(n, m)) * 0.01,
            rng.normal(size=n) * 0.01,
        ),
        "dedicated": (dedicated, np.full(n, 0.02)),
        "one norm of 1e-3": (tiny, rng.normal(size=n) * 0.1),
    }
    return {name: tuple(map(single, model)) for name, model in found.items()}


@functools.cache
def value_and_grad(n, m):
    def loss(params, density, threshold):
        return js.population_loss(task(n, density, threshold, m), params)

    return jax.jit(jax.value_and_grad(loss))


@functools.cache
def by_referee(n, m, name, p, t):
    """Loss, and gradient or None, of a model of single-precision numbers."""
    with mp.workdps(140):
        numbers = referee.exact_numbers
        cell = [mp.mpf(p)] * n, mp.mpf(t), numbers(single(importance(n)))
        ours = tuple(map(numbers, models(n, m)[name]))
        loss = float(referee.loss(*ours, *cell))
        if n == 5 and (p, t) not in ((1.0, -0.25), (DENSITIES[2], 0.0)):
            return loss, None
        by_W, by_b = referee.gradient(*ours, *cell)
        return loss, np.array([*itertools.chain(*by_W), *by_b], float)


@pytest.mark.parametrize(
    ("n", "m"),
    [(2, 1), *(pytest.param(n, 2, marks=pytest.mark.slow) for n in (3, 5))],
)
@pytest.mark.parametrize(
    ("dtype", "of_loss", "of_gradient"),
    [(np.float64, 1e-12, 1e-8), (np.float32, 1e-4, 1e-3)],
)
def test_it_is_that_of_the_referee(n, m, dtype, of_loss, of_gradient):
    with jax.enable_x64(dtype is np.float64):
        for name, (W, b) in models(n, m).items():
            params = {"W": W.astype(dtype), "b": b.astype(dtype)}
            for p, t in itertools.product(DENSITIES, THRESHOLDS):
                loss, gradient = value_and_grad(n, m)(params, dtype(p), dtype(t))
                exact, exact_gradient = by_referee(n, m, name, p, t)
                assert abs(float(loss) / exact - 1) < of_loss, (name, p, t)
                if exact_gradient is None:
                    continue
                ours = np.append(np.ravel(gradient["W"]), gradient["b"])
                error = np.linalg.norm(ours - exact_gradient)
                assert error < of_gradient * np.linalg.norm(exact_gradient), (name, p, t)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sparse", "penalised", "correlated"])
def test_the_form_for_accelerators_gives_the_same(kind):
    def loss(params, density):
        model, features = js.ToyModel(4, 2), js.SparseFeatures(4, density)
        if kind == "correlated":
            features = js.CorrelatedFeatures(2, 2, density)
        l1 = 0.1 if kind == "penalised" else None
        return expected.expected_loss(js.Task(features, model, l1=l1), params, True)

    def of_grid(params, densities):
        by_density = jax.vmap(jax.value_and_grad(loss), (None, 0))
        return jax.vmap(by_density, (0, None))(params, densities)

    W, b = (np.stack(arrays) for arrays in zip(*models(4).values(), strict=True))

    def found(platform, dtype):
        with jax.enable_x64(dtype is np.float64), compiled_for(platform):
            params = {"W": W.astype(dtype), "b": b.astype(dtype)}
            return jax.jit(of_grid)(params, np.array(DENSITIES, dtype))

    def errors(one, other):
        """Of losses, and of gradients beside the largest component."""
        leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
        for leaf, exact in ((np.asarray(a), np.asarray(b)) for a, b in leaves):
            axes = tuple(range(2, exact.ndim))
            yield abs(leaf - exact).max(axes) / abs(exact).max(axes)

    exact, single = found("cpu", np.float64), np.float32
    assert max(e.max() for e in errors(found("default", np.float64), exact)) < 1e-12
    ours, others = (errors(found(form, single), exact) for form in ("default", "cpu"))
    for error, other in zip(ours, others, strict=True):
        assert (error < 4 * other + 2e-6).all()


def test_closed_forms_of_the_paper_and_of_the_theory():
    with jax.enable_x64(True):
        for p in (0.9, 0.3, 0.01):
            dropped = {"W": jnp.zeros((2, 1)), "b": jnp.full(2, p / 2)}
            equal = js.Task(js.SparseFeatures(2, p), js.ToyModel(2, 1))
            drop = js.population_loss(equal, dropped)
            np.testing.assert_allclose(drop, p / 3 - p**2 / 4, rtol=1e-13)
            pair = {"W": jnp.array([[1.0], [-1.0]]), "b": jnp.zeros(2)}
            np.testing.assert_allclose(js.population_loss(equal, pair), p**2 / 6, 1e-13)
            for t, gain, bias in ((-0.25, 1.0, 0.0), (-0.5, 1.3, -0.6), (0.1, 0.8, 0.05)):
                W = gain**0.5 * pair["W"]
                model = js.ToyModel(2, 1, t)
                loss = js.population_loss(
                    js.Task(equal.features, model), {"W": W, "b": jnp.full(2, bias)}
                )
                exact = theory.general_pair_loss(p, t, gain, bias) / 2
                np.testing.assert_allclose(loss, exact, rtol=1e-12)


FEATURES = {
    "sparse": js.SparseFeatures(6, np.array([0.9, 0.3, 0.1, 0.5, 0.2, 1.0])),
    "from below 0": js.SparseFeatures(6, 0.3, -0.5, 1.5),
    "correlated": js.CorrelatedFeatures(2, 3, 0.3),
    "anticorrelated": js.AnticorrelatedFeatures(2, 3, 0.5, 0.2, 1.0),
    "one at a time": js.AnticorrelatedFeatures(1, 6, 1.0),
    "grouped": js.GroupedFeatures(6, [(0, 3), (1, 5, 2)], 0.3, 0.5),
    "exclusive": js.ExclusiveFeatures(6, [(0, 3), (1, 5, 2)], 0.3),
    "joined": js.JoinedFeatures(
        [js.CorrelatedFeatures(1, 2, 0.3, -1, 1), js.SparseFeatures(4, 0.5)],
        [(0, 3), (2, 1, 5, 4)],
    ),
    "20 sparse": js.SparseFeatures(20, 0.1),
    "20 in pairs": js.AnticorrelatedFeatures(10, 2, 0.2),
    "20 correlated": js.CorrelatedFeatures(10, 2, 0.2, -1, 1),
    "20 grouped": js.GroupedFeatures(20, [(0, 3, 7, 9), (1, 5, 2)], 0.3, 0.5),
    "100 sparse": js.SparseFeatures(100, 0.02),
}
MODELS = {
    "a bias": {"threshold": -0.2},
    "not tied, no bias": {"threshold": 0.1, "tied": False, "bias": False},
    "linear": {"activation": "linear"},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEATURES)
def test_it_is_the_mean_over_samples(kind):
    features = FEATURES[kind]
    n = features.n_features
    kinds = MODELS if n < 20 else {"a bias": MODELS["a bias"]}
    for model in kinds.values():
        own = js.Task(features, js.ToyModel(n, 2, **model), importance(n), l1=0.1)
        params = own.init(jax.random.key(3))
        if "b" in params:
            params["b"] = jax.random.normal(jax.random.key(4), (n,)) * 0.2
        keys = jax.random.split(jax.random.key(5), 40)
        batch = jax.jit(lambda key, own=own, params=params: own.loss(params, key, 5_000))
        sampled = np.array([batch(key) for key in keys])
        loss = jax.jit(functools.partial(js.population_loss, own))(params)
        error = abs(float(loss) - sampled.mean()) / (sampled.std(ddof=1) / 40**0.5)
        # 29 of them: all within 4.5 standard errors (of 40 batches) with 99.8%.
        assert error < 4.5


@pytest.mark.slow
def test_moments_alone_give_it_for_the_linear_model():
    with jax.enable_x64(True):
        for kind in ("sparse", "one at a time", "20 sparse"):
            features = FEATURES[kind]
            n = features.n_features
            own = js.Task(features, js.ToyModel(n, 2, -np.inf), importance(n))
            params = own.init(jax.random.key(0)) | {"b": jnp.linspace(-0.2, 0.3, n)}
            G, b = params["W"] @ params["W"].T - np.eye(n), params["b"]
            mean, second = features.mean(), features.second_moment()
            squares = b**2 + 2 * b * (mean @ G) + jnp.diagonal(G.T @ second @ G)
            exact = (importance(n) * squares).mean()
            loss = jax.jit(functools.partial(js.population_loss, own))(params)
            np.testing.assert_allclose(loss, exact, rtol=1e-6)


def test_rotations_and_permutations_leave_it():
    with jax.enable_x64(True):
        p, rng = np.array([0.9, 0.3, 0.1, 0.5]), np.random.default_rng(0)
        W, b = rng.normal(size=(4, 2)), rng.normal(size=4) * 0.2

        @jax.jit
        def loss(W, b, p, weights):
            features = js.SparseFeatures(4, p)
            return js.population_loss(
                js.Task(features, js.ToyModel(4, 2, -0.2), weights), {"W": W, "b": b}
            )

        expected = loss(W, b, p, importance(4))
        turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
        np.testing.assert_allclose(loss(W @ turn, b, p, importance(4)), expected, 1e-13)
        order = np.array([2, 0, 3, 1])
        mixed = loss(W[order], b[order], p[order], importance(4)[order])
        np.testing.assert_allclose(mixed, expected, rtol=1e-13)


def test_second_derivatives_are_differences_of_first_ones():
    with jax.enable_x64(True):
        own = task(2, 0.3, -0.25)
        params = {k: jnp.asarray(v) for k, v in zip("Wb", models(2)["random"], strict=True)}
        flat, unflat = jax.flatten_util.ravel_pytree(params)

        def loss(flat):
            return js.population_loss(own, unflat(flat))

        hessian, gradient = jax.jit(jax.hessian(loss))(flat), jax.jit(jax.grad(loss))
        for k in range(len(flat)):
            step = jnp.zeros_like(flat).at[k].set(1e-6)
            by_difference = (gradient(flat + step) - gradient(flat - step)) / 2e-6
            np.testing.assert_allclose(hessian[k], by_difference, atol=1e-8)

        @jax.jit
        def at(p):
            return js.population_loss(task(2, p, -0.25), params)

        by_difference = (at(0.3 + 1e-6) - at(0.3 - 1e-6)) / 2e-6
        np.testing.assert_allclose(jax.grad(at)(0.3), by_difference, rtol=1e-7)


@pytest.mark.slow
def test_a_weight_that_has_died_spoils_no_derivative():
    # In single precision the powers of a bias over such a weight are infinite.
    own, b = task(2, 0.3, m=1), jnp.array([-0.02, -0.1])

    def loss(w):
        return js.population_loss(own, {"W": jnp.stack([1.0, w])[:, None], "b": b})

    slope, curve = jax.jit(jax.grad(loss)), jax.jit(jax.hessian(loss))
    assert abs(float(slope(1e-20)) - float(slope(0.0))) < 1e-6
    expected = (float(slope(1e-3)) - float(slope(-1e-3))) / 2e-3
    assert abs(float(curve(1e-20)) - expected) < 2e-3


@pytest.mark.slow
def test_it_trains_as_any_task_does():
    def exact(density):
        return js.Population(task(2, density, -0.1))

    axes = {"density": [0.5, 0.1], "seed": 2}
    recipe = js.Recipe(200, None, js.decaying_adam)
    ds = js.sweep(exact, axes, recipe, key=jax.random.key(0))
    assert ds["loss"].attrs["kind"] == "population"
    told = json.loads(ds.attrs["made_by"])["recipe"]
    assert told["batch_size"] is told["eval_batches"] is None

    # The same by hand, for one model.
    own, key = task(2, 0.1, -0.1), jax.random.fold_in(jax.random.key(0), 1)
    params = own.init(jax.random.fold_in(key, 0))
    adam = js.decaying_adam(200)

    @jax.jit
    def step(carry):
        params, state = carry
        gradient = jax.grad(lambda params: js.population_loss(own, params))(params)
        updates, state = adam.update(gradient, state)
        return optax.apply_updates(params, updates), state

    carry = params, adam.init(params)
    for _ in range(200):
        carry = step(carry)
    model = ds.sel(density=0.1, seed=1)
    np.testing.assert_allclose(model["W"], carry[0]["W"], atol=1e-4)
    np.testing.assert_allclose(model["b"], carry[0]["b"], atol=1e-4)

    # A line search gets the loss besides the gradient, and it is without noise.
    refined = js.sweep(
        exact, axes, js.Recipe(20, None, optax.lbfgs()), key=jax.random.key(0), start=ds
    )
    assert (refined["loss"] <= ds["loss"] * (1 + 1e-6)).all()


@pytest.mark.slow
def test_a_few_models_of_a_series_at_a_time_change_no_number(monkeypatch):
    def series(density):
        own = js.Task(js.SparseFeatures(10, density), js.ToyModel(10, 2))
        return js.Population(own, frequencies=8)

    def trained():
        jax.clear_caches()
        axes, recipe = {"density": [0.5, 0.1], "seed": 3}, js.Recipe(3, None)
        return js.sweep(series, axes, recipe, key=jax.random.key(0))

    assert series(0.1).models_at_once() > 6
    assert js.Population(task(5, 0.1)).models_at_once() is None
    at_once = trained()
    monkeypatch.setattr(expected, "MOST_NUMBERS", 2 * 10 * 10**2 * 8)
    assert series(0.1).models_at_once() == 2
    for name, values in trained().items():
        np.testing.assert_allclose(values, at_once[name], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": js.HiddenReLUModel(5, 2)}, TypeError, "model HiddenReLUModel"),
        ({"model": js.ToyModel(5, 2, activation="gelu")}, TypeError, "activation gelu"),
        ({"target": jnp.square}, TypeError, "target .*square"),
        (
            {"features": js.HierarchicalFeatures([None, 0, 0, 1, 1], 0.5)},
            TypeError,
            "features HierarchicalFeatures",
        ),
    ],
)
def test_what_is_not_covered_is_said(change, error, message):
    other = task(5, 0.1).replace(**change)
    params = other.init(jax.random.key(0))
    with pytest.raises(error, match=f"population_loss does not cover {message}"):
        js.population_loss(other, params)
    with pytest.raises(error, match=f"Population does not cover {message}"):
        js.Population(other)


def test_a_subclass_that_samples_something_else_is_not_taken_for_its_parent():
    class Shifted(js.SparseFeatures):
        def sample(self, key, batch_size):
            return super().sample(key, batch_size) + 0.1

    own = js.Task(Shifted(5, 0.1), js.ToyModel(5, 2))
    for task_of in (own, own.replace(features=js.JoinedFeatures([Shifted(5, 0.1)]))):
        with pytest.raises(TypeError, match="does not cover features"):
            js.Population(task_of)
    ds = js.sweep(lambda: own, {}, js.Recipe(1, 16, eval_batches=1), key=jax.random.key(0))
    assert ds["loss"].attrs["kind"] == "sampled"
    message = "eval_batches .* must be an integer .* does not cover features Shifted"
    with pytest.raises(ValueError, match=message):
        js.sweep(lambda: own, {}, js.Recipe(1, eval_batches=None), key=jax.random.key(0))


def test_the_loss_of_many_features_is_exact_where_that_is_asked_for():
    def build(density):
        return js.Task(js.SparseFeatures(12, density), js.ToyModel(12, 3))

    recipe = js.Recipe(1, 64, eval_batches=None)
    axes = {"density": [0.3, 0.05], "seed": 2}
    ds = js.sweep(build, axes, recipe, key=jax.random.key(0))
    assert ds["loss"].attrs["kind"] == "population"
    again = js.losses(build, ds, key=jax.random.key(1), batches=None)
    xr.testing.assert_identical(again["loss"], ds["loss"])
    for cell in ({"density": 0.3, "seed": 1}, {"density": 0.05, "seed": 0}):
        model = ds.sel(cell)
        params = {name: jnp.asarray(model[name].values) for name in ("W", "b")}
        one = js.population_loss(build(cell["density"]), params)
        np.testing.assert_allclose(model["loss"], one, rtol=1e-5)


def test_wrong_parameters_are_refused():
    own = task(5, 0.1)
    params = own.init(jax.random.key(0))
    for wrong, message in (
        ({"W": params["W"]}, "params must hold ['W', 'b'], got ['W']"),
        (params | {"b": jnp.zeros(4)}, "params['b'] must have shape (5,), got (4,)"),
        (params | {"b": jnp.full(5, jnp.nan)}, "params['b'] must be finite, got NaN"),
    ):
        with pytest.raises(ValueError, match="^" + re.escape(message)):
            js.population_loss(own, wrong)
    with pytest.raises(ValueError, match="frequencies must be an integer of at least 2"):
        js.population_loss(own, params, 1)
    with pytest.raises(TypeError, match="population_loss needs a Task, got int"):
        js.population_loss(3, params)
    with pytest.raises(ValueError, match="from_zero must be False where"):
        js.Population(js.Task(js.SparseFeatures(2, 0.5, 0.1), js.ToyModel(2, 1)), 8, True)
    with pytest.raises(ValueError, match=r"batch_size must be .* got None for Task"):
        js.sweep(lambda: own, {}, js.Recipe(1, None), key=jax.random.key(0))


@pytest.mark.parametrize(
    ("from_zero", "platform"), [(True, "cpu"), (True, "default"), (False, "cpu")]
)
def test_second_derivatives_at_a_kink_are_those_of_one_side(from_zero, platform):
    """An exact pair, dedicated features: sums that are exactly 0, terms that vanish."""
    for W in ([[1.0], [-1.0]], [[1.0, 0.0], [0.0, 1.0]]):
        W = np.array(W)
        own = js.Task(js.SparseFeatures(2, 0.3), js.ToyModel(*W.shape))

        def loss(flat, own=own, W=W):
            params = {"W": flat[:-2].reshape(W.shape), "b": flat[-2:]}
            return expected.expected_loss(own, params, from_zero)

        with jax.enable_x64(True), compiled_for(platform):
            hessian = jax.jit(jax.hessian(loss))
            flat = jnp.asarray(np.append(W, np.zeros(2)))
            here = hessian(flat)
            beside = hessian(flat.at[-2:].set(1e-9))
        np.testing.assert_allclose(here, here.T, atol=1e-14)
        np.testing.assert_allclose(here, beside, atol=1e-8)
    # The dedicated features are a global minimum.
    assert np.linalg.eigvalsh(here).min() > -1e-12

"""The form for accelerators, on a CPU: against plain gradients, and in blocks."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js
from jsuper.memory import bound, bytes_kept, fine_bytes, half_of
from jsuper.objectives import whole
from jsuper.platforms import compiled_for

QUICKLY = {"xla_backend_optimization_level": 0}
THRESHOLDS = [-np.inf, -0.3, 0.0, 0.2]
BATCH = 60


@dataclasses.dataclass(frozen=True)
class Case:
    n: int = 5
    m: int = 2
    n_keys: int = 3
    own_keys: bool = False
    low: float = 0.0
    model: type = js.ToyModel
    settings: tuple[tuple[str, Any], ...] = ()
    dtype: str = "float64"


CASES = [
    Case(),
    Case(dtype="float32"),
    Case(own_keys=True, low=-1.0, settings=(("bias", False),)),
    Case(3, 2, settings=(("tied", False),)),
    Case(3, 1, own_keys=True, settings=(("tied", False), ("bias", False))),
    Case(2, 1, 4, model=js.HiddenReLUModel, low=-0.5),
    Case(2, 2, model=js.HiddenReLUModel, settings=(("tied", False),)),
    Case(4, 2, settings=(("activation", "jumprelu"),)),
    # Too many weights or too rich an activation for one pass.
    Case(9, 4),
    Case(9, 4, 2, own_keys=True, dtype="float32"),
    Case(3, 2, settings=(("activation", "gelu"),)),
    Case(3, 2, settings=(("bandwidth", 0.3),)),
]


def grid(case, seed=0):
    """Tasks of several thresholds, densities and importances, with models and keys."""
    rng = np.random.default_rng(seed)
    n_tasks, settings = len(THRESHOLDS), dict(case.settings)

    def build(density, importance, threshold):
        features = js.SparseFeatures(case.n, density, case.low)
        model = case.model(case.n, case.m, threshold, **settings)
        return js.Task(features, model, importance)

    per_feature = n_tasks, case.n
    tasks = jax.vmap(build)(
        jnp.array(rng.uniform(0.2, 1, per_feature), case.dtype),
        jnp.array(rng.uniform(0, 2, per_feature), case.dtype),
        jnp.array(THRESHOLDS, case.dtype),
    )
    one = jax.tree.map(lambda leaf: leaf[0], tasks)
    sampled = jax.eval_shape(one.init, jax.random.key(0))
    params = {
        name: jnp.array(rng.normal(size=(n_tasks, case.n_keys, *leaf.shape)), case.dtype)
        for name, leaf in sampled.items()
    }
    shape = (n_tasks, case.n_keys) if case.own_keys else case.n_keys
    return tasks, params, jax.random.split(jax.random.key(seed), shape)


def by_autodiff(tasks, params, keys):
    def one(task, params, key):
        return jax.value_and_grad(task.loss)(params, key, BATCH)

    over_keys = jax.vmap(one, (None, 0, 0))
    return jax.vmap(over_keys, (0, 0, 0 if keys.ndim == 2 else None))(tasks, params, keys)


def assert_agree(found, expected, tolerance):
    leaves = (jax.tree.leaves_with_path(tree) for tree in (found, expected))
    for (path, ours), (_, theirs) in zip(*leaves, strict=True):
        atol = tolerance * np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, tolerance, atol, err_msg=str(path))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_autodiff(case):
    @jax.jit(compiler_options=QUICKLY)
    def run(tasks, params, keys):
        found = whole.value_and_grad(tasks, params, keys, BATCH)
        return found, by_autodiff(tasks, params, keys)

    with jax.enable_x64(case.dtype == "float64"):
        found, expected = run(*grid(case))
        assert (jnp.abs(expected[1]["W"]).max((1, 2, 3)) > 0.01).all()
        assert_agree(found, expected, 1e-12 if case.dtype == "float64" else 1e-5)


def test_which_models_take_one_pass():
    assert whole.is_small(js.ToyModel(10, 2))  # 20 weights, 10 biases, and the loss
    assert not whole.is_small(js.ToyModel(11, 2))
    assert not whole.is_small(js.ToyModel(10, 2, tied=False))
    assert whole.is_small(js.ToyModel(5, 2, activation="relu"))
    assert not whole.is_small(js.ToyModel(5, 2, activation="gelu"))
    assert not whole.is_small(js.ToyModel(5, 2, bandwidth=0.1))


def bytes_of(case):
    """Of one model: the sums of one pass, or what reverse mode keeps."""
    if case.n == 5:
        return 16 * BATCH * 8
    tasks, params, keys = grid(case)
    first = jax.tree.map(lambda leaf: leaf[0], tasks)
    own = jax.tree.map(lambda leaf: leaf[0, 0], params)
    return bytes_kept(lambda p: first.loss(p, keys.ravel()[0], BATCH), own)


@pytest.mark.parametrize(
    "case", [Case(), Case(own_keys=True), Case(9, 4), Case(9, 4, own_keys=True)], ids=str
)
def test_blocks_change_no_number(case):
    def run(tasks, params, keys):
        # Room for all twelve models, for the keys of three tasks, and for two keys.
        found = []
        for n in (12, 9, 2):
            with fine_bytes(n * bytes_of(case)):
                found.append(whole.value_and_grad(tasks, params, keys, BATCH))
        return found

    with jax.enable_x64(True):
        args = grid(case)
        at_once, *in_blocks = jax.jit(run, compiler_options=QUICKLY)(*args)
        for found in in_blocks:
            assert_agree(found, at_once, 1e-13)
        # None, one over tasks, and one over tasks and over keys.
        assert str(jax.make_jaxpr(run)(*args)).count("scan[") == 3


@pytest.mark.parametrize("own_keys", [False, True])
def test_any_task_goes_in_parts_where_memory_is_short(own_keys):
    def build(density):
        features, model = js.SparseFeatures(5, density), js.ToyModel(5, 2)
        return js.Task(features, model, target=jnp.square)

    tasks = jax.vmap(build)(jnp.geomspace(1.0, 0.1, 4))
    keys = jax.random.split(jax.random.key(0), (4, 3) if own_keys else 3)

    def run(tasks, keys):
        found = []
        for n_bytes in (2**30, 40_000, 10_000):  # of one model: 4,480
            with compiled_for("gpu"), fine_bytes(n_bytes):
                found.append(js.train(tasks, keys, js.Recipe(20, BATCH, log_every=20)))
        return found

    at_once, *in_parts = jax.jit(run, compiler_options=QUICKLY)(tasks, keys)
    for found in in_parts:
        assert_agree(found, at_once, 1e-6)
    # The windows of three trainings; parts of tasks, and of tasks and of keys.
    assert str(jax.make_jaxpr(run)(tasks, keys)).count("scan[") == 3 + 3


def test_training_by_either_form_agrees():
    def build(density):
        return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2))

    tasks = jax.vmap(build)(jnp.array([1.0, 0.1]))
    keys = jax.random.split(jax.random.key(0), 3)

    def trained(platform):
        def run(tasks, keys):
            with compiled_for(platform):
                return js.train(tasks, keys, js.Recipe(steps=50, log_every=10))

        return jax.jit(run, compiler_options=QUICKLY)(tasks, keys)

    (params, history), (on_cpu, history_on_cpu) = map(trained, ("gpu", "cpu"))
    assert float(jnp.abs(params["W"] - on_cpu["W"]).max()) < 1e-5
    np.testing.assert_allclose(history, history_on_cpu, rtol=1e-5)


def test_a_device_of_unknown_memory_is_taken_for_one_of_16_gib():
    assert bound() == half_of(jax.devices()[0]) == 8 * 2**30
    with fine_bytes(1_000):
        assert bound() == 1_000

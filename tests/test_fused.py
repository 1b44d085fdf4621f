"""The written-out loss and gradient against the plain ones, over a grid."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js
from jsuper import fused
from jsuper.pytree import pytree

# Compiling is all that takes time here, so most cases do without optimisation.
QUICKLY = {"xla_backend_optimization_level": 0}

THRESHOLDS = [-np.inf, -0.3, 0.0, 0.2]


@dataclasses.dataclass(frozen=True)
class Case:
    n: int
    m: int
    n_tasks: int
    n_keys: int
    batch: int
    per_feature: bool = False  # densities and importances
    low: float = 0.0
    high: float = 1.0
    per_task_keys: bool = False
    dtype: str = "float64"


CASES = [
    Case(1, 1, 1, 1, 1),
    Case(1, 2, 3, 2, 7, per_feature=True),
    Case(2, 1, 4, 3, 64),
    Case(2, 1, 4, 3, 31, low=-1.0, dtype="float32"),
    Case(3, 5, 2, 3, 13, low=-1.0, per_feature=True),
    Case(4, 3, 3, 1, 97, per_task_keys=True, dtype="float32"),
    Case(5, 2, 4, 2, 101, per_feature=True, dtype="float32"),
    Case(5, 2, 4, 2, 60, per_task_keys=True, low=0.5, high=2.0),
    Case(6, 4, 1, 3, 25, low=-2.0, high=-0.5),
    Case(7, 2, 5, 1, 18, per_feature=True, per_task_keys=True, low=-1.0),
    Case(8, 5, 4, 2, 53, per_feature=True),
]


def grid(case, seed=0):
    """Tasks of mixed thresholds, parameters away from any symmetry, and keys."""
    rng = np.random.default_rng(seed)
    shape = (case.n_tasks, case.n) if case.per_feature else (case.n_tasks,)

    def build(density, importance, threshold):
        return js.Task(
            js.SparseFeatures(case.n, density, case.low, case.high),
            js.ToyModel(case.n, case.m, threshold),
            importance,
        )

    tasks = jax.vmap(build)(
        jnp.array(rng.uniform(0.2, 1, shape), case.dtype),
        jnp.array(rng.uniform(0, 2, shape), case.dtype),
        jnp.array(np.resize(THRESHOLDS, case.n_tasks), case.dtype),
    )
    models = (case.n_tasks, case.n_keys)
    params = {
        "W": jnp.array(rng.normal(size=(*models, case.n, case.m)), case.dtype),
        "b": jnp.array(rng.normal(size=(*models, case.n)), case.dtype),
    }
    shape = models if case.per_task_keys else (case.n_keys,)
    keys = jax.random.wrap_key_data(rng.integers(2**32, size=(*shape, 2), dtype=np.uint32))
    return tasks, params, keys


@jax.jit(static_argnames="batch", compiler_options=QUICKLY)
def plainly(tasks, params, keys, batch):
    def one(task, params, key):
        return jax.value_and_grad(task.loss)(params, key, batch)

    over_keys = jax.vmap(one, (None, 0, 0))
    return jax.vmap(over_keys, (0, 0, 0 if keys.ndim == 2 else None))(tasks, params, keys)


def fusedly(tasks, params, keys, batch, options=QUICKLY):
    # A new function each time: fused.ELEMENTS is read when it is traced.
    def run(tasks, params, keys):
        return tasks.grid_value_and_grad(params, keys, batch)

    return jax.jit(run, compiler_options=options)(tasks, params, keys)


def assert_agree(results, expected, tolerance):
    for ours, theirs in zip(
        jax.tree.leaves(results), jax.tree.leaves(expected), strict=True
    ):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_autodiff(case):
    double = case.dtype == "float64"
    with jax.enable_x64(double):
        tasks, params, keys = grid(case)
        expected = plainly(tasks, params, keys, case.batch)
        options = QUICKLY if case.n > 2 else None
        loss, gradient = fusedly(tasks, params, keys, case.batch, options)
        assert loss.shape == (case.n_tasks, case.n_keys)
        assert loss.dtype == case.dtype
        assert_agree((loss, gradient), expected, 1e-12 if double else 2e-5)


def test_value_and_grad_directly():
    with jax.enable_x64(True):
        case = Case(3, 2, 4, 2, 20)
        tasks, params, keys = grid(case)

        @jax.jit(compiler_options=QUICKLY)
        def run(tasks, params, keys):
            parts = tasks.features, tasks.model, tasks.importance
            return fused.value_and_grad(*parts, params, keys, case.batch)

        expected = plainly(tasks, params, keys, case.batch)
        assert_agree(run(tasks, params, keys), expected, 1e-12)


def test_agrees_at_the_threshold():
    # With W = 0 and b = t every output sits at the threshold, where it passes.
    case = Case(3, 2, 4, 1, 20, dtype="float32")
    tasks, params, keys = grid(case)
    b = jnp.maximum(tasks.model.threshold, -1.0)[:, None, None] * jnp.ones((1, 1, 3))
    params = {"W": 0 * params["W"], "b": b}
    expected = plainly(tasks, params, keys, case.batch)
    assert float(jnp.abs(expected[1]["b"]).min()) > 0.01
    assert_agree(fusedly(tasks, params, keys, case.batch), expected, 2e-5)


@pytest.mark.parametrize(("elements", "batch"), [(1, 40), (1, 53), (200, 40), (10**9, 40)])
def test_does_not_depend_on_elements(monkeypatch, elements, batch):
    monkeypatch.setattr(fused, "ELEMENTS", elements)
    with jax.enable_x64(True):
        tasks, params, keys = grid(Case(3, 2, 4, 2, batch))
        expected = plainly(tasks, params, keys, batch)
        assert_agree(fusedly(tasks, params, keys, batch), expected, 1e-12)


def test_examples_taken_at_a_time(monkeypatch):
    monkeypatch.setattr(fused, "ELEMENTS", 1000)
    # At most 1000 / 10 at once, and always a divisor of the batch; 16 at the least.
    for batch, models, rows in [(300, 10, 100), (97, 10, 97), (101, 10, 1), (64, 999, 16)]:
        assert fused._rows(batch, models) == rows


@pytree
class OtherFeatures(js.SparseFeatures):
    """A subclass may draw differently, so the written-out form must not assume."""


@pytree
class OtherModel(js.ToyModel):
    """A subclass may compute something else."""


def squared(x):
    return x**2


MOST = fused.MOST_FEATURES


@pytest.mark.parametrize(
    ("task", "is_fused"),
    [
        (js.Task(js.SparseFeatures(MOST, 0.5), js.ToyModel(MOST, 2)), True),
        (js.Task(js.SparseFeatures(MOST + 1, 0.5), js.ToyModel(MOST + 1, 2)), False),
        (js.Task(js.SparseFeatures(2, 0.5), js.ToyModel(2, 1), target=squared), False),
        (js.Task(OtherFeatures(2, 0.5), js.ToyModel(2, 1)), False),
        (js.Task(js.SparseFeatures(2, 0.5), OtherModel(2, 1)), False),
    ],
)
def test_falls_back(task, is_fused):
    tasks = jax.tree.map(lambda leaf: jnp.array([leaf]), task)
    n, m = task.model.n_features, task.model.n_hidden
    params = {"W": jnp.ones((1, 1, n, m)), "b": jnp.ones((1, 1, n))}
    keys = jax.random.split(jax.random.key(1), 1)
    # Traced, not run: the numbers of the fused form are tested above.
    result = jax.eval_shape(lambda: tasks.grid_value_and_grad(params, keys, batch_size=4))
    assert (result is not None) == is_fused

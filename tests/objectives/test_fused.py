"""The gradients derived by hand against the plain ones, over a grid."""

import dataclasses
import functools
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jsuper as js
from jsuper.objectives import fused
from jsuper.pytrees import pytree

# Compiling is all that takes time here, so most cases do without optimisation.
QUICKLY = {"xla_backend_optimization_level": 0}

THRESHOLDS = [-np.inf, -0.3, 0.0, 0.2]

FORMS = {  # MAX_WRITTEN_OUT, SUMS_ARE_FUSED
    "sums": (10**9, True),
    "small products": (10**9, False),
    "products": (0, True),
}


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
    model: type = js.ToyModel
    activation: Any = "exrelu"
    bias: bool = True
    tied: bool = True
    bandwidth: float | None = None  # of the first task; the others' are wider

    def __str__(self):
        # Without addresses of functions, which differ between processes.
        return re.sub(" at 0x[0-9a-f]+", "", repr(self))


def kinked(z):
    return jnp.minimum(z**3, jnp.cos(z))


def step(z):
    return z > 0.1


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
    # Prime numbers of models leave the last block short. The batches of 510 and 204 make
    # three chunks each, those of 1021 and 47 one.
    Case(12, 4, 1, 1, 510, per_feature=True),
    Case(12, 4, 13, 1, 1021, low=-1.0, per_task_keys=True, dtype="float32"),
    Case(30, 7, 11, 1, 204, per_feature=True, low=-0.5),
    Case(30, 7, 1, 5, 47, per_feature=True, dtype="float32"),
    Case(5, 3, 4, 2, 40, low=-1.0, model=js.HiddenReLUModel),
    Case(10, 5, 2, 3, 61, per_feature=True, per_task_keys=True, model=js.HiddenReLUModel),
    Case(2, 1, 3, 2, 31, activation="relu", bias=False),
    Case(5, 2, 2, 3, 40, low=-1.0, per_task_keys=True, activation="linear", tied=False),
    Case(3, 2, 2, 2, 24, per_feature=True, low=-1.0, activation="gelu"),
    Case(5, 2, 3, 1, 60, dtype="float32", activation="silu", tied=False),
    Case(4, 3, 2, 2, 33, per_task_keys=True, activation="softplus", bias=False),
    Case(
        4, 2, 3, 1, 20, activation="tanh", bias=False, tied=False, model=js.HiddenReLUModel
    ),
    Case(6, 2, 2, 2, 36, per_task_keys=True, dtype="float32", activation="sigmoid"),
    Case(3, 2, 4, 2, 510, per_feature=True, bandwidth=0.4),
    Case(
        *(5, 3, 4, 1, 45),
        per_task_keys=True,
        dtype="float32",
        model=js.HiddenReLUModel,
        activation="jumprelu",
        bias=False,
        tied=False,
        bandwidth=0.3,
    ),
    Case(4, 2, 2, 2, 204, low=-1.0, activation=kinked),
    Case(3, 2, 2, 1, 30, activation=step),
    # Not elementwise, as it must be, but right as long as examples are kept apart.
    Case(4, 2, 2, 1, 44, per_task_keys=True, activation=jax.nn.softmax, tied=False),
]
OPTIMISED = CASES[1], CASES[3]


def grid(case, seed=0, thresholds=THRESHOLDS):
    """Tasks of mixed thresholds, parameters away from any symmetry, and keys."""
    rng = np.random.default_rng(seed)
    shape = (case.n_tasks, case.n) if case.per_feature else (case.n_tasks,)

    # Activations without a threshold must ignore a traced one.
    def build(density, importance, threshold, bandwidth):
        settings = {"activation": case.activation, "bias": case.bias, "tied": case.tied}
        return js.Task(
            js.SparseFeatures(case.n, density, case.low, case.high),
            case.model(case.n, case.m, threshold, bandwidth=bandwidth, **settings),
            importance,
        )

    bandwidths = None
    if case.bandwidth is not None:
        bandwidths = case.bandwidth * jnp.arange(1, case.n_tasks + 1, dtype=case.dtype)

    tasks = jax.vmap(build)(
        jnp.array(rng.uniform(0.2, 1, shape), case.dtype),
        jnp.array(rng.uniform(0, 2, shape), case.dtype),
        jnp.array(np.resize(thresholds, case.n_tasks), case.dtype),
        bandwidths,
    )
    models = (case.n_tasks, case.n_keys)
    params = {
        "W": jnp.array(rng.normal(size=(*models, case.n, case.m)), case.dtype),
        "b": jnp.array(rng.normal(size=(*models, case.n)), case.dtype),
    }
    if not case.bias:
        del params["b"]
    if not case.tied:
        W_out = rng.normal(size=(*models, case.m, case.n))
        params["W_out"] = jnp.array(W_out, case.dtype)
    shape = models if case.per_task_keys else (case.n_keys,)
    keys = jax.random.wrap_key_data(rng.integers(2**32, size=(*shape, 2), dtype=np.uint32))
    return tasks, params, keys


def plainly(tasks, params, keys, batch):
    def one(task, params, key):
        return jax.value_and_grad(task.loss)(params, key, batch)

    over_keys = jax.vmap(one, (None, 0, 0))
    return jax.vmap(over_keys, (0, 0, 0 if keys.ndim == 2 else None))(tasks, params, keys)


def compiled(batch, forms=FORMS, elements=40_960, elements_of_one=2_048, options=QUICKLY):
    """A function that returns what autodiff finds, and what each form does."""

    # A new function each time: the module's constants are read when it is traced. One
    # for all forms takes less time to compile.
    def run(tasks, params, keys):
        results = {"autodiff": plainly(tasks, params, keys, batch)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fused, "ELEMENTS", elements)
            patch.setattr(fused, "ELEMENTS_OF_ONE", elements_of_one)
            for form in forms:
                most, sums = FORMS[form]
                patch.setattr(fused, "MAX_WRITTEN_OUT", most)
                patch.setattr(fused, "SUMS_ARE_FUSED", sums)
                results[form] = tasks.grid_value_and_grad(params, keys, batch)
        return results

    return jax.jit(run, compiler_options=options)


def assert_agree(results, tolerance):
    expected = results.pop("autodiff")
    assert results
    for form, result in results.items():
        for ours, theirs in zip(*map(jax.tree.leaves, (result, expected)), strict=True):
            assert ours.shape == theirs.shape
            assert ours.dtype == theirs.dtype
            atol = tolerance * np.abs(theirs).max()
            np.testing.assert_allclose(
                ours, theirs, rtol=tolerance, atol=atol, err_msg=f"form: {form}"
            )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_autodiff(case):
    double = case.dtype == "float64"
    with jax.enable_x64(double):
        tasks, params, keys = grid(case)
        options = None if case in OPTIMISED else QUICKLY
        results = compiled(case.batch, options=options)(tasks, params, keys)
        for loss, gradient in results.values():
            assert loss.shape == (case.n_tasks, case.n_keys)
            assert loss.dtype == case.dtype
            assert jax.tree.structure(gradient) == jax.tree.structure(params)
        assert_agree(results, 1e-12 if double else 2e-5)


@st.composite
def searched_cases(draw):
    number = functools.partial(st.integers, 1)
    case = Case(
        *(draw(number(most)) for most in (9, 5, 4, 4, 40)),
        per_feature=draw(st.booleans()),
        low=draw(st.floats(-2, 0.5)),
        per_task_keys=draw(st.booleans()),
    )
    threshold = st.just(-np.inf) | st.floats(-1.5, 1.5)
    thresholds = draw(st.lists(threshold, min_size=case.n_tasks, max_size=case.n_tasks))
    return case, thresholds


@pytest.mark.slow
@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    searched_cases(),
    st.integers(0, 2**32 - 1),
    st.sampled_from(list(FORMS)),
    st.integers(1, 1000),
    st.integers(1, 100),
)
def test_agrees_on_any_grid(searched, seed, form, elements, elements_of_one):
    case, thresholds = searched
    with jax.enable_x64(True):
        run = compiled(case.batch, [form], elements, elements_of_one)
        assert_agree(run(*grid(case, seed, thresholds)), 1e-10)


STEP = 1e-5


def test_gradient_equals_finite_differences():
    n, m, batch = 3, 2, 11
    with jax.enable_x64(True):
        tasks, params, keys = grid(Case(n, m, len(THRESHOLDS), 1, batch))

        # Away from the jump: no output may cross its threshold within a step.
        x = [js.SparseFeatures(n, p).sample(keys[0], batch) for p in tasks.features.density]
        W, b, t = map(np.asarray, (params["W"], params["b"], tasks.model.threshold))
        z = np.stack(x) @ W[:, 0] @ W[:, 0].swapaxes(1, 2) + b
        assert np.abs(z - t[:, None, None]).min() > 100 * STEP

        # Every direction and its opposite as further models with the same key.
        size = n * m + n
        one = np.eye(size)
        steps = STEP * np.concatenate([0 * one[:1], one, -one])
        models = {"W": W + steps[:, : n * m].reshape(-1, n, m), "b": b + steps[:, n * m :]}
        same_keys = jnp.broadcast_to(keys, len(steps))
        for loss, gradient in compiled(batch)(tasks, models, same_keys).values():
            differences = (loss[:, 1 : size + 1] - loss[:, size + 1 :]) / (2 * STEP)
            gradient = [gradient[p][:, 0].reshape(len(THRESHOLDS), -1) for p in "Wb"]
            # Truncation is of the order of the step squared, rounding of 1e-16 / step.
            np.testing.assert_allclose(np.hstack(gradient), differences, rtol=0, atol=1e-8)
            assert np.abs(differences).max(1).min() > 0.01


def test_value_and_grad_directly():
    with jax.enable_x64(True):
        case = Case(3, 2, 4, 2, 20)
        tasks, params, keys = grid(case)

        @jax.jit(compiler_options=QUICKLY)
        def run(tasks, params, keys):
            parts = tasks.features, tasks.model, tasks.importance
            return {
                "directly": fused.value_and_grad(*parts, params, keys, case.batch),
                "autodiff": plainly(tasks, params, keys, case.batch),
            }

        assert_agree(run(tasks, params, keys), 1e-12)


def test_agrees_at_the_threshold():
    # With W = 0 and b = t every output sits at the threshold, where it passes.
    case = Case(3, 2, 4, 1, 20, dtype="float32")
    tasks, params, keys = grid(case)
    b = jnp.maximum(tasks.model.threshold, -1.0)[:, None, None] * jnp.ones((1, 1, 3))
    params = {"W": 0 * params["W"], "b": b}
    results = compiled(case.batch)(tasks, params, keys)
    assert float(jnp.abs(results["autodiff"][1]["b"]).min()) > 0.01
    assert_agree(results, 2e-5)


@pytest.mark.parametrize(
    ("elements", "elements_of_one", "batch", "per_task_keys"),
    [
        (1, 1, 40, False),
        (10**9, 24, 40, True),  # five chunks
        (500, 10**9, 53, True),
    ],
)
def test_does_not_depend_on_elements(elements, elements_of_one, batch, per_task_keys):
    run = compiled(batch, elements=elements, elements_of_one=elements_of_one)
    with jax.enable_x64(True):
        case = Case(3, 2, 4, 2, batch, per_task_keys=per_task_keys)
        assert_agree(run(*grid(case)), 1e-12)


@pytest.mark.parametrize("per_task_keys", [False, True], ids=["shared", "own"])
def test_a_diverged_model_does_not_spoil_others(per_task_keys):
    # Blocks of 5, 5 and 3 models: the last model also fills the places left over.
    case = Case(3, 2, 13, 1, 20, per_task_keys=per_task_keys)
    assert fused._block(13, 5) == 5
    run = compiled(case.batch, elements=5 * case.n * case.batch)
    with jax.enable_x64(True):
        tasks, params, keys = grid(case)
        healthy = jax.tree.map(np.asarray, run(tasks, params, keys))
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(healthy))
        for diverged in (12, 0, 9):
            W = params["W"].at[diverged, 0, 0, 0].set(jnp.nan)
            results = run(tasks, params | {"W": W}, keys)
            for form in FORMS:
                assert np.isnan(results[form][0][diverged, 0])
                leaves = map(jax.tree.leaves, (results[form], healthy[form]))
                for after, before in zip(*leaves, strict=True):
                    others = np.arange(13) != diverged
                    np.testing.assert_array_equal(np.asarray(after)[others], before[others])


@pytest.mark.parametrize(
    ("n_models", "most", "block"),
    [
        (1, 100, 1),
        (2, 100, 1),  # two blocks at least
        (3, 100, 1),  # 3 in blocks of 2 would compute a fourth
        (4, 100, 2),
        (4, 1, 1),
        (7, 100, 4),  # 4 + 4, like 2 + 2 + 2 + 2, rather than 3 + 3 + 3
        (13, 5, 5),  # 15 places, as in blocks of 3
        (97, 8, 7),  # 14 blocks: 98
        (100, 8, 5),  # no size from 4 to 8 but 4 and 5 divides 100
        (220, 10, 10),
    ],
)
def test_models_taken_at_a_time(n_models, most, block):
    assert fused._block(n_models, most) == block


def test_blocks_are_nearly_full():
    for n_models in range(1, 80):
        for most in range(1, 50):
            size = fused._block(n_models, most)
            n_blocks = -(-n_models // size)
            assert 1 <= size <= most
            assert n_blocks >= min(2, n_models)
            assert n_models <= n_blocks * size < n_models + size
            # No more than twice as many blocks as there must be.
            assert 2 * size >= min(most, -(-n_models // 2))


@pytest.mark.parametrize(
    ("batch", "most", "rows"),
    [
        (1024, 409, 256),
        (1024, 4096, 1024),
        (300, 100, 100),
        (510, 170, 170),
        (60, 7, 6),
        (97, 10, 97),  # of one example at a time there would be too many
        (202, 20, 202),  # and so of two
        (202, 8, 2),
        (97, 4, 1),
        (7, 0, 1),
        (1, 1000, 1),
    ],
)
def test_examples_taken_at_a_time(batch, most, rows):
    assert fused._rows(batch, most) == rows


def test_rows_divide_the_batch():
    for batch in range(1, 130):
        for most in range(140):
            rows = fused._rows(batch, most)
            assert batch % rows == 0
            assert rows == batch or most <= 4 * rows <= 4 * max(1, most)
            assert rows == batch or batch > most


@pytree
class OtherFeatures(js.SparseFeatures):
    """A subclass may sample differently, so the written-out form must not assume."""


@pytree
class OtherModel(js.ToyModel):
    """A subclass may compute something else."""


def squared(x):
    return x**2


@pytest.mark.parametrize(
    ("task", "is_fused"),
    [
        (js.Task(js.SparseFeatures(1, 0.5), js.ToyModel(1, 1)), True),
        (js.Task(js.SparseFeatures(5, 0.5), js.ToyModel(5, 2)), True),
        (js.Task(js.SparseFeatures(50, 0.5), js.ToyModel(50, 5)), True),
        (js.Task(js.SparseFeatures(1000, 0.5), js.ToyModel(1000, 300)), True),
        (js.Task(js.SparseFeatures(10, 0.5), js.HiddenReLUModel(10, 5)), True),
        (js.Task(js.SparseFeatures(2, 0.5), js.ToyModel(2, 1), l1=0.0), False),
        (js.Task(js.SparseFeatures(2, 0.5), js.ToyModel(2, 1), target=squared), False),
        (js.Task(js.SparseFeatures(60, 0.5), js.ToyModel(60, 5), target=squared), False),
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


@pytest.mark.parametrize(
    ("is_fused", "settings"),
    [
        (True, {"threshold": -0.2}),
        (True, {"activation": "relu"}),
        (True, {"activation": "gelu", "bias": False}),
        (True, {"activation": step, "tied": False}),
        (True, {"activation": "jumprelu", "bandwidth": 0.1}),
        (False, {"bandwidth": 0.1, "train_threshold": True}),
    ],
)
@pytest.mark.parametrize("kind", [js.ToyModel, js.HiddenReLUModel, OtherModel])
def test_which_models_are_covered(kind, settings, is_fused):
    model = kind(3, 2, **settings)
    covered = fused.applies(js.SparseFeatures(3, 0.5), model)
    assert covered == (is_fused and kind is not OtherModel)
    assert not fused.applies(OtherFeatures(3, 0.5), model)


@pytest.mark.parametrize(("weights", "form"), [(200, "_written_out"), (201, "_products")])
def test_large_models_go_by_products(monkeypatch, weights, form):
    assert fused.MAX_WRITTEN_OUT == 200
    tasks, params, keys = grid(Case(weights, 1, 1, 1, 4, dtype="float32"))
    other = {"_written_out", "_products"} - {form}
    monkeypatch.delattr(fused, form)
    monkeypatch.delattr(fused, *other)
    with pytest.raises(NameError, match=form):
        jax.eval_shape(tasks.grid_value_and_grad, params, keys, 4)

"""Which form of a computation is traced, and for which platform."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js
from jsuper.objectives import whole
from jsuper.platforms import by_platform, compiled_for, platform_of


def traced(function, *args):
    """Returns the names of the forms that were traced, and the result."""
    forms = []

    def form(name, value):
        def run(x):
            forms.append(name)
            return x + value

        return run

    result = jax.jit(lambda x: function(x, form("cpu", 1), form("default", 2)))(*args)
    return forms, float(result)


def choice(x, cpu, default):
    return by_platform(x, cpu=cpu, default=default)


@pytest.mark.parametrize(("platform", "value"), [("cpu", 1), ("gpu", 2), ("tpu", 2)])
def test_a_known_platform_traces_one_form(platform, value):
    with compiled_for(platform):
        forms, result = traced(choice, 0.0)
    assert forms == ["cpu" if platform == "cpu" else "default"]
    assert result == value


def test_an_unknown_platform_traces_both_and_compiles_one():
    assert traced(choice, 0.0) == (["cpu", "default"], 1)


def test_within_a_form_the_platform_is_known():
    def nested(x, cpu, default):
        def inner(x):
            return choice(x, cpu, default)

        return by_platform(x, cpu=inner, default=inner)

    assert traced(nested, 0.0) == (["cpu", "default"], 1)


def test_programs_of_two_platforms_are_two():
    @jax.jit
    def run(x):
        return by_platform(x, cpu=lambda x: x + 1, default=lambda x: x + 2)

    found = []
    for platform in ("cpu", "gpu", "cpu"):
        with compiled_for(platform):
            found.append(float(run(0.0)))
    assert found == [1, 2, 1]


def test_platform_of_arrays():
    on_cpu = jax.device_put(jnp.ones(2), jax.devices("cpu")[1])
    assert platform_of(on_cpu) == platform_of({"W": np.ones(2)}) == platform_of() == "cpu"
    with jax.default_device(jax.devices("cpu")[1]):
        assert platform_of() == "cpu"
    seen = []
    jax.vmap(lambda x: seen.append(platform_of(x)))(on_cpu)
    assert seen == [None]
    with compiled_for("gpu"):
        jax.vmap(lambda x: seen.append(platform_of(x)))(on_cpu)
    assert seen == [None, "gpu"]


def test_training_on_cpus_traces_no_form_for_accelerators(monkeypatch):
    def fails(*args):
        raise AssertionError("traced for an accelerator")

    monkeypatch.setattr(whole, "value_and_grad", fails)

    def build(density):
        return js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 2))

    recipe, key = js.Recipe(steps=2, batch_size=17), jax.random.key(0)
    js.sweep(build, {"density": [0.5, 1.0], "seed": 1}, recipe, key=key)
    tasks = jax.vmap(build)(jnp.array([0.5, 1.0]))
    js.train(tasks, key[None], recipe)
    with pytest.raises(AssertionError, match="accelerator"):
        jax.jit(lambda key: js.train(tasks, key, recipe))(key[None])

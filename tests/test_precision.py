"""Products are float32 in all that users call, whatever platforms do by default."""

import re

import jax
import jax.numpy as jnp
import pytest

import jsuper as js
from jsuper import adversarial, theory
from jsuper.affixes import AffixClassifier, encode
from jsuper.precision import full_precision


def products(function, *args):
    """Returns the precision of every matrix product of a function."""
    text = jax.jit(function).lower(*args).as_text()
    lines = [line for line in text.splitlines() if "dot_general" in line]
    return {word for line in lines for word in re.findall(r"DEFAULT|HIGHEST", line)}


DEFAULT, EXACT = {"DEFAULT"}, {"HIGHEST"}


def task(n=30, m=20):
    return js.Task(js.SparseFeatures(n, 0.1), js.ToyModel(n, m))


def test_it_holds_within_the_function_alone():
    product = jnp.ones((3, 3))
    assert products(lambda x: x @ x, product) == DEFAULT
    assert products(full_precision(lambda x: x @ x), product) == EXACT
    assert products(jax.grad(full_precision(lambda x: (x @ x).sum())), product) == EXACT
    assert products(lambda x: x @ x, product) == DEFAULT


KEY = jax.random.key(1)
CALLS = {
    "loss": lambda p: task().loss(p, KEY, 8),
    "gradient": lambda p: jax.grad(task().loss)(p, KEY, 8),
    "model": lambda p: task().model.apply(p, jnp.ones((4, 30))),
    "hidden": lambda p: js.HiddenReLUModel(30, 20).hidden(p, jnp.ones((4, 30))),
    "population loss": lambda p: js.population_loss(task(), p),
    "its gradient": lambda p: jax.grad(lambda p: js.population_loss(task(), p))(p),
    "analytic attack": lambda p: adversarial.strongest_attack(
        task(), p, jnp.ones((4, 30)), 0.1
    ),
    "gradient attack": lambda p: adversarial.gradient_attack(
        task(), p, jnp.ones((4, 30)), 0.1, KEY
    ),
    "vulnerability": lambda p: adversarial.vulnerability(task(), p, KEY, 8),
    "adversarial training": lambda p: adversarial.AdversarialTask(task()).loss(p, KEY, 8),
    "interference": lambda p: js.interference(p["W"]),
    "potential": lambda p: theory.one_hot_potential(p["W"], p["b"]),
    "quadratic": lambda p: theory.quadratic_loss(p["W"], jnp.ones(30), 4.0),
    "training": lambda p: js.train(
        jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], task()),
        KEY[None],
        js.Recipe(2, 8),
        jax.tree.map(lambda leaf: leaf[None, None], p),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_products_are_exact(name):
    assert products(CALLS[name], task().init(jax.random.key(0))) == EXACT


def test_products_of_classifiers_are_exact():
    model = AffixClassifier(n_hidden=2)
    codes = encode(["unkind", "kindness"])
    params = model.init(jax.random.key(0))
    assert products(lambda p: model.apply(p, codes), params) == EXACT

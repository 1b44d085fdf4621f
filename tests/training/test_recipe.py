"""The recipe: what it accepts, and that it can be sent to other processes."""

import pickle

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jsuper as js


@pytest.mark.parametrize(
    "count", [np.uint16(4), np.int64(4), jnp.array(4), np.array(4), jnp.uint8(4)], ids=repr
)
def test_counts_of_any_type_are_integers(count):
    recipe = js.Recipe(count, count, log_every=count, eval_batches=count)
    for name in ("steps", "batch_size", "log_every", "eval_batches"):
        assert type(getattr(recipe, name)) is int
    assert recipe == js.Recipe(4, 4, log_every=4, eval_batches=4)
    assert hash(recipe) == hash(js.Recipe(4, 4, log_every=4, eval_batches=4))


@pytest.mark.parametrize("count", [jnp.array(True), np.array([4]), np.float32(4), "4", 0])
def test_what_is_no_count_is_refused(count):
    with pytest.raises(ValueError, match=r"^batch_size must be an integer of at least 1"):
        js.Recipe(batch_size=count)


@pytest.mark.parametrize("optimizer", [None, js.decaying_adam, js.notebook_optimizer])
def test_a_recipe_pickles(optimizer):
    options = {} if optimizer is None else {"optimizer": optimizer}
    recipe = js.Recipe(7, log_every=2, **options)
    assert pickle.loads(pickle.dumps(recipe)) == recipe


def test_an_optimizer_may_be_a_function_but_not_one_of_optax_uncalled():
    assert js.Recipe(optimizer=lambda rate: optax.sgd(rate)).optimizer_with(rate=0.1)
    with pytest.raises(
        TypeError, match=r"of axes that returns one \(lambda .* say\), got <function adamw"
    ):
        js.Recipe(optimizer=optax.adamw)

"""What optimizers get besides the gradient, against plain loops and known laws."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jsuper as js
from jsuper.training import INIT, OPTIMIZER

KEY = jax.random.key(0)


@js.pytree
class Bowl:
    """A quadratic loss with its minimum at ``centre``, a little noisy."""

    centre: jax.Array
    noise: jax.Array

    def init(self, key):
        return {"w": jax.random.normal(key, (3,))}

    def loss(self, params, key, batch_size):
        shift = self.noise * jax.random.normal(key, (batch_size, 3)).mean(0)
        scales = jnp.array([1.0, 4.0, 9.0])
        return jnp.sum(scales * (params["w"] - self.centre - shift) ** 2)


CENTRES = jnp.array([1.0, -2.0])


def bowls(noise):
    return Bowl(CENTRES, jnp.full(2, noise))


def by_hand(optimizer, centre, key, steps, noise):
    """One model, one step at a time, with all that the optimizer may ask for."""
    task = Bowl(centre, jnp.float32(noise))
    params = task.init(jax.random.fold_in(key, INIT))
    optimizer = optax.with_extra_args_support(optimizer)

    @jax.jit
    def step(i, params, state):
        step_key = jax.random.fold_in(jax.random.fold_in(key, 1), i)

        def value_fn(params):
            return task.loss(params, step_key, 8)

        value, grad = jax.value_and_grad(value_fn)(params)
        updates, state = optimizer.update(
            grad, state, params, value=value, grad=grad, value_fn=value_fn
        )
        return optax.apply_updates(params, updates), state

    state = optimizer.init(params)
    for i in range(steps):
        params, state = step(i, params, state)
    return params["w"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "noise", "rtol"),
    [
        (
            optax.chain(optax.adam(0.1), optax.contrib.reduce_on_plateau(patience=2)),
            1.0,
            1e-4,
        ),
        (optax.polyak_sgd(), 1.0, 1e-3),
        (optax.lbfgs(), 0.0, 1e-3),
        (optax.contrib.momo(), 1.0, 1e-4),
    ],
    ids=["reduce_on_plateau", "polyak_sgd", "lbfgs", "momo"],
)
def test_optimizers_that_ask_for_the_loss(optimizer, noise, rtol):
    keys = jax.random.split(KEY, 2)
    recipe = js.Recipe(6, 8, optimizer)
    params, _ = js.train(bowls(noise), keys, recipe)
    for i, j in ((0, 1), (1, 0)):
        expected = by_hand(optimizer, CENTRES[i], keys[j], 6, noise)
        np.testing.assert_allclose(params["w"][i, j], expected, rtol=rtol, atol=1e-5)


def test_a_line_search_finds_the_minimum_of_a_quadratic():
    recipe = js.Recipe(12, 8, optax.lbfgs())
    params, _ = js.train(bowls(0.0), jax.random.split(KEY, 3), recipe)
    expected = np.broadcast_to(np.asarray(CENTRES)[:, None, None], (2, 3, 3))
    np.testing.assert_allclose(params["w"], expected, atol=1e-4)


@pytest.mark.parametrize(
    "optimizer",
    [
        optax.contrib.sophia(0.1),
        optax.contrib.sam(optax.sgd(0.05), optax.sgd(0.01), opaque_mode=True),
        optax.contrib.schedule_free_adamw(0.1),
        optax.MultiSteps(optax.sgd(0.05), 2),
        optax.inject_hyperparams(optax.sgd)(0.05),
    ],
    ids=["sophia", "sam", "schedule_free", "MultiSteps", "inject_hyperparams"],
)
def test_other_optimizers_with_wishes_of_their_own_descend(optimizer):
    _, history = js.train(bowls(0.1), jax.random.split(KEY, 2), js.Recipe(40, 8, optimizer))
    assert (history[..., -1] < history[..., 0]).all()


# Noise in the optimizer


@js.pytree
class Flat:
    """No gradient: what moves is the optimizer's noise."""

    scale: jax.Array

    def init(self, key):
        return {"w": jnp.zeros(20)}

    def loss(self, params, key, batch_size):
        return 0.0 * params["w"].sum() * self.scale


def walks(noise, keys, steps=50):
    recipe = js.Recipe(steps, 1, optax.chain(noise, optax.sgd(0.1)))
    return np.asarray(js.train(Flat(jnp.ones(2)), keys, recipe)[0]["w"])


@pytest.mark.parametrize("typed", [True, False], ids=["typed", "raw"])
def test_noise_is_of_every_models_own(typed):
    keys = jax.random.split(KEY, 40)
    key = jax.random.key(3) if typed else 3

    def init(params):
        del params
        return optax.AddNoiseState(jnp.zeros([], jnp.int32), jax.random.PRNGKey(3))

    noise = optax.add_noise(1.0, 0.0, key)
    if not typed:
        noise = optax.GradientTransformation(init, noise.update)
    w = walks(noise, keys)
    # Cells share their noise, as they share their data; seeds do not.
    np.testing.assert_array_equal(w[0], w[1])
    assert len(np.unique(w[0])) == w[0].size
    # 50 steps of normal numbers times 0.1: within 4 standard errors of the deviation.
    std = 0.1 * np.sqrt(50)
    assert abs(w[0].std() / std - 1) < 4 / np.sqrt(2 * w[0].size)
    # Across seeds, as across parameters.
    correlation = np.corrcoef(w[0])[np.triu_indices(40, 1)]
    assert abs(correlation.mean()) < 4 / np.sqrt(20 * correlation.size)


@pytest.mark.parametrize("place", [lambda key: {"rng": key}, lambda key: (key,)])
def test_raw_keys_are_known_wherever_they_stand(place):
    def update(updates, state, params=None):
        del params
        (key,) = jax.tree.leaves(state)
        own, key = jax.random.split(key)
        noisy = jax.tree.map(lambda u: u + jax.random.normal(own, u.shape), updates)
        return noisy, place(key)

    noise = optax.GradientTransformation(lambda _: place(jax.random.PRNGKey(3)), update)
    w = walks(noise, jax.random.split(KEY, 3), steps=2)
    assert len(np.unique(w[0])) == w[0].size


def test_whole_numbers_are_parameters_too():
    keys = jax.random.split(KEY, 2)
    whole = {"W": np.ones((1, 2, 5, 2), int), "b": np.zeros((1, 2, 5), np.uint8)}
    floats = jax.tree.map(np.float32, whole)
    got, expected = (
        js.evaluate(toy(1), keys, p, batch_size=4, batches=1) for p in (whole, floats)
    )
    np.testing.assert_array_equal(got, expected)
    for p in (whole, floats):
        js.train(toy(1), keys, js.Recipe(2, 4), p)
    with pytest.raises(ValueError, match="params must hold real numbers, got complex64"):
        js.train(toy(1), keys, js.Recipe(2, 4), jax.tree.map(np.complex64, whole))


@pytest.mark.slow
def test_noise_follows_the_key_of_the_run_and_of_the_optimizer():
    first, second = jax.random.split(KEY, 2)
    one, two = optax.add_noise(1.0, 0.0, 0), optax.add_noise(1.0, 0.0, 1)
    w = [walks(noise, keys[None]) for noise in (one, two) for keys in (first, second)]
    assert len(np.unique(w)) == 4 * 20  # tasks share their noise
    both = walks(optax.chain(one, one), first[None])
    assert not np.allclose(both, 2 * w[0], rtol=1e-3)
    # The stream is used for nothing else.
    assert OPTIMIZER not in (INIT, 1, 2)


# What train and evaluate refuse


def toy(n_tasks):
    def build(density):
        return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2))

    return jax.vmap(build)(jnp.full(n_tasks, 0.1))


def params_of(n_tasks, n_keys, n=5):
    return {"W": jnp.ones((n_tasks, n_keys, n, 2)), "b": jnp.zeros((n_tasks, n_keys, n))}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (params_of(1, 1), r"params must have leading axes .*: W of shape \(1, 3, 5, 2\)"),
        (params_of(2, 3), r"got \(2, 3, 5, 2\)$"),
        (params_of(1, 3, n=4), r"W of shape \(1, 3, 5, 2\), got \(1, 3, 4, 2\)$"),
        (
            {"W": jnp.ones((1, 3, 5, 2))},
            r"^params must be like what the tasks' init",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_named(params, message):
    keys = jax.random.split(KEY, 3)
    with pytest.raises(ValueError, match=message):
        js.train(toy(1), keys, js.Recipe(2, 4), params)
    with pytest.raises(ValueError, match=message):
        js.evaluate(toy(1), keys, params, 4, 1)


@pytest.mark.parametrize("batches", [0, -1, 1.5])
def test_evaluate_counts_its_batches(batches):
    with pytest.raises(ValueError, match=r"^batches must be an integer of at least 1"):
        js.evaluate(toy(1), jax.random.split(KEY, 1), params_of(1, 1), 4, batches)


def test_evaluate_checks_tasks_and_keys():
    keys = jnp.stack([jax.random.split(KEY, 3)] * 3)
    with pytest.raises(ValueError, match=r"^keys must have shape .* got \(3, 3\)$"):
        js.evaluate(toy(5), keys, params_of(5, 3), 4, 1)


def test_an_optimizer_of_numbers_gets_them_in_train():
    rates = np.array([0.01, 0.05], np.float32)
    recipe = js.Recipe(5, 8, lambda rate: optax.sgd(rate))
    keys = jax.random.split(KEY, 2)
    params, _ = js.train(bowls(0.0), keys, recipe, numbers={"rate": rates})
    for i, rate in enumerate(rates):
        alone, _ = js.train(bowls(0.0), keys, js.Recipe(5, 8, optax.sgd(float(rate))))
        np.testing.assert_allclose(params["w"][i], alone["w"][i], rtol=1e-5)
    with pytest.raises(ValueError, match=r"must name what recipe.optimizer takes \(rate\)"):
        js.train(bowls(0.0), keys, recipe)
    with pytest.raises(ValueError, match=r"numbers\['rate'\] must have shape \(2,\)"):
        js.train(bowls(0.0), keys, recipe, numbers={"rate": 0.1})

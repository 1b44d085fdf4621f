"""Attacks: values worked out by hand, symmetries, and what other attacks reach."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js
from jsuper import adversarial

KEY = jax.random.key(3)
PAIR = {"W": jnp.array([[1.0], [-1.0]]), "b": jnp.zeros(2)}
ANGLES = 2 * np.pi * np.arange(5) / 5
PENTAGON = {
    # Radius and bias of the pentagon at high sparsity (Chen et al. 2023).
    "W": 1.17046 * jnp.stack([jnp.cos(ANGLES), jnp.sin(ANGLES)], axis=1),
    "b": jnp.full(5, -0.28230),
}


def task(n, m, density=0.1, importance=1.0):
    return js.Task(js.SparseFeatures(n, density), js.ToyModel(n, m), importance)


def losses(task, params, x, shown):
    error = task.target(x) - task.model.apply(params, shown)
    return np.asarray((task.importance * error**2).mean(axis=-1))


def dedicated(n, m, density):
    bias = jnp.where(jnp.arange(n) < m, 0.0, density / 2)
    return {"W": jnp.eye(n, m), "b": bias}


@pytest.mark.parametrize("density", [1.0, 0.3, 0.01])
def test_dedicated_features_lose_the_square_of_the_attack(density):
    # The loss of a feature returned exactly rises by ε², whatever the input is.
    clean = task(7, 4, density)
    rise = adversarial.vulnerability(clean, dedicated(7, 4, density), KEY, 512, 0.1)
    size = 0.1 * adversarial.mean_norm(clean.features.sample(KEY, 512))
    assert rise == pytest.approx(float(size**2 / 7), rel=1e-4)


def test_pair_loses_twice_as_much_by_hand():
    # The attack (1, -1) ε/√2 moves the pair's hidden value by √2 ε: the output of the
    # active feature, or of one of two silent ones, is off by √2 ε, the other stays 0.
    x = jnp.array([[0.7, 0.0], [0.0, 0.4], [0.0, 0.0]])
    attacked = adversarial.strongest_attack(task(2, 1), PAIR, x, 0.1)
    np.testing.assert_allclose(losses(task(2, 1), PAIR, x, x), 0, atol=1e-12)
    np.testing.assert_allclose(losses(task(2, 1), PAIR, x, attacked), 0.1**2, rtol=1e-5)
    # Twice the ε²/2 of dedicated features: its features per dimension.
    assert 1 / js.dimensions_per_feature(PAIR["W"]) == 2


def test_untied_weights_are_attacked_along_their_own_directions():
    # Of a linear model that is judged by output i alone, the error can grow by the norm
    # of row i of the map from inputs to outputs, and by no more.
    n, i, size = 5, 3, 0.2
    model = js.ToyModel(n, 2, activation="linear", tied=False)
    params = model.init(jax.random.key(1)) | {"b": jnp.full(n, 0.1)}
    judged = js.Task(js.SparseFeatures(n, 0.5), model, jnp.zeros(n).at[i].set(n))
    x = judged.features.sample(KEY, 32)
    error = np.abs(np.asarray(model.apply(params, x) - x)[:, i])
    attacked = adversarial.strongest_attack(judged, params, x, size)
    row = np.asarray(params["W"] @ params["W_out"])[:, i]
    most = (error + size * np.linalg.norm(row)) ** 2
    np.testing.assert_allclose(losses(judged, params, x, attacked), most, rtol=1e-4)


def test_attack_has_the_norm_asked_for():
    x = task(5, 2).features.sample(KEY, 64)
    for size in (0.03, 0.5):
        step = adversarial.strongest_attack(task(5, 2), PENTAGON, x, size) - x
        np.testing.assert_allclose(np.linalg.norm(step, axis=1), size, rtol=1e-4)
    unmoved = adversarial.strongest_attack(task(5, 2), PENTAGON, x, 0.0)
    np.testing.assert_array_equal(unmoved, x)


@pytest.mark.parametrize(("params", "n", "m"), [(PAIR, 2, 1), (PENTAGON, 5, 2)])
def test_no_random_direction_hurts_more_where_one_feature_is_active(params, n, m):
    x = jnp.eye(n) * 0.8
    size = 0.1
    attacked = adversarial.strongest_attack(task(n, m), params, x, size)
    strongest = losses(task(n, m), params, x, attacked)
    steps = jax.random.normal(KEY, (1000, 1, n))
    steps = size * steps / jnp.linalg.norm(steps, axis=-1, keepdims=True)
    worst = losses(task(n, m), params, x, x + steps).max(axis=0)
    assert (worst <= strongest * (1 + 1e-5)).all()
    assert (worst > 0.9 * strongest).all()  # so the comparison says something


@pytest.mark.parametrize(
    # The pentagon's analytic attack is within 1% of the best, the pair's is the best.
    ("params", "n", "m", "slack"),
    [(PAIR, 2, 1, 1e-4), (PENTAGON, 5, 2, 1e-2)],
)
def test_gradient_ascent_finds_no_more_where_one_feature_is_active(params, n, m, slack):
    x = jnp.eye(n) * 0.8
    strongest = adversarial.strongest_attack(task(n, m), params, x, 0.1)
    found = adversarial.gradient_attack(task(n, m), params, x, 0.1, KEY, steps=60)
    assert (np.linalg.norm(found - x, axis=1) <= 0.1 * (1 + 1e-4)).all()
    ratio = losses(task(n, m), params, x, found) / losses(task(n, m), params, x, strongest)
    assert ratio.max() <= 1 + slack
    assert ratio.mean() > 0.5


def test_attack_does_not_see_the_basis_of_hidden_space():
    turn = jnp.array([[0.6, -0.8], [0.8, 0.6]])
    turned = {"W": PENTAGON["W"] @ turn, "b": PENTAGON["b"]}
    plain, same = (
        adversarial.vulnerability(task(5, 2), params, KEY, 256)
        for params in (PENTAGON, turned)
    )
    assert plain == pytest.approx(float(same), rel=1e-4)


def test_attack_follows_a_permutation_of_features():
    order = jnp.array([2, 0, 1])
    W = jax.random.normal(KEY, (3, 2))
    params = {"W": W, "b": jnp.array([-0.1, 0.0, 0.1])}
    permuted = {"W": W[order], "b": params["b"][order]}
    x = task(3, 2, 0.9).features.sample(KEY, 32)
    attacked = adversarial.strongest_attack(task(3, 2), params, x, 0.2)
    swapped = adversarial.strongest_attack(task(3, 2), permuted, x[:, order], 0.2)
    np.testing.assert_allclose(
        losses(task(3, 2), params, x, attacked),
        losses(task(3, 2), permuted, x[:, order], swapped),
        rtol=1e-4,
    )


def test_importance_decides_what_hurts():
    # Two dedicated features: only the important one is worth attacking.
    importance = jnp.array([0.1, 1.0])
    x = jnp.array([[0.5, 0.5], [0.0, 0.0]])
    params = {"W": jnp.eye(2), "b": jnp.zeros(2)}
    moved = adversarial.strongest_attack(task(2, 2, 0.5, importance), params, x, 0.1) - x
    np.testing.assert_allclose(np.abs(moved), [[0, 0.1], [0, 0.1]], atol=1e-6)


def test_absent_features_give_no_direction():
    directions = adversarial.attack_directions(jnp.array([[1.0, 0.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(directions, [[1, 0], [0, 0]])
    nothing = {"W": jnp.zeros((2, 1)), "b": jnp.zeros(2)}
    assert adversarial.vulnerability(task(2, 1), nothing, KEY, 16) == 0


def test_works_under_jit_and_vmap():
    params = jax.tree.map(lambda a: jnp.stack([a, 0.9 * a]), PENTAGON)

    def rise(params, size):
        return adversarial.vulnerability(task(5, 2), params, KEY, 128, size)

    together = jax.jit(jax.vmap(rise, in_axes=(0, None)))(params, 0.2)
    alone = [rise(jax.tree.map(lambda a, i=i: a[i], params), 0.2) for i in range(2)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


class TestAdversarialTask:
    def test_without_attack_it_is_the_task(self):
        clean = task(5, 2)
        attacked = adversarial.AdversarialTask(clean, 0.0)
        value, gradient = jax.value_and_grad(attacked.loss)(PENTAGON, KEY, 256)
        expected, slope = jax.value_and_grad(clean.loss)(PENTAGON, KEY, 256)
        assert value == pytest.approx(float(expected), rel=1e-6)
        # At equal losses of both signs the maximum passes half of each gradient.
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-7),
            gradient,
            slope,
        )

    def test_a_random_feature_hurts_less_than_the_worst(self):
        clean = task(5, 2)
        before = clean.loss(PENTAGON, KEY, 2048)
        random = adversarial.AdversarialTask(clean, 0.3).loss(PENTAGON, KEY, 2048) - before
        worst = adversarial.vulnerability(clean, PENTAGON, KEY, 2048, 0.3)
        assert 0.1 * worst < random < worst

    def test_loss_of_a_pair_by_hand(self):
        # Both features' directions are the same, so the random one is the worst one.
        clean = task(2, 1, density=1e-3)
        x = clean.features.sample(KEY, 4096)
        size = 0.5 * adversarial.mean_norm(x)
        loss = adversarial.AdversarialTask(clean, 0.5).loss(PAIR, KEY, 4096)
        assert loss == pytest.approx(float(size**2), rel=1e-3)

    def test_the_gradient_holds_the_attack_fixed(self):
        attacked = adversarial.AdversarialTask(task(5, 2, 0.5), 0.4)
        start = PENTAGON["W"]
        slope = jax.grad(attacked.loss)(PENTAGON, KEY, 512)["W"]
        along = jax.random.normal(jax.random.key(5), start.shape)

        def frozen(step):
            # Directions of the start, whatever the weights are.
            x = attacked.features.sample(KEY, 512)
            feature = jax.random.randint(jax.random.fold_in(KEY, 1), (512,), 0, 5)
            shift = adversarial.attack_directions(start)[feature]
            shift = 0.4 * adversarial.mean_norm(x) * shift
            params = {"W": start + step * along, "b": PENTAGON["b"]}
            both = [losses(attacked.task, params, x, x + s) for s in (shift, -shift)]
            return np.maximum(*both).astype(float).mean()

        secant = (frozen(3e-3) - frozen(-3e-3)) / 6e-3
        assert secant == pytest.approx(float((slope * along).sum()), rel=2e-2)

    def test_trains_through_a_sweep(self):
        def build(attack):
            return adversarial.AdversarialTask(task(4, 2), attack)

        axes = {"attack": [0.0, 0.5], "seed": 2}
        ds = js.sweep(build, axes, js.Recipe(steps=20), key=jax.random.key(0))
        assert ds["W"].dims == ("attack", "seed", "feature", "hidden")
        assert ds["importance"].dims == ("feature",)
        assert bool(ds["finite"].all())
        # The same samples, under a stronger attack.
        assert (ds["loss"].isel(attack=1) > ds["loss"].isel(attack=0)).all()

    @pytest.mark.parametrize("size", [-0.1, np.inf, np.nan])
    def test_rejects_a_size_out_of_range(self, size):
        with pytest.raises(ValueError, match="size must be finite and at least 0"):
            adversarial.AdversarialTask(task(2, 1), size)


def test_a_negative_attack_is_refused():
    task = js.Task(js.SparseFeatures(2, 0.5), js.ToyModel(2, 1))
    params = {"W": jnp.ones((2, 1)), "b": jnp.zeros(2)}
    with pytest.raises(ValueError, match=r"^size must be at least 0, got -1$"):
        adversarial.vulnerability(task, params, jax.random.key(0), 8, size=-1.0)

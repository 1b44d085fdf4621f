"""The classifier against a second way to compute it, and against itself in a batch."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import xarray as xr

import jsuper as js
from jsuper.affixes import AffixDataset, composed_words, encode
from jsuper.affixes.classifier import AffixClassifier, params_of
from jsuper.affixes.task import AffixTask, cumulative

WORDS = ["unhelp", "rework", "thinkable", "joyful", "oddness"]


@pytest.fixture(scope="module")
def words():
    return composed_words(30)


def by_hand(params, word, threshold=0.0, pooling="max", window=5):
    """One word, one position at a time, as the docstring's formula has it."""
    p = jax.tree.map(np.asarray, params)
    codes = [1, *(ord(letter) - ord("a") + 3 for letter in word), 2]
    table = p["embedding"]["embedding"]
    n = len(codes)
    rows = [table[c] for c in codes + [0] * (window - 1)]
    matches = []
    for i in range(n):
        seen = np.concatenate(rows[i : i + window])
        z = seen @ p["convolution"]["kernel"] + p["convolution"]["bias"]
        matches.append(np.maximum(z, 0))
    pooled = np.max(matches, 0) if pooling == "max" else np.mean(matches, 0)
    z = pooled @ p["to_hidden"]["kernel"] + p["to_hidden"]["bias"]
    h = np.where(z >= threshold, z, 0)
    return z, h, h @ p["W"].T + p["b"]


@pytest.mark.parametrize("threshold", [0.0, -np.inf, -0.1, 0.2])
@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_is_the_sum_that_its_formula_says(threshold, pooling):
    model = AffixClassifier(3, threshold, pooling=pooling)
    params = model.init(jax.random.key(0))
    codes = encode(WORDS)
    for i, word in enumerate(WORDS):
        z, h, y = by_hand(params, word, threshold, pooling)
        np.testing.assert_allclose(model.preactivations(params, codes[i]), z, atol=1e-5)
        np.testing.assert_allclose(model.hidden(params, codes[i]), h, atol=1e-5)
        np.testing.assert_allclose(model.apply(params, codes[i]), y, atol=1e-5)


@pytest.mark.slow
def test_gradient_is_that_of_the_plain_maximum():
    """By products with every window, where the maximum itself is differentiated."""
    model = AffixClassifier(3, -0.1)
    params = model.init(jax.random.key(0))
    codes = encode(WORDS)

    def plain(params):
        x = params["embedding"]["embedding"][np.pad(codes, [(0, 0), (0, 4)])]
        n = codes.shape[1]
        windows = jnp.concatenate([x[:, i : i + n] for i in range(5)], -1)
        convolution = params["convolution"]
        matches = windows @ convolution["kernel"] + convolution["bias"]
        matches = jnp.where(codes[..., None] > 0, jax.nn.relu(matches), 0)
        z = matches.max(1) @ params["to_hidden"]["kernel"] + params["to_hidden"]["bias"]
        return (js.exrelu(z, -0.1) @ params["W"].T + params["b"]).var()

    expected = jax.grad(plain)(params)
    found = jax.grad(lambda params: model.apply(params, codes).var())(params)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), found, expected
    )
    # Every leaf takes part.
    assert all(np.any(leaf) for leaf in jax.tree.leaves(found))


@pytest.mark.parametrize("options", [{}, {"pooling": "mean"}, {"mark_ends": False}])
def test_padding_changes_nothing(options):
    model = AffixClassifier(2, **options)
    params = model.init(jax.random.key(1))
    short, long = encode(WORDS), encode(WORDS, length=30)
    np.testing.assert_allclose(
        model.apply(params, short), model.apply(params, long), atol=1e-6
    )


def test_marks_tell_a_prefix_from_the_same_letters_inside():
    """Without marks two words of the same windows are one to max pooling."""
    letters = "abcdefgh"
    once, twice = encode([3 * letters, 4 * letters])
    params = AffixClassifier(2).init(jax.random.key(2))
    blind = AffixClassifier(2, mark_ends=False)
    alike = [blind.preactivations(params, codes) for codes in (once, twice)]
    np.testing.assert_allclose(*alike, atol=1e-6)
    # The last letter in front instead: all windows of letters are there as before, and
    # those at the ends are not.
    turned = encode(["h" + 3 * letters])[0]
    marked = AffixClassifier(2)
    seen = [np.asarray(marked.preactivations(params, codes)) for codes in (once, turned)]
    assert np.abs(seen[0] - seen[1]).max() > 1e-4
    unseen = [blind.preactivations(params, codes) for codes in (once, turned)]
    np.testing.assert_allclose(*unseen, atol=1e-6)


def test_tied_readout_is_the_toy_model_behind_five_detectors():
    model = AffixClassifier(2, -np.inf, readout="tied", output_threshold=0.0)
    params = model.init(jax.random.key(3))
    params["b"] = jnp.array([0.1, -0.1, 0.0, 0.2, -0.3])
    codes = encode(WORDS)
    # Five known outputs of the detectors: solve z = f W for f where W is invertible.
    wide = AffixClassifier(5, -np.inf, readout="tied")
    wide_params = {**params, "W": jnp.eye(5)}
    features = wide.preactivations(wide_params, codes)
    assert (np.asarray(features) >= 0).all()
    toy = js.ToyModel(5, 2)
    expected = toy.apply({"W": params["W"], "b": params["b"]}, features)
    np.testing.assert_allclose(model.apply(params, codes), expected, atol=1e-6)


def test_initial_weights_have_their_variance():
    keys = jax.random.split(jax.random.key(0), 500)
    params = jax.vmap(AffixClassifier(2).init)(keys)
    for array, fan_in in (
        (params["convolution"]["kernel"], 40),
        (params["to_hidden"]["kernel"], 16),
        (params["embedding"]["embedding"], 8),
        (params["W"], 2),
    ):
        assert float(array.var()) * fan_in == pytest.approx(1, abs=0.05)
        assert float(jnp.abs(array).max()) <= (3 / fan_in) ** 0.5
    assert not np.any(params["b"])
    assert not np.any(params["convolution"]["bias"])


def test_words_are_drawn_by_their_weights(words):
    pure = words.pure
    weights = np.where(pure.labels[:, 0], 3.0, 1.0)
    weights[::2] = 0
    task = AffixTask.from_words(pure, AffixClassifier(), weights)
    n = 20_000
    codes, labels = jax.jit(task.sample, static_argnums=1)(jax.random.key(0), n)
    allowed = {row.tobytes() for row in task.codes[weights > 0]}
    assert {row.tobytes() for row in np.asarray(codes)} == allowed
    share = weights @ pure.labels / weights.sum()
    error = 4 * np.sqrt(share * (1 - share) / n)
    assert (np.abs(np.asarray(labels).mean(0) - share) < error).all()


def test_the_last_word_of_weight_is_the_last_one_drawn():
    sums = cumulative([0, 1, 1, 0])
    task = AffixTask(np.arange(4)[:, None], np.eye(4), sums, AffixClassifier())
    codes, _ = task.sample(jax.random.key(0), 4_000)
    assert set(np.asarray(codes).ravel().tolist()) == {1, 2}


@pytest.mark.parametrize(
    ("weights", "message"),
    [([0, 0], "one above 0, got none"), ([-1, 2], "at least 0, got -1")],
)
def test_weights_that_cannot_be_drawn_from(weights, message):
    with pytest.raises(ValueError, match=f"^weights must (be|have) {message}"):
        cumulative(weights)


def test_losses_of_both_kinds(words):
    """Dual words: probability divided equally, or two outputs of 1."""
    dual = words.dual.select([0])
    model = AffixClassifier(2)
    params = model.init(jax.random.key(4))
    y = np.asarray(model.apply(params, dual.encode()))[0]
    log_p = y - np.log(np.exp(y).sum())
    task = AffixTask(dual.encode(), dual.labels, cumulative([1]), model)
    own = dual.labels[0]
    assert float(task.loss(params, jax.random.key(0), 3)) == pytest.approx(
        -log_p[own].mean(), rel=1e-5
    )
    toy = AffixClassifier(2, readout="toy", output_threshold=-np.inf)
    task = AffixTask(dual.encode(), dual.labels, cumulative([1]), toy)
    assert float(task.loss(params, jax.random.key(0), 3)) == pytest.approx(
        ((y - own) ** 2).mean(), rel=1e-5
    )


@pytest.mark.slow
def test_alone_and_in_the_batch_are_one(words):
    """The same seed and threshold, alone, in a sweep, and by hand in a plain loop."""
    steps = 30

    def build(threshold):
        return AffixTask.from_words(words.pure, AffixClassifier(2, threshold))

    optimizer = optax.adamw(3e-3)
    recipe = js.Recipe(steps, 16, optimizer, eval_batches=1)
    key = jax.random.key(11)
    grid = js.sweep(build, {"threshold": [0.0, -np.inf], "seed": 4}, recipe, key=key)
    alone = js.sweep(build, {"threshold": [-np.inf], "seed": [2]}, recipe, key=key)
    ours, theirs = (
        params_of(alone.isel(threshold=0, seed=0)),
        params_of(grid.isel(threshold=1, seed=2)),
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), ours, theirs)

    task, seed_key = build(-np.inf), jax.random.fold_in(key, 2)
    params = task.init(jax.random.fold_in(seed_key, 0))
    state = optimizer.init(params)
    gradient = jax.jit(jax.grad(task.loss), static_argnums=2)
    for step in range(steps):
        step_key = jax.random.fold_in(jax.random.fold_in(seed_key, 1), step)
        updates, state = optimizer.update(gradient(params, step_key, 16), state, params)
        params = optax.apply_updates(params, updates)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), params, ours)


def test_mistakes_are_named(words):
    with pytest.raises(ValueError, match="n_hidden must be an integer of at least 1"):
        AffixClassifier(0)
    with pytest.raises(ValueError, match="readout must be one of softmax, toy, tied"):
        AffixClassifier(readout="argmax")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="pooling must be one of max, mean"):
        AffixClassifier(pooling="sum")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="threshold"):
        AffixClassifier(threshold=np.inf)
    with pytest.raises(ValueError, match="threshold must be a number or -inf, got '-inf'"):
        AffixClassifier(threshold="-inf")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mark_ends must be True or False, got 'no'"):
        AffixClassifier(mark_ends="no")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ds must be a dataset of trained AffixClass"):
        params_of(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"got Dataset \['W'\]"):
        params_of(xr.Dataset({"W": ("hidden", [1.0])}))
    with pytest.raises(TypeError, match=r"words must be an AffixDataset, got \['unkind'\]"):
        AffixTask.from_words(["unkind"], AffixClassifier())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="model must be an AffixClassifier, got <class"):
        AffixTask.from_words(words, AffixClassifier)  # type: ignore[arg-type]
    model = AffixClassifier()
    with pytest.raises(ValueError, match="number of affixes, 2, got 5"):
        AffixTask.from_words(
            AffixDataset.from_words(["kind", "unkind", "kindness"], ["un-", "-ness"]), model
        )
    with pytest.raises(ValueError, match="weights must have shape"):
        AffixTask.from_words(words, model, [1.0])
    with pytest.raises(ValueError, match="weights must be at least 0, got -1"):
        AffixTask.from_words(words, model, -np.ones(len(words)))
    with pytest.raises(ValueError, match="none for '-ful'"):
        AffixTask.from_words(words, model, ~words.labels[:, 3])

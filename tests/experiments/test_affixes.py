"""The affix experiment: words and counts of predictions by hand, and trained models."""

import jax
import numpy as np
import pytest

from jsuper.affixes import (
    PAIRS,
    compose,
    composed_words,
    geometry,
    neutral_combinations,
    real_words,
)
from jsuper.affixes.classifier import AffixClassifier
from jsuper.experiments.affixes import corpus as corpora
from jsuper.experiments.affixes import figures, measures, rates, train
from jsuper.experiments.affixes.rates import LINEAR, RELU

PAIR_LABELS, OWN = corpora.PAIR_LABELS, corpora.OWN
COMPOSED = corpora.Corpus(composed_words(60), composed=True)
REAL = corpora.Corpus(real_words(), composed=False)


@pytest.mark.parametrize("corpus", [COMPOSED, REAL], ids=["composed", "real"])
def test_splits_are_those_of_the_data_set_and_share_no_stem(corpus):
    stems = np.array(corpus.words.stems)
    for seed in (0, 3):
        tested = corpus.in_test(seed)
        key = jax.random.fold_in(jax.random.key(7), seed)
        _, test = corpus.words.split(key)
        assert np.array(corpus.words.words)[tested].tolist() == list(test.words)
        weights = corpus.weights(seed, dual_share=0.3, balanced=True)
        assert not weights[tested].any()
        assert not set(stems[tested]) & set(stems[weights > 0])
        dual = corpus.words.labels.sum(1) == 2
        assert weights[dual].sum() == pytest.approx(0.3)
        assert weights.sum() == pytest.approx(1)
        np.testing.assert_allclose(
            (weights * ~dual) @ corpus.words.labels, np.full(5, 0.7 / 5)
        )
        pairs = np.arange(9)
        weights = corpus.weights(seed, dual_share=0.3, pairs=pairs)
        there = pairs * (corpus.of_pair & ~tested[:, None]).any(0)
        np.testing.assert_allclose(
            weights @ corpus.of_pair, 0.3 * there / there.sum(), atol=1e-12
        )
        plain = corpus.weights(seed)
        assert set(plain[plain > 0]) == {plain.max()}
        assert not plain[dual].any()
    assert (corpus.in_test(0) != corpus.in_test(3)).any()


def test_of_composed_words_as_many_are_asked_as_one_says():
    asked = COMPOSED.asked(np.array([0, 3]), n_stems=5)
    assert asked.codes.shape == (2, 5 * 10 + 14 * 5 + 9 * 4 * 5, COMPOSED.length)
    assert asked.labels.shape == (120, 5)
    for seed, words, test in zip((0, 3), asked.codes, asked.test, strict=True):
        tested = {word.tobytes() for word in COMPOSED.codes[COMPOSED.in_test(seed)]}
        assert [word.tobytes() in tested for word in words[:120]] == test.tolist()
    dual, first, second = asked.trios[0].T
    assert (asked.labels[dual] == asked.labels[first] | asked.labels[second]).all()


def words_of(codes):
    """The words of encoded rows."""
    return ["".join(chr(c - 3 + ord("a")) for c in row if c > 2) for row in codes]


def scores(seed, word):
    """What a model makes of a word: anything, but always the same."""
    return np.random.default_rng([seed, *word.encode()]).normal(size=5)


def fake_predict(model, params, codes):
    per_model = codes if codes.ndim == 3 else [codes] * len(params)
    outputs = np.array(
        [
            [scores(seed, word) for word in words_of(rows)]
            for seed, rows in zip(params, per_model, strict=True)
        ]
    )
    return outputs[..., :2], outputs


def correct(seed, word, labels):
    return bool(labels[np.argmax(scores(seed, word))])


@pytest.mark.parametrize("corpus", [COMPOSED, REAL], ids=["composed", "real"])
def test_words_are_counted_as_a_loop_over_words_counts_them(corpus, monkeypatch):
    monkeypatch.setattr(measures.evaluation, "predict", fake_predict)
    seeds = np.array([4, 1])
    found = measures.count(corpus, AffixClassifier(2), seeds, seeds)
    found = {name: values[1] for name, values in found.items()}
    tested = corpus.in_test(1)
    words = corpus.words
    rows = list(zip(words.words, words.stems, words.labels, tested, strict=True))
    single = [row for row in rows if row[2].sum() == 1]
    hits = [correct(1, word, labels) for word, _, labels, new in single if new]
    assert found["pure_accuracy"] == pytest.approx(np.mean(hits))
    for label in range(5):
        known = [word for word, _, labels, new in single if labels[label] and not new]
        recall = np.mean([correct(1, word, np.arange(5) == label) for word in known])
        assert found["recall"][label] == pytest.approx(recall)
        mean = np.mean([scores(1, word)[:2] for word in known], 0)
        np.testing.assert_allclose(found["means"][label], mean)
    for p, own in enumerate(OWN):
        incorrect = trials = top = 0
        failed, predictions = {"second": 0, "first": 0}, np.zeros(6, int)
        positions = []
        for word, stem, labels, new in rows:
            if not new or (labels != own).any():
                continue
            y = scores(1, word)
            predictions[np.argmax(y)] += 1
            positions.append(y[:2])
            top += set(np.argsort(y)[-2:]) == set(PAIR_LABELS[p])
            pure = [np.arange(5) == label for label in PAIR_LABELS[p]]
            alone = [
                [w for w, s, has, _ in single if s == stem and (has == one).all()]
                for one in pure
            ]
            if all(alone) and all(
                correct(1, found_words[0], one)
                for found_words, one in zip(alone, pure, strict=True)
            ):
                trials += 1
                incorrect += not correct(1, word, own)
                for choice in (0, 1):
                    parts = neutral_combinations(PAIRS[p], choice)
                    control = dict(zip(failed, compose([stem], parts).words, strict=True))
                    failed["second"] += not correct(1, control["second"], pure[1])
                    failed["first"] += not correct(1, control["first"], pure[0])
        np.testing.assert_array_equal(found["predictions"][p], predictions)
        assert found["both_top"][p] == top
        assert found["interference_stems"][p] == trials
        assert found["interference_incorrect"][p] == incorrect
        assert (found["control_stems"][p] == 2 * trials).all()
        assert dict(zip(corpora.KEPT, found["control_incorrect"][p], strict=True)) == failed
        if corpus.composed:
            np.testing.assert_allclose(found["dual_means"][p], np.mean(positions, 0))


def test_word_lists_share_no_draws_and_hold_the_words_that_are_drawn(monkeypatch):
    swept = []

    class Stop(Exception):
        pass

    def sweep(build, axes, recipe, *, key):
        swept.append((jax.random.key_data(key).tolist(), build))
        raise Stop

    monkeypatch.setattr(train.js, "sweep", sweep)
    for corpus, options in (
        (COMPOSED, {}),
        (REAL, {}),
        (COMPOSED, {"axis": "dual_share", "threshold": LINEAR}),
    ):
        with pytest.raises(Stop):
            train.fit(corpus, 2, 20, **options)
    composed, real, shares = swept
    assert composed[0] == shares[0] != real[0]
    pure = composed[1](RELU, 1)
    assert (pure.labels.sum(1) == 1).all()
    for share in (0.0, 0.5):
        task = shares[1](share, 1)
        weights = np.diff(task.cumulative, prepend=0)
        assert weights[task.labels.sum(1) == 2].sum() == pytest.approx(share, abs=1e-5)


@pytest.fixture(scope="module")
def trained():
    corpus = corpora.Corpus(composed_words(150), composed=True)
    return corpus, train.fit(corpus, 8, 400, values=(LINEAR,)).sel(threshold=LINEAR)


@pytest.mark.slow
def test_two_neurons_invent_the_class_between(trained):
    ds = trained[1]
    assert (ds["predictions"].sum("prediction") == 30).all()
    np.testing.assert_array_equal(ds["learned"], ds["recall"].mean("affix") >= 0.9)
    ds = rates.learned(ds)
    assert ds.sizes["seed"] >= 6
    assert (ds["active"] == 2).all()
    assert float(ds["pure_accuracy"].mean()) > 0.9
    assert rates.interference(ds).value > 0.1
    between = rates.guessed(ds, "between")
    assert between["class between"].value > 0.7
    assert between["of another model"].value < 0.6
    near = rates.by_neighbourhood(ds)
    assert near["adjacent"].value > near["apart"].value + 0.15
    # Longer words are no harder: of those with a neutral affix few are incorrect.
    six = ds.sel(pair=rates.SIX)
    control = rates.rate(six["control_incorrect"], six["control_stems"])
    assert control.value < rates.interference(six).value / 3


@pytest.mark.slow
def test_geometry_is_that_of_the_weights_and_the_means(trained):
    ds = trained[1]
    n = ds.sizes["seed"]
    order = geometry.shuffles(n * measures.SHUFFLES, 5).reshape(n, -1, 5)
    for seed in range(2):
        one = ds.isel(seed=seed)
        W, b, means = one["W"].values, one["b"].values, one["means"].values
        centre = means.mean(0)
        angles = np.arctan2(*(means - centre).T[::-1])
        circle = np.argsort(angles).tolist()
        for p, pair in enumerate(PAIR_LABELS):
            rest = [label for label in range(5) if label not in pair]

            def outputs(means, pair=pair, W=W, b=b, centre=centre):
                return (means[pair].sum(0) - centre) @ W.T + b

            y = outputs(means)
            assert int(one["at_sum"][p]) == y.argmax()
            assert int(one["third_at_sum"][p]) == max(rest, key=lambda i: y[i])
            steps = (circle.index(pair[1]) - circle.index(pair[0])) % 5
            start = pair[0] if steps == 2 else pair[1]
            middle = circle[(circle.index(start) + 1) % 5]
            assert int(one["between"][p]) == (middle if steps in (2, 3) else -1)
            for i, shuffled in enumerate(order[seed]):
                y = outputs(means[shuffled])
                assert int(one["at_sum_shuffled"][i, p]) == y.argmax()
                other = max(rest, key=lambda label: y[label])
                assert int(one["third_at_sum_shuffled"][i, p]) == other
    assert (ds["at_sum_shuffled"] != ds["at_sum"]).any()


@pytest.mark.slow
def test_the_plane_is_that_of_one_of_the_models(trained):
    """Its words and regions are those of the model with the most foretold errors."""
    corpus, ds = trained
    one = measures.example(corpus, ds)
    same = ds.sel(seed=one["seed"])
    assert bool(same["learned"])
    np.testing.assert_array_equal(one["W"], same["W"])
    hidden = one["dual"].values @ one["W"].values.T + one["b"].values
    for p, predicted in enumerate(hidden.argmax(-1)):
        np.testing.assert_array_equal(
            np.bincount(predicted, minlength=5), one["predictions"][p, :5]
        )
    apart = figures.pairs(one)[1]
    third = int(one["between"].sel(pair=apart))
    assert int(one["at_sum"].sel(pair=apart)) == third
    assert one["predictions"].sel(pair=apart)[third] > 15

"""The affix experiment: counts of answers made by hand, outcome of trained models."""

import jax
import numpy as np
import pytest
import xarray as xr

from jsuper.affixes import composed_words, geometry, real_words
from jsuper.experiments import affixes
from jsuper.experiments import affixes_measures as measures
from jsuper.experiments.affixes_findings import LINEAR, RELU, gated, interference

PAIRS, OWN = measures.PAIRS, measures.OWN


@pytest.mark.parametrize(
    "corpus",
    [
        measures.Corpus(composed_words(60), composed=True),
        measures.Corpus(real_words(), composed=False),
    ],
    ids=["composed", "real"],
)
def test_splits_are_those_of_the_data_set_and_share_no_stem(corpus):
    stems = np.array(corpus.words.stems)
    for split in (0, 3):
        tested = corpus.in_test(split)
        key = jax.random.fold_in(jax.random.key(7), split)
        _, test = corpus.words.split(key)
        assert np.array(corpus.words.words)[tested].tolist() == list(test.words)
        weights = corpus.weights(split, dual_share=0.3, balanced=True)
        assert not weights[tested].any()
        assert not set(stems[tested]) & set(stems[weights > 0])
        dual = corpus.words.labels.sum(1) == 2
        assert weights[dual].sum() == pytest.approx(0.3)
        assert weights.sum() == pytest.approx(1)
        np.testing.assert_allclose(
            (weights * ~dual) @ corpus.words.labels, np.full(5, 0.7 / 5)
        )
        plain = corpus.weights(split)
        assert set(plain[plain > 0]) == {plain.max()}
        assert not plain[dual].any()
    assert (corpus.in_test(0) != corpus.in_test(3)).any()


def models(n, answer_of):
    """Models that answer one thing to all words of a pair: ``answer_of(circle, pair)``."""
    circles = geometry.shuffles(n, 5, seed=3)
    middle = geometry.between(circles, PAIRS)
    answer = np.array(
        [
            [answer_of(m, a, b) for m, (a, b) in zip(row, PAIRS, strict=True)]
            for row in middle
        ]
    )
    counts = 10 * (answer[..., None] == np.array([0, 1, 2, 3, 4, -1]))
    other = np.array([[(set(range(5)) - {a, b}).pop() for a, b in PAIRS]] * n)
    other = np.where(middle >= 0, middle, other)
    shuffled = geometry.shuffles(n * 24, 5, seed=4).reshape(n, 24, 5)
    random_other = np.stack(
        [next_other(shuffled.reshape(-1, 5), a, b).reshape(n, 24) for a, b in PAIRS],
        -1,
    )
    dims = ("split", "pair")
    return xr.Dataset(
        {
            "answers": ((*dims, "answer"), counts),
            "predicted": (dims, np.where(middle >= 0, middle, PAIRS[:, 0])),
            "predicted_other": (dims, other),
            "shuffled": (("split", "shuffle", "pair"), shuffled[..., [0] * 9]),
            "shuffled_other": (("split", "shuffle", "pair"), random_other),
            "between": (dims, middle),
            "shuffled_between": (
                ("split", "shuffle", "pair"),
                geometry.between(shuffled, PAIRS),
            ),
        }
    )


def next_other(orders, a, b):
    """The first label of each order that is neither a nor b."""
    free = (orders != a) & (orders != b)
    return np.take_along_axis(orders, free.argmax(-1)[:, None], -1)[:, 0]


def test_causes_of_models_that_answer_with_the_class_between():
    found = measures.causes(models(300, lambda m, a, b: m if m >= 0 else a))
    assert found["between"] == (1, 1, 1)
    assert found["invented"] == (1, 1, 1)
    assert found["answer"] == (1, 1, 1)
    assert found["accuracy, adjacent"][0] == 1
    assert found["accuracy, apart"][0] == 0
    assert found["error, foreign region"][0] == 1
    assert found["error, own region"][0] == 0
    # Orders at random, and those of the other models, are chance.
    for name in ("between", "invented"):
        assert found[f"{name} shuffled"][0] == pytest.approx(1 / 3, abs=0.02)
        assert found[f"{name} another model"][0] == pytest.approx(1 / 3, abs=0.05)
    assert found["answer shuffled"][0] == pytest.approx(1 / 5, abs=0.02)
    assert found["adjacent - apart shuffled"][0] == pytest.approx(0, abs=0.02)
    assert found["adjacent - apart another model"][0] == pytest.approx(0, abs=0.05)
    # Half of nine pairs is apart on a random circle.
    assert found["foreign"][0] == pytest.approx(0.5, abs=0.03)


def test_causes_of_models_that_answer_without_geometry():
    rng = np.random.default_rng(0)
    found = measures.causes(models(400, lambda m, a, b: rng.integers(5)))
    for name in ("between", "invented", "invented shuffled", "invented another model"):
        assert found[name][0] == pytest.approx(1 / 3, abs=0.04)
    assert found["answer"][0] == pytest.approx(0.2, abs=0.03)
    low, high = found["adjacent - apart"][1:]
    assert low < 0.02
    assert high > -0.02


def test_the_commonest_wrong_answer_is_found_in_the_other_models():
    """All models invent the same affix for a pair, whatever their circles."""
    wrong = [int(np.flatnonzero(~own)[0]) for own in OWN]
    by_pair = {tuple(pair): label for pair, label in zip(PAIRS, wrong, strict=True)}
    found = measures.causes(models(50, lambda m, a, b: by_pair[a, b]))
    assert found["invented commonest"] == (1, 1, 1)
    assert found["between"][0] < 0.6


def test_accuracy_and_drop_from_counts():
    ds = models(4, lambda m, a, b: a).assign(pure_accuracy=("split", np.full(4, 0.9)))
    np.testing.assert_allclose(measures.dual_accuracy(ds), 1)
    np.testing.assert_allclose(measures.drop(ds), 0.875 - 1)
    ds["answers"][:, :3] = 0
    ds["answers"][:, :3, 5] = 10  # no answer at all to three pairs
    np.testing.assert_allclose(measures.dual_accuracy(ds), 6 / 9)
    np.testing.assert_allclose(measures.dual_accuracy(ds, [0, 1, 2]), 0)


@pytest.fixture(scope="module")
def outcome():
    return affixes.run(quick=True)


@pytest.mark.slow
def test_two_neurons_fail_where_sixteen_do_not(outcome):
    narrow = gated(outcome.datasets["composed"].sel(threshold=LINEAR))
    wide = gated(outcome.datasets["width_16"].sel(threshold=LINEAR))
    assert narrow.sizes["split"] >= 15
    assert float(narrow["pure_accuracy"].mean()) > 0.95
    assert interference(narrow)[1] > 0.1
    assert interference(wide)[2] < 0.03
    assert (narrow["live"] == 2).all()


@pytest.mark.slow
def test_longer_words_are_no_harder(outcome):
    ds = gated(outcome.datasets["composed"].sel(threshold=LINEAR))
    plain = np.flatnonzero(~measures.STACKED)
    control = measures.rate(ds["control_wrong"], ds["control_stems"], plain)
    assert control[2] < 0.03 < interference(ds, plain)[1]


@pytest.mark.slow
@pytest.mark.parametrize("corpus", ["composed", "real"])
def test_the_circle_says_which_affix_is_invented(outcome, corpus):
    found = measures.causes(gated(outcome.datasets[corpus].sel(threshold=LINEAR)))
    assert found["between"][1] > 0.6
    assert found["between another model"][2] < 0.55
    assert found["between shuffled"][0] == pytest.approx(1 / 3, abs=0.12)
    assert found["invented"][1] > 0.7
    assert found["accuracy, adjacent"][1] > 0.9
    assert found["accuracy, apart"][2] < 0.8


@pytest.mark.slow
def test_answers_are_counted_once(outcome):
    """Every dual word of the test stems has one answer, and the gate is of the recall."""
    ds = outcome.datasets["composed"]
    assert (ds["answers"].sum("answer") == 80).all()
    assert (ds["answers"].sel(answer="none") == 0).all()
    np.testing.assert_array_equal(ds["passes"], ds["recall"].mean("affix") >= 0.9)
    real = outcome.datasets["real"]
    corpus = measures.Corpus(real_words(), composed=False)
    for i in (0, 7):
        dual = corpus.words.labels.sum(1) == 2
        tested = (corpus.in_test(i) & dual).sum()
        assert (real["answers"].isel(split=i).sum(("pair", "answer")) == tested).all()


@pytest.mark.slow
def test_findings_and_figures(outcome):
    assert len(outcome.findings) == 13
    for finding in outcome.findings:
        assert "nan" not in finding.measured
    for figure in outcome.figures.values():
        figure.draw_without_rendering()
    assert RELU in outcome.datasets["composed"]["threshold"]

"""What counts as correct, on outputs written by hand."""

import jax
import numpy as np
import pytest

from jsuper.affixes import encode, evaluation
from jsuper.affixes.classifier import AffixClassifier

OUTPUTS = np.array(
    [
        [3.0, 2.0, 1.0, 0.0, -1.0],
        [0.0, 3.0, 2.0, 1.0, -1.0],
        [1.0, 0.0, 3.0, 2.0, 1.5],
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [2.0, 2.0, 0.0, 0.0, 0.0],
    ]
)
FIRST_TWO = np.array([True, True, False, False, False])


def test_predictions_and_either_counts():
    predicted = evaluation.predictions(OUTPUTS)
    assert predicted.tolist() == [0, 1, 2, -1, -1]
    assert evaluation.is_correct(predicted, FIRST_TWO).tolist() == [1, 1, 0, 0, 0]


def test_both_labels_in_the_top_two():
    # The last row ties its two labels with each other, not with a third.
    assert evaluation.all_in_top(OUTPUTS, FIRST_TWO).tolist() == [1, 0, 0, 0, 1]
    # For words of one label it is being the single largest.
    one = np.arange(5) == 2
    correct = evaluation.is_correct(evaluation.predictions(OUTPUTS), one)
    np.testing.assert_array_equal(evaluation.all_in_top(OUTPUTS, one), correct)


def test_guessing_is_zero_after_correction():
    rng = np.random.default_rng(0)
    labels = rng.permuted(np.tile(FIRST_TWO, (200_000, 1)), axis=1)
    accuracy = evaluation.is_correct(rng.integers(5, size=len(labels)), labels).mean()
    assert evaluation.chance_corrected(accuracy, 0.4) == pytest.approx(0, abs=0.01)
    assert evaluation.chance_corrected(1.0, 0.4) == 1
    # The review's two numbers.
    np.testing.assert_allclose(
        evaluation.chance_corrected([0.9708, 0.8651], [0.2, 0.4]),
        [0.9635, 0.7752],
        atol=1e-4,
    )
    with pytest.raises(ValueError, match="chance must be in"):
        evaluation.chance_corrected(0.5, 1.0)


def test_recall_is_of_each_class_and_the_task_learned_by_their_mean():
    labels = np.eye(5, dtype=bool)[[0] * 96 + [1, 2, 3, 4]]
    predicted = np.array([0] * 97 + [2, 3, 4])  # never finds class 1, one word of a hundred
    recall = evaluation.class_recall(predicted, labels)
    np.testing.assert_allclose(recall, [1, 0, 1, 1, 1])
    assert not evaluation.has_learned(recall)
    assert evaluation.has_learned(recall, min_recall=0.8)
    assert evaluation.is_correct(predicted, labels).mean() == 0.99
    two = evaluation.class_recall(np.stack([predicted, labels.argmax(1)]), labels)
    assert evaluation.has_learned(two).tolist() == [False, True]


def test_interference_is_counted_among_stems_read_well_alone():
    first = [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    second = [[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]]
    dual = [[0, 1, 0, 0, 0], [0, 0, 1, 1, 1]]
    incorrect, stems = evaluation.interference_counts(first, second, dual)
    assert incorrect.tolist() == [1, 2]
    assert stems.tolist() == [2, 5]


def test_active_neurons():
    hidden = np.zeros((2, 1_000, 3))
    hidden[0, :, 0] = 1
    hidden[0, :5, 1] = 1  # half a per cent of the words
    hidden[1, :20, :] = -1
    assert evaluation.active_neurons(hidden).tolist() == [1, 3]
    assert evaluation.active_neurons(hidden, min_share=0).tolist() == [2, 3]


def test_predict_is_the_model_on_shared_and_on_own_words():
    model = AffixClassifier(2, -0.1)
    params = jax.vmap(model.init)(jax.random.split(jax.random.key(0), 3))
    codes = encode(["unhelp", "rework", "joyful"])
    z, outputs = evaluation.predict(model, params, codes)
    own = np.stack([np.roll(codes, i, axis=0) for i in range(3)])
    z_own, outputs_own = evaluation.predict(model, params, own)
    for i in range(3):
        one = jax.tree.map(lambda a, i=i: a[i], params)
        np.testing.assert_allclose(outputs[i], model.apply(one, codes), atol=1e-5)
        np.testing.assert_allclose(np.roll(z[i], i, axis=0), z_own[i], atol=1e-5)
        np.testing.assert_allclose(
            np.roll(outputs[i], i, axis=0), outputs_own[i], atol=1e-5
        )


def test_models_with_any_leading_axes_predict_as_they_do_alone():
    model = AffixClassifier(2)
    keys = jax.random.split(jax.random.key(5), (2, 3))
    params = jax.vmap(jax.vmap(model.init))(keys)
    codes = encode(["unkind", "helpful", "redo"])
    z, outputs = evaluation.predict(model, params, codes)
    own_words = np.broadcast_to(codes, (2, 3, *codes.shape))
    np.testing.assert_array_equal(evaluation.predict(model, params, own_words)[1], outputs)
    one = jax.tree.map(lambda a: a[1, 2], params)
    np.testing.assert_allclose(evaluation.predict(model, one, codes)[1], outputs[1, 2])
    np.testing.assert_allclose(model.preactivations(one, codes), z[1, 2], atol=1e-6)


def test_mistakes_in_predicting_are_named():
    model = AffixClassifier(2)
    params, codes = model.init(jax.random.key(0)), encode(["unkind"])
    with pytest.raises(
        ValueError,
        match=r"params .*n_hidden=3.*: W must have shape \(5, 3\), .* got \(5, 2\)",
    ):
        evaluation.predict(AffixClassifier(3), params, codes)
    with pytest.raises(ValueError, match="params must be those of"):
        evaluation.predict(AffixClassifier(readout="tied"), params, codes)
    with pytest.raises(ValueError, match=r"params must be those of .* got none"):
        evaluation.predict(model, {}, codes)
    for wrong in (codes.astype(float), codes[0], codes[None], np.array(["unkind"])):
        with pytest.raises(ValueError, match="codes must be integers of shape"):
            evaluation.predict(model, params, wrong)
    with pytest.raises(ValueError, match=r"codes must be from 0 to 28, .* got 99 to 99"):
        evaluation.predict(model, params, np.full((2, 8), 99))
    with pytest.raises(ValueError, match=r"params must be those of .* got None"):
        evaluation.predict(model, None, codes)


def test_labels_are_booleans_and_predictions_integers():
    for wrong in (["un-"], [0, 1], True):
        with pytest.raises(ValueError, match="labels must be booleans"):
            evaluation.is_correct([0], wrong)
        with pytest.raises(ValueError, match="labels must be booleans"):
            evaluation.all_in_top([[0.5, 0.1]], wrong)
    with pytest.raises(ValueError, match="predicted must be integers, got <U3"):
        evaluation.is_correct(["un-"], [True, False])


def test_recall_is_of_words_with_one_label():
    with pytest.raises(ValueError, match="got a word with two"):
        evaluation.class_recall([0, 1], [FIRST_TWO, ~FIRST_TWO])


def test_a_label_that_was_never_seen_is_not_learned():
    assert not evaluation.has_learned([1.0, 1.0, 1.0, 1.0, np.nan])

"""Counts of what trained models predict, pair by pair, for each model on its own."""

from typing import Any

import numpy as np

from jsuper import affixes
from jsuper.affixes import evaluation, geometry
from jsuper.affixes.classifier import AffixClassifier
from jsuper.experiments.affixes.corpus import OWN, PAIR_LABELS, Corpus
from jsuper.models.activations import exrelu

Counts = dict[str, tuple[tuple[str, ...], np.ndarray]]


def count_composed(
    corpus: Corpus, model: AffixClassifier, params: Any, splits: np.ndarray, n_stems: int
) -> Counts:
    """Counts for composed words, whose controls are words of the same stems.

    Args:
        corpus: The words.
        model: The model of all parameters.
        params: Parameters of the models, leading axis (n_models,).
        splits: Division by stem that each of them was trained on, shape (n_models,).
        n_stems: Stems of the test set to use; twice as many of the training set.

    Returns:
        By name dimensions and values, for `xarray.Dataset.assign`.
    """
    n = len(set(corpus.words.stems))
    in_test = np.stack([corpus.in_test(split)[:n] for split in splits])

    def at(tested, which, most):
        rows = [np.flatnonzero(mask == tested) for mask in in_test]
        size = min(most, *map(len, rows))
        # Evenly spaced: the stems are in the order of the alphabet.
        rows = np.stack([r[np.arange(size) * len(r) // size] for r in rows])
        words = np.moveaxis(corpus.test_codes[which][:, rows], 1, 0)
        flat = words.reshape(len(splits), -1, words.shape[-1])
        z, outputs = evaluation.predict(model, params, flat)
        shape = (len(splits), words.shape[1], size)
        return z.reshape(*shape, -1), outputs.reshape(*shape, 5)

    z_train, y_train = at(False, slice(5), 2 * n_stems)
    z, y = at(True, slice(None), n_stems)
    own = np.arange(5)[:, None]
    answer = evaluation.answers(y)
    pure_right = answer[:, :5] == own
    dual = answer[:, 5:14]
    dual_right = evaluation.is_right(dual, OWN[:, None])
    firsts, seconds = pure_right[:, PAIR_LABELS[:, 0]], pure_right[:, PAIR_LABELS[:, 1]]
    wrong, trials = evaluation.interference_counts(firsts, seconds, dual_right)
    # Choice of the neutral affix, then which of the two it replaces.
    control = answer[:, 14:].reshape(len(splits), 9, 2, 2, -1)
    kept = PAIR_LABELS[:, ::-1]
    control_wrong = control != kept[:, None, :, None]
    both = firsts & seconds
    means = z_train.mean(2)
    by_pair = ("split", "pair")
    return {
        "recall": (("split", "affix"), (evaluation.answers(y_train) == own).mean(2)),
        "active": (
            ("split",),
            _active(model, z_train.reshape(len(splits), -1, z.shape[-1])),
        ),
        "pure_accuracy": (("split",), pure_right.mean((1, 2))),
        "answers": (("split", "pair", "answer"), _tally(dual)),
        "both_top": (by_pair, evaluation.all_in_top(y[:, 5:14], OWN[:, None]).sum(-1)),
        "interference_wrong": (by_pair, wrong),
        "interference_stems": (by_pair, trials),
        "control_wrong": (
            (*by_pair, "kept"),
            (control_wrong & both[:, :, None, None]).sum((2, 4)),
        ),
        "control_stems": ((*by_pair, "kept"), np.stack([2 * both.sum(-1)] * 2, -1)),
        "means": (("split", "affix", "hidden"), means),
        "dual_means": (("split", "pair", "hidden"), z[:, 5:14].mean(2)),
    }


def count_real(
    corpus: Corpus, model: AffixClassifier, params: Any, splits: np.ndarray
) -> Counts:
    """Counts for real words, of which every split tests others; as `count_composed`."""
    words, n = corpus.words, len(corpus.words)
    in_test = np.stack([corpus.in_test(split) for split in splits])
    parts = [words.encode(corpus.length).astype(np.int8)]
    parts += [codes.reshape(-1, corpus.length) for codes in corpus.control_codes]
    z, y = evaluation.predict(model, params, np.concatenate(parts))
    everything = np.split(evaluation.answers(y), np.cumsum([*map(len, parts)])[:-1], -1)
    answer, of_controls = everything[0], everything[1:]
    z, y = z[:, :n], y[:, :n]
    right = evaluation.is_right(answer, words.labels)
    train, test = ~in_test & corpus.is_pure, in_test & corpus.is_pure
    train_labels = train[..., None] & words.labels
    top = evaluation.all_in_top(y, words.labels)
    tally, both_top, wrong, trials, control_wrong = [], [], [], [], []
    for p, own in enumerate(OWN):
        rows = np.flatnonzero((words.labels == own).all(1))
        tested = in_test[:, rows]
        tally.append(_tally(np.where(tested, answer[:, rows], -2)))
        both_top.append((top[:, rows] & tested).sum(-1))
        i, first, second = corpus.trios[p].T
        firsts, seconds = right[:, first] & in_test[:, i], right[:, second]
        counts = evaluation.interference_counts(firsts, seconds, right[:, i])
        wrong.append(counts[0])
        trials.append(counts[1])
        control = of_controls[p].reshape(len(splits), 2, 2, len(i))
        failed = control != PAIR_LABELS[p, ::-1, None]
        failed &= (firsts & seconds)[:, None, None]
        control_wrong.append(failed.sum((1, 3)))
    by_pair = ("split", "pair")
    trials = np.stack(trials, 1)
    return {
        "recall": (("split", "affix"), evaluation.class_recall(answer, train_labels)),
        "active": (("split",), _active(model, z)),
        "pure_accuracy": (("split",), (right & test).sum(-1) / test.sum(-1)),
        "answers": (("split", "pair", "answer"), np.stack(tally, 1)),
        "both_top": (by_pair, np.stack(both_top, 1)),
        "interference_wrong": (by_pair, np.stack(wrong, 1)),
        "interference_stems": (by_pair, trials),
        "control_wrong": ((*by_pair, "kept"), np.stack(control_wrong, 1)),
        "control_stems": ((*by_pair, "kept"), np.stack([2 * trials] * 2, -1)),
        "lookalike_accuracy": (("split",), _lookalikes(model, params, corpus.length)),
        "means": (("split", "affix", "hidden"), geometry.class_means(z, train_labels)),
    }


def _lookalikes(model, params, length):
    """Accuracy on words of one real and one false affix, if both counted as labels."""
    words, seeming = affixes.lookalike_words()
    fits = np.array([len(word) + 2 <= length for word in words.words])
    words, seeming = words.select(fits), seeming[fits]
    _, y = evaluation.predict(model, params, words.encode(length).astype(np.int8))
    return evaluation.is_right(evaluation.answers(y), words.labels | seeming).mean(-1)


def _tally(answer):
    """Counts the answers along the last axis, in the order of `ANSWERS`."""
    return (answer[..., None] == np.array([0, 1, 2, 3, 4, -1])).sum(-2)


def _active(model, z):
    return evaluation.live_units(np.asarray(exrelu(z, model.threshold)))

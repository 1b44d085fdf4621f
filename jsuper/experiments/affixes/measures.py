"""Measures of the affix experiment: from trained models to counts of their answers.

Everything is counted for each model, so that intervals can be taken over models.
"""

from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper import affixes
from jsuper.affixes import evaluation, geometry
from jsuper.affixes.classifier import AffixClassifier, params_of
from jsuper.experiments.affixes.corpus import (
    KEPT,
    OWN,
    PAIR_LABELS,
    PAIR_NAMES,
    Corpus,
)
from jsuper.models.activations import exrelu

ANSWERS = (*affixes.AFFIXES, "none")
CHANCE_PURE, CHANCE_DUAL = 0.2, 0.4
SHUFFLES = 24  # random orders of the affixes for each model

LONG_NAMES = {
    "recall": "share of the training words with one affix that are answered right",
    "passes": "whether the mean recall is 0.9 or more",
    "live": "hidden neurons that are not 0 on one word in a hundred or more",
    "pure_accuracy": "share of the test words with one affix that are answered right",
    "dual_accuracy": "share of the test words with two affixes that are answered right",
    "answers": "how often each affix is the answer to test words with two",
    "both_top": "test words with two affixes whose two outputs are the largest",
    "interference_stems": "test stems whose words with one affix are both answered right",
    "interference_wrong": "of these, those whose word with both affixes is answered wrong",
    "control_stems": "words with a neutral affix, two for each of these stems",
    "control_wrong": "of these, those that are not answered with the affix that is kept",
    "lookalike_accuracy": "share of words with a seeming affix, either counting as right",
    "means": "mean position of the training words with one affix, before the activation",
    "dual_means": "mean position of the test words with two affixes, before the activation",
    "predicted": "label at the sum of two displacements, -1 for none",
    "predicted_other": "label of the largest output there that is neither affix",
    "weighted": "label at the sum with weights that other models teach",
    "between": "label between the two on the circle, -1 if they are neighbours",
    "shuffled": "as predicted, affixes in random order",
    "shuffled_other": "as predicted_other, affixes in random order",
    "shuffled_between": "as between, affixes in random order",
    "largest_gap": "largest angle between neighbours on the circle, degrees",
}

Triple = tuple[float, float, float]
"""A value and the ends of its interval."""


_read = jax.jit(jax.vmap(AffixClassifier.read, (None, 0, 0)))


def measure(
    corpus: Corpus, model: AffixClassifier, ds: xr.Dataset, n_stems: int = 200
) -> xr.Dataset:
    """Adds to trained models what they answer.

    Args:
        corpus: Their words.
        model: Their model.
        ds: What `jsuper.sweep` returned for one threshold, dimension ``split``.
        n_stems: Stems of the test set to use, of composed words; twice as many of the
            training set.

    Returns:
        What `LONG_NAMES` describes: ``recall`` (split, affix) on training words,
        ``passes``, ``live``, ``pure_accuracy`` and ``dual_accuracy``; ``answers`` (split,
        pair, answer), how often each is the answer to dual words of the test set;
        ``both_top``, ``interference_wrong``,
        ``interference_stems`` (split, pair), counts; the same for their controls,
        ``control_wrong`` (split, pair, kept) and ``control_stems``;
        ``means`` (split, affix, hidden) of training words and, of composed words,
        ``dual_means`` (split, pair, hidden) of test words.

        What the geometry of pure words predicts (split, pair): ``predicted`` is the label
        at the sum of two displacements, ``predicted_other`` the nearest label there that
        is none of the pair's, ``between`` the label between the two on the circle;
        ``shuffled``, ``shuffled_other`` and ``shuffled_between`` (split, shuffle, pair)
        the same with the labels in random order. ``weighted`` (split, pair) is the label
        at the sum with the weights of `place_weights`. ``largest_gap`` (split) is in
        degrees, between neighbours on the circle.
    """
    params = params_of(ds)
    splits = ds["split"].values
    count = _count_composed if corpus.composed else _count_real
    found = count(corpus, model, params, splits, n_stems)
    means = found["means"][1]

    def outputs_at(z):
        return np.asarray(_read(model, params, z))

    order = geometry.shuffles(len(splits) * SHUFFLES, 5).reshape(len(splits), SHUFFLES, 5)
    mixed = np.take_along_axis(means[:, None], order[..., None], 2)
    for name, m, axes in (("predicted", means, ()), ("shuffled", mixed, ("shuffle",))):
        dims = ("split", *axes, "pair")
        outputs = outputs_at(geometry.predicted_positions(m, PAIR_LABELS))
        found[name] = (dims, evaluation.answers(outputs).astype(np.int8))
        other = geometry.likeliest_other(outputs, PAIR_LABELS).astype(np.int8)
        found[f"{name}_other"] = (dims, other)
    passes = evaluation.passes_gate(found["recall"][1])
    found["passes"] = (("split",), passes)
    if "dual_means" in found:
        centre, d = geometry.displacements(means)
        dual = found["dual_means"][1] - centre[:, None]
        weights = place_weights(d, dual, passes)
        moved = (weights[..., None] * d[:, PAIR_LABELS]).sum(2)
        outputs = outputs_at(centre[:, None] + moved)
        found["weighted"] = (("split", "pair"), evaluation.answers(outputs))
    if means.shape[-1] == 2:
        d = geometry.displacements(means)[1]
        circle = geometry.circle_order(d)
        found["between"] = (("split", "pair"), geometry.between(circle, PAIR_LABELS))
        # The circle of a random order instead.
        middle = geometry.between(order, PAIR_LABELS).astype(np.int8)
        found["shuffled_between"] = (("split", "shuffle", "pair"), middle)
        angles = np.sort(np.degrees(np.arctan2(d[..., 1], d[..., 0])), -1)
        gaps = np.diff(angles, append=angles[:, :1] + 360)
        found["largest_gap"] = (("split",), gaps.max(-1))
    coords = {
        "affix": list(affixes.AFFIXES),
        "pair": PAIR_NAMES,
        "answer": list(ANSWERS),
        "kept": list(KEPT),
    }
    ds = ds.assign(found).assign_coords(coords)
    ds = ds.assign(dual_accuracy=dual_accuracy(ds))
    for name in found | {"dual_accuracy": None}:
        ds[name].attrs["long_name"] = LONG_NAMES[name]
    n_stems = len(set(corpus.words.stems))
    words = f"composed_words({n_stems})" if corpus.composed else "real_words()"
    return ds.assign_attrs(words=words)


def place_weights(d: np.ndarray, dual: np.ndarray, among: np.ndarray) -> np.ndarray:
    r"""Fits how much each of two affixes moves a word that has both.

    $$\hat z_{ab} = c + \alpha_{ab} d_a + \beta_{ab} d_b$$

    by least squares over the dual words of the other models, so that what a model is said
    to do is not learnt from itself.

    Args:
        d: Displacements, shape (n_models, 5, n_hidden).
        dual: Mean positions of the words of each pair from the centre, shape
            (n_models, 9, n_hidden).
        among: Which models to learn from, boolean, shape (n_models,).

    Returns:
        Weights of the first and the second affix of each of `PAIR_LABELS`, shape
        (n_models, 9, 2); 0 where there is no other model.
    """
    parts = d[:, PAIR_LABELS]
    gram = np.einsum("spih,spjh->spij", parts, parts) * among[:, None, None, None]
    moment = np.einsum("spih,sph->spi", parts, dual) * among[:, None, None]
    gram, moment = gram.sum(0) - gram, moment.sum(0) - moment
    return (np.linalg.pinv(gram) @ moment[..., None])[..., 0]


def _count_composed(corpus, model, params, splits, n_stems):
    """Counts for composed words, whose controls are words of the same stems."""
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
        "live": (("split",), _live(model, z_train.reshape(len(splits), -1, z.shape[-1]))),
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


def _count_real(corpus, model, params, splits, n_stems):
    """Counts for real words, of which every split tests others."""
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
        "live": (("split",), _live(model, z)),
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


def _live(model, z):
    return evaluation.live_units(np.asarray(exrelu(z, model.threshold)))


def dual_accuracy(ds: xr.Dataset, pairs: Any = slice(None)) -> xr.DataArray:
    """Share of right answers to the dual words of each model."""
    counts = ds["answers"].isel(pair=pairs)
    own = xr.DataArray(OWN, dims=("pair", "label")).isel(pair=pairs)
    right = counts.isel(answer=slice(5)).rename(answer="label").where(own, 0)
    return right.sum(("pair", "label")) / counts.sum(("pair", "answer"))


def drop(ds: xr.Dataset) -> xr.DataArray:
    """Accuracy above chance on pure words less that on dual words, of each model."""
    pure = evaluation.chance_corrected(ds["pure_accuracy"].values, CHANCE_PURE)
    dual = evaluation.chance_corrected(dual_accuracy(ds).values, CHANCE_DUAL)
    return ds["pure_accuracy"].copy(data=pure - dual)


def rate(wrong: xr.DataArray, trials: xr.DataArray, pairs: Any = slice(None)) -> Triple:
    """A rate of totals over models and pairs, with its interval over models."""
    totals = []
    for counts in (wrong, trials):
        counts = counts.isel(pair=pairs)
        totals.append(counts.sum([dim for dim in counts.dims if dim != "split"]).values)
    return geometry.interval(ratio, totals)


def ratio(hits: Any, trials: Any) -> Any:
    """Share of hits, for `geometry.interval`."""
    return hits / trials

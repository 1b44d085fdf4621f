"""What is measured of trained models, and stored with them.

Everything is counted for each model, so that intervals can be taken over models.
"""

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
    STACKED,
    Corpus,
)
from jsuper.experiments.affixes.counts import count_composed, count_real
from jsuper.experiments.affixes.statistics import NAMES, dual_accuracy

ANSWERS = (*affixes.AFFIXES, "none")
SHUFFLES = 24
"""Random orders of the affixes for each model."""

LONG_NAMES = {
    "recall": "share of correct predictions for training words with one affix",
    "passes": "whether the model has learned its task: a mean recall of 0.9 or more",
    "active": "hidden neurons that are not 0 on one word in a hundred or more",
    "pure_accuracy": "share of correct predictions for test words with one affix",
    "dual_accuracy": "share of correct predictions for test words with two affixes",
    "answers": "how often each affix is predicted for test words with two",
    "both_top": "test words with two affixes whose two outputs are the largest",
    "interference_stems": "test stems whose two words with one affix are both correct",
    "interference_wrong": "of these, those whose word with both affixes is incorrect",
    "control_stems": "words with a neutral affix, two for each of these stems",
    "control_wrong": "of these, those for which the affix that is kept is not predicted",
    "lookalike_accuracy": "the same for words with a seeming affix, either being correct",
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

_read = jax.jit(jax.vmap(AffixClassifier.read, (None, 0, 0)))


def measure(
    corpus: Corpus, model: AffixClassifier, ds: xr.Dataset, n_stems: int = 200
) -> xr.Dataset:
    """Adds to trained models what they predict, and what their geometry predicts.

    Args:
        corpus: Their words.
        model: Their model.
        ds: What `jsuper.sweep` returned for one threshold, dimension ``split``.
        n_stems: Stems of the test set to use, of composed words; twice as many of the
            training set.

    Returns:
        What `LONG_NAMES` describes: ``recall`` (split, affix) on training words,
        ``passes``, ``active``, ``pure_accuracy`` and ``dual_accuracy``; ``answers`` (split,
        pair, answer), how often each is predicted for dual words of the test set;
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
    if corpus.composed:
        found = count_composed(corpus, model, params, splits, n_stems)
    else:
        found = count_real(corpus, model, params, splits)
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


def example(corpus: Corpus, ds: xr.Dataset) -> xr.Dataset:
    """Returns the hidden plane of the model and pair with the most errors of one label.

    Of the models that have learned their task, and of the pairs with one affix at each
    end: in the others one may be lost for its place.

    Args:
        corpus: Their words, composed.
        ds: Measured models of two neurons, dimensions (threshold, split, ...).

    Returns:
        For each threshold the positions of the test words, ``pure`` (threshold, pure_word,
        hidden) with their ``label``, and ``dual`` (threshold, dual_word, hidden); ``own``
        (threshold, place), the two labels of the pair; and ``W``, ``b`` and ``means``.
    """
    parts = [_example(corpus, ds.sel(threshold=threshold)) for threshold in NAMES]
    joined = xr.concat(parts, "threshold", coords="different", compat="equals")
    return joined.assign_attrs(ds.attrs)


def _example(corpus, ds):
    wrong = np.where(OWN, 0, ds["answers"].values[..., :5]).max(-1)
    wrong = wrong * ds["passes"].values[:, None] * ~STACKED
    i, pair = np.unravel_index(wrong.argmax(), wrong.shape)
    chosen = ds.isel(split=[i])
    model = AffixClassifier(2, float(ds["threshold"]))
    test = corpus.words.select(corpus.in_test(int(chosen["split"][0])))
    pure, dual = test.pure, test.having(*affixes.PAIRS[pair])
    pure_z, dual_z = (
        evaluation.predict(
            model, params_of(chosen), words.encode(corpus.length).astype(np.int8)
        )[0][0]
        for words in (pure, dual)
    )
    return chosen.isel(split=0)[["W", "b", "means", "finite"]].assign(
        pure=(("pure_word", "hidden"), pure_z),
        label=("pure_word", pure.labels.argmax(1)),
        dual=(("dual_word", "hidden"), dual_z),
        own=("place", PAIR_LABELS[pair]),
    )

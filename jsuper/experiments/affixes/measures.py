"""What is measured of trained models and stored, for each model and pair of affixes."""

from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper import affixes
from jsuper.affixes import evaluation, geometry
from jsuper.affixes.classifier import AffixClassifier, params_of
from jsuper.experiments.affixes.corpus import KEPT, OWN, PAIR_LABELS, PAIR_NAMES, Corpus
from jsuper.experiments.affixes.rates import SIX, foretold
from jsuper.models.activations import exrelu

COORDINATES = {
    "affix": list(affixes.AFFIXES),
    "pair": PAIR_NAMES,
    "prediction": [*affixes.AFFIXES, "none"],
    "kept": list(KEPT),
}
SHUFFLES = 24
"""Random orders of the affixes for each model."""

MEASURED = {
    "recall": ("seed affix", "correct predictions for training words with one affix"),
    "learned": ("seed", "whether it has learned the task: mean recall 0.9 or more"),
    "active": ("seed", "neurons that are not 0 on one training word in 100 or more"),
    "pure_accuracy": ("seed", "correct predictions for test words with one affix"),
    "predictions": ("seed pair prediction", "predictions for test words with two affixes"),
    "both_top": ("seed pair", "of these words, both outputs are the two largest"),
    "interference_stems": ("seed pair", "test stems, both words with one affix correct"),
    "interference_incorrect": ("seed pair", "of these, word with both affixes incorrect"),
    "control_stems": ("seed pair kept", "words with a neutral affix, two for each stem"),
    "control_incorrect": ("seed pair kept", "of these, the affix kept is not predicted"),
    "means": ("seed affix hidden", "mean position of training words with one affix"),
    "dual_means": ("seed pair hidden", "mean position of test words with two affixes"),
    "at_sum": ("seed pair", "label at the sum of two displacements, -1 for none"),
    "third_at_sum": ("seed pair", "label of the largest other output there"),
    "between": ("seed pair", "label between the two on the circle, -1 if adjacent"),
    "at_sum_shuffled": ("seed shuffle pair", "the same, affixes in random order"),
    "third_at_sum_shuffled": ("seed shuffle pair", "the same, affixes in random order"),
    "between_shuffled": ("seed shuffle pair", "the same, affixes in random order"),
    "largest_gap": ("seed", "largest angle between neighbours on the circle, degrees"),
}
"""Dimensions of what is measured, and what it is; positions are before the activation."""

_read = jax.jit(jax.vmap(AffixClassifier.read, (None, 0, 0)))


def measure(corpus: Corpus, model: AffixClassifier, ds: xr.Dataset) -> xr.Dataset:
    """Adds to models of one threshold what of `MEASURED` their words and width have."""
    params = params_of(ds)
    found = count(corpus, model, params, ds["seed"].values)
    found |= predicted_by_geometry(model, params, found["means"])
    measured = {}
    for name, values in found.items():
        dims, said = MEASURED[name]
        measured[name] = (dims.split(), values, {"long_name": said})
    n_stems = len(set(corpus.words.stems))
    words = f"composed_words({n_stems})" if corpus.composed else "real_words()"
    return ds.assign(measured).assign_coords(COORDINATES).assign_attrs(words=words)


def count(
    corpus: Corpus, model: AffixClassifier, params: Any, seeds: np.ndarray
) -> dict[str, np.ndarray]:
    """Counts what models, each of its own split, predict for `Corpus.asked`."""
    asked = corpus.asked(seeds)
    labels, n = asked.labels, len(asked.labels)
    z, y = evaluation.predict(model, params, asked.codes)
    predicted = evaluation.predictions(y)
    ends = np.cumsum([n, *(4 * len(rows) for rows in asked.trios)])[:-1]
    predicted, *of_controls = np.split(predicted, ends, axis=1)
    z, y = z[:, :n], y[:, :n]
    correct = evaluation.is_correct(predicted, labels)
    top = evaluation.all_in_top(y, labels)
    pure = labels.sum(1) == 1
    train, test = ~asked.test & pure, asked.test & pure
    hidden = np.asarray(exrelu(z, model.threshold))
    pairs = []
    for own, of_pair, trio, control in zip(
        OWN, PAIR_LABELS, asked.trios, of_controls, strict=True
    ):
        rows = np.flatnonzero((labels == own).all(1))
        tested = asked.test[:, rows]
        given = np.where(tested, predicted[:, rows], -2)
        i, first, second = trio.T
        both = correct[:, first] & correct[:, second] & asked.test[:, i]
        # Choice of the neutral affix, then which of the two is kept.
        control = control.reshape(len(seeds), 2, 2, len(i))
        failed = (control != of_pair[::-1, None]) & both[:, None, None]
        counts = {
            "predictions": (given[..., None] == [0, 1, 2, 3, 4, -1]).sum(1),
            "both_top": (top[:, rows] & tested).sum(1),
            "interference_stems": both.sum(1),
            "interference_incorrect": (both & ~correct[:, i]).sum(1),
            "control_stems": np.stack([2 * both.sum(1)] * 2, -1),
            "control_incorrect": failed.sum((1, 3)),
        }
        if corpus.composed:
            counts["dual_means"] = z[:, rows].mean(1)
        pairs.append(counts)
    found = {name: np.stack([counts[name] for counts in pairs], 1) for name in pairs[0]}
    recall = evaluation.class_recall(predicted, train[..., None] & labels)
    of_train = (h[rows] for h, rows in zip(hidden, train, strict=True))
    return found | {
        "recall": recall,
        "learned": evaluation.has_learned(recall),
        "active": np.array([evaluation.active_neurons(h) for h in of_train]),
        "pure_accuracy": (correct & test).sum(1) / test.sum(1),
        "means": geometry.class_means(z, train[..., None] & labels),
    }


def predicted_by_geometry(
    model: AffixClassifier, params: Any, means: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns what the mean positions of pure words predict for dual ones."""
    order = geometry.shuffles(len(means) * SHUFFLES, 5).reshape(-1, SHUFFLES, 5)
    mixed = np.take_along_axis(means[:, None], order[..., None], 2)
    found = {}
    for suffix, m in (("", means), ("_shuffled", mixed)):
        sums = geometry.predicted_positions(m, PAIR_LABELS)
        outputs = np.asarray(_read(model, params, sums))
        found[f"at_sum{suffix}"] = evaluation.predictions(outputs).astype(np.int8)
        third = geometry.likeliest_other(outputs, PAIR_LABELS)
        found[f"third_at_sum{suffix}"] = third.astype(np.int8)
    if means.shape[-1] == 2:
        d = geometry.displacements(means)[1]
        found["largest_gap"] = geometry.largest_gap(d)
        for suffix, circle in (("", geometry.circle_order(d)), ("_shuffled", order)):
            between = geometry.between(circle, PAIR_LABELS)
            found[f"between{suffix}"] = between.astype(np.int8)
    return found


def example(corpus: Corpus, ds: xr.Dataset) -> xr.Dataset:
    """Returns the model that errs most as its geometry foretells, with its test words.

    Of all that have learned the task it is the one with the most words of one of the six
    pairs that are taken for the class between, in whose region the sum lies.
    """
    errors = foretold(ds.sel(pair=SIX)).max(("pair", "affix")) * ds["learned"]
    one = ds.isel(seed=int(errors.argmax("seed")))
    tested = corpus.codes[corpus.in_test(int(one["seed"]))]
    model = AffixClassifier(2, float(one["threshold"]))
    z = evaluation.predict(model, params_of(one), tested)[0].reshape(14, -1, 2)
    one = one[["W", "b", "means", "between", "at_sum", "predictions", "finite"]]
    dims = ("stem", "hidden")
    return one.assign(pure=(("affix", *dims), z[:5]), dual=(("pair", *dims), z[5:]))

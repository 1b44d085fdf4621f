"""Measures of the affix experiment: from trained models to counts of their answers.

Everything is counted for each model, so that intervals can be taken over models.
"""

import dataclasses
from functools import cached_property
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper import affixes
from jsuper.affixes import evaluation, geometry
from jsuper.affixes.classifier import AffixClassifier, params_of
from jsuper.affixes.words import AffixDataset

PAIRS = np.array([[affixes.AFFIXES.index(a) for a in pair] for pair in affixes.PAIRS])
PAIR_NAMES = [" ".join(sorted(pair, key=affixes.AFFIXES.index)) for pair in affixes.PAIRS]
# Both affixes on one side: the inner one is not at the word's end.
STACKED = np.array([a[0] == b[0] or a[-1] == b[-1] for a, b in affixes.PAIRS])
OWN = (PAIRS[..., None] == np.arange(5)).any(1)
ANSWERS = (*affixes.AFFIXES, "none")
CHANCE_PURE, CHANCE_DUAL = 0.2, 0.4
SHUFFLES = 24  # random orders of the affixes for each model

Triple = tuple[float, float, float]
"""A value and the ends of its interval."""


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Words to train on and to test, and their division by stem.

    Args:
        words: All words, pure and dual.
        composed: Whether they lie combination by combination (`affixes.composed_words`).
    """

    words: AffixDataset
    composed: bool

    @cached_property
    def stem_rows(self) -> np.ndarray:
        """The stem of each word, as a position in the sorted stems."""
        return np.unique(np.array(self.words.stems), return_inverse=True)[1]

    @cached_property
    def is_pure(self) -> np.ndarray:
        """Whether each word has one affix."""
        return self.words.labels.sum(1) == 1

    @cached_property
    def length(self) -> int:
        """Columns of the encoded words."""
        return max(map(len, self.words.words)) + 2

    @cached_property
    def one_word_per_stem(self) -> AffixDataset:
        """The first word of each stem: splitting these splits all, in less time."""
        first = np.unique(np.array(self.words.stems), return_index=True)[1]
        return self.words.select(first)

    @cached_property
    def known_splits(self) -> dict[int, np.ndarray]:
        """The splits made so far."""
        return {}

    def in_test(self, split: int) -> np.ndarray:
        """Returns which words are tested: those that ``words.split`` would give."""
        split = int(split)
        if split not in self.known_splits:
            key = jax.random.fold_in(jax.random.key(7), split)
            _, test = self.one_word_per_stem.split(key, 0.2)
            stems = np.unique(np.array(self.words.stems))
            self.known_splits[split] = np.isin(stems, test.stems)[self.stem_rows]
        return self.known_splits[split]

    @cached_property
    def test_codes(self) -> np.ndarray:
        """Composed words with their controls, encoded, (14 + 36, n_stems, length).

        The controls of each pair: two choices of a neutral affix in the place of the first,
        two in the place of the second.
        """
        stems = self.words.stems[: len(set(self.words.stems))]
        combinations = [
            affixes.neutral_combinations(pair, choice)
            for pair in affixes.PAIRS
            for choice in (0, 1)
        ]
        neutral = [affixes.compose(stems, combination) for combination in combinations]
        codes = [words.encode(self.length) for words in (self.words, *neutral)]
        codes = np.concatenate(codes).astype(np.int8)
        return codes.reshape(14 + 36, len(stems), -1)

    def weights(self, split: int, dual_share: float = 0.0, balanced: bool = False):
        """Returns how often to draw each word in training.

        Args:
            split: Which split.
            dual_share: Share of dual words among those drawn.
            balanced: Whether each affix is drawn equally often among the pure words.
        """
        train = ~self.in_test(split)
        pure, dual = train & self.is_pure, train & (self.words.labels.sum(1) == 2)
        weights = pure.astype(float)
        if balanced:
            weights *= (self.words.labels / (weights @ self.words.labels)).sum(1)
        weights *= (1 - dual_share) / weights.sum()
        return weights + dual_share * dual / max(dual.sum(), 1)


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
        ``recall`` (split, affix) on training words, ``passes``, ``live``,
        ``pure_accuracy``; ``answers`` (split, pair, answer), how often each is the answer
        to dual words of the test set; ``both_top``, ``interference_wrong``,
        ``interference_stems``, ``control_wrong``, ``control_stems`` (split, pair),
        counts; ``means`` (split, affix, hidden) of training words and ``dual_means``.
    """
    params = params_of(ds)
    splits = ds["split"].values
    count = _count_composed if corpus.composed else _count_real
    found = count(corpus, model, params, splits, n_stems)
    means = found["means"][1]

    def outputs_at(z):
        read = jax.jit(jax.vmap(model.read))
        return np.asarray(read(params, z))

    order = geometry.shuffles(len(splits) * SHUFFLES, 5).reshape(len(splits), SHUFFLES, 5)
    mixed = np.take_along_axis(means[:, None], order[..., None], 2)
    for name, m, axes in (("predicted", means, ()), ("shuffled", mixed, ("shuffle",))):
        dims = ("split", *axes, "pair")
        outputs = outputs_at(geometry.predicted_positions(m, PAIRS))
        found[name] = (dims, outputs.argmax(-1).astype(np.int8))
        other = geometry.likeliest_other(outputs, PAIRS).astype(np.int8)
        found[f"{name}_other"] = (dims, other)
    if means.shape[-1] == 2:
        d = geometry.displacements(means)[1]
        circle = geometry.circle_order(d)
        found["order"] = (("split", "place"), circle)
        found["between"] = (("split", "pair"), geometry.between(circle, PAIRS))
        # The circle of a random order instead.
        middle = geometry.between(order, PAIRS).astype(np.int8)
        found["shuffled_between"] = (("split", "shuffle", "pair"), middle)
        angles = np.sort(np.degrees(np.arctan2(d[..., 1], d[..., 0])), -1)
        gaps = np.diff(angles, append=angles[:, :1] + 360)
        found["largest_gap"] = (("split",), gaps.max(-1))
    found["passes"] = (("split",), evaluation.passes_gate(found["recall"][1]))
    coords = {"affix": list(affixes.AFFIXES), "pair": PAIR_NAMES, "answer": list(ANSWERS)}
    return ds.assign(found).assign_coords(coords)


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
    firsts, seconds = pure_right[:, PAIRS[:, 0]], pure_right[:, PAIRS[:, 1]]
    wrong, trials = evaluation.interference_counts(firsts, seconds, dual_right)
    # Choice of the neutral affix, then which of the two it replaces.
    control = answer[:, 14:].reshape(len(splits), 9, 2, 2, -1)
    kept = PAIRS[:, ::-1]
    control_wrong = control != kept[:, None, :, None]
    both = firsts & seconds
    means = z_train.mean(2)
    # The same sum word by word, from the two words of the same stem.
    centre = means.mean(1)[:, None, None]
    z_words = z[:, PAIRS[:, 0]] + z[:, PAIRS[:, 1]] - centre
    read = jax.jit(jax.vmap(model.read))
    by_word = evaluation.answers(np.asarray(read(params, z_words)))
    by_pair = ("split", "pair")
    return {
        "recall": (("split", "affix"), (evaluation.answers(y_train) == own).mean(2)),
        "live": (("split",), _live(model, z_train.reshape(len(splits), -1, z.shape[-1]))),
        "pure_accuracy": (("split",), pure_right.mean((1, 2))),
        "answers": (("split", "pair", "answer"), _tally(dual)),
        "both_top": (by_pair, evaluation.all_in_top(y[:, 5:14], OWN[:, None]).sum(-1)),
        "interference_wrong": (by_pair, wrong),
        "interference_stems": (by_pair, trials),
        "control_wrong": (by_pair, (control_wrong & both[:, :, None, None]).sum((2, 3, 4))),
        "control_stems": (by_pair, 4 * both.sum(-1)),
        "word_sum_right": (by_pair, (by_word == dual).sum(-1)),
        "means": (("split", "affix", "hidden"), means),
        "dual_means": (("split", "pair", "hidden"), z[:, 5:14].mean(2)),
    }


def _count_real(corpus, model, params, splits, n_stems):
    """Counts for real words, of which every split tests others."""
    words = corpus.words
    in_test = np.stack([corpus.in_test(split) for split in splits])
    z, y = evaluation.predict(model, params, words.encode(corpus.length).astype(np.int8))
    answer = evaluation.answers(y)
    right = evaluation.is_right(answer, words.labels)
    train, test = ~in_test & corpus.is_pure, in_test & corpus.is_pure
    train_labels = train[..., None] & words.labels
    top = evaluation.all_in_top(y, words.labels)
    tally, both_top, wrong, trials = [], [], [], []
    where = {
        (stem, *row): i
        for i, (stem, row) in enumerate(
            zip(words.stems, words.labels.tolist(), strict=True)
        )
    }
    for own, pair in zip(OWN, PAIRS, strict=True):
        rows = np.flatnonzero((words.labels == own).all(1))
        tested = in_test[:, rows]
        tally.append(_tally(np.where(tested, answer[:, rows], -2)))
        both_top.append((top[:, rows] & tested).sum(-1))
        single = [
            [where.get((words.stems[i], *(np.arange(5) == label).tolist())) for i in rows]
            for label in pair
        ]
        paired = [
            (i, a, b) for i, a, b in zip(rows, *single, strict=True) if None not in (a, b)
        ]
        i, a, b = np.array(paired, int).reshape(-1, 3).T
        both = right[:, a] & right[:, b] & in_test[:, i]
        wrong.append((both & ~right[:, i]).sum(-1))
        trials.append(both.sum(-1))
    by_pair = ("split", "pair")
    return {
        "recall": (("split", "affix"), evaluation.class_recall(answer, train_labels)),
        "live": (("split",), _live(model, z)),
        "pure_accuracy": (("split",), (right & test).sum(-1) / test.sum(-1)),
        "answers": (("split", "pair", "answer"), np.stack(tally, 1)),
        "both_top": (by_pair, np.stack(both_top, 1)),
        "interference_wrong": (by_pair, np.stack(wrong, 1)),
        "interference_stems": (by_pair, np.stack(trials, 1)),
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
    hidden = np.where(z < model.threshold, 0.0, z)
    return evaluation.live_units(hidden)


def dual_accuracy(ds: xr.Dataset, pairs: Any = slice(None)) -> xr.DataArray:
    """Share of right answers to the dual words of each model."""
    counts = ds["answers"].isel(pair=pairs)
    own = xr.DataArray(OWN, dims=("pair", "label")).isel(pair=pairs)
    right = counts.isel(answer=slice(5)).rename(answer="label").where(own, 0)
    return right.sum(("pair", "label")) / counts.sum(("pair", "answer"))


def drop(ds: xr.Dataset) -> xr.DataArray:
    """Chance-corrected accuracy on pure words less that on dual words, of each model."""
    pure = evaluation.chance_corrected(ds["pure_accuracy"].values, CHANCE_PURE)
    dual = evaluation.chance_corrected(dual_accuracy(ds).values, CHANCE_DUAL)
    return ds["pure_accuracy"].copy(data=pure - dual)


def rate(wrong: xr.DataArray, trials: xr.DataArray, pairs: Any = slice(None)) -> Triple:
    """A rate of totals over models and pairs, with its interval over models."""
    totals = [counts.isel(pair=pairs).sum("pair").values for counts in (wrong, trials)]
    return geometry.interval(_ratio, totals)


def _ratio(hits, trials):
    return hits / trials


def _difference(hits, trials, other_hits, other_trials):
    return hits / trials - other_hits / other_trials


def causes(ds: xr.Dataset, pairs: np.ndarray | None = None) -> dict[str, Triple]:
    """What the geometry of pure words says of the answers to dual words.

    Args:
        ds: Measured models; those that fail the gate should be left out before.
        pairs: Which of the pairs, boolean; all by default.

    Returns:
        By name a value with the ends of its 95% interval over models. ``... shuffled``
        is the same with the affixes in random order, ``... another model`` with the
        geometry of the other models, ``... commonest`` with the commonest wrong answer of
        the other models to this pair.
    """
    index = np.arange(9) if pairs is None else np.flatnonzero(pairs)
    part = ds.isel(pair=index)
    counts = part["answers"].values
    own = OWN[index]
    padded = np.pad(own, ((0, 0), (0, 1)))
    wrong = np.where(padded, 0, counts)[..., :5]
    right = counts.sum(-1) - np.where(padded, 0, counts).sum(-1)
    total, total_wrong = counts.sum(-1), wrong.sum(-1)

    def guesses(name, shuffled):
        """For each model and pair how often each label is guessed, by who guesses."""
        own_guess = _one_hot(part[name].values)
        n = max(len(own_guess) - 1, 1)
        return {
            "": own_guess,
            " shuffled": _one_hot(part[shuffled].values).mean(1),
            " another model": (own_guess.sum(0) - own_guess) / n,
        }

    def share(hits, trials):
        return geometry.interval(_ratio, [hits, trials])

    found: dict[str, Triple] = {}
    first_five = counts[..., :5]
    for name, guess in guesses("predicted", "shuffled").items():
        found[f"answer{name}"] = share((first_five * guess).sum((1, 2)), total.sum(1))
    others = guesses("predicted_other", "shuffled_other")
    # What a reader of the other models' answers would say, without any geometry.
    rest = np.where(own, -1, wrong.sum(0) - wrong)
    others[" commonest"] = _one_hot(rest.argmax(-1))
    for name, guess in others.items():
        found[f"invented{name}"] = share((wrong * guess).sum((1, 2)), total_wrong.sum(1))

    foreign = (_one_hot(part["predicted"].values) * ~own).sum(-1)
    found["foreign"] = share(foreign.sum(1), np.full(len(foreign), len(index)))
    for name, mask in (("foreign", foreign), ("own", 1 - foreign)):
        found[f"error, {name} region"] = share(
            ((total - right) * mask).sum(1), (total * mask).sum(1)
        )
    if "between" in ds:
        for name, guess in guesses("between", "shuffled_between").items():
            apart = guess.sum(-1)
            near = [(right * (1 - apart)).sum(1), (total * (1 - apart)).sum(1)]
            far = [(right * apart).sum(1), (total * apart).sum(1)]
            if not name:
                found["accuracy, adjacent"] = share(*near)
                found["accuracy, apart"] = share(*far)
            found[f"adjacent - apart{name}"] = geometry.interval(_difference, near + far)
            found[f"between{name}"] = share(
                (wrong * guess).sum((1, 2)), (total_wrong * apart).sum(1)
            )
    if "word_sum_right" in ds:
        found["answer, word by word"] = share(
            part["word_sum_right"].values.sum(1), total.sum(1)
        )
        found["additivity"], found["direction"] = additivity(part, index)
    return found


def _one_hot(labels):
    """Rows of five, 0 everywhere where a label is -1."""
    return (labels[..., None] == np.arange(5)).astype(float)


def additivity(ds: xr.Dataset, index: np.ndarray) -> tuple[Triple, Triple]:
    """How well the sum of displacements tells where the words of a pair lie on average.

    Returns:
        R² of their mean positions from the sums, both seen from the centre, and the cosine
        between the two: median over models, and the middle 95% of models.
    """
    centre, _ = geometry.displacements(ds["means"].values)
    true = ds["dual_means"].values - centre[:, None]
    sums = geometry.predicted_positions(ds["means"].values, PAIRS[index]) - centre[:, None]
    cosine = (true * sums).sum(-1) / np.sqrt((true**2).sum(-1) * (sums**2).sum(-1))
    errors, sizes = ((true - sums) ** 2).sum((1, 2)), (true**2).sum((1, 2))
    return middle_of(1 - errors / sizes), middle_of(cosine.mean(1))


def middle_of(values: np.ndarray) -> Triple:
    """The median over models, and the middle 95% of them."""
    median, low, high = np.quantile(values, [0.5, 0.025, 0.975])
    return float(median), float(low), float(high)

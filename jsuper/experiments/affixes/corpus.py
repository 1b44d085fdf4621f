"""The words of the affix experiment: their division by stem, and what models are asked."""

import functools
from typing import NamedTuple

import jax
import numpy as np

from jsuper import affixes
from jsuper.affixes import AFFIXES, PAIRS, AffixDataset

PAIR_LABELS = np.array([[AFFIXES.index(affix) for affix in pair] for pair in PAIRS])
PAIR_NAMES = [" ".join(sorted(pair, key=AFFIXES.index)) for pair in PAIRS]
OWN = (PAIR_LABELS[..., None] == np.arange(5)).any(1)
KEPT = ("second", "first")  # of the two in the order of joining: "second" is the outer one


class Asked(NamedTuple):
    """The words that models are asked: the same, or of the same kinds, for all models.

    Args:
        codes: Encoded words and behind them the controls of all pairs, shape (n_words +
            n_controls, length), or with a leading axis for the models.
        labels: Whether word i has label j, (n_words, 5).
        test: Whether each word is of the model's test set, (n_models, n_words).
        trios: For each pair the rows of words that a stem makes with both affixes, with
            the first and with the second, (n_stems, 3). Its controls are (2, 2, n_stems)
            codes, see `Corpus.controls`.
    """

    codes: np.ndarray
    labels: np.ndarray
    test: np.ndarray
    trios: list[np.ndarray]


class Corpus:
    """Words to train on and to test, and their division by stem.

    Args:
        words: All words, pure and dual.
        composed: Whether they lie combination by combination (`affixes.composed_words`).
    """

    def __init__(self, words: AffixDataset, composed: bool):
        self.words, self.composed = words, composed
        self.length = max(map(len, words.words)) + 2
        self.codes = words.encode(self.length).astype(np.int8)
        self.is_pure = words.labels.sum(1) == 1
        self.of_pair = (words.labels[:, None] == OWN).all(-1)
        self.trios = [words.trios(*pair) for pair in PAIRS]
        self.in_test = functools.cache(self._in_test)

    def _in_test(self, seed: int) -> np.ndarray:
        """Returns which words are tested: those that ``words.split`` would give."""
        stems, first, rows = np.unique(
            np.array(self.words.stems), return_index=True, return_inverse=True
        )
        # The first word of each stem: splitting these splits all, in less time.
        key = jax.random.fold_in(jax.random.key(7), int(seed))
        _, test = self.words.select(first).split(key, 0.2)
        return np.isin(stems, test.stems)[rows]

    def weights(
        self,
        seed: int,
        dual_share: float = 0.0,
        balanced: bool = False,
        pairs: np.ndarray | None = None,
    ) -> np.ndarray:
        """Returns how often to draw each word in training.

        Args:
            seed: Which split.
            dual_share: Share of dual words among those drawn.
            balanced: Whether each affix is drawn equally often among the pure words.
            pairs: How often to draw the dual words of each pair, shape (9,); by default
                all words equally often.
        """
        train = ~self.in_test(seed)
        weights, of_pair = (
            (train & self.is_pure).astype(float),
            train[:, None] & self.of_pair,
        )
        if balanced:
            weights *= (self.words.labels / (weights @ self.words.labels)).sum(1)
        weights *= (1 - dual_share) / weights.sum()
        counts = of_pair.sum(0)
        shares = counts if pairs is None else np.where(counts, pairs, 0)
        shares = dual_share * shares / (shares.sum() or 1)
        return weights + of_pair @ (shares / np.maximum(counts, 1))

    @functools.cached_property
    def controls(self) -> list[np.ndarray]:
        """Words of each pair's `trios` with a neutral affix in the place of one of two.

        Integers, shape (2, 2, n_stems, length): by choice of the neutral affix, then by
        which of the two is kept, in the order of `KEPT`.
        """
        controls = []
        for pair, rows in zip(PAIRS, self.trios, strict=True):
            stems = [self.words.stems[i] for i in rows[:, 0]]
            parts = (affixes.neutral_combinations(pair, choice) for choice in (0, 1))
            codes = [affixes.compose(stems, part).encode(self.length) for part in parts]
            shape = (2, 2, len(stems), self.length)
            controls.append(np.reshape(codes, shape).astype(np.int8))
        return controls

    def asked(self, seeds: np.ndarray, n_stems: int = 200) -> Asked:
        """Returns the words that models are asked.

        Args:
            seeds: Splits that they were trained on, shape (n_models,).
            n_stems: Of composed words, stems of the test set to use; of the training set
                twice as many, with one affix. Of real words all are asked.
        """
        in_test = np.stack([self.in_test(int(seed)) for seed in seeds])
        if not self.composed:
            flat = [codes.reshape(-1, self.length) for codes in self.controls]
            codes = np.concatenate([self.codes, *flat])
            return Asked(codes, self.words.labels, in_test, self.trios)
        n, m = len(set(self.words.stems)), len(seeds)
        train = _spaced(~in_test[:, :n], 2 * n_stems)
        test = _spaced(in_test[:, :n], n_stems)
        combinations = n * np.arange(14)[:, None]
        learnt = (combinations[:5] + train[:, None]).reshape(m, -1)
        tested = (combinations + test[:, None]).reshape(m, -1)
        rows = np.concatenate([learnt, tested], axis=1)
        is_tested = np.arange(rows.shape[1]) >= learnt.shape[1]
        # Places of the tested words, combination by combination.
        places = np.flatnonzero(is_tested).reshape(14, -1)
        flat = [np.moveaxis(codes[:, :, test], 2, 0) for codes in self.controls]
        flat = [codes.reshape(m, -1, self.length) for codes in flat]
        return Asked(
            np.concatenate([self.codes[rows], *flat], axis=1),
            self.words.labels[rows[0]],
            np.tile(is_tested, (m, 1)),
            [places[[5 + p, *labels]].T for p, labels in enumerate(PAIR_LABELS)],
        )


def _spaced(masks: np.ndarray, most: int) -> np.ndarray:
    """Positions where masks hold, as many in each, at most ``most``, evenly spaced."""
    rows = [np.flatnonzero(mask) for mask in masks]
    size = min(most, *map(len, rows))
    # The stems are in the order of the alphabet.
    return np.stack([row[np.arange(size) * len(row) // size] for row in rows])

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
    """The words that models are asked: the same, or of the same kinds, for all models."""

    codes: np.ndarray  # words, then controls of all pairs, ([n_models,] n_codes, length)
    labels: np.ndarray  # whether a word has a label, (n_words, 5)
    test: np.ndarray  # whether a word is of a model's test set, (n_models, n_words)
    trios: list[np.ndarray]  # rows of `AffixDataset.trios` for each pair, (n_stems, 3)


class Corpus:
    """Words, pure and dual, and their division by stem; composed ones lie in order."""

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
        key = jax.random.fold_in(jax.random.key(7), seed)
        _, test = self.words.select(first).split(key, 0.2)
        return np.isin(stems, test.stems)[rows]

    def weights(
        self,
        seed: int,
        dual_share: float = 0.0,
        balanced: bool = False,
        pairs: np.ndarray | None = None,
    ) -> np.ndarray:
        """Returns how often to draw each word in training, its split given.

        ``balanced`` draws the affixes of pure words equally often; ``pairs`` says how often
        to draw each pair of the dual words, by default all words equally often.
        """
        train = ~self.in_test(int(seed))
        weights = (train & self.is_pure).astype(float)
        of_pair = train[:, None] & self.of_pair
        if balanced:
            weights *= (self.words.labels / (weights @ self.words.labels)).sum(1)
        weights *= (1 - dual_share) / weights.sum()
        counts = of_pair.sum(0)
        shares = counts if pairs is None else np.where(counts, pairs, 0)
        shares = dual_share * shares / (shares.sum() or 1)
        return weights + of_pair @ (shares / np.maximum(counts, 1))

    @functools.cached_property
    def controls(self) -> list[np.ndarray]:
        """Words of each pair's `trios` with a neutral affix in the place of one of the two.

        Codes, shape (2 neutral affixes, 2 of `KEPT`, n_stems, length).
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
        """Returns what models of some splits are asked: few stems of composed words."""
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

"""The words of the affix experiment: their division by stem, and what models are asked."""

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import jax
import numpy as np

from jsuper import affixes
from jsuper.affixes.words import AffixDataset

PAIR_LABELS = np.array([[affixes.AFFIXES.index(a) for a in pair] for pair in affixes.PAIRS])
PAIR_NAMES = [" ".join(sorted(pair, key=affixes.AFFIXES.index)) for pair in affixes.PAIRS]
# Both affixes on one side: the inner one is not at the word's end.
STACKED = np.array([a[0] == b[0] or a[-1] == b[-1] for a, b in affixes.PAIRS])
OWN = (PAIR_LABELS[..., None] == np.arange(5)).any(1)
KEPT = ("second", "first")  # of the two in the order of joining: "second" is the outer one


class Asked(NamedTuple):
    """The words that models are asked: the same, or of the same kinds, for all models.

    Args:
        codes: Encoded words and behind them the controls of all pairs, shape (n_words +
            n_controls, length), or with a leading axis for the models.
        labels: Whether word i has label j, (n_words, 5).
        train: Whether each model was trained on each word, (n_models, n_words).
        test: Whether each word is of the model's test set, (n_models, n_words).
        trios: For each pair the rows of words that a stem makes with both affixes, with
            the first and with the second, (n_stems, 3). Its controls are (2, 2, n_stems)
            codes, see `controls`.
    """

    codes: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    test: np.ndarray
    trios: list[np.ndarray]


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
    def is_pure(self) -> np.ndarray:
        """Whether each word has one affix."""
        return self.words.labels.sum(1) == 1

    @cached_property
    def of_pair(self) -> np.ndarray:
        """Whether each word has each pair of affixes and no third, (n_words, 9)."""
        return (self.words.labels[:, None] == OWN).all(-1)

    @cached_property
    def length(self) -> int:
        """Columns of the encoded words."""
        return max(map(len, self.words.words)) + 2

    @cached_property
    def codes(self) -> np.ndarray:
        """All words, encoded, (n_words, length)."""
        return self.words.encode(self.length).astype(np.int8)

    @cached_property
    def known_splits(self) -> dict[int, np.ndarray]:
        """The splits made so far."""
        return {}

    def in_test(self, seed: int) -> np.ndarray:
        """Returns which words are tested: those that ``words.split`` would give."""
        seed = int(seed)
        if seed not in self.known_splits:
            stems, first, rows = np.unique(
                np.array(self.words.stems), return_index=True, return_inverse=True
            )
            # The first word of each stem: splitting these splits all, in less time.
            key = jax.random.fold_in(jax.random.key(7), seed)
            _, test = self.words.select(first).split(key, 0.2)
            self.known_splits[seed] = np.isin(stems, test.stems)[rows]
        return self.known_splits[seed]

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
        pure, of_pair = train & self.is_pure, train[:, None] & self.of_pair
        weights = pure.astype(float)
        if balanced:
            weights *= (self.words.labels / (weights @ self.words.labels)).sum(1)
        weights *= (1 - dual_share) / weights.sum()
        counts = of_pair.sum(0)
        shares = counts if pairs is None else np.where(counts, pairs, 0)
        shares = dual_share * shares / (shares.sum() or 1)
        return weights + of_pair @ (shares / np.maximum(counts, 1))

    @cached_property
    def trios(self) -> list[np.ndarray]:
        """The rows of `AffixDataset.trios` for each pair."""
        return [self.words.trios(*pair) for pair in affixes.PAIRS]

    @cached_property
    def controls(self) -> list[np.ndarray]:
        """The controls of the stems of each pair's `trios`, as `controls` encodes them."""
        stems = ([self.words.stems[i] for i in rows[:, 0]] for rows in self.trios)
        return [
            controls(of_pair, pair, self.length)
            for of_pair, pair in zip(stems, affixes.PAIRS, strict=True)
        ]

    def asked(self, seeds: np.ndarray, n_stems: int = 200) -> Asked:
        """Returns the words that models are asked.

        Args:
            seeds: Splits that they were trained on, shape (n_models,).
            n_stems: Of composed words, stems of the test set to use; of the training set
                twice as many, with one affix. Of real words all are asked.
        """
        in_test = np.stack([self.in_test(seed) for seed in seeds])
        if not self.composed:
            flat = [codes.reshape(-1, self.length) for codes in self.controls]
            codes = np.concatenate([self.codes, *flat])
            return Asked(codes, self.words.labels, ~in_test, in_test, self.trios)
        n = len(set(self.words.stems))
        train = _spaced(~in_test[:, :n], 2 * n_stems)
        test = _spaced(in_test[:, :n], n_stems)
        combinations = n * np.arange(14)[:, None]
        rows = np.concatenate(
            [
                (combinations[:5] + train[:, None]).reshape(len(seeds), -1),
                (combinations + test[:, None]).reshape(len(seeds), -1),
            ],
            axis=1,
        )
        tested = np.arange(rows.shape[1]) >= 5 * train.shape[1]
        # Places of the tested words, combination by combination.
        places = np.flatnonzero(tested).reshape(14, -1)
        flat = [np.moveaxis(codes[:, :, test], 2, 0) for codes in self.controls]
        flat = [codes.reshape(len(seeds), -1, self.length) for codes in flat]
        return Asked(
            np.concatenate([self.codes[rows], *flat], axis=1),
            self.words.labels[rows[0]],
            np.tile(~tested, (len(seeds), 1)),
            np.tile(tested, (len(seeds), 1)),
            [places[[5 + p, *labels]].T for p, labels in enumerate(PAIR_LABELS)],
        )


def _spaced(masks: np.ndarray, most: int) -> np.ndarray:
    """Positions where masks hold, as many in each, at most ``most``, evenly spaced."""
    rows = [np.flatnonzero(mask) for mask in masks]
    size = min(most, *map(len, rows))
    # The stems are in the order of the alphabet.
    return np.stack([row[np.arange(size) * len(row) // size] for row in rows])


def controls(stems: Sequence[str], pair: tuple[str, str], length: int) -> np.ndarray:
    """Encodes words with a neutral affix in the place of one of two.

    Returns:
        Integers, shape (2, 2, n_stems, length): by choice of the neutral affix, then by
        which of the two is kept, in the order of `KEPT`.
    """
    words = [
        affixes.compose(stems, affixes.neutral_combinations(pair, choice))
        for choice in (0, 1)
    ]
    codes = np.stack([of_choice.encode(length) for of_choice in words])
    return codes.reshape(2, 2, len(stems), length).astype(np.int8)

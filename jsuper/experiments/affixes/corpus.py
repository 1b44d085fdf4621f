"""The words of the affix experiment: their division by stem, their pairs and controls."""

import dataclasses
from collections.abc import Sequence
from functools import cached_property

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
        """Composed words with their controls, encoded, (14 + 36, n_stems, length)."""
        stems = self.words.stems[: len(set(self.words.stems))]
        codes = [self.words.encode(self.length)]
        codes += [controls(stems, pair, self.length) for pair in affixes.PAIRS]
        rows = np.concatenate([part.reshape(-1, self.length) for part in codes])
        return rows.astype(np.int8).reshape(14 + 36, len(stems), self.length)

    @cached_property
    def trios(self) -> list[np.ndarray]:
        """Of real words the rows that `trios` finds for each pair."""
        return [trios(self.words, pair) for pair in affixes.PAIRS]

    @cached_property
    def control_codes(self) -> list[np.ndarray]:
        """Of real words the controls of the stems of `trios`, for each pair."""
        stems = [[self.words.stems[i] for i in rows[:, 0]] for rows in self.trios]
        return [
            controls(of_pair, pair, self.length).astype(np.int8)
            for of_pair, pair in zip(stems, affixes.PAIRS, strict=True)
        ]

    @cached_property
    def of_pair(self) -> np.ndarray:
        """Whether each word has each pair of affixes and no third, (n_words, 9)."""
        return (self.words.labels[:, None] == OWN).all(-1)

    def weights(
        self,
        split: int,
        dual_share: float = 0.0,
        balanced: bool = False,
        pairs: np.ndarray | None = None,
    ) -> np.ndarray:
        """Returns how often to draw each word in training.

        Args:
            split: Which split.
            dual_share: Share of dual words among those drawn.
            balanced: Whether each affix is drawn equally often among the pure words.
            pairs: How often to draw the dual words of each pair, shape (9,); by default
                all words equally often.
        """
        train = ~self.in_test(split)
        pure, of_pair = train & self.is_pure, train[:, None] & self.of_pair
        weights = pure.astype(float)
        if balanced:
            weights *= (self.words.labels / (weights @ self.words.labels)).sum(1)
        weights *= (1 - dual_share) / weights.sum()
        counts = of_pair.sum(0)
        shares = counts if pairs is None else np.where(counts, pairs, 0)
        shares = dual_share * shares / (shares.sum() or 1)
        return weights + of_pair @ (shares / np.maximum(counts, 1))


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
    return codes.reshape(2, 2, len(stems), length)


def trios(words: AffixDataset, pair: tuple[str, str]) -> np.ndarray:
    """Returns the words that a stem makes with both affixes and with each alone.

    Of several words of one stem and one affix, such as "reclaim" and "reclaims", it is
    the first.

    Args:
        words: Words in the order of the alphabet.
        pair: Two affixes.

    Returns:
        For each stem that has all three the rows of the word with both, with the first
        and with the second affix, shape (n_stems, 3).
    """

    def rows(*wanted):
        has = (words.labels == np.isin(words.affixes, wanted)).all(1)
        return {words.stems[i]: i for i in np.flatnonzero(has)[::-1]}

    parts = [rows(*pair), rows(pair[0]), rows(pair[1])]
    stems = [stem for stem in words.stems if all(stem in part for part in parts)]
    found = [[part[stem] for part in parts] for stem in dict.fromkeys(stems)]
    return np.array(found, int).reshape(-1, 3)

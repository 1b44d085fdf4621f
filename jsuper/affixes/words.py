"""Words and the affixes that they have."""

import csv
import dataclasses
from collections.abc import Iterable, Sequence
from importlib.resources.abc import Traversable
from itertools import combinations
from os import PathLike
from pathlib import Path

import jax
import numpy as np
from numpy.typing import ArrayLike

from jsuper.affixes.encoding import check_words, encode
from jsuper.affixes.spelling import letters_of, segment
from jsuper.validation import check, check_key, check_number

AFFIXES = ("un-", "re-", "-able", "-ful", "-ness")
"""The review's five affixes, in the order of their labels."""

SHORTEST_STEM = 3


@dataclasses.dataclass(frozen=True, eq=False)
class AffixDataset:
    """Words with the affixes that each of them has.

    Args:
        words: The words, none twice, each of letters a to z.
        labels: Whether word i has affix j, shape (n_words, n_affixes), boolean.
        stems: What is left of each word without its affixes. Words of one stem stay
            together in `split`.
        affixes: The affixes, with a hyphen where the stem goes: ``"un-"``, ``"-ness"``.

    Raises:
        ValueError: If the lengths do not fit each other, a word, a stem or an affix is
            malformed, or a word or an affix occurs twice.

    Example:
        >>> from jsuper.affixes import AffixDataset
        >>> words = "happy unhappy happiness unhappiness kind kindness".split()
        >>> ds = AffixDataset.from_words(words, affixes=["un-", "-ness"])
        >>> ds.pure.words, ds.dual.words, ds.dual.stems
        (('unhappy', 'happiness', 'kindness'), ('unhappiness',), ('happy',))
        >>> ds.counts()
        {'un-': 2, '-ness': 3}
    """

    words: tuple[str, ...]
    labels: np.ndarray
    stems: tuple[str, ...]
    affixes: tuple[str, ...] = AFFIXES

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", check_words("words", self.words))
        object.__setattr__(self, "stems", check_words("stems", self.stems))
        object.__setattr__(self, "affixes", check_affixes(self.affixes))
        labels = np.asarray(self.labels)
        shape = (len(self.words), len(self.affixes))
        if labels.shape != shape or labels.dtype != bool:
            raise ValueError(
                f"labels must be booleans of shape {shape}, one row per word and one "
                f"column per affix, got {labels.dtype} of shape {labels.shape}"
            )
        object.__setattr__(self, "labels", labels)
        if len(self.stems) != len(self.words):
            raise ValueError(
                f"stems must be one per word, {len(self.words)}, got {len(self.stems)}"
            )
        twice = _first_twice(self.words)
        if twice is not None:
            raise ValueError(f"words must hold each word once, got {twice!r} twice")

    @classmethod
    def from_words(
        cls,
        words: Iterable[str],
        affixes: Iterable[str] = AFFIXES,
        *,
        vocabulary: Iterable[str] | None = None,
    ) -> "AffixDataset":
        """Finds the words that have affixes.

        A word has an affix if removing it, with the usual changes of spelling, leaves a
        word of the vocabulary with at least three letters. That is spelling and no more:
        a list that holds "resign" and "sign" makes "resign" a word with re-. The shipped
        table of real words was also checked against parts of speech and meanings.

        Args:
            words: Words of letters a to z, in any order. Repetitions count once, and
                words without any of the affixes are left out of the result.
            affixes: Affixes such as ``"un-"`` or ``"-ness"``.
            vocabulary: The words that may be left when one affix is removed; ``words``
                itself by default. For a word with two affixes that is a word with one of
                them, which must be there too: "unhappiness" needs "unhappy" or "happiness".

        Returns:
            The words with one or more affixes, in the order given.

        Raises:
            ValueError: If there are no words, a word is not letters a to z, an affix is
                malformed, or no word has it.
        """
        words = tuple(dict.fromkeys(check_words("words", words)))
        if not words:
            raise ValueError("words must hold at least one word, got none")
        affixes = check_affixes(affixes)
        known = set(words)
        if vocabulary is not None:
            known = set(check_words("vocabulary", vocabulary))

        def choose(word: str, affix: str, stems: tuple[str, ...]) -> str | None:
            good = (s for s in stems if len(s) >= SHORTEST_STEM and s in known)
            return next(good, None)

        parses = [segment(word, affixes, choose) for word in words]
        labels = np.array([[affix in found for affix in affixes] for found, _ in parses])
        missing = [a for i, a in enumerate(affixes) if not labels[:, i].any()]
        if missing:
            raise ValueError(
                f"affixes must each occur in a word, got {missing[0]!r}, which none of the "
                f"{len(words)} words has: a stem must be a word of the vocabulary and have "
                f"{SHORTEST_STEM} letters or more"
            )
        everything = cls(words, labels, tuple(stem for _, stem in parses), affixes)
        return everything.select(labels.any(1))

    @classmethod
    def from_csv(
        cls, path: str | PathLike[str] | Traversable, affixes: Iterable[str] = AFFIXES
    ) -> "AffixDataset":
        """Reads a table with the columns word, labels and stem.

        Args:
            path: A file in UTF-8, or a resource of `importlib.resources`. Labels are
                affixes with spaces between them, ``un- -able``, or none. Other columns are
                ignored.
            affixes: The affixes that labels may name, in the order of the columns of
                `labels`.

        Raises:
            ValueError: If the file is empty, a column is missing, a row has no word or no
                stem, or a label is not among ``affixes``.
        """
        file = Path(path) if isinstance(path, str | PathLike) else path
        affixes = check_affixes(affixes)
        rows = read_rows(file, ("word", "labels", "stem"))
        for row in rows:
            for column in ("word", "stem"):
                if not row[column]:
                    raise ValueError(f"{path} must have a {column} in every row, got {row}")
        found = [row["labels"].split() for row in rows]
        for row, labels in zip(rows, found, strict=True):
            strange = [label for label in labels if label not in affixes]
            if strange:
                raise ValueError(
                    f"labels must be among {', '.join(affixes)}, got {strange[0]!r} for "
                    f"{row['word']!r} in {path}"
                )
        return cls(
            words=tuple(row["word"] for row in rows),
            labels=np.array([[affix in row for affix in affixes] for row in found]),
            stems=tuple(row["stem"] for row in rows),
            affixes=affixes,
        )

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Writes the table that `from_csv` reads."""
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["word", "labels", "stem"])
            for word, row, stem in zip(self.words, self.labels, self.stems, strict=True):
                writer.writerow([word, " ".join(_named(self.affixes, row)), stem])

    def __repr__(self) -> str:
        return f"AffixDataset({len(self)} words with {', '.join(self.affixes)})"

    def __len__(self) -> int:
        return len(self.words)

    @property
    def n_affixes(self) -> int:
        """Number of affixes."""
        return len(self.affixes)

    @property
    def pure(self) -> "AffixDataset":
        """The words with exactly one affix."""
        return self.select(self.labels.sum(1) == 1)

    @property
    def dual(self) -> "AffixDataset":
        """The words with exactly two affixes."""
        return self.select(self.labels.sum(1) == 2)

    def having(self, *affixes: str) -> "AffixDataset":
        """Returns the words with exactly these affixes.

        Raises:
            ValueError: If an affix is not one of the data set's.
        """
        for affix in affixes:
            if affix not in self.affixes:
                raise ValueError(
                    f"affixes must be among {', '.join(self.affixes)}, got {affix!r}"
                )
        wanted = np.array([affix in affixes for affix in self.affixes])
        return self.select((self.labels == wanted).all(1))

    def trios(self, first: str, second: str) -> np.ndarray:
        """Returns the words that a stem makes with both affixes and with each alone.

        Of several words of one stem and one affix, such as "reclaim" and "reclaims", it is
        the one that comes first.

        Args:
            first: One affix.
            second: The other.

        Returns:
            For each stem that has all three the rows of the word with both, with the first
            and with the second affix, shape (n_stems, 3).

        Example:
            >>> from jsuper.affixes import real_words
            >>> ds = real_words()
            >>> [ds.words[i] for i in ds.trios("-able", "re-")[0]]
            ['rechargeable', 'chargeable', 'recharge']
        """

        def rows(*wanted):
            has = (self.labels == np.isin(self.affixes, wanted)).all(1)
            return {self.stems[i]: i for i in np.flatnonzero(has)[::-1]}

        parts = [rows(first, second), rows(first), rows(second)]
        stems = (s for s in dict.fromkeys(self.stems) if all(s in part for part in parts))
        return np.array([[part[s] for part in parts] for s in stems], int).reshape(-1, 3)

    def select(self, rows: ArrayLike) -> "AffixDataset":
        """Returns the words at ``rows``, indices or a boolean for each word.

        Raises:
            ValueError: If ``rows`` are neither.
        """
        index = np.asarray(rows)
        if index.dtype == bool and index.shape == (len(self),):
            index = np.flatnonzero(index)
        n = len(self)
        good = index.dtype.kind in "iu" or not index.size
        if not (good and index.ndim == 1 and (index >= -n).all() and (index < n).all()):
            raise ValueError(
                f"rows must be indices of the {n} words or {n} booleans, got {rows!r:.60}"
            )
        index = index.astype(int)
        return AffixDataset(
            words=tuple(self.words[i] for i in index),
            labels=self.labels[index],
            stems=tuple(self.stems[i] for i in index),
            affixes=self.affixes,
        )

    def counts(self) -> dict[str, int]:
        """Returns how many words have each affix, alone or with others."""
        return dict(zip(self.affixes, self.labels.sum(0).tolist(), strict=True))

    def pair_counts(self) -> dict[tuple[str, str], int]:
        """Returns how many words have exactly these two affixes, for every pair."""
        return {pair: len(self.having(*pair)) for pair in combinations(self.affixes, 2)}

    def split(
        self, key: jax.Array, test_fraction: float = 0.2
    ) -> tuple["AffixDataset", "AffixDataset"]:
        """Divides the words between training and testing, all words of a stem together.

        Args:
            key: A typed PRNG key.
            test_fraction: Share of the stems that go to the test set, in (0, 1); each
                side gets at least one.

        Returns:
            The words for training and the words for testing, in the order of the data
            set. No stem is on both sides.

        Raises:
            ValueError: If ``test_fraction`` is out of range or there are fewer than two
                stems.
            TypeError: If ``key`` is no typed key.
        """
        check_key(key)
        check_number("test_fraction", test_fraction)
        check("test_fraction", test_fraction, lambda f: (f > 0) & (f < 1), "in (0, 1)")
        stems = sorted(set(self.stems))
        if len(stems) < 2:
            raise ValueError(f"a split takes words of two or more stems, got {len(stems)}")
        n_test = min(max(round(test_fraction * len(stems)), 1), len(stems) - 1)
        order = np.asarray(jax.random.permutation(key, len(stems)))
        chosen = {stems[i] for i in order[:n_test]}
        in_test = np.array([stem in chosen for stem in self.stems])
        return self.select(~in_test), self.select(in_test)

    def encode(self, length: int | None = None) -> np.ndarray:
        """Returns the words as `encode` does, shape (n_words, length), int32."""
        return encode(self.words, length)


def check_affixes(affixes: Iterable[str]) -> tuple[str, ...]:
    """Returns the affixes; `ValueError` if one is malformed or occurs twice."""
    if affixes is None:
        raise ValueError("affixes must be one or more, each once, got None")
    affixes = (affixes,) if isinstance(affixes, str) else tuple(affixes)
    for affix in affixes:
        letters_of(affix)
    twice = _first_twice(affixes)
    if not affixes or twice is not None:
        got = "none" if not affixes else f"{twice!r} twice"
        raise ValueError(f"affixes must be one or more, each once, got {got}")
    return affixes


def _first_twice(names: tuple[str, ...]) -> str | None:
    if len(set(names)) == len(names):
        return None
    return next(name for name in names if names.count(name) > 1)


def _named(affixes: tuple[str, ...], row: np.ndarray) -> list[str]:
    return [affix for affix, has in zip(affixes, row, strict=True) if has]


def read_rows(file: Traversable, columns: Sequence[str]) -> list[dict[str, str]]:
    """Reads a table; `ValueError` if a column is missing or it has no row."""
    # Spreadsheets put a mark in front of the first column.
    text = file.read_text("utf-8-sig")
    if not text.strip():
        raise ValueError(f"{file} must hold a table, got an empty file")
    reader = csv.DictReader(text.splitlines(), restval="")
    names = reader.fieldnames or ()
    missing = [column for column in columns if column not in names]
    if missing:
        raise ValueError(
            f"{file} must have a column {missing[0]!r}, got {', '.join(names)}"
        )
    rows = list(reader)
    if not rows:
        raise ValueError(f"{file} must hold at least one word, got only a heading")
    return rows

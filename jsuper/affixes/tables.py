"""The tables that come with the package, and words composed of stems and affixes."""

from collections.abc import Iterable, Sequence
from importlib import resources
from importlib.resources.abc import Traversable

import numpy as np

from jsuper.affixes.encoding import check_words
from jsuper.affixes.spelling import attach
from jsuper.affixes.words import AFFIXES, AffixDataset, check_affixes, read_rows
from jsuper.validation import check_count

PAIRS = (
    ("re-", "un-"),
    ("-able", "un-"),
    ("-ful", "un-"),
    ("-ness", "un-"),
    ("-able", "re-"),
    ("-ful", "re-"),
    ("-ness", "re-"),
    ("-able", "-ness"),
    ("-ful", "-ness"),
)
"""Every pair that can be spelt, in the order in which the two join the stem.

No English word has -able and -ful.
"""

NEUTRAL = {
    "un-": ("co-", "di-"),
    "re-": ("co-", "di-"),
    "-able": ("-hood", "-wick"),
    "-ful": ("-dom", "-ity"),
    "-ness": ("-hood", "-wick"),
}
"""English affixes of the same lengths that share no letter with any of the five."""


def real_words() -> AffixDataset:
    """Returns English words with one or two of the five affixes.

    They come from SCOWL, checked against WordNet; docs/affixes-data.md says how, and how
    many of the labels are incorrect. The stem of an inflected word is its dictionary form:
    "unpacked" belongs to "pack".

    Example:
        >>> ds = real_words()
        >>> i = ds.words.index("unforgettable")
        >>> ds.stems[i], ds.labels[i].tolist()
        ('forget', [True, False, True, False, False])
    """
    return AffixDataset.from_csv(_data("real.csv"))


def lookalike_words() -> tuple[AffixDataset, np.ndarray]:
    """Returns English words with one affix and the letters of another.

    "readiness" has -ness and begins with the letters of re-. These words are in neither
    list of `real_words`, and are for reading, not for measuring.

    Returns:
        The words with the affix that they have, and which one they seem to have besides,
        boolean of shape (n_words, 5).

    Example:
        >>> ds, seeming = lookalike_words()
        >>> i = ds.words.index("readiness")
        >>> ds.labels[i].tolist(), seeming[i].tolist()
        ([False, False, False, False, True], [False, True, False, False, False])
    """
    path = _data("lookalike.csv")
    rows = read_rows(path, ("word", "seeming"))
    seeming = np.array([[affix == row["seeming"] for affix in AFFIXES] for row in rows])
    return AffixDataset.from_csv(path), seeming


def clean_stems(n: int | None = None) -> tuple[str, ...]:
    """Returns stems that take each of the five affixes without a change of spelling.

    None begins with the letters of un- or re-, and none holds those of a suffix.

    Args:
        n: Number of stems, evenly spaced in the alphabet; all 2,000 by default.

    Raises:
        ValueError: If there are not as many.

    Example:
        >>> len(clean_stems()), clean_stems(4)[:2]
        (2000, ('abbey', 'deform'))
    """
    stems = tuple(row["stem"] for row in read_rows(_data("stems.csv"), ("stem",)))
    if n is None:
        return stems
    check_count("n", n)
    if n > len(stems):
        raise ValueError(f"n must be at most {len(stems)}, got {n}")
    return tuple(stems[i * len(stems) // n] for i in range(n))


def composed_words(n_stems: int | None = None) -> AffixDataset:
    """Returns every clean stem with each of the five affixes and with each pair of `PAIRS`.

    All classes and all pairs are of the same size, and their labels are exact. Most of
    the words are no English.

    Args:
        n_stems: Number of stems, all 2,000 by default.

    Returns:
        14 words per stem: word ``c * n_stems + s`` is stem s with affix c of `AFFIXES`,
        then with pair c - 5 of `PAIRS`.

    Example:
        >>> ds = composed_words(n_stems=100)
        >>> len(ds.pure), len(ds.dual), set(ds.pair_counts().values())
        (500, 900, {0, 100})
    """
    return compose(clean_stems(n_stems), [(affix,) for affix in AFFIXES] + list(PAIRS))


def neutral_combinations(
    pair: tuple[str, str], choice: int = 0
) -> tuple[tuple[str, str], tuple[str, str]]:
    """Returns ``pair`` with its first and with its second affix replaced by a neutral one.

    Words of the three combinations are equally long, and the affix that is left stands
    where it stood. A model that fails on the pair because of interference between the two
    should not fail on its controls.

    Args:
        pair: Two of the five affixes, in the order in which they join the stem.
        choice: Which of the neutral affixes of `NEUTRAL` to use, 0 or 1.

    Raises:
        ValueError: If the pair is not one of `PAIRS`, in either order, or ``choice`` is
            neither 0 nor 1.

    Example:
        >>> neutral_combinations(("-ful", "-ness"))
        (('-dom', '-ness'), ('-ful', '-hood'))
        >>> compose(["help"], neutral_combinations(("-able", "un-"))).words
        ('unhelphood', 'cohelpable')
    """
    if tuple(pair) not in PAIRS and tuple(pair)[::-1] not in PAIRS:
        known = ", ".join(f"{first} {second}" for first, second in PAIRS)
        raise ValueError(f"pair must be one of {known}, got {pair!r}")
    if choice not in (0, 1):
        raise ValueError(f"choice must be 0 or 1, got {choice!r}")
    first, second = pair
    return (NEUTRAL[first][choice], second), (first, NEUTRAL[second][choice])


def compose(
    stems: Iterable[str],
    combinations: Iterable[Sequence[str]],
    affixes: Iterable[str] = AFFIXES,
) -> AffixDataset:
    """Makes words: every stem with every combination of affixes.

    Args:
        stems: Words of letters a to z, none twice.
        combinations: For each, affixes in the order in which they join the stem: ``("-ful",
            "-ness")`` makes -fulness, and ``()`` the bare stem. An affix that is not in
            ``affixes`` is spelt but not labelled, which makes a control for length.
        affixes: The affixes of the labels.

    Returns:
        Word ``c * len(stems) + s`` is stem s with combination c.

    Raises:
        ValueError: If a stem or an affix is malformed, a combination is a text and not a
            sequence of affixes, or two stems or combinations make the same word.

    Example:
        >>> ds = compose(["help"], [("un-",), ("-ful", "-ness"), ("un-", "-hood")])
        >>> list(zip(ds.words, ds.labels.sum(1).tolist()))
        [('unhelp', 1), ('helpfulness', 2), ('unhelphood', 1)]
    """
    stems = check_words("stems", stems)
    affixes = check_affixes(affixes)
    combinations = list(combinations)
    for combination in combinations:
        if isinstance(combination, str):
            raise ValueError(
                f"combinations must hold sequences of affixes, such as ({combination!r},), "
                f"got {combination!r}"
            )
    parts = [tuple(combination) for combination in combinations]
    words = []
    for combination in parts:
        for stem in stems:
            word = stem
            for affix in combination:
                word = attach(word, affix)
            words.append(word)
    labels = np.array([[a in part for a in affixes] for part in parts], bool)
    labels = labels.reshape(len(parts), len(affixes))
    return AffixDataset(
        words=tuple(words),
        labels=np.repeat(labels, len(stems), axis=0),
        stems=stems * len(parts),
        affixes=affixes,
    )


def _data(name: str) -> Traversable:
    return resources.files("jsuper.affixes") / "data" / name

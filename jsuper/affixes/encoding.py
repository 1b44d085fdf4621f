"""Words as rows of integers."""

import string
from collections.abc import Iterable, Sequence

import numpy as np

from jsuper.validation import check_count

PAD, START, END = 0, 1, 2
N_CHARACTERS = 3 + len(string.ascii_lowercase)


def encode(words: Sequence[str], length: int | None = None) -> np.ndarray:
    """Turns words into rows of integers, with both ends marked.

    A row is 1, the letters from a = 3 to z = 28, 2, and zeros to the end. The marks let a
    model tell a prefix from the same letters inside a word.

    Args:
        words: Words of letters a to z.
        length: Number of columns; by default the longest word's letters plus 2.

    Returns:
        Integers below `N_CHARACTERS`, shape (n_words, length), int32.

    Raises:
        ValueError: If a word is not letters a to z or does not fit in ``length``.

    Example:
        >>> encode(["cab", "a"])
        array([[1, 5, 3, 4, 2],
               [1, 3, 2, 0, 0]], dtype=int32)
    """
    words = check_words("words", words)
    longest = max(words, key=len, default="")
    if length is None:
        length = len(longest) + 2
    check_count("length", length)
    if len(longest) + 2 > length:
        raise ValueError(
            f"length must be at least {len(longest) + 2} for {longest!r} and its two end "
            f"marks, got {length}"
        )
    codes = np.full((len(words), length), PAD, np.int32)
    for row, word in zip(codes, words, strict=True):
        letters = np.frombuffer(word.encode("ascii"), np.uint8).astype(np.int32)
        row[: len(word) + 2] = [START, *(letters - ord("a") + 3), END]
    return codes


def check_words(argument: str, words: Iterable[str]) -> tuple[str, ...]:
    """Returns the words; `ValueError` if one is not letters a to z."""
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise ValueError(f"{argument} must be a list of words, got {words!r:.40}")
    words = tuple(words)
    for word in words:
        good = isinstance(word, str) and word.isascii() and word.isalpha()
        if not (good and word.islower()):
            raise ValueError(
                f"{argument} must be of lower-case letters a to z, got {word!r}"
            )
    return words

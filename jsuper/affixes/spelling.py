"""How English spells a word with an affix: happy and -ness make happiness.

An affix is written with a hyphen where the stem goes: ``"un-"`` is a prefix, ``"-ness"`` a
suffix.
"""

from collections.abc import Callable, Sequence

from jsuper.affixes.encoding import check_words

VOWELS = frozenset("aeiou")


def attach(stem: str, affix: str) -> str:
    """Returns ``stem`` with ``affix``, in the usual spelling.

    A final y after a consonant becomes i (happiness, reliable), unless it is the only
    vowel (shyness) or an i follows (carrying). Before a vowel a silent e is dropped
    (notable), but not behind soft c or g (noticeable) or behind a, e, i, o or y (agreeable)
    unless an e follows (agreed), and the last consonant of a word of one short vowel is
    doubled (stoppable).

    Args:
        stem: A word in lower-case letters.
        affix: A prefix such as ``"un-"`` or a suffix such as ``"-ness"``.

    Raises:
        ValueError: If ``affix`` is neither, or ``stem`` no word.

    Example:
        >>> attach("happy", "un-"), attach("happy", "-ness"), attach("note", "-able")
        ('unhappy', 'happiness', 'notable')
    """
    check_words("stem", [stem])
    letters = letters_of(affix)
    if is_prefix(affix):
        return letters + stem
    if _ends_in_consonant_y(stem):
        return (stem if letters[0] == "i" else stem[:-1] + "i") + letters
    if letters[0] in VOWELS:
        if stem.endswith("e") and not _keeps_e(stem, letters):
            return stem[:-1] + letters
        if _doubles(stem):
            return stem + stem[-1] + letters
    return stem + letters


def remove(word: str, affix: str) -> tuple[str, ...]:
    """Returns what could be left of ``word`` without ``affix``.

    These are strings, most of them no words: which of them is one is for a word list to
    say. Besides the inverses of `attach` they hold a verb's -ate, which -able replaces
    (tolerable), and a silent e that is kept (likeable).

    Args:
        word: A word in lower-case letters.
        affix: A prefix such as ``"un-"`` or a suffix such as ``"-ness"``.

    Returns:
        Strings, first those from which `attach` makes the word; none if the word has not
        the affix's letters at that end.

    Raises:
        ValueError: If ``affix`` is neither a prefix nor a suffix.

    Example:
        >>> remove("happiness", "-ness"), remove("uncle", "un-"), remove("uncle", "-ness")
        (('happi', 'happy', 'happie'), ('cle',), ())
    """
    letters = letters_of(affix)
    if is_prefix(affix):
        return (word[len(letters) :],) if word.startswith(letters) else ()
    if not word.endswith(letters):
        return ()
    base = word[: -len(letters)]
    stems = [base]
    if base.endswith("i"):
        stems += [base[:-1] + "y", base + "e"]
    if letters[0] in VOWELS:
        stems.append(base + "e")
        if base[-1:] == base[-2:-1] and base[-1:] not in VOWELS:
            stems.append(base[:-1])
    if letters == "able":
        stems.append(base + "ate")
    stems = list(dict.fromkeys(stem for stem in stems if stem))
    return tuple(sorted(stems, key=lambda stem: attach(stem, affix) != word))


def segment(
    word: str,
    affixes: Sequence[str],
    choose: Callable[[str, str, tuple[str, ...]], str | None],
) -> tuple[frozenset[str], str]:
    """Takes affixes off ``word``, from the outside in, as many as come off.

    Args:
        word: A word in lower-case letters.
        affixes: The affixes to look for; each comes off at most once.
        choose: ``choose(word, affix, stems)`` returns which of the strings of `remove` is
            left of the word, or None if the letters are no affix there.

    Returns:
        The affixes and the innermost stem; no affixes and ``word`` if none comes off.

    Example:
        >>> words = {"happy", "unhappy", "happiness"}
        >>> def choose(word, affix, stems):
        ...     return next((stem for stem in stems if stem in words), None)
        >>> labels, stem = segment("unhappiness", ["un-", "-ness"], choose)
        >>> sorted(labels), stem
        (['-ness', 'un-'], 'happy')
    """
    best: tuple[frozenset[str], str] = (frozenset(), word)
    for affix in affixes:
        stem = choose(word, affix, remove(word, affix))
        if stem is None:
            continue
        others = [other for other in affixes if other != affix]
        inner, innermost = segment(stem, others, choose)
        if len(inner) >= len(best[0]):
            best = (inner | {affix}, innermost)
    return best


def is_prefix(affix: str) -> bool:
    """Returns whether the stem comes after ``affix``.

    Example:
        >>> is_prefix("un-"), is_prefix("-ness")
        (True, False)
    """
    letters_of(affix)
    return affix.endswith("-")


def letters_of(affix: str) -> str:
    """Returns ``affix`` without its hyphen.

    Raises:
        ValueError: If it is not lower-case letters with a hyphen at one end.

    Example:
        >>> letters_of("un-")
        'un'
    """
    letters = affix.strip("-") if isinstance(affix, str) else ""
    good = letters.isascii() and letters.isalpha() and letters.islower()
    if not good or affix not in (f"{letters}-", f"-{letters}"):
        raise ValueError(
            'an affix must be lower-case letters with a hyphen at one end, as in "un-" or '
            f'"-ness", got {affix!r}'
        )
    return letters


def _ends_in_consonant_y(stem: str) -> bool:
    head = stem[:-2]
    return (
        stem.endswith("y")
        and stem[-2:-1] not in VOWELS
        and any(letter in VOWELS or letter == "y" for letter in head)
    )


def _keeps_e(stem: str, letters: str) -> bool:
    before = stem[-2:-1]
    if letters[0] == "e":
        return False
    # The e keeps c and g soft before a, o and u: noticeable, but noticing.
    return letters[0] in "aou" if before in {"c", "g"} else before in set("aeioy")


def _doubles(stem: str) -> bool:
    """Whether a word of one syllable ends in one vowel and one consonant."""
    if len(stem) < 3 or stem[-1] in VOWELS or stem[-1] in "wxy":
        return False
    at = [i for i, letter in enumerate(stem) if letter in VOWELS | {"y"}]
    # The u of qu is no vowel: quit, quittable.
    at = [i for i in at if not stem[:i].endswith("q")]
    return at == [len(stem) - 2]

"""English spelling of words with affixes."""

import pytest

from jsuper.affixes import AFFIXES, attach, clean_stems, real_words, remove
from jsuper.affixes.spelling import is_prefix, letters_of, segment

SPELLINGS = [
    ("happy", "un-", "unhappy"),
    ("enter", "re-", "reenter"),
    ("happy", "-ness", "happiness"),
    ("shy", "-ness", "shyness"),
    ("grey", "-ness", "greyness"),
    ("wide", "-ness", "wideness"),
    ("thin", "-ness", "thinness"),
    ("beauty", "-ful", "beautiful"),
    ("joy", "-ful", "joyful"),
    ("grace", "-ful", "graceful"),
    ("note", "-able", "notable"),
    ("love", "-able", "lovable"),
    ("notice", "-able", "noticeable"),
    ("change", "-able", "changeable"),
    ("agree", "-able", "agreeable"),
    ("rely", "-able", "reliable"),
    ("play", "-able", "playable"),
    ("stop", "-able", "stoppable"),
    ("quit", "-able", "quittable"),
    ("read", "-able", "readable"),
    ("fix", "-able", "fixable"),
    ("know", "-able", "knowable"),
    ("print", "-able", "printable"),
    ("avoid", "-able", "avoidable"),
    ("argue", "-able", "arguable"),
    ("dye", "-able", "dyeable"),
    ("notice", "-ing", "noticing"),
    ("courage", "-ous", "courageous"),
    ("agree", "-ing", "agreeing"),
    ("agree", "-ed", "agreed"),
    ("dance", "-ed", "danced"),
    ("free", "-er", "freer"),
    ("carry", "-ing", "carrying"),
    ("baby", "-ish", "babyish"),
    ("carry", "-ed", "carried"),
    ("stop", "-ing", "stopping"),
]


@pytest.mark.parametrize(("stem", "affix", "word"), SPELLINGS)
def test_attach_and_remove(stem, affix, word):
    assert attach(stem, affix) == word
    assert stem in remove(word, affix)


@pytest.mark.parametrize(
    ("word", "affix", "stem"),
    [
        ("likeable", "-able", "like"),
        ("tolerable", "-able", "tolerate"),
        ("regrettable", "-able", "regret"),
        ("eeriness", "-ness", "eerie"),
    ],
)
def test_remove_knows_more_than_attach(word, affix, stem):
    assert stem in remove(word, affix)


def test_remove_inverts_attach():
    stems = {*clean_stems(), *real_words().stems}
    for stem in stems:
        for affix in (*AFFIXES, "-ing", "-ed", "-ous", "-ship", "over-"):
            assert stem in remove(attach(stem, affix), affix), (stem, affix)


def test_remove_finds_nothing_where_the_letters_are_not():
    assert remove("happiness", "un-") == ()
    assert remove("unhappy", "-ness") == ()
    assert remove("sun", "un-") == ()


def test_an_affix_alone_leaves_no_stem():
    assert remove("un", "un-") == ("",)
    assert "" not in remove("ness", "-ness")


def test_segment_takes_off_as_many_as_it_can():
    words = {"use", "reuse", "usable", "reusable", "unreusable"}

    def choose(word, affix, stems):
        return next((stem for stem in stems if stem in words), None)

    assert segment("unreusable", AFFIXES, choose) == (
        frozenset({"un-", "re-", "-able"}),
        "use",
    )
    assert segment("use", AFFIXES, choose) == (frozenset(), "use")


@pytest.mark.parametrize("affix", ["", "-", "un", "-un-", "u-n", "Un-", "un--", "1-", None])
def test_malformed_affixes(affix):
    with pytest.raises(ValueError, match="hyphen at one end"):
        letters_of(affix)
    with pytest.raises(ValueError, match="hyphen at one end"):
        is_prefix(affix)


@pytest.mark.parametrize("stem", ["Kind", "", None, "naïve"])
def test_stems_that_are_no_words(stem):
    with pytest.raises(ValueError, match=r"^stem must be of lower-case letters a to z"):
        attach(stem, "-ness")


def test_affixes_are_of_the_letters_a_to_z():
    with pytest.raises(ValueError, match="an affix must be lower-case letters"):
        letters_of("-é")

"""The tables that come with the package, and composed words."""

from importlib import resources

import numpy as np
import pytest

from jsuper.affixes import (
    AFFIXES,
    NEUTRAL,
    PAIRS,
    clean_stems,
    compose,
    composed_words,
    lookalike_words,
    neutral_combinations,
    real_words,
)
from jsuper.affixes.spelling import is_prefix, letters_of

# Words labelled by hand, from the language and not from the table.
BY_HAND = {
    "un-": "unhappy unkind unpacked unlock unfair unseen unwise unborn untie unjust "
    "unearth",
    "re-": "rebuild rewrite reopen replay reheat rethink retell reelect redraw reconsider "
    "remarriage resold",
    "-able": "washable drinkable notable enjoyable lovable breakable variable tolerable "
    "noticeable comfortable stoppable valuable",
    "-ful": "hopeful beautiful spoonful careful painful handful thankful merciful playful "
    "skillful",
    "-ness": "happiness kindness darkness shyness openness laziness sadness goodness "
    "wickedness",
    "un- -able": "unbreakable unforgettable undeniable unthinkable",
    "un- -ful": "unhelpful unlawful unfaithful",
    "un- -ness": "unhappiness unkindness unfairness",
    "re- -able": "reusable rechargeable recyclable",
    "-able -ness": "desirableness agreeableness",
    "-ful -ness": "carefulness usefulness helpfulness hopefulness",
    # Not in the table: the letters are no affix, or one of two is not. The stem of undo
    # is too short for the rule of three letters.
    "": "undo undone uncle under union uniform until unless real ready reach red reason "
    "remember resign religion report table cable stable able vegetable awful harness "
    "witness wilderness business readiness unreal",
}


def test_more_than_a_hundred_words_labelled_by_hand():
    expected = {w: labels for labels, words in BY_HAND.items() for w in words.split()}
    assert len(expected) == 102
    dataset = real_words()
    found = {
        word: " ".join(np.array(AFFIXES)[row])
        for word, row in zip(dataset.words, dataset.labels, strict=True)
    }
    wrong = {
        word: found.get(word, "")
        for word, labels in expected.items()
        if found.get(word, "") != labels
    }
    assert wrong == {}


def test_counts_of_the_data_card():
    dataset = real_words()
    assert len(dataset) == 4422
    assert dataset.pure.counts() == {
        "un-": 1118,
        "re-": 1206,
        "-able": 350,
        "-ful": 146,
        "-ness": 1370,
    }
    assert {pair: n for pair, n in dataset.pair_counts().items() if n} == {
        ("un-", "re-"): 2,
        ("un-", "-able"): 86,
        ("un-", "-ful"): 13,
        ("un-", "-ness"): 38,
        ("re-", "-able"): 11,
        ("-able", "-ness"): 11,
        ("-ful", "-ness"): 71,
    }
    assert len(lookalike_words()[0]) == 143


def starts_or_ends(word, affix):
    letters = letters_of(affix)
    return word.startswith(letters) if is_prefix(affix) else word.endswith(letters)


def test_letters_agree_with_labels():
    dataset = real_words()
    assert (dataset.labels.sum(1) <= 2).all()
    assert (dataset.labels.sum(1) >= 1).all()
    for word, row in zip(dataset.pure.words, dataset.pure.labels, strict=True):
        seen = [starts_or_ends(word, affix) for affix in AFFIXES]
        assert seen == row.tolist(), word
    for word, row, stem in zip(dataset.words, dataset.labels, dataset.stems, strict=True):
        assert len(stem) >= 3
        seen = [starts_or_ends(word, affix) for affix in AFFIXES]
        # In un-re- and -fulness an affix stands behind, or before, the other.
        inner = [
            (word.startswith("unre") and affix == "re-")
            or (word.endswith(("fulness", "ableness")) and affix in ("-ful", "-able"))
            for affix in AFFIXES
        ]
        assert (row <= np.logical_or(seen, inner)).all(), word


def test_words_of_a_family_have_one_stem():
    dataset = real_words()
    stem = dict(zip(dataset.words, dataset.stems, strict=True))
    for family, words in {
        "pack": "unpack unpacks unpacked unpacking",
        "bind": "unbind unbound unbinding",
        "wind": "unwind unwound",
        "install": "reinstall reinstalled reinstalling uninstall uninstalled",
        "happy": "unhappy unhappily unhappiness unhappier",
        "certain": "uncertain uncertainly",
        "economic": "uneconomic uneconomically",
        "read": "reread rereads",
    }.items():
        assert {stem[word] for word in words.split()} == {family}


def test_lookalikes_have_one_affix_and_seem_to_have_another():
    dataset, seeming = lookalike_words()
    assert (dataset.labels.sum(1) == 1).all()
    assert (seeming.sum(1) == 1).all()
    assert not (dataset.labels & seeming).any()
    assert not set(dataset.words) & set(real_words().words)
    for word, affix in [("readiness", "re-"), ("unreal", "re-"), ("resourceful", "re-")]:
        assert seeming[dataset.words.index(word), AFFIXES.index(affix)]


def test_stems_are_clean():
    stems = clean_stems()
    assert len(set(stems)) == 2000
    assert list(stems) == sorted(stems)
    for stem in stems:
        assert not stem.startswith(("un", "re"))
        assert not any(letters in stem for letters in ("able", "ful", "ness"))
    assert set(clean_stems(300)) < set(stems)
    for n in (0, 2001, 1.5):
        with pytest.raises(ValueError, match=r"^n must be"):
            clean_stems(n)


def test_composed_words_are_plain_strings_of_their_parts():
    n = 2000
    dataset = composed_words()
    combinations = [(affix,) for affix in AFFIXES] + list(PAIRS)
    stems = clean_stems()
    assert len(dataset) == len(set(dataset.words)) == 14 * n
    for c, combination in enumerate(combinations):
        block = slice(c * n, (c + 1) * n)
        assert dataset.stems[block] == stems
        assert (dataset.labels[block] == [a in combination for a in AFFIXES]).all()
        prefixes = [letters_of(a) for a in combination if is_prefix(a)]
        suffixes = [letters_of(a) for a in combination if not is_prefix(a)]
        before, after = "".join(prefixes[::-1]), "".join(suffixes)
        assert dataset.words[block] == tuple(before + stem + after for stem in stems)


def test_composed_words_are_balanced():
    dataset = composed_words(150)
    assert set(dataset.pure.counts().values()) == {150}
    pairs = dataset.pair_counts()
    assert pairs.pop(("-able", "-ful")) == 0
    assert len(pairs) == 9
    assert set(pairs.values()) == {150}


def test_neutral_affixes_share_no_letter_with_the_five():
    letters = {letter for affix in AFFIXES for letter in letters_of(affix)}
    for affix, neutral in NEUTRAL.items():
        for other in neutral:
            assert not letters & set(letters_of(other))
            assert len(other) == len(affix)
            assert is_prefix(other) == is_prefix(affix)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("choice", [0, 1])
def test_controls_are_as_long_and_keep_one_affix_in_place(pair, choice):
    stems = clean_stems(100)
    words = compose(stems, [pair]).words
    controls = compose(stems, neutral_combinations(pair, choice))
    for kept, block in ((pair[1], slice(0, 100)), (pair[0], slice(100, 200))):
        assert (controls.labels[block] == [a == kept for a in AFFIXES]).all()
        letters = letters_of(kept)
        for word, control in zip(words, controls.words[block], strict=True):
            assert len(word) == len(control)
            at = word.find(letters) if is_prefix(kept) else word.rfind(letters)
            assert control[at : at + len(letters)] == letters


def test_combinations_that_cannot_be():
    for pair in [("un-", "-ship"), ("un-", "un-"), ("-able", "-ful"), ("un-",)]:
        with pytest.raises(ValueError, match=r"^pair must be one of re- un-, "):
            neutral_combinations(pair)
    with pytest.raises(ValueError, match=r"^combinations must hold sequences .*got 'un-'"):
        compose(["help"], ["un-"])
    assert compose(["help"], [()]).words == ("help",)
    with pytest.raises(ValueError, match=r"^choice must be 0 or 1, got 2"):
        neutral_combinations(PAIRS[0], choice=2)
    with pytest.raises(ValueError, match="got 'unhelp' twice"):
        compose(["help"], [("un-",), ("un-",)])


def test_the_tables_are_small_and_keep_their_notices():
    data = resources.files("jsuper.affixes") / "data"
    files = {file.name: file.read_bytes() for file in data.iterdir()}
    assert sum(map(len, files.values())) < 300_000
    # A line that each licence asks to keep.
    assert b"Copyright 2000-2011 by Kevin Atkinson" in files["scowl-copyright.txt"]
    assert b"WordNet 3.0 Copyright 2006 by Princeton" in files["wordnet-base-copyright.txt"]

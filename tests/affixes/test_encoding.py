"""Words as integers: every word can be read back, and ends are marked."""

import numpy as np
import pytest

from jsuper.affixes import END, N_CHARACTERS, PAD, START, composed_words, encode, real_words


def decode(row):
    inside = row[1 : list(row).index(END)]
    return "".join(chr(code - 3 + ord("a")) for code in inside)


@pytest.mark.parametrize("dataset", [real_words(), composed_words(50)])
def test_words_can_be_read_back(dataset):
    codes = dataset.encode()
    longest = max(map(len, dataset.words))
    assert codes.shape == (len(dataset), longest + 2)
    assert codes.dtype == np.int32
    assert codes.min() == PAD
    assert codes.max() < N_CHARACTERS
    assert tuple(decode(row) for row in codes) == dataset.words


def test_ends_are_marked_once_and_padding_follows():
    codes = encode(["un", "sun"], length=8)
    assert codes.tolist() == [
        [START, 23, 16, END, PAD, PAD, PAD, PAD],
        [START, 21, 23, 16, END, PAD, PAD, PAD],
    ]


def test_every_letter_has_its_own_code():
    codes = encode(["abcdefghijklmnopqrstuvwxyz"])[0, 1:-1]
    assert sorted(codes.tolist()) == list(range(3, N_CHARACTERS))


def test_no_words():
    assert encode([]).shape == (0, 2)


@pytest.mark.parametrize("length", [4, 0, 2.5, True])
def test_words_must_fit(length):
    with pytest.raises(ValueError, match=r"^length must be"):
        encode(["word"], length=length)


@pytest.mark.parametrize("word", ["Word", "naïve", "two words", "it's", "x1", "", 7])
def test_letters_a_to_z_only(word):
    with pytest.raises(ValueError, match="lower-case letters a to z, got"):
        encode(["fine", word])

"""AffixDataset: labels from a user's words, tables, splits by stem, errors."""

import jax
import numpy as np
import pytest

from jsuper.affixes import AFFIXES, AffixDataset, composed_words, encode, real_words

WORDS = """
happy unhappy happiness unhappiness note notable kind kindness unkind uncle under use reuse
usable useful usefulness table real ready resign sign cycle recycle
"""


def small():
    return AffixDataset.from_words(WORDS.split())


def as_dict(dataset):
    return {
        word: {affix for affix, has in zip(dataset.affixes, row, strict=True) if has}
        for word, row in zip(dataset.words, dataset.labels, strict=True)
    }


def test_labels_of_a_small_list():
    assert as_dict(small()) == {
        "unhappy": {"un-"},
        "happiness": {"-ness"},
        "unhappiness": {"un-", "-ness"},
        "notable": {"-able"},
        "kindness": {"-ness"},
        "unkind": {"un-"},
        "reuse": {"re-"},
        "usable": {"-able"},
        "useful": {"-ful"},
        "usefulness": {"-ful", "-ness"},
        "resign": {"re-"},  # spelling alone cannot tell
        "recycle": {"re-"},
    }
    stems = dict(zip(small().words, small().stems, strict=True))
    assert stems["unhappiness"] == "happy"
    assert stems["usefulness"] == "use"
    assert stems["notable"] == "note"


def test_repetitions_count_once_and_order_is_kept():
    again = AffixDataset.from_words(WORDS.split() * 2)
    assert again.words == small().words
    order = {word: i for i, word in enumerate(WORDS.split())}
    assert sorted(again.words, key=order.__getitem__) == list(again.words)


def test_own_affixes_and_vocabulary():
    dataset = AffixDataset.from_words(
        ["friendship", "worship", "overdo", "overdos", "hardship"],
        affixes=["-ship", "over-"],
        vocabulary=["friend", "hard", "tea", "do", "wor", "dos"],
    )
    # "do" is shorter than three letters.
    assert set(dataset.words) == {"friendship", "hardship", "worship", "overdos"}
    assert dataset.affixes == ("-ship", "over-")


def test_own_affixes_need_words():
    assert AffixDataset.from_words(["tea", "teas"], ["-s"]).words == ("teas",)
    with pytest.raises(ValueError, match="got 'over-', which none of the 2 words has"):
        AffixDataset.from_words(["tea", "teas"], ["-s", "over-"])


@pytest.mark.parametrize(
    ("words", "affixes", "message"),
    [
        ([], AFFIXES, "^words must hold at least one word, got none"),
        (["happy", "123"], AFFIXES, "^words must be of lower-case letters .* got '123'"),
        (["happy", ""], AFFIXES, "^words must be of lower-case letters .* got ''"),
        (["Happy"], AFFIXES, "^words must be of lower-case letters .* got 'Happy'"),
        ("unhappy happy", AFFIXES, "^words must be a list of words, got 'unhappy happy'"),
        (["happy"], [], "^affixes must be one or more, each once, got none"),
        (["happy"], ["un-", "un-"], "^affixes must be .* got 'un-' twice"),
        (["happy"], ["un"], "an affix must be lower-case letters with a hyphen"),
    ],
)
def test_bad_words_and_affixes(words, affixes, message):
    with pytest.raises(ValueError, match=message):
        AffixDataset.from_words(words, affixes)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"labels": np.ones((2, 2), int)}, "^labels must be booleans of shape .2, 2., "),
        ({"labels": np.ones((2, 3), bool)}, "^labels must be booleans of shape .2, 2., "),
        ({"stems": ("happy",)}, "^stems must be one per word, 2, got 1"),
        ({"words": ("unkind", "unkind")}, "^words must hold each word once, got 'unkind'"),
    ],
)
def test_fields_must_fit(fields, message):
    good = {
        "words": ("unhappy", "unkind"),
        "labels": np.array([[True, False]] * 2),
        "stems": ("happy", "kind"),
        "affixes": ("un-", "-ness"),
    }
    assert len(AffixDataset(**good)) == 2
    with pytest.raises(ValueError, match=message):
        AffixDataset(**good | fields)


def test_a_table_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "words.csv"
    small().to_csv(path)
    for back in (AffixDataset.from_csv(path), AffixDataset.from_csv(str(path))):
        assert back.words == small().words
        assert back.stems == small().stems
        np.testing.assert_array_equal(back.labels, small().labels)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "words.csv must hold a table, got an empty file"),
        ("word,labels,stem\n", "words.csv must hold at least one word, got only a heading"),
        ("word,labels\nunkind,un-\n", "must have a column 'stem', got word, labels"),
        ("word,labels,stem\nprekind,pre-,kind\n", "labels must be among .* got 'pre-'"),
        ("word,labels,stem\n12,un-,kind\n", "words must be of lower-case .* got '12'"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    path = tmp_path / "words.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        AffixDataset.from_csv(path)


@pytest.mark.parametrize("dataset", [real_words(), composed_words(100)])
@pytest.mark.parametrize("test_fraction", [0.2, 0.5])
def test_no_stem_is_on_both_sides(dataset, test_fraction):
    train, test = dataset.split(jax.random.key(3), test_fraction)
    stems = set(dataset.stems)
    assert not set(train.stems) & set(test.stems)
    assert set(train.stems) | set(test.stems) == stems
    assert sorted(train.words + test.words) == sorted(dataset.words)
    assert abs(len(set(test.stems)) - test_fraction * len(stems)) <= 0.5
    for side in (train, test):
        rows = [dataset.words.index(word) for word in side.words[::50]]
        np.testing.assert_array_equal(side.labels[::50], dataset.labels[rows])


def test_a_split_follows_from_its_key():
    dataset = composed_words(100)
    first, again, other = (dataset.split(jax.random.key(k))[1] for k in (0, 0, 1))
    assert first.words == again.words
    # Two samples of 20 of 100 stems share four on average, all 20 never.
    assert len(set(first.stems) & set(other.stems)) < 15


def test_a_split_of_composed_words_stays_balanced_and_in_order():
    train, test = composed_words(100).split(jax.random.key(0))
    for side, n_stems in ((train, 80), (test, 20)):
        stems = np.array(side.stems).reshape(14, n_stems)
        assert (stems == stems[0]).all()
        assert set(side.pure.counts().values()) == {n_stems}


def test_both_sides_of_a_split_have_a_stem():
    train, test = small().split(jax.random.key(0), test_fraction=0.001)
    assert len(set(test.stems)) == 1
    train, test = small().split(jax.random.key(0), test_fraction=0.999)
    assert len(set(train.stems)) == 1


@pytest.mark.parametrize("fraction", [0, 1, -0.1, np.nan, [0.2, 0.3]])
def test_split_fractions_out_of_range(fraction):
    with pytest.raises(ValueError, match=r"^test_fraction must be"):
        small().split(jax.random.key(0), fraction)


@pytest.mark.parametrize("key", [0, None, np.int64(3), jax.random.PRNGKey(0)])
def test_a_split_takes_a_typed_key(key):
    with pytest.raises(TypeError, match="key must be a typed key such as"):
        composed_words(4).split(key)


def test_one_stem_cannot_be_split():
    with pytest.raises(ValueError, match="two or more stems, got 1"):
        small().having("un-", "-ness").split(jax.random.key(0))


def test_selections_and_counts():
    dataset = small()
    assert dataset.n_affixes == 5
    assert len(dataset.pure) + len(dataset.dual) == len(dataset)
    assert dataset.counts() == {"un-": 3, "re-": 3, "-able": 2, "-ful": 2, "-ness": 4}
    pairs = {pair: n for pair, n in dataset.pair_counts().items() if n}
    assert pairs == {("un-", "-ness"): 1, ("-ful", "-ness"): 1}
    assert dataset.having("-ness", "un-").words == ("unhappiness",)
    assert dataset.having("un-").words == ("unhappy", "unkind")
    assert dataset.select([1, 0]).words == dataset.words[1::-1]
    assert len(dataset.select([])) == 0
    np.testing.assert_array_equal(dataset.encode(30), encode(dataset.words, 30))
    with pytest.raises(ValueError, match=r"affixes must be among .* got 'pre-'"):
        dataset.having("pre-")


def test_a_stem_is_compared_with_its_first_form():
    words = ("kind", "kindness", "kindnesses", "unkind", "unkindness", "unhelp")
    labels = np.array([[0, 0], [0, 1], [0, 1], [1, 0], [1, 1], [1, 0]], bool)
    dataset = AffixDataset(words, labels, ("kind",) * 5 + ("help",), ("un-", "-ness"))
    assert dataset.trios("un-", "-ness").tolist() == [[4, 3, 1]]
    assert dataset.trios("-ness", "un-").tolist() == [[4, 1, 3]]
    assert dataset.select([1, 5]).trios("un-", "-ness").shape == (0, 3)


def test_it_says_what_it_is():
    assert repr(AffixDataset.from_words(["kind", "unkind"], ["un-"])) == (
        "AffixDataset(1 words with un-)"
    )


@pytest.mark.parametrize("stem", ["Kind!", "", 5])
def test_stems_are_words(stem):
    with pytest.raises(ValueError, match=r"^stems must be of lower-case letters"):
        AffixDataset(("unkind",), np.array([[True]]), (stem,), ("un-",))


@pytest.mark.parametrize("words", [None, 3])
def test_words_are_a_list(words):
    with pytest.raises(ValueError, match=f"^words must be a list of words, got {words}"):
        AffixDataset.from_words(words)
    with pytest.raises(ValueError, match=r"^affixes must be one or more"):
        AffixDataset.from_words(["unkind"], None)


@pytest.mark.parametrize(
    "rows", [[True], [True] * 4, [1.7], [99], [-4], 0, ["unkind"]], ids=repr
)
def test_rows_that_are_none(rows):
    three = ["kind", "unkind", "kindness", "unkindness"]
    words = AffixDataset.from_words(three, ["un-", "-ness"])
    assert len(words) == 3
    with pytest.raises(ValueError, match=r"^rows must be indices of the 3 words or 3 bool"):
        words.select(rows)
    assert words.select([-1, 0]).words == ("unkindness", "unkind")
    assert words.select([]).words == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("word,labels,stem\nunkind,un-\n", "must have a stem in every row"),
        ("word,labels,stem\n,un-,kind\n", "must have a word in every row"),
        ("\n\n \n", "must hold a table, got an empty file"),
    ],
)
def test_tables_with_holes(tmp_path, text, message):
    path = tmp_path / "words.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        AffixDataset.from_csv(path)


def test_tables_of_spreadsheets_are_read(tmp_path):
    path = tmp_path / "words.csv"
    path.write_text("word,labels,stem\nunkind,un-,kind\n", encoding="utf-8-sig")
    assert AffixDataset.from_csv(path).words == ("unkind",)

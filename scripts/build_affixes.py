"""Builds the tables of words in jsuper/affixes/data from SCOWL and WordNet.

Both are Debian packages, scowl 2020.12.07-2 and wordnet-base 1:3.0-37 for the tables that
come with the package. Unpack them anywhere and say where, or install them:

    apt-get download scowl wordnet-base
    dpkg -x scowl_*.deb debs && dpkg -x wordnet-base_*.deb debs
    python scripts/build_affixes.py --root debs

The same lists give the same tables, to the byte. docs/affixes-data.md describes them.
"""

import argparse
import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np

from jsuper.affixes import AFFIXES, AffixDataset, attach
from jsuper.affixes.spelling import is_prefix, letters_of, segment
from jsuper.affixes.words import SHORTEST_STEM

SIZES = (10, 20, 35, 40, 50, 55, 60)  # SCOWL's: the smaller, the more frequent
STEM_SIZE = 35
N_STEMS = 2000
POS = ("noun", "verb", "adj", "adv")

# Regular inflections, as WordNet's own morphology undoes them (morphy.7WN); it keeps
# happier and the like in a list of exceptions, which is not complete.
INFLECTIONS = {
    "noun": ["s-", "ses-s", "xes-x", "zes-z", "ches-ch", "shes-sh", "men-man", "ies-y"],
    "verb": ["s-", "ies-y", "es-e", "es-", "ed-e", "ed-", "ing-e", "ing-"],
    "adj": ["er-", "est-", "er-e", "est-e", "ier-y", "iest-y"],
    "adv": [],
}

# What a gloss says of a verb with re-: recharge, "charge anew".
AGAIN = re.compile(
    r"\b(again|anew|afresh|newly|new|another|back|once more|over|second time|different"
    r"|differently|former|previous|restore|renew|renewed|repeat)\b"
)

# What passes every rule and is no affix, or no longer felt as one. Dictionary forms.
STRUCK = {
    "un-": "undies union unionization unionize unit unless until",
    "re-": "really rebel rebound rebuff recap recapitulate recede recession recite "
    "recognition recoil recon recons recount recover redeem refraction refund relay "
    "remission repair repercussion repetition representation repulse reserve resource "
    "resourced resourcing restore restrain retire retraction retreat return reverse "
    "reversion review revision revolt",
    "-able": "able amenable arable capable constable disable doable equable fable friable "
    "gable impregnable liable miserable mutable parable portable potable probable "
    "redoubtable sable stable tenable tractable vegetable viable",
    "-ful": "bashful grateful",
    "-ness": "business governess harness lioness wilderness witness",
}

# Stems that would make hurtful words.
UNWANTED = "incest lesbian molest orgasm racism racist rapist sexism sexist sperm"

# The affix is there, with an inflection or another suffix behind it: these words would
# count as having fewer affixes than they have.
HIDDEN = re.compile(r"(ably|fully|ability|abilities|ables|fuls|nesses)$")


class WordNet:
    """Parts of speech, glosses and the antonyms of nouns."""

    def __init__(self, folder: Path):
        self.glosses: dict[str, dict[str, list[str]]] = {}
        self.exceptions: dict[str, dict[str, str]] = {}
        self.antonyms: set[tuple[str, str]] = set()
        for pos in POS:
            synsets = {}
            for line in (folder / f"data.{pos}").read_text("ascii").splitlines():
                if line.startswith("  "):  # the licence
                    continue
                head, gloss = line.split(" | ", 1)
                fields = head.split()
                n = int(fields[3], 16)
                lemmas = [re.sub(r"\(.*", "", name) for name in fields[4 : 4 + 2 * n : 2]]
                synsets[fields[0]] = (
                    lemmas,
                    re.sub(r'"[^"]*"', "", gloss),
                    fields[4 + 2 * n :],
                )
            glosses: dict[str, list[str]] = {}
            for lemmas, gloss, pointers in synsets.values():
                for lemma in lemmas:
                    glosses.setdefault(lemma, []).append(gloss)
                if pos == "noun":
                    self._add_antonyms(lemmas, pointers, synsets)
            self.glosses[pos] = glosses
            lines = (folder / f"{pos}.exc").read_text("ascii").splitlines()
            self.exceptions[pos] = dict(line.split()[:2] for line in lines)

    def _add_antonyms(self, lemmas, pointers, synsets) -> None:
        for i in range(int(pointers[0])):
            symbol, offset, _, ends = pointers[1 + 4 * i : 5 + 4 * i]
            if symbol == "!":
                source, target = int(ends[:2], 16), int(ends[2:], 16)
                self.antonyms.add((lemmas[source - 1], synsets[offset][0][target - 1]))

    def lemma(self, word: str, pos: str) -> str | None:
        """The dictionary form of ``word`` as this part of speech, None if it is none."""
        return next(iter(self.forms(word, pos)), None)

    def forms(self, word: str, pos: str) -> list[str]:
        """All dictionary forms: bound is one itself, and a form of bind."""
        found = [word] if word in self.glosses[pos] else []
        if word in self.exceptions[pos]:
            found.append(self.exceptions[pos][word])
        for rule in INFLECTIONS[pos]:
            ending, instead = rule.split("-")
            lemma = word[: -len(ending)] + instead
            if word.endswith(ending) and lemma in self.glosses[pos]:
                found.append(lemma)
        return found

    def adjective(self, word: str) -> str:
        """The adjective or participle of an adverb with -ly, otherwise ``word``."""
        if (
            not word.endswith("ly")
            or "adv" not in self.pos(word)
            or "adj" in self.pos(word)
        ):
            return word
        endings = ("ally", ""), ("ily", "y"), ("y", "e"), ("ly", "")
        bases = (word[: -len(e)] + i for e, i in endings if word.endswith(e))
        known = (b for b in bases if "adj" in self.pos(b) or self.is_participle(b))
        return next(known, word)

    def pos(self, word: str) -> set[str]:
        """The parts of speech of ``word``."""
        return {pos for pos in POS if self.lemma(word, pos)}

    def lemmas(self, word: str) -> set[str]:
        """``word`` and its dictionary forms."""
        return {word} | {lemma for pos in POS if (lemma := self.lemma(word, pos))}

    def is_participle(self, word: str) -> bool:
        """Whether ``word`` is the -ed, -ing or irregular form of a verb."""
        lemma = self.lemma(word, "verb")
        return lemma is not None and lemma != word and not word.endswith("s")

    def is_rude(self, word: str) -> bool:
        """Whether a gloss warns of the word."""
        warning = r"offensive|obscen|vulgar|slur|disparag|derogat|ethnic|taboo"
        lists = (glosses.get(word, []) for glosses in self.glosses.values())
        return any(re.search(warning, gloss) for glosses in lists for gloss in glosses)


def scowl(folder: Path) -> dict[str, int]:
    """Lower-case words of American English and the smallest list that each is in."""
    sizes = {}
    for size in SIZES:
        for kind in ("english", "american"):
            text = (folder / f"{kind}-words.{size}").read_text("latin-1")
            for word in text.split():
                if re.fullmatch("[a-z]+", word):
                    sizes.setdefault(word, size)
    return sizes


def belongs(word: str, affix: str, stem: str, wordnet: WordNet) -> bool:
    """Whether parts of speech and meaning allow ``word`` as ``stem`` with ``affix``."""
    if wordnet.lemmas(word) & set(STRUCK[affix].split()):
        return False
    whole, part = wordnet.pos(word), wordnet.pos(stem)
    participle = wordnet.is_participle(stem)
    if affix == "un-":
        if whole & part & {"adj", "adv", "verb"}:
            return True
        if whole & part & {"noun"}:
            return (word, stem) in wordnet.antonyms
        if not whole:
            return participle or bool(part & {"adj", "adv", "verb"})
        return participle and "adj" in whole
    if affix == "re-":
        if not whole:
            return "verb" in part
        glosses = [
            gloss
            for pos in whole & part & {"verb", "noun"}
            for gloss in wordnet.glosses[pos].get(wordnet.lemma(word, pos) or "", [])
        ]
        return any(AGAIN.search(gloss) for gloss in glosses)
    if affix == "-able":
        return (not whole or "adj" in whole) and bool(part & {"verb", "noun"})
    if affix == "-ful":
        return (not whole or bool(whole & {"adj", "noun"})) and bool(
            part & {"verb", "noun"}
        )
    return (not whole or "noun" in whole) and ("adj" in part or participle)


def seeming(word: str) -> set[str]:
    """The affixes whose letters are at the ends of ``word``, one behind the other."""
    found, changed = set(), True
    while changed:
        changed = False
        for affix in AFFIXES:
            letters = letters_of(affix)
            if is_prefix(affix) and word.startswith(letters):
                word = word[len(letters) :]
            elif not is_prefix(affix) and word.endswith(letters):
                word = word[: -len(letters)]
            else:
                continue
            found.add(affix)
            changed = True
    return found


def label(sizes: dict[str, int], wordnet: WordNet):
    """Returns (word, affixes, seeming affixes, stem) for each word with an affix."""

    def choose(word: str, affix: str, stems: tuple[str, ...]) -> str | None:
        good = [
            stem
            for stem in stems
            if len(stem) >= SHORTEST_STEM
            and stem in sizes
            and belongs(word, affix, stem, wordnet)
        ]
        # breathable is from breathe, not from breath; educable not from educe.
        wanted = "adj" if affix == "-ness" else "verb" if affix == "-able" else None

        def rank(stem: str) -> tuple[bool, int]:
            return (wanted not in wordnet.pos(stem), sizes[stem])

        return min(good, key=rank, default=None)

    parses = {word: segment(word, AFFIXES, choose) for word in sorted(sizes)}
    parses = {word: parse for word, parse in parses.items() if parse[0]}

    def family(word: str, found: frozenset[str], stem: str) -> str:
        """The dictionary form: unpacked and unpacks belong together."""
        if not any(is_prefix(affix) for affix in found):
            return stem  # meaningful is not from mean
        adjective = wordnet.adjective(stem)
        stem = adjective if adjective in sizes else stem
        parts = ("verb", "noun", "adj")
        forms = [form for pos in parts for form in wordnet.forms(stem, pos)]
        forms = [form for form in forms if form in sizes]
        # Beside unbind, unbound is a form of it.
        front = word[: word.find(stem)]
        known = (form for form in forms if form != stem and front + form in parses)
        return next(known, forms[0] if forms else stem)

    rows = []
    for word, (found, part) in parses.items():
        stem = family(word, found, part)
        if len(stem) >= SHORTEST_STEM:
            rows.append((word, found, seeming(word), stem))
    return rows


def clean_stems(sizes: dict[str, int], wordnet: WordNet) -> list[str]:
    """The most frequent stems that every suffix joins without a change of spelling."""
    prefixes = tuple(letters_of(affix) for affix in AFFIXES if is_prefix(affix))
    suffixes = [affix for affix in AFFIXES if not is_prefix(affix)]
    ends = tuple(letters_of(affix) for affix in suffixes)

    def clean(word: str) -> bool:
        return (
            4 <= len(word) <= 7
            # The last consonant of limit stays single and that of begin doubles: take
            # only words whose spelling settles it.
            and re.search(r"([^aeiouy]{2}|[aeiou]{2}[^aeiouy]|[aeiou][wxy])$", word)
            is not None
            and not word.startswith(prefixes)
            and not any(end in word for end in ends)
            and not word.endswith(("ing", "dom", "wick", "hood", "ies"))
            and not (word.endswith("s") and word[:-1] in sizes)  # bowels
            and not (word.endswith("est") and word[:-3] in sizes)  # lowest
            and all(
                attach(word, suffix) == word + letters_of(suffix) for suffix in suffixes
            )
            and wordnet.lemmas(word) == {word}
            and bool(wordnet.pos(word) & {"noun", "verb", "adj"})
            and not wordnet.is_rude(word)
            and word not in UNWANTED.split()
        )

    chosen: list[str] = []
    for size in SIZES[: SIZES.index(STEM_SIZE) + 1]:
        new = [word for word in sorted(sizes) if sizes[word] == size and clean(word)]
        left = N_STEMS - len(chosen)
        if len(new) > left:  # evenly spaced, or the last size would end at its letter c
            new = [new[i * len(new) // left] for i in range(left)]
        chosen += new
    if len(chosen) != N_STEMS:
        raise SystemExit(f"{len(chosen)} clean stems, wanted {N_STEMS}")
    return sorted(chosen)


def write(path: Path, columns: list[str], rows) -> None:
    """Writes a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def main() -> None:
    """Builds the tables and prints their counts."""
    parser = argparse.ArgumentParser(description="Builds the tables of words.")
    parser.add_argument(
        "--root",
        type=Path,
        default=Path("/"),
        help="where the packages were unpacked: the lists are looked for in "
        "ROOT/usr/share/dict/scowl and ROOT/usr/share/wordnet, their notices in "
        "ROOT/usr/share/doc (default: /)",
    )
    parser.add_argument("--out", type=Path, default=Path("jsuper/affixes/data"))
    arguments = parser.parse_args()

    sizes = scowl(arguments.root / "usr/share/dict/scowl")
    wordnet = WordNet(arguments.root / "usr/share/wordnet")
    rows = label(sizes, wordnet)

    hidden = [row for row in rows if HIDDEN.search(row[0])]
    rows = [row for row in rows if not HIDDEN.search(row[0])]
    real = [row for row in rows if row[2] == row[1] and len(row[1]) <= 2]
    lookalike = [row for row in rows if len(row[1]) == 1 and len(row[2] - row[1]) == 1]

    labels = np.array([[affix in found for affix in AFFIXES] for _, found, _, _ in real])
    dataset = AffixDataset(
        words=tuple(word for word, *_ in real),
        labels=labels,
        stems=tuple(stem for *_, stem in real),
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    dataset.to_csv(arguments.out / "real.csv")
    write(
        arguments.out / "lookalike.csv",
        ["word", "labels", "seeming", "stem"],
        [(word, *found, *(seems - found), stem) for word, found, seems, stem in lookalike],
    )
    for package in ("scowl", "wordnet-base"):
        notice = arguments.root / "usr/share/doc" / package / "copyright"
        (arguments.out / f"{package}-copyright.txt").write_bytes(notice.read_bytes())
    write(arguments.out / "stems.csv", ["stem"], [[s] for s in clean_stems(sizes, wordnet)])

    by_spelling = AffixDataset.from_words(sizes)
    kept = {(word, affix) for word, found, *_ in rows + hidden for affix in found}
    spelt = {
        (word, affix)
        for word, row in zip(by_spelling.words, by_spelling.labels, strict=True)
        for affix, has in zip(AFFIXES, row, strict=True)
        if has
    }
    print(f"{len(sizes)} words in the list")
    print(f"spelling alone: {len(by_spelling)} words, {len(spelt)} labels, of which the")
    print("rules take away", len(spelt - kept), Counter(a for _, a in spelt - kept))
    print(f"{len(rows) + len(hidden)} with an affix, {len(hidden)} of them hidden in part")
    others = Counter((len(row[1]), len(row[2] - row[1])) for row in rows)
    print("(affixes, seeming besides): words", dict(sorted(others.items())))
    print(f"pure {len(dataset.pure)}", dataset.pure.counts())
    print(f"dual {len(dataset.dual)}", dataset.pair_counts())
    print("lookalike", Counter((*row[1], *(row[2] - row[1])) for row in lookalike))


if __name__ == "__main__":
    main()

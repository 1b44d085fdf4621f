"""The affix experiment: counts of answers made by hand, outcome of trained models."""

import dataclasses

import jax
import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.affixes import (
    AFFIXES,
    PAIRS,
    compose,
    composed_words,
    geometry,
    lookalike_words,
    neutral_combinations,
    real_words,
)
from jsuper.affixes.classifier import AffixClassifier
from jsuper.experiments.affixes import EXPERIMENT, causes, counts, measures, train
from jsuper.experiments.affixes import corpus as corpora
from jsuper.experiments.affixes.findings import random_gap
from jsuper.experiments.affixes.plane import classes as figure_classes
from jsuper.experiments.affixes.statistics import (
    LINEAR,
    RELU,
    UNSTACKED,
    drop,
    dual_accuracy,
    interference,
    learned,
    rate,
    with_pairs_of,
)

PAIR_LABELS, OWN = corpora.PAIR_LABELS, corpora.OWN


@pytest.mark.parametrize(
    "corpus",
    [
        corpora.Corpus(composed_words(60), composed=True),
        corpora.Corpus(real_words(), composed=False),
    ],
    ids=["composed", "real"],
)
def test_splits_are_those_of_the_data_set_and_share_no_stem(corpus):
    stems = np.array(corpus.words.stems)
    for split in (0, 3):
        tested = corpus.in_test(split)
        key = jax.random.fold_in(jax.random.key(7), split)
        _, test = corpus.words.split(key)
        assert np.array(corpus.words.words)[tested].tolist() == list(test.words)
        weights = corpus.weights(split, dual_share=0.3, balanced=True)
        assert not weights[tested].any()
        assert not set(stems[tested]) & set(stems[weights > 0])
        dual = corpus.words.labels.sum(1) == 2
        assert weights[dual].sum() == pytest.approx(0.3)
        assert weights.sum() == pytest.approx(1)
        np.testing.assert_allclose(
            (weights * ~dual) @ corpus.words.labels, np.full(5, 0.7 / 5)
        )
        pairs = np.arange(9)
        weights = corpus.weights(split, dual_share=0.3, pairs=pairs)
        there = pairs * (corpus.of_pair & ~tested[:, None]).any(0)
        np.testing.assert_allclose(
            weights @ corpus.of_pair, 0.3 * there / there.sum(), atol=1e-12
        )
        plain = corpus.weights(split)
        assert set(plain[plain > 0]) == {plain.max()}
        assert not plain[dual].any()
    assert (corpus.in_test(0) != corpus.in_test(3)).any()


def models(n, answer_of):
    """Models that answer one thing to all words of a pair: ``answer_of(circle, pair)``."""
    circles = geometry.shuffles(n, 5, seed=3)
    middle = geometry.between(circles, PAIR_LABELS)
    answer = np.array(
        [
            [answer_of(m, a, b) for m, (a, b) in zip(row, PAIR_LABELS, strict=True)]
            for row in middle
        ]
    )
    counts = 10 * (answer[..., None] == np.array([0, 1, 2, 3, 4, -1]))
    other = np.array([[(set(range(5)) - {a, b}).pop() for a, b in PAIR_LABELS]] * n)
    other = np.where(middle >= 0, middle, other)
    shuffled = geometry.shuffles(n * 24, 5, seed=4).reshape(n, 24, 5)
    random_other = np.stack(
        [next_other(shuffled.reshape(-1, 5), a, b).reshape(n, 24) for a, b in PAIR_LABELS],
        -1,
    )
    dims = ("split", "pair")
    return xr.Dataset(
        {
            "answers": ((*dims, "answer"), counts),
            "predicted": (dims, np.where(middle >= 0, middle, PAIR_LABELS[:, 0])),
            "predicted_other": (dims, other),
            "shuffled": (("split", "shuffle", "pair"), shuffled[..., [0] * 9]),
            "shuffled_other": (("split", "shuffle", "pair"), random_other),
            "between": (dims, middle),
            "shuffled_between": (
                ("split", "shuffle", "pair"),
                geometry.between(shuffled, PAIR_LABELS),
            ),
        }
    )


def next_other(orders, a, b):
    """The first label of each order that is neither a nor b."""
    free = (orders != a) & (orders != b)
    return np.take_along_axis(orders, free.argmax(-1)[:, None], -1)[:, 0]


def test_causes_of_models_that_answer_with_the_class_between():
    found = all_causes(models(300, lambda m, a, b: m if m >= 0 else a))
    assert found["between"][:3] == (1, 1, 1)
    assert found["invented"][:3] == (1, 1, 1)
    assert found["answer"][:3] == (1, 1, 1)
    assert found["accuracy, adjacent"][0] == 1
    assert found["accuracy, apart"][0] == 0
    assert found["error, foreign region"][0] == 1
    assert found["error, own region"][0] == 0
    # Orders at random, and those of the other models, are chance.
    for name in ("between", "invented"):
        assert found[f"{name} shuffled"][0] == pytest.approx(1 / 3, abs=0.02)
        assert found[f"{name} another model"][0] == pytest.approx(1 / 3, abs=0.05)
    assert found["answer shuffled"][0] == pytest.approx(1 / 5, abs=0.02)
    assert found["adjacent - apart shuffled"][0] == pytest.approx(0, abs=0.02)
    assert found["adjacent - apart another model"][0] == pytest.approx(0, abs=0.05)
    # Half of nine pairs is apart on a random circle.
    assert found["foreign"][0] == pytest.approx(0.5, abs=0.03)


def test_causes_of_models_that_answer_without_geometry():
    rng = np.random.default_rng(0)
    found = all_causes(models(400, lambda m, a, b: rng.integers(5)))
    for name in ("between", "invented", "invented shuffled", "invented another model"):
        assert found[name][0] == pytest.approx(1 / 3, abs=0.04)
    assert found["answer"][0] == pytest.approx(0.2, abs=0.03)
    low, high = found["adjacent - apart"][1:3]
    assert low < 0.02
    assert high > -0.02


def test_the_most_frequent_error_is_found_in_the_other_models():
    """All models invent the same affix for a pair, whatever their circles."""
    wrong = [int(np.flatnonzero(~own)[0]) for own in OWN]
    by_pair = {tuple(pair): label for pair, label in zip(PAIR_LABELS, wrong, strict=True)}
    found = all_causes(models(50, lambda m, a, b: by_pair[a, b]))
    assert found["invented most frequent"][:3] == (1, 1, 1)
    assert found["between"][0] < 0.6


def test_habits_are_no_geometry():
    """Models that always answer the suffix: the other models tell as much as one could."""
    found = all_causes(models(50, lambda m, a, b: max(a, b)))
    assert found["answer most frequent"][:3] == (1, 1, 1)
    assert found["answer"][0] < 0.6


def all_causes(ds):
    parts = (causes.answers, causes.inventions, causes.regions, causes.circle)
    return {name: value for part in parts for name, value in part(ds).items()}


def words_of(codes):
    """The words of encoded rows."""
    return ["".join(chr(c - 3 + ord("a")) for c in row if c > 2) for row in codes]


def scores(split, word):
    """What a model answers to a word: anything, but always the same."""
    return np.random.default_rng([split, *word.encode()]).normal(size=5)


def fake_predict(model, params, codes):
    n = len(params)
    per_model = codes if codes.ndim == 3 else [codes] * n
    outputs = np.array(
        [
            [scores(s, w) for w in words_of(c)]
            for s, c in zip(params, per_model, strict=True)
        ]
    )
    return outputs[..., :2], outputs


def right(split, word, labels):
    return bool(labels[np.argmax(scores(split, word))])


@pytest.fixture
def predicted(monkeypatch):
    """Measures take their answers from `scores`."""
    monkeypatch.setattr(counts.evaluation, "predict", fake_predict)


def test_composed_words_are_counted_as_a_loop_over_words_counts_them(predicted):
    corpus = corpora.Corpus(composed_words(40), composed=True)
    splits = np.array([0, 4])
    found = counts.count_composed(corpus, AffixClassifier(2), splits, splits, 40)
    hits = [[]] * 5
    for row, split in enumerate(splits):
        tested = dict(zip(corpus.words.stems, corpus.in_test(split), strict=True))
        stems = sorted(stem for stem in tested if tested[stem])
        for label, affix in enumerate(AFFIXES):
            known, new = (
                compose([stem for stem in tested if tested[stem] == side], [(affix,)]).words
                for side in (False, True)
            )
            own = np.arange(5) == label
            recall = np.mean([right(split, word, own) for word in known])
            assert found["recall"][1][row, label] == pytest.approx(recall)
            mean = np.mean([scores(split, word)[:2] for word in known], 0)
            np.testing.assert_allclose(found["means"][1][row, label], mean)
            hits[label] = [right(split, word, own) for word in new]
        assert found["pure_accuracy"][1][row] == pytest.approx(np.mean(hits))
        for p, (pair, own) in enumerate(zip(PAIRS, OWN, strict=True)):
            first, second = (np.arange(5) == label for label in PAIR_LABELS[p])
            good = {
                stem
                for stem in stems
                if right(split, compose([stem], [pair[:1]]).words[0], first)
                and right(split, compose([stem], [pair[1:]]).words[0], second)
            }
            dual = {stem: compose([stem], [pair]).words[0] for stem in stems}
            wrong = [stem for stem in good if not right(split, dual[stem], own)]
            assert found["interference_stems"][1][row, p] == len(good)
            assert found["interference_wrong"][1][row, p] == len(wrong)
            given = [np.argmax(scores(split, dual[s])) for s in stems]
            tally = [*np.bincount(given, minlength=5), 0]
            np.testing.assert_array_equal(found["answers"][1][row, p], tally)
            top = [set(np.argsort(scores(split, dual[s]))[-2:]) for s in stems]
            both = sum(t == set(PAIR_LABELS[p]) for t in top)
            assert found["both_top"][1][row, p] == both
            for k, (kept, label) in enumerate((("second", second), ("first", first))):
                assert corpora.KEPT[k] == kept
                controls = [
                    compose([stem], [neutral_combinations(pair, choice)[k]]).words[0]
                    for choice in (0, 1)
                    for stem in good
                ]
                failed = sum(not right(split, word, label) for word in controls)
                assert found["control_wrong"][1][row, p, k] == failed
                assert found["control_stems"][1][row, p, k] == len(controls)


def test_real_words_are_counted_as_a_loop_over_words_counts_them(predicted):
    corpus = corpora.Corpus(real_words(), composed=False)
    splits = np.array([1])
    found = counts.count_real(corpus, AffixClassifier(2), splits, splits)
    tested = corpus.in_test(1)
    rows = list(
        zip(corpus.words.words, corpus.words.stems, corpus.words.labels, strict=True)
    )
    single = [
        (word, labels, new)
        for (word, _, labels), new in zip(rows, tested, strict=True)
        if labels.sum() == 1
    ]
    hits = [right(1, word, labels) for word, labels, new in single if new]
    assert found["pure_accuracy"][1][0] == pytest.approx(np.mean(hits))
    for label in range(5):
        known = [word for word, labels, new in single if labels[label] and not new]
        recall = np.mean([right(1, word, np.arange(5) == label) for word in known])
        assert found["recall"][1][0, label] == pytest.approx(recall)
        mean = np.mean([scores(1, word)[:2] for word in known], 0)
        np.testing.assert_allclose(found["means"][1][0, label], mean)
    alike, seeming = lookalike_words()
    either = [
        right(1, word, labels)
        for word, labels in zip(alike.words, alike.labels | seeming, strict=True)
    ]
    assert found["lookalike_accuracy"][1][0] == pytest.approx(np.mean(either))
    for p, own in enumerate(OWN):
        wrong = trials = top = 0
        failed, answers = {"second": 0, "first": 0}, np.zeros(6, int)
        for i, (word, stem, labels) in enumerate(rows):
            if not tested[i] or (labels != own).any():
                continue
            answers[np.argmax(scores(1, word))] += 1
            top += set(np.argsort(scores(1, word))[-2:]) == set(PAIR_LABELS[p])
            alone = [
                [w for w, s, has in rows if s == stem and has.sum() == 1 and has[label]]
                for label in PAIR_LABELS[p]
            ]
            pure = [labels & (np.arange(5) == label) for label in PAIR_LABELS[p]]
            if all(alone) and all(
                right(1, words[0], has) for words, has in zip(alone, pure, strict=True)
            ):
                trials += 1
                wrong += not right(1, word, own)
                for choice in (0, 1):
                    parts = neutral_combinations(PAIRS[p], choice)
                    control = dict(zip(failed, compose([stem], parts).words, strict=True))
                    failed["second"] += not right(1, control["second"], pure[1])
                    failed["first"] += not right(1, control["first"], pure[0])
        np.testing.assert_array_equal(found["answers"][1][0, p], answers)
        assert found["both_top"][1][0, p] == top
        assert found["interference_stems"][1][0, p] == trials
        assert found["interference_wrong"][1][0, p] == wrong
        assert (found["control_stems"][1][0, p] == 2 * trials).all()
        assert (
            dict(zip(corpora.KEPT, found["control_wrong"][1][0, p], strict=True)) == failed
        )


def test_a_stem_is_compared_with_its_first_form():
    words = real_words()
    rows = corpora.trios(words, ("-able", "re-"))
    found = {words.words[i]: words.words[k] for i, _, k in rows}
    assert found["reclaimable"] == "reclaim"
    assert found["rechargeable"] == "recharge"


def test_weights_are_found_in_the_other_models():
    rng = np.random.default_rng(0)
    d = rng.normal(size=(6, 5, 2))
    d -= d.mean(1, keepdims=True)
    true = rng.uniform(0.2, 1, (9, 2))
    dual = (true[..., None] * d[:, PAIR_LABELS]).sum(2)
    among = np.arange(6) != 2
    dual[2] = 100  # not among those to learn from
    dual[4] = -50  # learns from the others, and is learnt from
    found = measures.place_weights(d, dual, among)
    np.testing.assert_allclose(found[4], true, atol=1e-9)
    assert np.abs(found[0] - true).max() > 0.1
    dual[4] = (true[..., None] * d[4, PAIR_LABELS]).sum(1)
    np.testing.assert_allclose(measures.place_weights(d, dual, among)[2], true, atol=1e-9)


def test_additivity_of_models_whose_displacements_add():
    ds = whole(5)
    np.testing.assert_allclose(causes.additivity(ds), 1)
    centre = ds["means"].mean("affix")
    half = centre + 0.5 * (ds["dual_means"] - centre)
    ds["dual_means"] = half.transpose(*ds["dual_means"].dims)
    # Half the way: R² = 1 - (1/2)² / (1/2)².
    r2, cosine = causes.additivity(ds, UNSTACKED)
    np.testing.assert_allclose(r2, 0, atol=1e-9)
    np.testing.assert_allclose(cosine, 1)


def test_rates_take_the_pairs_of_another_list():
    ds, other = whole(3), whole(3)
    ds["interference_wrong"][:] = np.arange(9)
    ds["interference_stems"][:] = 10
    other["interference_stems"][:] = 0
    other["interference_stems"][:, [2, 5]] = 4
    assert with_pairs_of(ds, other)[0] == pytest.approx(0.35)


def whole(n):
    """Models as `measure` describes them, with the class between as their answer."""
    ds = models(n, lambda m, a, b: m if m >= 0 else a)
    rng = np.random.default_rng(n)
    means = rng.normal(size=(n, 5, 2))
    one, by_pair = ("split",), ("split", "pair")
    kept = (*by_pair, "kept")
    return ds.assign(
        means=((*one, "affix", "hidden"), means),
        dual_means=(
            (*by_pair, "hidden"),
            geometry.predicted_positions(means, PAIR_LABELS),
        ),
        loss=(one, np.zeros(n)),
        weighted=ds["predicted"],
        recall=((*one, "affix"), rng.uniform(0.9, 1, (n, 5))),
        passes=(one, np.ones(n, bool)),
        active=(one, 2 + np.arange(n) % 2),
        pure_accuracy=(one, rng.uniform(0.95, 1, n)),
        largest_gap=(one, rng.uniform(80, 120, n)),
        both_top=(by_pair, rng.integers(0, 5, (n, 9))),
        interference_wrong=(by_pair, rng.integers(0, 5, (n, 9))),
        interference_stems=(by_pair, np.full((n, 9), 9)),
        control_wrong=(kept, rng.integers(0, 2, (n, 9, 2))),
        control_stems=(kept, np.full((n, 9, 2), 9)),
    ).assign_coords(
        split=np.arange(n),
        kept=list(corpora.KEPT),
        pair=corpora.PAIR_NAMES,
        answer=list(measures.ANSWERS),
    )


def test_variations_are_models_that_exist_and_reach_findings_and_figures(
    monkeypatch, tmp_path
):
    """Without training: every name, value and option that the full run uses."""

    def fake_fit(corpus, n, steps, axis="threshold", values=train.ACTIVATIONS, **options):
        options.pop("balanced", None)
        options.pop("pairs", None)
        for value in values:
            AffixClassifier(**options, **({} if axis == "dual_share" else {axis: value}))
        parts = [whole(n) for _ in values]
        return (
            xr.concat(parts, "value").assign_coords(value=list(values)).rename(value=axis)
        )

    monkeypatch.setattr(train, "fit", fake_fit)
    settings = dataclasses.replace(train.FULL, models=8, others=6)
    real = corpora.Corpus(real_words(), composed=False)
    fits = train.fit_all(None, real, settings)
    tree = xr.DataTree.from_dict(fits | {"plane": plane()})
    # As after `jsuper reproduce --from`.
    js.save(tree, tmp_path / "models.nc")
    models = js.load(tmp_path / "models.nc")
    found = EXPERIMENT.findings(models)
    assert len({finding.stated for finding in found}) == len(found) == 19
    assert {finding.by for finding in found[:4]} == {"the review"}
    assert {finding.by for finding in found[4:]} == {"ours"}
    for finding in found:
        assert "|" not in finding.stated + finding.measured()
        assert all(np.isfinite(case.value) for case in finding.cases)
        assert all(case.low <= case.high for case in finding.cases if case.low is not None)
    by_name = {finding.stated: finding for finding in found}
    # Every error is the class between.
    between = by_name[
        "incorrect predictions for pairs apart on the circle are the class between them "
        "(chance 33%)"
    ]
    assert between.agrees
    assert (between.cases[0].value, between.cases[0].n) == (1, 8)
    # No rate differs: the same draws everywhere.
    assert not by_name["dual words in training repair it"].agrees
    for figure in EXPERIMENT.figures(models).values():
        figure.draw_without_rendering()


def plane():
    """Two hidden planes as `measures.example` returns them."""
    rng = np.random.default_rng(0)
    angles = 2 * np.pi * np.arange(5) / 5
    W = np.stack([np.cos(angles), np.sin(angles)], -1)
    both = np.stack([W, W])
    return xr.Dataset(
        {
            "W": (("threshold", "feature", "hidden"), both),
            "b": (("threshold", "feature"), np.zeros((2, 5))),
            "means": (("threshold", "affix", "hidden"), both),
            "pure": (("threshold", "pure_word", "hidden"), rng.normal(size=(2, 50, 2))),
            "label": (("threshold", "pure_word"), np.tile(np.arange(5), (2, 10))),
            "dual": (("threshold", "dual_word", "hidden"), rng.normal(size=(2, 9, 2))),
            "own": (("threshold", "place"), np.array([[0, 2], [4, 1]])),
        },
        coords={"threshold": [LINEAR, RELU]},
    )


def test_no_setting_is_left_out():
    with pytest.raises(ValueError, match="choices must be those of the full version"):
        train.fit_choice("median_pooling", None, None, train.QUICK)


def test_the_largest_gap_of_random_directions():
    angles = np.sort(np.random.default_rng(0).uniform(0, 360, (20_000, 5)), -1)
    gaps = np.diff(angles, append=angles[:, :1] + 360).max(-1)
    assert random_gap(5) == pytest.approx(np.median(gaps), abs=1)


@pytest.mark.slow
def test_predictions_are_those_of_the_weights_and_the_means():
    corpus = corpora.Corpus(composed_words(30), composed=True)
    ds = train.fit(corpus, 2, 200, values=(LINEAR,)).squeeze("threshold")
    order = geometry.shuffles(2 * measures.SHUFFLES, 5).reshape(2, -1, 5)
    for split in range(2):
        one = ds.isel(split=split)
        W, b, means = one["W"].values, one["b"].values, one["means"].values
        centre = means.mean(0)
        angles = np.arctan2(*(means - centre).T[::-1])
        circle = np.argsort(angles).tolist()
        for p, pair in enumerate(PAIR_LABELS):
            rest = [label for label in range(5) if label not in pair]

            def outputs(means, pair=pair, W=W, b=b, centre=centre):
                return (means[pair].sum(0) - centre) @ W.T + b

            y = outputs(means)
            assert int(one["predicted"][p]) == y.argmax()
            assert int(one["predicted_other"][p]) == max(rest, key=lambda i: y[i])
            steps = (circle.index(pair[1]) - circle.index(pair[0])) % 5
            start = pair[0] if steps == 2 else pair[1]
            middle = circle[(circle.index(start) + 1) % 5]
            assert int(one["between"][p]) == (middle if steps in (2, 3) else -1)
            for i, shuffled in enumerate(order[split]):
                y = outputs(means[shuffled])
                assert int(one["shuffled"][i, p]) == y.argmax()
                other = max(rest, key=lambda label: y[label])
                assert int(one["shuffled_other"][i, p]) == other
    assert (ds["shuffled"] != ds["predicted"]).any()


def test_word_lists_share_no_draws(monkeypatch):
    keys = []

    class Stop(Exception):
        pass

    def sweep(build, axes, recipe, *, key):
        keys.append(jax.random.key_data(key).tolist())
        raise Stop

    monkeypatch.setattr(train.js, "sweep", sweep)
    for words, composed in ((composed_words(20), True), (real_words(), False)):
        with pytest.raises(Stop):
            train.fit(corpora.Corpus(words, composed), 2, 20)
    assert keys[0] != keys[1]


@pytest.mark.slow
def test_the_share_of_dual_words_is_a_matter_of_weights():
    """With 0 dual words a model is that of the sweep over thresholds."""
    corpus = corpora.Corpus(composed_words(30), composed=True)
    plain = train.fit(corpus, 2, 20, values=(LINEAR,)).squeeze("threshold")
    shares = train.fit(corpus, 2, 20, "dual_share", (0.0, 0.5), threshold=LINEAR)
    assert shares.sizes["split"] == plain.sizes["split"] == 2
    assert np.abs(shares["W"].sel(dual_share=0) - shares["W"].sel(dual_share=0.5)).max() > 0
    assert (shares["answers"].sum("answer") == 6).all()


def test_accuracy_and_drop_from_counts():
    ds = models(4, lambda m, a, b: a).assign(pure_accuracy=("split", np.full(4, 0.9)))
    np.testing.assert_allclose(dual_accuracy(ds), 1)
    np.testing.assert_allclose(drop(ds), 0.875 - 1)
    ds["answers"][:, :3] = 0
    ds["answers"][:, :3, 5] = 10  # no answer at all to three pairs
    np.testing.assert_allclose(dual_accuracy(ds), 6 / 9)
    np.testing.assert_allclose(dual_accuracy(ds, [0, 1, 2]), 0)


@pytest.fixture(scope="module")
def trained():
    return EXPERIMENT.models(EXPERIMENT.quick)


@pytest.mark.slow
def test_two_neurons_fail_where_sixteen_do_not(trained):
    narrow = learned(trained["composed"].to_dataset().sel(threshold=LINEAR))
    wide = learned(trained["width_16"].to_dataset().sel(threshold=LINEAR))
    assert narrow.sizes["split"] >= 15
    assert float(narrow["pure_accuracy"].mean()) > 0.95
    assert interference(narrow)[1] > 0.1
    assert interference(wide)[0] < 0.03
    assert interference(wide)[2] < interference(narrow)[1] / 4
    assert (narrow["active"] == 2).all()


@pytest.mark.slow
def test_longer_words_are_no_harder(trained):
    ds = learned(trained["composed"].to_dataset().sel(threshold=LINEAR))
    plain = np.flatnonzero(~corpora.STACKED)
    control = rate(ds["control_wrong"], ds["control_stems"], plain)
    assert control[2] < 0.03 < interference(ds, plain)[1]
    # Of stacked pairs the outer affix is read behind a neutral inner one.
    ness = [i for i in np.flatnonzero(corpora.STACKED) if "-ness" in corpora.PAIR_NAMES[i]]
    outer = ds.sel(kept=["second"])
    control = rate(outer["control_wrong"], outer["control_stems"], ness)
    assert control[2] < 0.03 < interference(ds, ness)[1]


@pytest.mark.slow
@pytest.mark.parametrize("corpus", ["composed", "real"])
def test_the_circle_says_which_affix_is_invented(trained, corpus):
    found = all_causes(learned(trained[corpus].to_dataset().sel(threshold=LINEAR)))
    assert found["between"][1] > 0.6
    assert found["between another model"][2] < 0.55
    assert found["between shuffled"][0] == pytest.approx(1 / 3, abs=0.12)
    assert found["invented"][1] > 0.7
    assert found["accuracy, adjacent"][1] > 0.9
    assert found["accuracy, apart"][2] < 0.8


@pytest.mark.slow
def test_answers_are_counted_once(trained):
    """Every dual word of the test stems has one answer, and the gate is of the recall."""
    ds = trained["composed"].to_dataset()
    assert (ds["answers"].sum("answer") == 80).all()
    assert (ds["answers"].sel(answer="none") == 0).all()
    np.testing.assert_array_equal(ds["passes"], ds["recall"].mean("affix") >= 0.9)
    real = trained["real"].to_dataset()
    corpus = corpora.Corpus(real_words(), composed=False)
    for i in (0, 7):
        dual = corpus.words.labels.sum(1) == 2
        tested = (corpus.in_test(i) & dual).sum()
        assert (real["answers"].isel(split=i).sum(("pair", "answer")) == tested).all()


@pytest.mark.slow
def test_findings_and_figures(trained):
    found = EXPERIMENT.findings(trained)
    assert len(found) == 12
    for finding in found:
        assert "nan" not in finding.measured()
    drops = found[2]
    assert drops.agrees
    assert (drops.cases[0].where, drops.cases[0].n) == ("composed, linear", 20)
    assert 0.2 < drops.cases[0].low < drops.cases[0].value < drops.cases[0].high < 0.6
    figures = EXPERIMENT.figures(trained)
    assert set(figures) == {"plane", "accuracies", "confusion", "causes"}
    for figure in figures.values():
        figure.draw_without_rendering()


@pytest.mark.slow
def test_the_plane_is_that_of_one_of_the_models(trained):
    """Its words, pair and regions are those of the model with the most such errors."""
    plane = trained["plane"].to_dataset().sel(threshold=LINEAR)
    split = int(plane["split"])
    one = trained["composed"].to_dataset().sel(threshold=LINEAR, split=split)
    assert bool(one["passes"])
    np.testing.assert_array_equal(plane["W"], one["W"])
    pair = [set(own) for own in PAIR_LABELS.tolist()].index(set(plane["own"].values))
    assert not corpora.STACKED[pair]
    predicted = figure_classes(plane, plane["dual"].values)
    np.testing.assert_array_equal(
        np.bincount(predicted, minlength=5), one["answers"][pair, :5]
    )
    errors = np.bincount(predicted, minlength=5)[~OWN[pair]].max()
    assert errors > 0.5 * len(predicted)

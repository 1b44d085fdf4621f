"""Every rule of the affix findings says yes to some models and no to others."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from jsuper.affixes import AFFIXES, geometry, real_words
from jsuper.affixes.classifier import AffixClassifier
from jsuper.experiments.affixes import EXPERIMENT, figures, findings, measures, rates, train
from jsuper.experiments.affixes import corpus as corpora
from jsuper.experiments.affixes.rates import LINEAR, RELU, SIX

PAIR_LABELS, OWN = corpora.PAIR_LABELS, corpora.OWN
WORDS = 100  # of each pair


def models(
    n=12,
    *,
    apart=0.5,
    adjacent=0.0,
    habit=False,
    rate=0.2,
    control=0.0,
    both=0.5,
    pure=0.99,
    passes=True,
    active=2,
    gap=120.0,
    moved=1.0,
):
    """Measured models of which every number is known.

    Args:
        n: Number of models, each with a circle of its own.
        apart: Share of incorrect predictions for pairs apart on the circle.
        adjacent: The same for neighbours.
        habit: Whether incorrect predictions are the same in all models, on any circle.
        rate: Interference rate, one number or one for each model.
        control: The same for the controls.
        both: Share of the correct predictions with both affixes as the top two.
        pure: Accuracy on pure words, one number or one for each model.
        passes: Whether they have learned the task.
        active: Active neurons, one number or one for each model.
        gap: Largest gap on the circle, degrees.
        moved: How far dual words lie on the way to the sum of two displacements.
    """
    circle = geometry.shuffles(n, 5, seed=3)
    middle = geometry.between(circle, PAIR_LABELS)
    free = np.array([np.flatnonzero(~own) for own in OWN])
    third = np.where(middle >= 0, middle, free[:, 0])
    invented = np.broadcast_to(free[:, 1], third.shape) if habit else third
    wrong = np.round(WORDS * np.where(middle >= 0, apart, adjacent)).astype(int)
    answers = np.zeros((n, 9, 6), int)
    rows, pairs = np.indices(wrong.shape)
    answers[rows, pairs, PAIR_LABELS[:, 0]] = WORDS - wrong
    answers[rows, pairs, invented] += wrong

    order = geometry.shuffles(24 * n, 5, seed=4).reshape(n, 24, 5)
    mixed = geometry.between(order, PAIR_LABELS)
    means = np.random.default_rng(0).normal(size=(n, 5, 2))
    centre = means.mean(1)[:, None]
    sums = geometry.predicted_positions(means, PAIR_LABELS)
    each, pair = np.ones(n), ("seed", "pair")
    kept, shuffled = (*pair, "kept"), ("seed", "shuffle", "pair")
    predicted = np.where(middle >= 0, middle, PAIR_LABELS[:, 0])
    stems = np.full((n, 9), WORDS)
    return xr.Dataset(
        {
            "recall": (("seed", "affix"), np.full((n, 5), 0.95 if passes else 0.4)),
            "learned": ("seed", np.full(n, passes)),
            "active": ("seed", active * each.astype(int)),
            "pure_accuracy": ("seed", pure * each),
            "largest_gap": ("seed", gap * each),
            "predictions": ((*pair, "prediction"), answers),
            "both_top": (pair, both * (WORDS - wrong)),
            "interference_stems": (pair, stems),
            "interference_incorrect": (pair, (rate * each)[:, None] * stems),
            "control_stems": (kept, np.stack([stems] * 2, -1)),
            "control_incorrect": (kept, control * np.stack([stems] * 2, -1)),
            "means": (("seed", "affix", "hidden"), means),
            "dual_means": ((*pair, "hidden"), centre + moved * (sums - centre)),
            "at_sum": (pair, predicted),
            "third_at_sum": (pair, third),
            "between": (pair, middle),
            "at_sum_shuffled": (shuffled, order[..., [0] * 9]),
            "third_at_sum_shuffled": (shuffled, np.where(mixed >= 0, mixed, free[:, 2])),
            "between_shuffled": (shuffled, mixed),
        },
        coords={"seed": np.arange(n), **measures.COORDINATES},
    )


def along(axis, cells):
    """Models for each value of what is varied."""
    return xr.concat(list(cells.values()), "v").assign_coords(v=list(cells)).rename(v=axis)


def kinds(relu=None, linear=None):
    """Models of two neurons, of both activations."""
    relu = models() if relu is None else relu
    return along("threshold", {RELU: relu, LINEAR: relu if linear is None else linear})


def main(**changes):
    """What all rules take, with some fits replaced."""
    same = {"composed": kinds(), "real": kinds(), "width_16": kinds()}
    return same | changes


def everywhere(**options):
    """The same models on both word lists."""
    return main(composed=kinds(models(**options)), real=kinds(models(**options)))


def spread(low, high):
    return np.linspace(low, high, 12)


def varied(**options):
    """Choices of which one is made: mean pooling."""
    names = ("few_stems", "more_steps", "unmarked_start", "relu_toy_readout")
    fits = everywhere()
    # Models differ, so that there is a standard deviation to compare with.
    for name in ("composed", "real"):
        fits[name] = kinds(scattered())
    choices = {name: kinds(scattered()) for name in (*names, "real_balanced")}
    return fits | choices | {"mean_pooling": kinds(scattered(**options))}


def scattered(shift=0):
    """Models that are right about 40 to 62 words of every pair, or ``shift`` more."""
    ds = models()
    right = (40 + shift + 2 * np.arange(12))[:, None]
    counts = np.zeros((12, 9, 6), int)
    rows, pairs = np.indices((12, 9))
    counts[rows, pairs, PAIR_LABELS[:, 0]] = right
    counts[rows, pairs, 5] = WORDS - right
    return ds.assign(predictions=(("seed", "pair", "prediction"), counts))


def with_widths(three):
    """Three ReLU neurons, of which two or three are active."""
    active = np.array([2] * 6 + [3] * 6)
    fits = {
        name: kinds(models(active=active, rate=np.where(active == 2, 0.4, three)))
        for name in ("width_3", "width_5", "real_width_3", "real_width_5")
    }
    return main() | fits


def with_dual_words(composed, real=0.2, some_pairs=0.2):
    """Interference after training on the largest share of dual words."""
    return main() | {
        name: along("dual_share", {0.1: models(rate=0.2), 0.3: models(rate=last)})
        for name, last in (
            ("dual_share", composed),
            ("real_dual_share", real),
            ("dual_share_few_pairs", some_pairs),
        )
    }


def some_pairs(rest):
    """Repairs the pairs that real words have, here the first two."""
    fits = with_dual_words(0.2)
    real = models()
    real["interference_stems"][:, 2:] = 0
    fits["real"] = kinds(real)
    last = models(rate=0.0)
    last["interference_incorrect"][:, 2:] = rest * WORDS
    fits["dual_share_few_pairs"] = along("dual_share", {0.3: last})
    return fits


def with_thresholds(rate, passes=True):
    """Another threshold than that of ReLU, on both sides of the hidden layer."""
    other = models(rate=rate, passes=passes)
    fits = main()
    for prefix in ("", "real_"):
        fits[f"{prefix}hidden_exrelu"] = along("threshold", {-0.25: other})
        for readout in ("toy", "tied"):
            cells = {-0.25: other, RELU: models(rate=0.2)}
            fits[f"{prefix}{readout}_readout"] = along("output_threshold", cells)
    return fits


RULES = {
    "review_numbers 0": (everywhere(pure=spread(0.95, 0.99)), everywhere(pure=0.999)),
    "review_numbers 1": (
        main(composed=kinds(models(apart=0.3)), real=kinds(scattered(35))),
        everywhere(apart=0.9),
    ),
    "accuracy_drops": (everywhere(apart=0.5), main(real=kinds(models(apart=0.0)))),
    "no_pentagon": (everywhere(gap=120.0), everywhere(gap=75.0)),
    "choices_matter_little": (varied(shift=3), varied(shift=20)),
    "goes_away_with_width": (
        main(width_16=kinds(models(rate=0.05))),
        main(width_16=kinds(models(rate=0.05), models(rate=0.11))),
    ),
    "active_neurons": (with_widths(0.1), with_widths(0.4)),
    "not_for_want_of_practice": (
        everywhere(control=0.1),
        main(composed=kinds(models(), models(control=0.2))),
    ),
    "a_label_is_lost": (
        main(width_16=kinds(models(both=0.9))),
        main(width_16=kinds(models(both=0.9)), real=kinds(models(both=0.9))),
    ),
    "foretold_by_geometry 0": (everywhere(), everywhere(apart=0.3, adjacent=0.3)),
    "foretold_by_geometry 1": (everywhere(), everywhere(habit=True)),
    "foretold_by_geometry 2": (everywhere(), everywhere(apart=0.3, adjacent=0.3)),
    "foretold_by_geometry 3": (everywhere(), everywhere(habit=True)),
    "displacements_add": (everywhere(moved=0.8), everywhere(moved=0.6)),
    "dual_words_repair 0": (with_dual_words(0.05), with_dual_words(0.15, 0.0, 0.0)),
    "dual_words_repair 1": (some_pairs(0.3), some_pairs(0.0)),
    "thresholds_help 0": (with_thresholds(0.1), with_thresholds(0.2)),
    "thresholds_help 1": (with_thresholds(0.1), with_thresholds(0.1, False)),
    "thresholds_help 2": (with_thresholds(0.1), with_thresholds(0.3)),
}
"""By name of a function of `findings`, and which of its findings: yes and no."""


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_yes_and_no_and_no_models_agree_to_nothing(name):
    function, *index = name.split()
    yes, no = RULES[name]
    none = {fit: ds.assign(learned=ds["learned"] & False) for fit, ds in yes.items()}
    for fits, agrees in ((yes, True), (no, False), (none, False)):
        found = getattr(findings, function)(fits)
        found = found[int(index[0])] if index else found
        assert found.agrees is agrees


def test_the_quick_version_leaves_out_what_it_has_no_models_for():
    found = EXPERIMENT.findings(xr.DataTree.from_dict(main()))
    assert len(found) == 12
    assert not any("training" in finding.stated for finding in found)


def all_guesses(ds):
    return {name: rates.guessed(ds, name) for name in rates.GUESSES}


def test_models_that_predict_the_class_between():
    ds = models(300, apart=1.0)
    found = all_guesses(ds)
    for name, called in rates.GUESSES.items():
        assert found[name][called][:3] == (1, 1, 1)
    regions, near = rates.by_region(ds), rates.by_neighbourhood(ds)
    assert (regions["there"].value, regions["elsewhere"].value) == (1, 0)
    assert (near["adjacent"].value, near["apart"].value) == (1, 0)
    # Orders at random, and those of the other models, are chance.
    for name in ("between", "third_at_sum"):
        for whose in ("in random order", "of another model"):
            assert found[name][whose].value == pytest.approx(1 / 3, abs=0.05)
    assert found["at_sum"]["in random order"].value == pytest.approx(1 / 5, abs=0.02)


def test_habits_are_no_geometry():
    """All models invent the same affix for a pair, whatever their circles."""
    found = all_guesses(models(50, apart=1.0, adjacent=1.0, habit=True))
    assert found["third_at_sum"]["most frequent of the others"][:3] == (1, 1, 1)
    assert found["at_sum"]["most frequent of the others"][:3] == (1, 1, 1)
    assert found["between"]["class between"].value < 0.6


def test_what_other_models_say_leaves_out_the_model_itself(monkeypatch):
    """The first model has, and invents, another label than the two others."""
    monkeypatch.setattr(rates, "FEWEST", 3)
    counts = np.zeros((3, 9, 6), int)
    for seed, label in enumerate((1, 3, 3)):
        counts[seed, :, label] = 10
    label = (("seed", "pair"), np.repeat([[1], [3], [3]], 9, axis=1))
    ds = models(3).assign(
        predictions=(("seed", "pair", "prediction"), counts),
        between=label,
        third_at_sum=label,
        at_sum=label,
    )
    found = all_guesses(ds.sel(pair=["un- -able"]))
    for name, called in rates.GUESSES.items():
        assert found[name][called].value == 1
        # The others of the first model are both wrong about it, those of each other one
        # half: 0, 5 and 5 words of 10.
        assert found[name]["of another model"].value == pytest.approx(1 / 3)
    # Of a tie the first label counts, so the most frequent prediction of the others is
    # never right.
    for name in ("at_sum", "third_at_sum"):
        assert found[name]["most frequent of the others"].value == 0


def test_rates_take_the_pairs_of_another_list():
    ds, other = models(3), models(3)
    ds["interference_incorrect"][:] = np.arange(9)
    ds["interference_stems"][:] = 10
    other["interference_stems"][:] = 0
    other["interference_stems"][:, [2, 5]] = 4
    assert rates.with_pairs_of(ds, other).value == pytest.approx(0.35)


def test_accuracy_and_drop_from_counts():
    ds = models(4, pure=0.9, apart=0.0)
    np.testing.assert_allclose(rates.dual_accuracy(ds), 1)
    drop = findings.accuracy_drops(everywhere(pure=0.9, apart=0.0)).cases[0]
    assert drop.value == pytest.approx(0.875 - 1)
    ds["predictions"][:, :3] = 0
    ds["predictions"][:, :3, 5] = WORDS  # no prediction at all for three pairs
    np.testing.assert_allclose(rates.dual_accuracy(ds), 6 / 9)


def test_r2_of_displacements_that_add():
    np.testing.assert_allclose(rates.additivity(models(5)), 1)
    # Half the way: R² = 1 - (1/2)² / (1/2)².
    halves = models(5, moved=0.5).sel(pair=SIX)
    np.testing.assert_allclose(rates.additivity(halves), 0, atol=1e-9)


def hidden_plane():
    """A hidden plane as `measures.example` returns it: a pentagon in alphabetic order.

    Words with two affixes lie at the sum, in the region of the class between the two.
    """
    angles = 2 * np.pi * np.array([0, 2, 4, 1, 3]) / 5
    W = np.stack([np.cos(angles), np.sin(angles)], -1)
    sums = geometry.predicted_positions(W, PAIR_LABELS)
    middle = geometry.between(geometry.circle_order(W), PAIR_LABELS)
    at_sum = np.where(middle < 0, PAIR_LABELS[:, 0], middle)
    rng = np.random.default_rng(0)
    one = xr.Dataset(
        {
            "W": (("feature", "hidden"), W),
            "b": ("feature", np.zeros(5)),
            "means": (("affix", "hidden"), W),
            "between": ("pair", middle),
            "at_sum": ("pair", at_sum),
            "predictions": (("pair", "prediction"), 10 * np.eye(6, dtype=int)[at_sum]),
            "pure": (
                ("affix", "stem", "hidden"),
                W[:, None] + 0.1 * rng.normal(size=(5, 10, 2)),
            ),
            "dual": (("pair", "stem", "hidden"), sums[:, None] + np.zeros((9, 10, 2))),
        },
        coords=measures.COORDINATES,
    )
    return one.assign_coords(threshold=LINEAR)


def test_the_terms_are_drawn_where_they_are():
    one = hidden_plane()
    adjacent, apart = figures.pairs(one)
    # On the circle un-, -ful, re-, -ness, -able: -ful lies between un- and re-, which are
    # not shown, since both are prefixes.
    assert one["between"].sel(pair=adjacent) == -1
    third = AFFIXES[int(one["between"].sel(pair=apart))]
    figure = figures.terms(one)
    left, middle, right = figure.axes
    assert middle.get_title().endswith("affixes adjacent,\n100% correct")
    assert right.get_title().endswith(f"affixes apart,\n100% taken for {third}")
    assert {"adjacent", "apart", "class between"} < {text.get_text() for text in left.texts}
    star = right.lines[-1].get_xydata()[0]
    np.testing.assert_allclose(star, one["dual"].sel(pair=apart, stem=0))
    # The star's colour is that of the third class.
    (image,) = right.images
    low, high, bottom, top = image.get_extent()
    column, row = (star - (low, bottom)) / (high - low, top - bottom) * 299
    assert image.get_array()[round(row), round(column)] == AFFIXES.index(third)


def test_variations_are_models_that_exist_and_reach_findings_and_figures(monkeypatch):
    """Without training: every name, value and option that the full run uses."""

    def fake_fit(corpus, n, steps, values=(RELU, LINEAR), axis="threshold", **options):
        options.pop("balanced", None)
        options.pop("pairs", None)
        for value in values:
            AffixClassifier(**options, **({} if axis == "dual_share" else {axis: value}))
        return along(axis, {value: models(n) for value in values})

    monkeypatch.setattr(train, "fit", fake_fit)
    settings = dataclasses.replace(train.FULL, models=8, others=6)
    real = corpora.Corpus(real_words(), composed=False)
    fits = train.fit_all(None, real, settings)
    tree = xr.DataTree.from_dict(fits | {"plane": hidden_plane()})
    found = EXPERIMENT.findings(tree)
    assert len({finding.stated for finding in found}) == len(found) == 19
    assert [finding.by for finding in found] == ["the review"] * 4 + ["ours"] * 15
    for finding in found:
        assert all(np.isfinite(case.value) for case in finding.cases)
        assert all(case.low <= case.high for case in finding.cases if case.low is not None)
    agrees = {finding.stated: finding.agrees for finding in found}
    # Every error is the class between, and no rate differs: the same models everywhere.
    assert agrees["words are incorrect where the sum lies in a third class's region"]
    assert not agrees["dual words in training repair it"]
    drawn = EXPERIMENT.figures(tree)
    assert set(drawn) == {"terms", "geometry", "accuracies", "width", "remedies"}
    # The interference rate of all models, at every width.
    width = drawn["width"].axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(width, [[1, 0.2], [2, 0.2], [3, 0.2], [5, 0.2], [16, 0.2]])

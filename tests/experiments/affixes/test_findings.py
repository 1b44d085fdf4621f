"""Every rule of the affix findings says yes to some models and no to others."""

import numpy as np
import pytest
import xarray as xr

from jsuper.affixes import geometry
from jsuper.experiments.affixes import (
    causes,
    findings,
    measures,
    predictions,
    remedies,
    width,
)
from jsuper.experiments.affixes import corpus as corpora
from jsuper.experiments.affixes.statistics import LINEAR, RELU

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
        apart: Share of wrong answers to pairs apart on the circle.
        adjacent: The same for neighbours.
        habit: Whether wrong answers are the same in all models, whatever their circle.
        rate: Interference rate, one number or one for each model.
        control: The same for the controls.
        both: Share of the right answers with both affixes as the top two.
        pure: Accuracy on pure words, one number or one for each model.
        passes: Whether they have learnt their task.
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
    each, pair = np.ones(n), ("split", "pair")
    kept, shuffled = (*pair, "kept"), ("split", "shuffle", "pair")
    predicted = np.where(middle >= 0, middle, PAIR_LABELS[:, 0])
    stems = np.full((n, 9), WORDS)
    return xr.Dataset(
        {
            "recall": (("split", "affix"), np.full((n, 5), 0.95 if passes else 0.4)),
            "passes": ("split", np.full(n, passes)),
            "active": ("split", active * each.astype(int)),
            "pure_accuracy": ("split", pure * each),
            "largest_gap": ("split", gap * each),
            "answers": ((*pair, "answer"), answers),
            "both_top": (pair, both * (WORDS - wrong)),
            "interference_stems": (pair, stems),
            "interference_wrong": (pair, (rate * each)[:, None] * stems),
            "control_stems": (kept, np.stack([stems] * 2, -1)),
            "control_wrong": (kept, control * np.stack([stems] * 2, -1)),
            "means": (("split", "affix", "hidden"), means),
            "dual_means": ((*pair, "hidden"), centre + moved * (sums - centre)),
            "predicted": (pair, predicted),
            "predicted_other": (pair, third),
            "weighted": (pair, predicted),
            "between": (pair, middle),
            "shuffled": (shuffled, order[..., [0] * 9]),
            "shuffled_other": (shuffled, np.where(mixed >= 0, mixed, free[:, 2])),
            "shuffled_between": (shuffled, mixed),
        },
        coords={
            "split": np.arange(n),
            "kept": list(corpora.KEPT),
            "answer": list(measures.ANSWERS),
        },
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
    return ds.assign(answers=(("split", "pair", "answer"), counts))


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
    last["interference_wrong"][:, 2:] = rest * WORDS
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
    findings.pure_number: (everywhere(pure=spread(0.95, 0.99)), everywhere(pure=0.999)),
    findings.dual_number: (
        main(composed=kinds(models(apart=0.3)), real=kinds(scattered(35))),
        everywhere(apart=0.9),
    ),
    findings.accuracy_drops: (
        everywhere(apart=0.5),
        main(real=kinds(models(apart=0.0))),
    ),
    findings.no_pentagon: (everywhere(gap=120.0), everywhere(gap=75.0)),
    findings.choices_matter_little: (varied(shift=3), varied(shift=20)),
    width.goes_away_with_width: (
        main(width_16=kinds(models(rate=0.05))),
        main(width_16=kinds(models(rate=0.05), models(rate=0.11))),
    ),
    width.active_neurons: (with_widths(0.1), with_widths(0.4)),
    width.not_for_want_of_practice: (
        everywhere(control=0.1),
        main(composed=kinds(models(), models(control=0.2))),
    ),
    width.a_label_is_lost: (
        main(width_16=kinds(models(both=0.9))),
        main(width_16=kinds(models(both=0.9)), real=kinds(models(both=0.9))),
    ),
    predictions.adjacent_is_better: (
        everywhere(apart=0.5),
        everywhere(apart=0.3, adjacent=0.3),
    ),
    predictions.the_class_between: (everywhere(), everywhere(habit=True)),
    predictions.errs_in_a_third_region: (
        everywhere(apart=0.5),
        everywhere(apart=0.3, adjacent=0.3),
    ),
    predictions.nearest_third: (everywhere(), everywhere(habit=True)),
    predictions.displacements_add: (everywhere(moved=0.8), everywhere(moved=0.6)),
    remedies.dual_words_repair: (with_dual_words(0.05), with_dual_words(0.15, 0.0, 0.0)),
    remedies.repairs_few_pairs: (some_pairs(0.3), some_pairs(0.0)),
    remedies.hidden_threshold: (with_thresholds(0.1), with_thresholds(0.2)),
    remedies.toy_output_threshold: (with_thresholds(0.1), with_thresholds(0.1, False)),
    remedies.tied_output_threshold: (with_thresholds(0.1), with_thresholds(0.3)),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_says_yes_and_no(rule):
    yes, no = RULES[rule]
    assert rule(yes).agrees
    assert not rule(no).agrees


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_models_agree_to_nothing(rule):
    yes, _ = RULES[rule]
    none = {name: ds.assign(passes=ds["passes"] & False) for name, ds in yes.items()}
    assert not rule(none).agrees


def test_all_rules_are_here():
    fits = main() | varied() | with_widths(0.1) | with_thresholds(0.1)
    fits |= {name: ds for name, ds in some_pairs(0.3).items() if "dual" in name}
    assert set(findings.rules(fits)) == set(RULES)


def three_models():
    """The first model has, and invents, another label than the two others."""
    ds = models(3)
    counts = np.zeros((3, 9, 6), int)
    for split, label in enumerate((1, 3, 3)):
        counts[split, :, label] = 10
    middle = np.repeat([[1], [3], [3]], 9, axis=1)
    return ds.assign(
        answers=(("split", "pair", "answer"), counts),
        between=(("split", "pair"), middle),
        predicted_other=(("split", "pair"), middle),
        predicted=(("split", "pair"), middle),
    )


def test_what_other_models_say_leaves_out_the_model_itself():
    pair = [i for i, own in enumerate(OWN) if set(np.flatnonzero(own)) == {0, 2}]
    ds = three_models()
    found = causes.answers(ds, pair) | causes.inventions(ds, pair) | causes.circle(ds, pair)
    assert found["between"][0] == found["invented"][0] == found["answer"][0] == 1
    # The others of the first model are both wrong about it, those of each other one half:
    # 0, 5 and 5 words of 10.
    for name in ("between", "invented", "answer"):
        assert found[f"{name} another model"][0] == pytest.approx(1 / 3)
    # Of a tie the first label counts, so the most frequent prediction of the others is
    # never right.
    assert found["invented most frequent"][0] == found["answer most frequent"][0] == 0

"""What the geometry of pure words says of the answers to dual words.

Guesses of a label are held against the answers of the same model. The name of a result
ends with whose guess it is: nothing for the model's own geometry, ``shuffled`` for its
affixes in random order, ``another model`` for the geometry of the other models,
``commonest`` for what the other models answer most often, without any geometry.
"""

from typing import Any

import numpy as np
import xarray as xr

from jsuper.affixes import geometry
from jsuper.experiments.affixes.corpus import OWN, PAIR_LABELS
from jsuper.experiments.affixes.measures import Triple, ratio

ALL = slice(None)


def causes(ds: xr.Dataset, pairs: Any = ALL) -> dict[str, Triple]:
    """Holds predictions against answers.

    Args:
        ds: Measured models; those that fail the gate should be left out before.
        pairs: Which of the pairs, an index into them; all by default.

    Returns:
        By name a value with the ends of its 95% interval over models. ``answer``: how often
        a guess is the answer; ``weighted``: the same for `place_weights`; ``invented``:
        how often it is the wrong answer, of wrong answers; ``between``: how often the label
        between the two is, of wrong answers to pairs apart; ``foreign``: share of pairs
        whose sum lies in a third label's region; ``error, foreign region`` and ``error, own
        region``: share of wrong answers there; ``accuracy, adjacent``, ``accuracy, apart``
        and ``adjacent - apart``.
    """
    part, own = ds.isel(pair=pairs), OWN[pairs]
    counts = part["answers"].transpose("split", "pair", "answer").values
    answered, total = counts[..., :5], counts.sum(-1)
    right, wrong = np.where(own, answered, 0).sum(-1), np.where(own, 0, answered)
    commonest = _one_hot((answered.sum(0) - answered).argmax(-1))
    # An own label is no wrong answer, however often the others give it.
    rest = _one_hot(np.where(own, -1, wrong.sum(0) - wrong).argmax(-1))

    found = shares("answer", guesses(part, "predicted", commonest), answered, total)
    others = guesses(part, "predicted_other", rest)
    found |= shares("invented", others, wrong, wrong.sum(-1))
    found |= errors_by_region("", part["predicted"].values, own, right, total)
    if "weighted" in part:
        weighted = part["weighted"].values
        found |= shares("weighted", {"": _one_hot(weighted)}, answered, total)
        found |= errors_by_region("weighted ", weighted, own, right, total)
    if "between" in part:
        found |= by_circle(guesses(part, "between"), right, wrong, total)
    return found


def guesses(
    ds: xr.Dataset, name: str, commonest: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Returns how often each label is guessed, by whose guess it is.

    Args:
        ds: Measured models.
        name: ``"predicted"``, ``"predicted_other"`` or ``"between"``.
        commonest: The guess without geometry.

    Returns:
        Shares, shape (n_models, n_pairs, 5); all 0 where there is no guess.
    """
    shuffled = {
        "predicted": "shuffled",
        "predicted_other": "shuffled_other",
        "between": "shuffled_between",
    }[name]
    own = _one_hot(ds[name].values)
    found = {
        "": own,
        " shuffled": _one_hot(ds[shuffled].values).mean(1),
        " another model": (own.sum(0) - own) / max(len(own) - 1, 1),
    }
    return found if commonest is None else found | {" commonest": commonest}


def shares(name: str, guesses: dict, counts: np.ndarray, trials: np.ndarray) -> dict:
    """Returns how often each guess is right, of the trials in which there is one.

    Args:
        name: Name of the results, before whose guess it is.
        guesses: As `guesses` returns them.
        counts: How often each label is what was to be guessed, (n_models, n_pairs, 5).
        trials: How often something was to be guessed, (n_models, n_pairs).
    """
    return {
        name + whose: geometry.interval(
            ratio, [(counts * guess).sum((1, 2)), (trials * guess.sum(-1)).sum(1)]
        )
        for whose, guess in guesses.items()
    }


def errors_by_region(
    name: str, predicted: np.ndarray, own: np.ndarray, right: np.ndarray, total: np.ndarray
) -> dict[str, Triple]:
    """Returns the share of wrong answers where a third label is predicted, and elsewhere.

    Args:
        name: What goes before the names of the results.
        predicted: Predicted label of each pair, (n_models, n_pairs).
        own: Labels of the pairs, boolean, (n_pairs, 5).
        right: Number of right answers, (n_models, n_pairs).
        total: Number of answers.
    """
    foreign = ~(_one_hot(predicted).astype(bool) & own).any(-1)
    sizes = np.full(len(foreign), foreign.shape[1])
    found = {f"{name}foreign": geometry.interval(ratio, [foreign.sum(1), sizes])}
    for region, where in (("foreign", foreign), ("own", ~foreign)):
        errors = [((total - right) * where).sum(1), (total * where).sum(1)]
        found[f"{name}error, {region} region"] = geometry.interval(ratio, errors)
    return found


def by_circle(
    guesses: dict[str, np.ndarray], right: np.ndarray, wrong: np.ndarray, total: np.ndarray
) -> dict[str, Triple]:
    """Returns accuracy by neighbourhood, and how often the label between is invented.

    Args:
        guesses: Labels between the two of each pair, as `guesses` returns them.
        right: Number of right answers, (n_models, n_pairs).
        wrong: How often each label is a wrong answer, (n_models, n_pairs, 5).
        total: Number of answers, (n_models, n_pairs).
    """
    found = shares("between", guesses, wrong, wrong.sum(-1))
    for whose, guess in guesses.items():
        apart = guess.sum(-1)
        near, far = (
            [(counts * where).sum(1) for counts in (right, total)]
            for where in (1 - apart, apart)
        )
        found[f"adjacent - apart{whose}"] = geometry.interval(_difference, near + far)
        if not whose:
            found["accuracy, adjacent"] = geometry.interval(ratio, near)
            found["accuracy, apart"] = geometry.interval(ratio, far)
    return found


def additivity(ds: xr.Dataset, pairs: Any = ALL) -> tuple[float, float]:
    """Returns how well the sum of displacements tells where a pair's words lie on average.

    Args:
        ds: Measured models on composed words.
        pairs: Which of the pairs; all by default.

    Returns:
        R² of their mean positions from the sums, both seen from the centre, and the cosine
        between the two; medians over models.
    """
    centre, d = geometry.displacements(ds["means"].values)
    true = (ds["dual_means"].values - centre[:, None])[:, pairs]
    sums = d[:, PAIR_LABELS[pairs]].sum(2)
    cosine = (true * sums).sum(-1) / np.sqrt((true**2).sum(-1) * (sums**2).sum(-1))
    errors, sizes = ((true - sums) ** 2).sum((1, 2)), (true**2).sum((1, 2))
    return float(np.median(1 - errors / sizes)), float(np.median(cosine.mean(1)))


def _difference(hits, trials, other_hits, other_trials):
    return hits / trials - other_hits / other_trials


def _one_hot(labels):
    """Rows of five, 0 everywhere where a label is -1."""
    return (labels[..., None] == np.arange(5)).astype(float)

"""What the geometry of pure words says of what is predicted for dual words.

Guesses of a label are held against the predictions of the same model. The name of a result
ends with whose guess it is: nothing for the model's own geometry, ``shuffled`` for its
affixes in random order, ``another model`` for the geometry of the other models, ``most
frequent`` for what the other models predict most often, without any geometry. All are
intervals over models; those that have not learned their task should be left out before.
"""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from jsuper.affixes import geometry
from jsuper.experiments.affixes.corpus import OWN, PAIR_LABELS
from jsuper.experiments.affixes.statistics import ALL, interval, ratio
from jsuper.results.statistics import Interval

Results = dict[str, Interval]


class Counts(NamedTuple):
    """Predictions for the dual words of some pairs.

    Args:
        own: Labels of the pairs, boolean, (n_pairs, 5).
        answered: How often each label is predicted, (n_models, n_pairs, 5).
        right: How often one of the two own labels, (n_models, n_pairs).
        wrong: How often each other label, (n_models, n_pairs, 5).
        total: Number of words, (n_models, n_pairs).
    """

    own: np.ndarray
    answered: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    total: np.ndarray


def counts_of(ds: xr.Dataset, pairs: Any) -> Counts:
    """Returns the counts of measured models for some pairs."""
    counts = ds["answers"].isel(pair=pairs).transpose("split", "pair", "answer").values
    own, answered = OWN[pairs], counts[..., :5]
    right = np.where(own, answered, 0).sum(-1)
    return Counts(own, answered, right, np.where(own, 0, answered), counts.sum(-1))


def answers(ds: xr.Dataset, pairs: Any = ALL) -> Results:
    """Returns how often a guess is what is predicted.

    Args:
        ds: Measured models.
        pairs: Which of the pairs, an index into them; all by default.

    Returns:
        ``answer`` by whose guess it is, and ``weighted``, the same for the label at the sum
        with the weights of `place_weights`.
    """
    part, counts = ds.isel(pair=pairs), counts_of(ds, pairs)
    answered, total = counts.answered, counts.total
    most_frequent = _one_hot((answered.sum(0) - answered).argmax(-1))
    found = shares("answer", guesses(part, "predicted", most_frequent), answered, total)
    if "weighted" in part:
        guess = {"": _one_hot(part["weighted"].values)}
        found |= shares("weighted", guess, answered, total)
    return found


def inventions(ds: xr.Dataset, pairs: Any = ALL) -> Results:
    """Returns how often a guess is the incorrect prediction, ``invented``; as `answers`."""
    part, counts = ds.isel(pair=pairs), counts_of(ds, pairs)
    wrong = counts.wrong
    # An own label is no error, however often the others predict it.
    most = _one_hot(np.where(counts.own, -1, wrong.sum(0) - wrong).argmax(-1))
    found = guesses(part, "predicted_other", most)
    return shares("invented", found, wrong, wrong.sum(-1))


def regions(ds: xr.Dataset, pairs: Any = ALL, name: str = "predicted") -> Results:
    """Returns the error rate where a third label is predicted by geometry, and elsewhere.

    Args:
        ds: Measured models.
        pairs: As in `answers`.
        name: The label of each pair by geometry: ``predicted`` or ``weighted``.

    Returns:
        ``foreign``, the share of pairs whose sum lies in a third label's region; ``error,
        foreign region`` and ``error, own region``.
    """
    part, counts = ds.isel(pair=pairs), counts_of(ds, pairs)
    foreign = ~(_one_hot(part[name].values).astype(bool) & counts.own).any(-1)
    errors = counts.total - counts.right
    found = {"foreign": interval(np.mean, foreign.mean(1))}
    for region, where in (("foreign", foreign), ("own", ~foreign)):
        found[f"error, {region} region"] = interval(
            ratio, (errors * where).sum(1), (counts.total * where).sum(1)
        )
    return found


def circle(ds: xr.Dataset, pairs: Any = ALL) -> Results:
    """Returns accuracy by neighbourhood, and how often the label between is invented.

    Args:
        ds: Measured models of two neurons.
        pairs: As in `answers`.

    Returns:
        ``between``, how often the label between the two is predicted, of incorrect
        predictions for pairs apart, and ``adjacent - apart`` by whose circle it is;
        ``accuracy, adjacent`` and ``accuracy, apart``.
    """
    part, counts = ds.isel(pair=pairs), counts_of(ds, pairs)
    found = shares("between", guesses(part, "between"), counts.wrong, counts.wrong.sum(-1))
    for whose, guess in guesses(part, "between").items():
        apart = guess.sum(-1)
        near, far = (
            [(count * where).sum(1) for count in (counts.right, counts.total)]
            for where in (1 - apart, apart)
        )
        found[f"adjacent - apart{whose}"] = interval(_difference, *near, *far)
        if not whose:
            found["accuracy, adjacent"] = interval(ratio, *near)
            found["accuracy, apart"] = interval(ratio, *far)
    return found


def guesses(
    ds: xr.Dataset, name: str, most_frequent: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Returns how often each label is guessed, by whose guess it is.

    Args:
        ds: Measured models.
        name: ``"predicted"``, ``"predicted_other"`` or ``"between"``.
        most_frequent: The guess without geometry.

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
    return found if most_frequent is None else found | {" most frequent": most_frequent}


def shares(name: str, guesses: dict, counts: np.ndarray, trials: np.ndarray) -> Results:
    """Returns how often each guess is right, of the trials in which there is one.

    Args:
        name: Name of the results, before whose guess it is.
        guesses: As `guesses` returns them.
        counts: How often each label is what was to be guessed, (n_models, n_pairs, 5).
        trials: How often something was to be guessed, (n_models, n_pairs).
    """
    return {
        name + whose: interval(
            ratio, (counts * guess).sum((1, 2)), (trials * guess.sum(-1)).sum(1)
        )
        for whose, guess in guesses.items()
    }


def additivity(ds: xr.Dataset, pairs: Any = ALL) -> tuple[np.ndarray, np.ndarray]:
    """Returns how well the sum of displacements tells where a pair's words lie on average.

    Args:
        ds: Measured models on composed words.
        pairs: As in `answers`.

    Returns:
        R² of their mean positions from the sums, both seen from the centre, and the mean
        cosine between the two; each of shape (n_models,).
    """
    centre, d = geometry.displacements(ds["means"].values)
    true = (ds["dual_means"].values - centre[:, None])[:, pairs]
    sums = d[:, PAIR_LABELS[pairs]].sum(2)
    cosine = (true * sums).sum(-1) / np.sqrt((true**2).sum(-1) * (sums**2).sum(-1))
    errors, sizes = ((true - sums) ** 2).sum((1, 2)), (true**2).sum((1, 2))
    return 1 - errors / sizes, cosine.mean(1)


def _difference(hits, trials, other_hits, other_trials, axis=-1):
    return ratio(hits, trials, axis) - ratio(other_hits, other_trials, axis)


def _one_hot(labels):
    """Rows of five, 0 everywhere where a label is -1."""
    return (labels[..., None] == np.arange(5)).astype(float)

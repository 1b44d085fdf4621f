r"""The expected loss of toy models in closed form.

Output $i$ has the pre-activation $z = b_i + \sum_j G_{ji} x_j$ with $G = W W^\top$, and
is $f(z) = z$ where $z \ge t$, else 0. When no feature is active, $z = b_i$ lies on one
side of the threshold. The other side sees few examples, and its share is taken apart:

$$E (x_i - f)^2 = \begin{cases}
  E (x_i - z)^2 + E[2 x_i z - z^2; z < t] & b_i \ge t \\
  E x_i^2 - E[2 x_i z - z^2; z \ge t] & b_i < t .
\end{cases}$$

The first terms are moments of the features. The second ones are truncated moments of a sum
of terms that are 0 or uniform: `jsuper.expectations`.

The derivative of the expectation sees the jump of ExReLU, which the mean of the derivatives
of samples does not. At $b_i = t$ the expectation itself jumps, by the share of the
examples in which nothing is active; the derivative there is that for $b_i \ge t$.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jsuper.expectations import boxes, differences, series
from jsuper.expectations.boxes import Moments
from jsuper.features.activity import Activity, choices, has_activity
from jsuper.models.activations import LIMITS, THRESHOLDED
from jsuper.models.toy import Params, ToyModel
from jsuper.platforms import is_for_accelerators
from jsuper.precision import full_precision

MOST_TERMS, MOST_CORNERS = 8, 2**16
"""Most features that may be active together, and most corners of what they span (over all
outputs and choices), for which the form is closed. Beyond them there is a series."""

N_FREQUENCIES = 128
"""Number of terms of that series, unless told otherwise."""

MOST_NUMBERS = 2**24
"""Largest array that a series may make of several models at a time."""


class Outputs(NamedTuple):
    """What is known of the outputs of a model, and of its hidden activations if they count.

    Args:
        G: Slopes by features, shape (n_features, n_outputs).
        b: Values where no feature is active.
        t: Thresholds, finite.
        side: 1 where an output is below the threshold when no feature is active, else -1.
        chances: Probability of each sum of an output, shape (n_outputs, n_choices).
        own: The same where its first term is the own feature, else 0.
        remainder: What a series adds to the moments, or None.
    """

    G: jax.Array
    b: jax.Array
    t: jax.Array
    side: jax.Array
    chances: jax.Array
    own: jax.Array
    remainder: Moments | None


class Sums(NamedTuple):
    """The sums behind the outputs; the last axis is that of the cases.

    Args:
        start: Where no feature is active.
        low: Where each active term begins, first axis the terms.
        high: Where it ends.
        density: Probability that it is active.
    """

    start: jax.Array
    low: jax.Array
    high: jax.Array
    density: jax.Array


def uncovered(task: Any) -> str | None:
    """Says what of a task the expectation does not cover, if anything."""
    model, features = task.model, task.features
    if type(model) is not ToyModel:
        return f"model {type(model).__name__} (only ToyModel)"
    known = (*THRESHOLDED, *LIMITS)
    if model.activation not in known:
        name = getattr(model.activation, "__name__", model.activation)
        return f"activation {name} (only {', '.join(map(str, known))})"
    if not has_activity(features):
        name = type(getattr(features, "part", features)).__name__
        return f"features {name} (only sparse ones, sets, groups, and these joined)"
    return None


def is_closed(law: Activity, from_zero: bool) -> bool:
    """Returns whether the form is closed, or has a series."""
    n_corners = len(law.low) * law.n_choices * (2 if from_zero else 4) ** law.n_terms
    return law.n_terms <= MOST_TERMS and n_corners <= MOST_CORNERS


def models_at_once(task: Any, from_zero: bool, n_frequencies: int) -> int | None:
    """Returns how many models a series may take at a time; None if the form is closed."""
    law = task.features.activity()
    if is_closed(law, from_zero):
        return None
    # Each output multiplies what all terms but one make, for each of them and frequency.
    n_numbers = len(law.low) * law.n_terms**2 * n_frequencies
    return max(1, MOST_NUMBERS // n_numbers)


@full_precision
def expected_loss(
    task: Any, params: Params, from_zero: bool, n_frequencies: int = N_FREQUENCIES
) -> jax.Array:
    """Returns the expected loss of one model, a scalar.

    Args:
        task: A `jsuper.Task` that is covered.
        params: Parameters of its model.
        from_zero: Whether active features are uniform from 0 on, which is faster.
        n_frequencies: Number of terms of the series, where there is one.
    """
    outputs, sums = _prepared(task, params, from_zero, n_frequencies)
    loss = _finished(task, outputs, _moments(sums, from_zero))
    return task.penalised(loss, params)


def _moments(sums: Sums, from_zero: bool) -> Moments:
    if not from_zero:
        return boxes.truncated_moments(*sums)
    total, place = differences.truncated_moments(sums.start, sums.high, sums.density)
    return Moments(total, jnp.zeros_like(place), place)


def _prepared(
    task: Any, params: Params, from_zero: bool, n_frequencies: int
) -> tuple[Outputs, Sums]:
    """The outputs of a model, and the sums whose truncated moments they need."""
    law = task.features.activity()
    G, b, t = _pre_activations(task, params)
    n, n_outputs = G.shape
    # Beyond its range a threshold makes no difference; it may be infinite.
    largest = jnp.maximum(abs(law.low), abs(law.high))
    reach = lax.stop_gradient(_product(largest, abs(G)) + 1)
    t = jnp.clip(t, lax.stop_gradient(b) - reach, lax.stop_gradient(b) + reach)
    side = jnp.where(b >= t, -1.0, 1.0).astype(G.dtype)
    start, (low, high) = (
        side * (b - t),
        (side * G * x[:, None] for x in (law.low, law.high)),
    )
    own, remainder = np.minimum(np.arange(n_outputs), n - 1), None
    if is_closed(law, from_zero):
        mixtures = zip(*(choices(law, i) for i in own), strict=True)
        all_terms, densities, all_chances, are_own = mixtures
        terms, is_own = np.stack(all_terms), np.stack(are_own)
        density, chances = jnp.stack(densities), jnp.stack(all_chances)
    else:
        control = series.control_of(law, jnp.maximum(abs(low), abs(high)), own)
        terms, density, chances = control.choices(own)
        is_own = np.ones(chances.shape, bool)
        mean, second = task.features.mean(), task.features.second_moment()
        spread = (G * ((second - jnp.outer(mean, mean)) @ G)).sum(0)
        bulk = (
            start + side * (mean @ G),
            jnp.sqrt(jnp.maximum(lax.stop_gradient(spread), 0)),
        )
        remainder = series.remaining_moments(
            start, low, high, law, own, control, bulk, n_frequencies
        )
    _, n_choices, n_terms = terms.shape
    place = terms, np.arange(n_outputs)[:, None, None]

    def terms_first(array):
        return jnp.moveaxis(array, -1, 0).reshape(n_terms, -1).astype(G.dtype)

    def of_terms(ends):
        if n_choices > 1 or len(ends) > MOST_TERMS or not is_for_accelerators():
            return terms_first(ends[place])
        # Without a gather, whose derivative is a scatter: a kernel of its own.
        features = terms[:, 0].T
        chosen = (jnp.where(features == j, end, 0) for j, end in enumerate(ends))
        return functools.reduce(jnp.add, chosen)

    low, high = map(of_terms, (low, high))
    sums = Sums(jnp.repeat(start, n_choices), low, high, terms_first(density))
    return Outputs(G, b, t, side, chances, chances * is_own, remainder), sums


def _finished(task: Any, outputs: Outputs, moments: Moments) -> jax.Array:
    """The loss of a model, from truncated moments."""
    G, b, t, side, chances, own, remainder = outputs
    n, law = len(G), task.features.activity()

    def mixed(of_sums, chances):
        return (of_sums.reshape(-1, *chances.shape) * chances).sum(-1)

    total = mixed(moments.total, chances)
    active, place = mixed(moments.active, own), mixed(moments.place, own)
    if remainder is not None:
        parts = zip((total, active, place), remainder, strict=True)
        total, active, place = (one + other for one, other in parts)
    mean, second = task.features.mean(), task.features.second_moment()
    gap = G[:, :n] - jnp.eye(n, dtype=G.dtype)
    by_mean, by_second = _product(mean, gap), _product(second, gap)
    passed = b[:n] ** 2 + 2 * b[:n] * by_mean + (gap * by_second).sum(0)
    errors = jnp.where(side[:n] < 0, passed, jnp.diagonal(second))
    own_x = law.low * active[:, :n] + (law.high - law.low) * place[:, :n]
    below_0 = total[1, n:]
    side, t, total = side[:n], t[:n], total[:, :n]
    by_power = total[2] - 2 * side * own_x[1], total[1] - side * own_x[0], total[0]
    errors += side * (by_power[0] + t * (2 * side * by_power[1] + t * by_power[2]))
    loss = jnp.mean(jnp.asarray(task.importance, G.dtype) * errors)
    if task.l1 is None:
        return loss
    # Of a hidden activation h, E|h| = E h + 2 E[-h; h < 0].
    activity = (mean @ G[:, n:] + 2 * below_0).sum()
    return loss + jnp.asarray(task.l1) * activity / n


def _pre_activations(task: Any, params: Params) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Slopes, biases and thresholds of outputs, and of hidden activations behind them."""
    model, W = task.model, params["W"]
    out = W.T if model.tied else params["W_out"]
    G = _product(W, out)
    b = params["b"] if model.bias else jnp.zeros(len(W), W.dtype)
    t = LIMITS.get(model.activation, model.threshold)
    t = params["t"] if model.train_threshold else jnp.asarray(t, W.dtype)
    t = jnp.broadcast_to(t, b.shape)
    if task.l1 is None:
        return G, b, t
    none = jnp.zeros(W.shape[1], W.dtype)
    return jnp.concatenate([G, W], 1), jnp.append(b, none), jnp.append(t, none)


def _product(left: jax.Array, right: jax.Array) -> jax.Array:
    """The product of a vector or matrix and a matrix.

    On accelerators a small one is written out: what precedes and follows joins its kernel.
    """
    if len(right) > MOST_TERMS or not is_for_accelerators():
        return jnp.matmul(left, right, precision=lax.Precision.HIGHEST)
    return functools.reduce(jnp.add, (left[..., j, None] * x for j, x in enumerate(right)))

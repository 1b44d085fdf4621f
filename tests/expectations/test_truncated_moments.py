"""Truncated moments: two closed forms and a series that agree, limits, and derivatives."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jsuper as js
from jsuper.expectations import boxes, differences
from jsuper.features.activity import starts_at_zero
from jsuper.objectives import expected
from jsuper.platforms import compiled_for


def sums(n_terms, n_cases=200, low=False, smallest=1.0, seed=0):
    """Starts, ends and densities of random sums; widths from ``smallest`` to about 1."""
    rng = np.random.default_rng(seed)
    start = -np.abs(rng.normal(size=n_cases)) * 0.3
    ends = rng.normal(size=(2, n_terms, n_cases))
    ends *= smallest ** rng.uniform(size=ends.shape)
    ends[0] *= low
    return tuple(map(jnp.asarray, (start, *ends, rng.uniform(size=ends.shape[1:]))))


@jax.jit
def boxed(*case):
    return boxes.truncated_moments(*case)


@jax.jit
def from_zero(start, low, high, density):
    del low
    total, place = differences.truncated_moments(start, high, density)
    return boxes.Moments(total, jnp.zeros_like(place), place)


@jax.jit
def in_rows(*case):
    """The form for accelerators."""
    with compiled_for("default"):
        return from_zero(*case)


@pytest.fixture(autouse=True)
def in_double_precision():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("low", [False, True])
def test_moments_are_those_of_samples(low):
    start, lows, highs, density = (np.asarray(a) for a in sums(3, 4, low=low))
    moments = boxed(*map(jnp.asarray, (start, lows, highs, density)))
    rng, n = np.random.default_rng(1), 400_000
    u, active = rng.uniform(size=(2, n, 3, 1))
    active = active < density
    v = start + (active * (lows + (highs - lows) * u)).sum(1)
    for r in range(3):
        for of_all, factor in (
            (moments.total, 1.0),
            *([(moments.active, active[:, 0]), (moments.place, active[:, 0] * u[:, 0])])[
                : 2 * (r < 2)
            ],
        ):
            sampled = np.where(v > 0, v**r, 0) * factor
            error = np.abs(of_all[r] - sampled.mean(0)) / (sampled.std(0) / n**0.5)
            # 28 numbers within 4.5 standard errors: 99.98% in all.
            assert error.max() < 4.5


@pytest.mark.slow
@pytest.mark.parametrize("n_terms", [1, 3])
@pytest.mark.parametrize("smallest", [1.0, 1e-6])
def test_the_closed_forms_agree(n_terms, smallest):
    case = sums(n_terms, smallest=smallest)
    weights = jnp.asarray(np.random.default_rng(2).normal(size=(5, 200)))

    def mean(form, *case):
        moments = form(*case)
        return (weights * jnp.concatenate([moments.total, moments.place])).sum()

    @jax.jit
    def of_all(*case):
        return [
            (form(*case), jax.grad(mean, argnums=(1, 3, 4))(form, *case))
            for form in (boxed, from_zero, in_rows)
        ]

    (moments, slopes), *further = of_all(*case)
    for others, other_slopes in further:
        np.testing.assert_allclose(moments.total, others.total, atol=1e-14)
        np.testing.assert_allclose(moments.place, others.place, atol=1e-14)
        for slope, other in zip(slopes, other_slopes, strict=True):
            np.testing.assert_allclose(slope, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("n_terms", [1, 2, 4])
def test_the_form_for_accelerators_has_the_same_tables(n_terms):
    """Of ordinary sums, and of sums that are exactly 0 at corners, of equal terms."""
    start, _, slope, density = sums(n_terms, smallest=1e-3)
    slope = slope.at[:, 100:].set(jnp.round(2 * slope[:, 100:]))
    start = start.at[100:].set(jnp.round(2 * start[100:]))

    def tables(platform):
        with compiled_for(platform):
            of_all = jax.jit(functools.partial(differences._tables, with_each=True))
            return jax.tree.leaves(of_all(start, slope, density))

    for one, other in zip(tables("cpu"), tables("default"), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


def test_terms_of_no_width_change_nothing():
    start, low, high, density = sums(2)
    high = high.at[1].set(0.0)
    without = tuple(jnp.delete(a, 1, 0) for a in (low, high, density))
    for form in (boxed, from_zero, in_rows):
        moments, fewer = form(start, low, high, density), form(start, *without)
        np.testing.assert_allclose(moments.total, fewer.total, atol=1e-15)
        np.testing.assert_allclose(moments.place, fewer.place, atol=1e-15)
    nothing = differences.truncated_moments(start, 0 * high, density)
    assert all((np.asarray(moment) == 0).all() for moment in nothing)


def test_sums_scale():
    start, low, high, density = sums(2)
    for form in (boxed, from_zero, in_rows):
        one = form(start, low, high, density)
        for scale in (1e-9, 1e9):
            other = form(scale * start, scale * low, scale * high, density)
            powers = scale ** np.arange(3)[:, None]
            np.testing.assert_allclose(other.total, powers * one.total, rtol=1e-9)
            np.testing.assert_allclose(other.place, powers[:2] * one.place, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("features", "tolerance"),
    [
        (lambda p: js.SparseFeatures(6, p), 1e-4),
        (lambda p: js.SparseFeatures(6, p, -0.5, 1.0), 1e-4),
        (lambda p: js.AnticorrelatedFeatures(3, 2, p), 1e-4),
        (lambda p: js.CorrelatedFeatures(3, 2, p), 1e-3),
        (lambda p: js.GroupedFeatures(6, [(0, 3), (1, 2)], p, 0.5), 1e-3),
    ],
)
def test_the_series_converges_to_the_closed_form(features, tolerance, monkeypatch):
    rng = np.random.default_rng(3)
    angles = 2 * np.pi * np.arange(6) / 6
    models = [
        (rng.normal(size=(6, 2)) * 0.6, rng.normal(size=6) * 0.15),
        (1.05 * np.stack([np.cos(angles), np.sin(angles)], 1), np.full(6, -0.2)),
    ]

    def losses(n_frequencies):
        @jax.jit
        def loss(p, t, W, b):
            task = js.Task(features(p), js.ToyModel(6, 2, t))
            params, from_zero = {"W": W, "b": b}, starts_at_zero(task.features)
            return expected.expected_loss(task, params, from_zero, n_frequencies)

        cells = [(p, t) for p in (1.0, 0.3, 0.03) for t in (0.0, -0.25)]
        return np.array([[loss(*cell, *model) for model in models] for cell in cells])

    closed = losses(1)
    monkeypatch.setattr(expected, "MOST_TERMS", 0)
    errors = [np.abs(losses(n) / closed - 1).max() for n in (16, 128)]
    assert errors[1] < tolerance
    assert errors[1] < errors[0] / 4

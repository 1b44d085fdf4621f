"""Five directions on a circle whose neighbours, sums and in-betweens are known."""

import itertools

import numpy as np
import pytest

from jsuper.affixes import geometry

ORDER = [3, 0, 4, 1, 2]  # counterclockwise
ALL_PAIRS = list(itertools.combinations(range(5), 2))


def pentagon(order=ORDER, turn=0.3, radii=1.0):
    """Directions at 72°, label ``order[i]`` at place i."""
    angles = turn + 2 * np.pi * np.argsort(order) / 5
    return radii * np.stack([np.cos(angles), np.sin(angles)], -1)


def test_order_of_the_circle():
    for turn in np.linspace(0, 7, 30):
        found = geometry.circle_order(pentagon(turn=turn)).tolist()
        start = found.index(3)
        assert found[start:] + found[:start] == ORDER
    # Lengths do not matter, and models do not mix.
    radii = np.array([0.1, 2, 1, 3, 0.5])[:, None]
    both = geometry.circle_order(np.stack([pentagon(radii=radii), pentagon(range(5))]))
    np.testing.assert_array_equal(both[0], geometry.circle_order(pentagon()))
    assert sorted(both[1]) == list(range(5))
    with pytest.raises(ValueError, match="two hidden dimensions, got 3"):
        geometry.circle_order(np.ones((5, 3)))


def test_between():
    found = dict(zip(ALL_PAIRS, geometry.between(ORDER, ALL_PAIRS).tolist(), strict=True))
    # On the circle 3 0 4 1 2: neighbours, then the five that are two apart.
    adjacent = {(0, 3), (0, 4), (1, 4), (1, 2), (2, 3)}
    assert {pair for pair, middle in found.items() if middle == -1} == adjacent
    assert {pair: m for pair, m in found.items() if m >= 0} == {
        (3, 4): 0,
        (0, 1): 4,
        (2, 4): 1,
        (1, 3): 2,
        (0, 2): 3,
    }
    # Where the circle starts, which way it runs and which of a pair is named first do
    # not matter.
    expected = geometry.between(ORDER, ALL_PAIRS)
    turned = [pair[::-1] for pair in ALL_PAIRS]
    np.testing.assert_array_equal(geometry.between(ORDER[2:] + ORDER[:2], turned), expected)
    np.testing.assert_array_equal(geometry.between(ORDER[::-1], ALL_PAIRS), expected)
    with pytest.raises(ValueError, match="five labels, got 4"):
        geometry.between([0, 1, 2, 3], [(0, 1)])


def test_on_a_regular_pentagon_the_sum_lies_with_the_class_between():
    """The two routes agree: nearest direction to the sum, and order on the circle."""
    d = pentagon()
    centre = np.array([5.0, -2.0])
    sums = geometry.predicted_positions(d + centre, ALL_PAIRS)
    np.testing.assert_allclose(
        sums, [centre + d[a] + d[b] for a, b in ALL_PAIRS], atol=1e-12
    )
    # Outputs of a readout along the five directions.
    outputs = (sums - centre) @ d.T
    middle = geometry.between(geometry.circle_order(d), ALL_PAIRS)
    apart = middle >= 0
    np.testing.assert_array_equal(outputs.argmax(-1)[apart], middle[apart])
    own = np.array([outputs[i][list(pair)].max() for i, pair in enumerate(ALL_PAIRS)])
    assert (own[~apart] == outputs.max(-1)[~apart]).all()
    np.testing.assert_array_equal(
        geometry.likeliest_other(outputs, ALL_PAIRS)[apart], middle[apart]
    )


def test_likeliest_other_leaves_the_pair_out():
    outputs = np.array([[5.0, 4.0, 1.0, 2.0, 3.0], [5.0, 4.0, 1.0, 2.0, 3.0]])
    assert geometry.likeliest_other(outputs, [(0, 1), (2, 4)]).tolist() == [4, 0]


def test_class_means_and_displacements():
    rng = np.random.default_rng(0)
    means = rng.normal(size=(5, 2))
    labels = rng.permuted(np.arange(1_000) % 5)
    noise = rng.normal(size=(1_000, 2))
    for label in range(5):
        noise[labels == label] -= noise[labels == label].mean(0)
    z = means[labels] + noise
    one_hot = labels[:, None] == np.arange(5)
    np.testing.assert_allclose(geometry.class_means(z, one_hot), means, atol=1e-12)
    batch = geometry.class_means(np.stack([z, 2 * z]), one_hot)
    np.testing.assert_allclose(batch[1], 2 * means, atol=1e-12)
    centre, d = geometry.displacements(means)
    np.testing.assert_allclose(d.sum(0), 0, atol=1e-12)
    np.testing.assert_allclose(centre + d, means)
    with pytest.raises(ValueError, match="each have a word"):
        geometry.class_means(z, one_hot & (np.arange(5) > 0))


def test_random_orders_are_chance():
    """On random circles a pair is apart half the time, and any third label between."""
    n = 20_000
    orders = geometry.shuffles(n, 5)
    assert (np.sort(orders, -1) == np.arange(5)).all()
    middle = geometry.between(orders, [(0, 1)])[:, 0]
    error = 4 * np.sqrt(0.25 / n)
    assert (middle >= 0).mean() == pytest.approx(0.5, abs=error)
    for label in (2, 3, 4):
        assert (middle[middle >= 0] == label).mean() == pytest.approx(1 / 3, abs=2 * error)


# The interval is deprecated, and keeps its numbers while it lasts.
OLD_INTERVAL = pytest.mark.filterwarnings("ignore:.*geometry.interval is deprecated")


def test_the_interval_names_its_successor():
    message = "geometry.interval is deprecated, use jsuper.results.statistics.interval"
    with pytest.warns(DeprecationWarning, match=message):
        geometry.interval(lambda h, n: h / n, [[1, 2], [4, 4]], n_resamples=1)


@OLD_INTERVAL
def test_interval_has_its_coverage():
    """Models of different rates: 95% intervals hold the mean in about 95% of repeats."""
    rng = np.random.default_rng(1)
    inside = 0
    repeats = 300
    for _ in range(repeats):
        rates = rng.beta(2, 6, size=60)
        hits = rng.binomial(50, rates)
        value, low, high = geometry.interval(
            lambda h, n: h / n, [hits, np.full(60, 50)], n_resamples=400
        )
        assert low < value < high
        inside += low <= 0.25 <= high
    assert 0.9 <= inside / repeats <= 0.985


@OLD_INTERVAL
def test_interval_of_nothing_is_nan():
    assert np.isnan(geometry.interval(lambda h, n: h / n, [[], []])).all()
    assert np.isnan(geometry.interval(lambda h, n: h / n, [[0, 0], [0, 0]])).all()
    one = geometry.interval(lambda h, n: h / n, [[1], [4]])
    assert one[0] == 0.25
    assert np.isnan(one[1:]).all()


@OLD_INTERVAL
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 95}, r"level must be in \(0, 1\), got 95"),
        ({"n_resamples": 0}, "n_resamples must be an integer of at least 1, got 0"),
        ({"counts": [[1], [1, 2]]}, r"counts must be rows of one length, got .*\(1,\)"),
    ],
)
def test_intervals_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        geometry.interval(lambda h, n: h / n, **{"counts": [[1, 2], [3, 3]], **options})


def test_the_largest_gap_of_random_directions():
    d = np.random.default_rng(0).normal(size=(20_000, 5, 2))
    gaps = geometry.largest_gap(d)
    assert geometry.random_gap(5) == pytest.approx(np.median(gaps), abs=1)
    angles = 2 * np.pi * np.arange(5) / 5
    pentagon = np.stack([np.cos(angles), np.sin(angles)], -1)
    assert geometry.largest_gap(pentagon) == pytest.approx(72)
    # Without the second corner its two gaps are one.
    assert geometry.largest_gap(np.delete(pentagon, 1, 0)) == pytest.approx(144)
    with pytest.raises(ValueError, match="d must have two hidden dimensions, got 3"):
        geometry.largest_gap(np.ones((5, 3)))
    with pytest.raises(ValueError, match="n must be an integer of at least 2, got 1"):
        geometry.random_gap(1)


def test_pairs_and_orders_that_cannot_be():
    order = [0, 2, 4, 1, 3]
    for pairs in ([(1, 1)], [(0, 5)], [(-1, 2)], (0, 2), [(0.0, 2.0)]):
        with pytest.raises(
            ValueError, match=r"^pairs must be pairs of two labels from 0 to 4"
        ):
            geometry.between(order, pairs)
        with pytest.raises(ValueError, match=r"^pairs must be pairs of two labels"):
            geometry.predicted_positions(np.ones((5, 2)), pairs)
        with pytest.raises(ValueError, match=r"^pairs must be pairs of two labels"):
            geometry.likeliest_other(np.ones((1, 5)), pairs)
    with pytest.raises(ValueError, match=r"pairs .* got \[\('re-', '-ness'\)\]"):
        geometry.likeliest_other(np.ones((1, 5)), [("re-", "-ness")])
    with pytest.raises(ValueError, match="three labels or more, got 2"):
        geometry.likeliest_other([[1.0, 2.0]], [(0, 1)])
    with pytest.raises(ValueError, match="each of the labels 0 to 4 once"):
        geometry.between([0, 0, 1, 2, 3], [(0, 2)])


def test_means_are_of_words_with_one_label():
    with pytest.raises(ValueError, match="got a word with two"):
        geometry.class_means(np.ones((2, 2)), [[True, True], [False, True]])

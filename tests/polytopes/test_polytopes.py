"""Polytopes: ideal ones and their fractions, recognised under every symmetry and noise."""

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy.stats import ortho_group

from jsuper import polytopes
from jsuper.polytopes import blocks, feature_polytopes, ideal, identify, tegum_product

FRACTIONS = {
    "dedicated": 1,
    "digon": 1 / 2,
    "triangle": 2 / 3,
    "tetrahedron": 3 / 4,
    "4-simplex": 4 / 5,
    "pentagon": 2 / 5,
    "hexagon": 1 / 3,
    "heptagon": 2 / 7,
    "octagon": 1 / 4,
    "11-gon": 2 / 11,
    "square antiprism": 3 / 8,
    "cube": 3 / 8,
    "icosahedron": 1 / 4,
}
PRODUCTS = {
    "square": ["digon"] * 2,
    "octahedron": ["digon"] * 3,
    "triangular bipyramid": ["digon", "triangle"],
    "pentagonal bipyramid": ["digon", "pentagon"],
}


def disguised(W, rng, noise=0.0, n_hidden=None, scale=1.0):
    """Rotated into more dimensions, renumbered, rescaled, with noise on every weight."""
    n_hidden = n_hidden or max(2, W.shape[1])
    wide = np.pad(W, ((0, 0), (0, n_hidden - W.shape[1])))
    rotated = wide @ ortho_group.rvs(n_hidden, random_state=rng)
    return scale * rng.permutation(rotated + noise * rng.normal(size=rotated.shape))


@pytest.mark.parametrize(("name", "fraction"), FRACTIONS.items(), ids=FRACTIONS.keys())
def test_ideal_polytopes_are_tight_frames_of_unit_vectors(name, fraction):
    W = ideal(name)
    k, d = W.shape
    assert d / k == pytest.approx(fraction)
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(W.T @ W, k / d * np.eye(d), atol=1e-12)
    if name != "dedicated":
        np.testing.assert_allclose(W.sum(0), 0, atol=1e-12)
    # Every vertex looks the same from all others.
    rows = np.sort(W @ W.T, axis=1)
    np.testing.assert_allclose(rows, np.broadcast_to(rows[0], rows.shape), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FRACTIONS)
def test_recognised_in_disguise(name, seed):
    rng = np.random.default_rng(seed)
    W = disguised(ideal(name), rng, noise=0.02, n_hidden=4, scale=1.3)
    (block,) = identify(W)
    assert block.name == name
    assert block.features == tuple(range(len(W)))
    assert block.n_hidden == ideal(name).shape[1]
    assert 0 < block.residual < 0.06 or name == "dedicated"
    assert block.dimensionality == pytest.approx(block.n_hidden, rel=0.05)


@pytest.mark.parametrize("name", FRACTIONS)
def test_no_polytope_is_taken_for_another(name):
    (block,) = identify(ideal(name), tolerance=0.6, min_cosine=0.1)
    assert (block.name, block.residual) == (name, pytest.approx(0, abs=1e-7))


@pytest.mark.parametrize(("name", "parts"), PRODUCTS.items(), ids=PRODUCTS.keys())
def test_products_fall_apart(name, parts):
    rng = np.random.default_rng(1)
    found = identify(disguised(ideal(name), rng, noise=0.01))
    assert sorted(block.name for block in found) == parts
    members = np.concatenate([block.features for block in found])
    np.testing.assert_array_equal(np.sort(members), np.arange(len(ideal(name))))


def test_a_whole_model():
    rng = np.random.default_rng(2)
    names = ["tetrahedron", "square antiprism", "triangle", "triangle", "pentagon", "digon"]
    W = tegum_product(*[ideal(name) for name in names])
    W = disguised(W, rng, noise=0.01, n_hidden=20)
    found = identify(W)
    assert sorted(b.name for b in found) == sorted(names)
    assert [b.features[0] for b in found] == sorted(b.features[0] for b in found)
    assert sum(b.dimensionality for b in found) == pytest.approx(13, rel=0.01)


def test_stars_are_polygons():
    """Visiting a pentagon's vertices two at a time changes their order and nothing else."""
    pentagon = ideal("pentagon")
    star = pentagon[(2 * np.arange(5)) % 5]
    assert not np.allclose(star @ star.T, pentagon @ pentagon.T)
    (block,) = identify(star)
    assert (block.name, block.residual) == ("pentagon", pytest.approx(0, abs=1e-7))


@pytest.mark.parametrize("name", ["pentagon", "hexagon", "tetrahedron"])
def test_residual_is_that_of_the_best_order(name):
    """All orders tried one by one, as an independent route."""
    rng = np.random.default_rng(3)
    W = disguised(ideal(name), rng, noise=0.03, n_hidden=3)
    gram, vertices = W @ W.T, ideal(name)
    gram = gram / np.mean(np.diag(gram))
    perfect = vertices @ vertices.T
    best = min(
        np.sqrt(np.mean((gram - perfect[np.ix_(order, order)]) ** 2))
        for order in itertools.permutations(range(len(W)))
    )
    (block,) = identify(W)
    assert (block.name, block.residual) == (name, pytest.approx(best, rel=1e-9))


def test_residual_does_not_depend_on_frame_order_or_scale():
    rng = np.random.default_rng(4)
    W = ideal("square antiprism") + 0.03 * rng.normal(size=(8, 3))
    (block,) = identify(W)
    for _ in range(5):
        (other,) = identify(disguised(W, rng, n_hidden=5, scale=rng.uniform(1, 2)))
        assert other.residual == pytest.approx(block.residual, rel=1e-9)


@pytest.mark.parametrize("name", ["digon", "triangle", "pentagon", "square antiprism"])
def test_noise_leaves_one_and_a_half_times_itself(name):
    """As `identify` documents; and where it exceeds the tolerance, the name is gone."""
    rng = np.random.default_rng(5)
    W = ideal(name)
    small = [identify(W + 0.02 * rng.normal(size=W.shape))[0].residual for _ in range(50)]
    assert 0.015 < np.mean(small) < 0.04
    large = [
        block.name
        for _ in range(50)
        for block in identify(W + 0.5 * rng.normal(size=W.shape))
    ]
    assert large.count(name) < 10


@pytest.mark.parametrize(("k", "d"), [(5, 2), (5, 3), (8, 3), (12, 3), (30, 5)])
def test_random_directions_are_unknown(k, d):
    rng = np.random.default_rng(6)
    named = 0
    for _ in range(40):
        W = rng.normal(size=(k, d))
        W = W / np.linalg.norm(W, axis=1, keepdims=True)
        named += sum(len(b.features) for b in identify(W) if b.name != "unknown")
    assert named <= 0.02 * 40 * k


def test_the_antiprism_that_is_not_tight_is_farther():
    """The Tammes antiprism, z² = 1 / (1 + 2√2), has D = 0.366 instead of 3/8."""
    W = ideal("square antiprism")
    z = 1 / np.sqrt(1 + 2 * np.sqrt(2))
    tammes = np.c_[W[:, :2] * np.sqrt((1 - z**2) / (2 / 3)), np.sign(W[:, 2]) * z]
    (block,) = identify(tammes, tolerance=0.2)
    assert block.dimensionality == pytest.approx(8 * 0.366, abs=0.005)
    assert 0.03 < block.residual < 0.2
    (block,) = identify(tammes, tolerance=0.03)
    assert block.name == "unknown"


def test_blocks_by_cosine_and_norm():
    W = np.array([[1, 0, 0], [0.15, 1, 0], [0, 0, 1], [0, 0, -0.4]])
    assert [b.tolist() for b in blocks(W)] == [[0], [1], [2]]
    assert [b.tolist() for b in blocks(W, 0.1)] == [[0, 1], [2]]
    assert [b.tolist() for b in blocks(W, min_norm=0.3)] == [[0], [1], [2, 3]]
    assert blocks(np.zeros((3, 2))) == identify(np.zeros((3, 2))) == []


def test_a_direction_that_many_weak_features_share_is_not_dedicated():
    weak = np.c_[np.full((30, 1), 0.3), np.linspace(-0.3, 0.3, 30)]
    W = np.concatenate([[[1.0, 0.0]], weak])
    (block,) = identify(W)
    assert block.dimensionality == pytest.approx(1 / (1 + 30 * 0.3**2))
    assert block.name == "unknown"
    (block,) = identify(W, leak=0.9)
    assert block.name == "dedicated"


def test_polytopes_of_a_sweep():
    rng = np.random.default_rng(7)
    pairs = tegum_product(ideal("digon"), ideal("digon"))
    pentagon = ideal("pentagon")[:4]
    W = np.stack([pairs, pentagon, np.full((4, 2), np.nan), 0.01 * pairs])
    ds = xr.Dataset({"W": (("hidden", "feature", "seed"), W.transpose(2, 1, 0))})
    named = feature_polytopes(ds.assign_coords(seed=[3, 4, 5, 6]))
    assert named.dims == ("seed", "feature")
    assert named.sel(seed=3).values.tolist() == ["digon"] * 4
    assert named.sel(seed=4).values.tolist() == ["unknown"] * 4
    assert named.sel(seed=5).values.tolist() == ["diverged"] * 4
    assert named.sel(seed=6).values.tolist() == ["not represented"] * 4
    counts = polytopes.count_polytopes(named[:, rng.permutation(4)])
    np.testing.assert_array_equal(counts.sum("polytope"), 4)
    assert counts["polytope"].values.tolist() == [
        "digon",
        "diverged",
        "unknown",
        "not represented",
    ]
    assert int(counts.sel(seed=3, polytope="digon")) == 4


def test_polytopes_of_models_of_several_sizes():
    shapes = [ideal("digon"), ideal("pentagon"), ideal("tetrahedron")]
    padded = [
        np.pad(W, ((0, 5 - len(W)), (0, 3 - W.shape[1])), constant_values=np.nan)
        for W in shapes
    ]
    n, m = np.array([W.shape for W in shapes]).T
    ds = xr.Dataset(
        {"W": (("size", "hidden", "feature"), np.stack(padded).transpose(0, 2, 1))},
        {
            "size": ["small", "flat", "solid"],
            "feature_padding": (("size", "feature"), np.arange(5) >= n[:, None]),
            "hidden_padding": (
                ("size", "hidden"),
                (np.arange(3) >= m[:, None]).astype("int8"),
            ),
        },
    )
    named = feature_polytopes(ds)
    for name, k, size in zip(
        ["digon", "pentagon", "tetrahedron"], n, ds["size"], strict=True
    ):
        assert named.sel(size=size).values.tolist() == [name] * k + [""] * (5 - k)
    counts = polytopes.count_polytopes(named)
    assert "" not in counts["polytope"]
    np.testing.assert_array_equal(counts.sum("polytope"), n)
    ds["W"][1, 0, 0] = np.nan  # diverged, which padding is not
    assert feature_polytopes(ds).sel(size="flat").values.tolist() == ["diverged"] * 5
    assert (
        feature_polytopes(ds).sel(size="small").values.tolist() == ["digon"] * 2 + [""] * 3
    )


def test_a_grid_of_names_is_named():
    W = np.stack([ideal("triangle"), -ideal("triangle")])
    ds = xr.Dataset(
        {"W": (("activation", "feature", "hidden"), W)}, {"activation": ["a", "b"]}
    )
    named = feature_polytopes(ds).sel(activation="b")
    assert named.values.tolist() == ["triangle"] * 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: identify(np.zeros(3)), r"shape \(n_features, n_hidden\)"),
        (lambda: identify(np.full((2, 2), np.nan)), "W must be finite"),
        (lambda: identify(np.eye(2), tolerance=0), r"tolerance must be in \(0, 1\)"),
        (lambda: identify(np.eye(2), leak=1), r"leak must be in \(0, 1\)"),
        (lambda: blocks(np.eye(2), 1.5), r"min_cosine must be in \(0, 1\)"),
        (lambda: ideal("2-gon"), "got '2-gon'"),
        (lambda: ideal("dodo"), "name must be one of"),
        (lambda: feature_polytopes(xr.Dataset()), "variable W"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()

r"""Which polytopes the features of a model form.

Features that share no direction do not interfere. The *blocks* of a model are the
smallest groups of features of which this holds: connected components of the graph whose
edges are interference, the tegum factors of the paper (Elhage et al. 2022, "The Geometry
of Superposition"). Each block is compared with the regular configurations that minimise
interference. A square is two digons, an octahedron three: they fall apart by themselves.

All functions take the weights of one model, shape (n_features, n_hidden), and work in
NumPy, outside of `jax.jit`.
"""

import dataclasses
import itertools
import re
from collections.abc import Iterator

import numpy as np
import scipy.linalg
import xarray as xr
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from jsuper.validation import check_number

UNKNOWN = "unknown"
NOT_REPRESENTED = "not represented"

_POLYGONS = {3: "triangle", 5: "pentagon", 6: "hexagon", 7: "heptagon", 8: "octagon"}
_SIMPLICES = {1: "dedicated", 2: "digon", 3: "triangle", 4: "tetrahedron"}


@dataclasses.dataclass(frozen=True)
class Block:
    r"""Features that interfere with each other and with no others.

    Args:
        features: Indices of the features, ascending.
        name: The polytope that they form, such as ``"digon"``, or ``"unknown"``.
        residual: Root mean square difference between the block's Gram matrix, scaled to
            mean 1 on its diagonal, and that of the closest polytope with as many
            vertices; infinite if none was found close.
        n_hidden: Hidden dimensions that the block spans; of a polytope, those of the
            ideal one.
        dimensionality: $\sum_i D_i$ over the block's features, with all features of the
            model counted as interfering: n_hidden for a tight frame that is orthogonal
            to the rest, less as others reach into its dimensions.
    """

    features: tuple[int, ...]
    name: str
    residual: float
    n_hidden: int
    dimensionality: float


def blocks(
    W: ArrayLike, interference: float = 0.2, least_norm: float = 0.5
) -> list[np.ndarray]:
    r"""Returns the groups of features that interfere only among themselves.

    Two features are connected where the cosine between their embeddings exceeds
    ``interference`` in absolute value. Norms do not matter for it.

    Args:
        W: Weights, shape (n_features, n_hidden).
        interference: Cosine in (0, 1) above which features interfere. The smallest one
            inside a simplex of k vertices is 1 / (k - 1), in a square antiprism 0.14.
        least_norm: Norm that a feature must exceed to be in a block at all.

    Returns:
        Ascending indices of each block, the blocks ordered by their first feature.

    Raises:
        ValueError: If ``W`` is not a finite matrix or a limit is out of range.

    Example:
        >>> blocks([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.1]])
        [array([0, 2]), array([1])]
    """
    W = _weights(W)
    _check_between_0_and_1("interference", interference)
    norms = np.linalg.norm(W, axis=1)
    kept = np.flatnonzero(norms > least_norm)
    directions = W[kept] / norms[kept, None]
    n, labels = connected_components(np.abs(directions @ directions.T) > interference)
    return [kept[labels == i] for i in range(n)]


def identify(
    W: ArrayLike,
    tolerance: float = 0.1,
    *,
    interference: float = 0.2,
    leak: float = 0.25,
    least_norm: float = 0.5,
) -> list[Block]:
    r"""Names the polytope that each block of features forms.

    The Gram matrix $W W^\top$ of a block says everything about its shape and nothing
    about its orientation. It is scaled to mean 1 on its diagonal and compared with that
    of each ideal polytope of as many vertices, in the order of vertices that fits best.
    A star of k features is the k-gon in another order, so stars are k-gons.

    Args:
        W: Weights, shape (n_features, n_hidden).
        tolerance: Residual in (0, 1), as in `Block`, up to which a block has the name
            of the closest polytope. Gaussian noise of standard deviation s on every
            weight of a polytope with unit norms leaves a residual near 1.5 s.
        interference: Cosine above which two features belong to one block, as in `blocks`.
        leak: Largest share in (0, 1) of a named block's dimensions that features outside
            of it may take, $1 - \sum_i D_i / \text{n_hidden}$. Weak interference from
            very many features is a lot.
        least_norm: Norm that a feature must exceed to be in a block at all.

    Returns:
        The blocks, ordered by their first feature; features that are not represented
        are in none.

    Raises:
        ValueError: If ``W`` is not a finite matrix or a tolerance is out of range.

    Example:
        >>> found = identify(ideal("pentagonal bipyramid"))
        >>> [(block.name, round(block.dimensionality, 3)) for block in found]
        [('pentagon', 2.0), ('digon', 1.0)]
    """
    W = _weights(W)
    _check_between_0_and_1("tolerance", tolerance)
    _check_between_0_and_1("leak", leak)
    gram = W @ W.T
    squares = np.sum(gram**2, axis=1)
    D = np.diag(gram) ** 2 / np.where(squares == 0, 1, squares)
    found = []
    for features in blocks(W, interference, least_norm):
        own = gram[np.ix_(features, features)]
        own = own / np.mean(np.diag(own))
        name, residual, n_hidden = _closest(own, tolerance)
        dimensionality = float(D[features].sum())
        if dimensionality < (1 - leak) * n_hidden:
            name = UNKNOWN
        found.append(
            Block(
                features=tuple(features.tolist()),
                name=name,
                residual=residual,
                n_hidden=n_hidden,
                dimensionality=dimensionality,
            )
        )
    return found


def ideal(name: str) -> np.ndarray:
    r"""Returns the vertices of a polytope with unit norms, centred on the origin.

    Every one of them is a tight frame on each of its tegum factors, so its
    dimensionalities are n_hidden / n_vertices there. Of the square antiprisms that is
    the one of height $\pm 1/\sqrt{3}$, with $D_i = 3/8$, not the Tammes antiprism.

    Args:
        name: ``"dedicated"``, ``"digon"``, ``"triangle"``, ``"square"``, ``"pentagon"``,
            ``"hexagon"``, ``"heptagon"``, ``"octagon"`` or ``"9-gon"``; ``"tetrahedron"``
            or ``"4-simplex"``, which is the simplex of 5 vertices;
            ``"square antiprism"``, ``"cube"``, ``"icosahedron"``; and the products
            ``"octahedron"``, ``"triangular bipyramid"``, ``"pentagonal bipyramid"``.

    Returns:
        Vertices, shape (n_vertices, n_hidden).

    Raises:
        ValueError: If there is no polytope of that name.

    Example:
        >>> ideal("triangle").round(3)
        array([[ 1.   ,  0.   ],
               [-0.5  ,  0.866],
               [-0.5  , -0.866]])
    """
    builders = {
        **{
            name: lambda k=k: _polygon(k) for k, name in (_POLYGONS | {4: "square"}).items()
        },
        **{name: lambda k=k: _simplex(k) for k, name in _SIMPLICES.items() if k != 3},
        **_SOLIDS,
        "octahedron": lambda: tegum_product(*[_simplex(2)] * 3),
        "triangular bipyramid": lambda: tegum_product(_polygon(3), _simplex(2)),
        "pentagonal bipyramid": lambda: tegum_product(_polygon(5), _simplex(2)),
    }
    if name in builders:
        return builders[name]()
    for pattern, build, lowest in (
        (r"(\d+)-gon", _polygon, 3),
        (r"(\d+)-simplex", lambda d: _simplex(d + 1), 1),
    ):
        match = re.fullmatch(pattern, name)
        if match and int(match[1]) >= lowest:
            return build(int(match[1]))
    raise ValueError(
        f"name must be one of {', '.join(builders)}, k-gon or d-simplex, got {name!r}"
    )


def tegum_product(*factors: ArrayLike) -> np.ndarray:
    """Places polytopes about the same centre in orthogonal subspaces.

    Args:
        factors: Vertices of each, shape (n_vertices, n_hidden).

    Returns:
        All vertices, shape (sum of n_vertices, sum of n_hidden).

    Example:
        >>> tegum_product(ideal("digon"), ideal("dedicated"))
        array([[ 1.,  0.],
               [-1.,  0.],
               [ 0.,  1.]])
    """
    return np.asarray(scipy.linalg.block_diag(*map(np.asarray, factors)))


def feature_polytopes(
    ds: xr.Dataset,
    tolerance: float = 0.1,
    *,
    interference: float = 0.2,
    leak: float = 0.25,
    least_norm: float = 0.5,
) -> xr.DataArray:
    """Names the polytope that every feature of every model of a sweep belongs to.

    Args:
        ds: A dataset with ``W`` of dimensions (..., feature, hidden), as
            `jsuper.sweep` returns it.
        tolerance: As in `identify`.
        interference: As in `identify`.
        leak: As in `identify`.
        least_norm: As in `identify`.

    Returns:
        Names, dimensions (..., feature): of a polytope, ``"unknown"``, ``"not
        represented"``, or ``"diverged"`` for all features of such a model.

    Raises:
        ValueError: If ``ds`` holds no such ``W``.

    Example:
        >>> ds = xr.Dataset({"W": (("feature", "hidden"), ideal("triangular bipyramid"))})
        >>> feature_polytopes(ds).values.tolist()
        ['triangle', 'triangle', 'triangle', 'digon', 'digon']
    """
    if "W" not in ds or not {"feature", "hidden"} <= set(ds["W"].dims):
        raise ValueError(
            "ds must have a variable W with dimensions (..., feature, hidden), got "
            f"variables {sorted(map(str, ds.data_vars))}"
        )

    def names(W):
        if not np.isfinite(W).all():
            return np.full(len(W), "diverged", dtype=object)
        named = np.full(len(W), NOT_REPRESENTED, dtype=object)
        for block in identify(
            W, tolerance, interference=interference, leak=leak, least_norm=least_norm
        ):
            named[list(block.features)] = block.name
        return named

    named = xr.apply_ufunc(
        names,
        ds["W"],
        input_core_dims=[["feature", "hidden"]],
        output_core_dims=[["feature"]],
        vectorize=True,
    )
    named = named.astype(str).rename("polytope")
    named.attrs = {"long_name": "polytope"}
    return named


def count_polytopes(named: xr.DataArray) -> xr.DataArray:
    """Counts the features of every model that belong to each polytope.

    Args:
        named: Names of dimensions (..., feature), as `feature_polytopes` returns them.

    Returns:
        Numbers of features, dimensions (..., polytope), that sum to n_features. The
        polytopes that occur stand in descending order of dimensionality; ``"unknown"``
        and ``"not represented"`` come last.

    Example:
        >>> ds = xr.Dataset({"W": (("feature", "hidden"), ideal("pentagonal bipyramid"))})
        >>> count_polytopes(feature_polytopes(ds)).to_series().to_dict()
        {'digon': 2, 'pentagon': 5, 'unknown': 0, 'not represented': 0}
    """
    last = [UNKNOWN, NOT_REPRESENTED]
    others = [str(name) for name in np.unique(named.values) if name not in last]

    def dimensionality(name):
        if name == "diverged":
            return 0.0
        n_vertices, n_hidden = ideal(name).shape
        return n_hidden / n_vertices

    names = [*sorted(others, key=dimensionality, reverse=True), *last]
    polytope = xr.DataArray(names, dims="polytope", coords={"polytope": names})
    counts = (named == polytope).sum("feature").rename("features")
    counts.attrs = {"long_name": "features in each polytope"}
    return counts


def _closest(gram: np.ndarray, tolerance: float) -> tuple[str, float, int]:
    """Name, residual and dimensions of the polytope closest to a scaled Gram matrix."""
    name, residual, n_hidden = UNKNOWN, np.inf, 0
    for candidate, vertices in _with_vertices(len(gram)):
        ideal_gram = vertices @ vertices.T
        # Sorted entries are as close as entries in any order can be.
        least = _rms(_sorted_entries(gram) - _sorted_entries(ideal_gram))
        if least > min(tolerance, residual):
            continue
        distance = _residual(gram, ideal_gram, vertices.shape[1], least)
        if distance < residual:
            residual = distance
            if distance <= tolerance:
                name, n_hidden = candidate, vertices.shape[1]
    if name == UNKNOWN:
        spectrum = np.linalg.eigvalsh(gram)
        n_hidden = int(np.sum(spectrum > tolerance * spectrum[-1]))
    return name, float(residual), n_hidden


def _with_vertices(k: int) -> Iterator[tuple[str, np.ndarray]]:
    """Polytopes of k vertices that are a single block."""
    yield _SIMPLICES.get(k, f"{k - 1}-simplex"), _simplex(k)
    if k > 4:
        yield _POLYGONS.get(k, f"{k}-gon"), _polygon(k)
    for name, build in _SOLIDS.items():
        vertices = build()
        if len(vertices) == k:
            yield name, vertices


def _residual(gram: np.ndarray, ideal_gram: np.ndarray, d: int, least: float) -> float:
    """Distance of two Gram matrices in the best order of vertices.

    The place of d features that span the space fixes that of all others. All places of
    those d are tried; ``least``, a bound that no order can beat, ends the search.
    """
    *_, pivots = scipy.linalg.qr(gram, pivoting=True)
    anchors = pivots[:d]
    best = np.inf
    for places in itertools.permutations(range(len(gram)), d):
        difference = gram[:, None, anchors] - ideal_gram[None, :, places]
        _, order = linear_sum_assignment(np.sum(difference**2, axis=-1))
        best = min(best, _rms(gram - ideal_gram[np.ix_(order, order)]))
        if best <= least + 1e-9:
            break
    return best


def _sorted_entries(gram: np.ndarray) -> np.ndarray:
    """The diagonal, and what is beside it, each in ascending order."""
    beside = gram[~np.eye(len(gram), dtype=bool)]
    return np.concatenate([np.sort(np.diag(gram)), np.sort(beside)])


def _rms(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(array**2)))


def _polygon(k: int) -> np.ndarray:
    angles = 2 * np.pi * np.arange(k) / k
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def _simplex(k: int) -> np.ndarray:
    """Unit vectors, k of them, with cosines -1 / (k - 1)."""
    if k == 1:
        return np.ones((1, 1))
    vertices = scipy.linalg.helmert(k).T
    return vertices / np.linalg.norm(vertices, axis=1, keepdims=True)


def _square_antiprism() -> np.ndarray:
    height, radius = 1 / np.sqrt(3), np.sqrt(2 / 3)
    octagon = radius * _polygon(8)
    return np.column_stack([octagon, height * (-1.0) ** np.arange(8)])


def _cube() -> np.ndarray:
    return np.array(list(itertools.product([-1.0, 1.0], repeat=3))) / np.sqrt(3)


def _icosahedron() -> np.ndarray:
    golden = (1 + np.sqrt(5)) / 2
    face = [(0.0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
    vertices = np.concatenate([np.roll(face, shift, axis=1) for shift in range(3)])
    return vertices / np.sqrt(1 + golden**2)


_SOLIDS = {
    "square antiprism": _square_antiprism,
    "cube": _cube,
    "icosahedron": _icosahedron,
}
"""Polytopes in three dimensions that are neither simplices nor products."""


def _weights(W: ArrayLike) -> np.ndarray:
    W = np.asarray(W, float)
    if W.ndim != 2:
        raise ValueError(f"W must have shape (n_features, n_hidden), got shape {W.shape}")
    if not np.isfinite(W).all():
        raise ValueError("W must be finite, got a model that diverged")
    return W


def _check_between_0_and_1(argument: str, value: float) -> None:
    check_number(argument, value)
    if not 0 < value < 1:
        raise ValueError(f"{argument} must be in (0, 1), got {value!r}")

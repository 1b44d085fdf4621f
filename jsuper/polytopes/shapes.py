"""Ideal polytopes: the regular configurations that minimise interference."""

import itertools
import re
from collections.abc import Iterator

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

_POLYGONS = {3: "triangle", 5: "pentagon", 6: "hexagon", 7: "heptagon", 8: "octagon"}
_SIMPLICES = {1: "dedicated", 2: "digon", 3: "triangle", 4: "tetrahedron"}


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


def with_vertices(k: int) -> Iterator[tuple[str, np.ndarray]]:
    """Polytopes of k vertices that are a single block."""
    yield _SIMPLICES.get(k, f"{k - 1}-simplex"), _simplex(k)
    if k > 4:
        yield _POLYGONS.get(k, f"{k}-gon"), _polygon(k)
    for name, build in _SOLIDS.items():
        vertices = build()
        if len(vertices) == k:
            yield name, vertices


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

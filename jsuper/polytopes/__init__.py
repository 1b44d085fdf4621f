r"""Which polytopes the features of a model form.

Features that share no direction do not interfere. The *blocks* of a model are the
smallest groups of features of which this holds: connected components of the graph whose
edges are interference, the tegum factors of the paper (Elhage et al. 2022, "The Geometry
of Superposition"). Each block is compared with the regular configurations that minimise
interference. A square is two digons, an octahedron three: they fall apart by themselves.

All functions take the weights of one model, shape (n_features, n_hidden), and work in
NumPy, outside of `jax.jit`.
"""

from jsuper.polytopes.components import blocks
from jsuper.polytopes.naming import (
    NOT_REPRESENTED,
    UNKNOWN,
    Block,
    count_polytopes,
    feature_polytopes,
    identify,
    in_words,
)
from jsuper.polytopes.shapes import ideal, tegum_product

__all__ = [
    "NOT_REPRESENTED",
    "UNKNOWN",
    "Block",
    "blocks",
    "count_polytopes",
    "feature_polytopes",
    "ideal",
    "identify",
    "in_words",
    "tegum_product",
]

r"""Features in hierarchies: a child is active only where its parent is.

Such features are what splitting and absorption are about: Chanin et al. 2024, "A is for
Absorption: Studying Feature Splitting and Absorption in Sparse Autoencoders".
"""

import graphlib
import operator
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jsuper.features.sparse import SparseFeatures, pair_moments, shared_uniforms
from jsuper.pytrees import pytree, static


@pytree
class HierarchicalFeatures:
    r"""Features of which each is active only where its parent is.

    A root is active with its density $p_i$; any other feature is active with probability
    $p_i$ where its parent is active, and never where it is not. An active feature is
    uniform on $[\text{low}, \text{high}]$, independently of all others; the rest are 0.
    Features $i$ and $j$ are both active with probability

    $$P_{ij} = \prod_{k \in A_i \cup A_j} p_k,$$

    where $A_i$ holds feature $i$ and its ancestors: every one of them must be active.

    Args:
        parents: The parent of each feature: its index, or None (or -1) for a root. Any
            forest, in any order.
        density: Probability $p_i$ in (0, 1] that a feature is active given that its
            parent is; one number or one per feature, shape (n_features,).
        low: Lower end of the range of an active feature.
        high: Upper end of that range, above ``low``.

    Raises:
        ValueError: If a parent is out of range, parents form a circle, a number is out of
            range or a shape does not fit.

    Example:
        A root with two children, of which the second has a child of its own:

        >>> import jax, jsuper as js
        >>> features = js.HierarchicalFeatures([None, 0, 0, 2], density=0.5)
        >>> active = features.sample(jax.random.key(0), batch_size=1024) != 0
        >>> bool((active[:, 3] <= active[:, 2]).all())
        True
        >>> features.mean()
        Array([0.25  , 0.125 , 0.125 , 0.0625], dtype=float32)
    """

    parents: Sequence[int | None] = static()
    density: ArrayLike
    low: ArrayLike = 0.0
    high: ArrayLike = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "parents", _checked(self.parents))
        independent = SparseFeatures(self.n_features, self.density, self.low, self.high)
        object.__setattr__(self, "density", independent.density)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.parents)

    def sample(self, key: jax.Array, batch_size: int) -> jax.Array:
        """Samples a batch.

        Args:
            key: A typed PRNG key; the same key at another density activates a superset
                or a subset of the same features, with the same magnitudes.
            batch_size: Number of examples.

        Returns:
            Features, shape (batch_size, n_features).
        """
        n = self.n_features
        # Where a lineage has ended, any number will do: it is at most 1.
        columns = _lineages(self.parents).T
        *ancestors, magnitude = shared_uniforms(key, batch_size, *columns, n + np.arange(n))
        densities = self._densities().astype(magnitude.dtype).T
        active = jnp.ones(magnitude.shape, bool)
        for u, p in zip(ancestors, densities, strict=True):
            active &= u <= p
        x = self.low + (jnp.asarray(self.high) - self.low) * magnitude
        return jnp.where(active, x, 0.0)

    def mean(self) -> jax.Array:
        r"""Returns $E[x_i] = P_{ii} \mu$, shape (n_features,).

        Here $\mu = (\text{low} + \text{high}) / 2$.
        """
        middle = (jnp.asarray(self.low, float) + self.high) / 2
        return self._densities().prod(axis=1) * middle

    def second_moment(self) -> jax.Array:
        r"""Returns $E[x_i x_j]$, shape (n_features, n_features).

        Off the diagonal it is $P_{ij} \mu^2$ with $\mu = (\text{low} + \text{high}) / 2$,
        on it $P_{ii} (\text{low}^2 + \text{low}\,\text{high} + \text{high}^2) / 3$.
        """
        together = jnp.ones((self.n_features, self.n_features))
        generations = zip(_lineages(self.parents).T, self._densities().T, strict=True)
        for ancestor, p in generations:
            # A common ancestor counts once.
            same = ancestor[:, None] == ancestor
            together *= p[:, None] * jnp.where(same, 1.0, p)
        return pair_moments(together, self.low, self.high)

    def _densities(self) -> jax.Array:
        """Densities along each lineage, shaped like it; 1 after its end."""
        p = jnp.broadcast_to(jnp.asarray(self.density, float), (self.n_features,))
        return jnp.append(p, 1.0)[_lineages(self.parents)]


def _checked(parents: Any) -> tuple[int | None, ...]:
    """Returns the parents as integers and None, after checking that they are a forest."""
    try:
        given = tuple(parents)
    except TypeError:
        raise ValueError(
            f"parents must be a sequence of indices and None, got {parents!r}"
        ) from None
    if not given:
        raise ValueError("parents must hold at least one feature, got none")

    def checked(parent: Any) -> int | None:
        if parent is None:
            return None
        try:
            number = operator.index(parent)
        except TypeError:
            number = len(given)
        if not -1 <= number < len(given) or isinstance(parent, bool):
            raise ValueError(
                f"parents must hold None, -1 or indices from 0 to {len(given) - 1}, "
                f"got {parent!r}"
            )
        return None if number == -1 else number

    forest = tuple(map(checked, given))
    try:
        _from_the_roots(forest)
    except graphlib.CycleError as error:
        circle = " → ".join(map(str, error.args[1]))
        raise ValueError(f"parents must form no circle, got {circle}") from None
    return forest


def _from_the_roots(parents: Sequence[int | None]) -> list[int]:
    """All features in an order in which each comes after its parent."""
    graph = {i: [] if k is None else [k] for i, k in enumerate(parents)}
    return list(graphlib.TopologicalSorter(graph).static_order())


def _lineages(parents: Sequence[int | None]) -> np.ndarray:
    """The ancestors of each feature from the root on, then itself, then -1.

    Shape (n_features, depth), where a hierarchy of roots alone has depth 1.
    """
    lineage: dict[int | None, tuple[int, ...]] = {None: ()}
    for i in _from_the_roots(parents):
        lineage[i] = (*lineage[parents[i]], i)
    table = np.full((len(parents), max(map(len, lineage.values()))), -1)
    for i, row in enumerate(table):
        row[: len(lineage[i])] = lineage[i]
    return table

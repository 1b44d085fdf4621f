"""Different kinds of features in one input."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jsuper.features.activity import Activity
from jsuper.features.groups import indices_in_groups
from jsuper.pytrees import pytree, static, visible
from jsuper.validation import check_count


@pytree
class JoinedFeatures:
    """Features of several kinds, side by side in one input and independent.

    Args:
        parts: Features of any kind, your own among them: what has ``n_features`` and
            ``sample(key, batch_size)``.
        indices: Where the features of each part stand in the input, a sequence of
            sequences, one for each part: together all indices from 0 to
            ``n_features`` - 1, each once. By default the parts follow one another.

    Raises:
        ValueError: If there are no parts, or ``indices`` does not fit them.
        TypeError: If a part lacks ``n_features`` or ``sample``.

    Example:
        >>> import jax, jsuper as js
        >>> pair = js.CorrelatedFeatures(n_sets=1, set_size=2, density=0.1)
        >>> rest = js.SparseFeatures(3, density=0.5)
        >>> js.JoinedFeatures([pair, rest]).mean()
        Array([0.05, 0.05, 0.25, 0.25, 0.25], dtype=float32)

        The same with the pair at both ends:

        >>> features = js.JoinedFeatures([pair, rest], indices=[(0, 4), (1, 2, 3)])
        >>> active = features.sample(jax.random.key(0), batch_size=1024) != 0
        >>> bool((active[:, 0] == active[:, 4]).all())
        True
    """

    parts: Sequence[Any]
    indices: Sequence[Sequence[int]] | None = static(default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _checked_parts(self.parts))
        if self.indices is None:
            return
        indices = indices_in_groups("indices", self.indices, self.n_features)
        given, sizes = list(map(len, indices)), [part.n_features for part in self.parts]
        if given != sizes:
            raise ValueError(
                f"indices must hold {sizes} indices, as many as the parts have features, "
                f"got {given}"
            )
        object.__setattr__(self, "indices", indices)

    @property
    def n_features(self) -> int:
        """Number of features of all parts."""
        return sum(part.n_features for part in self.parts)

    def sample(self, key: jax.Array, batch_size: int) -> jax.Array:
        """Samples a batch.

        Args:
            key: A typed PRNG key. Part number k samples from ``fold_in(key, k)``: parts
                added after the others leave these as they were, and each part keeps
                what it promises of one key at different numbers.
            batch_size: Number of examples.

        Returns:
            Features, shape (batch_size, n_features).

        Raises:
            ValueError: If the sample of a part has another shape than
                (batch_size, n_features of the part).
        """
        samples = []
        for k, part in enumerate(self.parts):
            x = part.sample(jax.random.fold_in(key, k), batch_size)
            if np.shape(x) != (batch_size, part.n_features):
                raise ValueError(
                    f"sample of parts[{k}] must return an array of shape "
                    f"{(batch_size, part.n_features)}, got {np.shape(x)}"
                )
            samples.append(x)
        return jnp.concatenate(samples, axis=1)[:, self._order()]

    def mean(self) -> jax.Array:
        """Returns the parts' means, shape (n_features,).

        Raises:
            TypeError: If a part has no method ``mean``.
        """
        return jnp.concatenate(self._moments("mean"))[self._order()]

    def second_moment(self) -> jax.Array:
        """Returns $E[x_i x_j]$, shape (n_features, n_features).

        It is a part's second moment for two features of it, and the product of the
        means for features of different parts.

        Raises:
            TypeError: If a part has no method ``second_moment`` or ``mean``.
        """
        blocks = self._moments("second_moment")
        mean = jnp.concatenate(self._moments("mean"))
        part_of = np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])
        within = jax.scipy.linalg.block_diag(*blocks)
        moment = jnp.where(part_of[:, None] == part_of, within, mean[:, None] * mean)
        return moment[self._order()][:, self._order()]

    def activity(self) -> Activity:
        """Returns the law: the parts' groups, which are independent.

        Raises:
            TypeError: If a part has no method ``activity``.
        """
        laws = self._moments("activity")
        sizes = np.cumsum([0, *(part.n_features for part in self.parts)])
        order = self._order()
        at = np.arange(sizes[-1]) if self.indices is None else np.concatenate(self.indices)
        groups = (
            group.moved(at[start:])
            for law, start in zip(laws, sizes, strict=False)
            for group in law.groups
        )
        ends = ([getattr(law, name) for law in laws] for name in ("low", "high"))
        return Activity(tuple(groups), *(jnp.concatenate(end)[order] for end in ends))

    def _moments(self, method: str) -> list[Any]:
        for k, part in enumerate(self.parts):
            if not callable(getattr(part, method, None)):
                raise TypeError(
                    f"{method} needs parts that have the method {method}, got "
                    f"{type(getattr(part, 'part', part)).__name__} in parts[{k}]"
                )
        return [getattr(part, method)() for part in self.parts]

    def _order(self) -> slice | np.ndarray:
        """Where each feature stands among the parts one after another."""
        if self.indices is None:
            return slice(None)
        return np.argsort(np.concatenate(self.indices))


def _checked_parts(parts: Any) -> tuple[Any, ...]:
    try:
        parts = tuple(parts)
    except TypeError:
        raise ValueError(
            f"parts must be a sequence of features, got {type(parts).__name__}"
        ) from None
    if not parts:
        raise ValueError("parts must hold at least one, got none")
    for k, part in enumerate(parts):
        if not callable(getattr(part, "sample", None)):
            raise TypeError(
                f"parts[{k}] must have the method sample, got {type(part).__name__}"
            )
        if not hasattr(part, "n_features"):
            raise TypeError(
                f"parts[{k}] must have the attribute n_features, got {type(part).__name__}"
            )
        check_count(f"parts[{k}].n_features", part.n_features)
    return tuple(map(visible, parts))

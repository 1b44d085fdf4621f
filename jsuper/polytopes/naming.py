r"""The polytope that each block of features forms, of one model and of a sweep."""

import collections
import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import scipy.linalg
import xarray as xr
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from jsuper.padding import is_padding
from jsuper.polytopes.components import blocks, check_between_0_and_1, finite_weights
from jsuper.polytopes.shapes import ideal, with_vertices
from jsuper.renaming import renamed_arguments

UNKNOWN = "unknown"
NOT_REPRESENTED = "not represented"

_NO_PLURAL = "dedicated", UNKNOWN


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


@renamed_arguments(interference="min_cosine", least_norm="min_norm")
def identify(
    W: ArrayLike,
    tolerance: float = 0.1,
    *,
    min_cosine: float = 0.2,
    leak: float = 0.25,
    min_norm: float = 0.5,
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
        min_cosine: Cosine above which two features belong to one block, as in `blocks`.
        leak: Largest share in (0, 1) of a named block's dimensions that features outside
            of it may take, $1 - \sum_i D_i / \text{n_hidden}$. Weak interference from
            very many features is a lot.
        min_norm: Norm that a feature must exceed to be in a block at all.

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
    W = finite_weights(W)
    check_between_0_and_1("tolerance", tolerance)
    check_between_0_and_1("leak", leak)
    gram = W @ W.T
    squares = np.sum(gram**2, axis=1)
    D = np.diag(gram) ** 2 / np.where(squares == 0, 1, squares)
    found = []
    for features in blocks(W, min_cosine, min_norm):
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


def in_words(found: Sequence[Block]) -> str:
    """Returns what the features of a model form, such as ``"dedicated + 2 digons"``.

    Args:
        found: The blocks of the model, as `identify` returns them.

    Example:
        >>> in_words(identify(ideal("pentagonal bipyramid")))
        'digon + pentagon'
    """
    counts = collections.Counter(block.name for block in found)
    return " + ".join(
        kind if n == 1 else f"{n} {kind}{'s' * (kind not in _NO_PLURAL)}"
        for kind, n in sorted(counts.items())
    )


@renamed_arguments(interference="min_cosine", least_norm="min_norm")
def feature_polytopes(
    ds: xr.Dataset,
    tolerance: float = 0.1,
    *,
    min_cosine: float = 0.2,
    leak: float = 0.25,
    min_norm: float = 0.5,
) -> xr.DataArray:
    """Names the polytope that every feature of every model of a sweep belongs to.

    Args:
        ds: A dataset with ``W`` of dimensions (..., feature, hidden), as
            `jsuper.sweep` returns it.
        tolerance: As in `identify`.
        min_cosine: As in `identify`.
        leak: As in `identify`.
        min_norm: As in `identify`.

    Returns:
        Names, dimensions (..., feature): of a polytope, ``"unknown"``, ``"not
        represented"``, or ``"diverged"`` for all features of such a model. Features that
        a model of several sizes does not have are called ``""``.

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

    def names(W, padding):
        named = np.full(len(W), NOT_REPRESENTED, dtype=object)
        W = np.where(padding, 0.0, W)
        if np.isfinite(W).all():
            for block in identify(
                W, tolerance, min_cosine=min_cosine, leak=leak, min_norm=min_norm
            ):
                named[list(block.features)] = block.name
        else:
            named[:] = "diverged"
        named[padding.all(1)] = ""
        return named

    named = xr.apply_ufunc(
        names,
        ds["W"],
        is_padding(ds["W"]).broadcast_like(ds["W"]),
        input_core_dims=[["feature", "hidden"]] * 2,
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
        Numbers of features, dimensions (..., polytope), that sum to the features of each
        model. The polytopes that occur stand in descending order of dimensionality;
        ``"unknown"`` and ``"not represented"`` come last.

    Example:
        >>> ds = xr.Dataset({"W": (("feature", "hidden"), ideal("pentagonal bipyramid"))})
        >>> count_polytopes(feature_polytopes(ds)).to_series().to_dict()
        {'digon': 2, 'pentagon': 5, 'unknown': 0, 'not represented': 0}
    """
    last = [UNKNOWN, NOT_REPRESENTED]
    others = [str(name) for name in np.unique(named.values) if name not in ("", *last)]

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
    for candidate, vertices in with_vertices(len(gram)):
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

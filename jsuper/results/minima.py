"""The minima that training ends in, each once: from many starts to distinct solutions."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
import xarray as xr

from jsuper.features.sparse import SparseFeatures
from jsuper.objectives.population import Population
from jsuper.results.curvature import curvature, polish
from jsuper.sweeps.axes import SEED
from jsuper.sweeps.grid import Grid
from jsuper.sweeps.sweep import sweep
from jsuper.training import Recipe, decaying_adam, not_in_expectation
from jsuper.validation import as_count

ALIKE, MOST_KINDS = 0.02, 100
"""One of several trained models is polished for all if no invariant differs by more. Where
that makes more kinds, as in a flat valley, this tolerance doubles until it makes fewer."""

SAME = 1e-7
"""Polished models are the same minimum if their losses differ by no more, relatively."""


def minima(
    build: Callable[..., Any],
    axes: Mapping[str, Any],
    *,
    key: jax.Array,
    starts: int = 1_000,
    recipe: Recipe | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Finds the distinct minima of the population loss of every cell.

    Every cell is trained from many starts, models that ended alike are put together, and
    one of each kind is polished (`jsuper.polish`). Minima of the same loss, to 1e-7 of it,
    are the same: they differ by a rotation or reflection of the hidden dimensions, by a
    permutation of equal features, or lie in one valley, as the biases of outputs do that
    are never active.

    Args:
        build: Makes the task of a cell, as in `jsuper.sweep`: one that
            `jsuper.population_loss` covers, on which it is trained without a recipe.
        axes: As in `jsuper.sweep`, without ``seed``; numbers alone.
        key: A typed key, from which the initial weights follow.
        starts: Number of initial weights for each cell, at least 1.
        recipe: How they are trained; by default 1,000 steps of `jsuper.decaying_adam`.
        progress: As in `jsuper.sweep`.

    Returns:
        A dataset over the axes and ``minimum``, in the order of their losses; NaN (False,
        "") where a cell has fewer. It holds the parameters, ``loss``, ``share`` of the
        starts that end there, ``geometry`` (what the features form, see
        `jsuper.polytopes.identify`), and what `jsuper.curvature` adds; starts that end at
        no minimum are missing from the shares.

    Raises:
        ValueError: As `jsuper.sweep`, or if ``axes`` names ``seed`` or ``minimum``.
        TypeError: As `jsuper.curvature`.

    Example:
        Two equal features in one dimension, at a density where both solutions are minima:

        >>> import jax, jsuper as js
        >>> def task(density):
        ...     return js.Population(
        ...         js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 1))
        ...     )
        >>> found = js.minima(task, {"density": [0.3]}, key=jax.random.key(0), starts=20)
        >>> found["geometry"].sel(minimum=0).values
        array(['digon'], dtype=...)
    """
    starts = as_count("starts", starts)
    for name in (SEED, "minimum"):
        if name in axes:
            raise ValueError(
                f"axes must not name {name!r}: starts are its seeds, and minima its result"
            )
    grid = Grid(build, axes, Recipe(1))
    if len(grid.groups) > 1:
        raise TypeError(
            f"axes must hold numbers alone, got models of {len(grid.groups)} kinds or sizes"
        )
    if (missing := not_in_expectation(grid.first_task)) is not None:
        raise TypeError(f"minima does not cover {missing}")
    if recipe is None:
        recipe = Recipe(1_000, None, decaying_adam, log_every=1_000)
        build = _without_noise(build)
    trained = sweep(build, {**axes, SEED: starts}, recipe, key=key, progress=progress)
    stacked = trained.stack(cell=list(axes), create_index=False)
    cells = [stacked.isel(cell=i) for i in range(stacked.sizes["cell"])]
    # Of each kind of model the best, its number of starts beside it.
    kinds = _kinds(build, trained, axes)
    kept = [_few_kinds(cell, kinds) for cell in cells]
    found = _over_cells(trained, axes, cells, kept)
    found = curvature(build, polish(build, found))
    stacked = found.stack(cell=list(axes), create_index=False)
    cells = [stacked.isel(cell=i) for i in range(stacked.sizes["cell"])]
    kept = []
    for cell in cells:
        at_minimum = cell["stands_at"] == "minimum"
        counts = cell["starts"].where(at_minimum, 0).values
        loss = _log_loss(cell)[:, None]
        kept.append(_alike(loss, SAME, cell, counts))
    found = _over_cells(found, axes, cells, kept)
    share = (found["starts"] / starts).assign_attrs(long_name="share of starts")
    loss = found["loss"].assign_attrs(long_name="population loss", kind="population")
    found = found.assign(loss=loss, share=share, geometry=_geometry(found))
    return found.drop_vars(["starts", "history", "step", SEED], errors="ignore")


def _without_noise(build: Callable[..., Any]) -> Callable[..., Any]:
    """What makes the tasks of build, with the population loss."""

    @functools.wraps(build)
    def exact(**values):
        task = build(**values)
        return task if isinstance(task, Population) else Population(task)

    return exact


def _kinds(
    build: Callable[..., Any], ds: xr.Dataset, axes: Mapping[str, Any]
) -> list[np.ndarray]:
    """Features that may change places: of the same density and the same importance."""
    features = build(**{name: ds[name].values[0].item() for name in axes}).features
    n = ds.sizes["feature"]
    if type(features) is not SparseFeatures:
        return [np.array([i]) for i in range(n)]
    density = np.broadcast_to(np.asarray(features.density, float), n)
    importance = ds.get("importance", xr.DataArray(np.ones(n), dims="feature"))
    importance = importance.transpose("feature", ...).values.reshape(n, -1)
    rows = np.concatenate([density[:, None], importance], axis=1)
    _, kind = np.unique(rows, axis=0, return_inverse=True)
    return [np.flatnonzero(kind == k) for k in range(kind.max() + 1)]


def _few_kinds(cell: xr.Dataset, kinds: list[np.ndarray]) -> list[tuple[int, int]]:
    """The best model of each kind after training, as `_alike` returns them."""
    invariants, starts = _invariants(cell, kinds), cell["finite"].values.astype(int)
    tolerance, found = ALIKE, _alike(invariants, ALIKE, cell, starts)
    while len(found) > MOST_KINDS:
        tolerance *= 2
        found = _alike(invariants, tolerance, cell, starts)
    return found


def _alike(
    invariants: np.ndarray, tolerance: float, cell: xr.Dataset, starts: np.ndarray
) -> list[tuple[int, int]]:
    """The best model of each kind, by its place, and how many starts ended there.

    Args:
        invariants: Numbers of each model, in which those of one kind are alike.
        tolerance: By which they may differ.
        cell: The models.
        starts: How many starts each stands for.
    """
    found: list[list[int]] = []
    for i in np.argsort(cell["loss"].values, kind="stable"):
        if starts[i] == 0:
            continue
        for kind in found:
            if np.abs(invariants[kind[0]] - invariants[i]).max() < tolerance:
                kind[1] += int(starts[i])
                break
        else:
            found.append([int(i), int(starts[i])])
    return [(place, count) for place, count in found]


def _invariants(cell: xr.Dataset, kinds: list[np.ndarray]) -> np.ndarray:
    """Numbers of each model that no rotation, reflection or allowed permutation changes.

    Biases are left to the loss: that of an output that is never active is free.
    """
    along = next(d for d in ("seed", "minimum") if d in cell.dims)
    W = cell["W"].transpose(along, "feature", "hidden").values
    gram = W @ W.swapaxes(1, 2)
    columns = [_log_loss(cell)[:, None], np.linalg.eigvalsh(np.nan_to_num(gram))]
    for i, own in enumerate(kinds):
        columns.append(np.sort(gram[:, own, own], axis=1))
        for other in kinds[i:]:
            block = gram[:, own][:, :, other].reshape(len(W), -1)
            columns.append(np.sort(block, axis=1))
    return np.concatenate(columns, axis=1)


def _log_loss(cell: xr.Dataset) -> np.ndarray:
    return np.log(np.maximum(cell["loss"].values.astype(float), 1e-30))


def _over_cells(ds, axes, cells, kept) -> xr.Dataset:
    """The kept models of all cells, along ``minimum``, with their numbers of starts."""
    most = max(map(len, kept))
    rows = []
    for cell, own in zip(cells, kept, strict=True):
        along = next(d for d in ("seed", "minimum") if d in cell.dims)
        places = [place for place, _ in own]
        row = cell.isel({along: places}).rename({along: "minimum"})
        row = row.drop_vars(["minimum", *axes], errors="ignore")
        row = row.assign(starts=("minimum", [count for _, count in own]))
        rows.append(row.assign_coords(minimum=range(len(own))).reindex(minimum=range(most)))
    varies = [n for n in rows[0].data_vars if "minimum" in rows[0][n].dims]
    joined = xr.concat([row[varies] for row in rows], "cell")
    names = list(axes)
    sizes = [ds.sizes[name] for name in names]
    arrays = {
        name: (
            (*names, *list(array.dims)[1:]),
            array.transpose("cell", ...).values.reshape(*sizes, *array.shape[1:]),
        )
        for name, array in joined.items()
    }
    coords = {name: ds[name] for name in names} | {"minimum": np.arange(most)}
    kept_as_is = {n: ds[n] for n in ds.data_vars if n not in arrays and n != "history"}
    return xr.Dataset(arrays, coords, ds.attrs).assign(kept_as_is)


def _geometry(found: xr.Dataset) -> xr.DataArray:
    """What the features of each minimum form, such as ``2 digons``."""
    from jsuper.polytopes import identify, in_words  # SciPy takes long to import

    def name(W):
        if not np.isfinite(W).all():
            return ""
        return in_words(identify(W))

    return xr.apply_ufunc(
        name,
        found["W"],
        input_core_dims=[["feature", "hidden"]],
        vectorize=True,
        output_dtypes=[object],
    ).astype(str)

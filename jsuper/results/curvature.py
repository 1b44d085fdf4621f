r"""Where models stand on the surface of the population loss: minimum, saddle, or neither.

All of it in double precision, whatever the precision of the training.
"""

import functools
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
import xarray as xr
from jax.flatten_util import ravel_pytree

from jsuper.features.activity import starts_at_zero
from jsuper.models.activations import LIMITS
from jsuper.objectives import expected
from jsuper.objectives.population import Population
from jsuper.platforms import compiled_for, platform_of
from jsuper.results.own_tasks import OwnTasks, one_kind
from jsuper.validation import as_count, check, check_number

AT_REST = 1e-6
"""Norm of the gradient below which a model is at rest."""

FLAT = 1e-7
"""Eigenvalues within this of 0 say nothing about up or down."""

EDGE = 1e-8
"""A bias within this of its threshold is at an edge: second derivatives have two sides."""

SHORT = 1e-3
"""Length of a step from an edge that shows whether the loss falls."""

LEAST_FALL = FLAT * SHORT**2 / 8
"""A quarter of what the least curvature that counts makes of such a step: not rounding."""


def curvature(
    build: Callable[..., Any],
    ds: xr.Dataset,
    *,
    values: Mapping[str, Any] | None = None,
    at_rest: float = AT_REST,
) -> xr.Dataset:
    r"""Adds gradient and Hessian of the population loss at each model of a dataset.

    Rotations of the hidden dimensions leave the loss as it was. At a stationary point they
    make $m (m - 1) / 2$ directions flat, or fewer where dimensions are not used. These are
    named, and play no part in what a model stands at.

    Args:
        build: Makes the task of a cell, as in `jsuper.sweep`; one that
            `jsuper.population_loss` covers.
        ds: Models, as `jsuper.sweep` or `jsuper.polish` returns them.
        values: As in `jsuper.losses`.
        at_rest: Norm of the gradient below which a model is at rest, positive.

    Returns:
        The dataset with these variables besides:

        - ``gradient_norm`` (...): norm of the gradient in all parameters;
        - ``eigenvalue`` (..., direction): eigenvalues of the Hessian, ascending;
        - ``is_rotation`` (..., direction): whether it is that of a rotation;
        - ``stands_at`` (...): "minimum", "saddle" or "not at rest"; a minimum has no
          eigenvalue below -1e-7. Where a bias is at its threshold second derivatives have
          two sides, and a model stands at a saddle if the loss falls on one of them.

    Raises:
        ValueError: As `jsuper.losses`.
        TypeError: If a task is not covered, or has models of several sizes.

    Example:
        >>> import jax, jsuper as js
        >>> def task(density):
        ...     return js.Population(
        ...         js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 1))
        ...     )
        >>> axes = {"density": [0.5, 0.1], "seed": 2}
        >>> recipe = js.Recipe(300, None, js.decaying_adam)
        >>> ds = js.sweep(task, axes, recipe, key=jax.random.key(0))
        >>> ds = js.curvature(task, js.polish(task, ds))
        >>> dict(ds["eigenvalue"].sizes)
        {'density': 2, 'seed': 2, 'direction': 4}
    """
    check_number("at_rest", at_rest)
    check("at_rest", at_rest, lambda x: (x > 0) & np.isfinite(x), "positive and finite")

    def of_model(surface, flat, task, rotations):
        _, gradient = surface.value_and_gradient(flat, task)
        norm = np.linalg.norm(gradient)
        if not np.isfinite(norm):
            nothing = np.full(len(flat), np.nan)
            return norm, nothing, np.zeros(len(flat), bool), "not at rest"
        hessian = np.asarray(surface.hessian(flat, task))
        along, across = _split(rotations)
        others = np.linalg.eigvalsh(across.T @ hessian @ across)
        found = np.append(others, np.einsum("pk,pq,qk->k", along, hessian, along))
        order = np.argsort(found, kind="stable")
        falls = len(others) and others[0] < -FLAT
        if (edges := surface.beside_edges(flat, task)) is not None:
            falls = any(_falls(surface, flat, task, across, side) for side in edges)
        stands_at = "saddle" if falls else "minimum"
        stands_at = stands_at if norm < at_rest else "not at rest"
        return norm, found[order], (order >= len(others)), stands_at

    models, found = _of_models(build, ds, values, of_model)
    norm, eigenvalue, is_rotation, stands_at = found
    return ds.assign(
        gradient_norm=models.labelled(norm),
        eigenvalue=models.labelled(eigenvalue, "direction"),
        is_rotation=models.labelled(is_rotation, "direction"),
        stands_at=models.labelled(stands_at),
    )


def polish(
    build: Callable[..., Any],
    ds: xr.Dataset,
    *,
    values: Mapping[str, Any] | None = None,
    tolerance: float = 1e-9,
    steps: int = 200,
) -> xr.Dataset:
    """Moves each model of a dataset down to the minimum of the population loss nearby.

    It takes Newton's steps within a trust region, in double precision (SciPy's method
    ``trust-exact``: Conn, Gould and Toint 2000, "Trust-Region Methods", section 7.3). A
    model that rests at a saddle stays there; one beside it goes down.

    Args:
        build: As in `curvature`.
        ds: Models, as `jsuper.sweep` returns them.
        values: As in `jsuper.losses`.
        tolerance: Norm of the gradient at which it ends, positive.
        steps: Most steps that a model takes. Where the loss has an edge (a threshold
            other than 0) there may be no stationary point to find.

    Returns:
        The dataset with the parameters polished, float64, ``loss`` their population loss,
        and ``gradient_norm``. Models that diverged stay as they are.

    Raises:
        ValueError: As `jsuper.losses`.
        TypeError: If a task is not covered.
    """
    from scipy.optimize import minimize  # SciPy takes long to import

    check_number("tolerance", tolerance)
    check("tolerance", tolerance, lambda x: (x > 0) & np.isfinite(x), "positive and finite")
    steps = as_count("steps", steps)

    def of_model(surface, flat, task, rotations):
        del rotations
        if not np.isfinite(flat).all():
            return flat, np.nan, np.nan
        found = minimize(
            lambda x: tuple(map(np.asarray, surface.value_and_gradient(x, task))),
            flat,
            jac=True,
            hess=lambda x: np.asarray(surface.hessian(x, task)),
            method="trust-exact",
            options={"gtol": tolerance, "maxiter": steps, "initial_trust_radius": 0.1},
        )
        return found.x, found.fun, np.linalg.norm(found.jac)

    models, (flat, loss, norm) = _of_models(build, ds, values, of_model)
    about = {"long_name": "population loss", "kind": "population"}
    polished = {
        "loss": models.labelled(loss).assign_attrs(about),
        "gradient_norm": models.labelled(norm),
    }
    begin = 0
    for name, leaf in sorted(models.grid.groups[0].params.items()):
        size = int(np.prod(leaf.shape))
        own = flat[..., begin : begin + size].reshape(*flat.shape[:2], *leaf.shape)
        polished[name] = models.labelled(own, *models.labels.dims[name])
        begin += size
    return ds.assign(polished)


def _loss(flat: Any, task: Any, shapes: tuple[Any, ...], from_zero: bool) -> jax.Array:
    """The population loss over flat parameters, of which the names are in order."""
    params, begin = {}, 0
    for name, shape in shapes:
        end = begin + math.prod(shape)
        params[name] = flat[begin:end].reshape(shape)
        begin = end
    frequencies = expected.N_FREQUENCIES
    if isinstance(task, Population):
        task, frequencies = task.task, task.frequencies
    return expected.expected_loss(task, params, from_zero, frequencies)


# Compiled once for all calls: a Hessian takes half a minute.
_FIXED = ("shapes", "from_zero")
_VALUE_AND_GRADIENT = jax.jit(jax.value_and_grad(_loss), static_argnames=_FIXED)
_HESSIAN = jax.jit(jax.jacfwd(jax.grad(_loss)), static_argnames=_FIXED)


class _Surface:
    """The population loss of one kind of model over flat parameters, and derivatives."""

    def __init__(self, params: Mapping[str, Any], from_zero: bool):
        self._shapes = shapes = tuple((n, leaf.shape) for n, leaf in sorted(params.items()))
        fixed = {"shapes": shapes, "from_zero": from_zero}
        self.value_and_gradient = functools.partial(_VALUE_AND_GRADIENT, **fixed)
        self.hessian = functools.partial(_HESSIAN, **fixed)

    def beside_edges(self, flat: np.ndarray, task: Any) -> tuple[np.ndarray, ...] | None:
        """The model with its biases at edges moved to each side; None if none is there."""
        task = task.task if isinstance(task, Population) else task
        threshold: Any = LIMITS.get(task.model.activation, task.model.threshold)
        begin = 0
        for name, shape in self._shapes:
            end = begin + math.prod(shape)
            if name == "b" and not task.model.train_threshold:
                bias = flat[begin:end]
                at_edge = abs(bias - np.asarray(threshold)) < EDGE
                moved = (
                    np.where(at_edge, threshold + side, bias) for side in (EDGE, -EDGE)
                )
                sides = (np.concatenate([flat[:begin], own, flat[end:]]) for own in moved)
                return tuple(sides) if at_edge.any() else None
            begin = end
        return None


def _falls(surface, flat, task, across, side) -> bool:
    """Whether the loss falls along a direction in which it curves down on one side."""
    sizes, directions = np.linalg.eigh(
        across.T @ np.asarray(surface.hessian(side, task)) @ across
    )
    here, _ = surface.value_and_gradient(flat, task)
    for direction in (across @ directions[:, sizes < -FLAT]).T:
        step = SHORT * direction
        ends = (surface.value_and_gradient(flat + s, task)[0] for s in (step, -step))
        if min(map(float, ends)) < float(here) - LEAST_FALL:
            return True
    return False


def _of_models(build, ds, values, of_model) -> tuple[OwnTasks, list[np.ndarray]]:
    """What a function makes of each model: arrays of leading axes (n_cells, n_models)."""
    with jax.enable_x64(True), compiled_for(platform_of()):
        models = one_kind(build, ds, values or {})
        ((group, tasks, params),) = models
        shape = models.grid.n_cells, models.n_models
        from_zero = starts_at_zero(tasks.tasks.features)
        surface = _Surface(group.params, from_zero)
        found: list[tuple[Any, ...]] = []
        for place in itertools.product(*map(range, shape)):
            own = jax.tree.map(lambda leaf, at=place: np.asarray(leaf[at], float), params)
            task = jax.tree.map(
                lambda leaf, at=place: leaf[
                    tuple(min(i, n - 1) for i, n in zip(at, leaf.shape, strict=False))
                ],
                tasks.tasks,
            )
            flat = np.asarray(ravel_pytree(own)[0])
            found.append(of_model(surface, flat, task, _rotations(own)))
    columns = (np.stack(column) for column in zip(*found, strict=True))
    return models, [column.reshape(*shape, *column.shape[1:]) for column in columns]


def _rotations(params: Mapping[str, np.ndarray]) -> np.ndarray:
    """The directions in which rotations of the hidden dimensions move flat parameters."""
    m = params["W"].shape[-1]
    directions = []
    for i, j in itertools.combinations(range(m), 2):
        turn = np.zeros((m, m))
        turn[i, j], turn[j, i] = 1, -1
        moved = {name: np.zeros_like(leaf) for name, leaf in params.items()}
        moved["W"] = params["W"] @ turn
        if "W_out" in params:
            moved["W_out"] = turn.T @ params["W_out"]
        directions.append(np.asarray(ravel_pytree(moved)[0]))
    size = sum(leaf.size for leaf in params.values())
    return np.stack(directions, 1) if directions else np.zeros((size, 0))


def _split(directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal bases of what some directions span, and of the rest."""
    basis, sizes, _ = np.linalg.svd(directions, full_matrices=True)
    rank = int((sizes > 1e-9 * max(1.0, sizes.max(initial=0))).sum())
    return basis[:, :rank], basis[:, rank:]

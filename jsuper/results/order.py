"""Which feature has which embedding: the order that costs least."""

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax import lax

from jsuper.platforms import compiled_for, platform_of
from jsuper.results.own_tasks import one_kind
from jsuper.sweeps.labels import about_loss
from jsuper.training.loop import population_losses

LESS = 1e-6
"""Two features change places if that lowers the loss by more than this part of it."""


def rearrange(
    build: Callable[..., Any], ds: xr.Dataset, *, values: Mapping[str, Any] | None = None
) -> xr.Dataset:
    """Lets features change places until no change of two lowers the population loss.

    Training keeps the order that the initial weights gave it: which features are dropped,
    which lie opposite. To change it, features would have to pass through each other, which
    costs much; so many models end with a good geometry in a bad order. Here two features
    change their embeddings and biases (all that a model has for them), those two first that
    lower the loss most. It takes no gradients, and is best followed by more training.

    Args:
        build: Makes the task of a cell, as in `jsuper.sweep`; one that
            `jsuper.population_loss` covers.
        ds: Models, as `jsuper.sweep` returns them.
        values: As in `jsuper.losses`.

    Returns:
        The dataset with parameters in their new order, and ``loss``, their population loss.
        Features that are alike stay where they are, and so do models that diverged.

    Raises:
        ValueError: As `jsuper.losses`.
        TypeError: If a task is not covered, or has models of several sizes.

    Example:
        A model that drops the more important of two features:

        >>> import jax.numpy as jnp, numpy as np, xarray as xr, jsuper as js
        >>> def task(density):
        ...     importance = jnp.array([1.0, 0.5])
        ...     return js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 1), importance)
        >>> W = xr.DataArray(np.array([[0.0], [1.0]]), dims=("feature", "hidden"))
        >>> ds = xr.Dataset({"W": W, "b": 0.4 * (1 - W[:, 0])}, {"density": [0.8]})
        >>> js.rearrange(task, ds)["W"].values.ravel()
        array([1., 0.], dtype=float32)
    """
    models = one_kind(build, ds, values or {})
    ((_, tasks, params),) = models
    dims = models.labels.dims
    along = tuple(
        (name, tuple(2 + i for i, dim in enumerate(dims[name]) if dim == "feature"))
        for name in params
    )
    with compiled_for(platform_of()):
        params, loss = _rearranged(tasks, params, along)
    about = about_loss(models.grid)
    found = {"loss": models.labelled(np.asarray(loss)).assign_attrs(about)}
    for name, leaf in params.items():
        found[name] = models.labelled(np.asarray(leaf), *dims[name])
    return ds.assign(found)


@functools.partial(jax.jit, static_argnames="along")
def _rearranged(tasks: Any, params: Any, along: Any) -> tuple[Any, jax.Array]:
    """Parameters in their new order, and losses; all with axes (n_tasks, n_models, …).

    Args:
        tasks: A `TaskGrid`.
        params: Parameters by name.
        along: Names and the axes on which features lie.
    """
    n = next(params[name].shape[axis] for name, axes in along for axis in axes)
    pairs = list(itertools.combinations(range(n), 2))
    swaps = np.tile(np.arange(n), (len(pairs), 1))
    for order, (i, j) in zip(swaps, pairs, strict=True):
        order[[i, j]] = j, i

    def in_order(params, order):
        """Parameters with the features of each model in its order."""
        found = dict(params)
        for name, axes in along:
            for axis in axes:
                others = [i for i in range(2, params[name].ndim) if i != axis]
                places = jnp.expand_dims(order, others)
                found[name] = jnp.take_along_axis(found[name], places, axis)
        return found

    def losses_after(params, order):
        order = jnp.broadcast_to(order, (*_shape(params), n))
        return population_losses(tasks, in_order(params, order))

    def change(state):
        params, loss, _ = state
        losses = lax.map(functools.partial(losses_after, params), jnp.asarray(swaps))
        lowest = losses.min(0)
        is_lower = lowest < loss * (1 - LESS)
        order = jnp.asarray(swaps)[losses.argmin(0)]
        order = jnp.where(is_lower[..., None], order, jnp.arange(n))
        return in_order(params, order), jnp.where(is_lower, lowest, loss), is_lower.any()

    state = params, population_losses(tasks, params), jnp.array(n > 1)
    params, loss, _ = lax.while_loop(lambda state: state[-1], change, state)
    return params, loss


def _shape(params: Any) -> tuple[int, ...]:
    return jax.tree.leaves(params)[0].shape[:2]

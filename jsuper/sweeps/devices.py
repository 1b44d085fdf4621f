"""A grid in training on several devices: shared out, padded, compiled once."""

import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from jsuper import training
from jsuper.training import Recipe
from jsuper.validation import check_count


def use_cpu_cores(n: int | None = None) -> None:
    """Turns CPU cores into JAX devices, which `jsuper.sweep` then shares the grid between.

    Call it before anything else touches JAX, a key included. It concerns the CPU alone;
    on a machine with an accelerator JAX goes on to prefer that.

    Args:
        n: Number of cores; by default all that this process may use.

    Raises:
        ValueError: If ``n`` is not a positive integer.
        RuntimeError: If JAX has already started.

    Example:
        >>> use_cpu_cores(len(jax.devices("cpu")))  # no change: fine at any time
    """
    if n is None:
        affinity = getattr(os, "sched_getaffinity", None)
        n = len(affinity(0)) if affinity else os.cpu_count() or 1
    check_count("n", n)
    if n == jax.config.jax_num_cpu_devices:  # type: ignore[attr-defined]
        return
    try:
        jax.config.update("jax_num_cpu_devices", n)
    except RuntimeError:
        if len(jax.devices("cpu")) == n:
            return
        raise RuntimeError(
            f"use_cpu_cores({n}) came too late: JAX already runs with "
            f"{len(jax.devices('cpu'))} CPU device(s). Call it before any other use of "
            "JAX."
        ) from None


def checked_devices(devices: int | Sequence[Any] | None) -> list[Any]:
    """Returns the devices that an argument of `jsuper.sweep` stands for."""
    available = jax.devices()
    if devices is None:
        return available
    if isinstance(devices, Sequence):
        if not devices:
            raise ValueError("devices must not be empty")
        return list(devices)
    check_count("devices", devices)
    if devices > len(available):
        raise ValueError(
            f"devices must be at most {len(available)}, the number that JAX has, got "
            f"{devices}; use_cpu_cores() turns CPU cores into devices"
        )
    return available[:devices]


@dataclasses.dataclass(frozen=True)
class Layout:
    """How a grid of tasks x keys lies on the devices of a mesh.

    One axis of the grid is split, and devices work on their own models without a word
    between them. Hashable, so that JAX compiles once per layout.
    """

    mesh: Mesh
    splits_tasks: bool
    keys_per_task: bool

    @property
    def tasks(self) -> PartitionSpec:
        """Where the leaves of the tasks lie, leading axis n_tasks."""
        return PartitionSpec("model") if self.splits_tasks else PartitionSpec()

    @property
    def keys(self) -> PartitionSpec:
        """Where the keys lie, shape (n_keys,) or (n_tasks, n_keys)."""
        if self.keys_per_task:
            return self.models
        return PartitionSpec() if self.splits_tasks else PartitionSpec("model")

    @property
    def models(self) -> PartitionSpec:
        """Where everything with leading axes (n_tasks, n_keys) lies."""
        return PartitionSpec("model") if self.splits_tasks else PartitionSpec(None, "model")

    def share(self, function: Callable, in_specs: Any, out_specs: Any) -> Callable:
        """Runs ``function`` on every device's own part of the grid."""
        return jax.shard_map(
            function,
            mesh=self.mesh,
            in_specs=in_specs,
            out_specs=out_specs,
            # Loop carries start as plain zeros, which the check would have us annotate.
            check_vma=False,
        )


class SharedTraining:
    """The state of a grid in training, kept on its devices.

    Args:
        tasks: A batch of tasks, as `jsuper.train` takes it.
        keys: Typed keys, shape (n_keys,) or (n_tasks, n_keys).
        recipe: How to train.
        devices: Devices that share the grid.
    """

    def __init__(self, tasks: Any, keys: jax.Array, recipe: Recipe, devices: Sequence[Any]):
        leaves = jax.tree.leaves(tasks)
        self.shape = (leaves[0].shape[0] if leaves else 1, keys.shape[-1])
        self.recipe = recipe
        # Split the axis that wastes less on padding; of two equal ones the keys, since
        # each device then draws the random numbers of its own keys only.
        n = len(devices)
        n_tasks, n_keys = (size + -size % n for size in self.shape)
        splits_tasks = n_tasks * self.shape[1] < n_keys * self.shape[0]
        mesh = Mesh(np.array(devices), ("model",))
        self.layout = Layout(mesh, splits_tasks, keys_per_task=keys.ndim == 2)
        if splits_tasks:
            tasks = jax.tree.map(lambda leaf: _pad(leaf, n_tasks, 0), tasks)
            keys = _pad(keys, n_tasks, 0) if keys.ndim == 2 else keys
        else:
            keys = _pad(keys, n_keys, -1)
        self.tasks, self.keys = tasks, keys
        self.state = _start(tasks, keys, layout=self.layout, optimizer=recipe.optimizer)

    def advance(self, firsts: list[int], lengths: list[int], n_windows: int) -> np.ndarray:
        """Trains through some windows.

        Args:
            firsts: First step of each window.
            lengths: Number of steps of each.
            n_windows: Number of windows to compile for, at least as many.

        Returns:
            Mean training losses, shape (n_tasks, n_keys, len(firsts)).
        """
        # Windows of no step fill the last chunk, so that one compiled shape serves all.
        missing = [0] * (n_windows - len(firsts))
        self.state, history = _advance(
            self.tasks,
            self.keys,
            self.state,
            np.array([*firsts, *missing], np.int32),
            np.array([*lengths, *missing], np.int32),
            layout=self.layout,
            optimizer=self.recipe.optimizer,
            batch_size=self.recipe.batch_size,
        )
        return self._unpad(history)[..., : len(firsts)]

    def params(self) -> Any:
        """Returns the parameters, leading axes (n_tasks, n_keys)."""
        return jax.tree.map(self._unpad, self.state.params)

    def loss(self) -> np.ndarray:
        """Returns the loss on fresh data, shape (n_tasks, n_keys)."""
        loss = _evaluate(
            self.tasks,
            self.keys,
            self.state.params,
            layout=self.layout,
            batch_size=self.recipe.batch_size,
            batches=self.recipe.eval_batches,
        )
        return self._unpad(loss)

    def _unpad(self, array):
        # A copy: the next chunk reuses the device's memory.
        return np.array(array)[: self.shape[0], : self.shape[1]]


@functools.partial(jax.jit, static_argnames=("layout", "optimizer"))
def _start(tasks, keys, *, layout, optimizer):
    start = functools.partial(training.start, optimizer=optimizer)
    return layout.share(start, (layout.tasks, layout.keys), layout.models)(tasks, keys)


@functools.partial(
    jax.jit, static_argnames=("layout", "optimizer", "batch_size"), donate_argnames="state"
)
def _advance(tasks, keys, state, firsts, lengths, *, layout, optimizer, batch_size):
    advance = functools.partial(
        training.advance, optimizer=optimizer, batch_size=batch_size
    )
    everywhere, models = PartitionSpec(), layout.models
    in_specs = (layout.tasks, layout.keys, models, everywhere, everywhere)
    return layout.share(advance, in_specs, (models, models))(
        tasks, keys, state, firsts, lengths
    )


@functools.partial(jax.jit, static_argnames=("layout", "batch_size", "batches"))
def _evaluate(tasks, keys, params, *, layout, batch_size, batches):
    evaluate = functools.partial(training.evaluate, batch_size=batch_size, batches=batches)
    in_specs = (layout.tasks, layout.keys, layout.models)
    return layout.share(evaluate, in_specs, layout.models)(tasks, keys, params)


def _pad(array, size, axis):
    """Repeats the last entry along ``axis`` up to ``size``."""
    indices = jnp.minimum(jnp.arange(size), array.shape[axis] - 1)
    return jnp.take(array, indices, axis=axis)

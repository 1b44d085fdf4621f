"""A grid in training on several devices: shared out, padded, compiled once."""

import dataclasses
import functools
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jsuper import training
from jsuper.memory import fine_bytes, half_of
from jsuper.platforms import compiled_for
from jsuper.pytrees import node_types
from jsuper.training import Optimizer, Recipe, TaskGrid
from jsuper.training.loop import mean_loss
from jsuper.validation import as_count, check_count


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


def checked_devices(devices: Any) -> list[Any]:
    """Returns the devices that an argument of `jsuper.sweep` stands for.

    Args:
        devices: None for all, a number of them, the name of a platform, or a collection
            of devices; one that is named twice counts once.

    Raises:
        ValueError: If there are no such devices.
    """
    if devices is None:
        return jax.devices()
    if isinstance(devices, str):
        try:
            return jax.devices(devices)
        except RuntimeError as error:
            raise ValueError(f"devices must be a platform of JAX: {error}") from None
    if isinstance(devices, jax.Device):
        return [devices]
    flat = devices.ravel() if isinstance(devices, np.ndarray) else devices
    if np.ndim(devices) or (isinstance(flat, Iterable) and not hasattr(flat, "dtype")):
        given = list(dict.fromkeys(flat))
        if not given:
            raise ValueError("devices must not be empty")
        for device in given:
            if not isinstance(device, jax.Device):
                raise ValueError(f"devices must hold devices of JAX, got {device!r}")
        return given
    count, available = as_count("devices", devices), jax.devices()
    if count > len(available):
        raise ValueError(
            f"devices must be at most {len(available)}, the number that JAX has, got "
            f"{count}; use_cpu_cores() turns CPU cores into devices"
        )
    return available[:count]


@dataclasses.dataclass(frozen=True)
class Layout:
    """How a grid of tasks x keys lies on the devices of a mesh.

    One axis of the grid is split, and devices work on their own models without a word
    between them. Hashable, so that JAX compiles once per layout.

    Args:
        mesh: The devices.
        splits_tasks: Whether tasks are shared out, and not keys.
        keys_per_task: Whether tasks have keys of their own.
        max_bytes: As in `jsuper.sweep`.
    """

    mesh: Mesh
    splits_tasks: bool
    keys_per_task: bool
    max_bytes: int | None = None

    @property
    def platform(self) -> str:
        """The platform of the devices."""
        return self.mesh.devices.flat[0].platform

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

    def grid(self, leaves: Sequence[jax.Array]) -> list[PartitionSpec]:
        """Where leaves of a `TaskGrid` lie: everywhere, if models share them."""
        split = 0 if self.splits_tasks else 1
        return [
            PartitionSpec() if leaf.shape[split] == 1 else self.models for leaf in leaves
        ]

    def share(
        self, function: Callable, grid: TaskGrid, in_specs: Any, out_specs: Any
    ) -> Any:
        """Returns ``function(grid, ...)`` as every device runs it on its own part."""
        leaves, structure = jax.tree.flatten(grid)

        def on_leaves(leaves, *args):
            fine = self.max_bytes or half_of(self.mesh.devices.flat[0])
            with compiled_for(self.platform), fine_bytes(fine):
                return function(jax.tree.unflatten(structure, leaves), *args)

        shared = jax.shard_map(
            on_leaves,
            mesh=self.mesh,
            in_specs=(self.grid(leaves), *in_specs),
            out_specs=out_specs,
            # Loop carries start as plain zeros, which the check would have us annotate.
            check_vma=False,
        )
        return functools.partial(shared, leaves)


def mesh_of(devices: Sequence[Any]) -> Mesh:
    """Returns the mesh of some devices, with the one axis ``model``."""
    return Mesh(np.array(devices), ("model",))


IN_GRAPHS = "FUSION,CUBLAS,CUBLASLT,CUSTOM_CALL,CUDNN,DYNAMIC_SLICE_FUSION,WHILE"
"""What XLA may put into a CUDA graph. WHILE, which it leaves out by default, is the loop
over steps: its length is data, so that otherwise the host waits for the condition once a
step. Where a driver cannot have loops in graphs, XLA leaves them out by itself."""


def compiler_options(platform: str) -> dict[str, str]:
    """Returns how training is compiled for a platform; yours in ``XLA_FLAGS`` go first."""
    option = "xla_gpu_enable_command_buffer"
    if platform not in ("gpu", "cuda") or option in os.environ.get("XLA_FLAGS", ""):
        return {}
    return {option: IN_GRAPHS}


def without_mesh(key: jax.Array) -> jax.Array:
    """Returns a key that belongs to no mesh; one made within a mesh belongs to that."""
    data: Any = np.asarray(jax.random.key_data(key))
    return jax.random.wrap_key_data(data, impl=jax.random.key_impl(key))


class SharedTraining:
    """Models in training, tasks x keys that are one program, kept on their devices.

    To be made and used within ``jax.set_mesh(mesh_of(devices))``.

    Args:
        grid: Their tasks, and the numbers of their optimizers.
        shape: (n_tasks, n_keys).
        keys: Typed keys, shape (n_keys,) or (n_tasks, n_keys).
        recipe: How to train.
        optimizer: The recipe's optimizer with its static arguments.
        devices: Devices that share the models.
        params: Parameters to start from, leading axes (n_tasks, n_keys); by default what
            the tasks sample.
        max_bytes: As in `jsuper.sweep`.
    """

    def __init__(
        self,
        grid: TaskGrid,
        shape: tuple[int, int],
        keys: jax.Array,
        recipe: Recipe,
        optimizer: Optimizer,
        devices: Sequence[Any],
        params: Any = None,
        max_bytes: int | None = None,
    ):
        self.shape, self.recipe, self.optimizer = shape, recipe, optimizer
        # Split the axis that wastes less on padding; of two equal ones the keys, since
        # each device then samples the random numbers of its own keys only.
        n = len(devices)
        n_tasks, n_keys = (size + -size % n for size in shape)
        splits_tasks = n_tasks * shape[1] < n_keys * shape[0]
        mesh = mesh_of(devices)
        self.layout = Layout(mesh, splits_tasks, keys.ndim == 2, max_bytes)
        self.types = node_types(grid.tasks)
        axis, size = (0, n_tasks) if splits_tasks else (1, n_keys)

        def padded(leaf):
            shared = shape[axis] > 1 and leaf.shape[axis] == 1
            return leaf if shared else _pad(leaf, size, axis)

        self.grid = jax.tree.map(padded, grid)
        if keys.ndim == 2:
            self.keys = _pad(keys, size, axis)
        else:
            self.keys = keys if splits_tasks else _pad(keys, size, 0)
        if params is not None:
            params = jax.tree.map(lambda leaf: _pad(leaf, size, axis), params)
        self.state = _start(
            self.grid,
            self.keys,
            params,
            layout=self.layout,
            optimizer=optimizer,
            types=self.types,
        )

    def advance(
        self, firsts: Sequence[int], lengths: Sequence[int], n_windows: int
    ) -> np.ndarray:
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
        self.state, history = _compiled_advance(self.layout.platform)(
            self.grid,
            self.keys,
            self.state,
            np.array([*firsts, *missing], np.int32),
            np.array([*lengths, *missing], np.int32),
            layout=self.layout,
            optimizer=self.optimizer,
            batch_size=self.recipe.batch_size,
            types=self.types,
        )
        return self._unpad(history)[..., : len(firsts)]

    def saved(self) -> list[np.ndarray]:
        """Returns what training goes on from, leading axes (n_tasks, n_keys)."""
        return [self._unpad(_as_numbers(leaf)) for leaf in jax.tree.leaves(self.state)]

    def restore(self, arrays: Sequence[np.ndarray]) -> None:
        """Goes back to what `saved` returned."""
        axis = 0 if self.layout.splits_tasks else 1
        place = NamedSharding(self.layout.mesh, self.layout.models)

        def placed(leaf, array):
            padded = _pad(array, leaf.shape[axis], axis)
            if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
                impl = jax.random.key_impl(leaf)
                padded = jax.random.wrap_key_data(padded, impl=impl)
            return jax.device_put(padded, place)

        leaves, structure = jax.tree.flatten(self.state)
        leaves = [placed(*pair) for pair in zip(leaves, arrays, strict=True)]
        self.state = jax.tree.unflatten(structure, leaves)

    def params(self) -> Any:
        """Returns the parameters, leading axes (n_tasks, n_keys)."""
        return jax.tree.map(self._unpad, self.state.params)

    def loss(self) -> np.ndarray:
        """Returns the population loss, or that on fresh data, shape (n_tasks, n_keys)."""
        loss = _evaluate(
            self.grid,
            self.keys,
            self.state.params,
            layout=self.layout,
            batch_size=self.recipe.batch_size,
            batches=self.recipe.eval_batches,
            types=self.types,
        )
        return self._unpad(loss)

    def _unpad(self, array):
        # A copy: the next chunk reuses the device's memory.
        return np.array(array)[: self.shape[0], : self.shape[1]]


@functools.partial(jax.jit, static_argnames=("layout", "optimizer", "types"))
def _start(grid, keys, params, *, layout, optimizer, types):
    del types  # part of what compiled code is looked up by

    def start(grid, keys, params):
        return training.start(grid, keys, optimizer, params)

    in_specs = (layout.keys, layout.models)
    return layout.share(start, grid, in_specs, layout.models)(keys, params)


def _advance(grid, keys, state, firsts, lengths, *, layout, optimizer, batch_size, types):
    del types
    advance = functools.partial(
        training.advance, optimizer=optimizer, batch_size=batch_size
    )
    everywhere, models = PartitionSpec(), layout.models
    in_specs = (layout.keys, models, everywhere, everywhere)
    out_specs = (models, models)
    return layout.share(advance, grid, in_specs, out_specs)(keys, state, firsts, lengths)


@functools.cache
def _compiled_advance(platform: str) -> Any:
    """Returns the training of windows, compiled as a platform wants it."""
    return jax.jit(
        _advance,
        static_argnames=("layout", "optimizer", "batch_size", "types"),
        donate_argnames="state",
        compiler_options=compiler_options(platform),
    )


@functools.partial(jax.jit, static_argnames=("layout", "batch_size", "batches", "types"))
def _evaluate(grid, keys, params, *, layout, batch_size, batches, types):
    del types

    def loss(grid, keys, params):
        if batches is None:  # where the expectation is known
            return training.population_losses(grid, params)
        return mean_loss(grid, keys, params, batch_size, batches)

    in_specs = (layout.keys, layout.models)
    return layout.share(loss, grid, in_specs, layout.models)(keys, params)


def _as_numbers(leaf):
    """The data of typed keys, which an optimizer may hold; all else as it is."""
    is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return jax.random.key_data(leaf) if is_key else leaf


def _pad(array, size, axis):
    """Repeats the last entry along ``axis`` up to ``size``."""
    indices = jnp.minimum(jnp.arange(size), array.shape[axis] - 1)
    return jnp.take(array, indices, axis=axis)

"""The programs under comparison: each trains a grid of toy models for some steps.

An entry takes a shape and returns a function of the number of steps, which trains and
returns weights and biases, shapes (n_models, n_features, n_hidden) and
(n_models, n_features). All use AdamW (rate 1e-3, weight decay 1e-2), batches of 1,024,
importance 0.9**i, log-spaced densities from 1 to 0.05, initial weights of
standard deviation sqrt(2 / (n_features + n_hidden)) and biases of 0.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jsuper as js

BATCH = 1024
RATE, DECAY = 1e-3, 1e-2

Run = Callable[[int], tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Shape:
    """A grid of models: densities x seeds."""

    n_features: int
    n_hidden: int
    n_densities: int
    n_seeds: int = 8

    @property
    def n_models(self) -> int:
        """Number of models."""
        return self.n_densities * self.n_seeds

    @property
    def std(self) -> float:
        """Standard deviation of the initial weights."""
        return js.xavier_std(self.n_features, self.n_hidden)

    @property
    def densities(self) -> np.ndarray:
        """Of every model, shape (n_models,)."""
        return np.repeat(js.log_densities(self.n_densities, 0.05), self.n_seeds)

    @property
    def importance(self) -> np.ndarray:
        """Of every feature, shape (n_features,)."""
        return 0.9 ** np.arange(self.n_features)

    def __str__(self) -> str:
        return f"{self.n_features}→{self.n_hidden} × {self.n_models:,}"


def squared(x: jax.Array) -> jax.Array:
    """A target that no hand-written gradient covers."""
    return x**2


def jsuper(shape: Shape, *, devices: int | None = None, **options: Any) -> Run:
    """`js.sweep` as its users call it; ``target`` goes to the task."""
    target = {"target": options.pop("target")} if "target" in options else {}

    def task(density):
        features = js.SparseFeatures(shape.n_features, density)
        model = js.ToyModel(shape.n_features, shape.n_hidden)
        return js.Task(features, model, shape.importance, **target)

    densities = js.log_densities(shape.n_densities, 0.05)
    axes = {"density": densities, "seed": shape.n_seeds}
    progress = options.pop("progress", False)
    # Calls of 100 steps, as a run of 10,000 makes them by default.
    settings: dict[str, Any] = {"eval_batches": 1, "log_every": 100} | options

    def run(steps: int) -> tuple[np.ndarray, np.ndarray]:
        recipe = js.Recipe(steps=steps, batch_size=BATCH, **settings)
        ds = js.sweep(
            task,
            axes,
            recipe,
            key=jax.random.key(0),
            devices=devices,
            progress=progress,
            chunks=max(1, steps // 100),
        )
        W, b = ds["W"].values, ds["b"].values
        return W.reshape(-1, *W.shape[2:]), b.reshape(-1, b.shape[-1])

    return run


def independent(shape: Shape) -> Run:
    """The same with data of its own for every cell, as in all other entries."""
    return jsuper(shape, independent_cells=True)


def other_task(shape: Shape) -> Run:
    """The same with another target, which trains through reverse differentiation."""
    return jsuper(shape, target=squared)


def _one_model(shape: Shape):
    """Initial state and training step of one model in plain JAX, density as argument."""
    optimizer = optax.adamw(RATE, weight_decay=DECAY)
    importance = jnp.asarray(shape.importance)
    size = BATCH, shape.n_features

    def init(key):
        W = shape.std * jax.random.normal(key, (shape.n_features, shape.n_hidden))
        params = {"W": W, "b": jnp.zeros(shape.n_features)}
        return params, optimizer.init(params)

    def loss(params, x):
        output = jax.nn.relu(x @ params["W"] @ params["W"].T + params["b"])
        return jnp.mean(importance * (x - output) ** 2)

    def step(state, key, density):
        params, optimizer_state = state
        active, value = jax.random.split(key)
        x = jax.random.uniform(value, size)
        x = jnp.where(jax.random.uniform(active, size) <= density, x, 0.0)
        value, gradient = jax.value_and_grad(loss)(params, x)
        updates, optimizer_state = optimizer.update(gradient, optimizer_state, params)
        return (optax.apply_updates(params, updates), optimizer_state), value

    return init, step


def jax_scan(shape: Shape) -> Run:
    """Plain JAX: one compiled ``jit(vmap(scan))`` over code for one model."""
    init, step = _one_model(shape)

    def train(key, density, steps):
        keys = jax.random.split(key, steps)
        state, history = jax.lax.scan(lambda s, k: step(s, k, density), init(key), keys)
        return state[0], history

    train_all = jax.jit(jax.vmap(train, in_axes=(0, 0, None)), static_argnums=2)
    keys = jax.random.split(jax.random.key(0), shape.n_models)

    def run(steps: int) -> tuple[np.ndarray, np.ndarray]:
        params, _ = train_all(keys, jnp.asarray(shape.densities, jnp.float32), steps)
        return np.asarray(params["W"]), np.asarray(params["b"])

    return run


def jax_steps(shape: Shape) -> Run:
    """Plain JAX: a compiled step for all models, called from a loop in Python."""
    init, step = _one_model(shape)
    all_steps = jax.jit(jax.vmap(step), donate_argnums=0)
    keys = jax.random.split(jax.random.key(0), shape.n_models)
    densities = jnp.asarray(shape.densities, jnp.float32)
    keys_at = jax.jit(jax.vmap(jax.random.fold_in, in_axes=(0, None)))

    def run(steps: int) -> tuple[np.ndarray, np.ndarray]:
        state = jax.vmap(init)(keys)
        for i in range(steps):
            state, _ = all_steps(state, keys_at(keys, i), densities)
        return np.asarray(state[0]["W"]), np.asarray(state[0]["b"])

    return run


def torch_notebook(shape: Shape) -> Run:
    """PyTorch in the official notebook's form: einsum over instances, two uniforms."""
    import torch

    density = torch.tensor(shape.densities, dtype=torch.float32)[:, None]
    importance = torch.tensor(shape.importance, dtype=torch.float32)
    size = BATCH, shape.n_models, shape.n_features

    def run(steps: int) -> tuple[np.ndarray, np.ndarray]:
        torch.manual_seed(0)
        W = torch.randn(shape.n_models, shape.n_features, shape.n_hidden) * shape.std
        W = torch.nn.Parameter(W)
        b = torch.nn.Parameter(torch.zeros(shape.n_models, shape.n_features))
        optimizer = torch.optim.AdamW([W, b], lr=RATE, weight_decay=DECAY)
        for _ in range(steps):
            optimizer.zero_grad(set_to_none=True)
            active = torch.rand(size) <= density
            x = torch.where(active, torch.rand(size), torch.zeros(()))
            hidden = torch.einsum("bif,ifh->bih", x, W)
            output = torch.relu(torch.einsum("bih,ifh->bif", hidden, W) + b)
            error = importance * (x - output) ** 2
            error.mean(dim=(0, 2)).sum().backward()
            optimizer.step()
        return W.detach().numpy(), b.detach().numpy()

    return run


def occhio(shape: Shape) -> Run:
    """A ``ModelGrid`` of occhio 0.2.3 that shares no samples between models."""
    import torch
    from occhio import model_grid
    from occhio.autoencoder import TiedLinearRelu
    from occhio.distributions.sparse import SparseUniform
    from occhio.toy_model import ToyModel

    model_grid.tqdm = iter  # no progress bar

    def create_model(params):
        features = SparseUniform(shape.n_features, params["density"].item())
        model = TiedLinearRelu(shape.n_features, shape.n_hidden)
        importance = torch.tensor(shape.importance, dtype=torch.float32)
        with torch.no_grad():
            model.W.normal_(0, shape.std)
            model.b.zero_()
        return ToyModel(features, model, importances=importance)

    def run(steps: int) -> tuple[np.ndarray, np.ndarray]:
        torch.manual_seed(0)
        axes = [
            model_grid.Axis("density", js.log_densities(shape.n_densities, 0.05).tolist()),
            model_grid.Axis("seed", list(range(shape.n_seeds))),
        ]
        grid = model_grid.ModelGrid(create_model, axes, cache_samples=False)
        grid.fit(steps, BATCH, learning_rate=RATE, weight_decay=DECAY)
        models = [model.ae for model in grid.models.ravel()]
        W = torch.stack([model.W for model in models]).detach().numpy()
        return W.swapaxes(1, 2), torch.stack([m.b for m in models]).detach().numpy()

    return run


ENTRIES: dict[str, Callable[[Shape], Run]] = {
    "jsuper": jsuper,
    "jsuper, independent cells": independent,
    "jsuper, another target": other_task,
    "PyTorch, notebook form": torch_notebook,
    "occhio": occhio,
    "JAX, jit(vmap(scan))": jax_scan,
    "JAX, jitted step": jax_steps,
}

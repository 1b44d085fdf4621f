"""Whether the entries of the benchmark learn equally well in equally many steps.

Trains 5→2 models at five densities from 16 seeds with every entry, and compares the loss
on the same fresh data: its mean over all models, relative to jsuper's at each density,
with its standard error.

    python benchmarks/quality.py
"""

import jax
import jax.numpy as jnp
import numpy as np
from entries import BATCH, ENTRIES, Shape

import jsuper as js
from jsuper.training import evaluate

SHAPE = Shape(5, 2, 5, 16)
STEPS = 1500


def losses(W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns losses on fresh data, shape (n_densities, n_seeds)."""

    def task(density):
        features = js.SparseFeatures(SHAPE.n_features, density)
        model = js.ToyModel(SHAPE.n_features, SHAPE.n_hidden)
        return js.Task(features, model, jnp.asarray(SHAPE.importance))

    tasks = jax.vmap(task)(jnp.asarray(js.log_densities(SHAPE.n_densities, 0.05)))
    grid = SHAPE.n_densities, SHAPE.n_seeds
    params = {
        "W": jnp.asarray(W).reshape(*grid, *W.shape[1:]),
        "b": jnp.asarray(b).reshape(*grid, -1),
    }
    keys = jax.random.split(jax.random.key(2024), SHAPE.n_seeds)
    return np.asarray(evaluate(tasks, keys, params, BATCH, 64))


def main() -> None:
    """Prints the relative loss of every entry."""
    js.use_cpu_cores()
    found = {
        name: losses(*entry(SHAPE)(STEPS))
        for name, entry in ENTRIES.items()
        if name != "jsuper, another target"
    }
    scale = found["jsuper"].mean(1, keepdims=True)
    print(f"{SHAPE}, {STEPS} steps: mean loss relative to jsuper's, ± standard error")
    for name, loss in found.items():
        relative = loss / scale
        error = np.sqrt((relative.var(1, ddof=1) / SHAPE.n_seeds).sum()) / SHAPE.n_densities
        print(f"{name:28s} {relative.mean():.4f} ± {error:.4f}")


if __name__ == "__main__":
    main()

"""Watch digons form: snapshots along the way, and an animation."""

import jax
from matplotlib.animation import PillowWriter

import jsuper as js

js.use_cpu_cores()


def task(density):
    return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2, init_std=0.1))


ds = js.snapshots(
    task,
    {"density": [0.3, 0.05], "seed": 4},
    js.Recipe(steps=3_000, batch_size=512),
    key=jax.random.key(0),
    at=range(0, 3_001, 100),
)
print(js.measure(ds)["dimensionality"].sel(density=0.05, seed=0).values.round(2))
film = js.plots.embedding_motion(ds.sel(density=0.05, seed=0))
film.save("film.gif", writer=PillowWriter(fps=6))

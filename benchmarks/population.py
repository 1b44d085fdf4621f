"""How long exact training takes to the loss of the official notebook's recipe.

5→2 models at 40 densities from 8 seeds, importance 0.9^i, all from the same initial
weights. The target is, for each density, the mean population loss over seeds after 10,000
steps of 1,024 samples in the notebook's form (PyTorch). Timed is what reaches it at every
density, compilation apart. Then the cost of one step by number of features.

    python benchmarks/population.py
"""

import json
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jsuper as js

js.use_cpu_cores()
DENSITIES, SEEDS, BATCH = js.log_densities(40, 0.05), 8, 1024
IMPORTANCE = 0.9 ** np.arange(5)
KEY = jax.random.key(0)
SIZES = (
    (2, 1),
    (3, 2),
    (4, 2),
    (5, 2),
    (6, 2),
    (8, 3),
    (10, 3),
    (20, 5),
    (50, 10),
    (100, 20),
)
EXACT = [(steps, rate) for steps in (100, 150, 200, 300, 500) for rate in (0.03, 0.1)]
SAMPLED = [(steps, rate) for steps in (1_000, 2_000, 4_000) for rate in (0.01, 0.03)]


def sampled(density):
    """One model of the comparison."""
    model = js.ToyModel(5, 2)
    return js.Task(js.SparseFeatures(5, density), model, jnp.asarray(IMPORTANCE))


def exact(density):
    """The same, with the population loss."""
    return js.Population(sampled(density))


def notebook(W, b):
    """The official notebook's form in PyTorch: weights after 10,000 steps, and seconds."""
    import torch

    p = torch.tensor(np.repeat(DENSITIES, SEEDS), dtype=torch.float32)[:, None]
    importance = torch.tensor(IMPORTANCE, dtype=torch.float32)
    W, b = (torch.nn.Parameter(torch.tensor(np.array(x)).flatten(0, 1)) for x in (W, b))
    optimizer = torch.optim.AdamW([W, b], lr=1e-3, weight_decay=1e-2)
    size = BATCH, len(W), 5
    start = time.perf_counter()
    for _ in range(10_000):
        optimizer.zero_grad(set_to_none=True)
        x = torch.where(torch.rand(size) <= p, torch.rand(size), torch.zeros(()))
        hidden = torch.einsum("bif,ifh->bih", x, W)
        output = torch.relu(torch.einsum("bih,ifh->bif", hidden, W) + b)
        (importance * (x - output) ** 2).mean(dim=(0, 2)).sum().backward()
        optimizer.step()
    seconds = time.perf_counter() - start
    return [x.detach().numpy().reshape(40, SEEDS, *x.shape[1:]) for x in (W, b)], seconds


def timed(build, recipe, start):
    """The mean losses at each density, and the seconds that a second call takes."""
    axes = {"density": DENSITIES, "seed": SEEDS}

    def train():
        begin = time.perf_counter()
        ds = js.sweep(build, axes, recipe, key=KEY, start=start, chunks=1, progress=False)
        return ds["loss"].mean("seed").values, time.perf_counter() - begin

    train()  # compiles
    return train()


def to_equal_loss() -> dict:
    """Seconds to the target, by way of training."""
    first = js.sweep(
        sampled,
        {"density": DENSITIES, "seed": SEEDS},
        js.Recipe(1, optimizer=optax.set_to_zero()),
        key=KEY,
    )
    (W, b), seconds = notebook(first["W"].values, first["b"].values)
    trained = first.assign(W=(first["W"].dims, W), b=(first["b"].dims, b))
    target = js.losses(sampled, trained, key=KEY)["loss"].mean("seed").values
    print(f"PyTorch, notebook's form: {seconds:.1f} s", flush=True)
    rows = [{"way": "PyTorch, 10,000 steps of 1,024", "seconds": seconds, "worst": 1.0}]
    ways: list[tuple[str, Any, js.Recipe]] = [
        ("notebook's recipe", sampled, js.Recipe(10_000))
    ]
    for build, settings, batch in ((sampled, SAMPLED, BATCH), (exact, EXACT, None)):
        for steps, rate in settings:
            adam = js.decaying_adam(steps, rate)
            name = f"{steps:,} steps from rate {rate:g}"
            ways.append((name, build, js.Recipe(steps, batch, adam, log_every=steps)))
    for name, build, recipe in ways:
        mean, own = timed(build, recipe, first)
        way = f"{'exact' if build is exact else 'sampled'}, {name}"
        worst = float((mean / target).max())
        rows.append({"way": way, "seconds": own, "worst": worst})
        print(
            f"{way:45s} {own:7.2f} s, {seconds / own:6.1f} × PyTorch; "
            f"highest mean loss / target {worst:.4f}, mean {(mean / target).mean():.4f}",
            flush=True,
        )
    return {"to_equal_loss": rows}


def cost_of_a_step() -> dict:
    """Microseconds of a step of one model, exact and on a batch of 1,024."""
    rows = []
    print("features→hidden, models: µs a step of a model, exact, sampled, ratio")
    for n, m in SIZES:
        n_models = 320 if n <= 10 else 20

        def plain(density, n=n, m=m):
            return js.Task(js.SparseFeatures(n, density), js.ToyModel(n, m))

        found = {}
        for name, build, batch in (
            ("exact", lambda density, f=plain: js.Population(f(density)), None),
            ("sampled", plain, BATCH),
        ):
            times = []
            for steps in (4, 24) if n > 6 else (100, 600):
                recipe = js.Recipe(steps, batch, log_every=steps)
                axes = {"density": js.log_densities(n_models // 4, 0.05), "seed": 4}
                seconds = [0.0, 0.0]  # the first call compiles
                for i in range(2):
                    begin = time.perf_counter()
                    js.sweep(build, axes, recipe, key=KEY, chunks=1, progress=False)
                    seconds[i] = time.perf_counter() - begin
                times.append((steps, seconds[1]))
            (few, short), (many, long) = times
            found[name] = (long - short) / (many - few) / n_models * 1e6
        rows.append({"n_features": n, "n_hidden": m, "models": n_models, **found})
        ratio = found["exact"] / found["sampled"]
        print(
            f"{n}→{m}, {n_models}: {found['exact']:.1f} {found['sampled']:.1f} {ratio:.1f}",
            flush=True,
        )
    return {"microseconds_of_a_step": rows}


def main() -> None:
    """Prints both tables and writes them to out/population.json."""
    results = to_equal_loss() | cost_of_a_step()
    path = Path("out/population.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()

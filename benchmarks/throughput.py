"""Training throughput of jsuper and of the official notebook's form in PyTorch.

Both train the same number of models of the same shape at the same batch size with AdamW
and are timed in turn, so that a machine that slows down slows both. By default jsuper
draws random numbers once per seed and shares them between cells; the notebook draws for
every model, and so does jsuper in the third entry. Prints a table and writes JSON. Run it
with

    make bench
"""

import argparse
import json
import os
import platform
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

import jax
import numpy as np

import jsuper as js

SHAPES = [(2, 1, 400), (5, 2, 320)]
SEEDS = 8
BATCH = 1024


def jsuper_run(n_features: int, n_hidden: int, n_models: int, steps: int, **options):
    """Returns a function that trains the grid for ``steps`` steps, compiled already."""

    def task(density):
        return js.Task(
            js.SparseFeatures(n_features, density),
            js.ToyModel(n_features, n_hidden),
            0.9 ** np.arange(n_features),
        )

    axes = {"density": js.log_densities(n_models // SEEDS, 0.05), "seed": SEEDS}
    recipe = js.Recipe(steps=steps, batch_size=BATCH, eval_batches=1, **options)

    def run() -> None:
        js.sweep(task, axes, recipe, key=jax.random.key(0), progress=False)

    run()
    return run


def torch_run(n_features: int, n_hidden: int, n_models: int, steps: int):
    """Returns the same for the official notebook's form: einsum over instances."""
    import torch

    weights = torch.nn.Parameter(torch.empty(n_models, n_features, n_hidden))
    torch.nn.init.xavier_normal_(weights)
    bias = torch.nn.Parameter(torch.zeros(n_models, n_features))
    density = torch.tensor(js.log_densities(n_models, 0.05), dtype=torch.float32)[:, None]
    importance = 0.9 ** torch.arange(n_features)
    optimizer = torch.optim.AdamW([weights, bias], lr=1e-3)

    def run() -> None:
        for _ in range(steps):
            optimizer.zero_grad(set_to_none=True)
            shape = (BATCH, n_models, n_features)
            active = torch.rand(shape) <= density
            x = torch.where(active, torch.rand(shape), torch.zeros(()))
            hidden = torch.einsum("bif,ifh->bih", x, weights)
            output = torch.relu(torch.einsum("bih,ifh->bif", hidden, weights) + bias)
            error = importance * (x - output) ** 2
            error.mean(dim=(0, 2)).sum().backward()
            optimizer.step()

    run()
    return run


def seconds(run) -> float:
    """Returns how long one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    """Times both in turn and reports medians."""
    parser = argparse.ArgumentParser(description="Time jsuper and PyTorch in turn.")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each")
    parser.add_argument("--out", type=Path, default=Path("out/throughput.json"))
    options = parser.parse_args()
    js.use_cpu_cores()

    import torch

    results = []
    for n_features, n_hidden, n_models in SHAPES:
        # Steps such that each timing takes seconds, not milliseconds.
        shape = (n_features, n_hidden, n_models)
        entries = {
            "jsuper": (jsuper_run(*shape, 1000), 1000),
            "torch": (torch_run(*shape, 50), 50),
            "independent": (jsuper_run(*shape, 200, independent_cells=True), 200),
        }
        rates = {name: [] for name in entries}
        for _ in range(options.rounds):
            for name, (run, steps) in entries.items():
                rates[name].append(n_models * BATCH * steps / seconds(run) / 1e6)
        ratios = {
            name: [a / b for a, b in zip(rates[name], rates["torch"], strict=True)]
            for name in ("jsuper", "independent")
        }
        results.append(
            {
                "n_features": n_features,
                "n_hidden": n_hidden,
                "n_models": n_models,
                "million_model_samples_per_second": rates,
                "ratio_to_torch": ratios,
            }
        )
        line = "  ".join(
            f"{name} {statistics.median(r):.1f} ({min(r):.1f} to {max(r):.1f})"
            for name, r in rates.items()
        )
        print(
            f"{n_features}→{n_hidden} × {n_models}: {line}  million model-samples/s, "
            + ", ".join(
                f"{name} / torch {statistics.median(ratio):.1f}"
                for name, ratio in ratios.items()
            )
        )
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": platform.processor() or platform.machine(),
        "cores": len(jax.devices()),
        "cpu_count": os.cpu_count(),
        "jsuper": js.__version__,
        "jax": jax.__version__,
        "torch": torch.__version__,
        "seeds": SEEDS,
        "batch": BATCH,
        "results": results,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=2) + "\n")
    print(f"Written to {options.out}")


if __name__ == "__main__":
    main()

"""How jsuper's costs grow: models, seeds, devices, histories, and the first result.

Each figure comes from a process of its own. Prints tables and writes JSON.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --parts models first
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

SHAPES_OF_MODELS = [(10, 1), (10, 8), (40, 8), (125, 8), (375, 8), (1250, 8), (3750, 8)]
SHAPES_OF_SEEDS = [(320, 1), (80, 4), (40, 8), (10, 32), (1, 320)]


def peak_mib() -> float:
    """Returns this process's greatest memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sweep_figures(densities: int, seeds: int, **options) -> dict:
    """Trains 5→2 models; returns the warm rate, seconds to set up, and memory."""
    devices = options.pop("devices", None)
    import jsuper as js

    js.use_cpu_cores(devices)
    before = peak_mib()
    from entries import BATCH, Shape, jsuper

    run = jsuper(Shape(5, 2, densities, seeds), **options)
    steps = 100 * max(2, 6_000 // (densities * seeds))

    def seconds(steps):
        start = time.perf_counter()
        run(steps)
        return time.perf_counter() - start

    first = seconds(2)
    setup = min(seconds(2) for _ in range(3))
    warm = min(seconds(steps) for _ in range(3)) - setup
    samples = densities * seeds * BATCH * (steps - 2)
    return {
        "models": densities * seeds,
        "steps": steps,
        "first_seconds": first,
        "setup_seconds": setup,
        "million_model_samples_per_second": samples / warm / 1e6,
        "peak_mib_above_import": peak_mib() - before,
    }


def first_result(steps: int, densities: int) -> dict:
    """Returns seconds of the import and of two sweeps like the demo's, at their shape."""
    start = time.perf_counter()
    import jsuper as js

    imported = time.perf_counter()
    js.use_cpu_cores()
    import jax
    import numpy as np

    def task(density, threshold):
        model = js.ToyModel(5, 2, threshold)
        return js.Task(js.SparseFeatures(5, density), model, 0.9 ** np.arange(5))

    def sweep():
        before = time.perf_counter()
        axes = {
            "density": js.log_densities(densities, 0.05),
            "threshold": [0.0, -0.25],
            "seed": 8,
        }
        recipe = js.Recipe(steps=steps)
        js.measure(js.sweep(task, axes, recipe, key=jax.random.key(0), progress=False))
        return time.perf_counter() - before

    first, second = sweep(), sweep()
    return {
        "models": densities * 16,
        "steps": steps,
        "import_seconds": imported - start,
        "compile_seconds": first - second,
        "run_seconds": second,
    }


def alone(function: str, *args, **options) -> dict:
    """Calls a function of this file in a process of its own."""
    call = f"{function}(*{args!r}, **{options!r})"
    code = f"import json; from scaling import *; print(json.dumps({call}))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


def models() -> dict:
    """Cost of a model and peak memory against the number of models."""
    print("\n| models | densities × seeds | million/s | ns a sample | set-up | MiB |")
    print("|---|---|---|---|---|---|")
    rows = []
    for densities, seeds in SHAPES_OF_MODELS:
        row = alone("sweep_figures", densities, seeds)
        rate = row["million_model_samples_per_second"]
        print(
            f"| {row['models']:,} | {densities} × {seeds} | {rate:.0f} | {1e3 / rate:.1f} "
            f"| {row['setup_seconds']:.2f} s | {row['peak_mib_above_import']:.0f} |",
            flush=True,
        )
        rows.append(row)
    return {"rows": rows}


def first() -> dict:
    """Time from the start of Python to a result, by steps and models."""
    print("\n| models | steps | import | compile | run |")
    print("|---|---|---|---|---|")
    rows = []
    for steps, densities in [(10, 10), (1000, 10), (10, 100)]:
        row = alone("first_result", steps, densities)
        print(
            f"| {row['models']:,} | {steps:,} | {row['import_seconds']:.1f} s "
            f"| {row['compile_seconds']:.1f} s | {row['run_seconds']:.1f} s |",
            flush=True,
        )
        rows.append(row)
    return {"rows": rows}


def options() -> dict:
    """Cost of the bar, of histories, of seeds and of a second device, at 5→2 × 320."""
    variants: dict[str, tuple[tuple[int, int], dict]] = {
        "default": ((40, 8), {}),
        "progress bar": ((40, 8), {"progress": True}),
        "loss of every step kept": ((40, 8), {"log_every": 1}),
        "one device": ((40, 8), {"devices": 1}),
        "independent cells": ((40, 8), {"independent_cells": True}),
    } | {f"{d} densities × {s} seeds": ((d, s), {}) for d, s in SHAPES_OF_SEEDS}
    print("\n| 5→2 × 320 | million/s |")
    print("|---|---|")
    rows = {}
    for name, (shape, variant) in variants.items():
        rows[name] = alone("sweep_figures", *shape, **variant)
        rate = rows[name]["million_model_samples_per_second"]
        print(f"| {name} | {rate:.0f} |", flush=True)
    return rows


PARTS = {"models": models, "first": first, "options": options}


def main() -> None:
    """Runs the chosen parts."""
    parser = argparse.ArgumentParser(description="Measure how jsuper's costs grow.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, default=Path("out/scaling.json"))
    chosen = parser.parse_args()
    found = {name: PARTS[name]() for name in chosen.parts}
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(found, indent=2) + "\n")
    print(f"\nWritten to {chosen.out}")


if __name__ == "__main__":
    main()

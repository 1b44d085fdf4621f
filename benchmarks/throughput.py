"""Training throughput of jsuper and of other ways to train the same toy models.

Every entry of entries.py trains every shape, in turn, so that a machine that slows down
slows all of them. Prints a table for each shape and writes JSON. It needs the extra
``bench`` (PyTorch and occhio):

    make bench
    python benchmarks/throughput.py --shapes 5,2,40,8 --entries "jsuper;occhio"
"""

import argparse
import importlib.metadata
import json
import platform
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

import jax
from entries import BATCH, ENTRIES, Shape
from limits import matrix_product_rate, streaming_rate

import jsuper as js

SHAPES = [
    Shape(2, 1, 50),
    Shape(5, 2, 40),
    Shape(5, 2, 1250),
    Shape(20, 5, 25, 4),
    Shape(100, 20, 5, 4),
    Shape(200, 20, 5, 4),
    Shape(400, 30, 5, 4),
]
REFERENCE = "PyTorch, notebook form"


def operations(shape: Shape) -> int:
    """Floating point operations of one model on one example, in one step.

    Five products with the weights (h, z, q and both parts of the gradient), at two
    operations for each weight; and for each feature u <= p, low + slope u, z + b,
    z < t, error, importance, square, sum, g, sum of g: 12 operations.
    """
    return 10 * shape.n_features * shape.n_hidden + 12 * shape.n_features


def bytes_moved(shape: Shape) -> float:
    """Bytes of one model on one example and step that must come from main memory.

    AdamW reads the weights, their gradient and two moments and writes all but the
    gradient, once in a batch. Examples are sampled and used in the cache.
    """
    return 28 * shape.n_features * (shape.n_hidden + 1) / BATCH


def seconds(run, steps: int) -> float:
    """Returns how long one call takes."""
    start = time.perf_counter()
    run(steps)
    return time.perf_counter() - start


def time_shape(shape: Shape, names: list[str], rounds: int, target: float) -> dict:
    """Times the named entries in turn; returns figures by entry.

    A warm call of two steps is what setting up costs. It is subtracted from the warm
    call of many steps, so that a rate is that of a long run.
    """
    runs = {name: ENTRIES[name](shape) for name in names}
    cold = {name: seconds(run, 2) for name, run in runs.items()}
    setup = {name: min(seconds(run, 2) for _ in range(3)) for name, run in runs.items()}
    steps = {}
    for name, run in runs.items():
        steps[name] = 4
        while True:
            run(steps[name])  # compiles, where the number of steps matters
            elapsed = seconds(run, steps[name]) - setup[name]
            if elapsed > 0.6 * target:
                break
            factor = min(30, max(2, target / max(elapsed, 1e-3)))
            steps[name] = int(steps[name] * factor)
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, run in runs.items():
            samples = shape.n_models * BATCH * (steps[name] - 2)
            rates[name].append(samples / (seconds(run, steps[name]) - setup[name]) / 1e6)
    return {
        name: {
            "million_model_samples_per_second": rates[name],
            "steps": steps[name],
            "first_call_seconds": cold[name],
            "setup_seconds": setup[name],
        }
        for name in names
    }


def report(shape: Shape, timings: dict, limits: dict) -> dict:
    """Prints the table of a shape; returns its entry of the JSON."""
    flop, moved = operations(shape), bytes_moved(shape)
    fastest = {
        "arithmetic": limits["matrix_product_gflops"] * 1e3 / flop,
        "memory": limits["streaming_gb_per_second"] * 1e3 / moved,
    }
    binding = min(fastest, key=lambda limit: fastest[limit])
    seeds = f"{shape.n_densities:,} densities x {shape.n_seeds} seeds"
    print(
        f"\n{shape} ({seeds}); {flop:,} operations and {moved:.2f} bytes a model-sample, "
        f"bound by {binding} at {fastest[binding]:,.0f} million/s"
    )
    print("| entry | million/s (range) | × PyTorch | GFLOP/s | of bound | cold | set-up |")
    print("|---|---|---|---|---|---|---|")
    reference = timings.get(REFERENCE, {}).get("million_model_samples_per_second")
    for name, timing in timings.items():
        rates = timing["million_model_samples_per_second"]
        median = statistics.median(rates)
        timing["fraction_of_bound"] = median / fastest[binding]
        ratio = "–"
        if reference:
            ratios = [a / b for a, b in zip(rates, reference, strict=True)]
            timing["ratio_to_pytorch"] = statistics.median(ratios)
            ratio = f"{timing['ratio_to_pytorch']:.2f}"
        print(
            f"| {name} | {median:.2f} ({min(rates):.2f} to {max(rates):.2f}) | {ratio} "
            f"| {median * flop / 1e3:.1f} | {timing['fraction_of_bound']:.0%} "
            f"| {timing['first_call_seconds']:.1f} s | {timing['setup_seconds']:.2f} s |",
            flush=True,
        )
    return {
        "shape": {
            "n_features": shape.n_features,
            "n_hidden": shape.n_hidden,
            "n_densities": shape.n_densities,
            "n_seeds": shape.n_seeds,
            "batch_size": BATCH,
        },
        "operations_per_model_sample": flop,
        "bytes_per_model_sample": moved,
        "bound_million_per_second": fastest,
        "entries": timings,
    }


def version(package: str) -> str | None:
    """Returns the version of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def processor() -> str:
    """Returns the processor's name, as Linux knows it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [
        line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
    ]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Times the chosen entries on the chosen shapes."""
    parser = argparse.ArgumentParser(description="Time jsuper and others in turn.")
    parser.add_argument(
        "--shapes", help="features,hidden,densities,seeds; several with spaces"
    )
    parser.add_argument("--entries", help="names, separated by semicolons")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each")
    parser.add_argument("--seconds", type=float, default=1.5, help="length of a timing")
    parser.add_argument("--out", type=Path, default=Path("out/throughput.json"))
    options = parser.parse_args()
    names = options.entries.split(";") if options.entries else list(ENTRIES)
    unknown = set(names) - set(ENTRIES)
    if unknown:
        parser.error(f"entries must be among {'; '.join(ENTRIES)}, got {unknown}")
    shapes = SHAPES
    if options.shapes:
        shapes = [Shape(*map(int, s.split(","))) for s in options.shapes.split()]

    js.use_cpu_cores()
    limits = {
        "matrix_product_gflops": matrix_product_rate(),
        "streaming_gb_per_second": streaming_rate(),
    }
    machine = {
        "processor": processor(),
        "jax_devices": len(jax.devices()),
        "platform": jax.devices()[0].platform,
        "python": platform.python_version(),
    }
    packages = {
        name: version(name) for name in ("jsuper", "jax", "jaxlib", "torch", "occhio")
    }
    print(", ".join(f"{k} {v}" for k, v in (machine | packages | limits).items()))
    results = []
    for shape in shapes:
        timings = time_shape(shape, names, options.rounds, options.seconds)
        results.append(report(shape, timings, limits))
        document = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine,
            "packages": packages,
            "limits": limits,
            "results": results,
        }
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(document, indent=2) + "\n")
    print(f"\nWritten to {options.out}")


if __name__ == "__main__":
    main()

"""What a store costs: time for each model, memory, bytes, files, opening and measuring.

Each row comes from a process of its own. Prints a table and writes JSON.

    python benchmarks/stores.py [--models 10000 100000 1000000] [--json FILE]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEEDS = 100
STEPS = 10


def peak_gib() -> float:
    """Returns this process's greatest memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def seconds_since(began: float) -> float:
    """Returns the seconds since a moment."""
    return round(time.perf_counter() - began, 2)


def filled(n_models: int, store: str | None) -> dict:
    """Trains 2→1 models for a few steps, into a store or into memory."""
    import jax
    import numpy as np

    import jsuper as js

    js.use_cpu_cores()
    n_values = round((n_models / SEEDS) ** 0.5)

    def task(density, importance):
        weights = np.array([1, importance], np.float32)
        return js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 1), weights)

    axes = {
        "density": np.geomspace(0.01, 1, n_values),
        "importance": np.geomspace(0.1, 10, n_values),
        "seed": SEEDS,
    }
    began = time.perf_counter()
    ds = js.sweep(task, axes, js.Recipe(STEPS), key=jax.random.key(0), store=store)
    seconds = seconds_since(began)
    return {"models": ds["loss"].size, "seconds": seconds, "peak_gib": round(peak_gib(), 2)}


def opened(store: str) -> dict:
    """Opens a store, and measures it to disk."""
    import jsuper as js

    began = time.perf_counter()
    ds = js.load(store)
    open_seconds = seconds_since(began)
    began = time.perf_counter()
    js.measure(ds).to_zarr(f"{store}.measured", consolidated=False)
    return {
        "open_seconds": open_seconds,
        "measure_seconds": seconds_since(began),
        "measure_peak_gib": round(peak_gib(), 2),
    }


def saved(mebibytes: int) -> dict:
    """Writes the state of a block of some size, once to warm up and once measured."""
    import numpy as np

    from jsuper.sweeps.state import SavedState

    arrays = [np.random.default_rng(0).random((mebibytes, 2**18), np.float32)]
    with tempfile.TemporaryDirectory() as folder:
        state = SavedState(Path(folder, "state"), 0)
        state.save(1, arrays)
        began = time.perf_counter()
        state.save(2, arrays)
        return {"state_mib": mebibytes, "save_seconds": seconds_since(began)}


def row(n_models: int) -> dict:
    """All figures of one number of models."""
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder, "grid.zarr"))
        told = in_process("filled", n_models, store)
        files = [path for path in Path(store).rglob("*") if path.is_file()]
        told["megabytes"] = round(sum(path.stat().st_size for path in files) / 1e6, 1)
        told["files"] = len(files)
        told |= in_process("opened", store)
        began = time.perf_counter()
        info = [sys.executable, "-m", "jsuper.cli", "info", store]
        subprocess.run(info, check=True, stdout=subprocess.DEVNULL)
        told["info_seconds"] = seconds_since(began)
    told["microseconds_a_model"] = round(1e6 * told["seconds"] / told["models"])
    return told


def in_process(function: str, *arguments) -> dict:
    """What a function of this module returns in a fresh process."""
    call = f"stores.{function}({', '.join(map(repr, arguments))})"
    program = f"import json, stores; print(json.dumps({call}))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--models", type=int, nargs="+", default=[10**4, 10**5, 10**6])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [row(n) for n in options.models]
    states = [in_process("saved", size) for size in (8, 64, 512)]
    for table in (rows, states):
        print("  ".join(table[0]))
        for told in table:
            print("  ".join(f"{told[name]:>{len(name)}}" for name in told))
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "states": states}, indent=1))


if __name__ == "__main__":
    main()

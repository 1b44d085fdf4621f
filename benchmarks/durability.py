"""Kills a sweep at random moments until it is done, and compares stores byte by byte.

    python benchmarks/durability.py [--kills 50] [--json FILE]

One process fills a store and is left alone. Others fill stores of the same sweep and are
killed (SIGKILL) after random times, and started again, until there have been so many kills
and the last store is full. It prints how many kills fell into which part, and whether all
stores are the same, with nothing but the store in their folder.
"""

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SWEEP = """
import sys, jax, numpy as np
import jsuper as js
from jsuper.sweeps import blocks

blocks.MOST_MODELS = 200  # many small blocks, each of which saves its state often

def task(density, threshold):
    importance = 0.9 ** np.arange(5, dtype=np.float32)
    return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2, threshold), importance)

axes = {"density": [1.0, 0.3, 0.1], "threshold": [0.0, -0.25], "seed": 400}
js.sweep(task, axes, js.Recipe(STEPS), key=jax.random.key(0), store=sys.argv[1],
         save_every=1.0)
"""


def main() -> None:
    """Runs the check and prints its table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--longest", type=float, default=25, help="seconds until a kill")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "alone", "grid.zarr")
        whole.parent.mkdir()
        began = time.perf_counter()
        left_alone(whole, options.steps)
        seconds = time.perf_counter() - began
        print(f"left alone: {seconds:.0f} s")
        wanted, kills, stores, moments = digest(whole.parent), 0, 0, []
        same = []
        while kills < options.kills or not same:
            stores += 1
            store = Path(folder, str(stores), "grid.zarr")
            store.parent.mkdir()
            while kills < options.kills and killed(store, options):
                kills += 1
                moments.append(state_of(store))
            left_alone(store, options.steps)
            same.append(digest(store.parent) == wanted)
            print(f"store {stores}: {kills} kills so far, same bytes: {same[-1]}")
    told = {
        "kills": kills,
        "stores": stores,
        "same_bytes": sum(same),
        "kills_before_the_first_block": moments.count("no block"),
        "kills_with_a_saved_state": moments.count("state"),
        "seconds_left_alone": round(seconds, 1),
    }
    for name, value in told.items():
        print(f"{name.replace('_', ' ')}: {value}")
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    sys.exit(not all(same))


def started(store: Path, steps: int) -> subprocess.Popen:
    """A process that fills a store."""
    program = SWEEP.replace("STEPS", str(steps))
    return subprocess.Popen(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", program, store]
    )


def left_alone(store: Path, steps: int) -> None:
    """Fills a store to its end."""
    if started(store, steps).wait() != 0:
        raise RuntimeError(f"the sweep into {store} failed")


def killed(store: Path, options: argparse.Namespace) -> bool:
    """Fills a store until a random moment; returns whether it was still at work."""
    process = started(store, options.steps)
    try:
        if process.wait(random.uniform(0, options.longest)) != 0:
            raise RuntimeError(f"the sweep into {store} failed")
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True


def state_of(store: Path) -> str:
    """What a kill has left: nothing of a block, a saved state, or blocks alone."""
    private = store / ".jsuper"
    if any(private.glob("state/*/*/*")):
        return "state"
    return "blocks" if any(store.glob("done/c/**/*")) else "no block"


def digest(folder: Path) -> str:
    """One number for the names and contents of all files in a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    main()

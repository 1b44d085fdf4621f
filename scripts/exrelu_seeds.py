"""How much do single runs differ? Sixty-four seeds of eight thresholds at one density.

Cells of a phase map share their seeds, so a map with eight seeds has seen eight initial
draws, however many cells it has. Run it with

    python scripts/exrelu_seeds.py
"""

import argparse

import jax
import pandas as pd
from exrelu_phases import task

import jsuper as js

THRESHOLDS = [0, -0.1, -0.25, -0.4, -0.45, -0.5, -0.55, -0.6]


def main() -> None:
    """Trains and counts."""
    parser = argparse.ArgumentParser(description="Count superposed features over seeds.")
    parser.add_argument(
        "--density", type=float, default=0.05, help="density of the features"
    )
    parser.add_argument("--seeds", type=int, default=64, help="number of seeds")
    parser.add_argument("--steps", type=int, default=10_000, help="training steps")
    options = parser.parse_args()
    js.use_cpu_cores()

    axes = {"density": [options.density], "threshold": THRESHOLDS, "seed": options.seeds}
    ds = js.sweep(task, axes, js.Recipe(steps=options.steps), key=jax.random.key(3))
    superposed = js.measure(ds)["superposed"].isel(density=0)
    counts = {n: (superposed == n).sum("seed").values for n in range(6)}
    print(f"runs of {options.seeds} by number of superposed features")
    print(pd.DataFrame(counts, index=pd.Index(THRESHOLDS, name="threshold")).to_string())


if __name__ == "__main__":
    main()

r"""Which activations superpose, and from which density on? One sweep answers.

Ten activations at ten densities, with two widths and eight seeds, are one call: activation
and width are axes like the density, and each of their combinations compiles once.

No linear map through m dimensions explains more than m of n equal, independent features:
with R_i^2 = 1 - E (x_i - x'_i)^2 / Var x_i, the sum over features is at most m. What
exceeds m is superposition, whatever the activation does to the scale of the weights. Run it
with

    python scripts/activations.py --out out
"""

import argparse
from pathlib import Path

import jax
import numpy as np
import xarray as xr
from scipy.stats import bootstrap

import jsuper as js
from jsuper.plots import style

N = 10
HIDDEN = [2, 4]


def exrelu(z):
    """ExReLU at the threshold of the review's figure."""
    return js.exrelu(z, -0.25)


ACTIVATIONS = {
    "linear": "linear",
    "relu": "relu",
    "exrelu": exrelu,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "gelu": "gelu",
    "silu": "silu",
    "softplus": "softplus",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
}


def task(density, n_hidden, activation):
    """Equal features, to be stored in few dimensions."""
    model = js.ToyModel(N, n_hidden, activation=ACTIVATIONS[activation])
    return js.Task(js.SparseFeatures(N, density), model)


def main() -> None:
    """Trains, measures, draws and tells."""
    parser = argparse.ArgumentParser(description="Superposition by activation.")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder to fill")
    parser.add_argument("--seeds", type=int, default=8, help="seeds of each cell")
    parser.add_argument("--steps", type=int, default=4_000, help="training steps")
    options = parser.parse_args()
    js.use_cpu_cores()

    ds = js.sweep(
        task,
        {
            "activation": list(ACTIVATIONS),
            "n_hidden": HIDDEN,
            "density": js.log_densities(10, lowest=0.01),
            "seed": options.seeds,
        },
        js.Recipe(options.steps, 512, js.decaying_adam),
        key=jax.random.key(0),
    )
    ds = js.losses(task, ds, key=jax.random.key(1), batches=256)
    ds["explained"] = explained(ds)
    options.out.mkdir(parents=True, exist_ok=True)
    js.save(ds, options.out / "activations.nc", force=True)
    draw(ds).savefig(options.out / "explained.png", dpi=150)
    draw_embeddings(ds).savefig(options.out / "embeddings.png", dpi=150)
    table = crossings(ds["explained"])
    table.to_dataframe().to_csv(options.out / "crossings.csv")
    print(table.to_dataframe().to_string())


def explained(ds: xr.Dataset) -> xr.DataArray:
    """The sum of R^2 over features, for each hidden dimension."""
    p = ds["density"]
    variance = p / 3 - p**2 / 4
    share = 1 - ds["loss"] / variance
    return (N * share / ds["n_hidden"]).assign_attrs(
        long_name="variance explained per hidden dimension, in features"
    )


if __name__ == "__main__":
    main()

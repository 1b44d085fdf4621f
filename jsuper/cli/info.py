"""``jsuper info``: say what a file holds."""

import argparse
import json
from typing import Any

import numpy as np

from jsuper import files


def add(commands: Any) -> None:
    """Adds the command with its options."""
    parser = commands.add_parser(
        "info", help="say what a file holds", description="Say what a file holds."
    )
    parser.add_argument("file", metavar="FILE", help="netCDF file of a sweep")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Prints axes, variables, recipe, origin and convergence."""
    ds = files.load(options.file)
    made_by = json.loads(ds.attrs["made_by"])
    recipe = made_by["recipe"]
    print("axes")
    for name in ds["finite"].dims:
        values = ds[name].values
        some = ", ".join(f"{v:.4g}" for v in values[:12])
        print(f"  {name} ({len(values)}): {some}{', …' if len(values) > 12 else ''}")
    print("variables")
    for name, variable in ds.data_vars.items():
        print(f"  {name} ({', '.join(map(str, variable.dims))})")
    print("recipe")
    for name, value in recipe.items():
        print(f"  {name}: {value if name != 'optimizer' else json.dumps(value)}")
    print(f"task (first cell): {json.dumps(made_by['first_task'])}")
    print(f"key: {made_by['key']['implementation']} {made_by['key']['data']}")
    print(
        f"made with jsuper {made_by['jsuper']}, jax {made_by['jax']} on "
        f"{len(made_by['devices'])} × {made_by['devices'][0]}"
    )
    if "step" in ds["finite"].dims:  # snapshots along training
        ds = ds.isel(step=-1)
        print(f"at step {ds['step'].item()}:")
    finite = ds["finite"].values
    print(f"finite: {int(finite.sum())} of {finite.size} models")
    if finite.any():
        loss = ds["loss"].values[finite]
        print(f"loss on fresh data: {loss.min():.4g} to {loss.max():.4g}")
    if finite.any() and "step" in ds["history"].dims:
        history = ds["history"].transpose(..., "step").values[finite]
        tenth = max(1, history.shape[-1] // 10)
        last, before = history[:, -tenth:].mean(-1), history[:, -2 * tenth : -tenth]
        settled = (
            last > 0.95 * before.mean(-1) if before.size else np.zeros(len(last), bool)
        )
        print(
            f"converged (training loss fell less than 5 % in the last tenth of the steps): "
            f"{int(settled.sum())} of {finite.size} models"
        )

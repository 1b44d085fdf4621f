"""``jsuper info``: say what a file holds."""

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from jsuper import files, stores, wording
from jsuper.cli.console import say
from jsuper.padding import SUFFIX
from jsuper.results.criteria import converged
from jsuper.results.models import at_last_step, is_finite, model_axes
from jsuper.results.origin import origin
from jsuper.sweeps.status import status_of


def add(commands: Any) -> None:
    """Adds the command with its options."""
    parser = commands.add_parser(
        "info", help="say what a file holds", description="Say what a file holds."
    )
    parser.add_argument("file", metavar="FILE", help="netCDF file or store of a sweep")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Prints axes, variables, recipe, origin and convergence of all datasets."""
    read = files.load(options.file)
    if stores.is_store(options.file) and stores.ABOUT in stores.attributes(options.file):
        for line in status_of(options.file).lines():
            say(line)
    if not isinstance(read, xr.DataTree):
        for line in _said(read):
            say(line)
        return
    for name, value in read.attrs.items():
        say(f"{name}: {value}")
    for name, ds in files.datasets(read).items():
        say(f"dataset {name}")
        for line in _said(ds):
            say(f"  {line}")


def _said(ds: xr.Dataset) -> Iterator[str]:
    for part in (_contents, origin, _outcome):
        yield from part(ds)


def _contents(ds: xr.Dataset) -> Iterator[str]:
    """Axes, coordinates beside them, variables."""
    axes = model_axes(ds)
    yield "axes"
    for name in axes:
        yield f"  {name} ({ds.sizes[name]}): {_some(ds[name].values)}"
    beside = [
        (str(name), values)
        for name, values in ds.coords.items()
        if name not in (*axes, "step") and not str(name).endswith(SUFFIX)
    ]
    if beside:
        yield "coordinates"
    for name, values in beside:
        dims = f" ({', '.join(map(str, values.dims))})" if values.dims else ""
        yield f"  {name}{dims}: {_some(values.values.ravel())}"
    yield "variables"
    for name, variable in ds.data_vars.items():
        yield f"  {name} ({', '.join(map(str, variable.dims))})"


def _some(values: np.ndarray) -> str:
    some = ", ".join(wording.text(value, 4) for value in values[:12])
    return f"{some}, …" if len(values) > 12 else some


def _outcome(ds: xr.Dataset) -> Iterator[str]:
    """How many models are finite and have converged, and their losses."""
    if "step" in model_axes(ds):  # snapshots along training
        ds = at_last_step(ds)
        steps = np.unique(ds["step"].values)
        yield f"at step {_some(steps)}:"
    steps = files.made_by(ds).get("recipe", {}).get("steps", 0)
    partly = "loss" not in ds and "step" in ds.coords and ds["step"].values.max() < steps
    if partly:
        yield f"at step {ds['step'].values.max()} of {steps}, as a callback received it"
    kept = [name for name in ("loss", "done") if name in ds]
    found = ds[kept].assign(is_finite=is_finite(ds))
    if "history" in ds and "step" in ds["history"].dims and not partly:
        found["converged"] = converged(ds)
    found = found.compute()  # all at once, where it is in a store
    finite = found["is_finite"]
    trained = found["done"] if "done" in ds else xr.ones_like(finite)
    n_trained = int(trained.sum())
    if "finite" in ds:
        which = "trained models" if n_trained < trained.size else "models"
        yield f"finite: {int(finite.sum())} of {n_trained} {which}"
    if "loss" in ds:
        loss = found["loss"].where(finite)
        if loss.notnull().any():
            name = ds["loss"].attrs.get("long_name", "loss on fresh data")
            yield f"{name}: {loss.min():.4g} to {loss.max():.4g}"
    if finite.any() and "converged" in found:
        settled = found["converged"]
        n_settled = n_trained if "done" in ds else settled.size
        yield (
            "converged (training loss fell less than 5% in the last tenth of the steps): "
            f"{int(settled.sum())} of {n_settled} models"
        )

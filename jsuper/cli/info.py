"""``jsuper info``: say what a file holds."""

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from jsuper import files, stores, wording
from jsuper.cli.console import say
from jsuper.padding import SUFFIX
from jsuper.results.blockwise import parts_of
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
    in_store = stores.is_store(options.file)
    if in_store:
        # Dask would take longer to begin than the counting takes.
        read = files.load_store(options.file, with_dask=False)
    else:
        read = files.load(options.file)
    if in_store and stores.ABOUT in stores.attributes(options.file):
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
    steps = files.made_by(ds).get("recipe", {}).get("steps", 0)
    partly = "loss" not in ds and "step" in ds.coords and ds["step"].values.max() < steps
    kept = [name for name in ("loss", "history", "finite", "done") if name in ds]
    axes = [name for name in model_axes(ds[kept]) if name != "step"]
    found = [_counted(part, partly) for part in parts_of(ds[kept], axes)]
    count = {name: sum(one[name] for one in found) for name in COUNTS}
    last = sorted({step for one in found for step in one["steps"]})
    if last:  # snapshots along training
        yield f"at step {_some(np.array(last))}:"
    if partly:
        yield f"at step {ds['step'].values.max()} of {steps}, as a callback received it"
    if "finite" in ds:
        is_whole = count["trained"] == count["models"]
        which = "models" if is_whole else "trained models"
        yield f"finite: {count['finite']} of {count['trained']} {which}"
    losses = [loss for one in found for loss in one["losses"]]
    if losses:
        name = ds["loss"].attrs.get("long_name", "loss on fresh data")
        yield f"{name}: {min(losses):.4g} to {max(losses):.4g}"
    if count["finite"] and count["judged"]:
        n_judged = count["trained"] if "done" in ds else count["judged"]
        yield (
            "converged (training loss fell less than 5% in the last tenth of the steps): "
            f"{count['converged']} of {n_judged} models"
        )


COUNTS = ("models", "trained", "finite", "judged", "converged")


def _counted(ds: xr.Dataset, partly: bool) -> dict[str, Any]:
    """Numbers of models, the steps that they are at, and the ends of their losses."""
    steps = []
    if "step" in model_axes(ds):
        ds = at_last_step(ds)
        steps = np.unique(ds["step"].values).tolist()
    finite, judged = is_finite(ds), np.zeros(0)
    trained = ds["done"] if "done" in ds else xr.ones_like(finite)
    n_models = trained.size
    if "minimum" in ds.dims and "loss" in ds:  # some cells have fewer than others
        trained = ds["loss"].notnull() | finite
        n_models = trained.sum()
    if "history" in ds and "step" in ds["history"].dims and not partly:
        judged = converged(ds)
    losses = ds["loss"].where(finite).values if "loss" in ds else np.zeros(0)
    losses = losses[~np.isnan(losses)]
    counts = n_models, trained.sum(), finite.sum(), judged.size, judged.sum()
    return {
        **dict(zip(COUNTS, map(int, counts), strict=True)),
        "steps": steps,
        "losses": [losses.min(), losses.max()] if len(losses) else [],
    }

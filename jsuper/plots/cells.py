"""The cells of a sweep that a figure shows: along which axes, and which model of each."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from jsuper.padding import trim
from jsuper.results.measures import weights_of
from jsuper.results.models import is_finite
from jsuper.results.seeds import best_seed, has_losses


def one_seed(ds: xr.Dataset, variable: str = "W") -> xr.Dataset:
    """The model of lowest loss of every cell, if there are several seeds."""
    dims = weights_of(ds, variable).dims
    if "step" in dims:
        raise ValueError(
            "the figure shows models at one step: select it first (in Python "
            "ds.isel(step=-1), in a shell --select)"
        )
    if "seed" in dims and ds.sizes["seed"] == 1:
        ds = ds.isel(seed=0)
    elif "seed" in dims:
        if not has_losses(ds) and "loss" not in ds:
            raise ValueError(
                "the figure shows the seed of lowest loss, and ds has neither loss nor "
                "history: select a seed first (in Python ds.isel(seed=0), in a shell "
                "--select)"
            )
        ds = best_seed(ds)
    return trim(ds)


def one_cell(ds: xr.Dataset, cell: Mapping[str, int]) -> xr.Dataset:
    """The models of a cell, named by positions along axes, in their own sizes."""
    return trim(ds.isel(cell))


def weights(model: xr.Dataset, variable: str = "W") -> np.ndarray:
    """Weights of one model, shape (feature, hidden)."""
    return weights_of(model, variable).transpose("feature", "hidden").values


def what_is_wrong(model: xr.Dataset, variable: str = "W") -> str:
    """Why there are no weights of a model to plot, in a word or two; empty if there are."""
    if variable not in model:
        return f"no {variable}"
    if "finite" in model and model["finite"].isnull().all():
        return "no model"  # beside others that were joined
    finite = np.isfinite(model[variable].values).all() and is_finite(model).all()
    return "" if finite else "diverged"


def fitted(ds: xr.Dataset, variable: str, max_axes: int) -> xr.Dataset:
    """A sweep without those axes of one value for which the figure has no room."""
    names = _axes(ds, variable)
    single = [name for name in names if ds.sizes[name] == 1]
    return ds.isel(dict.fromkeys(single, 0)) if len(names) > max_axes else ds


def grid_axes(ds: xr.Dataset, variable: str, max_axes: int) -> list[str | None]:
    """The axes of the grid, filled up with None to two."""
    names = _axes(ds, variable)
    if len(names) > max_axes:
        raise ValueError(
            f"the figure has room for {max_axes} of the axes {names}: select one value of "
            f"the others first (in Python ds.isel({names[-1]}=0), in a shell --select)"
        )
    return [*names, None, None][:2]


def _axes(ds: xr.Dataset, variable: str) -> list[str]:
    inner = {"feature", "hidden", "seed", "step"}
    return [str(d) for d in ds[variable].dims if d not in inner]


def size(ds: xr.Dataset, name: str | None) -> int:
    """The number of values of an axis, 1 without one."""
    return ds.sizes[name] if name else 1


def importances(ds: xr.Dataset) -> xr.DataArray:
    """The importance of each feature, 1 if the sweep holds none."""
    for name in ("feature_importance", "importance"):
        if name in ds and "feature" in ds[name].dims:
            return ds[name]
    return xr.DataArray(np.ones(ds.sizes["feature"]), dims="feature")

"""The models of lowest loss in every cell."""

import numpy as np
import xarray as xr

from jsuper.results.blockwise import blockwise, is_lazy
from jsuper.results.models import at_last_step, is_finite
from jsuper.validation import check_count


def best_seed(ds: xr.Dataset) -> xr.Dataset:
    """Returns the model of lowest loss in every cell.

    Args:
        ds: A dataset with ``loss`` along a dimension ``seed``. What a callback of
            `jsuper.sweep` receives has no ``loss`` yet and is judged by the last entry of
            each model's ``history``; what `jsuper.snapshots` returns, by its last step.

    Returns:
        The dataset without that dimension; the coordinate ``seed`` says which was kept.
        A diverged model is kept only where all seeds diverged.

    Raises:
        ValueError: If ``ds`` has neither along ``seed``.

    Example:
        >>> import numpy as np, xarray as xr, jsuper as js
        >>> ds = xr.Dataset({"loss": ("seed", [0.3, 0.1, np.nan])}, {"seed": [5, 6, 7]})
        >>> int(js.best_seed(ds)["seed"])
        6
    """
    loss = _final_loss(ds).transpose(..., "seed")
    if is_lazy(ds):
        return blockwise(best_seed, ds, "seed")
    best = xr.DataArray(loss.values.argmin(-1), dims=loss.dims[:-1])
    return ds.assign_coords(seed=ds["seed"]).isel(seed=best)


def lowest(ds: xr.Dataset, n: int) -> xr.Dataset:
    """Returns the models of lowest loss in every cell, as many as asked for.

    Args:
        ds: As in `best_seed`.
        n: Number of models of each cell, at most that of its seeds.

    Returns:
        The dataset with a dimension ``rank`` of length ``n`` in the place of ``seed``,
        lowest loss first; the coordinate ``seed`` says which they are. Diverged models
        stand behind all others.

    Raises:
        ValueError: If ``ds`` has neither ``loss`` nor ``history`` along ``seed``, or
            fewer than ``n`` seeds.

    Example:
        >>> import numpy as np, xarray as xr, jsuper as js
        >>> ds = xr.Dataset({"loss": ("seed", [0.3, 0.1, np.nan])}, {"seed": [5, 6, 7]})
        >>> js.lowest(ds, 2)["seed"].values
        array([6, 5])
    """
    loss = _final_loss(ds)
    check_count("n", n)
    if "rank" in ds.dims:
        raise ValueError("ds must have no axis named 'rank': rename it first")
    if n > loss.sizes["seed"]:
        raise ValueError(
            f"n must be at most {loss.sizes['seed']}, the seeds of ds, got {n}"
        )
    loss = loss.transpose(..., "seed")
    # Stable, so that the first of equals is kept.
    order = np.argsort(loss.values, axis=-1, kind="stable")[..., :n]
    places = xr.DataArray(order, dims=(*loss.dims[:-1], "rank"))
    ds = ds.assign_coords(seed=ds["seed"]).isel(seed=places)
    return ds.assign_coords(rank=np.arange(n))


def has_losses(ds: xr.Dataset) -> bool:
    """Returns whether there are losses to choose a seed by."""
    if _tests(ds):
        return False
    return any(name in ds and "seed" in ds[name].dims for name in ("loss", "history"))


def _tests(ds: xr.Dataset) -> list[str]:
    """Dimensions along which models were tested, at each of which another may be best."""
    dims = ds["loss"].dims if "loss" in ds else ()
    return [str(dim) for dim in dims if str(dim).startswith("test_")]


def _final_loss(ds: xr.Dataset) -> xr.DataArray:
    """The loss that each model ends with, infinite where it diverged."""
    if _tests(ds):
        raise ValueError(
            f"ds must have one loss for each model, got one for each of {_tests(ds)}: "
            "choose the seed before js.losses, or select a value"
        )
    if not has_losses(ds):
        raise ValueError("ds must have a variable loss along the dimension seed")
    name = "loss" if "loss" in ds and "seed" in ds["loss"].dims else "history"
    ds = at_last_step(ds[[name, *(["finite"] if "finite" in ds else [])]])
    return ds[name].where(is_finite(ds) & ds[name].notnull(), np.inf)

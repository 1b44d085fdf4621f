"""What theory says of the trained models: best capacities, and marginal values."""

import xarray as xr

from jsuper.theory.capacity import capacity_loss, marginal_value, optimal_capacities


def predicted(ds: xr.Dataset) -> xr.Dataset:
    """Returns ``capacity`` (..., feature) and ``loss`` (...) of the best weights."""
    v, k = ds["coefficients"], ds["kurtosis"]
    capacity = xr.apply_ufunc(
        optimal_capacities,
        *(v, k, ds.sizes["hidden"]),
        input_core_dims=[["feature"], [], []],
        output_core_dims=[["feature"]],
    )
    loss = xr.apply_ufunc(capacity_loss, capacity, v, k).sum("feature")
    return xr.Dataset({"capacity": capacity, "loss": loss})


def marginal_values(ds: xr.Dataset) -> xr.DataArray:
    """Returns what each feature gains from more capacity, dimensions of ``capacity``."""
    capacity = ds["capacity"].clip(0, 1)
    return xr.apply_ufunc(marginal_value, capacity, ds["coefficients"], ds["kurtosis"])

"""The models that a dataset holds: the axes they lie along, and which are finite."""

import xarray as xr

INNER = ("feature", "hidden")


def model_axes(ds: xr.Dataset) -> list[str]:
    """Returns the axes of the grid of models, ``seed`` among them.

    Those of ``finite`` and ``loss`` (``step`` too in snapshots along training), of
    ``history`` except ``step``, and of ``W`` except feature and hidden; where a dataset
    has none of them, those of all its variables.
    """
    dims = [
        dim
        for name in ("finite", "loss", "history", "W")
        if name in ds.data_vars
        for dim in ds[name].dims
        if not (dim in INNER or (name == "history" and dim == "step"))
    ]
    if not dims:
        dims = [d for name in ds.data_vars for d in ds[name].dims if d not in INNER]
    return list(dict.fromkeys(map(str, dims)))


def is_finite(ds: xr.Dataset) -> xr.DataArray:
    """Returns which models are finite numbers, whatever has become of ``finite``.

    Files and joins make int8, floats or objects of booleans. A missing entry is not
    finite, and a mean over models is finite where all of them are.

    Returns:
        Booleans along the dimensions of ``finite``; a single True without it.

    Raises:
        ValueError: If ``finite`` holds neither booleans nor numbers.
    """
    if "finite" not in ds:
        return xr.DataArray(True)
    given = ds["finite"]
    try:
        return given.fillna(0).astype(float) == 1
    except (TypeError, ValueError):
        raise ValueError(
            f"finite must hold booleans or numbers, got {given.dtype} such as "
            f"{given.values.flat[0]!r}"
        ) from None


def stays_finite(ds: xr.Dataset) -> xr.DataArray:
    """Returns which models are finite at every step that their run has; see `is_finite`."""
    finite = is_finite(ds)
    if "step" not in finite.dims:
        return finite
    return (finite | ds["finite"].isnull()).all("step")


def at_last_step(ds: xr.Dataset) -> xr.Dataset:
    """Takes each model at the last step that its run has, where anything has steps.

    Those that diverged are taken at the end of their run, which ``finite`` records.
    """
    for name in ("finite", "loss", "history"):
        if name in ds and "step" in ds[name].dims:
            return ds.isel(step=last_of(ds[name]).compute())
    return ds


def last_of(array: xr.DataArray) -> xr.DataArray:
    """The position of the last entry along ``step`` that each model has (is not NaN)."""
    return array.notnull().cumsum("step").argmax("step")

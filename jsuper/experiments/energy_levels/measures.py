"""Names of the minima, and the lowest of each name."""

import numpy as np
import xarray as xr

LEVELS = (
    "pentagon",
    "2 digons",
    "2 digons, weak fifth",
    "2 digons, silent fifth",
    "dedicated + digon",
    "2 dedicated",
    "other",
)
"""Names of minima, in the order of figures."""

WEAK = 0.1
"""Norm below which a feature counts as dropped."""


def with_levels(ds: xr.Dataset) -> xr.Dataset:
    """Adds the ``level`` of each minimum: its name in `LEVELS`, or none.

    Two digons leave a feature over. It is dropped, and its output a constant; or it has a
    weak embedding beside one of the digons; or its output is always 0, and whatever bias it
    has below 0 is as good as any other.
    """

    def named(W, b, geometry):
        if not geometry:
            return ""
        norm = np.linalg.norm(W, axis=1)
        fifth = norm.argmin()
        if geometry == "2 digons" and norm[fifth] > WEAK:
            return "2 digons, weak fifth"
        if geometry == "2 digons" and b[fifth] <= 0:
            return "2 digons, silent fifth"
        return geometry if geometry in LEVELS else "other"

    core = [["feature", "hidden"], ["feature"], []]
    parts = ds["W"], ds["b"], ds["geometry"]
    names = xr.apply_ufunc(
        named, *parts, input_core_dims=core, vectorize=True, output_dtypes=[object]
    )
    return ds.assign(level=names.astype(str))


def lowest(ds: xr.Dataset, level: str) -> xr.DataArray:
    """Loss / density of the lowest minimum of a name at each density; NaN without one."""
    return (ds["loss"] / ds["density"]).where(ds["level"] == level).min("minimum")


def shares(ds: xr.Dataset) -> dict[str, xr.DataArray]:
    """Share of starts that end at each name, over density; names that occur."""
    own = {name: ds["share"].where(ds["level"] == name).sum("minimum") for name in LEVELS}
    return {name: share for name, share in own.items() if share.max() > 0}


def best(ds: xr.Dataset) -> list[str]:
    """Names of the best minimum from density 1 down, each stretch once."""
    names = ds.sortby("density", ascending=False)["level"].isel(minimum=0).values
    return [str(b) for a, b in zip(["", *names[:-1]], names, strict=True) if a != b]

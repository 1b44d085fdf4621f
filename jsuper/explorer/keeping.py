"""A dataset with no more than a page of it needs, to be kept beside figures."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from jsuper.explorer.lines import as_attribute
from jsuper.explorer.sizes import CURVE_POINTS, thinned_steps
from jsuper.results.measures import LONG_NAMES


def lean(ds: xr.Dataset, theory: Mapping[str, Any] | None = None) -> xr.Dataset:
    """Returns a dataset without what a page adds again, and with theory's lines.

    Args:
        ds: A sweep, or another result that `jsuper.explore` takes.
        theory: Lines over the map, as `jsuper.explore` takes them.

    Returns:
        The dataset without what `jsuper.measure` adds, with training curves of as many
        points as a page shows, in single precision, compressed where it is saved.

    Example:
        >>> import numpy as np, xarray as xr, jsuper as js
        >>> ds = js.measure(xr.Dataset({"W": (("feature", "hidden"), np.eye(2))}))
        >>> list(lean(ds))
        ['W']
    """
    ds = ds.drop_vars(LONG_NAMES, errors="ignore")
    if "history" in ds and "step" not in ds.get("W", xr.DataArray()).dims:
        kept = thinned_steps(ds.sizes["step"], CURVE_POINTS[0])
        ds = ds.isel(step=kept).assign(history=ds["history"].isel(step=kept))
        ds["history"] = ds["history"].astype(np.float32)
    if theory is not None:
        ds = ds.assign_attrs(theory=as_attribute(theory))
    for name in ds.data_vars:
        if ds[name].dtype.kind in "biuf" and ds[name].ndim:
            ds[name].encoding = {"zlib": True, "shuffle": True, "complevel": 6}
    return ds

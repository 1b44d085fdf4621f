"""Which models have converged, and from which value of an axis on something holds."""

import numpy as np
import xarray as xr

from jsuper.renaming import renamed_arguments
from jsuper.results.models import stays_finite


@renamed_arguments(most_fall="max_fall")
def converged(ds: xr.Dataset, max_fall: float = 0.05) -> xr.DataArray:
    """Returns which models' training loss has converged.

    A model has converged if the mean training loss of the last tenth of its ``history``
    lies less than ``max_fall`` below that of the tenth before. Each model is judged by
    the entries that it has, so runs of different length can stand side by side.

    Args:
        ds: A sweep with ``history`` (..., step).
        max_fall: Fall, as a share of the loss, in (0, 1).

    Returns:
        Booleans, dimensions (...). A model that diverged, or has a single entry, has not
        converged. Losses are taken for positive.

    Raises:
        ValueError: If ``ds`` has no ``history`` along ``step``, or ``max_fall`` is out
            of range.

    Example:
        >>> import numpy as np, xarray as xr, jsuper as js
        >>> loss = [np.linspace(1, 0.1, 20), np.r_[np.linspace(1, 0.1, 15), [0.1] * 5]]
        >>> js.converged(xr.Dataset({"history": (("seed", "step"), loss)})).values
        array([False,  True])
    """
    if "history" not in ds or "step" not in ds["history"].dims:
        raise ValueError(
            "ds must have a variable history along step, got variables "
            f"{sorted(map(str, ds.data_vars))}"
        )
    if not 0 < max_fall < 1:
        raise ValueError(f"max_fall must be in (0, 1), got {max_fall!r}")

    def has_converged(own):
        n = own.shape[-1]
        tenth = max(1, n // 10)
        if n <= tenth:
            return np.zeros(own.shape[:-1], bool)
        last, before = own[..., -tenth:], own[..., -2 * tenth : n - tenth]
        return last.mean(-1) > (1 - max_fall) * before.mean(-1)

    def have_converged(history):
        is_there = ~np.isnan(history)
        if is_there.all():
            return has_converged(history)
        # Each by the entries that it has.
        n_entries, found = is_there.sum(-1), np.zeros(history.shape[:-1], bool)
        for n in np.unique(n_entries):
            alike = n_entries == n
            entries = history[alike][is_there[alike]]
            found[alike] = has_converged(entries.reshape(alike.sum(), n))
        return found

    history = ds["history"].astype(float)
    found = xr.apply_ufunc(
        have_converged,
        history,
        input_core_dims=[["step"]],
        dask="parallelized",
        output_dtypes=[bool],
    )
    found = (found & stays_finite(ds)).transpose(*found.dims).rename("converged")
    found.attrs = {"long_name": "converged"}
    return found


def holds_from(condition: xr.DataArray, dim: str) -> xr.DataArray:
    """Returns the first value of an axis from which a condition holds to the axis' end.

    "From which density on": an exception later along the axis moves the value behind it.

    Args:
        condition: Booleans along ``dim`` and any other dimensions.
        dim: The axis, taken in the order in which it stands.

    Returns:
        Values of the axis, dimensions those of ``condition`` without ``dim``; NaN where
        the condition does not hold at the end.

    Raises:
        ValueError: If ``condition`` is not boolean or not along ``dim``.

    Example:
        >>> import xarray as xr, jsuper as js
        >>> superposed = xr.DataArray([0, 2, 0, 4, 5], {"density": [1, 0.5, 0.3, 0.1, 0]})
        >>> float(js.holds_from(superposed > 0, "density"))
        0.1
    """
    if condition.dtype != bool:
        raise ValueError(f"condition must hold booleans, got {condition.dtype}")
    if dim not in condition.dims:
        raise ValueError(f"dim must be one of {list(condition.dims)}, got {dim!r}")
    backwards = condition.isel({dim: slice(None, None, -1)})
    held = backwards.astype(int).cumprod(dim).sum(dim)
    n = condition.sizes[dim]
    first = condition[dim].values[np.minimum(n - held.values, n - 1)]
    found = held.copy(data=first).where(held > 0).rename(dim)
    found.attrs = dict(condition[dim].attrs)
    return found

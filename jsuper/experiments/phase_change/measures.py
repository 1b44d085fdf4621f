"""Theory's predictions, the paper's average, and a section's kink."""

import functools

import numpy as np
import xarray as xr

from jsuper.plots import solutions
from jsuper.theory.phases import best_phase, phase_losses

NEAR = 0.1
"""Decades of density or importance within which a boundary counts as near."""

KINDS = {
    "one feature ignored": ("extra ignored", "other ignored", "confused"),
    "antipodal pair": ("extra superposed",),
}
"""Solutions of two features, by what they are in a section."""


def predicted(ds: xr.Dataset, bias: bool = True) -> tuple[xr.DataArray, xr.DataArray]:
    """The best candidate of each cell, and whether no boundary is near."""
    best = functools.partial(best_phase, ds.sizes["feature"], bias=bias)
    s, r = ds["density"], ds["importance"]
    angle = xr.DataArray(2 * np.pi * np.arange(16) / 16, dims="angle")
    near_s = np.minimum(s * 10 ** (NEAR * np.sin(angle)), 1.0)
    near_r = r * 10 ** (NEAR * np.cos(angle))
    phase, nearby = xr.apply_ufunc(best, s, r), xr.apply_ufunc(best, near_s, near_r)
    return phase, (nearby == phase).all("angle")


def without_worst(ds: xr.Dataset) -> xr.Dataset:
    """The paper's rule: drops the model of highest loss and averages the others."""
    kept = ds["seed"] != ds["loss"].idxmax("seed")
    return ds[["norm", "superposition"]].where(kept).mean("seed")


def extra_is_as_predicted(ds: xr.Dataset, read: xr.Dataset) -> float:
    """Share of cells away from boundaries whose extra feature is of the predicted kind.

    Kinds are ignored (norm below 1/2), dedicated and superposed (by more than 1/2);
    ``read`` holds one ``norm`` and ``superposition`` (..., feature) for each cell.
    """

    def kind(norm, superposition):
        return (norm >= 0.5) * (1 + (superposition >= 0.5))

    phase, clear = predicted(ds)
    ideal = solutions.extra_feature(ds.sizes["feature"])
    stated = sum((phase == name) * kind(*numbers) for name, numbers in ideal.items())
    extra = read.isel(feature=-1)
    as_stated = kind(extra["norm"], extra["superposition"]) == stated
    return float(as_stated.where(clear).mean())


def relative_loss(ds: xr.Dataset) -> xr.DataArray:
    """Lowest trained loss of each cell over the best candidate's."""
    s, r = ds["density"].values[:, None], ds["importance"].values
    ideal = np.min(list(phase_losses(ds.sizes["feature"], s, r).values()), axis=0)
    return ds["loss"].min("seed").transpose("density", "importance") / ideal


def kink(best: xr.Dataset) -> tuple[float, float, float]:
    """Where the lowest loss changes from pairs to an ignored feature, and how sharply.

    Returns the density, and the slopes just below and above it by parabolas through four
    densities on either side, which ascend; NaN without such a change.
    """
    pair = best["phase"].isin(KINDS["antipodal pair"]).values
    density, loss = best["density"].values, best["loss"].values
    switches = np.flatnonzero(pair[:-1] & ~pair[1:])
    if len(switches) == 0 or not 3 <= switches[-1] < len(density) - 4:
        return np.nan, np.nan, np.nan
    i = switches[-1] + 1
    below, above = (
        np.polynomial.Polynomial.fit(density[part], loss[part], 2)
        for part in (slice(i - 4, i), slice(i, i + 4))
    )
    fine = np.linspace(density[i - 1], density[i], 101)
    at = fine[np.argmin(np.abs(below(fine) - above(fine)))]
    return float(at), float(below.deriv()(at)), float(above.deriv()(at))

"""From which threshold down nothing is superposed, and what the page of before lists."""

import numpy as np
import xarray as xr

from jsuper.experiments.exrelu.measures import ideal_losses

WAYS = {
    "sampled": "on samples",
    "straight-through": "straight-through",
    "exact, small": "exact, small weights",
    "exact, large": "exact, larger weights",
    "exact, biases": "exact, larger weights and biases",
}
"""Ways of training, and their names in figures."""


def ends(superposed: xr.DataArray) -> xr.DataArray:
    """The lowest threshold down to which all from 0 on have superposition; NaN if none."""
    below = superposed.sel(threshold=superposed["threshold"] <= 0)
    some = (below > 0).sortby("threshold", ascending=False)
    unbroken = some.cumprod("threshold") == 1
    return some["threshold"].where(unbroken).min("threshold")


def listed(candidates: xr.Dataset) -> xr.DataArray:
    """The lowest loss of what the page on sampled training lists, at each threshold.

    Trained on samples, two dedicated features and two ideal pairs, and ReLU's solution
    with its biases below the threshold, at the lowest density.
    """
    here = candidates["loss"].isel(density=-1)
    by_hand = ideal_losses(float(here["density"]), here["threshold"].values)
    ideal = xr.DataArray(np.min(list(by_hand.values()), 0), dims="threshold")
    # The closed forms of the ideal pair are for t <= 0.
    ideal = ideal.where(here["threshold"] <= 0)
    rest = here.sel(way=["sampled", "ReLU's"]).min("way")
    return xr.apply_ufunc(np.fmin, rest, ideal)

"""What the figures and findings compare: solutions set by hand, and products of pairs."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from jsuper import theory
from jsuper.experiments.exrelu.train import IMPORTANCE


def ideal_losses(density: ArrayLike, threshold: ArrayLike) -> dict[str, np.ndarray]:
    """Losses of solutions set by hand (t <= 0), as the mean over five features."""
    pair = theory.pair_loss(density, threshold, (0.5, 0.5))  # per unit of importance
    drop = theory.drop_loss(density, threshold)

    def loss(paired: slice, dropped: slice) -> np.ndarray:
        return (IMPORTANCE[paired].sum() * pair + IMPORTANCE[dropped].sum() * drop) / 5

    return {
        "2 dedicated": loss(slice(0), slice(2, None)),
        "1 dedicated, 1 pair": loss(slice(1, 3), slice(3, None)),
        "2 pairs": loss(slice(4), slice(4, None)),
    }


def products(pairs: xr.Dataset) -> xr.DataArray:
    r"""Returns $-W_1 \cdot W_2$ of two features in one dimension."""
    return -pairs["W"].prod(("feature", "hidden"))

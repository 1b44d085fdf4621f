"""What figures and findings compare: solutions set by hand, and products of pairs."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from jsuper import theory
from jsuper.experiments.exrelu.train import IMPORTANCE


def ideal_losses(density: ArrayLike, threshold: ArrayLike) -> dict[str, np.ndarray]:
    """Losses of solutions set by hand (t <= 0), as the mean over five features."""
    pair = theory.pair_loss(density, threshold, (0.5, 0.5))  # per unit of importance
    drop = theory.drop_loss(density, threshold)
    return {
        "2 dedicated": IMPORTANCE[2:].sum() * drop / 5,
        "2 antipodal pairs": (IMPORTANCE[:4].sum() * pair + IMPORTANCE[4] * drop) / 5,
    }


def products(pairs: xr.Dataset) -> xr.DataArray:
    r"""Returns $-W_1 \cdot W_2$ of two features in one dimension."""
    return -pairs["W"].prod(("feature", "hidden"))

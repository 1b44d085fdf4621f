"""Names of arrangements of five features in two dimensions."""

import numpy as np
import xarray as xr

import jsuper as js

SHAPES = ("2 dedicated", "1 dedicated, 1 pair", "2 pairs", "pentagon", "other")
TOLERANCE = 0.15
"""Within which a cosine is that of an arrangement."""


def shapes(ds: xr.Dataset) -> xr.Dataset:
    """Adds the name of each model's arrangement, decided by its embeddings' cosines."""
    W = ds["W"].transpose(..., "feature", "hidden")
    cosines, norms = js.cosines(W.values), np.linalg.norm(W.values, axis=-1)
    represented = norms > 0.5
    both = represented[..., :, None] & represented[..., None, :]
    off = both & ~np.eye(both.shape[-1], dtype=bool)
    count = represented.sum(-1)

    def all_near(*values):
        """Whether the cosines of represented features are near some of these values."""
        distance = np.min([abs(cosines - value) for value in values], axis=0)
        return np.where(off, distance, 0).max((-2, -1)) < TOLERANCE

    fifth = 2 * np.pi / 5
    names = np.select(
        [
            (count == 2) & all_near(0),
            (count == 3) & all_near(0, -1),
            (count == 4) & all_near(0, -1),
            (count == 5) & all_near(np.cos(fifth), np.cos(2 * fifth)),
        ],
        SHAPES[:4],
        SHAPES[4],
    )
    return ds.assign(shape=(W.dims[:-2], names))


def at_sparsity(ds: xr.Dataset, sparsity: float) -> xr.Dataset:
    """The models of one of the paper's panels."""
    return ds.sel(density=1 - sparsity, method="nearest")

r"""The asymmetric motif: a neuron that stores two features, and others that correct it.

Elhage et al. 2022, "Computation in Superposition": one neuron takes two features with
weights such as 2 and -1/2 and hands them on with 1/2 and 2. When the first activates it,
the second would receive interference, which other neurons take away again. Weights are
those after `jsuper.rescale_neurons`.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.computation.measures import WEIGHTS


class Motif(NamedTuple):
    """A neuron and the features that it stores: a with a large input weight, b a small."""

    neuron: int
    a: int
    b: int


def find(W_in: np.ndarray, W_out: np.ndarray) -> list[Motif]:
    """Finds neurons that store two features asymmetrically, and are corrected for it.

    After rescaling, the neuron has a large input weight for a, a small one (1/10 to 1/2)
    for b, and positive outputs to both, at least twice as large to b. Whenever a
    activates it, b would receive positive interference; other neurons that a activates
    with the same sign take at least half of that away.
    """
    found = []
    for j in range(W_in.shape[1]):
        a = int(np.abs(W_in[:, j]).argmax())
        active = np.maximum(np.sign(W_in[a, j]) * W_in[a], 0)
        for b in np.flatnonzero((np.abs(W_in[:, j]) > 0.1) & (np.abs(W_in[:, j]) < 0.5)):
            interference = active[j] * W_out[j, b]
            others = active @ W_out[:, b] - interference
            stored = 0.5 < W_out[j, a] < W_out[j, b] / 2
            if stored and others < -0.5 * interference:
                found.append(Motif(j, a, int(b)))
    return found


def motifs(ds: xr.Dataset) -> xr.DataArray:
    """The list of motifs of every model."""
    return _of_models(ds, find)


def products(ds: xr.Dataset) -> xr.DataArray:
    """For every model, the products of input and output weight in all of its motifs."""

    def of_one(W_in, W_out):
        return [
            float(abs(W_in[i, m.neuron]) * W_out[m.neuron, i])
            for m in find(W_in, W_out)
            for i in (m.a, m.b)
        ]

    return _of_models(ds, of_one)


def example(ds: xr.Dataset) -> tuple[xr.Dataset, list[Motif]]:
    """The model of lowest loss that has a motif, at the highest density that has any."""
    found = motifs(ds)
    has_any = found.transpose("density", "seed").values.astype(bool)
    if not has_any.any():
        return js.best_seed(ds).isel(density=0), []
    chosen = {"density": int(has_any.any(1).argmax())}
    cell = ds.assign(motifs=found).isel(chosen)
    best = js.best_seed(cell.isel(seed=has_any[chosen["density"]]))
    return best.drop_vars("motifs"), best["motifs"].item()


def _of_models(ds: xr.Dataset, function) -> xr.DataArray:
    return xr.apply_ufunc(
        function,
        ds["W_in"],
        ds["W_out"],
        input_core_dims=WEIGHTS,
        vectorize=True,
        output_dtypes=[object],
    )

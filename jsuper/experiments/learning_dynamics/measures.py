"""When dimensionalities jump, and how far two sets have come on their way."""

import numpy as np
import xarray as xr

import jsuper as js

STAGES = ("A, near 0", "B, two bunches", "C, opening", "D, octahedron")


def jumps(ds: xr.Dataset) -> xr.Dataset:
    """Where dimensionalities lie and move, and the loss falls, after 20% of the steps.

    Returns:
        For each seed: ``on_level``, the share of dimensionalities within 0.03 of an energy
        level (0, 1/2, 1); ``intervals``, the share of intervals between snapshots in which
        some feature moves by more than 0.05; ``fall``, the share of the loss's whole fall
        that happens in them; ``late``, how many features come or go.
    """
    late = ds.sel(step=slice(0.2 * ds["step"].values[-1], None))
    D = late["dimensionality"].where(late["is_represented"], 0.0)
    moves = abs(D.diff("step")).max("feature") > 0.05
    falls = -late["loss"].diff("step")
    changes = late["is_represented"].astype(int).diff("step")
    off = abs(D - xr.DataArray([0.0, 0.5, 1.0], dims="level")).min("level")
    return xr.Dataset(
        {
            "on_level": (off < 0.03).mean(("step", "feature")),
            "intervals": moves.mean("step"),
            "fall": falls.where(moves, 0.0).sum("step") / falls.sum("step"),
            "late": abs(changes).sum(("step", "feature")),
        }
    )


def set_geometry(ds: xr.Dataset) -> xr.Dataset:
    """Mean norm and cosines of two sets of three features, dimensions (seed, step).

    ``opposite`` is the cosine that a feature of the first set has with its most opposite
    one of the second, where it is weakest: −1 if each has an opposite. ``triples`` says
    whether the features of each set are orthogonal, ``octahedron`` that they are both.
    """
    W = ds["W"].transpose("seed", "step", "feature", "hidden")
    C, (i, j) = np.asarray(js.cosines(W.values)), np.triu_indices(3, 1)
    pairs = np.concatenate([C[..., i, j], C[..., 3 + i, 3 + j]], -1)
    opposite, triples = C[..., :3, 3:].min(-1).max(-1), (abs(pairs) < 0.1).all(-1)
    found = {
        "norm": np.linalg.norm(W.values, axis=-1).mean(-1),
        "within": pairs.mean(-1),
        "opposite": opposite,
        "triples": triples,
        "octahedron": triples & (opposite < -0.9),
    }
    along = W.isel(feature=0, hidden=0, drop=True).coords
    return xr.Dataset({name: (("seed", "step"), v) for name, v in found.items()}, along)


def first_steps(shape: xr.Dataset) -> xr.DataArray:
    """The step at which each set geometry first reaches each stage after A, or NaN."""
    bunched = (shape["norm"] > 0.3) & (shape["within"] > 0.7)
    opened = (bunched.cumsum("step") > 0) & (shape["within"] < 0.5)
    reached = zip(STAGES[1:], (bunched, opened, shape["octahedron"]), strict=True)
    first = {name: shape["step"].where(where).min("step") for name, where in reached}
    return xr.Dataset(first).to_dataarray("stage").transpose("stage", "seed")

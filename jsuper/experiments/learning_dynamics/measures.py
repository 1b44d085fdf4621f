"""When dimensionalities jump, and how far two sets have come on their way."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.learning_dynamics.train import SET_SIZE

LEVELS = (0.0, 0.5, 1.0)
"""The paper's energy levels: dimensionalities between which features jump."""

NEAR = 0.03
"""Distance of a dimensionality from an energy level that counts as on it."""

MOVED = 0.05
"""Change of a dimensionality between two snapshots that counts as a jump under way."""

SETTLED = 0.2
"""Share of the steps after which models have left the initial transient."""

STAGES = ("A, near 0", "B, two bunches", "C, opening", "D, octahedron")


def settled(ds: xr.Dataset) -> xr.Dataset:
    """The snapshots after the initial transient."""
    return ds.sel(step=slice(SETTLED * ds["step"].values[-1], None))


def dimensionalities(ds: xr.Dataset) -> xr.DataArray:
    """Dimensionality of every feature, 0 where it is not represented."""
    return ds["dimensionality"].where(ds["is_represented"], 0.0)


def on_level(ds: xr.Dataset) -> xr.DataArray:
    """Share of the settled dimensionalities on an energy level, dimension (seed,)."""
    D = dimensionalities(settled(ds))
    levels = xr.DataArray(list(LEVELS), dims="level")
    return (abs(D - levels).min("level") < NEAR).mean(("step", "feature"))


def jumps(ds: xr.Dataset) -> xr.Dataset:
    """Where dimensionalities move and the loss falls, after the initial transient.

    Args:
        ds: Measured models, dimensions (seed, step, feature).

    Returns:
        For each seed: ``intervals``, the share of intervals between snapshots in which
        some feature moves by more than `MOVED`; ``fall``, the share of the loss's whole
        fall that happens in them; ``late``, how many features come or go.
    """
    late = settled(ds)
    moves = abs(dimensionalities(late).diff("step")).max("feature") > MOVED
    falls = -late["loss"].diff("step")
    changes = late["is_represented"].astype(int).diff("step")
    return xr.Dataset(
        {
            "intervals": moves.mean("step"),
            "fall": falls.where(moves, 0.0).sum("step") / falls.sum("step"),
            "late": abs(changes).sum(("step", "feature")),
        }
    )


def set_geometry(ds: xr.Dataset) -> xr.Dataset:
    """How the two sets lie, along training.

    Args:
        ds: Models with ``W`` (seed, step, feature, hidden), one set after the other.

    Returns:
        Dimensions (seed, step): ``norm``, the mean norm of the features; ``within``, the
        mean cosine between two features of a set; ``oblique``, the largest absolute
        cosine between two features of a set, 0 if both are orthogonal; ``opposite``, the
        most negative cosine that a feature of the first set has with one of the second,
        of the feature where it is weakest: −1 if each has an opposite.
    """
    W = ds["W"].transpose("seed", "step", "feature", "hidden")
    C, k = np.asarray(js.cosines(W.values)), SET_SIZE
    i, j = np.triu_indices(k, 1)
    pairs = np.concatenate([C[..., i, j], C[..., k + i, k + j]], -1)
    found = {
        "norm": np.linalg.norm(W.values, axis=-1).mean(-1),
        "within": pairs.mean(-1),
        "oblique": abs(pairs).max(-1),
        "opposite": C[..., :k, k:].min(-1).max(-1),
    }
    along = W.isel(feature=0, hidden=0, drop=True).coords
    dims = ("seed", "step")
    return xr.Dataset({name: (dims, values) for name, values in found.items()}, along)


def are_triples(shape: xr.Dataset) -> xr.DataArray:
    """Whether the features of each set are orthogonal to each other."""
    return shape["oblique"] < 0.1


def are_octahedra(shape: xr.Dataset) -> xr.DataArray:
    """Whether, besides, every feature is opposite to one of the other set."""
    return are_triples(shape) & (shape["opposite"] < -0.9)


def first_steps(shape: xr.Dataset) -> xr.DataArray:
    """The step at which every seed first reaches each stage after A.

    Args:
        shape: What `set_geometry` returns.

    Returns:
        Steps, dimensions (stage, seed); NaN where a stage is never reached.
    """
    bunched = (shape["norm"] > 0.3) & (shape["within"] > 0.7)
    opened = (bunched.cumsum("step") > 0) & (shape["within"] < 0.5)
    reached = zip(STAGES[1:], (bunched, opened, are_octahedra(shape)), strict=True)
    first = {name: shape["step"].where(where).min("step") for name, where in reached}
    return xr.Dataset(first).to_dataarray("stage").transpose("stage", "seed")


def chosen(ds: xr.Dataset) -> xr.Dataset:
    """The model of lowest loss among those that pass all stages, or among all."""
    passed = first_steps(set_geometry(ds)).notnull().all("stage").values
    return js.best_seed(ds.isel(seed=passed if passed.any() else slice(None)))

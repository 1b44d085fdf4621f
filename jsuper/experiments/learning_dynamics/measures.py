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


def jumps(ds: xr.Dataset) -> xr.Dataset:
    """Where dimensionalities lie and move, and the loss falls, after the transient.

    Args:
        ds: Measured models, dimensions (seed, step, feature).

    Returns:
        For each seed: ``on_level``, the share of dimensionalities within `NEAR` of an
        energy level; ``intervals``, the share of intervals between snapshots in which some
        feature moves by more than `MOVED`; ``fall``, the share of the loss's whole fall
        that happens in them; ``late``, how many features come or go.
    """
    late = ds.sel(step=slice(SETTLED * ds["step"].values[-1], None))
    D = late["dimensionality"].where(late["is_represented"], 0.0)
    moves = abs(D.diff("step")).max("feature") > MOVED
    falls = -late["loss"].diff("step")
    changes = late["is_represented"].astype(int).diff("step")
    off = abs(D - xr.DataArray(list(LEVELS), dims="level")).min("level")
    return xr.Dataset(
        {
            "on_level": (off < NEAR).mean(("step", "feature")),
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
        mean cosine between two features of a set; ``opposite``, the most negative cosine
        that a feature of the first set has with one of the second, of the feature where it
        is weakest: −1 if each has an opposite; ``triples``, whether the features of each
        set are orthogonal; ``octahedron``, whether each has an opposite besides.
    """
    W = ds["W"].transpose("seed", "step", "feature", "hidden")
    C, k = np.asarray(js.cosines(W.values)), SET_SIZE
    i, j = np.triu_indices(k, 1)
    pairs = np.concatenate([C[..., i, j], C[..., k + i, k + j]], -1)
    opposite, triples = C[..., :k, k:].min(-1).max(-1), (abs(pairs) < 0.1).all(-1)
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
    """The step at which every seed first reaches each stage after A.

    Args:
        shape: What `set_geometry` returns.

    Returns:
        Steps, dimensions (stage, seed); NaN where a stage is never reached.
    """
    bunched = (shape["norm"] > 0.3) & (shape["within"] > 0.7)
    opened = (bunched.cumsum("step") > 0) & (shape["within"] < 0.5)
    reached = zip(STAGES[1:], (bunched, opened, shape["octahedron"]), strict=True)
    first = {name: shape["step"].where(where).min("step") for name, where in reached}
    return xr.Dataset(first).to_dataarray("stage").transpose("stage", "seed")


def shown(ds: xr.Dataset) -> xr.Dataset:
    """The model of lowest loss among those that pass all stages, or among all."""
    passed = first_steps(set_geometry(ds)).notnull().all("stage").values
    return js.best_seed(ds.isel(seed=passed if passed.any() else slice(None)))

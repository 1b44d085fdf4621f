"""The authors' statements on k-gons beside where training goes."""

from collections import Counter

import jax
import numpy as np
import xarray as xr

from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.k_gons import measures
from jsuper.theory.one_hot import k_gon, one_hot_potential

BY = "Chen et al. 2023"


def findings(models: xr.DataTree) -> list[Finding]:
    """The authors' statements beside the numbers."""
    trained = measures.by_features(models, "random-starts")
    named = trained["name"].sel(scale=slice(0.1, 0.3)) != "other"
    ends = Case.each(named.mean("scale"), "at a closed form", "%")
    ends.sort(key=lambda case: case.value)
    starts = measures.by_features(models, "polygon-starts")
    corners = starts["corners"].sel(start=slice(5, None)).rename(start="k")
    kept = (corners == corners["k"]).where(corners.notnull())
    return [
        Finding(
            "the same k-gons determine where training ends",
            ends,
            "more than 90% of the models from initial scales 0.1 and 0.3 are at a closed "
            "form, for every number of features",
            ends[0].value > 0.9,
            BY,
        ),
        lowest(trained.stack(model=("scale", "seed"))),
        Finding(
            "k-gons of 5 to 8 corners are stable, also with dead features",
            Case.each(kept.mean("features"), "keep corners", "%"),
            "more than 90% of the seeds keep their corners, for every k and number of "
            "features",
            bool(kept.mean("seed").min() > 0.9),
            BY,
        ),
        *on_the_way(measures.plateaus(models["watched"].to_dataset())),
        stationary(),
    ]


def lowest(trained: xr.Dataset) -> Finding:
    """Whether no model ends below the closed form."""
    best = trained.isel(model=trained["exact_loss"].argmin("model"))
    counts, losses = best["features"].values.tolist(), best["exact_loss"].values
    levels = [min(k_gon(k).loss(c, c - k) for k in range(4, c + 1)) for c in counts]
    columns = counts, best["name"].values, losses.tolist(), levels
    return Finding(
        "the closed form gives the lowest loss",
        [
            case
            for c, name, loss, level in zip(*columns, strict=True)
            for case in (
                Case(f"features {c}", f"best, {name},", loss),
                Case(f"features {c}", "closed form", level),
            )
        ],
        f"the best model is within {measures.TOLERANCE:g} of the lowest closed form, for "
        "every number of features",
        bool((abs(losses - levels) < measures.TOLERANCE).all()),
        BY,
    )


def on_the_way(plateaus: xr.DataArray) -> list[Finding]:
    """What models stay near on their way, and whether they gain corners on it."""

    def of_run(run):
        names = [name for name, _ in run]
        left = any(name[0] == "4" for name in names[:-1])
        # A square with a silent corner, left for one without, as in 4++− and 4+.
        revived = left and "−" in names[0] and "−" not in names[-1]
        gained = np.diff([measures.corners_of_name(name) for name in names])
        return left, revived, len(names) > 1, (gained >= 0).all()

    left, revived, several, rising = xr.apply_ufunc(
        of_run, plateaus, vectorize=True, output_core_dims=[[]] * 4
    )
    each = plateaus.values.ravel().tolist()
    passed = Counter(name for run in each for name in dict(run[:-1]))
    leave, kept = left.mean("scale"), rising.where(several).mean("scale")
    square = Case.mean(f"{len(each)} runs", "stay near a square and leave it", leave, "%")
    rises = Case.mean("several plateaus", "never lose a corner", kept, "%")
    return [
        Finding(
            "SGD with 6 features passes plateaus of 4++−, 4+ and 5 type",
            [square, *(Case(f"passed {at}", "runs", n) for at, n in passed.most_common())],
            "more than 10% leave a square, one of them loses a silent corner, and a "
            "pentagon is passed",
            bool(left.mean() > 0.1 and revived.any() and "5" in passed),
            BY,
        ),
        Finding(
            "the way leads from few corners to more",
            [rises, Case("several plateaus", "runs", int(several.sum()))],
            "more than 90% of the runs with several plateaus (mean over seeds) never lose "
            "a corner from one to the next",
            rises.value > 0.9,
            BY,
        ),
    ]


def stationary() -> Finding:
    """Whether the k-gons of our theory are stationary where the authors state none."""
    gradient = jax.jit(jax.grad(lambda p: one_hot_potential(p["W"], p["b"])))
    with jax.enable_x64(True):
        found = {k: jax.tree.leaves(gradient(k_gon(k).params(k))) for k in (9, 10, 11, 13)}
    slopes = {k: max(float(np.abs(g).max()) for g in both) for k, both in found.items()}
    return Finding(
        "no k-gon is stationary for 9 to 203 corners, unless 4 divides their number",
        [Case(f"{k} corners", "gradient", slope) for k, slope in slopes.items()],
        "the largest entry of the gradient at the one k-gon that we find exceeds 1e-6",
        max(slopes.values()) > 1e-6,
        BY,
    )

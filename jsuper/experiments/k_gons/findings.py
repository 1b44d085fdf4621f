"""The authors' statements on k-gons beside where training goes."""

from collections import Counter

import numpy as np
import xarray as xr

from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.k_gons import measures
from jsuper.results.statistics import interval

BY = "Chen et al. 2023"
MANY_CORNERS = (9, 10, 11, 13)
"""Some of the numbers of corners for which the authors state that there is no k-gon."""


def findings(models: xr.DataTree) -> list[Finding]:
    """The authors' statements beside the numbers."""
    trained = measures.by_features(models, "random-starts", ["exact_loss", "name"])
    starts = measures.by_features(models, "polygon-starts", ["corners"])
    runs = names_of_plateaus(models["watched"].to_dataset())
    return [
        ends(trained["name"].sel(scale=slice(0.1, 0.3)) != "other"),
        lowest(trained.stack(model=("scale", "seed"))),
        stable(starts["corners"].sel(start=slice(5, None))),
        passed(runs),
        rising(runs),
        stationary(),
    ]


def ends(named: xr.DataArray) -> Finding:
    """Whether training from small weights ends at solutions with a closed form."""
    cases = Case.each(named.mean("scale"), "at a closed form", "%")
    cases.sort(key=lambda case: case.value)
    return Finding(
        "the same k-gons determine where training ends",
        cases,
        "more than 90% of the models from initial scales 0.1 and 0.3 are at a closed "
        "form, for every number of features",
        cases[0].value > 0.9,
        BY,
    )


def lowest(trained: xr.Dataset) -> Finding:
    """Whether no model ends below the closed form."""
    best = trained.isel(model=trained["exact_loss"].argmin("model"))
    counts, losses = best["features"].values, best["exact_loss"].values
    levels = [measures.lowest_level(c) for c in counts]
    found = zip(counts, best["name"].values, losses, strict=True)
    return Finding(
        "the closed form gives the lowest loss",
        [
            *(Case(f"features {c}", f"best, {name},", float(x)) for c, name, x in found),
            *(
                Case(f"features {c}", "closed form", x)
                for c, x in zip(counts, levels, strict=True)
            ),
        ],
        f"the best model is within {measures.TOLERANCE:g} of the lowest closed form, for "
        "every number of features",
        bool((abs(losses - levels) < measures.TOLERANCE).all()),
        BY,
    )


def stable(corners: xr.DataArray) -> Finding:
    """Whether SGD leaves k-gons their corners, with any number of dead features."""
    kept = (corners == corners["start"]).where(corners.notnull()).rename(start="k")
    return Finding(
        "k-gons of 5 to 8 corners are stable, also with dead features",
        Case.each(kept.mean("features"), "keep corners", "%"),
        "more than 90% of the seeds keep their corners, for every k and number of features",
        bool(kept.mean("seed").min() > 0.9),
        BY,
    )


def names_of_plateaus(watched: xr.Dataset) -> xr.DataArray:
    """What every model stays near, a list of names in order, dimensions (scale, seed)."""

    def of_run(names, steps):
        return [stay.name for stay in measures.plateaus(names, steps)]

    along = [["step"], ["step"]]
    arrays = watched["name"], watched["step"]
    return xr.apply_ufunc(
        of_run, *arrays, input_core_dims=along, vectorize=True, output_dtypes=[object]
    )


def leaves_a_square(run: list[str]) -> bool:
    """Whether a model stays near a square, and then near something else."""
    return any(name[0] == "4" for name in run[:-1])


def passed(runs: xr.DataArray) -> Finding:
    """What models stay near on their way, and where they end."""
    left = holds(leaves_a_square, runs)
    each: list[list[str]] = runs.values.ravel().tolist()
    # A square with a silent corner, left for one without, as in 4++− and 4+.
    silent = any(leaves_a_square(r) and "−" in r[0] and "−" not in r[-1] for r in each)
    counts = {
        "passed": Counter(name for run in each for name in set(run[:-1])),
        "ended at": Counter(run[-1] for run in each if run),
    }
    return Finding(
        "SGD with 6 features passes plateaus of 4++−, 4+ and 5 type",
        [
            Case.mean(
                f"{len(each)} runs",
                "stay near a square and leave it",
                left.mean("scale"),
                "%",
            ),
            *(
                Case(f"{kind} {name}", "runs", count)
                for kind, names in counts.items()
                for name, count in names.most_common()
            ),
        ],
        "more than 10% leave a square, one of them loses a silent corner, and a "
        "pentagon is passed",
        bool(left.mean() > 0.1) and silent and "5" in counts["passed"],
        BY,
    )


def rising(runs: xr.DataArray) -> Finding:
    """Whether runs with several plateaus go from few corners to more."""
    several = holds(lambda run: len(run) > 1, runs)
    rises = holds(
        lambda run: all(np.diff([measures.corners_of_name(name) for name in run]) >= 0),
        runs,
    )
    share = interval(ratio, (several & rises).sum("scale"), several.sum("scale"))
    return Finding(
        "the way leads from few corners to more",
        [
            Case.of("several plateaus", "never lose a corner", share, "%"),
            Case("several plateaus", "runs", int(several.sum())),
        ],
        "more than 90% of the runs with several plateaus never lose a corner from one "
        "to the next",
        share.value > 0.9,
        BY,
    )


def stationary() -> Finding:
    """Whether the k-gons of our theory are stationary where the authors state none."""
    slopes = {k: measures.largest_slope(k) for k in MANY_CORNERS}
    return Finding(
        "no k-gon is stationary for 9 to 203 corners, unless 4 divides their number",
        [Case(f"{k} corners", "gradient", slope) for k, slope in slopes.items()],
        "the largest entry of the gradient at the one k-gon that we find exceeds 1e-6",
        max(slopes.values()) > 1e-6,
        BY,
    )


def holds(what, runs: xr.DataArray) -> xr.DataArray:
    """Whether something holds of each run, dimensions those of ``runs``."""
    return xr.apply_ufunc(what, runs, vectorize=True, output_dtypes=[bool])


def ratio(part, whole, axis):
    """A ratio of totals."""
    return part.sum(axis) / whole.sum(axis)

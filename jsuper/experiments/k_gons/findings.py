"""The authors' statements on k-gons beside where training goes."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import xarray as xr

from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.k_gons.measures import (
    TOLERANCE,
    by_features,
    largest_slope,
    lowest_level,
    plateaus,
)
from jsuper.results.statistics import interval

BY = "Chen et al. 2023"
MANY_CORNERS = (9, 10, 11, 13)
"""Some of the numbers of corners for which the authors state that there is no k-gon."""


def findings(models: xr.DataTree) -> list[Finding]:
    """The authors' statements beside the numbers."""
    trained = by_features(models, "random-starts")
    watched = models["watched"].to_dataset()
    return [
        ends(trained),
        lowest(trained),
        stable(by_features(models, "polygon-starts")),
        passed(watched),
        rising(watched),
        stationary(),
    ]


def ends(trained: Mapping[int, xr.Dataset]) -> Finding:
    """Whether training from small weights ends at solutions with a closed form."""
    cases = []
    for c, ds in trained.items():
        named = (ds.sel(scale=slice(0.1, 0.3))["name"] != "other").mean("scale")
        share = interval(np.mean, named.values)
        cases.append(Case.of(f"c = {c}", "at a closed form", share, "%"))
    cases.sort(key=lambda case: case.value)
    return Finding(
        "the same k-gons determine where training ends",
        cases,
        "more than 90% of the models from initial scales 0.1 and 0.3 are at a closed "
        "form, for every c",
        cases[0].value > 0.9,
        BY,
    )


def lowest(trained: Mapping[int, xr.Dataset]) -> Finding:
    """Whether no model ends below the closed form."""
    bests, levels = [], []
    for c, ds in trained.items():
        best = ds.isel(ds["exact_loss"].argmin(...))
        where, n = f"c = {c}", ds["exact_loss"].size
        loss, name = float(best["exact_loss"]), best["name"].item()
        bests.append(Case(where, f"best, {name},", loss, n=n))
        levels.append(Case(where, "closed form", lowest_level(c)))
    pairs = zip(bests, levels, strict=True)
    return Finding(
        "the closed form gives the lowest loss",
        [*bests, *levels],
        f"the best model is within {TOLERANCE:g} of the lowest closed form, for every c",
        all(abs(best.value - level.value) < TOLERANCE for best, level in pairs),
        BY,
    )


def stable(starts: Mapping[int, xr.Dataset]) -> Finding:
    """Whether SGD leaves k-gons their corners, with any number of dead features."""
    kept: dict[int, list[Case]] = {}
    for c, ds in starts.items():
        for k in ds["start"].values[ds["start"].values > 4].tolist():
            share = interval(np.mean, (ds["corners"].sel(start=k) == k).values)
            case = Case.of(f"k = {k}", f"keep corners (c = {c})", share, "%")
            kept.setdefault(k, []).append(case)
    cases = [min(of_k, key=lambda case: case.value) for of_k in kept.values()]
    return Finding(
        "k-gons of 5 to 8 corners are stable, also with dead features",
        cases,
        "more than 90% of the seeds keep their corners, for every k and c",
        min(case.value for case in cases) > 0.9,
        BY,
    )


def passed(watched: xr.Dataset) -> Finding:
    """What models stay near on their way, and where they end."""
    runs = names_of_plateaus(watched)
    left_square = np.array([[_leaves_a_square(run) for run in row] for row in runs])
    squares = [run for row in runs for run in row if _leaves_a_square(run)]
    # A square with a silent corner, left for one without, as in 4++− and 4+.
    silent = [run for run in squares if "−" in run[0] and "−" not in run[-1]]
    on_the_way = Counter(name for row in runs for run in row for name in set(run[:-1]))
    at_the_end = Counter(run[-1] for row in runs for run in row if run)
    share = interval(np.mean, left_square.mean(0))
    counts = [
        Case(f"{kind} {name}", "runs", count)
        for kind, names in (("passed", on_the_way), ("ended at", at_the_end))
        for name, count in names.most_common()
    ]
    return Finding(
        "SGD with 6 features passes plateaus of 4++−, 4+ and 5 type",
        [
            Case.of(
                f"{left_square.size} runs", "stay near a square and leave it", share, "%"
            ),
            *counts,
        ],
        "more than 10% leave a square, one of them loses a silent corner, and a "
        "pentagon is passed",
        len(squares) > 0.1 * left_square.size and bool(silent) and "5" in on_the_way,
        BY,
    )


def rising(watched: xr.Dataset) -> Finding:
    """Whether runs with several plateaus go from few corners to more."""
    runs = names_of_plateaus(watched)
    several = np.array([[len(run) > 1 for run in row] for row in runs])
    never_lose = np.array([[_never_loses_a_corner(run) for run in row] for row in runs])
    # Seeds without several plateaus say nothing.
    of = np.where(several.any(0), several.sum(0), np.nan)
    share = interval(_ratio, (several & never_lose).sum(0), of)
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
    cases = [Case(f"{k} corners", "gradient", largest_slope(k)) for k in MANY_CORNERS]
    return Finding(
        "no k-gon is stationary for 9 to 203 corners, unless 4 divides their number",
        cases,
        "the largest entry of the gradient at the one k-gon that we find exceeds 1e-6",
        max(case.value for case in cases) > 1e-6,
        BY,
    )


def names_of_plateaus(watched: xr.Dataset) -> list[list[list[str]]]:
    """What every model stays near, in order: a list for each scale and seed."""
    rows = [
        [watched.isel(scale=i, seed=s) for s in range(watched.sizes["seed"])]
        for i in range(watched.sizes["scale"])
    ]
    return [[[stay.name for stay in plateaus(run)] for run in row] for row in rows]


def _leaves_a_square(run: list[str]) -> bool:
    return any(name[0] == "4" for name in run[:-1])


def _never_loses_a_corner(run: list[str]) -> bool:
    corners = [int(name[0]) - name.count("−") for name in run]
    return all(np.diff(corners) >= 0)


def _ratio(part, whole, axis):
    return part.sum(axis) / whole.sum(axis)

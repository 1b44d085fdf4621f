"""The paper's statements beside what the fits and the two branches show."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.non_uniform import measures
from jsuper.experiments.non_uniform.measures import (
    BRANCHES,
    DENSITY,
    PAPER_THRESHOLD,
    VARIED,
)
from jsuper.results.statistics import interval

ANGLE, FACTOR = "angle to neighbours", "factor"


def findings(models: xr.DataTree) -> list[Finding]:
    """Seven findings, in the paper's order."""
    fits, branches, elsewhere = (
        models[name].to_dataset() for name in ("fits", "branches", "elsewhere")
    )
    here = branches.sel(density=DENSITY)
    threshold = measures.thresholds(branches).sel(density=DENSITY)
    return [
        *angles(here),
        transition(fits, float(threshold.mean())),
        place(threshold, measures.thresholds(elsewhere)),
        first_order(here, float(threshold.mean())),
        two_curves(fits),
        norms(here),
    ]


def angles(here: xr.Dataset) -> list[Finding]:
    """Whether a denser feature repels its neighbours, and they close in on a sparser."""
    gap = measures.neighbour_gaps(here.sel(branch="pentagon"))
    mean, spread = gap.mean("seed"), gap.std("seed")

    def at(ratio):
        near = gap["ratio"].sel(ratio=ratio, method="nearest")
        found = interval(np.mean, gap.sel(ratio=near))
        case = Case.of(f"density × {float(near):.2g}", ANGLE, found, "°")
        return case, float(mean.sel(ratio=near)), float(spread.sel(ratio=near))

    equal, denser, sparser = at(1), at(gap["ratio"].values.max()), at(0.5)
    rule = "differs from that at equal density by more than 1° and 3 standard deviations"
    return [
        Finding(
            "a denser feature repels the others",
            [denser[0], equal[0]],
            rule,
            denser[1] - equal[1] > 1 + 3 * (denser[2] + equal[2]),
        ),
        Finding(
            "around a sparser feature the others close in",
            [sparser[0], equal[0]],
            rule,
            equal[1] - sparser[1] > 1 + 3 * (sparser[2] + equal[2]),
        ),
    ]


def transition(fits: xr.Dataset, threshold: float) -> Finding:
    """Whether the best fits change from pentagons to two digons at the threshold."""
    ratios, n = fits["ratio"].values, fits.sizes["seed"]
    best = js.best_seed(fits)["geometry"].values
    sides = {
        "below": (ratios < 0.95 * threshold, "two digons"),
        "above": (ratios > 1.05 * threshold, "pentagon"),
    }
    shares, numbers = [], []
    for side, (there, name) in sides.items():
        found, where = best[there] == name, f"{side} the threshold"
        share = float(found.mean()) if found.size else np.nan
        shares.append(Case(where, f"best of {n} is {name}", share, n=n, unit="%"))
        numbers.append(Case(where, "number of densities", found.size))
    return Finding(
        "below a threshold the pentagon gives way to two digons and a feature at 0",
        [*shares, *numbers],
        "all densities further than 5% from the threshold",
        all(case.value == 1 for case in shares),
    )


def place(threshold: xr.DataArray, elsewhere: xr.DataArray) -> Finding:
    """Where the threshold is, here and at other densities of the four."""

    def times(threshold, axis):
        return 1 / np.mean(threshold, axis=axis)

    found = interval(times, threshold)
    mean = elsewhere.mean("seed")
    base = float(np.interp(PAPER_THRESHOLD, mean, mean["density"]))
    others = [
        Case.of(f"density {s:g}", FACTOR, interval(times, elsewhere.sel(density=s)))
        for s in elsewhere["density"].values
    ]
    return Finding(
        "the threshold is about 2.5 times less density",
        [
            Case.of(f"density {DENSITY:g} of the four", FACTOR, found),
            Case("factor 2.5", "at density", base, n=found.n),
            *others,
        ],
        "within 10%",
        abs(PAPER_THRESHOLD / float(threshold.mean()) - 1) < 0.1,
    )


def first_order(here: xr.Dataset, threshold: float) -> Finding:
    """Whether both geometries exist at the threshold, where their losses cross."""
    ratios = here["ratio"].values
    at = int(np.argmin(np.abs(np.log(ratios / threshold))))
    norm = here["norm"].isel(feature=VARIED, ratio=at)
    window = slice(max(at - 1, 0), at + 2)
    loss = measures.in_units_of_density(here["loss"]).transpose("branch", "ratio", "seed")
    norms, slopes = [], []
    for branch in BRANCHES:
        near = loss.sel(branch=branch).values[window]
        slope = np.polyfit(np.log(ratios[window]), near, 1)[0]
        norms.append(interval(np.mean, norm.sel(branch=branch)))
        slopes.append(interval(np.mean, slope))
    where = f"density × {ratios[at]:.2f}"
    slope = "slope of loss / density in ln density"
    return Finding(
        "the change is first order: two loss curves cross",
        [
            *(
                Case.of(where, f"norm in {branch}", found)
                for branch, found in zip(BRANCHES, norms, strict=True)
            ),
            *(
                Case.of(f"{branch}, there", slope, found)
                for branch, found in zip(BRANCHES, slopes, strict=True)
            ),
        ],
        "the feature's norms differ by more than 0.5, the slopes by a factor above 1.5",
        norms[0].value - norms[1].value > 0.5 and slopes[1].value > 1.5 * slopes[0].value,
    )


def two_curves(fits: xr.Dataset) -> Finding:
    """Whether losses differ little within a geometry."""
    n, spread = fits.sizes["seed"], measures.spread_of_losses(fits)
    names = "standard deviation within a geometry", "median distance of both curves"
    return Finding(
        "the fits lie on one loss curve per geometry",
        [
            Case("relative to the loss", name, share, n=n, unit="%")
            for name, share in zip(names, spread, strict=True)
        ],
        "the standard deviation is below a third of the distance",
        spread[0] < spread[1] / 3,
    )


def norms(here: xr.Dataset) -> Finding:
    """Whether norms of pentagons follow from biases."""
    one = here.sel(branch="pentagon")
    kept = one[["norm", "b"]].where(one["geometry"] == "pentagon")
    rules = {"1 / (1 − b)": 1 / (1 - kept["b"]), "√(1 − b)": np.sqrt(1 - kept["b"])}
    errors = {
        name: float(abs(kept["norm"] / rule - 1).median()) for name, rule in rules.items()
    }
    n = here.sizes["seed"]
    return Finding(
        "norms are 1 / (1 - b), as printed",
        [
            Case("median error of pentagons", name, error, n=n, unit="%")
            for name, error in errors.items()
        ],
        "median error of 1 / (1 − b) below 10% (√(1 − b) returns an active feature of "
        "size 1 as 1)",
        errors["1 / (1 − b)"] < 0.1,
    )

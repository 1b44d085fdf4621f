"""The paper's statements beside what the fits and the two branches show."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.non_uniform import measures
from jsuper.experiments.non_uniform.measures import BRANCHES, DENSITY, PAPER_THRESHOLD
from jsuper.files import datasets


def findings(models: xr.DataTree) -> list[Finding]:
    """Seven findings, in the paper's order."""
    ds = datasets(models)
    here = ds["branches"].sel(density=DENSITY)
    thresholds, pentagons = measures.thresholds(here), here.sel(branch="pentagon")
    threshold = float(thresholds.mean())
    return [
        *angles(measures.neighbour_gaps(pentagons)),
        transition(js.best_seed(ds["fits"])["geometry"], threshold),
        place(thresholds, measures.thresholds(ds["elsewhere"])),
        first_order(here, threshold),
        two_curves(ds["fits"]),
        norms(pentagons.where(pentagons["geometry"] == "pentagon")),
    ]


def angles(gap: xr.DataArray) -> list[Finding]:
    """Whether a denser feature repels its neighbours, and they close in on a sparser."""
    near = gap.sel(ratio=[0.5, 1, gap["ratio"].max()], method="nearest")
    sparser, equal, denser = (
        Case.mean(f"density × {float(one['ratio']):.2g}", "angle to neighbours (°)", one)
        for one in near.transpose("ratio", ...)
    )
    low, high = np.array([(c.low, c.high) for c in (sparser, equal, denser)], float).T
    rule = "its interval lies more than 1° from that at equal density"
    repels, attracts = bool(low[2] > high[1] + 1), bool(high[0] < low[1] - 1)
    closer = "around a sparser feature the others close in"
    return [
        Finding("a denser feature repels the others", [denser, equal], rule, repels),
        Finding(closer, [sparser, equal], rule, attracts),
    ]


def transition(best: xr.DataArray, threshold: float) -> Finding:
    """Whether the best fits change from pentagons to two digons at the threshold."""
    below = (best == "two digons").sel(ratio=best["ratio"] < 0.95 * threshold)
    above = (best == "pentagon").sel(ratio=best["ratio"] > 1.05 * threshold)
    return Finding(
        "below a threshold the pentagon gives way to two digons and a feature at 0",
        [
            Case.count("best fits below the threshold", "two digons at", below),
            Case.count("above", "pentagon at", above),
        ],
        "all densities further than 5% from the threshold",
        bool(below.size and above.size and below.all() and above.all()),
    )


def place(threshold: xr.DataArray, elsewhere: xr.DataArray) -> Finding:
    """Where the threshold is, here and at other densities of the four."""

    def times(ratio, axis):
        return 1 / np.mean(ratio, axis=axis)

    mean = elsewhere.mean("seed")
    base = float(np.interp(PAPER_THRESHOLD, mean, mean["density"]))
    here = f"density {DENSITY:g} of the four"
    return Finding(
        "the threshold is about 2.5 times less density",
        [
            *Case.each(threshold, "factor", where=here, statistic=times),
            Case("factor 2.5", "at density", base, n=elsewhere.sizes["seed"]),
            *Case.each(elsewhere, "factor", statistic=times),
        ],
        "within 10%",
        abs(PAPER_THRESHOLD / float(threshold.mean()) - 1) < 0.1,
    )


def first_order(here: xr.Dataset, threshold: float) -> Finding:
    """Whether both geometries exist at the threshold, where their losses cross."""
    here = here.assign_coords(ratio=np.log(here["ratio"] / threshold))
    at = int(np.argmin(abs(here["ratio"].values)))
    norm = here["norm"].isel(feature=0, ratio=at)
    window = here["loss"].isel(ratio=slice(max(at - 1, 0), at + 2)) / measures.UNIT
    slope = window.polyfit("ratio", 1)["polyfit_coefficients"].sel(degree=1)
    pentagon, digons = (norm.mean("seed").sel(branch=branch) for branch in BRANCHES)
    flat, steep = (slope.mean("seed").sel(branch=branch) for branch in BRANCHES)
    return Finding(
        "the change is first order: two loss curves cross",
        Case.each(norm, "norm") + Case.each(slope, "slope of loss / density in ln density"),
        "at the threshold the varied feature's norms differ by more than 0.5, the slopes "
        "by a factor above 1.5",
        bool(pentagon - digons > 0.5 and steep > 1.5 * flat),
    )


def two_curves(fits: xr.Dataset) -> Finding:
    """Whether losses differ little within a geometry."""
    curves = [fits["loss"].where(fits["geometry"] == name) for name in BRANCHES]
    first, second = (curve.mean("seed") for curve in curves)
    within = max(float((c.std("seed") / c.mean("seed")).median()) for c in curves)
    apart = float((abs(first - second) / np.minimum(first, second)).median())
    where, how = "relative to the loss", {"n": fits.sizes["seed"], "unit": "%"}
    return Finding(
        "the fits lie on one loss curve per geometry",
        [
            Case(where, "standard deviation within a geometry", within, **how),
            Case(where, "median distance of both curves", apart, **how),
        ],
        "the standard deviation is below a third of the distance",
        within < apart / 3,
    )


def norms(pentagons: xr.Dataset) -> Finding:
    """Whether norms of pentagons follow from biases."""
    norm, rest = pentagons["norm"], 1 - pentagons["b"]
    printed, plausible = (
        float(abs(norm / rule - 1).median()) for rule in (1 / rest, np.sqrt(rest))
    )
    where, how = "median error of pentagons", {"n": pentagons.sizes["seed"], "unit": "%"}
    return Finding(
        "norms are 1 / (1 - b), as printed",
        [
            Case(where, "1 / (1 − b)", printed, **how),
            Case(where, "√(1 − b)", plausible, **how),
        ],
        "median error of 1 / (1 − b) below 10% (√(1 − b) returns an active feature of "
        "size 1 as 1)",
        printed < 0.1,
    )

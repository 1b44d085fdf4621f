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
    threshold, pentagons = float(measures.thresholds(here)), here.sel(branch="pentagon")
    return [
        *angles(measures.neighbour_gaps(pentagons)),
        transition(js.best_seed(ds["fits"])["geometry"], threshold),
        place(ds["branches"], ds["sampled"]),
        first_order(here, threshold),
        two_curves(ds["fits"]),
        norms(pentagons.where(measures.exists(pentagons))),
    ]


def angles(gap: xr.DataArray) -> list[Finding]:
    """Whether a denser feature repels its neighbours, and they close in on a sparser."""
    near = gap.sel(ratio=[0.5, 1, gap["ratio"].max()], method="nearest")
    sparser, equal, denser = (
        Case(f"density × {ratio:.2g}", "angle to neighbours (°)", angle)
        for ratio, angle in zip(near["ratio"].values, near.values.tolist(), strict=True)
    )
    rule = "more than 1° from that at equal density"
    repels, attracts = denser.value > equal.value + 1, sparser.value < equal.value - 1
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


def place(branches: xr.Dataset, sampled: xr.Dataset) -> Finding:
    """Where the threshold is, how exactly, and at other densities of the four."""
    thresholds = measures.thresholds(branches)
    others = [
        measures.thresholds(branches, "loss_by_boxes"),
        measures.thresholds(branches.isel(ratio=slice(None, None, 2))),
    ]
    error = max(float(abs(other / thresholds - 1).max()) for other in others)
    by_samples = measures.factor_by_samples(branches.sel(density=DENSITY), sampled)
    factor, here = 1 / thresholds, f"density {DENSITY:g} of the four"
    value = factor.sel(density=DENSITY).item()
    return Finding(
        "the threshold is about 2.5 times less density",
        [
            Case(here, "factor", value),
            Case(here, "error at most", error, unit="%"),
            Case.of(here, "by samples", by_samples, interval="95% over batches"),
            Case(
                "factor 2.5", "at density", measures.density_of(PAPER_THRESHOLD, branches)
            ),
            *Case.each(factor, "factor"),
        ],
        "within 10%",
        abs(PAPER_THRESHOLD * value - 1) < 0.1,
    )


def first_order(here: xr.Dataset, threshold: float) -> Finding:
    """Whether both geometries are minima at the threshold, where their losses cross."""
    here = here.where(measures.exists(here))
    ratios, at = here["ratio"].values, np.log(threshold)
    norms, slopes = [], []
    for branch in BRANCHES:
        own = here.sel(branch=branch)
        norm = measures.curve(own["norm"].isel(feature=0).values, ratios)
        loss = measures.curve(own["loss"].values / measures.UNIT, ratios)
        where, told = f"branch {branch}", "slope of loss / density in ln density"
        norms.append(Case(where, "norm", abs(round(float(norm(at)), 6))))
        slopes.append(Case(where, told, float(loss(at, 1))))
    (pentagon, digons), (flat, steep) = norms, slopes
    apart = pentagon.value - digons.value > 0.5 and steep.value > 1.5 * flat.value
    return Finding(
        "the change is first order: two loss curves cross",
        [*norms, *slopes],
        "at the threshold, where both are minima, the varied feature's norms differ by "
        "more than 0.5, the slopes by a factor above 1.5",
        bool(apart),
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
    where = "median error of pentagons"
    return Finding(
        "norms are 1 / (1 - b), as printed",
        [
            Case(where, "1 / (1 − b)", printed, unit="%"),
            Case(where, "√(1 − b)", plausible, unit="%"),
        ],
        "median error of 1 / (1 − b) below 10% (√(1 − b) returns an active feature of "
        "size 1 as 1)",
        printed < 0.1,
    )

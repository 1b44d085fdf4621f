"""What the paper says of correlated features, beside what the trained models show."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.correlated import measures
from jsuper.experiments.findings import Case, Finding, told_first
from jsuper.files import datasets

PAPER_RANGES = (
    (0, 0.0, 0.05, "density at most 0.05: no pair collapses"),
    (1, 0.05, 0.15, "density 0.05 to 0.15: one pair collapses"),
    (2, 0.15, 0.2, "density 0.15 to 0.2: two pairs collapse"),
    (3, 0.25, 0.5, "density 0.25 to 0.5: all collapse"),
)
"""Collapsed pairs by range of density, as the paper states them."""

TIES = [0.05, 0.15]
"""Densities at which two of the paper's ranges meet, which speak for neither."""


def findings(models: xr.DataTree) -> list[Finding]:
    """One finding for each statement, in the paper's order."""
    ds = {name: one.sortby("density") for name, one in datasets(models).items()}
    best = {name: js.best_seed(one) for name, one in ds.items()}
    triples, exclusive, six = ds["three_pairs"], ds["anticorrelated"], best["independent_6"]
    both = (best, ds)
    orthogonal = [of["pairs"]["arrangement"] == "antipodal across" for of in both]
    antipodal = [of["anticorrelated"]["arrangement"] == "antipodal within" for of in both]
    lossless = best["anticorrelated"]["loss"]
    across = exclusive["loss"].where(exclusive["arrangement"] == "antipodal across")
    ratio = float((lossless / across.min("seed")).max())
    return [
        Finding(
            "two correlated pairs: features of a pair orthogonal, antipodal to the other "
            "pair",
            so_often(*orthogonal),
            "the seed of lowest loss is so at every density up to 0.2",
            bool(orthogonal[0].sel(density=slice(0, 0.2)).all()),
        ),
        Finding(
            "two anticorrelated pairs: features of a pair antipodal",
            so_often(*antipodal),
            "the seed of lowest loss is so at every density",
            bool(antipodal[0].all()),
        ),
        Finding(
            "zero loss is attainable with anticorrelated pairs",
            [
                Case("best seed of every density", "loss up to", float(lossless.max())),
                Case("features paired across sets", "loss from", float(across.min())),
                Case("", "largest ratio of the two at one density", ratio),
            ],
            "the lowest loss is below a hundredth of that of features paired across sets",
            ratio < 0.01,
        ),
        *hexagons(triples.sel(density=triples["density"] < TIES[0])),
        Finding(
            "six independent features would not form a hexagon",
            so_often(six["hexagon"], ds["independent_6"]["hexagon"]),
            "the seed of lowest loss is one at no density",
            not six["hexagon"].any(),
        ),
        local_bases(ds["bases"], best["bases"].sel(density=slice(0, 0.05))),
        *(collapse(triples, *stated) for stated in PAPER_RANGES),
        *principal_components(best["three_pairs"]),
    ]


def so_often(best: xr.DataArray, so: xr.DataArray) -> list[Case]:
    """At how many densities the best seed is as stated, and how many seeds are at each."""
    return [
        Case.count("best seed", "so at", best),
        *Case.each(so, "seeds that are so", "%"),
    ]


def hexagons(ds: xr.Dataset) -> list[Finding]:
    """Three pairs in a hexagon, and how often one collapses instead."""
    so, at_best = (one["hexagon"] & one["beside"] for one in (ds, js.best_seed(ds)))
    fell = ds["collapsed"] == 1
    lowest, of_hexagons = (ds["loss"].where(which).min("seed") for which in (fell, so))
    excess = lowest / of_hexagons - 1
    often = Case.each(fell, "one pair collapsed in", "%")
    cost = Case.each(excess, "excess loss of the best of these", "%")
    return [
        Finding(
            "three correlated pairs side by side in a hexagon",
            so_often(at_best, so),
            "the seed of lowest loss is so at every density below 0.05",
            bool(at_best.all()),
        ),
        Finding(
            "a pair sometimes collapses instead, an optimisation failure",
            [case for both in zip(often, cost, strict=True) for case in both],
            "some seeds do, and below density 0.05 lose more than the best hexagon",
            bool(fell.any() and (excess > 0).all()),
        ),
    ]


def local_bases(ds: xr.Dataset, best: xr.Dataset) -> Finding:
    """Sets of ten as local orthogonal bases."""
    within = Case.each(ds["within"], "rms of products within")
    cases = told_first(within + Case.each(ds["across"], "across"), "density 0.05")
    off = float(best["diagonal"].max())
    where, quantity = "best seeds, density up to 0.05", "squared norms off 1 by up to"
    return Finding(
        "two correlated sets of ten: orthogonal within a set, interference only across",
        [*cases, Case(where, quantity, off)],
        "up to density 0.05 the rms within is below 0.2 of that across, and squared norms "
        "lie within 0.1 of 1, for the seeds of lowest loss",
        bool((best["within"] < 0.2 * best["across"]).all() and off < 0.1),
    )


def collapse(ds: xr.Dataset, number: int, low: float, high: float, stated: str) -> Finding:
    """How many pairs collapse in one of the paper's ranges of density."""
    ds = ds.sel(density=slice(low, high)).drop_sel(density=TIES, errors="ignore")
    best = js.best_seed(ds)["collapsed"]
    return Finding(
        f"three correlated pairs, {stated}",
        [
            *so_often(best == number, ds["collapsed"] == number),
            *Case.each(best, "collapsed in best seed"),
        ],
        f"the seed of lowest loss has {number} collapsed at every density in the range",
        bool(best.size and (best == number).all()),
    )


def principal_components(best: xr.Dataset) -> list[Finding]:
    """Losses like those of principal components, and norms in collapsed pairs."""
    dense = best["density"] >= 0.5
    above, below = (best["relative"].where(part, drop=True) for part in (dense, ~dense))
    quantity = "lowest loss / best linear model's"
    best = best.transpose("density", "feature", "hidden", ...)
    fallen = measures.partner_cosines(best["W"].values) > measures.TOGETHER
    low, high = (
        best["norm"].values[fallen & part.values[:, None]] for part in (~dense, dense)
    )
    return [
        Finding(
            "most like principal components at densities from 0.5",
            [*Case.each(above, quantity), *Case.each(below, quantity)],
            "there the lowest loss is above 0.85 of that of PCA with a bias, and above "
            "that share at all lower densities",
            bool(above.min() > max(0.85, below.max())),
        ),
        Finding(
            "features a and b of a collapsed pair are stored as (a + b) / √2",
            [
                Case.spread("density below 0.5", "norm", low, "features"),
                Case("", "1/√2", np.sqrt(0.5).item()),
                Case.spread("density from 0.5", "norm", high, "features"),
            ],
            "below it the norms lie within 0.05 of 1/√2",
            bool(low.size and (abs(low - np.sqrt(0.5)) < 0.05).all()),
        ),
    ]

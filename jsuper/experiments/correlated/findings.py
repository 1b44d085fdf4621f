"""What the paper says of correlated features, beside what the trained models show."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.correlated.measures import TOGETHER, each_model, partner_cosines
from jsuper.experiments.correlated.train import TIE
from jsuper.experiments.findings import Case, Finding, told_first
from jsuper.files import datasets

PAPER_RANGES = ((0, 0.0, 0.05), (1, 0.05, 0.15), (2, 0.15, 0.2), (3, 0.25, 0.5))
"""Collapsed pairs by range of density, as the paper states them."""

PCA_LIKE = 0.5
"""Density from which the paper calls the solution most like principal components."""


def findings(models: xr.DataTree) -> list[Finding]:
    """One finding for each statement, in the paper's order."""
    ds = {name: one.sortby("density") for name, one in datasets(models).items()}
    triples = ds["three_pairs"]
    return [
        correlated_pairs(ds["pairs"], ds["independent_4"]),
        *anticorrelated_pairs(ds["anticorrelated"]),
        *hexagons(triples, ds["independent_6"]),
        local_bases(ds["bases"]),
        *(collapse(triples, *stated) for stated in PAPER_RANGES),
        principal_components(triples["relative"], js.best_seed(triples)["relative"]),
        norms(js.best_seed(triples)),
    ]


def so_often(best: xr.DataArray, so: xr.DataArray) -> list[Case]:
    """At how many densities the best seed is as stated, and how many seeds are at each."""
    return [
        Case.count("best seed", "so at", best),
        *Case.each(so, "seeds that are so", "%"),
    ]


def correlated_pairs(ds: xr.Dataset, control: xr.Dataset) -> Finding:
    """Correlated pairs: orthogonal within, antipodal across."""
    so, chance, best = (
        one["arrangement"] == "antipodal across" for one in (ds, control, js.best_seed(ds))
    )
    return Finding(
        "two correlated pairs: features of a pair orthogonal, antipodal to the other pair",
        [
            *so_often(best, so),
            *Case.each(chance, "of independent features, by chance", "%"),
        ],
        "the seed of lowest loss is so at every density up to 0.2",
        bool(best.where(best["density"] <= 0.2, True).all()),
    )


def anticorrelated_pairs(ds: xr.Dataset) -> list[Finding]:
    """Anticorrelated pairs: antipodal within, and no loss at all."""
    best = js.best_seed(ds)
    so, at_best = (one["arrangement"] == "antipodal within" for one in (ds, best))
    across = ds["loss"].where(ds["arrangement"] == "antipodal across").min("seed")
    ratio = float((best["loss"] / across).max())
    return [
        Finding(
            "two anticorrelated pairs: features of a pair antipodal",
            so_often(at_best, so),
            "the seed of lowest loss is so at every density",
            bool(at_best.all()),
        ),
        Finding(
            "zero loss is attainable with anticorrelated pairs",
            [
                Case("best seed of every density", "loss up to", float(best["loss"].max())),
                Case("features paired across sets", "loss from", float(across.min())),
                Case("", "largest ratio of the two at one density", ratio),
            ],
            "the lowest loss is below a hundredth of that of features paired across sets",
            ratio < 0.01,
        ),
    ]


def hexagons(ds: xr.Dataset, control: xr.Dataset) -> list[Finding]:
    """Three pairs in a hexagon, and how often one collapses."""
    ds = ds.sel(density=ds["density"] <= TIE)
    so, at_best = (one["hexagon"] & one["beside"] for one in (ds, js.best_seed(ds)))
    fell, below = ds["collapsed"] == 1, ds["density"] < TIE
    lowest, of_hexagons = (ds["loss"].where(which).min("seed") for which in (fell, so))
    excess = lowest / of_hexagons - 1
    often = Case.each(fell, "one pair collapsed in", "%")
    cost = Case.each(excess, "excess loss of the best of these", "%")
    chance = js.best_seed(control)["hexagon"]
    return [
        Finding(
            "three correlated pairs side by side in a hexagon",
            so_often(at_best, so),
            f"the seed of lowest loss is so at every density below {TIE:g}",
            bool(at_best.where(below, True).all()),
        ),
        Finding(
            "a pair sometimes collapses instead, an optimisation failure",
            [case for both in zip(often, cost, strict=True) for case in both],
            f"some seeds do, and below density {TIE:g} lose more than the best hexagon",
            bool(fell.any() and (excess > 0).where(below, True).all()),
        ),
        Finding(
            "six independent features would not form a hexagon",
            so_often(chance, control["hexagon"]),
            "the seed of lowest loss is one at no density",
            not chance.any(),
        ),
    ]


def local_bases(ds: xr.Dataset) -> Finding:
    """Sets of ten as local orthogonal bases."""
    within, across = ds["within"], ds["across"]
    cases = Case.each(within, "rms of products within") + Case.each(across, "across")
    best = js.best_seed(ds.sel(density=ds["density"] <= 0.05))
    off = float(best["diagonal"].max())
    where = "best seeds, density up to 0.05"
    return Finding(
        "two correlated sets of ten: orthogonal within a set, interference only across",
        [
            *told_first(cases, "density 0.05"),
            Case(where, "squared norms off 1 by up to", off),
        ],
        "up to density 0.05 the rms within is below 0.2 of that across, and squared norms "
        "lie within 0.1 of 1, for the seeds of lowest loss",
        bool((best["within"] < 0.2 * best["across"]).all() and off < 0.1),
    )


def collapse(ds: xr.Dataset, number: int, low: float, high: float) -> Finding:
    """How many pairs collapse in one of the paper's ranges of density."""
    p = ds["density"]
    # A density at which two of the paper's ranges meet speaks for neither.
    claims = sum(((p >= a) & (p <= b)).astype(int) for _, a, b in PAPER_RANGES)
    inside = ds.sel(density=(p >= low) & (p <= high) & (claims == 1))
    best = js.best_seed(inside)["collapsed"]
    pairs = (
        "no pair collapses",
        "one pair collapses",
        "two pairs collapse",
        "all collapse",
    )
    where = f"density at most {high:g}" if number == 0 else f"density {low:g} to {high:g}"
    return Finding(
        f"three correlated pairs, {where}: {pairs[number]}",
        [
            *so_often(best == number, inside["collapsed"] == number),
            *Case.each(best, "collapsed in best seed"),
        ],
        f"the seed of lowest loss has {number} collapsed at every density in the range",
        bool(best.size and (best == number).all()),
    )


def principal_components(relative: xr.DataArray, best: xr.DataArray) -> Finding:
    """Where the loss is that of principal components."""
    like = best["density"] >= PCA_LIKE
    cases = Case.each(best, "lowest loss / best linear model's")
    dense = int(like.sum())
    return Finding(
        f"most like principal components at densities from {PCA_LIKE:g}",
        [*cases[-dense:], *cases[:-dense]],
        "there the lowest loss is above 0.85 of that of PCA with a bias, and above that "
        "share at all lower densities",
        bool(best.where(like).min() > max(0.85, best.where(~like).max())),
    )


def norms(best: xr.Dataset) -> Finding:
    """Norms of the features of collapsed pairs."""
    fallen = each_model(partner_cosines, best, "feature") > TOGETHER
    like = best["density"] >= PCA_LIKE
    norm = best["norm"].transpose(*fallen.dims).values
    sparse, dense = (norm[(fallen & which).values] for which in (~like, like))
    return Finding(
        "features a and b of a collapsed pair are stored as (a + b) / √2",
        [
            Case.spread(f"density below {PCA_LIKE:g}", "norm", sparse, "features"),
            Case("", "1/√2", np.sqrt(0.5).item()),
            Case.spread(f"density from {PCA_LIKE:g}", "norm", dense, "features"),
        ],
        "below it the norms lie within 0.05 of 1/√2",
        bool(sparse.size and (abs(sparse - np.sqrt(0.5)) < 0.05).all()),
    )

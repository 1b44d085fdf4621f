"""What the paper says of correlated features, beside what the trained models show."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

import jsuper as js
from jsuper.experiments.correlated.measures import TIE, TOGETHER, pair_cosines
from jsuper.experiments.findings import Case, Finding
from jsuper.plots import style
from jsuper.results.statistics import interval

PAPER_RANGES = ((0, 0.0, 0.05), (1, 0.05, 0.15), (2, 0.15, 0.2), (3, 0.25, 0.5))
"""Collapsed pairs by range of density, as the paper states them."""

PCA_LIKE = 0.5
"""Density from which the paper calls the solution most like principal components."""


def findings(models: xr.DataTree) -> list[Finding]:
    """One finding for each statement, in the paper's order."""
    ds = {name: node.to_dataset() for name, node in models.children.items()}
    triples = ds["three_pairs"]
    return [
        find_pairs(ds["pairs"], ds["independent_4"]),
        *find_exclusive(ds["anticorrelated"]),
        *find_hexagon(triples, ds["independent_6"]),
        find_blocks(ds["bases"]),
        *(find_collapse(triples, *stated) for stated in PAPER_RANGES),
        find_principal(triples),
        find_norms(triples),
    ]


def find_pairs(ds: xr.Dataset, control: xr.Dataset) -> Finding:
    """Correlated pairs: orthogonal within, antipodal across."""
    so, chance = (each["arrangement"] == "antipodal across" for each in (ds, control))
    best = js.best_seed(ds)["arrangement"] == "antipodal across"
    sparse = best["density"] <= 0.2
    reached = best["density"].values[best.values]
    ends = {"lowest": reached.min(), "highest": reached.max()} if len(reached) else {}
    return Finding(
        "two correlated pairs: features of a pair orthogonal, antipodal to the other pair",
        [
            _densities("best seed", "so at", best),
            *_shares(so, "seeds that are so"),
            *(
                Case("best seed", f"{name} density of these", float(p))
                for name, p in ends.items()
            ),
            *_shares(chance, "of independent features, by chance"),
        ],
        "the seed of lowest loss is so at every density up to 0.2",
        bool(best.values[sparse.values].all() and best.any()),
    )


def find_exclusive(ds: xr.Dataset) -> list[Finding]:
    """Anticorrelated pairs: antipodal within, and no loss at all."""
    so, best = ds["arrangement"] == "antipodal within", js.best_seed(ds)
    at_best = best["arrangement"] == "antipodal within"
    others = ds["loss"].where(ds["arrangement"] == "antipodal across").min("seed")
    ratio = float((best["loss"] / others).max())
    return [
        Finding(
            "two anticorrelated pairs: features of a pair antipodal",
            [_densities("best seed", "so at", at_best), *_shares(so, "seeds that are so")],
            "the seed of lowest loss is so at every density",
            bool(at_best.all()),
        ),
        Finding(
            "zero loss is attainable with anticorrelated pairs",
            [
                Case("best seed of every density", "loss up to", float(best["loss"].max())),
                Case("features paired across sets", "loss from", float(others.min())),
                Case("", "largest ratio of the two at one density", ratio),
            ],
            "the lowest loss is below a hundredth of that of features paired across sets",
            ratio < 0.01,
        ),
    ]


def find_hexagon(ds: xr.Dataset, control: xr.Dataset) -> list[Finding]:
    """Three pairs in a hexagon, and how often one collapses."""
    sparse = ds.sel(density=ds["density"] <= TIE)
    right = sparse["hexagon"] & sparse["beside"]
    best = js.best_seed(sparse)
    at_best = best["hexagon"] & best["beside"]
    fell = sparse["collapsed"] == 1
    lowest, hexagons = (sparse["loss"].where(which).min("seed") for which in (fell, right))
    excess = lowest / hexagons - 1
    often = _shares(fell, "one pair collapsed in")
    above = _each(excess, "excess loss of the best of these", "%")
    below = sparse["density"] < TIE
    chance = js.best_seed(control)["hexagon"]
    return [
        Finding(
            "three correlated pairs side by side in a hexagon",
            [
                _densities("best seed", "so at", at_best),
                *_shares(right, "seeds that are so"),
                *_each(at_best, "best seed is so (1: yes)"),
            ],
            f"the seed of lowest loss is so at every density below {TIE:g}",
            bool(at_best.where(below, True).all()),
        ),
        Finding(
            "a pair sometimes collapses instead, an optimisation failure",
            [case for pair in zip(often, above, strict=True) for case in pair],
            f"some seeds do, and below density {TIE:g} lose more than the best hexagon",
            bool(fell.any() and (excess > 0).where(below, True).all()),
        ),
        Finding(
            "six independent features would not form a hexagon",
            [
                _densities("best seed", "a hexagon at", chance),
                *_shares(control["hexagon"], "seeds that are one"),
            ],
            "the seed of lowest loss is one at no density",
            not bool(chance.any()),
        ),
    ]


def find_blocks(ds: xr.Dataset) -> Finding:
    """Local orthogonal bases."""
    sparse, dense = (
        ds.sel(density=chosen) for chosen in (ds["density"] <= 0.05, ds["density"] >= 0.2)
    )
    best, where = js.best_seed(sparse), "density up to 0.05"
    return Finding(
        "two correlated sets of ten: orthogonal within a set, interference only across",
        [
            _range(f"{where}, best seeds", "products within", best["within"], "densities"),
            _range(f"{where}, best seeds", "across", best["across"], "densities"),
            Case(where, "squared norms off 1 by up to", float(best["diagonal"].max())),
            _range(f"{where}, all seeds", "products within", sparse["within"], "models"),
            _range("density from 0.2", "products within", dense["within"], "models"),
            _range("density from 0.2", "across", dense["across"], "models"),
        ],
        "up to density 0.05 the root mean square within is below 0.2 of that across, and "
        "squared norms lie within 0.1 of 1, for the seeds of lowest loss",
        bool(
            (best["within"] < 0.2 * best["across"]).all() and (best["diagonal"] < 0.1).all()
        ),
    )


def find_collapse(ds: xr.Dataset, number: int, low: float, high: float) -> Finding:
    """How many pairs collapse in one of the paper's ranges of density."""
    p = ds["density"].values
    # A density at which two of the paper's ranges meet speaks for neither.
    claimed = np.sum([(p >= a) & (p <= b) for _, a, b in PAPER_RANGES], axis=0)
    inside = ds.isel(density=(p >= low) & (p <= high) & (claimed == 1))
    counts = js.best_seed(inside)["collapsed"]
    words = (
        *("no pair collapses", "one pair collapses"),
        *("two pairs collapse", "all collapse"),
    )
    where = f"density at most {high:g}" if number == 0 else f"density {low:g} to {high:g}"
    return Finding(
        f"three correlated pairs, {where}: {words[number]}",
        [
            *_each(counts, "collapsed in best seed"),
            *_shares(inside["collapsed"] == number, f"seeds with {number} collapsed"),
        ],
        f"the seed of lowest loss has {number} collapsed at every density in the range",
        bool(counts.size and (counts == number).all()),
    )


def find_principal(ds: xr.Dataset) -> Finding:
    """Where the loss is that of principal components."""
    relative = js.best_seed(ds)["relative"]
    p, values = relative["density"].values, relative.values
    like = p >= PCA_LIKE
    between = relative.isel(density=(p >= 0.2) & ~like)
    quantity = "loss / best linear model's"
    return Finding(
        f"most like principal components at densities from {PCA_LIKE:g}",
        [*_each(relative.isel(density=like), quantity), *_each(between, quantity)],
        "there the lowest loss is above 0.85 of that of PCA with a bias, and above that "
        "share at all lower densities",
        bool(values[like].min() > max(0.85, values[~like].max())),
    )


def find_norms(ds: xr.Dataset) -> Finding:
    """Norms of the features of collapsed pairs."""
    best = js.best_seed(ds)
    W = best["W"].transpose("density", "feature", "hidden").values
    fallen = np.repeat(pair_cosines(W) > TOGETHER, 2, axis=-1)
    like = best["density"].values >= PCA_LIKE
    norms = np.linalg.norm(W, axis=-1)
    sparse, dense = norms[fallen & ~like[:, None]], norms[fallen & like[:, None]]
    mean, std = (
        (float(sparse.mean()), float(sparse.std())) if sparse.size else (np.nan, np.nan)
    )
    where, spread = f"density below {PCA_LIKE:g}", "standard deviation over features"
    return Finding(
        "features a and b of a collapsed pair are stored as (a + b) / √2",
        [
            Case(where, "norm", mean, mean - std, mean + std, interval=spread),
            Case("", "1/√2", float(np.sqrt(0.5))),
            _range(f"density from {PCA_LIKE:g}", "norm", dense, "features"),
        ],
        "below it the mean norm is within 0.03 of 1/√2, the standard deviation below 0.05",
        bool(abs(mean - np.sqrt(0.5)) < 0.03 and std < 0.05),
    )


def _shares(so: xr.DataArray, quantity: str) -> list[Case]:
    """The share of seeds of which something (density, seed) is true, by density."""
    so = so.transpose("density", "seed").sortby("density")
    rows = zip(so["density"].values, so.values, strict=True)
    return [Case.of(_at(p), quantity, interval(np.mean, row), unit="%") for p, row in rows]


def _densities(where: str, quantity: str, so: xr.DataArray) -> Case:
    """At how many densities something is true."""
    return Case(where, quantity, int(so.sum()), unit=f"of {so.size} densities")


def _each(values: xr.DataArray, quantity: str, unit: str = "") -> list[Case]:
    """A number for each density."""
    values = values.sortby("density")
    pairs = zip(values["density"].values, values.values, strict=True)
    return [Case(_at(p), quantity, float(value), unit=unit) for p, value in pairs]


def _range(where: str, quantity: str, values: ArrayLike, over: str) -> Case:
    """The median of some values, and the range of them."""
    values = np.asarray(values)
    low, middle, high = (
        np.quantile(values, [0, 0.5, 1]).tolist() if values.size else [np.nan] * 3
    )
    return Case(where, quantity, middle, low, high, interval=f"range over {over}")


def _at(density: float) -> str:
    return style.coordinate("density", float(density))

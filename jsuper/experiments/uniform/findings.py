"""The paper's statements on uniform superposition beside what our models show."""

import numpy as np
import xarray as xr

from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.uniform.measures import (
    BAND,
    NAMED,
    named_share,
    off_lines,
    size_difference,
    stay,
    stay_elsewhere,
)
from jsuper.files import datasets
from jsuper.results.statistics import interval

MIDDLE = (1.8, 4.5)
"""Range of 1 / density where polytopes are the rule."""


def findings(models: xr.DataTree) -> list[Finding]:
    """Two findings on plateaus, one on sizes, three on polytopes."""
    ds = datasets(models)
    large, small = ds["large"], ds["small"]
    return [
        sticky(large, small, 1.0, "1"),
        sticky(large, small, 0.5, "1/2"),
        sizes(large, small),
        polytopes(large, small),
        lines(large),
        factors(large),
    ]


def sticky(large: xr.Dataset, small: xr.Dataset, height: float, name: str) -> Finding:
    """Whether D* stays at a height for longer than at others."""
    here, elsewhere = stay(large, height), stay_elsewhere(large)
    longer = interval(np.mean, here["length"] - 2 * elsewhere)
    return Finding(
        f"D* is sticky at {name}",
        [
            Case.mean(size(large), "plateau length", here["length"]),
            Case.mean("other heights", "median length", elsewhere),
            Case.mean(size(large), "from 1/density", here["first"]),
            Case.mean(size(large), "to", here["last"]),
            Case.mean(size(small), "plateau length", stay(small, height)["length"]),
        ],
        f"in the larger models D* is within {BAND:.0%} of {name} for more than twice as "
        "long, in ln(1/density), as within the same distance of other heights: the 95% "
        "interval over seeds of the length in excess of twice the median is above 0",
        longer.low > 0,
    )


def sizes(large: xr.Dataset, small: xr.Dataset) -> Finding:
    """Whether D* depends on n and m."""
    differs = size_difference(large, small).rename(density="1/density")
    differs["1/density"] = 1 / differs["1/density"]
    cases = Case.each(differs, "D* differs by", "%")
    return Finding(
        "n and m do not matter as long as n is much larger than m",
        sorted(cases, key=lambda case: -abs(case.value)),
        f"mean D* at {size(small)} is within 15% of that at {size(large)} at every density "
        "at which the smaller ones represent fewer than half of their features",
        bool(abs(differs.mean("seed")).max() < 0.15),
    )


def polytopes(large: xr.Dataset, small: xr.Dataset) -> Finding:
    """Whether each of the paper's polytopes occurs."""
    cases = []
    for ds in (small, large):
        some = {
            name: (ds["polytope"] == name).any(("density", "feature")) for name in NAMED
        }
        where = f"seeds with one, {size(ds)}"
        cases += [Case.mean(where, name, has, "%") for name, has in some.items()]
    return Finding(
        "features form tetrahedra, triangles, digons, pentagons and square antiprisms",
        cases,
        "each of the five occurs in some seed, of either size",
        {case.quantity for case in cases if case.value > 0} == set(NAMED),
    )


def lines(ds: xr.Dataset) -> Finding:
    """Whether features in polytopes have their dimensionalities, and are the rule."""
    named, inverse, (first, last) = named_share(ds), 1 / ds["density"], MIDDLE
    middle = (inverse >= first) & (inverse <= last)
    share = [
        Case.mean(f"1/density {where}", "features in a polytope", shares, "%")
        for where, shares in {
            f"{first} to {last}": named[middle].mean("density"),
            f"below {first}": named[inverse < first].mean("density"),
            f"above {last}": named[inverse > last].mean("density"),
        }.items()
    ]
    off = off_lines(ds).quantile([0.5, 0.9], ("density", "feature"))
    median, most = (
        Case.mean("D off its line", name, values)
        for name, values in zip(("median", "90th percentile"), off, strict=True)
    )
    return Finding(
        "their dimensionalities lie on the lines of the polytopes",
        [share[0], median, most, *share[1:]],
        f"between 1/density {first} and {last} more than half of the represented features "
        "belong to a polytope, and the median distance of D from its fraction, at all "
        "densities, is below 0.02, in the mean over seeds",
        share[0].value > 0.5 and median.value < 0.02,
    )


def factors(ds: xr.Dataset) -> Finding:
    """Whether the features of a block share its dimensions with no others."""
    distance = "mean distance of the sum of D from the dimensions"
    case = Case.mean("named blocks", distance, ds["off_balance"].mean("density"))
    return Finding(
        "the blocks are tegum factors: what happens in one does not concern the others",
        [case],
        "the mean distance is below 0.1",
        case.value < 0.1,
    )


def size(ds: xr.Dataset) -> str:
    """The size of models, in words."""
    return f"n = {ds.sizes['feature']}, m = {ds.sizes['hidden']}"

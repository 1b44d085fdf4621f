"""The paper's statements on uniform superposition beside what our models show."""

import xarray as xr

from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.uniform.measures import (
    BAND,
    NAMED,
    named_share,
    off_balance,
    off_lines,
    size_difference,
    stay,
    stay_elsewhere,
    unnamed_blocks,
)

MIDDLE = (1.8, 4.5)
"""Range of 1 / density where polytopes are the rule."""


def findings(models: xr.DataTree) -> list[Finding]:
    """Two findings on plateaus, one on sizes, three on polytopes.

    The larger model has one seed at each density, so that n is 1 in most cases: how much
    another seed would change is not known.
    """
    large, small = models["large"].to_dataset(), models["small"].to_dataset()
    blocks = models["blocks"].to_dataset()
    return [
        sticky(large, small, 1.0, "1"),
        sticky(large, small, 0.5, "1/2"),
        sizes(large, small),
        polytopes(large, small, blocks),
        lines(large),
        factors(blocks, large.sizes["seed"]),
    ]


def sticky(large: xr.Dataset, small: xr.Dataset, height: float, name: str) -> Finding:
    """Whether D* stays at a height for longer than at others."""
    (length, first, last), elsewhere = stay(large, height), stay_elsewhere(large)
    n, n_small = large.sizes["seed"], small.sizes["seed"]
    return Finding(
        f"D* is sticky at {name}",
        [
            Case(size(large), "plateau length", length, n=n),
            Case(size(large), "from 1/density", first, n=n),
            Case(size(large), "to", last, n=n),
            Case("other heights", "median length", elsewhere, n=n),
            Case(size(small), "plateau length", stay(small, height)[0], n=n_small),
        ],
        f"in the larger models D* is within {BAND:.0%} of {name} for more than twice as "
        "long, in ln(1/density), as within the same distance of other heights",
        length > 2 * elsewhere,
    )


def sizes(large: xr.Dataset, small: xr.Dataset) -> Finding:
    """Whether D* depends on n and m."""
    differs = size_difference(large, small)
    n = min(large.sizes["seed"], small.sizes["seed"])
    where, worst = f"{size(small)} and {size(large)}", float(differs.max())
    return Finding(
        "n and m do not matter as long as n is much larger than m",
        [
            Case(where, "D* differs at most by", worst, n=n, unit="%"),
            Case(where, "median", float(differs.median()), n=n, unit="%"),
        ],
        "D* of the two sizes differs by less than 15% at every density at which the "
        "smaller ones represent fewer than half of their features",
        worst < 0.15,
    )


def polytopes(large: xr.Dataset, small: xr.Dataset, blocks: xr.Dataset) -> Finding:
    """Whether each of the paper's polytopes occurs."""
    n = large.sizes["seed"] + small.sizes["seed"]
    counts = {
        name: sum(int((ds["polytope"] == name).sum()) for ds in (large, small))
        for name in NAMED
    }
    cases = [Case("features in each", name, k, n=n) for name, k in counts.items()]
    for (k, d), times in unnamed_blocks(blocks).most_common(1):
        where, seeds = "most frequent block of no known shape", large.sizes["seed"]
        cases += [
            Case(where, "features", k, n=seeds),
            Case(where, "dimensions", d, n=seeds),
            Case(where, "times", times, n=seeds),
        ]
    return Finding(
        "features form tetrahedra, triangles, digons, pentagons and square antiprisms",
        cases,
        "each of the five occurs, in all models of both sizes together",
        min(counts.values()) > 0,
    )


def lines(ds: xr.Dataset) -> Finding:
    """Whether features in polytopes have their dimensionalities, and are the rule."""
    named, inverse, off = named_share(ds), 1 / ds["density"], off_lines(ds)
    first, last = MIDDLE
    dense, middle, sparse = (
        float(named[part].mean())
        for part in (
            inverse < first,
            (inverse >= first) & (inverse <= last),
            inverse > last,
        )
    )
    n, line, share = ds.sizes["seed"], "D off its line", "features in a polytope"
    median, most = float(off.median()), float(off.quantile(0.9))
    return Finding(
        "their dimensionalities lie on the lines of the polytopes",
        [
            Case(f"1/density {first} to {last}", share, middle, n=n, unit="%"),
            Case(line, "median", median, n=n),
            Case(line, "90th percentile", most, n=n),
            Case(f"1/density below {first}", share, dense, n=n, unit="%"),
            Case(f"1/density above {last}", share, sparse, n=n, unit="%"),
        ],
        f"between 1/density {first} and {last} more than half of the represented features "
        "belong to a polytope, and the median distance of D from its fraction, at all "
        "densities, is below 0.02",
        middle > 0.5 and median < 0.02,
    )


def factors(blocks: xr.Dataset, seeds: int) -> Finding:
    """Whether the features of a block share its dimensions with no others."""
    off = off_balance(blocks)
    mean, where = float(off.mean()), "named blocks"
    return Finding(
        "the blocks are tegum factors: what happens in one does not concern the others",
        [
            Case(where, "mean distance of the sum of D from the dimensions", mean, n=seeds),
            Case(where, "number", off.size, n=seeds),
        ],
        "the mean distance is below 0.1",
        mean < 0.1,
    )


def size(ds: xr.Dataset) -> str:
    """The size of models and their number at each density, in words."""
    seeds = ds.sizes["seed"]
    said = "1 seed" if seeds == 1 else f"{seeds} seeds"
    return f"n = {ds.sizes['feature']}, m = {ds.sizes['hidden']} ({said})"

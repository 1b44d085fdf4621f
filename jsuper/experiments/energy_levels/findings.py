"""Where the pentagon ends, what the best solutions are, and how often they are found."""

import math

import xarray as xr

from jsuper.experiments.energy_levels import measures
from jsuper.experiments.findings import Case, Finding
from jsuper.files import datasets

IMPORTANCES = {"equal": "equal", "decreasing": "0.9^i"}
"""Names of the datasets, and what they stand for."""


def findings(models: xr.DataTree) -> list[Finding]:
    """Five findings on the minima of five features."""
    ds = datasets(models)
    limits = xr.concat(
        [ds[name][["crossing", "end"]] for name in IMPORTANCES],
        xr.Variable("importance", list(IMPORTANCES.values())),
    )
    return [
        order(measures.best(ds["decreasing"])),
        limit(limits, "crossing", "best minimum up to density"),
        limit(limits, "end", "a minimum up to density"),
        arrangements(ds["decreasing"]),
        luck(ds["equal"]),
    ]


def order(best: list[str]) -> Finding:
    """Which solutions are best, one after the other."""
    stated = ["2 dedicated", "2 digons", "pentagon"]
    named = [name for name in best if name in stated]
    return Finding(
        "as features become sparser, two dedicated features become two pairs, then a "
        "pentagon",
        [
            Case(
                "importance 0.9^i",
                "stretches of density with these as the best",
                len(named),
            ),
            Case("", "with another solution between them", len(best) - len(named)),
        ],
        "each is the best minimum on one stretch of density, in this order; others may be "
        "best between them",
        named == stated,
    )


def limit(limits: xr.Dataset, name: str, quantity: str) -> Finding:
    """A density of the pentagon, from both computations."""
    values = limits[name]
    apart = abs(values.isel(way=0) / values.isel(way=1) - 1)
    cases = [
        Case(f"importance {kind}", f"{quantity} ({way})", float(one))
        for kind in values["importance"].values
        for way, one in zip(
            ("Newton", "BFGS"), values.sel(importance=kind).values, strict=True
        )
    ]
    cases.append(Case("", "computations differ by at most", float(apart.max()), unit="%"))
    what = {"crossing": "best", "end": "a minimum"}[name]
    return Finding(
        f"the pentagon is {what} up to a density that two computations give alike",
        cases,
        "the two, which share neither loss nor optimizer, agree to three digits",
        bool(apart.max() < 1e-3),
        "ours",
    )


def arrangements(ds: xr.Dataset) -> Finding:
    """Whether five unequal features form every pentagon that they could."""
    sparsest = ds["level"].isel(density=int(ds["density"].argmin("density")))
    found = int((sparsest == "pentagon").sum())
    expected = math.factorial(4) // 2
    return Finding(
        "each arrangement of five unequal features around a pentagon is a minimum",
        [
            Case("lowest density", "pentagons", found),
            Case("", "cyclic orders of five, up to reflection", expected),
        ],
        "as many pentagons as orders",
        found == expected,
        "theory",
    )


def luck(ds: xr.Dataset) -> Finding:
    """How many starts end at the best minimum."""
    best = ds["share"].isel(minimum=0)
    lowest = best.isel(density=int(best.argmin("density")))
    near = [float(best.sel(density=p, method="nearest")) for p in (0.2, 0.1, 0.02)]
    return Finding(
        "most starts end at the best minimum",
        [
            Case(
                f"density {float(lowest['density']):.2g}", "share", float(lowest), unit="%"
            ),
            *(
                Case(f"density {p:g}", "share", share, unit="%")
                for p, share in zip((0.2, 0.1, 0.02), near, strict=True)
            ),
        ],
        "more than half of them at every density, for equal importance",
        bool((best > 0.5).all()),
        "ours",
    )

"""What the paper's figures show beside the best seeds of our models."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.demonstration.measures import identity_gap, most_important
from jsuper.experiments.findings import Case, Finding
from jsuper.results.statistics import interval

STATED = {1.0: (5, 5), 0.3: (7, 3), 0.1: (9, 1), 0.03: (10, 0), 0.01: (11.5, 0)}
"""Full and dark bars that the paper's figure of the small model shows, by density."""

SPARSEST = (0.003, 0.001)
"""Densities at which the paper's figure shows about as much as at the last of `STATED`."""

LARGEST_GAP = 0.15
"""Up to which W Wᵀ counts as the identity of the most important features."""


def findings(models: xr.DataTree) -> list[Finding]:
    """On the small model, the linear one and, where it is trained, the large one."""
    small, linear = models["small"].to_dataset(), models["linear"].to_dataset()
    found = [bars(small, density, *counts) for density, counts in STATED.items()]
    found += [sparsest(small), signs(small), stored(linear), relu(linear, small)]
    if "large" in models:
        large = models["large"].to_dataset()
        found += [dense(large), last_dark(large), copied(large, small)]
    return found


def at(ds: xr.Dataset, density: float) -> xr.Dataset:
    """The models of one density."""
    return ds.sel(density=density, method="nearest")


def name(density: float | xr.DataArray) -> str:
    """The name of a density, as in ``density 0.1``."""
    return f"density {float(density):g}"


def counted(cell: xr.Dataset, which: str = "") -> list[Case]:
    """Bars of the best seed of one density, their means and their ranges over seeds."""
    best = js.best_seed(cell)
    counts = {"full bars": "full", "dark bars": "dedicated", "stubs": "stubs"}
    cases = [
        Case(f"{which}best seed", quantity, int(best[variable]))
        for quantity, variable in counts.items()
    ]
    over = [over_seeds(cell[counts[q]], q, which) for q in ("full bars", "dark bars")]
    means, ranges = zip(*over, strict=True)
    return [*cases, *means, *ranges]


def over_seeds(values: xr.DataArray, quantity: str, which: str = "") -> tuple[Case, Case]:
    """Mean over seeds, and range over seeds, of a count, dimension (seed,)."""
    mean, low, high = interval(np.mean, values), int(values.min()), int(values.max())
    spread = Case(
        f"{which}all seeds",
        quantity,
        mean.value,
        low,
        high,
        mean.n,
        interval="range over seeds",
    )
    return Case.of(f"{which}mean of seeds", quantity, mean), spread


def bars(ds: xr.Dataset, density: float, full: float, dark: int) -> Finding:
    """Whether the small model has the paper's bars at a density."""
    cell = at(ds, density)
    best = js.best_seed(cell)
    number = f"{full:g}" if full == int(full) else f"{full - 0.5:g} to {full + 0.5:g}"
    note = " and 2 stubs" if density == 0.03 else ""
    return Finding(
        f"20 features, 5 dimensions, density {density:g}: {number} full bars{note}, "
        f"{dark} dark",
        counted(cell),
        f"the best seed has {full:g} full and {dark} dark bars, each give or take 1",
        bool(abs(best["full"] - full) <= 1 and abs(best["dedicated"] - dark) <= 1),
    )


def sparsest(ds: xr.Dataset) -> Finding:
    """Whether the number of bars stays the same at the lowest densities."""
    best = js.best_seed(ds.sel(density=list(SPARSEST), method="nearest"))
    cases = [case for p in SPARSEST for case in counted(at(ds, p), f"{p:g}, ")]
    return Finding(
        "20 features, 5 dimensions, densities 0.003 and 0.001: 11 to 12 full bars, 0 dark",
        sorted(cases, key=lambda case: not case.where.endswith("best seed")),
        "the best seeds have 11.5 full bars, give or take 1, and no dark one",
        bool(((abs(best["full"] - 11.5) <= 1) & (best["dedicated"] == 0)).all()),
    )


def signs(ds: xr.Dataset) -> Finding:
    """Whether interference becomes positive and biases negative in sparse models."""
    best = js.best_seed(ds)
    sparse = best["density"].values < 0.011
    pairs, biases = best["positive_interference"], best["negative_biases"]
    # The densities of which something is stated come first.
    order = [*np.flatnonzero(sparse), *np.flatnonzero(~sparse)]
    cases = []
    for i in order:
        where = name(best["density"][i])
        cases += [
            Case(where, "positive pairs", int(pairs[i])),
            Case(where, "negative biases", int(biases[i])),
        ]
    return Finding(
        "from density 0.01 down: positive interference and negative biases",
        cases,
        "at each of these densities the best seed has more than 2 pairs with positive "
        "interference and more than 2 negative biases",
        bool((pairs[sparse] > 2).all() and (biases[sparse] > 2).all()),
    )


def stored(ds: xr.Dataset) -> Finding:
    """Whether the linear model stores the most important features and nothing else."""
    gap = identity_gap(ds).transpose("density", "seed")
    near, lowest = gap < LARGEST_GAP, gap.min("seed")
    share, where = interval(np.mean, near.mean("density")), "all densities"
    worst, n = float(lowest.max()), gap.sizes["seed"]
    represented = js.best_seed(ds)["is_represented"]
    cases = [
        Case.of(where, f"models within {LARGEST_GAP} of the identity", share, "%"),
        Case(where, "largest gap of a closest seed", worst, n=n),
    ]
    for cell, one in zip(near, lowest, strict=True):
        found = interval(np.mean, cell)
        where = name(cell["density"])
        cases += [
            Case.of(where, f"seeds within {LARGEST_GAP}", found, "%"),
            Case(where, "gap of the closest seed", float(one), n=n),
        ]
    return Finding(
        "the linear model stores the 5 most important features only, at every density",
        cases,
        "at every density the best seed represents these features and no others, and in "
        f"some seed no entry of W Wᵀ is {LARGEST_GAP} or more from the identity on them",
        bool((represented == most_important(ds)).all() and (lowest < LARGEST_GAP).all()),
    )


def relu(linear: xr.Dataset, small: xr.Dataset) -> Finding:
    """Whether the small model stores more than the linear one."""
    without, with_relu = (js.best_seed(ds)["represented"] for ds in (linear, small))
    cases = []
    for one, other in zip(without, with_relu, strict=True):
        where = name(one["density"])
        cases += [Case(where, "linear", int(one)), Case(where, "ReLU", int(other))]
    return Finding(
        "with ReLU the model stores more than 5 once features are sparse",
        cases,
        "features represented in the best seeds: more than 5 with ReLU at all densities "
        "but the first, 5 in the linear model at all",
        bool((with_relu[1:] > 5).all() and (without == 5).all()),
    )


def dense(ds: xr.Dataset) -> Finding:
    """Whether the large model of dense features fills its dimensions with one each."""
    cell = ds.isel(density=0)
    best = js.best_seed(cell)
    dedicated, represented = int(best["dedicated"]), int(best["represented"])
    mean, spread = over_seeds(cell["dedicated"], "dedicated")
    return Finding(
        "80 features, 20 dimensions, dense: 20 dedicated",
        [
            Case("best seed", "dedicated", dedicated),
            Case("best seed", "represented", represented),
            mean,
            spread,
        ],
        "both numbers of the best seed are 20",
        dedicated == represented == 20,
    )


def last_dark(ds: xr.Dataset) -> Finding:
    """Down to which density the large model has a dark bar."""
    dark = js.best_seed(ds)["dedicated"]
    dark_at = dark["density"].values[dark.values > 0]
    last = float(dark_at[-1]) if len(dark_at) else np.nan
    return Finding(
        "80 features, 20 dimensions: the last dark bar at density 0.01 or so",
        [
            Case("best seeds", "last at density", last),
            *(Case(name(one["density"]), "dark bars", int(one)) for one in dark),
        ],
        "the lowest density at which the best seed has a dark bar is 0.003 to 0.03",
        0.003 <= last <= 0.03,
    )


def copied(large: xr.Dataset, small: xr.Dataset) -> Finding:
    """Whether the large model has four times the bars of the small one."""
    ratios = js.best_seed(large)["full"] / js.best_seed(small)["full"]
    cases = [Case(name(one["density"]), "ratio of full bars", float(one)) for one in ratios]
    return Finding(
        "80 features, 20 dimensions: the small model's picture, four times as large",
        sorted(cases, key=lambda case: -abs(case.value - 4)),
        "the best seeds' full bars relative to the small model's are 3 to 5 times as many "
        "at every density (both excluded)",
        bool((abs(ratios - 4) < 1).all()),
    )

"""What the paper's figures show beside the best seeds of our models."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

import jsuper as js
from jsuper.experiments.demonstration.measures import identity_gap, most_important
from jsuper.experiments.findings import Case, Finding
from jsuper.files import datasets

STATED = {
    1.0: (5, 5, "density 1: 5 full bars, 5 dark"),
    0.3: (7, 3, "density 0.3: 7 full bars, 3 dark"),
    0.1: (9, 1, "density 0.1: 9 full bars, 1 dark"),
    0.03: (10, 0, "density 0.03: 10 full bars and 2 stubs, 0 dark"),
    0.01: (11.5, 0, "density 0.01: 11 to 12 full bars, 0 dark"),
    (0.003, 0.001): (11.5, 0, "densities 0.003 and 0.001: 11 to 12 full bars, 0 dark"),
}
"""Full and dark bars that the paper's figure of the small model shows, by density."""

BARS = {"full": "full bars", "dedicated": "dark bars", "stubs": "stubs"}

LARGEST_GAP = 0.15
"""Up to which W Wᵀ counts as the identity of the most important features."""


def findings(models: xr.DataTree) -> list[Finding]:
    """On the small model, the linear one and, where it is trained, the large one."""
    ds = datasets(models)
    small, linear = ds["small"], ds["linear"]
    found = [bars(small, at, *stated) for at, stated in STATED.items()]
    found += [signs(small), stored(linear), relu(linear, small)]
    if "large" in ds:
        found += [dense(ds["large"]), last_dark(ds["large"]), copied(ds["large"], small)]
    return found


def counted(ds: xr.Dataset, named: Mapping[str, str], where: str = "") -> list[Case]:
    """A case for each count, density by density; along seeds, their mean."""
    one = "density" not in ds.dims
    cells = [ds] if one else [ds.sel(density=[p]) for p in ds["density"].values]
    return [
        case
        for cell in cells
        for variable, quantity in named.items()
        for case in Case.each(cell[variable], quantity, where=where)
    ]


def bars(ds: xr.Dataset, at: ArrayLike, full: float, dark: int, stated: str) -> Finding:
    """Whether the small model has the paper's bars at some densities."""
    ds = ds.sel(density=np.asarray(at), method="nearest")
    best = js.best_seed(ds)
    near = abs(best["full"] - full) <= 1
    near &= abs(best["dedicated"] - dark) <= min(dark, 1)
    return Finding(
        f"20 features, 5 dimensions, {stated}",
        counted(best, BARS, "best seed") + counted(ds, BARS, "mean of seeds"),
        f"the best seed has {full:g} full bars, give or take 1, and "
        + (f"{dark} dark ones, give or take 1" if dark else "no dark one"),
        bool(near.all()),
    )


def signs(ds: xr.Dataset) -> Finding:
    """Whether interference becomes positive and biases negative in sparse models."""
    best = js.best_seed(ds).sortby("density")
    names = {
        "positive_interference": "positive pairs",
        "negative_biases": "negative biases",
    }
    sparse = best[list(names)].sel(density=slice(0.011))
    return Finding(
        "from density 0.01 down: positive interference and negative biases",
        counted(best, names),
        "at each of these densities the best seed has more than 2 pairs with positive "
        "interference and more than 2 negative biases",
        bool((sparse.to_dataarray() > 2).all()),
    )


def stored(ds: xr.Dataset) -> Finding:
    """Whether the linear model stores the most important features and nothing else."""
    gap = identity_gap(ds)
    near, lowest = gap < LARGEST_GAP, gap.min("seed")
    represented, where = js.best_seed(ds)["is_represented"], "all densities"
    share = Case.mean(
        where, f"models within {LARGEST_GAP} of the identity", near.mean("density"), "%"
    )
    return Finding(
        "the linear model stores the 5 most important features only, at every density",
        [
            share,
            Case(where, "largest gap of a closest seed", float(lowest.max())),
            *Case.each(near, f"seeds within {LARGEST_GAP}", "%"),
            *Case.each(lowest, "gap of the closest seed"),
        ],
        "at every density the best seed represents these features and no others, and in "
        f"some seed no entry of W Wᵀ is {LARGEST_GAP} or more from the identity on them",
        bool((represented == most_important(ds)).all() and (lowest < LARGEST_GAP).all()),
    )


def relu(linear: xr.Dataset, small: xr.Dataset) -> Finding:
    """Whether the small model stores more than the linear one."""
    best = {"linear": linear, "ReLU": small}
    stores = {
        n: js.best_seed(ds)["represented"].drop_vars("seed") for n, ds in best.items()
    }
    more = stores["ReLU"].isel(density=slice(1, None)) > 5
    return Finding(
        "with ReLU the model stores more than 5 once features are sparse",
        counted(xr.Dataset(stores), {name: name for name in stores}),
        "features represented in the best seeds: more than 5 with ReLU at all densities "
        "but the first, 5 in the linear model at all",
        bool(more.all() and (stores["linear"] == 5).all()),
    )


def dense(ds: xr.Dataset) -> Finding:
    """Whether the large model of dense features fills its dimensions with one each."""
    ds, names = ds.isel(density=0), {n: n for n in ("dedicated", "represented")}
    best = js.best_seed(ds)
    return Finding(
        "80 features, 20 dimensions, dense: 20 dedicated",
        counted(best, names, "best seed") + counted(ds, names, "mean of seeds"),
        "both numbers of the best seed are 20",
        bool((best[list(names)].to_dataarray() == 20).all()),
    )


def last_dark(ds: xr.Dataset) -> Finding:
    """Down to which density the large model has a dark bar."""
    dark = js.best_seed(ds)["dedicated"]
    last = float(dark["density"].where(dark > 0).min())
    return Finding(
        "80 features, 20 dimensions: the last dark bar at density 0.01 or so",
        [
            Case("best seeds", "last at density", last),
            *Case.each(dark, "dark bars"),
            *Case.each(ds["dedicated"], "dark bars", where="mean of seeds"),
        ],
        "the lowest density at which the best seed has a dark bar is 0.003 to 0.03",
        0.003 <= last <= 0.03,
    )


def copied(large: xr.Dataset, small: xr.Dataset) -> Finding:
    """Whether the large model has four times the bars of the small one."""
    ratios = js.best_seed(large)["full"] / js.best_seed(small)["full"]
    means = large["full"].mean("seed") / small["full"].mean("seed")
    cases = Case.each(ratios, "ratio of full bars")
    return Finding(
        "80 features, 20 dimensions: the small model's picture, four times as large",
        [
            *sorted(cases, key=lambda case: -abs(case.value - 4)),
            *Case.each(means, "ratio of full bars", where="mean of seeds"),
        ],
        "the best seeds' full bars relative to the small model's are 3 to 5 times as many "
        "at every density (both excluded)",
        bool((abs(ratios - 4) < 1).all()),
    )

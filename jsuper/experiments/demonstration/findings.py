"""What the paper's figures show beside the best seeds of our models."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

import jsuper as js
from jsuper.experiments.demonstration import measures
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


def findings(models: xr.DataTree) -> list[Finding]:
    """On the small model, the linear one and, where it is trained, the large one."""
    ds = datasets(models)
    found = [bars(ds["small"], at, *stated) for at, stated in STATED.items()]
    found += relu(ds["small"], ds["linear"])
    return found + (enlarged(ds["large"], ds["small"]) if "large" in ds else [])


def counted(ds: xr.Dataset, **named: str) -> list[Case]:
    """Cases of some counts in the best seeds, and their means over all."""
    return [
        case
        for where, models in (("best seed", js.best_seed(ds)), ("mean of seeds", ds))
        for variable, quantity in named.items()
        for case in Case.each(models[variable], quantity, where=where)
    ]


def bars(ds: xr.Dataset, at: ArrayLike, full: float, dark: int, stated: str) -> Finding:
    """Whether the small model has the paper's bars at some densities."""
    ds = ds.sel(density=np.asarray(at), method="nearest")
    best = js.best_seed(ds)
    near = abs(best["full"] - full) <= 1
    near &= abs(best["dedicated"] - dark) <= min(dark, 1)
    return Finding(
        f"20 features, 5 dimensions, {stated}",
        counted(ds, full="full bars", dedicated="dark bars", stubs="stubs"),
        f"the best seed has {full:g} full bars, give or take 1, and "
        + (f"{dark} dark ones, give or take 1" if dark else "no dark one"),
        bool(near.all()),
    )


def relu(small: xr.Dataset, linear: xr.Dataset) -> list[Finding]:
    """What ReLU makes of interference, and that the linear model stores 5 features."""
    best, best_linear = js.best_seed(small), js.best_seed(linear)
    sparse = best.sortby("density").sel(density=slice(0.011))
    pairs, biases = sparse["positive_interference"], sparse["negative_biases"]
    gap, where = measures.identity_gap(linear), "all densities"
    near, lowest = (gap < 0.15).mean("density"), gap.min("seed").max().item()
    more, five = best["represented"], best_linear["represented"]
    important = best_linear["is_represented"].isel(feature=slice(5))
    return [
        Finding(
            "from density 0.01 down: positive interference and negative biases",
            Case.each(pairs, "positive pairs") + Case.each(biases, "negative biases"),
            "at each of these densities the best seed has more than 2 pairs with positive "
            "interference and more than 2 negative biases",
            bool((pairs > 2).all() and (biases > 2).all()),
        ),
        Finding(
            "the linear model stores the 5 most important features only, at every density",
            [
                Case.mean(where, "models within 0.15 of the identity", near, "%"),
                Case(where, "largest gap of a closest seed", lowest),
            ],
            "at every density the best seed represents these features and no others, and "
            "in some seed no entry of W Wᵀ is 0.15 or more from the identity on them",
            bool(important.all() and (five == 5).all() and lowest < 0.15),
        ),
        Finding(
            "with ReLU the model stores more than 5 once features are sparse",
            Case.each(more, "ReLU") + Case.each(five, "linear"),
            "features represented in the best seeds: more than 5 with ReLU at all "
            "densities but the first, 5 in the linear model at all",
            bool((more[1:] > 5).all() and (five == 5).all()),
        ),
    ]


def enlarged(large: xr.Dataset, small: xr.Dataset) -> list[Finding]:
    """Whether the large model has the paper's dark bars, and four times the small one's."""
    best, dense = js.best_seed(large), large.isel(density=0)
    dark, represented = best["dedicated"], best["represented"]
    last = dark["density"].where(dark > 0).min().item()
    ratios = best["full"] / js.best_seed(small)["full"]
    means = large["full"].mean("seed") / small["full"].mean("seed")
    return [
        Finding(
            "80 features, 20 dimensions, dense: 20 dedicated",
            counted(dense, dedicated="dedicated", represented="represented"),
            "both numbers of the best seed are 20",
            dark[0].item() == represented[0].item() == 20,
        ),
        Finding(
            "80 features, 20 dimensions: the last dark bar at density 0.01 or so",
            [
                Case("best seeds", "last at density", last),
                *counted(large, dedicated="dark bars"),
            ],
            "the lowest density at which the best seed has a dark bar is 0.003 to 0.03",
            0.003 <= last <= 0.03,
        ),
        Finding(
            "80 features, 20 dimensions: the small model's picture, four times as large",
            Case.each(ratios.sortby(-abs(ratios - 4)), "ratio of full bars")
            + Case.each(means, "ratio of full bars", where="mean of seeds"),
            "the best seeds' full bars relative to the small model's are 3 to 5 times as "
            "many at every density (both excluded)",
            bool((abs(ratios - 4) < 1).all()),
        ),
    ]

"""What a penalty does to superposition, and trained models against the bounds."""

import numpy as np
import xarray as xr

from jsuper.experiments.bounds.measures import (
    free_of_superposition,
    needed,
    relative_cost,
    sensing_constant,
)
from jsuper.experiments.findings import Case, Finding, told_first
from jsuper.files import datasets


def findings(models: xr.DataTree) -> list[Finding]:
    """What the penalty does, and one finding for each statement about the bounds."""
    ds = datasets(models)
    packed = ds["packing"].rename(n_hidden="m")
    return [
        *penalty(ds["l1-penalty"]),
        *packing(packed["packing"]),
        welch(packed),
        linear(packed["represented_per_dimension"]),
        modulated(packed),
    ]


def penalty(ds: xr.Dataset) -> list[Finding]:
    """Whether from some penalty on no seed superposes features, and what that costs."""
    enough = free_of_superposition(ds)
    known = enough.dropna("density")
    there = {"density": known["density"], "l1": known}
    left, price = ds["represented"].sel(there), relative_cost(ds).sel(there)
    cases = [
        *Case.each(enough, "gone from λ"),
        *Case.each(left == 0, "seeds with no feature left", "%"),
        *Case.each(left, "features left"),
        *Case.each(ds["superposed"].sel(l1=0), "superposed without it"),
    ]
    return [
        Finding(
            "an L1 penalty on the hidden activations removes superposition",
            told_first(cases, cases[-1].where),
            "from some λ on no seed superposes features, and there every seed has one or "
            "more",
            bool(enough.notnull().all() and left.min() >= 1),
        ),
        Finding(
            "at a cost in loss",
            Case.each(price, "loss ratio"),
            "at the smallest λ without superposition, measured without the penalty, the "
            "loss of every seed is above that at λ = 0",
            bool(price.size and price.min() > 1),
        ),
    ]


def packing(share: xr.DataArray) -> list[Finding]:
    """Sums of dimensionalities over m against 1."""
    return [
        Finding(
            "dimensionalities sum to at most m",
            [
                Case("", "largest sum / m", float(share.max())),
                Case("", "models", share.size),
            ],
            "at most 1.0001 m",
            bool(share.max() < 1 + 1e-4),
        ),
        Finding(
            "and to m when packed efficiently",
            [Case.spread("", "median sum / m", share, "models")],
            "the median is above 0.95 m",
            bool(share.median() > 0.95),
        ),
    ]


def welch(ds: xr.Dataset) -> Finding:
    """Interference of unit vectors against Welch's bound."""
    above = ds["rms"] / ds["welch"]
    near = float((above < 1.01).sum() / above.notnull().sum())
    return Finding(
        "interference is at least Welch's bound (Welch 1974)",
        [
            Case.spread("", "rms / bound", above, "models"),
            Case("", "models within 1% of it", near, unit="%"),
            Case.spread("", "largest pair / bound", ds["largest"] / ds["welch"], "models"),
        ],
        "the rms of no model is below the bound, to 1e-5",
        bool(above.min() > 1 - 1e-5),
        "Welch 1974",
    )


def linear(number: xr.DataArray) -> Finding:
    """Features per dimension at the two largest sizes: the statement is about many."""
    large = number[{"m": slice(-2, None)}].mean("seed")
    large = large.where(large["density"] <= 0.2, drop=True)
    factor = float((large.max("m") / large.min("m")).max())
    sizes = " and ".join(str(m) for m in large["m"].values)
    return Finding(
        "the number of features is linear in the dimensions",
        [
            Case(f"density up to 0.2, m = {sizes}", "factor up to", factor),
            *Case.each(number.max("density"), "features / m up to"),
        ],
        "features per dimension at the two largest m, means over seeds, differ by a factor "
        "below 1.5",
        factor < 1.5,
    )


def modulated(ds: xr.Dataset) -> Finding:
    """The number of features against the curve of compressed sensing."""
    below = needed(ds).where(ds["density"] <= np.exp(-1), drop=True)
    factor = below.max("density") / below.min("density")
    return Finding(
        "modulated by sparsity, at most of the order of -1 / (p log p)",
        [
            Case("", "C in m ≥ C n p log(1/p)", sensing_constant(ds)),
            *Case.each(factor[{"m": slice(None, None, -1)}], "−n p log(p) / m varies by"),
        ],
        "over densities below 1/e it varies by a factor below 2 at the largest m, in the "
        "mean over seeds",
        bool(factor[{"m": -1}].mean() < 2),
    )

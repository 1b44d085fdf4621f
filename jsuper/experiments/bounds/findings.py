"""What a penalty does to superposition, and trained models against the bounds."""

import numpy as np
import xarray as xr

from jsuper.experiments.bounds.measures import (
    free_of_superposition,
    relative_cost,
    sensing_constant,
    sensing_ratio,
)
from jsuper.experiments.findings import Case, Finding
from jsuper.plots import style
from jsuper.results.statistics import interval


def findings(models: xr.DataTree) -> list[Finding]:
    """What the penalty does, and one finding for each statement about the bounds."""
    penalised, packed = (models[name].to_dataset() for name in ("l1-penalty", "packing"))
    return [
        penalty_removes(penalised),
        penalty_costs(penalised),
        *packing(packed["packing"]),
        welch(packed),
        linear(packed),
        modulated(packed),
    ]


def penalty_removes(ds: xr.Dataset) -> Finding:
    """Whether there is a penalty from which on no seed superposes features."""
    enough = free_of_superposition(ds)
    gone, left, before, useful = [], [], [], []
    for density in ds["density"].values:
        cell, penalty = ds.sel(density=density), float(enough.sel(density=density))
        where = _at(density)
        superposed = interval(np.mean, cell["superposed"].sel(l1=0).values)
        before.append(Case.of(where, "superposed without it", superposed))
        if np.isnan(penalty):
            gone.append(Case(where, "not gone up to λ", float(ds["l1"].max())))
            useful.append(False)
            continue
        kept = cell["represented"].sel(l1=penalty).values
        gone.append(Case(where, "gone from λ", penalty, n=ds.sizes["seed"]))
        left.append(Case.of(where, "features left", interval(np.mean, kept)))
        useful.append(kept.min() >= 1)
    return Finding(
        "an L1 penalty on the hidden activations removes superposition",
        [*gone, *left, *before],
        "from some λ on no seed superposes features, and there every seed has one or more",
        all(useful),
    )


def penalty_costs(ds: xr.Dataset) -> Finding:
    """Whether that penalty makes the reconstruction worse."""
    cost, enough = relative_cost(ds), free_of_superposition(ds)
    prices = {
        density: cost.sel(density=density, l1=penalty).values
        for density, penalty in zip(ds["density"].values, enough.values, strict=True)
        if np.isfinite(penalty)
    }
    cases = [
        Case.of(_at(density), "loss ratio", interval(np.mean, price))
        for density, price in prices.items()
    ]
    return Finding(
        "at a cost in loss",
        cases,
        "at the smallest λ without superposition, measured without the penalty, the loss "
        "of every seed is above that at λ = 0",
        bool(prices) and all(price.min() > 1 for price in prices.values()),
    )


def packing(share: xr.DataArray) -> list[Finding]:
    """Sums of dimensionalities over m against 1."""
    n = share.sizes["seed"]
    low, middle, high = (float(q) for q in share.quantile([0.25, 0.5, 0.75]))
    return [
        Finding(
            "dimensionalities sum to at most m",
            [
                Case("", "largest sum / m", float(share.max()), n=n),
                Case("", "models", share.size),
            ],
            "at most 1.0001 m",
            bool(share.max() < 1 + 1e-4),
        ),
        Finding(
            "and to m when packed efficiently",
            [
                Case("", "median sum / m", middle, low, high, n, "", "half of the models"),
                Case("", "smallest", float(share.min()), n=n),
            ],
            "the median is above 0.95 m",
            bool(share.median() > 0.95),
        ),
    ]


def welch(ds: xr.Dataset) -> Finding:
    """Interference of unit vectors against Welch's bound."""
    n = ds.sizes["seed"]
    above, peak = ds["rms"] / ds["welch"], ds["largest"] / ds["welch"]
    near = float((above < 1.01).sum() / above.notnull().sum())

    def ranged(quantity: str, ratio: xr.DataArray) -> Case:
        low, middle, high = (float(q) for q in ratio.quantile([0, 0.5, 1]))
        return Case("", quantity, middle, low, high, n, interval="range over models")

    return Finding(
        "interference is at least Welch's bound (Welch 1974)",
        [
            ranged("root mean square / bound", above),
            Case("", "models within 1% of it", near, n=n, unit="%"),
            ranged("largest pair / bound", peak),
        ],
        "the root mean square of no model is below the bound, to 1e-5",
        bool(above.min() > 1 - 1e-5),
        by="Welch 1974",
    )


def linear(ds: xr.Dataset) -> Finding:
    """Features per dimension at the two largest sizes: the statement is about many."""
    n = ds.sizes["seed"]
    each = ds["represented_per_dimension"].mean("seed")
    sparse = each.where(each["density"] <= 0.2, drop=True)
    large = sparse.isel(n_hidden=slice(-2, None))
    spread = float((large.max("n_hidden") / large.min("n_hidden")).max())
    sizes = " and ".join(str(m) for m in large["n_hidden"].values)
    most = each.max("density")
    return Finding(
        "the number of features is linear in the dimensions",
        [
            Case(f"density up to 0.2, m = {sizes}", "factor up to", spread, n=n),
            *(
                Case(f"m = {m}", "features / m up to", float(value), n=n)
                for m, value in zip(ds["n_hidden"].values, most.values, strict=True)
            ),
        ],
        "features per dimension at the two largest m differ by a factor below 1.5",
        spread < 1.5,
    )


def modulated(ds: xr.Dataset) -> Finding:
    """The number of features against the curve of compressed sensing."""
    n = ds.sizes["seed"]
    ratio = sensing_ratio(ds)
    below = ratio.where(ratio["density"] <= np.exp(-1), drop=True)
    factor = below.max("density") / below.min("density")
    return Finding(
        "modulated by sparsity, at most of the order of -1 / (p log p)",
        [
            Case("", "C in m ≥ C n p log(1/p)", sensing_constant(ds), n=n),
            *(
                Case(f"m = {m}", "−n p log(p) / m varies by", float(value), n=n)
                for m, value in zip(ds["n_hidden"].values, factor.values, strict=True)
            ),
        ],
        "over densities below 1/e it varies by a factor below 2 at the largest m",
        float(factor.isel(n_hidden=-1)) < 2,
    )


def _at(density: float) -> str:
    return style.coordinate("density", float(density))

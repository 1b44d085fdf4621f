"""Whether superposition comes back, where it ends, and what is a matter of training."""

import numpy as np
import xarray as xr

from jsuper import theory
from jsuper.experiments.exrelu_exact import measures
from jsuper.experiments.findings import Case, Finding, told_first
from jsuper.files import datasets
from jsuper.plots import style

PREDICTED = (-0.5, -0.78)
"""Where the page on sampled training expects superposition to come back."""


def findings(models: xr.DataTree) -> list[Finding]:
    """Four findings: what comes back, what the optimum is, and how well it is found."""
    ds = datasets(models)
    candidates, known = ds["candidates"], ds["known"]
    return [
        comes_back(candidates.isel(density=-1)["superposed"], ds["superposed"]),
        optimum(known["superposed"].isel(density=-1)),
        nowhere_above(candidates),
        review(known["superposed"]),
    ]


def comes_back(superposed: xr.DataArray, runs: xr.Dataset) -> Finding:
    """Whether training superposes below -0.5 once the gradient sees the jump."""
    t = superposed["threshold"]
    within = superposed.sel(threshold=(t < PREDICTED[0]) & (t > PREDICTED[1]))
    cases = []
    for way, name in measures.WAYS.items():
        some = within.sel(way=way) > 0
        cases.append(Case.count(name, "best seed superposes at", some))
        single = runs[way].isel(density=-1).sel(threshold=within["threshold"]) > 0
        cases.append(Case.mean(name, "of single runs", single.mean("threshold"), "%"))
    large = (within.sel(way=["exact, large", "straight-through"]) > 0).all("threshold")
    return Finding(
        "an optimizer that sees the jump brings superposition back between −0.5 and −0.78",
        cases,
        "at the lowest density, the best seed of exact training from larger weights and of "
        "straight-through training has superposed features at all thresholds between",
        bool(large.all()),
        "ours",
    )


def optimum(superposed: xr.DataArray) -> Finding:
    """Where superposition ends as an optimum."""
    end = float(measures.ends(superposed))
    below = superposed["threshold"].sel(threshold=superposed["threshold"] < end)
    density = float(superposed["density"])
    pair = float(np.interp(density, *_boundary((0.9, 0.81))))
    where = f"density {density:.3g}"
    return Finding(
        "the best solution known has superposition down to where the ideal pair pays",
        [
            Case(where, "lowest threshold with superposition", end),
            Case(where, "highest without", float(below.max())),
            Case(where, "ideal pair pays down to", pair),
        ],
        "the limit of the ideal pair lies between these, or within 0.03 of them",
        float(below.max()) - 0.03 <= pair <= end + 0.03,
        "theory",
    )


def _boundary(pair: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Densities, ascending, and the threshold down to which an ideal pair pays there."""
    t = np.linspace(-0.799, -0.01, 800)
    p = theory.pair_boundary(t, pair)
    kept = p > 0
    order = np.argsort(p[kept])
    return p[kept][order], t[kept][order]


def nowhere_above(candidates: xr.Dataset) -> Finding:
    """Whether exact training finds all that was known at the lowest density."""
    exact = candidates["loss"].isel(density=-1).sel(way="exact, biases")
    ratio = (exact / measures.listed(candidates)).sortby("threshold")
    tried = Case.each(ratio - 1, "above the best listed", "%")
    return Finding(
        "exact training finds all that was known for sampled training, or better",
        told_first(tried, f"t = {style.number(float(ratio.idxmax('threshold')))}"),
        "nowhere above it, at the lowest density, but for rounding (0.001%)",
        bool((ratio <= 1 + 1e-5).all()),
        "ours",
    )


def review(superposed: xr.DataArray) -> Finding:
    """Whether ExReLU with t = -0.25 has an optimum without superposition."""
    some = superposed.sel(threshold=-0.25) > 0
    relu = superposed.sel(threshold=0.0) > 0
    return Finding(
        "with t = −0.25 the best solution has no superposition",
        [
            Case.count("t = −0.25", "superposition in the best known at", some),
            Case.count("t = 0", "superposition in the best known at", relu),
        ],
        "no density has superposition in the best solution known",
        not bool(some.any()),
        "the review",
    )

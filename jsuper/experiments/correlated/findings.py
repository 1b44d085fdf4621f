"""What the paper says of correlated features, beside what the trained models show."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from jsuper.experiments.correlated.solutions import arrangements, pair_cosines, shapes
from jsuper.experiments.outcome import Finding

PAPER_RANGES = ((0, 0.0, 0.05), (1, 0.05, 0.15), (2, 0.15, 0.2), (3, 0.25, 0.5))
"""Collapsed pairs by range of density, as the paper states them."""

TIE = 0.05
"""Where the paper's ranges of no and of one collapsed pair meet; below it the hexagon is
expected."""

PCA_LIKE = 0.5
"""Density from which the paper calls the solution most like principal components."""


def span(values: ArrayLike) -> str:
    """Lowest to highest, as in ``3 to 5``."""
    values = np.asarray(values)
    low, high = (f"{v:.3g}" for v in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def by_density(values: xr.DataArray, names: tuple[str, ...] | None = None) -> str:
    """A count, or a name by number, for each density: ``3 (0.1), 5 (0.2)``."""
    pairs = zip(values["density"].values, values.values.astype(int), strict=True)
    return ", ".join(f"{names[v] if names else v} ({p:g})" for p, v in pairs)


def in_percent(values: xr.DataArray) -> str:
    """A share for each density, as in ``0.8% (0.05)``."""
    pairs = zip(values["density"].values, values.values, strict=True)
    return ", ".join(f"{100 * v:.1f}% ({p:g})" for p, v in pairs)


def find_pairs(ds: xr.Dataset, control: xr.Dataset) -> Finding:
    """Correlated pairs: orthogonal within, antipodal across."""
    kind, chance = arrangements(ds), arrangements(control)
    best = kind.isel(seed=ds["loss"].argmin("seed"))
    right = (kind == 0).sum("seed")
    sparse = ds["density"] <= 0.2
    return Finding(
        "two correlated pairs: features of a pair orthogonal, antipodal to the other pair",
        f"seeds of {ds.sizes['seed']} (density): {by_density(right)}; best seed so at "
        f"densities {span(best['density'].values[best.values == 0])}. Independent "
        f"features pair up so by chance: {by_density((chance == 0).sum('seed'))}",
        bool((best.values[sparse.values] == 0).all() and (best == 0).any()),
    )


def find_exclusive(ds: xr.Dataset) -> list[Finding]:
    """Anticorrelated pairs: antipodal within, and no loss at all."""
    kind = arrangements(ds)
    best = ds.isel(seed=ds["loss"].argmin("seed"))
    right = (kind == 1).sum("seed")
    at_best = kind.isel(seed=ds["loss"].argmin("seed"))
    others = ds["loss"].where(kind == 0).min("seed")
    return [
        Finding(
            "two anticorrelated pairs: features of a pair antipodal",
            f"best seed so at {int((at_best == 1).sum())} of {ds.sizes['density']} "
            f"densities; seeds of {ds.sizes['seed']} (density): {by_density(right)}",
            bool((at_best == 1).all()),
        ),
        Finding(
            "zero loss is attainable with anticorrelated pairs",
            f"lowest loss {float(best['loss'].max()):.0e} or less at every density; seeds "
            f"that pair features across sets stay at {float(others.min()):.0e} or more",
            float((best["loss"] / others).max()) < 0.01,
        ),
    ]


def find_hexagon(ds: xr.Dataset, control: xr.Dataset) -> list[Finding]:
    """Three pairs in a hexagon, and how often one collapses."""
    sparse = ds.sel(density=ds["density"] <= TIE)
    right = sparse["hexagon"] & sparse["beside"]
    best = right.isel(seed=sparse["loss"].argmin("seed"))
    seeds = ds.sizes["seed"]
    fell = (sparse["collapsed"] == 1).sum("seed")
    excess = (
        sparse["loss"].where(sparse["collapsed"] == 1).min("seed")
        / sparse["loss"].where(right).min("seed")
        - 1
    )
    below = sparse["density"] < TIE
    chance = shapes(control)
    at_best = chance["hexagon"].isel(seed=chance["loss"].argmin("seed"))
    return [
        Finding(
            "three correlated pairs side by side in a hexagon",
            f"best seed (density): {by_density(best, ('no', 'yes'))}; seeds of {seeds}: "
            f"{by_density(right.sum('seed'))}",
            bool(best.where(below, True).all()),
        ),
        Finding(
            "a pair sometimes collapses instead, an optimisation failure",
            f"one pair collapses in {by_density(fell)} of {seeds} seeds; the loss of the "
            f"best of them is {in_percent(excess)} above the best hexagon's",
            bool((fell > 0).any() and (excess > 0).where(below, True).all()),
        ),
        Finding(
            "six independent features would not form a hexagon",
            f"seeds that are one, of {seeds} (density): "
            f"{by_density(chance['hexagon'].sum('seed'))}; the best seed at "
            f"{int(at_best.sum())} of {at_best.size} densities",
            not bool(at_best.any()),
        ),
    ]


def find_blocks(ds: xr.Dataset) -> Finding:
    """Local orthogonal bases."""
    sparse = ds.sel(density=ds["density"] <= 0.05)
    best = sparse.isel(seed=sparse["loss"].argmin("seed"))
    dense = ds.sel(density=ds["density"] >= 0.2)
    return Finding(
        "two correlated sets of ten: orthogonal within a set, interference only across",
        f"at densities up to 0.05 products within a set are {span(best['within'])} (root "
        f"mean square, best seed; all seeds {span(sparse['within'])}), across "
        f"{span(best['across'])}, squared norms within "
        f"{float(best['diagonal'].max()):.2f} of 1; from 0.2 up, within "
        f"{span(dense['within'])}, across {span(dense['across'])}",
        bool(
            (best["within"] < 0.2 * best["across"]).all() and (best["diagonal"] < 0.1).all()
        ),
    )


def find_collapse(ds: xr.Dataset) -> list[Finding]:
    """How many pairs collapse, by density."""
    best = ds.isel(seed=ds["loss"].argmin("seed"))
    p = ds["density"].values
    counts = best["collapsed"].values
    words = (
        "no pair collapses",
        "one pair collapses",
        "two pairs collapse",
        "all collapse",
    )
    # A density at which two of the paper's ranges meet speaks for neither.
    within = [(p >= low) & (p <= high) for _, low, high in PAPER_RANGES]
    findings = []
    for number, low, high in PAPER_RANGES:
        inside = (p >= low) & (p <= high) & (np.sum(within, axis=0) == 1)
        seen = "; ".join(
            f"{c} at {q:g}" for q, c in zip(p[inside], counts[inside], strict=True)
        )
        most = (ds["collapsed"].sel(density=p[inside]) == number).sum("seed")
        where = (
            f"density at most {high:g}" if number == 0 else f"density {low:g} to {high:g}"
        )
        findings.append(
            Finding(
                f"three correlated pairs, {where}: {words[number]}",
                f"best seed: {seen}; so many in {by_density(most)} of {ds.sizes['seed']} "
                "seeds",
                bool(inside.any() and (counts[inside] == number).all()),
            )
        )
    relative = best["relative"].values
    like = p >= PCA_LIKE
    findings.append(
        Finding(
            "most like principal components at densities from 0.5",
            "loss relative to the best linear model (PCA with a bias): "
            + ", ".join(
                f"{r:.2f} ({q:g})" for q, r in zip(p, relative, strict=True) if q >= 0.2
            ),
            bool(relative[like].min() > max(0.85, relative[~like].max())),
        )
    )
    norms = np.linalg.norm(
        best["W"].transpose("density", "feature", "hidden").values, axis=-1
    )
    fallen = np.repeat(pair_cosines(best["W"].values) > 0.95, 2, axis=-1)
    sparse = norms[fallen & (p < PCA_LIKE)[:, None]]
    dense = norms[fallen & like[:, None]]
    findings.append(
        Finding(
            "features a and b of a collapsed pair are stored as (a + b) / √2",
            f"their norms are {sparse.mean():.3f} ± {sparse.std():.3f} below a density of "
            f"0.5 (1/√2 = 0.707), {span(dense)} from there on",
            bool(abs(sparse.mean() - np.sqrt(0.5)) < 0.03 and sparse.std() < 0.05),
        )
    )
    return findings

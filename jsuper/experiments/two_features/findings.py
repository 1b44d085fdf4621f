"""Signs of the initial weights, closed forms of stability, and penalties."""

import numpy as np
import xarray as xr

from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.two_features import measures
from jsuper.files import datasets
from jsuper.theory.phases import phase_boundary

NEAR = 0.1
"""Decades of importance within which a closed form counts as near."""


def findings(models: xr.DataTree) -> list[Finding]:
    """Four findings on where runs end, one on the penalty, one on how exact all this is."""
    ds = datasets(models)
    shares, end = ds["shares"], measures.ends(ds["shares"])
    return [
        signs(shares, end),
        leaving(shares, end),
        short(shares, end),
        dedicated(shares, end),
        penalties(ds["penalty"]),
        again(end, measures.ends(ds["finer"]), ds["penalty"], ds["checked"]),
    ]


def _beyond(shares: xr.Dataset, cost) -> xr.DataArray:
    """Decades of importance by which cells lie beyond the stability of a drop."""
    limit = xr.apply_ufunc(
        measures.leaving_importance, shares["density"], kwargs={"cost": cost}
    )
    return np.log10(shares["importance"] / limit)


def signs(shares: xr.Dataset, end: xr.DataArray) -> Finding:
    """Whether runs pair that start with opposite signs, and no others."""
    beyond = _beyond(shares, measures.cost_of_opposite)
    opposite, pair = measures.opposite_signs(shares), (end == "pair").where(beyond > NEAR)
    share = xr.Dataset({"opposite": pair.where(opposite), "equal": pair.where(~opposite)})
    share = share.mean(("density", "importance", "seed"))
    cases = [
        Case(f"scale {scale:g}", f"of {name} signs that pair", float(values), unit="%")
        for scale in shares["scale"].values
        for name, values in share.sel(scale=scale).data_vars.items()
    ]
    most = pair.where(~opposite).mean("seed").max(("density", "importance"))
    cases += Case.each(most, "of equal signs that pair in one cell at most", "%")
    return Finding(
        "the signs of the initial weights decide: opposite ones pair, equal ones hardly",
        cases,
        "where a dropped feature is not stable, 95% of the starts of opposite signs pair "
        "and at most 10% of the others, at every scale",
        bool((share["opposite"] >= 0.95).all() and (share["equal"] <= 0.1).all()),
        "ours",
    )


def leaving(shares: xr.Dataset, end: xr.DataArray) -> Finding:
    """Whether small weights pair where a dropped feature is not stable."""
    beyond = _beyond(shares, measures.cost_of_opposite)
    opposite = measures.opposite_signs(shares)
    pair = (end == "pair").where(opposite).mean("seed")
    correct = ((pair.isel(scale=0) > 0.5) == (beyond > 0)).where(abs(beyond) > NEAR)
    better = shares["density"] < xr.apply_ufunc(phase_boundary, 2, shares["importance"])
    missed = better & (beyond < -NEAR / 2)
    found = pair.where(missed).mean(("density", "importance"))
    cases = [
        Case("scale 0.01", "cells as in theory", float(correct.mean()), unit="%"),
        Case(
            "",
            "cells where pairs cost less and drops are stable",
            float(missed.mean()),
            unit="%",
        ),
        *Case.each(found, "of opposite signs pair there", "%"),
    ]
    return Finding(
        "small weights pair just where a dropped feature is not stable, I v > C₋",
        cases,
        f"95% of the cells further than {NEAR:g} decades from I = C₋ / v",
        float(correct.mean()) >= 0.95,
        "theory",
    )


def short(shares: xr.Dataset, end: xr.DataArray) -> Finding:
    """Whether equal signs keep a short second weight just where theory has a minimum."""
    beyond = _beyond(shares, measures.cost_of_equal)
    same = shares.sel(scale=1.0).isel(seed=~measures.opposite_signs(shares).values)
    kept = (same["W"].prod(("feature", "hidden")) > 0.01).mean("seed") > 0.5
    correct = float((kept == (beyond > 0)).where(abs(beyond) > NEAR).mean())
    at = {"density": shares["density"].min(), "importance": 1.0}
    example = same.sel(at, method="nearest")
    lengths = np.sort(abs(example["W"].isel(hidden=0)).transpose("seed", "feature").values)
    cases = [
        Case("starts of equal signs, scale 1", "cells as in theory", correct, unit="%"),
        Case.spread("density 0.01, importance 1", "longer weight", lengths[:, 1], "starts"),
        Case.spread(
            "density 0.01, importance 1", "shorter weight", lengths[:, 0], "starts"
        ),
    ]
    return Finding(
        "equal signs keep a short second weight where I v > C₊, else they drop the feature",
        cases,
        f"95% of the cells further than {NEAR:g} decades from I = C₊ / v",
        correct >= 0.95,
        "theory",
    )


def dedicated(shares: xr.Dataset, end: xr.DataArray) -> Finding:
    """Whether the less important feature is ever the only one."""
    unequal = (end == "dedicate").where(shares["importance"] < 0.8)
    share = unequal.mean(("density", "importance", "seed"))
    cases = Case.each(share, "dedicate to the less important", "%")
    most = unequal.mean("seed").max(("density", "importance")).isel(scale=-1)
    cases.append(
        Case(f"scale {shares['scale'].values[-1]:g}", "at most", float(most), unit="%")
    )
    small = share.sel(scale=share["scale"] <= 1)
    return Finding(
        "only large weights end with the less important feature alone",
        cases,
        "at most 0.5% of the starts up to scale 1, more than 1% at the largest scale "
        "(importance below 0.8)",
        bool(small.max() <= 0.005 and share.isel(scale=-1) > 0.01),
        "ours",
    )


def penalties(ds: xr.Dataset) -> Finding:
    """Whether the pair outlives the ideal one's balance, up to the sparse limit."""
    critical = measures.critical_penalties(ds)
    unit = ds["importance"] * ds["density"]
    last, best = critical["last"] / unit, critical["best"] / unit
    lowest = {"density": ds["density"].min().item()}
    cases = [
        Case(f"density {lowest['density']:g}, importance {r:.2g}", name, float(value))
        for r in ds["importance"].sel(importance=[0.1, 0.3, 1.0], method="nearest").values
        for name, value in {
            "λ/(Ip) at which the pair ends": last.sel(lowest).sel(importance=r),
            "is no longer best": best.sel(lowest).sel(importance=r),
            "ideal pair is no longer best": measures.ideal_penalty(lowest["density"], r)
            / (r * lowest["density"]),
        }.items()
    ]
    stable = xr.apply_ufunc(measures.stable_penalty, ds["density"], ds["importance"]) / unit
    step = float(ds["strength"][1] - ds["strength"][0]) / 3
    there = last > 0
    ordered = (stable <= best + step) & (best <= last) & (last <= 1 / 3 + step)
    share = float(ordered.where(there).mean())
    cases.append(
        Case("all cells with a pair", "drop stable ≤ best ≤ end ≤ 1/3", share, unit="%")
    )
    sparse = float(last.sel(lowest).min())
    return Finding(
        "a pair bears penalties up to I p / 3 where features are sparse, an ideal one half",
        cases,
        "λ / (I p) at least 0.28 at the lowest density; in 99% of the cells a drop becomes "
        "stable first, then the pair is no longer best, then it ends, at most at 1/3",
        sparse >= 0.28 and share >= 0.99,
        "theory",
    )


def again(end, finer, penalty: xr.Dataset, checked: xr.Dataset) -> Finding:
    """Whether both results hold when they are computed in another way."""
    few = {name: finer[name] for name in ("density", "importance")}
    differ = (end.sel(few) != finer).mean(("density", "importance", "seed"))
    cases = Case.each(differ, "ends differ", "%", where="half the step, twice the time")
    critical = measures.critical_penalties(penalty)
    cell, off = {n: checked[n] for n in ("density", "importance")}, []
    for name, quantity in {
        "last": "where the pair ends",
        "best": "is no longer best",
    }.items():
        nearest = critical[name].interp(cell) / (checked["importance"] * checked["density"])
        off.append(float(abs(nearest - checked[name] / 3).max()))
        cases.append(Case("λ/(Ip), minimized in float64", f"{quantity}, off by", off[-1]))
    return Finding(
        "neither depends on how it is computed",
        cases,
        "at most 2% of the ends differ at any scale, and λ / (I p) by at most 0.01",
        float(differ.max()) <= 0.02 and max(off) <= 0.01,
        "ours",
    )

"""The review's claim beside the models, and why it holds where it does."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper import theory
from jsuper.experiments.exrelu.measures import ideal_losses, products
from jsuper.experiments.findings import Case, Finding, told_first
from jsuper.files import datasets

REVIEWS = -0.25
"""The review's threshold."""

NEAR = 0.03
"""Within which a product of weights is that of the closed form."""


def findings(models: xr.DataTree) -> list[Finding]:
    """The review's claim, where superposition ends, and why it does."""
    ds = datasets(models)
    return [
        suppression(ds["map"], ds["runs"]),
        end(ds["runs"]),
        fixed_point(products(ds["pairs"])),
        not_found(ds["sparsest"]),
        left(ds["pentagons"]),
    ]


def suppression(ds: xr.Dataset, runs: xr.Dataset) -> Finding:
    """How much superposition is left at the review's threshold."""
    some = js.best_seed(ds)["superposed"].sel(threshold=[REVIEWS, 0]) > 0
    with_some = [
        Case.count(f"t = {t:g}".replace("-", "−"), "superposition at", row)
        for t, row in zip((REVIEWS, 0), some.transpose("threshold", ...), strict=True)
    ]
    single = runs["superposed"].sel(threshold=REVIEWS)
    where = f"density {float(runs['density']):g}, t = −0.25"
    shares = [
        Case.mean(where, name, single == n, "%")
        for n, name in ((0, "nothing superposed"), (5, "five superposed"))
    ]
    return Finding(
        "ExReLU with t = −0.25 suppresses superposition",
        [*with_some, *shares],
        "no density has superposition in its best seed",
        not some.sel(threshold=REVIEWS).any(),
        "the review",
    )


def end(runs: xr.Dataset) -> Finding:
    """From which threshold down no run is superposed."""
    some = (runs["superposed"] > 0).sortby("threshold")
    below = some["threshold"] < theory.PAIR_LIMIT
    return Finding(
        f"below t = {theory.PAIR_LIMIT:.3f}".replace("-", "−")
        + " gradient descent has no pair to rest at, and nothing is superposed",
        Case.each(some, "superposed", "%"),
        "no run below the limit has a superposed feature",
        not some.sel(threshold=below).any(),
        "theory",
    )


def fixed_point(ends: xr.DataArray) -> Finding:
    """Where trained pairs end at the lowest density, beside the closed form."""
    trained = ends.sel(start="the pair").isel(density=0)
    t = trained["threshold"]
    expected = t.copy(data=theory.pair_fixed_point(t.values)).dropna("threshold")
    miss = abs(trained.mean("seed") - expected).max()
    cases = Case.each(trained, "−W₁·W₂") + Case.each(expected, "in theory")
    return Finding(
        "a trained pair ends at the fixed point of the gradient that it follows",
        told_first(cases, "t = −0.4"),
        f"all are within {NEAR} of the closed form, where there is one",
        bool(miss < NEAR),
        "theory",
    )


def not_found(sparsest: xr.Dataset) -> Finding:
    """What the best seed costs, and what two antipodal pairs would."""
    trained = sparsest["loss"].sel(threshold=np.isin(sparsest["threshold"], (-0.5, -0.6)))
    density, t = sparsest["density"].item(), trained["threshold"].values
    pairs = trained.copy(data=ideal_losses(density, t)["2 pairs"])
    where = f"density {density:.3g}"
    cases = [Case.each(trained, "loss trained", where=where)]
    cases.append(Case.each(pairs, "of 2 pairs", where=where))
    return Finding(
        "superposition ends although two antipodal pairs would cost less",
        [case for both in zip(*cases, strict=True) for case in both][::-1],
        "the pairs cost less by a tenth or more",
        bool((pairs / trained).max() < 0.9),
        "ours",
    )


def left(pentagons: xr.Dataset) -> Finding:
    """Whether training that starts from ReLU's pentagon makes its loss worse."""
    as_set = Case.each(pentagons["loss_as_set"], "loss as set")
    after = Case.each(pentagons["loss"], "after training")
    kept = Case.each(pentagons["represented"], "represented")
    tested = (pentagons["threshold"] > REVIEWS) & (pentagons["threshold"] <= -0.1)
    low = np.array([case.low for case in after], float)
    worse = (pentagons["loss_as_set"] < low).where(tested, True)
    return Finding(
        "training that starts from ReLU's pentagon leaves it, and its loss rises",
        told_first([*as_set, *after, *kept], "t = −0.2"),
        "at all thresholds from −0.1 to −0.2 the loss after training is higher",
        bool(worse.all()),
        "ours",
    )

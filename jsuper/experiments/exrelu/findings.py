"""The review's claim beside the models, and why it holds where it does."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper import theory
from jsuper.experiments.exrelu.measures import ideal_losses, products
from jsuper.experiments.findings import Case, Finding, told_first
from jsuper.files import datasets

NEAR = 0.03
"""Within which a product of weights is that of the closed form."""


def findings(models: xr.DataTree) -> list[Finding]:
    """The review's claim, where superposition ends, and why it does."""
    ds = datasets(models)
    some = js.best_seed(ds["map"])["superposed"] > 0
    claimed, runs = some.sel(threshold=-0.25), ds["runs"]
    nothing = runs["superposed"].sel(threshold=-0.25) == 0
    where = f"density {float(runs['density']):g}, t = −0.25"
    suppression = Finding(
        "ExReLU with t = −0.25 suppresses superposition",
        [
            Case.count("t = −0.25", "superposition at", claimed),
            Case.count("t = 0", "superposition at", some.sel(threshold=0)),
            Case.mean(where, "nothing superposed", nothing, "%"),
        ],
        "no density has superposition in its best seed",
        not claimed.any(),
        "the review",
    )
    return [
        suppression,
        end(runs["superposed"] > 0),
        fixed_point(products(ds["pairs"])),
        not_found(ds["sparsest"]),
        left(ds["pentagons"]),
    ]


def end(some: xr.DataArray) -> Finding:
    """From which threshold down no run is superposed."""
    some = some.sortby("threshold")
    return Finding(
        f"below t = −{-theory.PAIR_LIMIT:.3f} gradient descent has no pair to rest at, "
        "and nothing is superposed",
        Case.each(some, "superposed", "%"),
        "no run below the limit has a superposed feature",
        not some.sel(threshold=slice(theory.PAIR_LIMIT)).any(),
        "theory",
    )


def fixed_point(ends: xr.DataArray) -> Finding:
    """Where trained pairs end at the lowest density, beside the closed form."""
    trained = ends.sel(start="the pair").isel(density=0)
    t = trained["threshold"]
    expected = t.copy(data=theory.pair_fixed_point(t.values)).dropna("threshold")
    cases = Case.each(trained, "−W₁·W₂") + Case.each(expected, "in theory")
    return Finding(
        "a trained pair ends at the fixed point of the gradient that it follows",
        told_first(cases, "t = −0.4"),
        f"all are within {NEAR} of the closed form, where there is one",
        bool(abs(trained.mean("seed") - expected).max() < NEAR),
        "theory",
    )


def not_found(sparsest: xr.Dataset) -> Finding:
    """What the best seed costs, and what two antipodal pairs would."""
    trained = sparsest["loss"].sel(threshold=np.isin(sparsest["threshold"], (-0.5, -0.6)))
    density, t = sparsest["density"].item(), trained["threshold"].values
    pairs = trained.copy(data=ideal_losses(density, t)["2 antipodal pairs"])
    where = f"density {density:.3g}"
    cases = Case.each(pairs, "of 2 pairs", where=where)
    cases += Case.each(trained, "loss trained", where=where)
    return Finding(
        "superposition ends although two antipodal pairs would cost less",
        sorted(cases, key=lambda case: case.where),
        "the pairs cost less by a tenth or more",
        bool((pairs / trained).max() < 0.9),
        "ours",
    )


def left(pentagons: xr.Dataset) -> Finding:
    """Whether training that starts from ReLU's pentagon makes its loss worse."""
    t = pentagons["threshold"]
    tested = pentagons.sel(threshold=(t > -0.25) & (t <= -0.1)).sortby("threshold")
    after = Case.each(tested["loss"], "after training")
    cases = Case.each(tested["loss_as_set"], "loss as set") + after
    cases += Case.each(tested["represented"], "represented")
    low = np.array([case.low for case in after], float)
    return Finding(
        "training that starts from ReLU's pentagon leaves it, and its loss rises",
        told_first(cases, "t = −0.2"),
        "at all thresholds from −0.1 to −0.2 the loss after training is higher",
        bool((tested["loss_as_set"] < low).all()),
        "ours",
    )

"""What the review states and what theory predicts, beside what was trained."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper import theory
from jsuper.experiments.exrelu.measures import ideal_losses, products
from jsuper.experiments.findings import Case, Finding
from jsuper.results.statistics import interval

REVIEWS = -0.25
"""The review's threshold."""

NEAR = 0.03
"""Within which a product of weights is that of the closed form."""


def findings(models: xr.DataTree) -> list[Finding]:
    """The review's claim, where superposition ends, and why it does."""
    trained = {name: models[name].to_dataset() for name in models.children}
    return [
        suppression(trained["map"], trained["runs"]),
        end(trained["runs"]),
        fixed_point(trained["pairs"]),
        not_found(trained["sparsest"]),
        left(trained["pentagons"]),
    ]


def suppression(ds: xr.Dataset, runs: xr.Dataset) -> Finding:
    """How much superposition is left at the review's threshold."""
    best = js.best_seed(ds)
    cases = []
    for t, name in ((REVIEWS, "t = −0.25"), (0.0, "ReLU")):
        some = best["superposed"].sel(threshold=t) > 0
        quantity = "share of densities with superposition"
        cases.append(Case(name, quantity, float(some.mean()), n=some.size, unit="%"))
    where = f"density {float(runs['density']):g}"
    for n, name in ((0, "nothing superposed"), (5, "five superposed")):
        share = interval(np.mean, runs["superposed"].sel(threshold=REVIEWS) == n)
        cases.append(Case.of(f"{where}, t = −0.25", name, share, "%"))
    return Finding(
        "ExReLU with t = −0.25 suppresses superposition",
        cases,
        "no density has superposition in its best seed",
        cases[0].value == 0,
        "the review",
    )


def end(runs: xr.Dataset) -> Finding:
    """From which threshold down no run is superposed."""
    cases = []
    for t in np.sort(runs["threshold"].values):
        share = interval(np.mean, runs["superposed"].sel(threshold=t) > 0)
        cases.append(Case.of(f"t = {t:g}".replace("-", "−"), "superposed", share, "%"))
    below = runs["threshold"] < theory.PAIR_LIMIT
    return Finding(
        f"below t = {theory.PAIR_LIMIT:.3f}".replace("-", "−")
        + " gradient descent has no pair to rest at, and nothing is superposed",
        cases,
        "no run below the limit has a superposed feature",
        bool((runs["superposed"].where(below, drop=True) == 0).all()),
        "theory",
    )


def fixed_point(pairs: xr.Dataset) -> Finding:
    """Where trained pairs end at the lowest density, beside the closed form."""
    lowest = products(pairs).sel(start="the pair").isel(density=0)
    cases, misses = [], []
    for t in lowest["threshold"].values:
        found = interval(np.mean, lowest.sel(threshold=t))
        where = f"t = {t:g}".replace("-", "−")
        cases.append(Case.of(where, "−W₁·W₂", found))
        expected = float(theory.pair_fixed_point(t))
        if np.isfinite(expected):
            cases.append(Case(where, "in theory", expected))
            misses.append(abs(found.value - expected))
    return Finding(
        "a trained pair ends at the fixed point of the gradient that it follows",
        sorted(cases, key=lambda case: case.where != "t = −0.4"),
        f"all are within {NEAR} of the closed form, where there is one",
        bool(max(misses) < NEAR),
        "theory",
    )


def not_found(sparsest: xr.Dataset) -> Finding:
    """What the best seed costs, and what two antipodal pairs would."""
    density = sparsest["density"].item()
    cases, ratios = [], []
    for t in (-0.5, -0.6):
        if t not in sparsest["threshold"].values:
            continue
        trained = float(sparsest["loss"].sel(threshold=t))
        pairs = float(ideal_losses(density, t)["2 pairs"])
        where = f"density {density:.3g}, t = {t:g}".replace("-", "−")
        cases += [
            Case(where, "loss trained", trained),
            Case(where, "of 2 pairs", pairs),
        ]
        ratios.append(pairs / trained)
    return Finding(
        "superposition ends although two antipodal pairs would cost less",
        cases,
        "the pairs cost less by a tenth or more",
        bool(max(ratios) < 0.9),
        "ours",
    )


def left(pentagons: xr.Dataset) -> Finding:
    """Whether training that starts from ReLU's pentagon makes its loss worse."""
    cases, worse = [], []
    for t in np.sort(pentagons["threshold"].values)[::-1]:
        cell = pentagons.sel(threshold=t)
        as_set, after = float(cell["loss_as_set"]), interval(np.mean, cell["loss"])
        where = f"t = {t:g}".replace("-", "−")
        cases += [
            Case(where, "loss as set", as_set),
            Case.of(where, "after training", after),
            Case.of(where, "represented", interval(np.mean, cell["represented"])),
        ]
        if -0.25 < t <= -0.1:
            worse.append(after.low > as_set)
    return Finding(
        "training that starts from ReLU's pentagon leaves it, and its loss rises",
        sorted(cases, key=lambda case: case.where != "t = −0.2"),
        "at all thresholds from −0.1 to −0.2 the loss after training is higher",
        bool(np.all(worse)),
        "ours",
    )

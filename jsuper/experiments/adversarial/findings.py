"""The paper's statements on vulnerability and adversarial training beside the models."""

import numpy as np
import xarray as xr

from jsuper.experiments.adversarial.measures import fisher_mean, removal
from jsuper.experiments.findings import Case, Finding
from jsuper.files import datasets


def findings(models: xr.DataTree) -> list[Finding]:
    """The paper's statements beside the measurements."""
    ds, training = (datasets(models)[name] for name in ("models", "training"))
    return [rise(ds), tracking(ds), gradients(ds), reduction(training), end(training)]


def rise(ds: xr.Dataset) -> Finding:
    """How much more vulnerable models with superposition are."""
    v = ds["vulnerability"].transpose("mean_norm", "density", "seed")
    peaks = [one.isel(density=[int(one.mean("seed").argmax("density"))]) for one in v]
    cases = [
        case
        for one in (*peaks, *v.isel(density=[-1]))
        for case in Case.each(one, "rise", where=f"{one['mean_norm'].item()} mean norm")
    ]
    return Finding(
        "vulnerability rises more than 3 times as superposition forms",
        cases,
        "every seed rises more than 3 times at the density of the largest mean rise",
        all(float(one.min()) > 3 for one in peaks),
    )


def tracking(ds: xr.Dataset) -> Finding:
    """Whether vulnerability and features per dimension go together."""
    v, stored = ds["vulnerability"], ds["features_per_dimension"]
    r = xr.corr(v, stored, "density")
    correlations = Case.each(r, "correlation", statistic=fisher_mean)
    ratios = [
        Case.spread(case.where, "vulnerability / (1/D*)", ratio, "densities")
        for case, ratio in zip(
            correlations, (v / stored).mean("seed").transpose("mean_norm", ...), strict=True
        )
    ]
    return Finding(
        "it tracks the features per dimension (high correlation)",
        [*correlations, *ratios],
        "the correlation's interval lies above 0.8",
        all(case.low is not None and case.low > 0.8 for case in correlations),
    )


def gradients(ds: xr.Dataset) -> Finding:
    """What is left for attacks along the gradient where inputs are sparse."""
    ratio, quantity = ds["gradient"], "rise / that of the analytic attack"
    return Finding(
        "attacks along the gradient fail at high sparsity",
        [
            *Case.each(ratio.isel(density=[-1]), quantity),
            *Case.each(ds["no_gradient"].isel(density=[-1]), "inputs without a slope", "%"),
            *Case.each(ratio.isel(density=[0]), quantity),
        ],
        "projected gradient ascent reaches less than half of the analytic attack",
        bool(ratio.isel(density=-1).mean() < 0.5),
    )


def reduction(training: xr.Dataset) -> Finding:
    """What training under an attack of 80% of the mean norm leaves of superposition."""
    stored = training["features_per_dimension"].sel(attack=[0, 0.8])
    without, strong = stored.sel(attack=0), stored.sel(attack=0.8)
    return Finding(
        "adversarial training reduces superposition",
        Case.each(stored, "1/D*"),
        "at 80% of the mean norm, 1/D* of every seed is lower by more than 0.1",
        bool((strong.max("seed") < without.min("seed") - 0.1).all()),
    )


def end(training: xr.Dataset) -> Finding:
    """From which attack on superposition is gone."""
    gone = removal(training)
    never = gone.max("seed") == np.inf
    largest = never.copy(data=np.full(never.shape, float(training["attack"].max())))
    return Finding(
        "an attack of about 80% of the inputs' norm removes it",
        [
            *Case.each(gone.isel(density=~never.values), "removed from"),
            *Case.each(largest[never.values], "not removed in all seeds by"),
        ],
        "1/D* is at most 1.1 from an attack of 0.6 to 1.0 on, at every density",
        bool((abs(gone.mean("seed") - 0.8) <= 0.2).all()),
    )

"""The paper's statements on vulnerability and adversarial training beside the models."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.findings import Case, Finding
from jsuper.files import datasets


def findings(models: xr.DataTree) -> list[Finding]:
    """The paper's statements beside the measurements."""
    ds, training = (datasets(models)[name] for name in ("models", "training"))
    v, sparsest = ds["vulnerability"], ds.isel(density=[-1])
    peak = v.sel(density=v.mean("seed").idxmax("density"))
    r = xr.corr(v, ds["features_per_dimension"], "density")
    correlations = Case.each(r, "correlation", statistic=fisher_mean)
    stored = training["features_per_dimension"]
    without, strong = stored.sel(attack=0), stored.sel(attack=0.8)
    # The attack from which on at most 1.1 features are stored, infinite if there is none.
    gone = js.holds_from(stored <= 1.1, "attack").fillna(np.inf)
    reached = gone.isel(density=(gone.max("seed") < np.inf).values)
    return [
        Finding(
            "vulnerability rises more than 3 times as superposition forms",
            Case.each(peak, "rise")
            + Case.each(v.isel(density=-1), "rise at the lowest density"),
            "every seed rises more than 3 times at the density of the largest mean rise",
            bool(peak.min() > 3),
        ),
        Finding(
            "it tracks the features per dimension (high correlation)",
            correlations,
            "the correlation's interval lies above 0.8",
            all(case.low is not None and case.low > 0.8 for case in correlations),
        ),
        Finding(
            "attacks along the gradient fail at high sparsity",
            Case.each(sparsest["gradient"], "rise / that of the analytic attack")
            + Case.each(sparsest["no_gradient"], "inputs without a slope", "%"),
            "projected gradient ascent reaches less than half of the analytic attack",
            bool(sparsest["gradient"].mean() < 0.5),
        ),
        Finding(
            "adversarial training reduces superposition",
            Case.each(stored.sel(attack=[0, 0.8]), "1/D*"),
            "at 80% of the mean norm, 1/D* of every seed is lower by more than 0.1",
            bool((strong.max("seed") < without.min("seed") - 0.1).all()),
        ),
        Finding(
            "an attack of about 80% of the inputs' norm removes it",
            Case.each(reached, "removed from")
            + Case.each(stored.isel(attack=[-1]), "1/D*"),
            "1/D* is at most 1.1 from an attack of 0.6 to 1.0 on, at every density",
            bool((abs(gone.mean("seed") - 0.8) <= 0.2).all()),
        ),
    ]


def fisher_mean(r: np.ndarray, axis: int) -> np.ndarray:
    """Mean of correlations on Fisher's scale, on which their noise is even."""
    return np.tanh(np.arctanh(r).mean(axis))

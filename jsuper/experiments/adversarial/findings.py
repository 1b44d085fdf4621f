"""The paper's statements on vulnerability and adversarial training beside the models."""

import numpy as np
import xarray as xr

from jsuper.experiments.adversarial.measures import SIZES, correlation, removal
from jsuper.experiments.findings import Case, Finding
from jsuper.results.statistics import interval

SHORT = dict(zip(SIZES, ("own mean norm", "dense mean norm"), strict=True))
"""The readings of the mean norm, in two or three words."""


def findings(models: xr.DataTree) -> list[Finding]:
    """The paper's statements beside the measurements."""
    ds, training = (models[name].to_dataset() for name in ("models", "training"))
    return [rise(ds), tracking(ds), gradients(ds), reduction(training), end(training)]


def rise(ds: xr.Dataset) -> Finding:
    """How much more vulnerable models with superposition are."""
    peaks, lasts = [], []
    for size in SIZES:
        v = ds["vulnerability"].sel(size=size)
        peaks.append(v.isel(density=v.mean("seed").argmax("density").item()))
        lasts.append(v.isel(density=-1))
    cases = [
        over_seeds(f"{_density(v)}, {SHORT[v['size'].item()]}", "rise", v)
        for v in (*peaks, *lasts)
    ]
    return Finding(
        "vulnerability rises more than 3 times as superposition forms",
        cases,
        "every seed rises more than 3 times at the density of the largest mean rise",
        all(float(v.min()) > 3 for v in peaks),
    )


def tracking(ds: xr.Dataset) -> Finding:
    """Whether vulnerability and features per dimension go together."""
    correlations, ratios, lows = [], [], []
    for size, where in SHORT.items():
        chosen = ds.sel(size=size)
        found = correlation(chosen)
        lows.append(found.low)
        correlations.append(Case.of(where, "correlation", found))
        ratio = chosen["vulnerability"] / chosen["features_per_dimension"]
        r = ratio.mean("seed").values
        ratios.append(
            Case(
                where,
                "vulnerability / (1/D*)",
                float(r.mean()),
                float(r.min()),
                float(r.max()),
                ds.sizes["seed"],
                interval="range over densities",
            )
        )
    return Finding(
        "it tracks the features per dimension (high correlation)",
        [*correlations, *ratios],
        "the correlation's interval lies above 0.8",
        all(low > 0.8 for low in lows),
    )


def gradients(ds: xr.Dataset) -> Finding:
    """What is left for attacks along the gradient where inputs are sparse."""
    sparsest, dense = ds.isel(density=-1), ds.isel(density=0)
    where = _density(sparsest)
    return Finding(
        "attacks along the gradient fail at high sparsity",
        [
            over_seeds(where, "rise / that of the analytic attack", sparsest["gradient"]),
            over_seeds(where, "inputs without a slope", sparsest["no_gradient"], "%"),
            over_seeds(
                _density(dense), "rise / that of the analytic attack", dense["gradient"]
            ),
        ],
        "projected gradient ascent reaches less than half of the analytic attack",
        bool(sparsest["gradient"].mean() < 0.5),
    )


def reduction(training: xr.Dataset) -> Finding:
    """What training under an attack of 80% of the mean norm leaves of superposition."""
    stored = training["features_per_dimension"]
    first, strong = stored.isel(attack=0), stored.sel(attack=0.8)
    cases = []
    for p in training["density"].values:
        where = f"density {p:g}"
        cases.append(over_seeds(where, "1/D* without attack", first.sel(density=p)))
        cases.append(over_seeds(where, "at 80%", strong.sel(density=p)))
    return Finding(
        "adversarial training reduces superposition",
        cases,
        "at 80% of the mean norm, 1/D* of every seed is lower by more than 0.1",
        bool((strong.max("seed") < first.min("seed") - 0.1).all()),
    )


def end(training: xr.Dataset) -> Finding:
    """From which attack on superposition is gone."""
    gone = removal(training)
    largest = float(training["attack"].values[-1])
    cases = []
    for p in training["density"].values:
        where, attacks = f"density {p:g}", gone.sel(density=p)
        enough = bool(np.isfinite(attacks).all())
        cases.append(
            over_seeds(where, "removed from", attacks)
            if enough
            else Case(where, "not removed by", largest, n=attacks.size)
        )
    return Finding(
        "an attack of about 80% of the inputs' norm removes it",
        cases,
        "1/D* is at most 1.1 from an attack of 0.6 to 1.0 on, at every density",
        bool((abs(gone.mean("seed") - 0.8) <= 0.2).all()),
    )


def over_seeds(where: str, quantity: str, values: xr.DataArray, unit: str = "") -> Case:
    """A mean over seeds."""
    return Case.of(where, quantity, interval(np.mean, values.values), unit)


def _density(ds: xr.Dataset | xr.DataArray) -> str:
    return f"density {float(ds['density']):.2g}"

"""Theory's regions, the paper's average, and the kink, beside trained models."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.phase_change import measures
from jsuper.experiments.phase_change.measures import NEAR
from jsuper.files import datasets
from jsuper.theory.phases import phase_boundary


def findings(models: xr.DataTree) -> list[Finding]:
    """Seven findings: on the maps, on the sections, and on models without bias."""
    ds = datasets(models)
    two, three, section = ds["two_features"], ds["three_features"], ds["section"]
    return [
        regions(
            "2 features in 1 dimension: extra ignored, dedicated or in an antipodal pair",
            two,
        ),
        regions("3 features in 2 dimensions: four regions, as theory draws them", three),
        averaging(two, three),
        bounds(two, three),
        first_order(
            "the change is of first order: two losses cross, and the lowest has a kink",
            section.sel(importance=section["importance"] != 1),
        ),
        first_order("the same at equal importance", section.sel(importance=[1.0])),
        regions(
            "without bias a phase of W₁ ≈ W₂ ≈ 1/√2 appears at high density (comment)",
            ds["without_bias"],
            bias=False,
            by="comment by T. McGrath",
        ),
    ]


def regions(stated: str, ds: xr.Dataset, bias=True, by="the paper") -> Finding:
    """Whether the best models are of the classes of the best candidates."""
    phase, clear = measures.predicted(ds, bias)
    away = float((js.best_seed(ds)["phase"] == phase).where(clear).mean())
    single, n = (ds["phase"] == phase).mean(("density", "importance")), ds.sizes["seed"]
    cases = [
        Case(f"best of {n}", "as predicted away from boundaries", away, n=n, unit="%"),
        Case.mean("single seeds", "as predicted", single, "%"),
    ]
    rule = f"95% of the cells further than {NEAR:g} decades from a boundary"
    return Finding(stated, cases, rule, away >= 0.95, by)


def averaging(*maps: xr.Dataset) -> Finding:
    """Whether the paper's average shows the extra feature's regions."""
    cases, averaged = [], []
    for ds in maps:
        where, how = f"{ds.sizes['feature']} features", {"n": ds.sizes["seed"], "unit": "%"}
        mean = measures.extra_is_as_predicted(ds, measures.without_worst(ds))
        best = measures.extra_is_as_predicted(ds, js.best_seed(ds))
        cases += [Case(where, "mean", mean, **how), Case(where, "best model", best, **how)]
        averaged.append(mean)
    return Finding(
        "the mean over ten models but the worst shows these regions",
        cases,
        f"95% of the cells further than {NEAR:g} decades from a boundary have an extra "
        "feature of the predicted kind",
        min(averaged) >= 0.95,
    )


def bounds(*maps: xr.Dataset) -> Finding:
    """Whether trained losses reach the candidates', which are upper bounds."""
    cases, reached = [], []
    for ds in maps:
        ratio, where = measures.relative_loss(ds), f"{ds.sizes['feature']} features"
        reached.append(float((ratio < 1.01).mean()))
        cases += [
            Case(where, "cells reaching it", reached[-1], n=ds.sizes["seed"], unit="%"),
            Case(where, "lowest ratio", float(ratio.min()), n=ds.sizes["seed"]),
        ]
    return Finding(
        "theory's solutions are the best ones",
        cases,
        "at most 1.01 times the loss of the best candidate in 95% of the cells (free "
        "weights and biases do slightly better)",
        min(reached) >= 0.95,
        "theory",
    )


def first_order(stated: str, section: xr.Dataset) -> Finding:
    """Whether the lowest loss has a kink at every importance."""
    cases, falls = [], []
    for r in section["importance"].values:
        best = js.best_seed(section.sel(importance=r)).sortby("density")
        density, below, above = measures.kink(best)
        overlap = -best["W"].prod(("feature", "hidden"))
        falls.append(below - above)
        numbers = {
            "slope falls by": falls[-1],
            "−W₁W₂ by": -float(overlap.diff("density").min()),
            "at density": density,
            "in theory": float(phase_boundary(2, r)),
        }
        n = section.sizes["seed"]
        cases += [Case(f"importance {r:g}", *number, n=n) for number in numbers.items()]
    return Finding(
        stated,
        cases,
        "the slope of the lowest loss falls by more than 0.02 at every importance",
        bool(np.min(falls) > 0.02),
    )

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


def regions(
    stated: str, ds: xr.Dataset, bias: bool = True, by: str = "the paper"
) -> Finding:
    """Whether the best models are of the classes of the best candidates."""
    phase, clear = measures.predicted(ds, bias)
    best, single = js.best_seed(ds)["phase"] == phase, ds["phase"] == phase
    away, n = float(best.where(clear).mean()), ds.sizes["seed"]
    seeds, cells = single.mean(("density", "importance")), single.mean("seed")
    cases = [
        Case(f"best of {n}", "as predicted away from boundaries", away, n=n, unit="%"),
        Case.mean("single seeds", "as predicted", seeds, "%"),
        Case(
            f"best of {n}", "as predicted in all cells", float(best.mean()), n=n, unit="%"
        ),
        Case.spread("seeds of a cell", "as predicted", cells, "cells", "%"),
    ]
    rule = f"95% of the cells further than {NEAR:g} decades from a boundary"
    return Finding(stated, cases, rule, away >= 0.95, by)


def averaging(*maps: xr.Dataset) -> Finding:
    """Whether the paper's average shows the extra feature's regions."""
    reads = {"mean": measures.without_worst, "best model": js.best_seed}
    cases = [
        Case(
            f"{ds.sizes['feature']} features",
            name,
            measures.extra_is_as_predicted(ds, read(ds)),
            n=ds.sizes["seed"],
            unit="%",
        )
        for ds in maps
        for name, read in reads.items()
    ]
    return Finding(
        "the mean over ten models but the worst shows these regions",
        cases,
        f"95% of the cells further than {NEAR:g} decades from a boundary have an extra "
        "feature of the predicted kind",
        min(case.value for case in cases if case.quantity == "mean") >= 0.95,
    )


def bounds(*maps: xr.Dataset) -> Finding:
    """Whether trained losses reach the candidates', which are upper bounds."""
    cases, reached = [], []
    for ds in maps:
        ratio = measures.relative_loss(ds)
        where, n = f"{ds.sizes['feature']} features", ds.sizes["seed"]
        reached.append(float((ratio < 1.01).mean()))
        cases += [
            Case(where, "cells reaching it", reached[-1], n=n, unit="%"),
            Case(where, "lowest ratio", float(ratio.min()), n=n),
            Case(where, "median ratio", float(ratio.median()), n=n),
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
        cut = section.sel(importance=r)
        density, below, above = measures.kink(cut)
        overlap = measures.overlap(js.best_seed(cut)).sortby("density")
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

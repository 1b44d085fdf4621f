"""Theory's regions, the paper's average, and the kink, beside trained models."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.phase_change import measures
from jsuper.experiments.phase_change.measures import NEAR
from jsuper.results.statistics import interval
from jsuper.theory.phases import phase_boundary, phase_weights

KINK = ("density", "slope below", "slope above")
"""What `measures.kink` returns."""


def findings(models: xr.DataTree) -> list[Finding]:
    """Seven findings: on the maps, on the sections, and on models without bias."""
    two, three, without_bias, section = (
        models[name].to_dataset()
        for name in ("two_features", "three_features", "without_bias", "section")
    )
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
            without_bias,
            bias=False,
            by="comment by T. McGrath",
        ),
    ]


def regions(
    stated: str, ds: xr.Dataset, bias: bool = True, by: str = "the paper"
) -> Finding:
    """Whether the best models are of the classes of the best candidates."""
    n, best = ds.sizes["seed"], js.best_seed(ds)
    phase, clear = measures.predicted(ds, bias)
    correct, alone = best["phase"] == phase, ds["phase"] == phase
    away = float(correct.where(clear).mean())
    by_seed = interval(np.mean, alone.mean(("density", "importance")))
    by_cell = alone.mean("seed")
    spread = Case(
        "seeds of a cell",
        "as predicted",
        by_seed.value,
        float(by_cell.min()),
        float(by_cell.max()),
        n,
        "%",
        "range over cells",
    )
    shares = [
        Case("all cells, best", name, float((best["phase"] == name).mean()), n=n, unit="%")
        for name in phase_weights(ds.sizes["feature"])
    ]
    cases = [
        Case(f"best of {n}", "as predicted away from boundaries", away, n=n, unit="%"),
        Case.of("single seeds", "as predicted", by_seed, "%"),
        Case("all cells, best", "as predicted", float(correct.mean()), n=n, unit="%"),
        *shares,
        Case("all cells", "number", correct.size),
        spread,
    ]
    rule = f"95% of the cells further than {NEAR:g} decades from a boundary"
    return Finding(stated, cases, rule, away >= 0.95, by)


def averaging(*maps: xr.Dataset) -> Finding:
    """Whether the paper's average shows the extra feature's regions."""
    cases = []
    for ds in maps:
        where, n = f"{ds.sizes['feature']} features", ds.sizes["seed"]
        reads = {"mean": measures.without_worst(ds), "best model": js.best_seed(ds)}
        for rule, read in reads.items():
            share = measures.extra_is_as_predicted(ds, read)
            cases.append(Case(where, rule, share, n=n, unit="%"))
    means = [case.value for case in cases if case.quantity == "mean"]
    return Finding(
        "the mean over ten models but the worst shows these regions",
        cases,
        f"95% of the cells further than {NEAR:g} decades from a boundary have an extra "
        "feature of the predicted kind",
        min(means) >= 0.95,
    )


def bounds(*maps: xr.Dataset) -> Finding:
    """Whether trained losses reach the candidates', which are upper bounds."""
    reached, rest = [], []
    for ds in maps:
        where, n = f"{ds.sizes['feature']} features", ds.sizes["seed"]
        ratio = measures.relative_loss(ds)
        at = ratio.isel(ratio.argmin(("density", "importance")))
        reached += [
            Case(where, "cells reaching it", float((ratio < 1.01).mean()), n=n, unit="%"),
            Case(where, "lowest ratio", float(at), n=n),
        ]
        rest += [
            Case(where, "median ratio", float(ratio.median()), n=n),
            Case(f"{where}, lowest", "density", float(at["density"])),
            Case(f"{where}, lowest", "importance", float(at["importance"])),
        ]
    shares = [case.value for case in reached if case.unit == "%"]
    return Finding(
        "theory's solutions are the best ones",
        [*reached, *rest],
        "at most 1.01 times the loss of the best candidate in 95% of the cells (free "
        "weights and biases do slightly better)",
        min(shares) >= 0.95,
        "theory",
    )


def first_order(stated: str, section: xr.Dataset) -> Finding:
    """Whether the lowest loss has a kink at every importance."""
    n, falls, rest = section.sizes["seed"], [], []
    for r in section["importance"].values:
        cut, where = section.sel(importance=r), f"importance {r:g}"
        found = dict(zip(KINK, measures.kink(cut), strict=True))
        fall = found["slope below"] - found["slope above"]
        falls += [
            Case(where, "slope falls by", fall, n=n),
            Case(where, "−W₁W₂ by", measures.step_of_overlap(cut), n=n),
        ]
        s = float(phase_boundary(2, r))
        in_theory = s, float((1 + r) * s / 3), float(r * (1 / 3 - s / 2))
        theory = dict(zip(KINK, in_theory, strict=True)) | {"−W₁W₂ by": 1.0}
        rest += [Case(where, *of, n=n) for of in found.items()]
        rest += [Case(f"{where}, theory", *of) for of in theory.items()]
    return Finding(
        stated,
        [*falls, *rest],
        "the slope of the lowest loss falls by more than 0.02 at every importance",
        bool(np.min([case.value for case in falls[::2]]) > 0.02),
    )

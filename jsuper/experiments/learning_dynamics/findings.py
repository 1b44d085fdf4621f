"""What the paper says of energy levels and of the four stages, beside our models."""

import numpy as np
import xarray as xr

from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.learning_dynamics.measures import (
    NEAR,
    SETTLED,
    are_octahedra,
    are_triples,
    first_steps,
    jumps,
    on_level,
    set_geometry,
)
from jsuper.results.statistics import interval


def findings(models: xr.DataTree) -> list[Finding]:
    """Three findings on energy levels, three on the stages."""
    levels, stages = (models[name].to_dataset() for name in ("levels", "stages"))
    jump, shape = jumps(levels), set_geometry(stages)
    return [
        digons(levels),
        discrete(on_level(levels), jump),
        drops(jump),
        attractor(shape.isel(step=-1)),
        order(first_steps(shape)),
        durations(first_steps(shape)),
    ]


def digons(ds: xr.Dataset) -> Finding:
    """Whether all features end in antipodal pairs that fill the dimensions."""
    last = ds.isel(step=-1)
    represented = last["is_represented"]
    off = abs(last["dimensionality"] - 0.5).where(represented)
    worst, count = float(off.max()), represented.sum("feature")
    n, m, seeds = (last.sizes[name] for name in ("feature", "hidden", "seed"))
    where = f"of {n} in {m} dimensions"
    return Finding(
        "all features end with a dimensionality of 1/2",
        [
            Case("represented features", "largest distance from 1/2", worst, n=seeds),
            Case(where, "fewest represented", int(count.min()), n=seeds),
            Case(where, "most", int(count.max()), n=seeds),
        ],
        "every represented feature is within 0.05 of 1/2, and they are twice as many as "
        "dimensions in every seed",
        worst < 0.05 and bool((count == 2 * m).all()),
    )


def discrete(on: xr.DataArray, jump: xr.Dataset) -> Finding:
    """Whether dimensionalities stay on energy levels and features still change theirs."""
    where = f"after {SETTLED:.0%} of the steps"
    late = int(jump["late"].sum())
    return Finding(
        "dimensionalities jump between discrete values",
        [
            Case.of(where, f"D within {NEAR:g} of a level", interval(np.mean, on), "%"),
            Case(where, "features come or go", late, n=jump.sizes["seed"]),
            Case.of(where, "in seeds", interval(np.mean, jump["late"] > 0), "%"),
        ],
        "more than 90% are on one of the energy levels 0, 1/2 and 1, and at least one "
        "feature comes or goes",
        float(on.mean()) > 0.9 and late > 0,
    )


def drops(jump: xr.Dataset) -> Finding:
    """Whether the loss falls while features jump."""
    late = jump.isel(seed=(jump["late"] > 0).values)
    fall = interval(np.mean, late["fall"])
    lowest = float(late["fall"].min()) if fall.n else np.nan
    where = "seeds with late jumps"
    return Finding(
        "each jump coincides with a drop of the loss",
        [
            Case.of(where, "fall of the loss while a feature moves", fall, "%"),
            Case.of(where, "time", interval(np.mean, late["intervals"]), "%"),
            Case("lowest of them", "fall", lowest, n=fall.n, unit="%"),
        ],
        "more than 80% of the remaining fall of the loss (mean over seeds with late jumps) "
        "happens in intervals between snapshots in which a feature moves; time is the "
        "share of such intervals",
        fall.value > 0.8,
    )


def attractor(final: xr.Dataset) -> Finding:
    """Whether most seeds end as an octahedron."""
    octahedra = interval(np.mean, are_octahedra(final))
    triples = interval(np.mean, are_triples(final))
    return Finding(
        "the octahedron is a strong attractor",
        [
            Case.of("", "seeds that end as an octahedron", octahedra, "%"),
            Case.of("", "with two orthogonal triples", triples, "%"),
        ],
        "more than half of the seeds end with each feature orthogonal to its set and "
        "opposite to one of the other",
        octahedra.value > 0.5,
    )


def order(steps: xr.DataArray) -> Finding:
    """Whether most seeds pass all stages one after another."""
    ordered = interval(np.mean, (steps.diff("stage") > 0).all("stage"))
    return Finding(
        "four stages: near 0, two bunches, each opens, octahedron",
        [Case.of("", "seeds that pass all of them in this order", ordered, "%")],
        "more than half of the seeds do",
        ordered.value > 0.5,
    )


def durations(steps: xr.DataArray) -> Finding:
    """Whether stages begin at different steps in different seeds."""
    found = [
        stage(str(name), row[np.isfinite(row)])
        for name, row in zip(steps["stage"].values, steps.values, strict=True)
    ]
    found.sort(key=lambda cases: np.nan_to_num(-cases[0].value))
    return Finding(
        "the steps in between vary from seed to seed",
        [case for cases in found for case in cases],
        "at one of the stages the latest seed takes more than 1.5 times the steps of the "
        "earliest",
        found[0][0].value > 1.5,
    )


def stage(name: str, first: np.ndarray) -> tuple[Case, Case]:
    """When seeds reach a stage: the latest relative to the earliest, and the median."""
    low, middle, high = np.quantile(first, [0, 0.5, 1]) if len(first) else [np.nan] * 3
    median = Case(
        name,
        "median step",
        float(middle),
        float(low),
        float(high),
        len(first),
        interval="range over seeds",
    )
    return Case(name, "latest seed over earliest", float(high / low), n=len(first)), median

"""What the paper says of energy levels and of the four stages, beside our models."""

import xarray as xr

from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.learning_dynamics import measures
from jsuper.files import datasets


def findings(models: xr.DataTree) -> list[Finding]:
    """Three findings on energy levels, three on the stages."""
    ds = datasets(models)
    jump, shape = measures.jumps(ds["levels"]), measures.set_geometry(ds["stages"])
    steps = measures.first_steps(shape)
    return [
        digons(ds["levels"].isel(step=-1)),
        discrete(jump),
        drops(jump.isel(seed=(jump["late"] > 0).values)),
        attractor(shape.isel(step=-1)),
        order(steps),
        durations(steps),
    ]


def digons(last: xr.Dataset) -> Finding:
    """Whether all features end in antipodal pairs that fill the dimensions."""
    represented, (n, m) = (
        last["is_represented"],
        (last.sizes[d] for d in ("feature", "hidden")),
    )
    off = abs(last["dimensionality"] - 0.5).where(represented)
    count = represented.sum("feature")
    return Finding(
        "all features end with a dimensionality of 1/2",
        [
            Case("", "largest distance from 1/2", float(off.max()), n=last.sizes["seed"]),
            Case.mean("", f"represented of {n} in {m} dimensions", count),
        ],
        "every represented feature is within 0.05 of 1/2, and they are twice as many as "
        "dimensions in every seed",
        bool(off.max() < 0.05 and (count == 2 * m).all()),
    )


def discrete(jump: xr.Dataset) -> Finding:
    """Whether dimensionalities stay on energy levels and features still change theirs."""
    where, late = f"after {measures.SETTLED:.0%} of the steps", int(jump["late"].sum())
    return Finding(
        "dimensionalities jump between discrete values",
        [
            Case.mean(
                where, f"D within {measures.NEAR:g} of a level", jump["on_level"], "%"
            ),
            Case(where, "features come or go", late, n=jump.sizes["seed"]),
            Case.mean(where, "in seeds", jump["late"] > 0, "%"),
        ],
        "more than 90% are on one of the energy levels 0, 1/2 and 1, and at least one "
        "feature comes or goes",
        bool(jump["on_level"].mean() > 0.9 and late > 0),
    )


def drops(late: xr.Dataset) -> Finding:
    """Whether the loss falls while features jump, in the seeds in which some do late."""
    where = "seeds with late jumps"
    fall = Case.mean(where, "fall of the loss while a feature moves", late["fall"], "%")
    lowest = late["fall"].min().item() if fall.n else float("nan")
    return Finding(
        "each jump coincides with a drop of the loss",
        [
            fall,
            Case.mean(where, "time", late["intervals"], "%"),
            Case("lowest of them", "fall", lowest, n=fall.n, unit="%"),
        ],
        "more than 80% of the remaining fall of the loss (mean over seeds with late jumps) "
        "happens in intervals between snapshots in which a feature moves; time is the "
        "share of such intervals",
        fall.value > 0.8,
    )


def attractor(final: xr.Dataset) -> Finding:
    """Whether most seeds end as an octahedron."""
    octahedra = Case.mean("", "seeds that end as an octahedron", final["octahedron"], "%")
    return Finding(
        "the octahedron is a strong attractor",
        [octahedra, Case.mean("", "with two orthogonal triples", final["triples"], "%")],
        "more than half of the seeds end with each feature orthogonal to its set and "
        "opposite to one of the other",
        octahedra.value > 0.5,
    )


def order(steps: xr.DataArray) -> Finding:
    """Whether most seeds pass all stages one after another."""
    ordered = (steps.diff("stage") > 0).all("stage")
    share = Case.mean("", "seeds that pass all of them in this order", ordered, "%")
    return Finding(
        "four stages: near 0, two bunches, each opens, octahedron",
        [share],
        "more than half of the seeds do",
        share.value > 0.5,
    )


def durations(steps: xr.DataArray) -> Finding:
    """Whether stages begin at different steps in different seeds."""
    ratios = steps.max("seed") / steps.min("seed")
    ratios = ratios.sortby(-ratios.fillna(0))
    cases = [
        case
        for name, ratio in zip(ratios["stage"].values, ratios.values, strict=True)
        for case in (
            Case(name, "latest seed over earliest", float(ratio), n=steps.sizes["seed"]),
            Case.spread(name, "median step", steps.sel(stage=name), "seeds"),
        )
    ]
    return Finding(
        "the steps in between vary from seed to seed",
        cases,
        "at one of the stages the latest seed takes more than 1.5 times the steps of the "
        "earliest",
        bool(ratios.max() > 1.5),
    )

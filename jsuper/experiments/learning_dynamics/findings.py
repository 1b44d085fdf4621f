"""What the paper says of energy levels and of the four stages, beside our models."""

import xarray as xr

from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.learning_dynamics import measures


def findings(models: xr.DataTree) -> list[Finding]:
    """Three findings on energy levels, three on the stages."""
    levels = energy_levels(models["levels"].to_dataset())
    return levels + four_stages(measures.set_geometry(models["stages"].to_dataset()))


def energy_levels(ds: xr.Dataset) -> list[Finding]:
    """Whether dimensionalities end at 1/2, jump, and lower the loss where they do."""
    last, jump, m = ds.isel(step=-1), measures.jumps(ds), ds.sizes["hidden"]
    off = abs(last["dimensionality"] - 0.5).where(last["is_represented"]).max().item()
    count, n_seeds = last["represented"], ds.sizes["seed"]
    quantity = f"represented of {ds.sizes['feature']} in {m} dimensions"
    settled, n_late = "after 20% of the steps", int(jump["late"].sum())
    late, where = jump.isel(seed=(jump["late"] > 0).values), "seeds with late jumps"
    fall = Case.mean(where, "fall of the loss while a feature moves", late["fall"], "%")
    return [
        Finding(
            "all features end with a dimensionality of 1/2",
            [
                Case("", "largest distance from 1/2", off, n=n_seeds),
                Case.mean("", quantity, count),
            ],
            "every represented feature is within 0.05 of 1/2, and they are twice as many "
            "as dimensions in every seed",
            off < 0.05 and bool((count == 2 * m).all()),
        ),
        Finding(
            "dimensionalities jump between discrete values",
            [
                Case.mean(settled, "D within 0.03 of a level", jump["on_level"], "%"),
                Case(settled, "features come or go", n_late, n=n_seeds),
                Case.mean(settled, "in seeds", jump["late"] > 0, "%"),
            ],
            "more than 90% are on one of the energy levels 0, 1/2 and 1, and at least one "
            "feature comes or goes",
            bool(jump["on_level"].mean() > 0.9 and n_late > 0),
        ),
        Finding(
            "each jump coincides with a drop of the loss",
            [fall, Case.mean(where, "time", late["intervals"], "%")],
            "more than 80% of the remaining fall of the loss (mean over seeds with late "
            "jumps) happens in intervals between snapshots in which a feature moves; time "
            "is the share of such intervals",
            fall.value > 0.8,
        ),
    ]


def four_stages(shape: xr.Dataset) -> list[Finding]:
    """Whether models pass all stages, in one order but at steps of their own."""
    final, steps = shape.isel(step=-1), measures.first_steps(shape)
    octahedra = Case.mean("", "seeds that end as an octahedron", final["octahedron"], "%")
    ordered = (steps.diff("stage") > 0).all("stage")
    share = Case.mean("", "seeds that pass all of them in this order", ordered, "%")
    return [
        Finding(
            "the octahedron is a strong attractor",
            [
                octahedra,
                Case.mean("", "with two orthogonal triples", final["triples"], "%"),
            ],
            "more than half of the seeds end with each feature orthogonal to its set and "
            "opposite to one of the other",
            octahedra.value > 0.5,
        ),
        Finding(
            "four stages: near 0, two bunches, each opens, octahedron",
            [share],
            "more than half of the seeds do",
            share.value > 0.5,
        ),
        Finding(
            "the steps in between vary from seed to seed",
            [
                Case.spread(name, "median step", steps.sel(stage=name), "seeds")
                for name in measures.STAGES[:0:-1]
            ],
            "at one of the stages the latest seed takes more than 1.5 times the steps of "
            "the earliest",
            bool((steps.max("seed") / steps.min("seed")).max() > 1.5),
        ),
    ]

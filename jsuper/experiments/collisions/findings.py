"""The paper's statements beside the trained models."""

import xarray as xr

from jsuper.experiments.collisions.measures import constant, exponents
from jsuper.experiments.findings import Case, Finding

STATED = (
    ("each feature ends on one neuron", "at least 99% of the features in each cell"),
    ("features on one neuron have opposite signs", "at least 99% of the pairs"),
    ("their pairs grow as n² / m", "exponents within 0.1 of 2 and −1"),
    ("there are about n² / (4m) pairs", "pairs · m / n² within 10% of 1/4"),
)
"""What the paper states, and when the models agree."""


def findings(models: xr.DataTree) -> list[Finding]:
    """Winner takes all, with opposite signs, in about n² / (4m) pairs."""
    counts = models["counts"].to_dataset()
    cells = counts.mean(["n_features", "neurons_per_feature"])
    alone = counts["alone"].mean("seed").min().item()
    opposite = (cells["opposite"].sum() / cells["pairs"].sum()).item()
    n, m = exponents(counts)
    ratios = constant(counts)
    sizes = Case.each(ratios.mean("neurons_per_feature"), "pairs · m / n²")
    ratio = Case.mean(
        "", "pairs · m / n²", ratios.mean(["n_features", "neurons_per_feature"])
    )
    initial = Case.mean("", "where its largest initial weight was", cells["initial"], "%")
    cases = (
        [Case("in the least of all cells", "on one neuron", alone, unit="%"), initial],
        [Case("", "pairs of opposite signs", opposite, unit="%")],
        [Case.of("", "exponent of n", n), Case.of("", "exponent of m", m)],
        [ratio, *sizes],
    )
    agree = (
        alone >= 0.99,
        opposite >= 0.99,
        abs(n.value - 2) < 0.1 and abs(m.value + 1) < 0.1,
        abs(4 * ratio.value - 1) < 0.1,
    )
    return [
        Finding(stated, found, rule, agrees, "Lecomte et al.")
        for (stated, rule), found, agrees in zip(STATED, cases, agree, strict=True)
    ]

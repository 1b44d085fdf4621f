"""The paper's statements beside the trained models."""

import xarray as xr

from jsuper.experiments.collisions.measures import CELL, exponents
from jsuper.experiments.findings import Case, Finding


def findings(models: xr.DataTree) -> list[Finding]:
    """Winner takes all, with opposite signs, in about n² / (4m) pairs."""
    counts = models["counts"].to_dataset()
    cells, pairs = counts.mean(CELL), counts["pairs"]
    share = counts["alone"].mean("seed").min().item()
    signs = (cells["opposite"].sum() / cells["pairs"].sum()).item()
    alone = Case("the cell with fewest", "on one neuron", share, unit="%")
    initial = Case.mean("", "on that of the largest initial weight", cells["initial"], "%")
    opposite = Case("", "opposite", signs, unit="%")
    n, m = exponents(pairs)
    fits = [Case.of("", "exponent of n", n), Case.of("", "exponent of m", m)]
    power = abs(n.value - 2) < 0.1 and abs(m.value + 1) < 0.1
    ratios = pairs * counts["neurons_per_feature"] / counts["n_features"]
    ratio = Case.mean("", "pairs · m / n²", ratios.mean(CELL))
    sizes = Case.each(ratios.mean("neurons_per_feature"), ratio.quantity)
    near, by = abs(4 * ratio.value - 1) < 0.1, "Lecomte et al."
    one, sign, rule = share >= 0.99, signs >= 0.99, "at least 99%"
    return [
        Finding("features end on one neuron", [alone, initial], rule, one, by),
        Finding("pairs have opposite signs", [opposite], rule, sign, by),
        Finding("pairs grow as n² / m", fits, "within 0.1 of 2 and −1", power, by),
        Finding("pairs are about n² / (4m)", [ratio, *sizes], "within 10%", near, by),
    ]

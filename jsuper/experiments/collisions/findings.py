"""The paper's statements beside the trained models."""

import xarray as xr

from jsuper.experiments.collisions.measures import constant, exponents
from jsuper.experiments.findings import Case, Finding

BY = "Lecomte et al."


def findings(models: xr.DataTree) -> list[Finding]:
    """Winner takes all, with opposite signs, in about n² / (4m) pairs."""
    counts = models["counts"].to_dataset()
    alone, cells = counts["alone"].mean("seed"), ("n_features", "neurons")
    least = Case("least of all cells", "on one neuron", float(alone.min()), unit="%")
    largest = Case.mean(
        "", "on that of the initial maximum", counts["largest"].mean(cells), "%"
    )
    opposite = float(counts["opposite"].sum() / counts["pairs"].sum())
    fits = [Case.of("", name, found) for name, found in exponents(counts).items()]
    ratios = constant(counts).mean("neurons")
    ratio = Case.mean("", "pairs · m / n²", ratios.mean("n_features"))
    grows = abs(fits[0].value - 2) < 0.1 and abs(fits[1].value + 1) < 0.1
    stated = "each feature ends on one neuron"
    rule = "at least 99% of the features in each cell"
    winner = Finding(stated, [least, largest], rule, least.value >= 0.99, BY)
    cases = [Case("", "pairs of opposite signs", opposite, unit="%")]
    stated = "features that share a neuron have opposite signs"
    signs = Finding(stated, cases, "at least 99% of pairs", opposite >= 0.99, BY)
    stated, rule = "pairs on one neuron grow as n² / m", "exponents within 0.1 of 2 and −1"
    growth = Finding(stated, fits, rule, grows, BY)
    cases = [ratio, *Case.each(ratios, ratio.quantity)]
    stated, rule = "there are about n² / (4m) of them", "within 10% of 1/4"
    number = Finding(stated, cases, rule, abs(4 * ratio.value - 1) < 0.1, BY)
    return [winner, signs, growth, number]

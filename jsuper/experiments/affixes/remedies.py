"""What may help against the accuracy drop on words with two affixes, as findings."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from jsuper.experiments.affixes.statistics import (
    FEWEST,
    LINEAR,
    LISTS,
    NAMES,
    RELU,
    Fits,
    both_top,
    case,
    interference,
    learned,
    mean,
    named,
    rate,
    with_pairs_of,
)
from jsuper.experiments.findings import Case, Finding
from jsuper.results.statistics import Interval

HALVED = "interference with the largest share is below half of that without, by intervals"
LOWER = "interference at some threshold is below that at 0, intervals apart, composed words"


def dual_words_repair(fits: Fits) -> Finding:
    """Whether training on dual words repairs two neurons."""
    cases, others, repaired = [], [], {}
    for words in LISTS:
        base, shares = fits[words].sel(threshold=LINEAR), fits[named(words, "dual_share")]
        found, pure, repaired[words] = by_share(words, base, shares, interference)
        cases += found
        tops = {s: both_top(learned(ds)) for s, ds in with_base(base, shares).items()}
        others += [*of_shares(f"{words}, both affixes top two", tops), *pure]
    return Finding(
        "dual words in training repair it",
        [*cases, *others],
        f"{HALVED}, on composed words",
        repaired["composed"],
        "ours",
    )


def repairs_few_pairs(fits: Fits) -> Finding:
    """Whether it does with the pairs of real words in training and in the rate."""
    base = fits["composed"].sel(threshold=LINEAR)
    real = learned(fits["real"].sel(threshold=LINEAR))
    shares = fits["dual_share_few_pairs"]
    cases, pure, repaired = by_share(
        "pairs as in real words", base, shares, lambda ds: with_pairs_of(ds, real)
    )
    alike, _, of_all = by_share("all pairs alike", base, shares, interference)
    return Finding(
        "dual words in training repair it if most of them have one of a few pairs",
        [*cases, *alike, *pure],
        f"{HALVED}, with the pairs of real words and not with all pairs alike",
        repaired and not of_all,
        "ours",
    )


def by_share(
    where: str,
    base: xr.Dataset,
    shares: xr.Dataset,
    measured: Callable[[xr.Dataset], Interval],
) -> tuple[list[Case], list[Case], bool]:
    """Rates by share of dual words in training, and whether the largest halves it.

    Returns:
        Cases of what is measured, cases of the accuracy on pure words, and the verdict.
    """
    cells = {share: learned(ds) for share, ds in with_base(base, shares).items()}
    rates = {share: measured(ds) for share, ds in cells.items()}
    pure = {share: mean(ds["pure_accuracy"]) for share, ds in cells.items()}
    repaired = rates[max(rates)].high < rates[0].low / 2
    return of_shares(where, rates), of_shares(f"{where}, pure accuracy", pure), repaired


def with_base(base: xr.Dataset, shares: xr.Dataset) -> dict[float, xr.Dataset]:
    """Returns models by share of dual words, 0 for those without."""
    return {0.0: base} | by_value(shares, "dual_share")


def of_shares(where: str, rates: dict[float, Interval]) -> list[Case]:
    """Returns rates by share of dual words: without, then the largest share first."""
    order = sorted(rates, key=lambda share: (share > 0, -share))
    return [case(where, f"{share:.0%} dual", rates[share]) for share in order]


def hidden_threshold(fits: Fits) -> Finding:
    """Whether another threshold than ReLU's on the hidden neurons is better."""
    cells = {}
    for words in LISTS:
        cells[words] = {RELU: fits[words].sel(threshold=RELU)}
        cells[words] |= by_value(fits[named(words, "hidden_exrelu")], "threshold")
    return of_thresholds(
        "an ExReLU with another threshold on the hidden neurons interferes less than ReLU",
        cells,
    )


def toy_output_threshold(fits: Fits) -> Finding:
    """Whether another threshold than ReLU's on the outputs is better."""
    return output_threshold(fits, "toy")


def tied_output_threshold(fits: Fits) -> Finding:
    """Whether it is with tied weights."""
    return output_threshold(fits, "tied")


def output_threshold(fits: Fits, readout: str) -> Finding:
    """The finding of both readouts."""
    names = {words: named(words, f"{readout}_readout") for words in LISTS}
    return of_thresholds(
        f"the same on the outputs ({readout} readout, squared error)",
        {
            words: by_value(fits[name], "output_threshold")
            for words, name in names.items()
            if name in fits
        },
    )


RULES = (
    dual_words_repair,
    repairs_few_pairs,
    hidden_threshold,
    toy_output_threshold,
    tied_output_threshold,
)


def by_value(ds: xr.Dataset, axis: str) -> dict[float, xr.Dataset]:
    """Returns the models of each value of what was varied."""
    return {float(v): ds.sel({axis: v}) for v in ds[axis].values}


def of_thresholds(stated: str, cells: dict[str, dict[float, xr.Dataset]]) -> Finding:
    """Whether a threshold interferes less than ReLU on composed words."""
    rates, others = [], []
    for words, of_list in cells.items():
        for t in sorted(of_list, key=lambda t: (t != RELU, abs(t))):
            rates += rate_at(words, t, of_list[t])
            others += cost_at(words, t, of_list[t])
    composed = cells["composed"]
    return Finding(
        stated,
        [*rates, *others],
        f"{LOWER}, where {FEWEST} models or more have learned their task",
        any(lower(ds, composed[RELU]) for t, ds in composed.items() if t != RELU),
        "ours",
    )


def lower(ds: xr.Dataset, base: xr.Dataset) -> bool:
    """Whether enough models learn their task, and interfere less."""
    passing = learned(ds)
    enough = passing.sizes["split"] >= FEWEST
    return enough and interference(passing).high < interference(learned(base)).low


def rate_at(words: str, t: float, ds: xr.Dataset) -> list[Case]:
    """The interference rate at one threshold, where enough models learn their task."""
    passing = learned(ds)
    if passing.sizes["split"] < FEWEST:
        return []
    return [case(f"{words}, interference", at(t), interference(passing))]


def cost_at(words: str, t: float, ds: xr.Dataset) -> list[Case]:
    """How many models learn their task at a threshold, and what else it costs."""
    lost = mean((ds["recall"] < 0.5).sum("affix"))
    cases = [
        case(f"{words}, {at(t)}", "learn the task", mean(ds["passes"])),
        case(f"{words}, {at(t)}", "affixes lost", lost, ""),
    ]
    passing = learned(ds)
    if passing.sizes["split"] >= FEWEST:
        counts = passing["answers"]
        none = rate(counts.sel(answer="none"), counts.sum("answer"))
        if none.value > 0.005:
            cases.append(case(f"{words}, {at(t)}", "no prediction", none))
    return cases


def at(t: float) -> str:
    """A threshold in words."""
    return f"t = {t:g}" if np.isfinite(t) and t else NAMES[t]

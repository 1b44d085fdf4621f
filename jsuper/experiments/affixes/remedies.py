"""What may help against the drop on words with two affixes, as findings.

The rules are written as in `jsuper.experiments.affixes.findings`.
"""

from collections.abc import Callable

import xarray as xr

from jsuper.experiments.affixes.measures import Triple, rate
from jsuper.experiments.affixes.statistics import (
    FEWEST,
    LINEAR,
    LISTS,
    RELU,
    Fits,
    gated,
    interference,
    mean,
    named,
    percent,
    with_pairs_of,
)
from jsuper.experiments.outcome import Finding


def dual_words_repair(fits: Fits) -> Finding:
    """Yes if the largest share halves interference, by the ends of intervals."""
    texts, repaired = [], {}
    for words in LISTS:
        base, shares = fits[words].sel(threshold=LINEAR), fits[named(words, "dual share")]
        text, repaired[words] = by_share(base, shares, interference)
        tops = [both_top(base), *map(both_top, by_value(shares, "dual_share").values())]
        texts.append(
            f"{words}, linear: {text}; both affixes the top two: "
            f"{', '.join(map(percent, tops))}"
        )
    return Finding(
        "dual words in training repair it", "; ".join(texts), repaired["composed"]
    )


def repairs_few_pairs(fits: Fits) -> Finding:
    """Yes by the same rule, with the pairs of real words in training and in the rate."""
    base = fits["composed"].sel(threshold=LINEAR)
    real = gated(fits["real"].sel(threshold=LINEAR))
    shares = fits["dual share, pairs of real words"]
    text, repaired = by_share(base, shares, lambda ds: with_pairs_of(ds, real))
    _, rare = by_share(base, shares, interference)
    last = gated(shares.isel(dual_share=-1))
    return Finding(
        "dual words in training repair it if most of them have one of a few pairs",
        f"composed, linear, pairs as often as in real words: {text}; with all pairs alike "
        f"still {percent(interference(last), 1)}",
        repaired and not rare,
    )


def by_share(base: xr.Dataset, shares: xr.Dataset, measured: Callable) -> tuple[str, bool]:
    """Rates by share of dual words in training, and whether the largest halves it."""
    cells = {0.0: base} | by_value(shares, "dual_share")
    rates = {share: measured(gated(ds)) for share, ds in cells.items()}
    shown = [
        f"with {100 * share:.0f}% dual words {percent(rates[share], 1)} (pure words right "
        f"{percent(mean(gated(ds)['pure_accuracy']))})"
        for share, ds in cells.items()
    ]
    return ", ".join(shown), rates[max(rates)][2] < rates[0][1] / 2


def both_top(ds: xr.Dataset) -> Triple:
    """How often both affixes of a dual word are the top two outputs."""
    return rate(gated(ds)["both_top"], gated(ds)["answers"].sum("answer"))


def hidden_threshold(fits: Fits) -> Finding:
    """Yes if one of the thresholds lowers it."""
    cells = {}
    for words in LISTS:
        cells[words] = by_value(fits[named(words, "hidden ExReLU")], "threshold")
        cells[words] = {RELU: fits[words].sel(threshold=RELU)} | cells[words]
    return of_thresholds(
        "an ExReLU with another threshold on the hidden neurons interferes less than ReLU",
        cells,
    )


def toy_output_threshold(fits: Fits) -> Finding:
    """Yes if one of the thresholds interferes less than ReLU."""
    return output_threshold(fits, "toy")


def tied_output_threshold(fits: Fits) -> Finding:
    """Yes if one of the thresholds interferes less than ReLU."""
    return output_threshold(fits, "tied")


def output_threshold(fits: Fits, readout: str) -> Finding:
    """The rule of both readouts."""
    return of_thresholds(
        f"the same on the outputs ({readout} readout, squared error)",
        {
            words: by_value(fits[named(words, f"{readout} readout")], "output_threshold")
            for words in LISTS
            if named(words, f"{readout} readout") in fits
        },
    )


def by_value(ds: xr.Dataset, axis: str) -> dict[float, xr.Dataset]:
    """The models of each value of what was varied."""
    return {float(v): ds.sel({axis: v}) for v in ds[axis].values}


def of_thresholds(stated: str, cells: dict[str, dict[float, xr.Dataset]]) -> Finding:
    """Yes if a threshold interferes less than ReLU on composed words."""
    return Finding(
        stated,
        "; ".join(
            f"{words}, {thresholded(t, ds)}"
            for words, of_list in cells.items()
            for t, ds in of_list.items()
        ),
        any(
            lower(ds, cells["composed"][RELU])
            for t, ds in cells["composed"].items()
            if t != RELU
        ),
    )


def lower(ds: xr.Dataset, base: xr.Dataset) -> bool:
    """Whether enough models learn their task, and interfere less."""
    passing = gated(ds)
    enough = passing.sizes["split"] >= FEWEST
    return enough and interference(passing)[2] < interference(gated(base))[1]


def thresholded(t: float, ds: xr.Dataset) -> str:
    """What a threshold buys and what it costs."""
    passing = gated(ds)
    n = passing.sizes["split"]
    lost = float((ds["recall"] < 0.5).sum("affix").mean())
    text = f"t = {t:g}: {n} of {ds.sizes['split']} learn the task ({lost:.1f} affixes lost)"
    if n < FEWEST:
        return text
    answers = passing["answers"]
    silent = float(answers.sel(answer="none").sum() / answers.sum())
    more = f", {100 * silent:.0f}% of dual words get no answer" if silent > 0.005 else ""
    return f"{text}, interference {percent(interference(passing))}{more}"

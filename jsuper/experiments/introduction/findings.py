"""The paper's three panels beside ours."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.introduction.measures import SHAPES, at_sparsity
from jsuper.results.statistics import interval

STATED = {
    0.0: (
        "2 dedicated",
        "sparsity 0: features 0 and 1 orthogonal at norm 1, the others 0",
    ),
    0.8: (
        "2 pairs",
        "sparsity 0.8: four features in two antipodal pairs, the fifth at 0",
    ),
    0.9: ("pentagon", "sparsity 0.9: all five features in a pentagon"),
}
"""By sparsity, the arrangement that the paper shows, and in words."""


def findings(models: xr.DataTree) -> list[Finding]:
    """One finding for each of the paper's panels."""
    ds = models["models"].to_dataset()
    return [panel(at_sparsity(ds, s), *stated) for s, stated in STATED.items()]


def panel(ds: xr.Dataset, expected: str, stated: str) -> Finding:
    """Whether the seed of lowest loss has the arrangement of the paper."""
    best = js.best_seed(ds)
    shares = []
    for name in SHAPES:
        here = ds["shape"].values == name
        if here.any():
            shares.append(Case.of("all seeds", name, interval(np.mean, here), "%"))
    shares.sort(key=lambda case: case.quantity != expected)
    lowest = [
        Case(
            "lowest loss", name, float(ds["loss"].values[ds["shape"].values == name].min())
        )
        for name in SHAPES
        if (ds["shape"].values == name).any()
    ]
    norms = [
        Case(f"best seed, {best['shape'].item()}", f"norm of feature {i}", float(norm))
        for i, norm in enumerate(best["norm"].values)
    ]
    return Finding(
        stated,
        [*shares, *lowest, *norms],
        f"the seed of lowest loss is {expected!r}",
        best["shape"].item() == expected,
    )

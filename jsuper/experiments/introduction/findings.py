"""The paper's three panels beside ours."""

import xarray as xr

import jsuper as js
from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.introduction.measures import SHAPES, at_sparsity

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
    seen = sorted(set(SHAPES) & set(ds["shape"].values), key=lambda name: name != expected)
    so = {name: ds["shape"] == name for name in seen}
    lowest = {name: float(ds["loss"].where(which).min()) for name, which in so.items()}
    return Finding(
        stated,
        [
            *(Case.mean("all seeds", name, which, "%") for name, which in so.items()),
            *(Case("lowest loss", name, loss) for name, loss in lowest.items()),
            *Case.each(best["norm"], "norm", where=f"best seed, {best['shape'].item()}"),
        ],
        f"the seed of lowest loss is {expected!r}",
        best["shape"].item() == expected,
    )

"""Which activations superpose and from which density on, by two recipes."""

import xarray as xr

from jsuper.experiments.activations.measures import MARGIN, onset
from jsuper.experiments.findings import Case, Finding

RECIPES = {"models": "", "notebook": " by the official notebook's recipe"}
LINEAR = ("tanh", "linear")  # said not to superpose


def findings(models: xr.DataTree) -> list[Finding]:
    """One finding for each activation by each recipe."""
    return [
        superposes(explained.rename(n_hidden="m"), how)
        for name, how in RECIPES.items()
        for explained in models[name]["explained"].transpose("activation", "n_hidden", ...)
    ]


def superposes(explained: xr.DataArray, how: str) -> Finding:
    """Whether models of one activation explain more than a linear map does."""
    name = explained["activation"].item()
    mean = explained.mean("seed")
    most = explained.sel(density=mean.idxmax("density"))
    over, linear = (mean > MARGIN).any("density"), name in LINEAR
    return Finding(
        f"{name} {'does not superpose' if linear else 'superposes'}{how}",
        [
            *(Case.of(f"m {row['m'].item()}", "onset", onset(row)) for row in explained),
            *Case.each(most, "at most"),
            *Case.each(explained.isel(density=-1), "where sparsest"),
        ],
        f"the mean over seeds exceeds {MARGIN} features per dimension at "
        + ("no density" if linear else "some density, for every m"),
        bool(not over.any() if linear else over.all()),
        "Baron 2025" if name in ("sigmoid", "tanh") else "ours",
    )

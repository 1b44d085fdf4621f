"""The paper's figures of all models."""

import xarray as xr

from jsuper import plots
from jsuper.plots.style import Figure

SHOWN = {
    "small": (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001),
    "linear": (1.0, 0.1, 0.001),
    "large": (1.0, 0.3, 0.1, 0.03, 0.01, 0.001),
    "notebook": None,
}
"""By model, densities that are drawn; of the notebook's some of its own."""


def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    return {
        name: drawn(models[name].to_dataset(), densities)
        for name, densities in SHOWN.items()
        if name in models
    }


def drawn(ds: xr.Dataset, densities: tuple[float, ...] | None) -> Figure:
    """The paper's figure of models at some densities."""
    if densities is None:
        return plots.demonstration(ds.isel(density=[0, 2, 4, 6, 9]))
    return plots.demonstration(ds.sel(density=list(densities), method="nearest"))

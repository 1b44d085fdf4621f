"""What models explain by two recipes, and their embeddings."""

import xarray as xr

import jsuper as js
from jsuper.files import datasets
from jsuper.plots import panels, style


@style.paper
def figures(models: xr.DataTree) -> dict[str, style.Figure]:
    """All figures by name; embeddings are scaled to the longest of their model."""
    ds = datasets(models)
    wide, slow = ds["models"].rename(n_hidden="hidden dimensions"), ds["notebook"]
    like = ds["models"].sel(activation=slow["activation"], n_hidden=slow["n_hidden"])
    both = js.concat({"decaying": like, "notebook": slow}, "recipe").squeeze("n_hidden")
    few = js.padding.trim(ds["models"].isel(n_hidden=0, drop=True))
    few = few.sel(density=[0.22, 0.05], method="nearest")
    few["W"] = few["W"] / (few["W"] ** 2).sum("hidden").max("feature") ** 0.5
    return {
        "explained": curves(wide["explained"], "hidden dimensions", "activation", 2.6),
        "embeddings": js.plots.embeddings(few.transpose("activation", "density", ...)),
        "recipes": curves(both["explained"], "activation", "recipe", 1.6),
    }


def curves(explained: xr.DataArray, across: str, lines: str, width: float) -> style.Figure:
    """Features explained along the density: panels across one axis, lines of another."""
    figure, axes = style.wrapped_panels(explained.sizes[across], width, 2.5)
    for panel, rows in zip(axes, explained.transpose(across, lines, ...), strict=True):
        for line, looks in zip(rows, style.line_styles(rows[lines].values), strict=True):
            panels.over_seeds(panel, line, label=line[lines].item(), **looks)
        panel.axhline(1, **style.GUIDE)
        panel.set(xlim=(1, 0.01), ylim=(0, 2.6), xlabel="density")
        panel.set_title(style.coordinate(across, rows[across].item()))
        style.plain_log(panel.xaxis)
    axes[0].set_ylabel("features explained per dimension")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return figure

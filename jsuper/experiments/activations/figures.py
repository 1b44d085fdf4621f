"""What models explain by two recipes, and their embeddings."""

import xarray as xr

import jsuper as js
from jsuper import plots
from jsuper.files import datasets
from jsuper.plots import panels, style
from jsuper.plots.style import Figure

COLORS = {
    **{"relu": "blue", "leaky_relu": "blue", "exrelu": "sky", "elu": "purple"},
    **{"gelu": "green", "silu": "green", "sigmoid": "vermilion", "softplus": "orange"},
    **{"tanh": "black", "linear": "black", "decaying": "blue", "notebook": "vermilion"},
}
DASHED = ("leaky_relu", "silu", "tanh", "notebook")


@style.paper
def figures(models: xr.DataTree) -> dict[str, Figure]:
    """All figures by name."""
    ds = datasets(models)
    wide, slow = ds["models"].rename(n_hidden="hidden dimensions"), ds["notebook"]
    like = ds["models"].sel(activation=slow["activation"], n_hidden=slow["n_hidden"])
    both = js.concat({"decaying": like, "notebook": slow}, "recipe").squeeze("n_hidden")
    return {
        "explained": curves(wide["explained"], "hidden dimensions", "activation", 2.6),
        "embeddings": embeddings(ds["models"].isel(n_hidden=0, drop=True)),
        "recipes": curves(both["explained"], "activation", "recipe", 1.6),
    }


def curves(explained: xr.DataArray, across: str, lines: str, width: float) -> Figure:
    """Features explained along the density: panels across one axis, lines of another."""
    figure, axes = style.wrapped_panels(explained.sizes[across], width, 2.5)
    for panel, values in zip(axes, explained.transpose(across, lines, ...), strict=True):
        for name, line in zip(values[lines].values, values, strict=True):
            looks = {"color": style.PALETTE[COLORS[name]], "label": name}
            panels.over_seeds(panel, line, ls="--" if name in DASHED else "-", **looks)
        panel.axhline(1, **style.GUIDE)
        panel.set(xlim=(1, 0.01), ylim=(0, 2.6), xlabel="density")
        panel.set_title(style.coordinate(across, values[across].item()))
        style.plain_log(panel.xaxis)
    axes[0].set_ylabel("features explained per dimension")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return figure


def embeddings(ds: xr.Dataset) -> Figure:
    """The best model of each activation at two densities, scaled to the longest."""
    ds = js.padding.trim(ds).sel(density=[0.22, 0.05], method="nearest")
    longest = (ds["W"] ** 2).sum("hidden").max("feature") ** 0.5
    ds = ds.assign(W=ds["W"] / longest)
    return plots.embeddings(ds.transpose("activation", "density", ...))

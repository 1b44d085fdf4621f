"""``jsuper plot``: draw a figure of a sweep."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from jsuper import files

DRAWN = {
    "embeddings": ("embeddings", "the embedding of each feature (2 hidden dimensions)"),
    "demonstration": ("demonstration", "W Wᵀ, norms and superposition"),
    "dimensionality": ("dimensionality", "dimensionality of each feature, 1/density"),
    "phase": ("phase_map", "a measured quantity over two axes"),
    "loss": ("loss_curves", "training loss with a band over seeds"),
}


def add(commands: Any) -> None:
    """Adds the command with its options."""
    parser = commands.add_parser(
        "plot",
        allow_abbrev=False,
        help="draw a figure of a sweep",
        description="Draw a figure of a sweep.",
        epilog="Kinds: "
        + "; ".join(f"{kind}: {text}" for kind, (_, text) in DRAWN.items()),
    )
    parser.add_argument("file", metavar="FILE", help="netCDF file of a sweep")
    parser.add_argument(
        "--kind",
        choices=list(DRAWN),
        default="embeddings",
        help="figure (default: embeddings)",
    )
    parser.add_argument(
        "--select",
        nargs="+",
        type=_selection,
        default=[],
        metavar="AXIS=VALUE",
        help="draw one value of an axis (the nearest there is)",
    )
    phase = parser.add_argument_group("phase maps")
    for flag, default, text in (
        ("--x", "density", "axis along x"),
        ("--y", "threshold", "axis along y"),
    ):
        phase.add_argument(flag, default=default, help=f"{text} (default: {default})")
    phase.add_argument(
        "--quantity",
        nargs="+",
        default=["represented", "dedicated", "superposed"],
        help="what is shown (default: represented dedicated superposed)",
    )
    parser.add_argument("-o", "--output", type=Path, help="picture (default: beside FILE)")
    parser.add_argument("--force", action="store_true", help="replace an existing picture")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Draws and writes."""
    from jsuper import plots

    ds = files.load(options.file)
    output = options.output or Path(options.file).with_suffix(f".{options.kind}.png")
    files.check_writable(output, force=options.force)
    for name, value in options.select:
        if name not in ds.dims or name not in ds.coords:
            axes = [str(dim) for dim in ds["finite"].dims]
            raise ValueError(f"--select must name one of {axes}, got {name!r}")
        values = ds[name].values
        with np.errstate(invalid="ignore"):  # from -inf to -inf
            distance = np.where(values == value, 0, np.abs(values - value))
        ds = ds.isel({name: int(distance.argmin())})
        print(f"{name} = {ds[name].item():g}")
    draw = getattr(plots, DRAWN[options.kind][0])
    if options.kind == "phase":
        figure = draw(ds, options.quantity, x=options.x, y=options.y)
    else:
        figure = draw(ds)
    with files.whole_file(output, force=options.force) as written:
        figure.savefig(written, dpi=200)
    print(output)


def _selection(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, -np.inf if value == "linear" else float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be AXIS=VALUE, got {text!r}") from None

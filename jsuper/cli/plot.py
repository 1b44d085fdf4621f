"""``jsuper plot``: plot a figure of a sweep."""

import argparse
from pathlib import Path
from typing import Any

from jsuper import files
from jsuper.cli.console import say
from jsuper.cli.selection import select, selection

FIGURES = {
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
        help="plot a figure of a sweep",
        description="Plot a figure of a sweep.",
        epilog="Kinds: "
        + "; ".join(f"{kind}: {text}" for kind, (_, text) in FIGURES.items()),
    )
    parser.add_argument("file", metavar="FILE", help="netCDF file or store of a sweep")
    parser.add_argument(
        "--kind",
        choices=list(FIGURES),
        default="embeddings",
        help="figure (default: embeddings)",
    )
    parser.add_argument(
        "--select",
        nargs="+",
        action="extend",
        type=selection,
        default=[],
        metavar="AXIS=VALUE",
        help="plot one value of an axis or of a coordinate beside it, or several with "
        "commas: a number or a date (the nearest there is), a name, true or false",
    )
    phase = parser.add_argument_group("phase maps")
    for flag, default, text in (
        ("--x", "density", "axis along x"),
        ("--y", "threshold", "axis along y"),
    ):
        phase.add_argument(
            flag,
            default=default,
            metavar="AXIS",
            help=f"{text}, or a coordinate beside an axis (default: {default})",
        )
    phase.add_argument(
        "--quantity",
        nargs="+",
        default=["represented", "dedicated", "superposed"],
        help="what is shown (default: represented dedicated superposed)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        help="picture, a PNG unless its name says otherwise (default: beside FILE)",
    )
    parser.add_argument("--part", metavar="NAME", help="dataset of an experiment's file")
    parser.add_argument("--force", action="store_true", help="replace an existing picture")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Plots and writes."""
    from jsuper import plots

    output = options.output or Path(options.file).with_suffix(f".{options.kind}.png")
    form = _format(output)
    ds = files.load_sweep(options.file, options.part)
    files.check_writable(output, force=options.force)
    if output.exists() and output.samefile(options.file):
        raise ValueError(f"output must be another file than the sweep, got {output}")
    ds, taken = select(ds, options.select)
    for name, value in taken.items():
        say(f"{name} = {value}")
    plot = getattr(plots, FIGURES[options.kind][0])
    if options.kind == "phase":
        figure = plot(ds, options.quantity, x=options.x, y=options.y)
    else:
        figure = plot(ds)
    with files.whole_file(output, force=options.force) as written:
        figure.savefig(written, format=form, dpi=200)
    say(str(output))


def _format(output: Path) -> str:
    """The format that the name of a picture stands for."""
    from matplotlib.backend_bases import FigureCanvasBase

    form = output.suffix.removeprefix(".").lower() or "png"
    known = sorted(FigureCanvasBase.filetypes)
    if form not in known:
        raise ValueError(f"output must end in one of .{', .'.join(known)}, got {output}")
    return form

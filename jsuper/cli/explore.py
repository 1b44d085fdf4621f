"""``jsuper explore``: make a page of a sweep, to walk through in a browser."""

import argparse
from pathlib import Path
from typing import Any

from jsuper import explorer, files
from jsuper.cli.console import say
from jsuper.explorer.explorer import MAX_MEGABYTES


def add(commands: Any) -> None:
    """Adds the command with its options."""
    parser = commands.add_parser(
        "explore",
        allow_abbrev=False,
        help="make a page to explore a sweep in a browser",
        description="Make one HTML page of a sweep, with a map and the models behind its "
        "cells, which needs no server and no network.",
        epilog="Example: jsuper explore exrelu.nc -o exrelu.html",
    )
    parser.add_argument("file", metavar="FILE", help="netCDF file or store of a sweep")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PAGE",
        help="page, whose name ends in .html (default: beside FILE)",
    )
    parser.add_argument("--title", help="title of the page (default: the name of FILE)")
    parser.add_argument("--part", metavar="NAME", help="dataset of an experiment's file")
    parser.add_argument(
        "--max-megabytes",
        type=float,
        default=MAX_MEGABYTES,
        metavar="MB",
        help="size of the page: larger ones are thinned, and say so "
        f"(default: {MAX_MEGABYTES:g})",
    )
    parser.add_argument("--force", action="store_true", help="replace an existing page")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Makes the page and writes it."""
    output = options.output or Path(options.file).with_suffix(".html")
    if output.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"output must end in .html, got {output}")
    files.check_writable(output, force=options.force)
    if output.exists() and output.samefile(options.file):
        raise ValueError(f"output must be another file than the sweep, got {output}")
    page = explorer.explore(
        options.file,
        title=options.title,
        part=options.part,
        max_megabytes=options.max_megabytes,
    )
    page.save(output, force=options.force)
    say(str(output))

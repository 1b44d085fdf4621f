"""The command ``jsuper``: train a sweep, look at it, reproduce the paper."""

import argparse
import os
import re
import sys
import warnings
from collections.abc import Sequence

import jsuper as js
from jsuper.cli import info, plot, reproduce, sweep


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Words of the command line; by default those of the process.

    Returns:
        The exit status: 0, 2 where an argument is wrong, 130 where interrupted.
    """
    words = sys.argv[1:] if arguments is None else arguments
    # argparse takes -inf and -1:0:5 for options, unless a space comes first.
    words = [f" {word}" if re.match(r"-(\d|\.\d|inf)", word) else word for word in words]
    options = _parser().parse_args(words)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = _show_warning
            options.run(options)
    except BrokenPipeError:
        # The reader has seen enough; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        message = " ".join(str(error).split())
        print(f"jsuper {options.command}: error: {message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"jsuper {options.command}: interrupted, no half file left", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jsuper",
        allow_abbrev=False,
        description="Train grids of toy models of superposition, and look at them.",
    )
    parser.add_argument("--version", action="version", version=js.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (sweep, plot, reproduce, info):
        command.add(commands)
    return parser


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f"jsuper: warning: {message}", file=sys.stderr)

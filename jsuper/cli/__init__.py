"""The command ``jsuper``: train a sweep, look at it, reproduce the paper."""

import argparse
import os
import re
import sys
import warnings
from collections.abc import Sequence

import jax

import jsuper as js
from jsuper import stores
from jsuper.cli import console, explore, info, plot, reproduce, sweep


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Words of the command line; by default those of the process.

    Returns:
        The exit status: 0, 2 where an argument is wrong, 130 where interrupted.
    """
    console.prepare()
    words = sys.argv[1:] if arguments is None else arguments
    # argparse takes -inf and -1:0:5 for options, unless a space comes first.
    words = [f" {word}" if re.match(r"-(\d|\.\d|inf)", word) else word for word in words]
    try:
        return _run(_parser().parse_args(words))
    finally:
        console.flush()


def _run(options: argparse.Namespace) -> int:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = _show_warning
            options.run(options)
    except (
        ValueError,
        TypeError,
        OSError,
        RuntimeError,
        MemoryError,
        ImportError,
    ) as error:
        return _refuse(options, str(error) or type(error).__name__)
    except AssertionError:
        if _has_devices():
            raise
        asked = os.environ.get("JAX_PLATFORMS", "")
        return _refuse(
            options, f"JAX_PLATFORMS must name a platform that JAX has here, got {asked!r}"
        )
    except KeyboardInterrupt as stop:
        output = str(getattr(options, "output", ""))
        in_store = stores.is_store(output) and str(stop)
        said = str(stop) if in_store else "interrupted, no half file left"
        console.complain(f"jsuper {options.command}: {said}")
        return 130
    return 0


def _refuse(options: argparse.Namespace, message: str) -> int:
    console.complain(f"jsuper {options.command}: error: {' '.join(message.split())}")
    return 2


def _has_devices() -> bool:
    """Whether JAX can start; of a platform that is not installed it is an assertion."""
    try:
        return bool(jax.devices())
    except (AssertionError, RuntimeError):
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jsuper",
        allow_abbrev=False,
        description="Train grids of toy models of superposition, and look at them.",
    )
    parser.add_argument("--version", action="version", version=js.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (sweep, plot, explore, reproduce, info):
        command.add(commands)
    return parser


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    console.complain(f"jsuper: warning: {message}")

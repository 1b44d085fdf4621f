"""``jsuper reproduce``: run the paper's experiments."""

import argparse
import time
from pathlib import Path
from typing import Any

import jsuper as js
from jsuper.cli.console import say


def add(commands: Any) -> None:
    """Adds the command with its options."""
    parser = commands.add_parser(
        "reproduce",
        allow_abbrev=False,
        help="run the paper's experiments",
        description="Run experiments of Elhage et al. 2022, its follow-ups and its review: "
        "train, measure, draw, and say which of their statements hold.",
        epilog="Example: jsuper reproduce phase-change --quick",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="experiments, or 'all' (see --list)"
    )
    parser.add_argument(
        "--list", action="store_true", help="list names, minutes and figures of the paper"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a small version, in under a minute each: some statements need the full one",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("out"),
        help="folder for a folder of each experiment (default: out)",
    )
    parser.add_argument(
        "--cores", type=int, metavar="C", help="CPU cores to use (default: all)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Runs the experiments that are named, or lists all."""
    from jsuper import experiments
    from jsuper.experiments.experiment import QUICK

    if options.list:
        found = {name: experiments.find(name) for name in experiments.NAMES}
        for name, experiment in found.items():
            say(f"{name:18} {experiment.minutes:4.1f} min  {experiment.title}")
            say(f"{'':18}           {experiment.source}")
        total = sum(experiment.minutes for experiment in found.values())
        say(f"{'all':18} {total:4.1f} min  expected on two cores")
        return
    if not options.names:
        raise ValueError(f"name one of {', '.join(experiments.NAMES)}, or all (--list)")
    names = experiments.NAMES if "all" in options.names else options.names
    chosen = {name: experiments.find(name) for name in dict.fromkeys(names)}
    js.use_cpu_cores(options.cores)
    for name, experiment in chosen.items():
        folder = options.output / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(
                f"output must be a folder that can be written, got {options.output} "
                f"({error.strerror})"
            ) from None
        started = time.monotonic()
        outcome = experiment.run(options.quick)
        # Written one by one: an interruption loses nothing that was finished.
        paths = list(outcome.write(folder, quick=options.quick))
        taken = time.monotonic() - started
        size = ", quick version" if options.quick else ""
        say(f"{name}: {experiment.title} ({taken:.0f} s{size})")
        for finding in outcome.findings:
            verdict = "agrees" if finding.agrees else "DIFFERS"
            measured = finding.measured.replace("; ", f";\n{'':13}")
            say(f"  {verdict:8} {finding.stated}\n{'':11}{measured}")
        if options.quick:
            say(f"  {QUICK}")
        written = ", ".join(path.name for path in paths)
        say(f"  written to {folder}: {written}")

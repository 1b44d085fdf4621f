"""``jsuper reproduce``: run the paper's experiments."""

import argparse
import time
from pathlib import Path
from typing import Any

import jsuper as js
from jsuper import files
from jsuper.cli.console import say


def add(commands: Any) -> None:
    """Adds the command with its options."""
    parser = commands.add_parser(
        "reproduce",
        allow_abbrev=False,
        help="run the paper's experiments",
        description="Run experiments of Elhage et al. 2022, its follow-ups and its review: "
        "train, measure, plot, and say which of their statements hold.",
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
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER",
        help="judge and plot again what an earlier run has written there; trains nothing",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="train only what the output does not hold yet",
    )
    parser.add_argument(
        "--cores", type=int, metavar="C", help="CPU cores to use (default: all)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Runs the experiments that are named, or lists all."""
    from jsuper import experiments
    from jsuper.experiments.experiment import MODELS, QUICK, models_in

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
    if options.source:
        for name in chosen:
            models_in(options.source / name)  # before anything is judged
    js.use_cpu_cores(options.cores)
    for i, (name, experiment) in enumerate(chosen.items(), 1):
        say(f"{name} ({i} of {len(chosen)}): {experiment.title}")
        folder = _made(options.output / name)
        settings = experiment.quick if options.quick else experiment.full
        started = time.monotonic()
        if options.source:
            models = files.load(models_in(options.source / name))
        elif options.resume and (earlier := experiment.trained_before(folder, settings)):
            models = earlier
        else:
            models = experiment.models(settings)
            # At once: findings and figures can be made again from the models.
            files.save(models, folder / MODELS, force=True)
        found = experiment.findings(models)
        paths = list(experiment.write(models, found, folder))
        for finding in found:
            say(f"  {finding.sentence()}")
        if models.attrs["size"] == "quick":
            say(f"  {QUICK}")
        taken = time.monotonic() - started
        written = ", ".join(path.name for path in paths)
        say(f"  {taken:.0f} s, written to {folder}: {written}")


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"output must be a folder that can be written, got {folder.parent} "
            f"({error.strerror})"
        ) from None
    return folder

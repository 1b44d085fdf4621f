"""The command ``jsuper``: train a sweep, look at it, reproduce the paper."""

import argparse
import json
import os
import re
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax

import jsuper as js
from jsuper import files

DRAWN = {
    "embeddings": ("embeddings", "the embedding of each feature (2 hidden dimensions)"),
    "demonstration": ("demonstration", "W Wᵀ, norms and superposition"),
    "dimensionality": ("dimensionality", "dimensionality of each feature, 1/density"),
    "phase": ("phase_map", "a measured quantity over two axes"),
    "loss": ("loss_curves", "training loss with a band over seeds"),
}


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


def _sweep(options: argparse.Namespace) -> None:
    output = files.check_writable(options.output, force=options.force)
    if not 0 <= options.key < 2**63:
        raise ValueError(f"key must be in [0, 2**63), got {options.key}")
    if options.densities:
        densities = np.concatenate(options.densities)
    else:
        densities = 1 - np.concatenate(options.sparsities)
    axes = {
        "density": densities,
        "threshold": np.concatenate(options.thresholds),
        "seed": options.seeds,
    }
    js.use_cpu_cores(options.cores)
    n = options.features
    importance = np.asarray(js.geometric_importance(n, options.importance))

    def task(density, threshold):
        return js.Task(
            features=js.SparseFeatures(n, density),
            model=js.ToyModel(n, options.hidden, threshold),
            importance=importance,
        )

    recipe = js.Recipe(
        steps=options.steps,
        batch_size=options.batch,
        optimizer=optax.adamw(options.learning_rate, weight_decay=options.weight_decay),
    )
    ds = js.sweep(
        task,
        axes,
        recipe,
        key=jax.random.key(options.key),
        progress=False if options.quiet else None,
    )
    files.save(js.measure(ds), output, force=options.force)
    if not options.quiet:
        n_models = ds["finite"].size
        print(f"{output}: {n_models} models, {int(ds['finite'].sum())} finite")


def _plot(options: argparse.Namespace) -> None:
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


def _info(options: argparse.Namespace) -> None:
    ds = files.load(options.file)
    made_by = json.loads(ds.attrs["made_by"])
    recipe = made_by["recipe"]
    print("axes")
    for name in ds["finite"].dims:
        values = ds[name].values
        some = ", ".join(f"{v:.4g}" for v in values[:12])
        print(f"  {name} ({len(values)}): {some}{', …' if len(values) > 12 else ''}")
    print("variables")
    for name, variable in ds.data_vars.items():
        print(f"  {name} ({', '.join(map(str, variable.dims))})")
    print("recipe")
    for name, value in recipe.items():
        print(f"  {name}: {value if name != 'optimizer' else json.dumps(value)}")
    print(f"task (first cell): {json.dumps(made_by['first_task'])}")
    print(f"key: {made_by['key']['implementation']} {made_by['key']['data']}")
    print(
        f"made with jsuper {made_by['jsuper']}, jax {made_by['jax']} on "
        f"{len(made_by['devices'])} × {made_by['devices'][0]}"
    )
    if "step" in ds["finite"].dims:  # snapshots along training
        ds = ds.isel(step=-1)
        print(f"at step {ds['step'].item()}:")
    finite = ds["finite"].values
    print(f"finite: {int(finite.sum())} of {finite.size} models")
    if finite.any():
        loss = ds["loss"].values[finite]
        print(f"loss on fresh data: {loss.min():.4g} to {loss.max():.4g}")
    if finite.any() and "step" in ds["history"].dims:
        history = ds["history"].transpose(..., "step").values[finite]
        tenth = max(1, history.shape[-1] // 10)
        last, before = history[:, -tenth:].mean(-1), history[:, -2 * tenth : -tenth]
        settled = (
            last > 0.95 * before.mean(-1) if before.size else np.zeros(len(last), bool)
        )
        print(
            f"converged (training loss fell less than 5 % in the last tenth of the steps): "
            f"{int(settled.sum())} of {finite.size} models"
        )


def _reproduce(options: argparse.Namespace) -> None:
    from jsuper import experiments

    if options.list:
        found = {name: experiments.find(name) for name in experiments.NAMES}
        for name, experiment in found.items():
            print(f"{name:18} {experiment.minutes:4.1f} min  {experiment.title}")
            print(f"{'':18}           {experiment.source}")
        total = sum(experiment.minutes for experiment in found.values())
        print(f"{'all':18} {total:4.1f} min  expected on two cores")
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
        print(f"{name}: {experiment.title} ({taken:.0f} s{size})")
        for finding in outcome.findings:
            verdict = "agrees" if finding.agrees else "DIFFERS"
            print(f"  {verdict:8} {finding.stated}\n{'':11}{finding.measured}")
        written = ", ".join(path.name for path in paths)
        print(f"  written to {folder}: {written}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jsuper",
        allow_abbrev=False,
        description="Train grids of toy models of superposition, and look at them.",
    )
    parser.add_argument("--version", action="version", version=js.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    sweep = commands.add_parser(
        "sweep",
        allow_abbrev=False,
        help="train a grid of densities x thresholds x seeds",
        description="Train a grid of toy models, x' = ExReLU_t(x W Wᵀ + b), and write it "
        "as a netCDF file.",
        epilog="VALUES are numbers (1 0.3 0.1) or a range START:STOP:COUNT; densities are "
        "spaced evenly in the log, all else evenly. 'linear' is the threshold minus "
        "infinity. Randomness follows --key; --seeds is how many models a cell has. "
        "Example: jsuper sweep --densities 1:0.05:10 --thresholds 0 -0.25 -o exrelu.nc",
    )
    inputs = sweep.add_mutually_exclusive_group()
    values: dict[str, Any] = {"nargs": "+", "metavar": "VALUES"}
    inputs.add_argument(
        "--densities",
        type=_log_values,
        help="probabilities that a feature is active, in (0, 1]",
        **values,
    )
    inputs.add_argument(
        "--sparsities",
        type=_values,
        default=[[0.9]],
        help="1 - density, in [0, 1) (default: 0.9)",
        **values,
    )
    sweep.add_argument(
        "--thresholds",
        type=_values,
        default=[[0.0]],
        help="ExReLU thresholds; 0 is ReLU (default: 0)",
        **values,
    )
    for flag, default, metavar, text in (
        ("--features", 5, "N", "features"),
        ("--hidden", 2, "M", "hidden dimensions"),
        ("--importance", 0.9, "R", "feature i has importance R^i"),
        ("--seeds", 8, "K", "seeds per cell"),
        ("--steps", 10_000, "STEPS", "training steps"),
        ("--batch", 1024, "B", "examples in each step"),
        ("--learning-rate", 1e-3, "RATE", "AdamW's learning rate"),
        ("--weight-decay", 1e-2, "DECAY", "AdamW's weight decay"),
        ("--key", 0, "KEY", "number that all randomness follows"),
    ):
        sweep.add_argument(
            flag,
            type=type(default),
            default=default,
            metavar=metavar,
            help=f"{text} (default: {default})",
        )
    sweep.add_argument(
        "--cores", type=int, metavar="C", help="CPU cores to use (default: all)"
    )
    sweep.add_argument("-o", "--output", type=Path, required=True, help="netCDF file")
    sweep.add_argument("--force", action="store_true", help="replace an existing file")
    sweep.add_argument("--quiet", action="store_true", help="print nothing")
    sweep.set_defaults(run=_sweep)

    plot = commands.add_parser(
        "plot",
        allow_abbrev=False,
        help="draw a figure of a sweep",
        description="Draw a figure of a sweep.",
        epilog="Kinds: "
        + "; ".join(f"{kind}: {text}" for kind, (_, text) in DRAWN.items()),
    )
    plot.add_argument("file", metavar="FILE", help="netCDF file of a sweep")
    plot.add_argument(
        "--kind",
        choices=list(DRAWN),
        default="embeddings",
        help="figure (default: embeddings)",
    )
    plot.add_argument(
        "--select",
        nargs="+",
        type=_selection,
        default=[],
        metavar="AXIS=VALUE",
        help="draw one value of an axis (the nearest there is)",
    )
    phase = plot.add_argument_group("phase maps")
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
    plot.add_argument("-o", "--output", type=Path, help="picture (default: beside FILE)")
    plot.add_argument("--force", action="store_true", help="replace an existing picture")
    plot.set_defaults(run=_plot)

    reproduce = commands.add_parser(
        "reproduce",
        allow_abbrev=False,
        help="run the paper's experiments",
        description="Run experiments of Elhage et al. 2022, its follow-ups and its review: "
        "train, measure, draw, and say which of their statements hold.",
        epilog="Example: jsuper reproduce phase-change --quick",
    )
    reproduce.add_argument(
        "names", nargs="*", metavar="NAME", help="experiments, or 'all' (see --list)"
    )
    reproduce.add_argument(
        "--list", action="store_true", help="list names, minutes and figures of the paper"
    )
    reproduce.add_argument(
        "--quick",
        action="store_true",
        help="a small version, in under a minute each: some statements need the full one",
    )
    reproduce.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("out"),
        help="folder for a folder of each experiment (default: out)",
    )
    reproduce.add_argument(
        "--cores", type=int, metavar="C", help="CPU cores to use (default: all)"
    )
    reproduce.set_defaults(run=_reproduce)

    info = commands.add_parser(
        "info", help="say what a file holds", description="Say what a file holds."
    )
    info.add_argument("file", metavar="FILE", help="netCDF file of a sweep")
    info.set_defaults(run=_info)
    return parser


def _values(text: str) -> list[float]:
    """Numbers of one word: a number, ``linear``, or START:STOP:COUNT."""
    return _range(text, np.linspace)


def _log_values(text: str) -> list[float]:
    return _range(text, np.geomspace)


def _range(text, spaced):
    if text == "linear":
        return [-np.inf]
    try:
        if ":" not in text:
            return [float(text)]
        start, stop, count = text.split(":")
        return spaced(float(start), float(stop), int(count)).tolist()
    except ValueError:
        ends = ", with both ends above 0" if spaced is np.geomspace else ""
        raise argparse.ArgumentTypeError(
            f"must be a number or START:STOP:COUNT{ends}, got {text.strip()!r}"
        ) from None


def _selection(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, -np.inf if value == "linear" else float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be AXIS=VALUE, got {text!r}") from None


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f"jsuper: warning: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
